"""NeuralSort: the order as a permutation matrix that has a gradient."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.ranking.lists import ListLoss, count, gaps, places, positions, weighted


class NeuralSort(ListLoss):
    """Cross-entropy of the permutation that sorts by relevance and the relaxed one that sorts by score.

    Formula: `-1/n sum_r sum_k P_rk log(softmax(((n + 1 - 2 r) s - A) / temperature)_k)` for the n items of a list, with
    `A_k = sum_j |s_k - s_j|` and place r from 1. `P_rk` is 1 where item k is r-th by relevance; the g items of one relevance
    take up their g places alike, 1 / g each.

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
    >>> round(float(kl.NeuralSort()(np.array([[1, 0]]), np.array([[0.5, -1.0]]))), 4)  # log(1 + exp(-1.5))
    0.2014

    Reference: A. Grover et al., Stochastic optimization of sorting networks via continuous relaxations, 2019, arXiv:1903.08850.
    """

    temperature: Positive = 1.0

    def per_list(self, y_true, y_pred, item, weight):
        place, _ = places(y_true, item)
        size = ops.expand_dims(count(item, y_pred), -1)
        # Items k by places r. A number added to all scores changes no softmax, only what rounding leaves of it.
        y_pred = y_pred - ops.stop_gradient(ops.expand_dims(math.masked_mean(y_pred, item), -1))
        away = math.absolute(gaps(y_pred))
        away = ops.sum(ops.where(ops.expand_dims(item, -2), away, ops.zeros_like(away)), axis=-1)
        slope = ops.expand_dims(size + 1 - 2 * positions(y_pred), 1)
        z = (slope * ops.expand_dims(y_pred, -1) - ops.expand_dims(away, -1)) / self.temperature
        total = math.masked_logsumexp(z, ops.expand_dims(item, -1), axis=1, keepdims=True)
        cost = weighted(ops.where(place > 0, place * (total - z), ops.zeros_like(z)), weight, -1)
        return math.safe_divide(ops.sum(cost, axis=(1, 2)), ops.squeeze(size, -1))


neural_sort = function_of(NeuralSort)
