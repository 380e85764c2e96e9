"""Angular loss: the angle at a negative, seen from a positive pair, is bounded."""

from math import radians, tan
from typing import Annotated

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.fields import Range
from keras_losses.core.function import function_of
from keras_losses.metric_learning.pairs import PairLoss, both


class Angular(PairLoss):
    """Angular loss: in the triangle of a positive pair and a negative, the angle at the negative is to be at most alpha.

    Formula: per anchor a the mean over its positives p of `log(1 + sum_n exp(f))` over its negatives n, with
    `f = 4 tan^2(alpha) (a + p).n - 2 (1 + tan^2(alpha)) a.p`, all three of length 1.

    Args:
        alpha: the angle in degrees, above 0 and below 90; the paper tries 36 to 55.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings of any length. When called directly,
        `ref_labels` `(M,)` and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives or without negatives does not count. A masked
        embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    >>> round(float(kl.Angular(alpha=45.0)(np.array([0, 0, 1]), x)), 4)
    0.0181

    Reference: J. Wang et al., Deep metric learning with angular loss, 2017, arXiv:1708.01682.
    """

    alpha: Annotated[float, Range(gt=0, lt=90)] = 40.0

    def compare(self, x, x_ids, y, y_ids, anchors=None, partners=None, one_set=False):
        d = self.distances(x, y)
        return self.rows(d, *self.relations(x_ids, y_ids, anchors, partners, one_set), d if y is x else self.distances(y, y))

    def rows(self, d, same, different, among=None):
        """As in the base, with the distances `among` the partners, `(M, M)`; None: `d` has them."""
        slope = tan(radians(self.alpha)) ** 2
        push = _soft_sum(-4 * slope * d, -4 * slope * (d if among is None else among), different, 8 * slope)
        return math.masked_mean(math.softplus(push + 2 * (1 + slope) * d), same), both(same, different)


def _soft_sum(u, v, mask, spread):
    """`(N, P)`: the logarithm of the sum over k of `exp(u_ik + v_pk)`, of what `mask` lets through.

    Args:
        u, v: `(N, K)` and `(P, K)`, of which no two entries are farther apart than `spread`.
        mask: `(N, K)`.
        spread: a number.
    """
    if spread > (600 if keras.backend.standardize_dtype(u.dtype) == "float64" else 75):
        each = ops.expand_dims(u, 1) + ops.expand_dims(v, 0)
        return math.masked_logsumexp(each, ops.logical_and(ops.expand_dims(mask, 1), ops.ones_like(each, dtype="bool")))
    # A product of matrices, as long as the exponentials do not underflow: no more memory than the distances take.
    u = ops.where(mask, u, ops.full_like(u, math.lowest(u)))
    top_u, top_v = math.constant_max(u), math.constant_max(v)
    product = ops.exp(u - top_u) * ops.cast(mask, u.dtype) @ ops.transpose(ops.exp(v - top_v))
    return math.safe_log(product) + top_u + ops.transpose(top_v)


angular = function_of(Angular)
