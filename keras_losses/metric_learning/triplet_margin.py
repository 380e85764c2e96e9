"""Triplet loss, over all triplets of an anchor or over mined ones."""

from typing import Literal

import keras
import numpy as np
from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative
from keras_losses.core.function import function_of
from keras_losses.metric_learning import triplets
from keras_losses.metric_learning.pairs import DistanceLoss, both, count, only


class TripletMargin(DistanceLoss):
    """Triplet loss: a positive is to be nearer to the anchor than a negative, by a margin.

    Formula: per anchor the mean over its triplets of `max(D_p - D_n + margin, 0)`, with the distances D of a positive and of a
    negative; with `soft` of `log(1 + exp(D_p - D_n))`, without a margin. `mining` says which triplets:

    - `"all"`: every positive with every negative, triplets without loss included. O(N^3) time; memory is linear in N per block
      of anchors, where a batch is large.
    - `"semihard"`: every positive with the nearest negative that is farther than it, or, where none is, with the farthest
      negative; of negatives at one distance with the first in the batch. O(N^2 log N) time.
    - `"hard"`: the farthest positive with the nearest negative (batch hard).
    - `"easy"`: the nearest positive with the nearest negative.

    The choice depends on neither `margin` nor `soft`, and is a constant in the gradient.

    Args:
        margin: number >= 0; without effect if `soft`.
        mining: `"all"`, `"semihard"`, `"hard"` or `"easy"`.
        soft: softplus in place of the hinge.
        distance: `"euclidean"`, `"squared_euclidean"`, `"cosine"` (1 - cosine) or `"dot"` (minus the inner product).
        normalize: embeddings are divided by their lengths first; cosine always does.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives or without negatives does not count. A masked
        embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [1.5, 0.0], [4.0, 0.0]])
    >>> ids = np.array([0, 0, 1, 1])
    >>> [round(float(kl.TripletMargin(mining=m)(ids, x)), 4) for m in ("all", "semihard", "hard")]
    [0.9375, 0.75, 1.375]

    Reference: V. Balntas et al., Learning local feature descriptors with triplets and shallow convolutional neural networks,
    2016; semihard: F. Schroff, D. Kalenichenko, J. Philbin, FaceNet, 2015, arXiv:1503.03832; hard and soft: A. Hermans,
    L. Beyer, B. Leibe, 2017, arXiv:1703.07737; easy: H. Xuan, A. Stylianou, R. Pless, 2020, arXiv:1904.04370.
    """

    margin: NonNegative = 1.0
    mining: Literal["all", "semihard", "hard", "easy"] = "all"
    soft: bool = False

    def cost(self, gap):
        """The loss of triplets whose distances differ by `gap`."""
        return math.softplus(gap) if self.soft else math.positive_part(gap + self.margin)

    def cost_slope(self, gap):
        """The derivative of `cost`."""
        return ops.sigmoid(gap) if self.soft else ops.cast(gap + self.margin > 0, gap.dtype)

    @property
    def takes_triplets(self):
        return self.mining == "all"

    def rows(self, d, same, different, pieces=False):
        valid = both(same, different)
        if self.mining == "all":
            return triplets.mean(self, d, same, different, pieces), valid
        if self.mining == "semihard":
            return self.semihard(d, same, different), valid
        near = -_farthest(-d, different)
        far = _farthest(d, same) if self.mining == "hard" else -_farthest(-d, same)
        return only(valid, self.cost(only(valid, far - near))), valid

    def slope(self, d, same, different):
        if self.mining == "all":
            return triplets.slope(self, d, same, different)
        if self.mining == "semihard":
            return self.semihard_slope(d, same, different)
        sign = 1 if self.mining == "hard" else -1
        valid = ops.expand_dims(both(same, different), 1)
        (far, of_far), (near, of_near) = _winners(sign * d, same), _winners(-d, different)
        return only(valid, self.cost_slope(only(valid, sign * far + near)) * (of_far - of_near))

    def each(self, near, d, same, different):
        gap = ops.expand_dims(near, 2) - ops.expand_dims(d, 1)
        total = ops.sum(only(ops.expand_dims(different, 1), self.cost(gap)), axis=2)
        return math.safe_divide(total, count(different, d))

    def each_slope(self, near, d, same, different):
        gap = ops.expand_dims(near, 2) - ops.expand_dims(d, 1)
        total = only(ops.expand_dims(different, 1), self.cost_slope(gap))
        return math.safe_divide(total, ops.expand_dims(count(different, d), 1))

    def semihard(self, d, same, different):
        """The mean over the positives, each with the negative mined for it."""
        d, same, _, place, _ = _mined(d, same, different)
        return math.masked_mean(self.cost(d - ops.take_along_axis(d, place, axis=1)), same)

    def semihard_slope(self, d, same, different):
        d, same, different, place, order = _mined(d, same, different)
        rate = self.cost_slope(d - ops.take_along_axis(d, place, axis=1))
        rate = only(same, math.safe_divide(rate, count(same, d)))
        # A negative has the positives between it and the one before, and the last those behind it too.
        behind = ops.equal(ops.cumsum(different, axis=1), ops.sum(different, axis=1, keepdims=True))
        carried = _carried(only(ops.logical_not(behind), rate), different)
        last = ops.logical_and(behind, different > 0)
        carried = carried + only(last, ops.sum(only(behind, rate), axis=1, keepdims=True))
        slope = only(ops.any(different > 0, axis=1, keepdims=True), rate - only(different > 0, carried))
        return ops.take_along_axis(slope, ops.argsort(order, axis=1), axis=1)


def _mined(d, same, different):
    """Distances and relations of each row in the order of distance, the places of the negatives mined, and the order."""
    # Negatives first among equals, so that those after a positive are strictly farther: two stable sorts.
    order = _argsort(ops.cast(ops.logical_not(different), "int32"), axis=1)
    second = _argsort(ops.take_along_axis(ops.stop_gradient(d), order, axis=1), axis=1)
    order = ops.take_along_axis(order, second, axis=1)
    d, same, different = (ops.take_along_axis(x, order, axis=1) for x in (d, same, ops.cast(different, "int32")))
    negatives = _argsort(1 - different, axis=1)  # their places, from near to far
    before = ops.cumsum(different, axis=1)  # how many of them are no farther
    last = ops.sum(different, axis=1, keepdims=True) - 1
    chosen = ops.where(before > last, last, before)
    chosen = ops.where(chosen < 0, ops.zeros_like(chosen), chosen)
    return d, same, different, ops.take_along_axis(negatives, chosen, axis=1), order


def _argsort(x, axis):
    """A stable one: those that tie stay in their order."""
    if keras.backend.backend() == "numpy":  # of Keras's four the one that does not promise it
        return np.argsort(x, axis=axis, kind="stable")
    return ops.argsort(x, axis=axis)


def _carried(x, stops):
    """At each stop the sum of `x` since the one before: doubling steps, so that nothing cancels and it compiles."""
    total, open_ = x, ops.concatenate([ops.ones_like(stops[:, :1]), stops[:, :-1]], axis=1) > 0
    step = 1
    while step < x.shape[1]:
        shifted = ops.concatenate([ops.zeros_like(x[:, :step]), total[:, :-step]], axis=1)
        total = total + ops.where(open_, ops.zeros_like(x), shifted)
        open_ = ops.logical_or(open_, ops.concatenate([ops.ones_like(open_[:, :step]), open_[:, :-step]], axis=1))
        step *= 2
    return total


def _winners(d, which):
    """The largest of some distances of each row, and how its slope is shared: evenly by those that tie."""
    d = ops.where(which, d, ops.full_like(d, math.lowest(d)))
    peak = math.constant_max(d, axis=1)
    winner = ops.cast(ops.equal(d, peak), d.dtype)
    return peak, winner / ops.sum(winner, axis=1, keepdims=True)


def _farthest(d, which):
    """The largest of some distances of each row; those that tie share the gradient."""
    return math.largest(ops.where(which, d, ops.full_like(d, math.lowest(d))), axis=1)


triplet_margin = function_of(TripletMargin)
