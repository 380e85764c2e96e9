"""Losses of the chance that a neighbour, drawn by a softmax of distances, is a positive."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.math.vectors import Distance
from keras_losses.metric_learning.pairs import DistanceLoss, PairLoss, only, share, some


class NeighborhoodComponents(DistanceLoss):
    """Neighbourhood components analysis: the log of the chance that the neighbour of an anchor is a positive.

    Formula: `log(sum_k exp(-D_k)) - log(sum_p exp(-D_p))` per anchor, with the sums over all other embeddings k and over its
    positives p. This is the second objective of the paper, the log of the chance.

    Args:
        distance: `"squared_euclidean"`, `"euclidean"`, `"cosine"` (1 - cosine) or `"dot"` (minus the inner product).
        normalize: embeddings are divided by their lengths first; cosine always does.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives does not count. A masked embedding, or one of weight
        0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    >>> round(float(kl.NeighborhoodComponents()(np.array([0, 0, 1]), x)), 4)
    0.3709

    Reference: J. Goldberger et al., Neighbourhood components analysis, 2004.
    """

    distance: Distance = "squared_euclidean"

    def rows(self, d, same, different):
        return chance(-d, same, different)

    def slope(self, d, same, different):
        return -slope_of_chance(-d, same, different)


class SoftNearestNeighbor(PairLoss):
    """Soft nearest neighbour loss: the log of the chance that the neighbour of an anchor is a positive, at a temperature.

    Formula: `log(sum_k exp(-D_k / temperature)) - log(sum_p exp(-D_p / temperature))` per anchor, with the sums over all other
    embeddings k and over its positives p, and squared Euclidean distances D.

    Args:
        temperature: divides the distances, > 0.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives does not count. A masked embedding, or one of weight
        0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    >>> round(float(kl.SoftNearestNeighbor(temperature=2.0)(np.array([0, 0, 1]), x)), 4)
    0.4473

    Reference: N. Frosst, N. Papernot, G. Hinton, Analyzing and improving representations with the soft nearest neighbor
    loss, 2019, arXiv:1902.01889.
    """

    temperature: Positive = 1.0

    distance = "squared_euclidean"
    normalize = False

    def rows(self, d, same, different):
        return chance(-d / self.temperature, same, different)

    def slope(self, d, same, different):
        return -slope_of_chance(-d / self.temperature, same, different) / self.temperature


def chance(logits, same, different):
    """Minus the log of the share of the positives in the sum of exponentials, and which anchors have positives."""
    valid = some(same)
    # The quotient of both sums is 1 + negatives / positives: exact where it is close to 1.
    gap = math.masked_logsumexp(logits, different) - math.masked_logsumexp(logits, same)
    return math.softplus(only(valid, gap)), valid


def slope_of_chance(logits, same, different):
    """The derivative of `chance` with respect to the logits."""
    push, pull = (math.masked_logsumexp(logits, mask, keepdims=True) for mask in (different, same))
    valid = ops.expand_dims(some(same), 1)
    outer = ops.sigmoid(only(valid, push - pull))
    return only(valid, outer * (share(logits, different, push) - share(logits, same, pull)))


neighborhood_components = function_of(NeighborhoodComponents)
soft_nearest_neighbor = function_of(SoftNearestNeighbor)
