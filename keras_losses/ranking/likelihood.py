"""Losses of a list by the likelihood of its order, one item drawn after the other (Plackett and Luce)."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.ranking.lists import LOG2, ListLoss, count


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
        # From the most relevant item down, what is none last. Which step of its level an item is given does not matter: only
        # that each step is given once.
        key = ops.where(item, y_true, -ops.ones_like(y_true))
        order = ops.argsort(-key, axis=-1)
        key, z = ops.take_along_axis(key, order, axis=-1), ops.take_along_axis(y_pred, order, axis=-1) / self.temperature
        listed, place = key >= 0, math.sum_of_run(ops.ones_like(key), ops.zeros_like(key), backward=True)
        step, left = (math.sum_of_run(ops.ones_like(key), key, backward) for backward in (True, False))
        step, tied = step - 1, step + left - 1
        first, following = place - 1 - step, place - 1 + left  # of the level, and of the next

        # At step k of g all of the level and k / g less: sums to the end from its first, and from the next level's first.
        total, low = math.logsumexp_to_end(z, listed), math.lowest(z)
        apart = z - math.entry_at(z, first)
        all_of_level = math.entry_at(total, first) - apart
        below = math.entry_at(total, following, low) + (math.entry_at(z, following, 0.0) - z)
        cost = math.logaddexp(
            ops.log((tied - step) / tied) + all_of_level,
            ops.where(step > 0, ops.log(math.maximum(step, 1.0) / tied) + below, ops.full_like(z, low)),
        )
        importance = self.importance(place, count(item, y_pred))
        if importance is not None:  # where the steps differ, a step has the mean score of its level, not that of its item
            cost = importance * (cost + apart - math.entry_at(math.sum_of_run(apart, key), first) / tied)
        if weight is not None:
            weight = math.sum_of_run(ops.take_along_axis(weight, order, axis=-1), key)
            cost = cost * math.entry_at(weight, first) / tied
        return ops.sum(ops.where(listed, cost, ops.zeros_like(cost)), axis=-1)

    def importance(self, place: Any, size: Any) -> Any:
        """What a step counts, by its place from 1, in a list of so many items; None: all the same, 1."""
        return None


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
