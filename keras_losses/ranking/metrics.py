"""Metrics of an order as a sum over a list's items of gain times discount of the rank, the best item at rank 1.

    ndcg       (2^y - 1) / (the sum in the best order)    1 / log2(1 + rank)
    mrr        y / sum y                                  1 / rank
    precision  [y > 0] / topn                             1

Beyond `topn` the discount is 0.
"""

from typing import Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.ranking.lists import LOG2, positions, weighted

Metric = Literal["ndcg", "mrr", "precision"]


def gains(metric: Metric, y_true: Any, item: Any, topn: int | None = None, weight: Any = None) -> Any:
    """The gain of each item, of the shape of `y_true`; 0 where there is no item, and where nothing is relevant.

    With weights of items, of each gain times its weight, in the sums too.
    """
    if metric == "precision":
        return weighted(ops.cast(y_true > 0, y_true.dtype), weight) / (topn or 1)
    if metric == "mrr":
        gain = weighted(y_true, weight)
        return math.safe_divide(gain, ops.sum(gain, axis=-1, keepdims=True))
    # All divided by 2^max y: 2^128 is no number of float32.
    gain = ops.exp(LOG2 * (y_true - math.constant_max(y_true))) * math.one_minus_exp(-LOG2 * y_true)
    gain = weighted(ops.where(item, gain, ops.zeros_like(gain)), weight)
    best = -ops.sort(-gain, axis=-1) * discounts("ndcg", positions(gain), topn)
    return math.safe_divide(gain, ops.sum(best, axis=-1, keepdims=True))


def discounts(metric: Metric, rank: Any, topn: int | None = None) -> Any:
    """The discount of each rank >= 1."""
    found = {"ndcg": by_logarithm, "mrr": lambda r: 1 / r, "precision": ops.ones_like}[metric](rank)
    return found if topn is None else ops.where(rank <= topn, found, ops.zeros_like(found))


def by_logarithm(rank: Any) -> Any:
    """`1 / log2(1 + rank)`, the discount of ndcg."""
    return LOG2 / ops.log(1 + rank)
