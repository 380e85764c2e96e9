"""Consistency of the predictions for several views of one input."""

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import log_probabilities, of_labels, rows_of_one, warn_of_one_class
from keras_losses.core.fields import ClassWeight, Fraction, NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, simplex
from keras_losses.core.weighting import class_weights


class JensenShannonConsistency(Loss):
    """Cross-entropy of the first view, plus how far the predictions for all views are from their mean.

    Formula: `crossentropy(y, p_1) + alpha mean_v sum_c p_vc log(p_vc / m_c)` with `m = mean_v p_v`: the second term is the
    Jensen-Shannon divergence of the views, from 0, where they agree, to `log V`. The cross-entropy is that of
    `SparseCategoricalCrossentropy` with its smoothing and weights. Probabilities are divided by their sum, and logarithms
    see at least 1e-7; logits stay in log space.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        alpha: weight >= 0 of the divergence.
        label_smoothing: in [0, 1], of the labels of the cross-entropy.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None; of the cross-entropy.
        ignore_class: integer label whose entries do not count: not in the sum, not in the number it is divided by.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, V, ..., C)`, the V views stacked on axis 1, the clean one first. Weights
        and masks have the axes of `y_true`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.JensenShannonConsistency(alpha=1.0)
    >>> views = np.array([[[1.0, 0.0], [0.0, 1.0]]])  # they exclude each other
    >>> round(float(loss(np.array([0]), views)), 4)  # log(2)
    0.6931

    Reference: D. Hendrycks et al., AugMix: a simple data processing method to improve robustness and uncertainty, 2020,
    arXiv:1912.02781.
    """

    from_logits: bool = False
    alpha: NonNegative = 12.0
    label_smoothing: Fraction = 0.0
    class_weight: ClassWeight = None
    ignore_class: int | None = None

    y_true = label("B *S")

    @property
    def y_pred(self):
        return logit("B V *S C") if self.from_logits else simplex("B V *S C")

    def call(self, y_true, y_pred):
        warn_of_one_class(self, y_pred)
        log_p = log_probabilities(self, y_pred)
        crossentropy = of_labels(self, y_true, -log_p[:, 0] * class_weights(self, y_pred))
        if not self.from_logits:
            p = rows_of_one(y_pred)
            log_m = math.log_probability(ops.expand_dims(math.mean(p, axis=1), 1))
            divergence = math.mean(ops.sum(p * (log_p - log_m), axis=-1), axis=1)
        else:
            divergence = (math.with_gradient(_divergence, _slope) if math.unfused() else _divergence)(log_p)
        return crossentropy + self.alpha * divergence


def _divergence(log_p):
    """The mean divergence of the views from their mean."""
    return math.mean(ops.sum(_parts(log_p), axis=-1), axis=1)


def _slope(upstream, log_p):
    """What the logarithm of the mean adds is what p adds, with the other sign."""
    return ops.expand_dims(ops.expand_dims(upstream / log_p.shape[1], 1), -1) * _parts(log_p)


def _parts(log_p):
    p = ops.exp(log_p)
    return p * (log_p - math.safe_log(ops.expand_dims(math.mean(p, axis=1), 1)))


jensen_shannon_consistency = function_of(JensenShannonConsistency)
