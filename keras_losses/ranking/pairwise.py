"""Losses over the pairs of a list: the mean over its pairs, one value a list."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.ranking.lists import ListLoss, above, count, gaps, weighted


class Pairwise(ListLoss):
    """Base of losses over the pairs whose first item is the more relevant: a subclass writes `cost(gap)`."""

    def cost(self, gap: Any) -> Any:
        """What each pair costs whose second item has a score higher by `gap`."""
        raise NotImplementedError(f"{type(self).__name__} must define `cost(self, gap)`.")

    def grade(self, y_true: Any) -> Any:
        """What the items of a pair differ in."""
        return y_true

    def counts(self, y_true, item):
        return super().counts(self.grade(y_true), item)

    def per_list(self, y_true, y_pred, item, weight):
        pairs = above(self.grade(y_true), item)
        return math.masked_mean(weighted(self.cost(gaps(y_pred)), weight, -1), pairs, axis=(1, 2))


class PairwiseHinge(Pairwise):
    """Hinge loss of ordered pairs, as of a ranking support vector machine: the better item wins by a margin.

    Formula: the mean over a list's pairs `y_i > y_j` of `max(0, margin - (s_i - s_j))` for relevances y and scores s.

    Args:
        margin: by how much the better item must win, >= 0.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list without a pair does not count.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.PairwiseHinge()(np.array([[1, 0, -1]]), np.array([[0.25, 0.5, 9.0]])))
    1.25

    Reference: T. Joachims, Optimizing search engines using clickthrough data, 2002.
    """

    margin: NonNegative = 1.0

    def cost(self, gap):
        return math.positive_part(self.margin + gap)


class PairwiseLogistic(Pairwise):
    """Logistic loss of ordered pairs, RankNet: the cross-entropy of which of two items is the better.

    Formula: the mean over a list's pairs `y_i > y_j` of `log(1 + exp(-(s_i - s_j) / temperature))`.

    Args:
        temperature: divides the scores, > 0.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list without a pair does not count.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.PairwiseLogistic()(np.array([[2, 0, 1]]), np.zeros((1, 3)))), 4)  # log 2
    0.6931

    Reference: C. Burges et al., Learning to rank using gradient descent, 2005.
    """

    temperature: Positive = 1.0

    def cost(self, gap):
        return math.softplus(gap / self.temperature)


class PairwiseSoftZeroOne(Pairwise):
    """The share of pairs in the wrong order, through a sigmoid: bounded, so that no pair decides alone.

    Formula: the mean over a list's pairs `y_i > y_j` of `sigmoid(-(s_i - s_j) / temperature)`. Pairs that are far in the wrong
    order have hardly a slope.

    Args:
        temperature: divides the scores, > 0.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list without a pair does not count.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.PairwiseSoftZeroOne()(np.array([[1, 0, 0]]), np.array([[0.0, 100.0, -100.0]])))
    0.5

    Reference: a smooth form of Kendall's tau, M. Kendall, A new measure of rank correlation, 1938.
    """

    temperature: Positive = 1.0

    def cost(self, gap):
        return ops.sigmoid(gap / self.temperature)


class BayesianPersonalized(PairwiseLogistic):
    """Bayesian personalized ranking, BPR: each relevant item against each that is not; grades do not matter.

    Formula: the mean over a list's pairs `y_i > 0, y_j = 0` of `log(1 + exp(-(s_i - s_j) / temperature))`. The paper's penalty
    on weights is left to the optimizer.

    Args:
        temperature: divides the scores, > 0.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list without a relevant item, or without another, does not count.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.BayesianPersonalized()(np.array([[1, 0]]), np.array([[2.0, 1.0]]))), 4)
    0.3133

    Reference: S. Rendle et al., BPR: Bayesian personalized ranking from implicit feedback, 2009, arXiv:1205.2618.
    """

    def grade(self, y_true):
        return ops.cast(y_true > 0, y_true.dtype)


class PairwiseMeanSquared(ListLoss):
    """Squared error of the differences in score of all pairs: scores are relevances up to a number for the list.

    Formula: the mean over all pairs of a list's items of `((y_i - y_j) - (s_i - s_j))^2`. Equal relevances are a target too, 0.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list of fewer than two items does not count.

    Raises:
        ValueError: the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.PairwiseMeanSquared()(np.array([[2, 1, 0]]), np.array([[7.0, 6.0, 5.0]])))
    0.0

    Reference: D. Eigen, C. Puhrsch, R. Fergus, Depth map prediction from a single image using a multi-scale deep network, 2014,
    arXiv:1406.2283.
    """

    def counts(self, y_true, item):
        return count(item, y_true) >= 2

    def per_list(self, y_true, y_pred, item, weight):
        both = ops.logical_and(ops.expand_dims(item, -1), ops.expand_dims(item, -2))
        # A small relevance does not survive y - s of a large score. Each pair twice, so with the mean of the two weights.
        cost = weighted(ops.square(gaps(y_true) - gaps(y_pred)), weight, -1)
        total = ops.sum(ops.where(both, cost, ops.zeros_like(cost)), axis=(1, 2))
        # Each pair twice, and an item with itself, which costs nothing.
        size = count(item, y_pred)
        return math.safe_divide(total, size * (size - 1))


pairwise_hinge = function_of(PairwiseHinge)
pairwise_logistic = function_of(PairwiseLogistic)
pairwise_soft_zero_one = function_of(PairwiseSoftZeroOne)
bayesian_personalized = function_of(BayesianPersonalized)
pairwise_mean_squared = function_of(PairwiseMeanSquared)
