"""Ranking by levels: is an item more relevant than 0, than 1, ...?"""

from keras import ops

from keras_losses import math
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import logit, relevance
from keras_losses.ranking.lists import positions


class OrdinalRanking(Loss):
    """Binary cross-entropy of the questions whether an item's relevance is above 0, above 1, ...: one logit for each.

    Formula: `sum_k log(1 + exp(-z_k))` over the questions k = 0 ... K - 1 with `y > k`, `log(1 + exp(z_k))` over the others. A
    relevance above K - 1 says yes to all. The sum of the K probabilities is a score to rank by.

    Shapes:
        `y_true`: `(B, ...)` relevances >= 0, negative: padding, `(B, N)` for lists; `y_pred`: `(B, ..., K)` logits. Weights and
        masks may be as fine as `(B, ...)`.

    Returns:
        One value an item, `(B, ...)`, reduced. Padding does not count; every other item does. A relevance that is NaN gives
        NaN with gradient zero.

    Raises:
        ValueError: the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> z = np.array([[[2.0, -2.0], [0.0, 0.0]]])
    >>> round(float(kl.OrdinalRanking()(np.array([[1, -1]]), z)), 4)  # 2 log(1 + exp(-2))
    0.2539

    Reference: Z. Niu et al., Ordinal regression with multiple output CNN for age estimation, 2016; P. Pobrotyn et al.,
    Context-aware learning to rank with self-attention, 2020, arXiv:2005.10084.
    """

    y_true = relevance("B *S")
    y_pred = logit("B *S K")

    def call(self, y_true, y_pred):
        padding, wrong = y_true < 0, ops.isnan(y_true)
        out = ops.expand_dims(ops.logical_or(padding, wrong), -1)
        yes = ops.expand_dims(y_true, -1) > positions(y_pred) - 1
        z = ops.where(out, ops.zeros_like(y_pred), y_pred)
        value = ops.sum(math.softplus(ops.where(yes, -z, z)), axis=-1)
        return ops.where(wrong, ops.full_like(value, float("nan")), value), ops.logical_not(padding)


ordinal_ranking = function_of(OrdinalRanking)
