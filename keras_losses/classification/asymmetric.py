"""Asymmetric losses: positives and negatives are focused on to different degrees."""

import math as numbers

from keras import ops

from keras_losses import math
from keras_losses.classification.binary import binary_logs
from keras_losses.classification.categorical import smooth_labels, warn_of_one_class, weigh_classes
from keras_losses.classification.focal import log_and_miss
from keras_losses.classification.multilabel import Multilabel
from keras_losses.core.fields import ClassWeight, Fraction, NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, prob, simplex


class AsymmetricMultilabel(Multilabel):
    """Asymmetric loss (ASL) of several labels: easy negatives weigh little, very easy ones nothing.

    Formula: `mean_c -w_c (y_c (1 - p_c)^gamma_pos log p_c + (1 - y_c) m_c^gamma_neg log(1 - m_c))` with the shifted
    probability `m = max(p - clip, 0)`: the paper's sum over the labels is C times this mean, and the authors' code sums over
    the batch too. The focal weights are part of the gradient, as in the paper; that code can hold them constant instead. A
    negative far above `clip` has a small gradient by design: the paper takes it for a missing label. From logits everything
    is in log space; from probabilities `log p` is `log(max(p, 1e-7))`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        gamma_neg: focusing exponent >= 0 of the negatives.
        gamma_pos: focusing exponent >= 0 of the positives. 0 as in the paper's experiments; the authors' code begins at 1.
        clip: in [0, 1]: by how much the probability of a negative is lowered; negatives below it do not count.
        axis: the axis of the labels, over which the mean is taken.
        class_weight: one weight >= 0 for each label, or `{label: weight}`, or None.

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or between; `y_pred`: the same; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over `axis`, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.AsymmetricMultilabel(from_logits=True)
    >>> round(float(loss(np.array([[1, 0, 0]]), np.array([[-30.0, -4.0, 0.0]]))), 4)
    10.0082

    Reference: E. Ben-Baruch, T. Ridnik et al., Asymmetric loss for multi-label classification, 2020, arXiv:2009.14119.
    """

    from_logits: bool = False
    gamma_neg: NonNegative = 4.0
    gamma_pos: NonNegative = 0.0
    clip: Fraction = 0.05

    @property
    def y_pred(self):
        return logit("B *S D") if self.from_logits else prob("B *S D")

    def terms(self, y_true, y_pred):
        if self.from_logits:
            positive, p = -math.focal_softplus(-y_pred, self.gamma_pos), ops.sigmoid(y_pred)
        else:
            log_p, log_not_p = binary_logs(self, y_pred)
            positive, p = log_p * math.focal_weight(log_not_p, self.gamma_pos), y_pred
        if self.clip:  # 1 - m = (1 - p) + clip, at most 1
            negative = self._log_rest(y_pred) * math.power(math.positive_part(p - self.clip), self.gamma_neg)
        elif self.from_logits:
            negative = -math.focal_softplus(y_pred, self.gamma_neg)
        else:
            negative = log_not_p * math.focal_weight(log_p, self.gamma_neg)
        return -(y_true * positive + (1 - y_true) * negative)

    def _log_rest(self, y_pred):
        """`log(1 - m)`."""
        if not self.from_logits:
            return math.log_probability(math.minimum(1 - y_pred + self.clip, 1.0))
        if self.clip >= math.EPSILON:
            return math.safe_log(math.minimum(ops.sigmoid(-y_pred) + self.clip, 1.0))
        # In log space: the square of a sum as small as this may be 0, and the second derivative is divided by it.
        return math.minimum(math.logaddexp(-math.softplus(y_pred), ops.full_like(y_pred, numbers.log(self.clip))), 0.0)


class AsymmetricSingleLabel(Loss):
    """Asymmetric loss of one label among several classes: focal weights that differ for the label and the other classes.

    Formula: `-sum_c w_c t_c a_c log p_c` with the smoothed label `t = (1 - label_smoothing) onehot + label_smoothing / C`,
    `a = (1 - p)^gamma_pos` for the labelled class and `a = p^gamma_neg` for the others. The paper tells of this variant only
    that it exists; the formula and its defaults, smoothing too, are those of the authors' code. Only smoothing gives the
    other classes a part: with `label_smoothing=0` the exponent `gamma_neg` has no effect, and the loss is the focal loss. The
    focal weights are part of the gradient.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        gamma_pos: focusing exponent >= 0 of the labelled class.
        gamma_neg: focusing exponent >= 0 of the other classes.
        label_smoothing: in [0, 1]; 0.1, unlike elsewhere.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
        ignore_class: integer label whose entries do not count.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `axis`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.AsymmetricSingleLabel(from_logits=True)
    >>> round(float(loss(np.array([0]), np.array([[-20.0, 20.0]]))), 4)
    38.0

    Reference: E. Ben-Baruch, T. Ridnik et al., Asymmetric loss for multi-label classification, 2020, arXiv:2009.14119.
    """

    from_logits: bool = False
    gamma_pos: NonNegative = 0.0
    gamma_neg: NonNegative = 4.0
    label_smoothing: Fraction = 0.1
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
        log_p, miss = log_and_miss(self, y_pred)
        miss = math.at_label(miss, y_true, keepdims=True)
        target = math.one_hot(y_true, y_pred.shape[-1], log_p.dtype)
        weight = target * math.focal_power(miss, self.gamma_pos) + (1 - target) * math.focal_weight(log_p, self.gamma_neg)
        return -ops.sum(weigh_classes(self, smooth_labels(target, self.label_smoothing)) * weight * log_p, axis=-1)


asymmetric_multilabel = function_of(AsymmetricMultilabel)
asymmetric_single_label = function_of(AsymmetricSingleLabel)
