"""Complement cross-entropy: the classes that are not the label should be alike."""

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import log_probabilities, warn_of_one_class
from keras_losses.core.fields import ClassWeight
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, simplex
from keras_losses.core.weighting import label_weights


class ComplementCrossentropy(Loss):
    """Cross-entropy, less the entropy of the probabilities that the other classes share.

    Formula: `w_y (-log p_y + gamma / (C - 1) H_y)` with `H_y = -sum_{c != y} r_c log r_c` and
    `r_c = p_c / sum_{d != y} p_d`, the softmax of the other logits: right where `p_y` is 1. From probabilities every `p_c`
    counts as at least 1e-7, and so classes that have none share alike. With two classes `H_y` is 0.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        gamma: factor of the entropy; negative, as in the paper, it makes the other classes alike. 0 gives cross-entropy.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None; that of the label weighs both terms.
        ignore_class: integer label whose entries do not count: not in the sum, not in the number it is divided by.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `axis`.

    Returns:
        One value a label, `(B, ...)`, reduced; it may be negative. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.ComplementCrossentropy(from_logits=True)
    >>> round(float(loss(np.array([0]), np.array([[0.0, 1.0, 1.0]]))), 4)  # 1.8620 - log(2) / 2
    1.5154

    Reference: Y. Kim, Y. Lee, M. Jeon, Imbalanced image classification with complement cross entropy, 2021,
    arXiv:2009.02189.
    """

    from_logits: bool = False
    gamma: float = -1.0
    axis: int = -1
    class_weight: ClassWeight = None
    ignore_class: int | None = None

    y_true = label("B *S")
    last_axis = "axis"

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def call(self, y_true, y_pred):
        warn_of_one_class(self, y_pred)
        log_p = log_probabilities(self, y_pred)
        labelled = math.one_hot(y_true, y_pred.shape[-1], "bool")
        # Shares do not depend on a common factor: the logits themselves have more digits than their log-softmax.
        scores = y_pred if self.from_logits else log_p
        log_share = math.log_softmax(ops.where(labelled, ops.full_like(scores, math.lowest(scores)), scores))
        entropy = -ops.sum(ops.exp(log_share) * log_share, axis=-1)
        crossentropy = -math.at_label(log_p, y_true)
        value = crossentropy + self.gamma / max(y_pred.shape[-1] - 1, 1) * entropy
        return value * label_weights(self, y_true, y_pred)


complement_crossentropy = function_of(ComplementCrossentropy)
