"""Losses of a list by the likelihood of its order, one item drawn after the other (Plackett and Luce)."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.ranking.lists import LOG2, ListLoss, above, count, gaps, level


class ListMLE(ListLoss):
    """Minus the log-likelihood of the order by relevance, if items are drawn one after the other by a softmax of the scores.

    Formula: `sum_r log(sum_{k >= r} exp(s_k / temperature)) - s_r / temperature` over the places r of the order. The g items of
    one relevance have no order: they share their steps (Efron's rule). At the k-th of those, from 0, each of them is in the sum
    with the part `(g - k) / g`, and the mean of their scores is subtracted. So the order of the input does not matter.

    Args:
        temperature: divides the scores, > 0.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list whose items are all equally relevant does not count.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.ListMLE()(np.array([[2, 1, 0]]), np.zeros((1, 3)))), 4)  # log 3!
    1.7918

    Reference: F. Xia et al., Listwise approach to learning to rank: theory and algorithm, 2008; ties: B. Efron, The efficiency
    of Cox's likelihood function for censored data, 1977.
    """

    temperature: Positive = 1.0

    def per_list(self, y_true, y_pred, item, weight):
        same = level(y_true, item)
        higher = ops.logical_and(ops.expand_dims(y_true, -1) < ops.expand_dims(y_true, -2), ops.expand_dims(item, -2))
        tied = math.maximum(count(same, y_pred), 1.0)
        # Which step of its level an item is given does not matter: only that each step is given once.
        step = ops.sum(ops.tril(ops.cast(same, y_pred.dtype), k=-1), axis=-1)
        gap = gaps(y_pred) / self.temperature
        left = ops.where(same, ops.expand_dims(ops.log((tied - step) / tied), -1), ops.zeros_like(gap))
        lse = math.masked_logsumexp(gap + left, ops.logical_or(same, above(y_true, item)))
        cost = lse - ops.sum(ops.where(same, gap, ops.zeros_like(gap)), axis=-1) / tied
        cost = cost * self.importance(count(higher, y_pred) + step + 1, count(item, y_pred))
        if weight is not None:
            cost = cost * ops.sum(ops.where(same, ops.expand_dims(weight, -2), ops.zeros_like(gap)), axis=-1) / tied
        return ops.sum(ops.where(item, cost, ops.zeros_like(cost)), axis=-1)

    def importance(self, place: Any, size: Any) -> Any:
        """What a step counts, by its place from 1, in a list of so many items."""
        return 1.0


class PositionalListMLE(ListMLE):
    """ListMLE whose first places count more: twice as much as the next.

    Formula: the sum of the steps of `ListMLE`, weighed by `alpha(r) / sum alpha` with `alpha(r) = 2^(n - r) - 1` for place r of
    n. (The paper does not divide by the sum, `2^n - 1 - n`, which no float holds for a long list.)

    Args:
        temperature: divides the scores, > 0.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list whose items are all equally relevant does not count.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.PositionalListMLE()(np.array([[2, 1, 0]]), np.zeros((1, 3)))), 4)  # (3 log 3 + log 2) / 4
    0.9972

    Reference: Y. Lan et al., Position-aware ListMLE: a sequential learning process for ranking, 2014.
    """

    def importance(self, place, size):
        size = ops.expand_dims(size, -1)
        last = _half_to(size)
        return math.safe_divide(_half_to(place) - last, 1 - (size + 1) * last)


def _half_to(x):
    return ops.exp(-LOG2 * x)


list_mle = function_of(ListMLE)
positional_list_mle = function_of(PositionalListMLE)
