"""LambdaLoss: the pairs of a list, each weighed by what a metric of the order says of it."""

from typing import Annotated, Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive, Range
from keras_losses.core.function import function_of
from keras_losses.ranking.lists import LOG2, ListLoss, above, gaps, level, places, positions, weighted
from keras_losses.ranking.metrics import by_logarithm, discounts, gains


class LambdaLoss(ListLoss):
    """Logistic loss of ordered pairs, each weighed by what the metric would change if the two swapped ranks.

    Formula: `sum over y_i > y_j of w_ij log2(1 + exp(-(s_i - s_j) / temperature))`, the weights constants in the gradient. For
    the metric `sum_i g_i d(rank_i)` and the ranks p, q of the two items, `w = |g_i - g_j| |d(p) - d(q)|`:

    - `"ndcg"`: `g = 2^y - 1`, divided by the sum in the best order, `d(r) = 1 / log2(1 + r)`: LambdaRank;
    - `"mrr"`: `g = y / sum y`, `d(r) = 1 / r`;
    - `"precision"`: `g = [y > 0] / topn`, `d(r) = [r <= topn]`;
    - `"ndcg2++"`: as `"ndcg"`, with `mu m |e(|p - q|) - e(|p - q| + 1)|` added to `|d(p) - d(q)|`, `e(r) = 1 / log2(1 + r)`.
      `m` is 1, and `1 / (1 - e(max(p, q)))` where `max(p, q) > topn`.

    Items of one score have their ranks in every order alike: w is the mean over those, so that equal scores, as of a new
    network, have a gradient. It is a sum over the pairs: the weights are parts of the list's metric.

    Args:
        weights: which weights.
        topn: d is 0 beyond this rank, in the best order too; None: it never is. `"precision"` needs it.
        mu: what the distance of the ranks counts in `"ndcg2++"`, >= 0.
        temperature: divides the scores, > 0.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.
        Memory grows with `B N^2`, time as that of multiplying B matrices `(N, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list whose items are all equally relevant does not count.

    Raises:
        ValueError: an argument is out of range, `topn` is missing, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.LambdaLoss(weights="mrr")
    >>> float(loss(np.array([[1, 0, -1]]), np.array([[0.0, 0.0, 5.0]])))  # swapped, they would change 1 to 1/2
    0.5

    Reference: X. Wang et al., The LambdaLoss framework for ranking metric optimization, 2018; `topn`: R. Jagerman et al., On
    optimizing top-k metrics for neural ranking models, 2022.
    """

    weights: Literal["ndcg2++", "ndcg", "mrr", "precision"] = "ndcg2++"
    topn: Annotated[int, Range(ge=1)] | None = None
    mu: NonNegative = 10.0
    temperature: Positive = 1.0

    def validate(self):
        if self.weights == "precision" and self.topn is None:
            raise ValueError('LambdaLoss: `topn` must be given where weights="precision". Received: topn=None')

    def per_list(self, y_true, y_pred, item, weight):
        pairs = above(y_true, item)
        metric = "ndcg" if self.weights == "ndcg2++" else self.weights
        gain = gains(metric, y_true, item, self.topn)
        # Both of gain and score, i less j, at [b, i, j].
        change = -gaps(gain) * self._swaps(metric, ops.stop_gradient(y_pred), item)
        cost = weighted(change * math.softplus(gaps(y_pred) / self.temperature) / LOG2, weight, -1)
        return ops.sum(ops.where(pairs, cost, ops.zeros_like(cost)), axis=(1, 2))

    def _swaps(self, metric, y_pred, item):
        """What a swap of two items changes, without their gains: the mean over the ranks that each of them may have."""
        place, tied = places(y_pred, item)
        change = place @ self._changes(metric, positions(y_pred)) @ ops.transpose(place, (0, 2, 1))
        # Two items never have one rank. Of the g^2 ranks of two items that tie, g have nothing to swap.
        tied = math.maximum(tied, 2.0)
        return change * ops.where(level(y_pred, item), ops.expand_dims(tied / (tied - 1), -1), ops.ones_like(change))

    def _changes(self, metric, rank: Any) -> Any:
        """What a swap of two ranks changes, `(N, N)`, 0 on the diagonal."""
        change = math.absolute(gaps(discounts(metric, rank, self.topn)))
        if self.weights != "ndcg2++":
            return change
        apart = math.absolute(gaps(rank))
        lower = math.greater(ops.expand_dims(rank, -1), ops.expand_dims(rank, -2))
        near = self.mu * (by_logarithm(math.maximum(apart, 1.0)) - by_logarithm(apart + 1))
        if self.topn is not None:
            beyond = lower > self.topn
            near = ops.where(beyond, near / (1 - by_logarithm(ops.where(beyond, lower, lower + 1))), near)
        return change + ops.where(apart > 0, near, ops.zeros_like(near))


lambda_loss = function_of(LambdaLoss)
