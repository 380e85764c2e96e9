"""Losses that are a mean over the pairs of an anchor, or a sum of one term of its positives and one of its negatives."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.metric_learning.pairs import DistanceLoss, PairLoss, mean_of_pairs, share, slope_of_pairs, some


class Contrastive(DistanceLoss):
    """Contrastive loss: positives are drawn together, negatives pushed apart up to a margin.

    Formula: per anchor the mean over its partners of `max(D, 0)^2 / 2` for a positive and `max(margin - D, 0)^2 / 2` for a
    negative at distance D. The paper's halves stay. `"squared_euclidean"` squares a squared distance once more, and the
    distance `"dot"` may be negative, which costs a positive nothing.

    Args:
        margin: the distance from which on a negative costs nothing, >= 0.
        distance: `"euclidean"`, `"squared_euclidean"`, `"cosine"` (1 - cosine) or `"dot"` (minus the inner product).
        normalize: embeddings are divided by their lengths first; cosine always does.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without any partner does not count. A masked embedding, or one of
        weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[0.0, 0.0], [0.6, 0.0], [0.8, 0.0]])
    >>> round(float(kl.Contrastive()(np.array([0, 0, 1]), x)), 4)
    0.1733

    Reference: R. Hadsell, S. Chopra, Y. LeCun, Dimensionality reduction by learning an invariant mapping, 2006.
    """

    margin: NonNegative = 1.0

    def rows(self, d, same, different):
        near = 0.5 * ops.square(math.positive_part(d))
        apart = 0.5 * ops.square(math.positive_part(self.margin - d))
        return mean_of_pairs(near, apart, same, different)

    def slope(self, d, same, different):
        return slope_of_pairs(math.positive_part(d), -math.positive_part(self.margin - d), same, different)


class Margin(DistanceLoss):
    """Margin loss: a positive is to be nearer than a boundary, a negative farther, by a margin each.

    Formula: per anchor the mean over its partners of `max(margin + D - beta, 0)` for a positive and
    `max(margin - D + beta, 0)` for a negative at distance D. The mean is over all pairs, active or not; the boundary `beta`
    is a number, not learned.

    Args:
        margin: number >= 0.
        beta: the boundary, any number: of the distance `"dot"` it may be negative.
        distance: `"euclidean"`, `"squared_euclidean"`, `"cosine"` (1 - cosine) or `"dot"` (minus the inner product).
        normalize: embeddings are divided by their lengths first; cosine always does.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without any partner does not count. A masked embedding, or one of
        weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[0.0, 0.0], [1.5, 0.0], [1.0, 0.0]])
    >>> round(float(kl.Margin()(np.array([0, 0, 1]), x)), 4)
    0.6

    Reference: C.-Y. Wu et al., Sampling matters in deep embedding learning, 2017, arXiv:1706.07567.
    """

    margin: NonNegative = 0.2
    beta: float = 1.2

    def rows(self, d, same, different):
        near = math.positive_part(self.margin - self.beta + d)
        apart = math.positive_part(self.margin + self.beta - d)
        return mean_of_pairs(near, apart, same, different)

    def slope(self, d, same, different):
        near, apart = (ops.cast(x > 0, d.dtype) for x in (self.margin - self.beta + d, self.margin + self.beta - d))
        return slope_of_pairs(near, -apart, same, different)


class MultiSimilarity(PairLoss):
    """Multi-similarity loss: soft sums over the positives that are too far and the negatives that are too near.

    Formula: `log(1 + sum_p exp(-alpha (s_p - base))) / alpha + log(1 + sum_n exp(beta (s_n - base))) / beta` per anchor, with
    the cosines s of its positives p and negatives n. All pairs have a part: the paper's mining is left out.

    Args:
        alpha: sharpness of the sum over positives, > 0.
        beta: sharpness of the sum over negatives, > 0.
        base: the cosine that positives should exceed and negatives should not. The paper's 1; the authors' code has 0.5.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings of any length. When called directly,
        `ref_labels` `(M,)` and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor counts that has positives or negatives. A masked embedding, or one of
        weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    >>> round(float(kl.MultiSimilarity(base=0.5)(np.array([0, 0, 1]), x)), 4)
    0.1044

    Reference: X. Wang et al., Multi-similarity loss with general pair weighting, 2019, arXiv:1904.06627.
    """

    alpha: Positive = 2.0
    beta: Positive = 50.0
    base: float = 1.0

    def rows(self, d, same, different):
        gap = d + self.base
        pull = math.softplus(math.masked_logsumexp(self.alpha * gap, same)) / self.alpha
        push = math.softplus(math.masked_logsumexp(-self.beta * gap, different)) / self.beta
        return pull + push, some(ops.logical_or(same, different))

    def slope(self, d, same, different):
        gap = d + self.base
        pull, push = ((self.alpha * gap, same), (-self.beta * gap, different))
        pull, push = (share(z, mask, math.softplus(math.masked_logsumexp(z, mask, keepdims=True))) for z, mask in (pull, push))
        return pull - push


class SignalToNoiseRatio(PairLoss):
    """Contrastive loss of the noise-to-signal ratio: the variance of a difference over the variance of the anchor.

    Formula: per anchor the mean over its partners of d for a positive and `max(margin - d, 0)` for a negative, with
    `d = var(anchor - partner) / var(anchor)`, variances over the features. d is not symmetric: the anchor is the signal.
    Not squared, as in the paper; its regulariser is left out.

    Args:
        margin: the ratio from which on a negative costs nothing, >= 0.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without any partner, or whose features are all equal, does not count.
        A masked embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[1.0, -1.0], [2.0, -2.0], [1.0, 1.0]])
    >>> round(float(kl.SignalToNoiseRatio(margin=2.0)(np.array([0, 0, 1]), x)), 4)
    0.8125

    Reference: T. Yuan et al., Signal-to-noise ratio: a robust distance metric for deep metric learning, 2019,
    arXiv:1904.02616.
    """

    margin: NonNegative = 1.0

    def distances(self, x, y):
        signal = _without_mean(x)
        power = ops.sum(ops.square(signal), axis=1, keepdims=True)
        return math.safe_divide(math.pairwise_distance(signal, _without_mean(y), "squared_euclidean"), power)

    def compare(self, x, *args, **kwargs):
        value, valid = super().compare(x, *args, **kwargs)
        return value, ops.logical_and(valid, ops.squeeze(_varies(x), 1))

    def rows(self, d, same, different):
        return mean_of_pairs(d, math.positive_part(self.margin - d), same, different)


def _varies(x):
    """Which rows are not constant, told before rounding."""
    return math.constant_max(x, axis=1) > -math.constant_max(-x, axis=1)


def _without_mean(x):
    centred = x - ops.expand_dims(math.mean(x), 1)
    return ops.where(_varies(x), centred, ops.zeros_like(x))


contrastive = function_of(Contrastive)
margin = function_of(Margin)
multi_similarity = function_of(MultiSimilarity)
signal_to_noise_ratio = function_of(SignalToNoiseRatio)
