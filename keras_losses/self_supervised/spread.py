"""Losses that spread samples over the sphere: AlignmentUniformity, KoLeo."""

import itertools
from typing import Annotated

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive, Range
from keras_losses.core.function import function_of
from keras_losses.core.spec import real
from keras_losses.self_supervised.views import Views


def _squared_distances(x):
    """All squared distances of the rows of `x`; rounding may take one that is 0 a little below."""
    squares = ops.sum(ops.square(x), axis=-1)
    return ops.expand_dims(squares, 1) + ops.expand_dims(squares, 0) - 2 * (x @ ops.transpose(x))


class AlignmentUniformity(Views):
    """How far views of a sample are apart, plus how unevenly the samples lie on the sphere.

    Formula: for two views x and y of unit length `|x_i - y_i|^alpha + lambda_param (U(x) + U(y)) / 2` with
    `U(x) = log mean_{j < k} exp(-t |x_j - x_k|^2)`, the same in the value of every sample. With more views: the mean over
    the pairs of views.

    Args:
        alpha: exponent >= 1 of the alignment.
        t: > 0, how local the uniformity is.
        lambda_param: weight >= 0 of the uniformity.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, V, D)` embeddings, V >= 2, normalised here.

    Returns:
        One value a sample, `(B,)`, reduced. A single sample does not count. A masked sample, or one of weight 0, is in no
        pair.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> views = np.stack([np.eye(2), np.eye(2)], axis=1)  # aligned; the samples are at the squared distance 2
    >>> round(float(kl.AlignmentUniformity(t=3.0)(np.zeros(2), views)), 4)
    -6.0

    Reference: T. Wang and P. Isola, Understanding contrastive representation learning through alignment and uniformity on the
    hypersphere, 2020, arXiv:2005.10242.
    """

    alpha: Annotated[float, Range(ge=1)] = 2.0
    t: Positive = 2.0
    lambda_param: NonNegative = 1.0

    least_samples = 2
    least_views = 2

    def values(self, y_pred, counts):
        z = [math.normalize(y_pred[:, v]) for v in range(y_pred.shape[1])]
        near = [self._power(ops.sum(ops.square(x - y), axis=-1)) for w, y in enumerate(z) for x in z[:w]]
        # Each view is in as many pairs as the others.
        spread = sum(self._uniformity(x, counts) for x in z) / len(z)
        return sum(near) / len(near) + self.lambda_param * spread

    def _power(self, squared):
        if self.alpha == 2:
            return squared
        # Views that are equal but for rounding have no direction from one to the other: 1 would be taken from noise.
        apart = squared > (4 * math.rounding(squared)) ** 2
        curve = ops.exp(self.alpha / 2 * ops.log(ops.where(apart, squared, ops.ones_like(squared))))
        return ops.where(apart, curve, ops.zeros_like(curve))

    def _uniformity(self, x, counts):
        exponents = -self.t * _squared_distances(x)
        pair = ops.logical_and(ops.expand_dims(counts, 0), ops.expand_dims(counts, 1))
        pair = ops.logical_and(pair, ops.logical_not(math.diagonal(exponents)))
        pairs = ops.sum(ops.cast(pair, x.dtype))
        total = math.masked_logsumexp(ops.reshape(exponents, (-1,)), ops.reshape(pair, (-1,)))
        some = pairs > 0
        return ops.where(some, total - ops.log(ops.where(some, pairs, ops.ones_like(pairs))), ops.zeros_like(total))


alignment_uniformity = function_of(AlignmentUniformity)


class KoLeo(Views):
    """Minus the logarithm of the distance of each sample to the nearest other one (Kozachenko-Leonenko entropy).

    Formula: `-log(min_{j != i} |x_i - x_j| + epsilon)`, the neighbours in the same view, then the mean over the views. The
    gradient reaches both points; neighbours at the same distance share it, and two equal points have none.

    Args:
        epsilon: >= 0, added to the distance, so that duplicates have a value.
        normalize: embeddings are normalised first.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, D)`, or `(B, V, D)` with the views on axis 1.

    Returns:
        One value a sample, `(B,)`, reduced. A single sample does not count. A masked sample, or one of weight 0, is no
        neighbour of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.KoLeo(normalize=False, reduction="none")
    >>> [round(float(x), 4) for x in loss(np.zeros(3), np.array([[0.0], [1.0], [4.0]]))]  # distances 1, 1 and 3
    [0.0, 0.0, -1.0986]

    Reference: A. Sablayrolles et al., Spreading vectors for similarity search, 2019, arXiv:1806.03198.
    """

    epsilon: NonNegative = 1e-8
    normalize: bool = True

    y_pred = real("B *V D")
    least_samples = 2

    def values(self, y_pred, counts):
        z = math.normalize(y_pred) if self.normalize else y_pred
        for axis in z.shape[1:-1]:
            if axis is None:
                raise ValueError(f"{self.name}: the number of views must be known. Received: y_pred of shape {tuple(z.shape)}")
        views = (
            [z] if len(z.shape) == 2 else [z[(slice(None), *view)] for view in itertools.product(*map(range, z.shape[1:-1]))]
        )
        return sum(self._of_view(x, counts) for x in views) / len(views)

    def _of_view(self, x, counts):
        return -math.safe_log(math.safe_sqrt(self._nearest(x, counts)) + self.epsilon)

    def _nearest(self, x, counts):
        """The squared distance of each row to the nearest other one that counts."""
        # Which one that is, the matrix of products tells; how far it is, only the difference itself tells for points that
        # nearly agree. Centred, the products of points that all nearly agree keep their digits.
        keep = ops.expand_dims(counts, 1)
        x = ops.where(keep, x - ops.stop_gradient(math.masked_mean(x, keep, axis=0)), ops.zeros_like(x))
        fixed = ops.stop_gradient(x)
        squared = _squared_distances(fixed)
        other = ops.logical_and(ops.logical_not(math.diagonal(squared)), ops.expand_dims(counts, 0))
        squared = ops.where(other, squared, ops.full_like(squared, -math.lowest(squared)))
        nearest = ops.take(fixed, ops.argmin(squared, axis=1), axis=0)
        exact = ops.sum(ops.square(fixed - nearest), axis=-1)
        if self.normalize:  # which does not round equal vectors alike on one backend
            exact = ops.where(exact > (4 * math.rounding(x)) ** 2, exact, ops.zeros_like(exact))

        squares = ops.sum(ops.square(x), axis=-1)
        size = ops.stop_gradient(squares)
        noise = 8 * math.rounding(x) * (ops.expand_dims(size, 1) + ops.expand_dims(size, 0))
        least = ops.amin(squared, axis=1, keepdims=True)
        tied = ops.cast(ops.logical_and(other, squared <= least + noise), x.dtype)
        share = math.safe_divide(tied, ops.sum(tied, axis=1, keepdims=True) + ops.zeros_like(tied))
        # The mean of the squared distances to all that tie: its slope, with the exact distance as the value.
        mean = squares - 2 * ops.sum(x * (share @ x), axis=-1) + ops.squeeze(share @ ops.expand_dims(squares, 1), -1)
        return exact + (mean - ops.stop_gradient(mean))


ko_leo = function_of(KoLeo)
