"""Losses of a list by a softmax of its scores: over the list, or of each item against those below it."""

from typing import Literal

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.ranking.lists import LOG2, ListLoss, above, gaps, weighted


class ListNet(ListLoss):
    """Softmax cross-entropy of a list: the probabilities of coming first, by relevance and by score.

    Formula: `-sum_i P_i log(softmax(s / temperature)_i)` for scores s, with `P = softmax(y)` of the relevances as they are, or
    `P = y / sum y`.

    Args:
        target: P: `"softmax"`, the paper, in which items that are not relevant have a part too, or `"proportional"`.
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
    >>> y, s = np.array([[1, 0, 0, -1]]), np.array([[0.0, 0.0, 0.0, 9.0]])
    >>> round(float(kl.ListNet(target="proportional")(y, s)), 4)  # log 3
    1.0986

    Reference: Z. Cao et al., Learning to rank: from pairwise approach to listwise approach, 2007.
    """

    target: Literal["softmax", "proportional"] = "softmax"
    temperature: Positive = 1.0

    def per_list(self, y_true, y_pred, item, weight):
        if self.target == "softmax":
            wanted = math.masked_softmax(y_true, item)
        else:
            wanted = math.safe_divide(y_true, ops.sum(y_true, axis=-1, keepdims=True))
        # Scores matter up to a number for the list: from the highest on, a sum of exponentials is not rounded as it is.
        highest = math.constant_max(ops.where(item, y_pred, ops.full_like(y_pred, math.lowest(y_pred))))
        z = ops.where(item, y_pred - highest, ops.zeros_like(y_pred)) / self.temperature
        return ops.sum(weighted(wanted, weight) * (math.masked_logsumexp(z, item, keepdims=True) - z), axis=-1)


class UniqueSoftmax(ListLoss):
    """Softmax cross-entropy of each item against those of lower relevance alone, weighed by its gain.

    Formula: `sum_i (2^y_i - 1) log(1 + sum_{y_j < y_i} exp((s_j - s_i) / temperature))` over a list's items: equally relevant
    items do not compete. Relevances are grades: 2^128 is no number of float32.

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
    >>> round(float(kl.UniqueSoftmax()(np.array([[2, 1, 0]]), np.zeros((1, 3)))), 4)  # 3 log 3 + log 2
    3.989

    Reference: X. Zhu, D. Klabjan, Listwise learning to rank by exploring unique ratings, 2020, arXiv:2001.01828.
    """

    temperature: Positive = 1.0

    def per_list(self, y_true, y_pred, item, weight):
        lower = math.masked_logsumexp(gaps(y_pred) / self.temperature, above(y_true, item))
        return ops.sum(weighted(ops.expm1(LOG2 * y_true), weight) * math.softplus(lower), axis=-1)


list_net = function_of(ListNet)
unique_softmax = function_of(UniqueSoftmax)
