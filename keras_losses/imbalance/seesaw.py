"""Seesaw loss: what frequent classes do to rare ones is mitigated, unless it was deserved."""

import numpy as np
from keras import ops

from keras_losses import math
from keras_losses.core.fields import Fraction, NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.spec import count
from keras_losses.core.weighting import per_class
from keras_losses.imbalance.counted import CountedCrossentropy, above_label, crossentropy, logits


class Seesaw(CountedCrossentropy):
    """Cross-entropy in which a sample of a frequent class pushes rare classes down less, but for those taken for it.

    Formula: `-log(exp(z_i) / (exp(z_i) + sum_{j != i} M_ij C_ij exp(z_j)))` for the label i, with the mitigation
    `M_ij = min(1, (N_j / N_i)^p)` by the counts N, and the compensation `C_ij = max(1, (s_j / max(s_i, epsilon))^q)` by the
    softmax `s` of the prediction, a constant in the gradient. Probabilities are taken as `z = log p`. All in log space.

    The counts are those of the training data. `layers.AddSeesaw` counts the labels that it has seen so far instead, as the
    paper does.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        class_counts: how many training samples each class has; a class without samples counts as one sample.
        p: exponent >= 0 of the mitigation; 0: none.
        q: exponent >= 0 of the compensation; 0: none.
        epsilon: in [0, 1]: the least probability of the label that the compensation divides by, as in the authors' code. With
            0, the formula of the paper, it grows without bound where the prediction is badly wrong.
        ignore_class: integer label whose entries do not count.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `axis`. When called directly, `counts`
        `(C,)` takes the place of `class_counts`: a tensor that may change during training.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, there are not C counts, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.Seesaw(class_counts=(16, 1), p=0.5, from_logits=True, reduction="none")
    >>> [round(float(x), 4) for x in loss(np.array([0, 1]), np.zeros((2, 2)))]  # log(1 + 1/4), log(1 + 1)
    [0.2231, 0.6931]

    Reference: J. Wang et al., Seesaw loss for long-tailed instance segmentation, 2021, arXiv:2008.10032.
    """

    p: NonNegative = 0.8
    q: NonNegative = 2.0
    epsilon: Fraction = 0.01

    counts = count("C")
    by_design = dict.fromkeys(
        ("gradient-wrong", "contract-second-derivatives"),
        "the compensation is a constant in the gradient, as in the paper: its differences are not its derivative",
    )

    def call(self, y_true, y_pred, counts=None):
        z = logits(self, y_pred)
        counts = per_class(self, y_pred, "class_counts", self.class_counts) if counts is None else counts
        log_n = ops.log(ops.where(counts > 0, counts, ops.ones_like(counts)))
        mitigation = math.minimum(log_n - ops.expand_dims(ops.take(log_n, y_true, axis=0), -1), 0.0)
        log_s = math.log_softmax(ops.stop_gradient(z))
        own = math.at_label(log_s, y_true, keepdims=True)
        own = math.maximum(own, float(np.log(self.epsilon))) if self.epsilon > 0 else own
        shift = self.p * mitigation + self.q * math.positive_part(log_s - own)
        return crossentropy(self, y_true, y_pred, above_label(z, y_true) + shift)


seesaw = function_of(Seesaw)
