"""Norms and pairwise distances with finite gradients at zero vectors and at equal points."""

from typing import Any, Literal

from keras import ops

from keras_losses.math.elementary import positive_part, safe_sqrt
from keras_losses.math.reductions import constant_max
from keras_losses.math.stated import unfused, with_gradient

Distance = Literal["cosine", "dot", "euclidean", "squared_euclidean"]


def safe_norm(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """The Euclidean norm, right up to the largest number, with gradient 0 at the zero vector."""
    x, scale = _scaled(x, axis)
    norm = safe_sqrt(ops.sum(ops.square(x), axis=axis, keepdims=True)) * scale
    return norm if keepdims else ops.squeeze(norm, axis=axis)


def normalize(x: Any, axis: int = -1) -> Any:
    """`x` with Euclidean norm 1; the zero vector stays zero, with gradient 0."""
    # A direction does not depend on the scale, so the scale can be a constant in the gradient.
    x, _ = _scaled(x, axis)
    return x * _inverse_root(ops.sum(ops.square(x), axis=axis, keepdims=True))


def cosine(x: Any, y: Any) -> Any:
    """The cosine of the angle between vectors on the last axis; 0 with gradient 0 where one of them is zero."""
    (x, _), (y, _) = _scaled(x, -1), _scaled(y, -1)
    return ops.sum(x * y, axis=-1) * _inverse_root(ops.sum(ops.square(x), -1)) * _inverse_root(ops.sum(ops.square(y), -1))


def pairwise_distance(x: Any, y: Any, distance: Distance = "cosine") -> Any:
    """All distances between the rows of `x` `(N, D)` and `y` `(M, D)`: `(N, M)`.

    Args:
        x: vectors.
        y: vectors.
        distance: `"cosine"`: 1 - cosine of the angle; `"dot"`: minus the inner product; `"euclidean"`;
            `"squared_euclidean"`. Rounding never makes a distance negative; equal points have gradient 0.
    """
    if distance == "dot":
        return -_products(x, y)
    if distance == "cosine":
        one = normalize(x)
        return 1 - _products(one, one if y is x else normalize(y))
    squared = (
        ops.sum(ops.square(x), axis=-1, keepdims=True)
        + ops.expand_dims(ops.sum(ops.square(y), axis=-1), 0)
        - 2 * _products(x, y)
    )
    return positive_part(squared) if distance == "squared_euclidean" else safe_sqrt(squared)


def _products(x, y):
    """All inner products of the rows of `x` and `y`."""
    if y is x and unfused() and x.shape[-1] >= 512:
        # The slope of a symmetric matrix takes one product of matrices instead of two, and the sum of one with its transpose:
        # a fifth of the time of wide vectors, more than is saved of narrow ones.
        return with_gradient(lambda x: x @ ops.transpose(x), lambda upstream, x: (upstream + ops.transpose(upstream)) @ x)(x)
    return x @ ops.transpose(y)


def _inverse_root(x):
    """`x ** -0.5`, and 0 with gradient 0 at 0."""
    nothing = ops.cast(x <= 0, x.dtype)
    return ops.rsqrt(x + nothing) * (1 - nothing)


def _scaled(x, axis):
    """`x` divided by its largest magnitude, so that squares neither overflow nor vanish, and that magnitude (1 for zeros)."""
    peak = constant_max(ops.abs(x), axis)
    usable = ops.logical_and(peak > 0, ops.isfinite(peak))
    peak = ops.where(usable, peak, ops.ones_like(peak))
    small = x / peak
    if unfused():
        return small, peak
    # The choice, which changes nothing but NaN, keeps XLA from rewriting (x / s)^2 as x^2 / s^2, where the squares are lost.
    return ops.where(ops.abs(small) <= 1, small, x), peak
