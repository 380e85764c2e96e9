"""Losses that are one minus a metric of the order, at smooth ranks."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive, shorten
from keras_losses.core.function import function_of
from keras_losses.ranking.lists import ListLoss, gaps
from keras_losses.ranking.metrics import Metric, discounts, gains


def one_minus(metric: Metric, y_true: Any, y_pred: Any, item: Any, weight: Any, temperature: float) -> Any:
    """One minus the metric at the ranks `1 + sum_{j != i} sigmoid((s_j - s_i) / temperature)`, over the last axis.

    The scores may have axes that relevances and items have as 1.
    """
    ahead = ops.sigmoid(gaps(y_pred) / temperature)
    # An item is ahead of itself by 1/2.
    rank = 0.5 + ops.sum(ops.where(ops.expand_dims(item, -2), ahead, ops.zeros_like(ahead)), axis=-1)
    rank = ops.where(item, rank, ops.ones_like(rank))
    gain = gains(metric, y_true, item, weight=weight)
    # Where no weight is above 0 there is nothing to gain.
    best = 1.0 if weight is None else ops.cast(ops.any(gain > 0, axis=-1), gain.dtype)
    return best - ops.sum(gain * discounts(metric, rank), axis=-1)


class ApproxNDCG(ListLoss):
    """One minus the normalised discounted cumulative gain, at smooth ranks.

    Formula: `1 - sum_i g_i / log2(1 + rank_i)` for scores s, `rank_i = 1 + sum_{j != i} sigmoid((s_j - s_i) / temperature)` and
    the gains `g_i = 2^y_i - 1`, divided by the sum in the best order.

    Args:
        temperature: divides the scores, > 0. The smaller, the nearer to the metric, and the flatter.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list whose items are all equally relevant does not count.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.ApproxNDCG()(np.array([[1, 0]]), np.array([[-9.0, 9.0]]))), 4)  # 1 - 1 / log2(3)
    0.3691

    Reference: T. Qin, T. Liu, H. Li, A general approximation framework for direct optimization of information retrieval
    measures, 2010; S. Bruch et al., Revisiting approximate metric optimization in the age of deep neural networks, 2019.
    """

    temperature: Positive = 0.1

    def per_list(self, y_true, y_pred, item, weight):
        return one_minus("ndcg", y_true, y_pred, item, weight, self.temperature)


class ApproxMRR(ListLoss):
    """One minus the mean reciprocal rank of what is relevant, at smooth ranks.

    Formula: `1 - (sum_i y_i / rank_i) / sum_i y_i` with `rank_i = 1 + sum_{j != i} sigmoid((s_j - s_i) / temperature)`. With
    one relevant item it is one minus its reciprocal rank.

    Args:
        temperature: divides the scores, > 0. The smaller, the nearer to the metric, and the flatter.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.

    Returns:
        One value a list, `(B,)`, reduced. A list whose items are all equally relevant does not count.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.ApproxMRR()(np.array([[1, 0]]), np.array([[-9.0, 9.0]]))), 4)
    0.5

    Reference: T. Qin, T. Liu, H. Li, A general approximation framework for direct optimization of information retrieval
    measures, 2010.
    """

    temperature: Positive = 0.1

    def per_list(self, y_true, y_pred, item, weight):
        return one_minus("mrr", y_true, y_pred, item, weight, self.temperature)


class GumbelApproxNDCG(ListLoss):
    """`ApproxNDCG` of scores with noise, the mean over samples of the noise: orders near the present one are tried too.

    Formula: the mean over samples of `ApproxNDCG(s + noise)`. Noise of the Gumbel distribution makes the order one of Plackett
    and Luce with the scores. Nothing is drawn here: `layers.AddGumbelNDCG` draws noise in each training step, from a seed.

    Args:
        noise: what is added to the scores, for each list, sample and item: a tuple of tuples of tuples, or an array
            `(B, samples, N)`. Where B is 1, all lists have the same noise. None: it comes with the call.
        temperature: divides the scores, > 0, those with noise.

    Shapes:
        `y_true`: `(B, N)` relevances >= 0, negative: padding; `y_pred`: `(B, N)` scores. Weights and a mask may be as
        fine as `(B, N)`.
        When called directly, `noise` `(B, samples, N)` or `(1, samples, N)` takes the place of the argument. Memory grows with
        `B samples N^2`.

    Returns:
        One value a list, `(B,)`, reduced. A list whose items are all equally relevant does not count.

    Raises:
        ValueError: an argument is out of range, the shapes do not meet, or there is no noise.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, s = np.array([[1, 0]]), np.zeros((1, 2))
    >>> round(float(kl.GumbelApproxNDCG()(y, s, noise=np.array([[[9.0, -9.0], [-9.0, 9.0]]]))), 4)  # 1/2 (1 - 1 / log2(3))
    0.1845

    Reference: S. Bruch et al., A stochastic treatment of learning to rank scoring functions, 2020.
    """

    noise: tuple[tuple[tuple[float, ...], ...], ...] | None = None
    temperature: Positive = 0.1

    @classmethod
    def example_arguments(cls, classes):
        # For lists of as many items.
        return {"noise": (tuple(tuple((3 * i + 5 * k) % 7 / 4 - 0.75 for i in range(classes)) for k in range(1, 3)),)}

    def validate(self):
        samples = {len(samples) for samples in self.noise or ()}
        items = {len(sample) for samples in self.noise or () for sample in samples}
        if self.noise is not None and (len(samples) != 1 or len(items) != 1 or 0 in items):
            raise ValueError(
                f"{type(self).__name__}: `noise` must be (B, samples, N) numbers. Received: noise={shorten(self.noise)}"
            )

    def call(self, y_true, y_pred, noise=None, mask=None, item_weight=None):
        if noise is None:
            if self.noise is None:
                raise ValueError(
                    f"{self.name}: there is no noise. Give it to the call, `noise=` of shape (B, samples, N), or let "
                    "`keras_losses.layers.AddGumbelNDCG` draw it."
                )
            noise = self._constant(y_pred.dtype)
        self._check(tuple(noise.shape), tuple(y_pred.shape))
        return self.evaluate(y_true, y_pred, mask, item_weight, noise=ops.cast(noise, y_pred.dtype))

    def _constant(self, dtype):
        """The argument as a tensor. PyTorch's compiler converts flat lists only."""
        lists: Any = self.noise
        flat = [x for samples in lists for sample in samples for x in sample]
        return ops.reshape(ops.convert_to_tensor(flat, dtype=dtype), (len(lists), len(lists[0]), len(lists[0][0])))

    def _check(self, given, shape):
        """Raise where noise does not meet the scores; unknown sizes fit anything."""
        if len(given) != 3 or given[1] == 0 or not (given[0] == 1 or _fit(given[0], shape[0])) or not _fit(given[2], shape[1]):
            raise ValueError(f"{self.name}: noise with shape {given} does not meet y_pred with shape {shape}: (B, samples, N).")

    def per_list(self, y_true, y_pred, item, weight, noise):
        y_true, y_pred, item = (ops.expand_dims(x, 1) for x in (y_true, y_pred, item))
        weight = None if weight is None else ops.expand_dims(weight, 1)
        scores = ops.where(item, y_pred + noise, ops.zeros_like(y_pred))
        return math.mean(one_minus("ndcg", y_true, scores, item, weight, self.temperature), axis=1)


def _fit(a, b):
    return a is None or b is None or a == b


approx_ndcg = function_of(ApproxNDCG)
approx_mrr = function_of(ApproxMRR)
gumbel_approx_ndcg = function_of(GumbelApproxNDCG)
