"""Losses of what dense detectors predict at each place: scores that hold a quality, heatmaps, positions among bins."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.classification.binary import cross_entropy_of_shares
from keras_losses.classification.categorical import log_probabilities
from keras_losses.core.fields import NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, logit, position, prob, simplex


class Scores(Loss):
    """Base of losses that are the mean over the last axis of a term for each score: a subclass writes `terms(y_true, y_pred)`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
    """

    from_logits: bool = False

    y_true = binary("B *S D")

    @property
    def y_pred(self):
        return logit("B *S D") if self.from_logits else prob("B *S D")

    def terms(self, y_true: Any, y_pred: Any) -> Any:
        """The terms, as large as the scores."""
        raise NotImplementedError(f"{type(self).__name__} must define `terms(self, y_true, y_pred)`.")

    def call(self, y_true, y_pred):
        return math.mean(self.terms(y_true, y_pred))

    def _crossentropy(self, y_true, y_pred):
        if self.from_logits:
            return math.binary_cross_entropy(y_pred, y_true)
        return cross_entropy_of_shares(self, y_true, 1 - y_true, y_pred)


def _power(p, exponent):
    """`max(p, 1e-7) ** exponent` of a probability, with the slope of `log_probability`."""
    return ops.square(math.floor(p, math.EPSILON)) if exponent == 2 else math.focal_weight(math.log_probability(p), exponent)


class QualityFocal(Scores):
    """Quality focal loss: cross-entropy with a score between 0 and 1, weighed by how far the prediction is from it.

    Formula: `mean_d -|y_d - p_d|^beta (y_d log p_d + (1 - y_d) log(1 - p_d))`. D times that is the paper's sum over the
    classes, which is then divided by the number of positive places. From logits everything is in log space; from
    probabilities `log p` is `log(max(p, 1e-7))`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        beta: focusing exponent >= 0; 0 gives binary cross-entropy.

    Shapes:
        `y_true`: `(B, ..., D)`: the quality (an IoU) at the class of an object, 0 elsewhere; `y_pred`: the same; `(B,)` counts
        as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.QualityFocal()(np.array([[0.8]]), np.array([[0.5]]))), 4)  # 0.3^2 log(2)
    0.0624

    Reference: X. Li et al., Generalized focal loss, 2020, arXiv:2006.04388.
    """

    beta: NonNegative = 2.0

    def terms(self, y_true, y_pred):
        value = self._crossentropy(y_true, y_pred)
        if self.beta == 0:
            return value
        # From logits in a form that is exact where y is 0 or 1 and p is next to it.
        if self.from_logits:
            gap = y_true * ops.sigmoid(-y_pred) - (1 - y_true) * ops.sigmoid(y_pred)
        else:
            gap = y_true - y_pred
        return value * math.power(math.absolute(gap), self.beta)


class Varifocal(Scores):
    """Varifocal loss: positives weigh by the quality they are to be scored with, negatives by how probable they are.

    Formula: the mean over the last axis of `-y (y log p + (1 - y) log(1 - p))` where `y > 0`, and of
    `-alpha p^gamma log(1 - p)` elsewhere. D times that is the paper's sum over the classes, which is then divided by the
    number of positives. Unlike in the focal loss only negatives are weighed down, and alpha is theirs. From logits everything
    is in log space; from probabilities `log p` is `log(max(p, 1e-7))`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        alpha: number >= 0 that multiplies the negatives.
        gamma: focusing exponent >= 0 of the negatives.

    Shapes:
        `y_true`: `(B, ..., D)`: the quality (an IoU) at the class of an object, 0 elsewhere; `y_pred`: the same; `(B,)` counts
        as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.Varifocal(from_logits=True)
    >>> float(loss(np.array([[0.5]]), np.array([[-40.0]]))), float(loss(np.array([[0.0]]), np.array([[40.0]])))
    (10.0, 30.0)

    Reference: H. Zhang et al., VarifocalNet: an IoU-aware dense object detector, 2020, arXiv:2008.13367.
    """

    alpha: NonNegative = 0.75
    gamma: NonNegative = 2.0

    def terms(self, y_true, y_pred):
        power = (math.power_of_sigmoid if self.from_logits else _power)(y_pred, self.gamma)
        negative = ops.cast(y_true <= 0, y_pred.dtype)
        return ((1 - negative) * y_true + self.alpha * negative * power) * self._crossentropy(y_true, y_pred)


class GaussianFocal(Scores):
    """Penalty-reduced focal loss of heatmaps with a Gaussian around each peak (CornerNet, CenterNet).

    Formula: the mean over the last axis of `-(1 - p)^alpha log p` where `y = 1`, a peak, and of
    `-(1 - y)^beta p^alpha log(1 - p)` elsewhere. The papers divide the sum over a heatmap by its number of peaks: that is the
    mean times the number of entries over the number of peaks. From logits everything is in log space; from probabilities
    `log p` is `log(max(p, 1e-7))`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        alpha: focusing exponent >= 0.
        beta: exponent >= 0 that spares what is near a peak.

    Shapes:
        `y_true`: `(B, ..., D)`, from 0 to 1, a peak where it is exactly 1; `y_pred`: the same; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.GaussianFocal(from_logits=True)
    >>> float(loss(np.array([[1.0]]), np.array([[-40.0]]))), float(loss(np.array([[0.5]]), np.array([[40.0]])))
    (40.0, 2.5)

    Reference: H. Law, J. Deng, CornerNet, 2018, arXiv:1808.01244; X. Zhou, D. Wang, P. Krähenbühl, Objects as points, 2019,
    arXiv:1904.07850.
    """

    alpha: NonNegative = 2.0
    beta: NonNegative = 4.0

    def terms(self, y_true, y_pred):
        # 1 where y is 1, without a comparison, which PyTorch's compiler keeps for the gradient: eight times as long.
        peak = 1 - ops.sign(math.absolute(1 - y_true))
        weight = peak + math.power(1 - y_true, self.beta)
        if self.from_logits:
            return weight * math.focal_softplus((1 - 2 * peak) * y_pred, self.alpha)
        # What the prediction gives to the right side, and to the other.
        right, wrong = 1 - peak + (2 * peak - 1) * y_pred, peak + (1 - 2 * peak) * y_pred
        return -weight * math.log_probability(right) * _power(wrong, self.alpha)


class DistributionFocal(Loss):
    """Distribution focal loss: a position as a distribution over bins, the two beside it getting the probability.

    Formula: `-(i + 1 - y) log p_i - (y - i) log p_{i+1}` for the bins `i <= y <= i + 1`; on a bin, the last one too, it is the
    cross-entropy of that bin. From logits `log p` is `log_softmax(z)`; probabilities are divided by their sum, and `log p` is
    `log(max(p, 1e-7))`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.

    Shapes:
        `y_true`: `(B, ...)`, real positions from 0 to n, in units of bins (the distance to each side of a box, over the
        stride); `y_pred`: `(B, ..., n + 1)`.

    Returns:
        One value a position, `(B, ...)`, reduced. A position out of range gives NaN with gradient zero: clip what is farther
        than the bins reach.

    Raises:
        ValueError: the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss, p = kl.DistributionFocal(), np.array([[0.2, 0.5, 0.3]])
    >>> round(float(loss(np.array([1.25]), p)), 4), round(float(loss(np.array([2.0]), p)), 4)
    (0.8209, 1.204)

    Reference: X. Li et al., Generalized focal loss, 2020, arXiv:2006.04388.
    """

    from_logits: bool = False

    y_true = position("B *S")

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def call(self, y_true, y_pred):
        bins = ops.arange(y_pred.shape[-1], dtype=y_pred.dtype)
        weight = math.positive_part(1 - math.absolute(ops.expand_dims(y_true, -1) - bins))
        return -ops.sum(weight * log_probabilities(self, y_pred), axis=-1)


quality_focal = function_of(QualityFocal)
varifocal = function_of(Varifocal)
gaussian_focal = function_of(GaussianFocal)
distribution_focal = function_of(DistributionFocal)
