"""Histogram loss: the overlap of the similarities of negative pairs with those of positive pairs."""

from typing import Annotated

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Range
from keras_losses.core.function import function_of
from keras_losses.metric_learning.pairs import PairLoss, some


class Histogram(PairLoss):
    """Histogram loss: the chance that a negative pair is more similar than a positive pair.

    Formula: `sum_t h(t) phi(t)` per anchor, over the num_bins + 1 points t = -1, -1 + step, ..., 1. A pair of cosine s gives
    `max(0, 1 - |s - t| / step)` to each; h is the mean over the negatives of the anchor, and phi(t) the share of all positive
    pairs of the batch up to t. The paper's number is the mean where all anchors have equally many negatives: it weighs
    negative pairs alike, this loss anchors. Memory is that of a few matrices of similarities, whatever num_bins is.

    Args:
        num_bins: steps between -1 and 1, >= 1.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings of any length. When called directly,
        `ref_labels` `(M,)` and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without negatives does not count, and none does in a batch without a
        positive pair. A masked embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> round(float(kl.Histogram()(np.array([0, 0, 1]), x)), 4)
    1.0

    Reference: E. Ustinova, V. Lempitsky, Learning deep embeddings with histogram loss, 2016, arXiv:1611.00822.
    """

    by_design = {"gradient-zero": "a negative has a slope only within a step of a positive pair: in a batch of four none is"}

    num_bins: Annotated[int, Range(ge=1)] = 100

    def rows(self, d, same, different):
        place = math.clip(0.5 * (1 - d) * self.num_bins, 0.0, self.num_bins)
        below = math.whole(place, self.num_bins - 1)
        share = place - ops.cast(below, d.dtype)
        # On a point a pair moves from one bin to the next: a kink.
        share = ops.where(ops.logical_or(share <= 0, share >= 1), ops.stop_gradient(share), share)

        positive = ops.cast(same, d.dtype)
        given = ops.stack([positive * (1 - share), positive * share])
        counts = math.segment_sum(given, ops.stack([below, below + 1]), self.num_bins + 1)
        # Sums up to each point; ops.cumsum would round float64 to float32 on one backend.
        upto = ops.tril(ops.ones((self.num_bins + 1, self.num_bins + 1), dtype=d.dtype)) @ ops.expand_dims(counts, 1)
        phi = math.safe_divide(ops.squeeze(upto, 1), ops.sum(positive))
        passed = ops.take(phi, below) * (1 - share) + ops.take(phi, below + 1) * share
        return math.masked_mean(passed, different), ops.logical_and(some(different), ops.any(same))


histogram = function_of(Histogram)
