"""Functions of the singular values and of the determinant of a matrix, with finite derivatives where they are defined."""

from typing import Any

from keras import ops

from keras_losses.math.elementary import rounding
from keras_losses.math.stated import with_gradient


def log_det(x: Any) -> Any:
    """The logarithm of the determinant of a symmetric matrix whose eigenvalues are all above 0: `(..., N, N)` to `(...)`."""
    return 2 * ops.sum(ops.log(ops.diagonal(ops.cholesky(x), axis1=-2, axis2=-1)), axis=-1)


def nuclear_norm(x: Any) -> Any:
    """The sum of the singular values of matrices: `(..., N, M)` to `(...)`.

    The gradient is `U V'` over the singular values above 0: the shortest of all subgradients, and the same on every backend.
    That of an SVD is NaN at equal singular values, and at zero ones depends on which vectors it happened to choose.
    """
    return with_gradient(_singular_sum, lambda upstream, x: ops.expand_dims(upstream, (-2, -1)) * polar(x))(x)


def polar(x: Any) -> Any:
    """`U V'` of the singular value decomposition `U S V'`, over the singular values above 0; its slope is finite."""
    return with_gradient(_polar, lambda upstream, x: _polar_slope(x, upstream))(x)


def _singular_sum(x):
    if 0 in tuple(x.shape):
        return ops.sum(x, axis=(-2, -1))
    return ops.sum(ops.svd(x, full_matrices=False, compute_uv=False), axis=-1)


def _svd(x):
    """U, S and V' with the singular values that are 0 but for rounding set to 0, and where they are not."""
    u, s, vt = ops.svd(x, full_matrices=False)
    sizes = ops.cast(ops.shape(x)[-2] + ops.shape(x)[-1], s.dtype)
    above = s > rounding(s) * sizes * ops.amax(s, axis=-1, keepdims=True)
    return u, ops.where(above, s, ops.zeros_like(s)), vt, above


def _polar(x):
    if 0 in tuple(x.shape):
        return ops.zeros_like(x)
    u, s, vt, above = _svd(x)
    return (u * ops.expand_dims(ops.cast(above, s.dtype), -2)) @ vt


def _polar_slope(x, w):
    """The derivative of the polar factor in the direction `w`, which is also its transpose: the factor is a gradient.

    With W = U'wV it is `U A V'`, `A_ij = (W_ij - W_ji) / (s_i + s_j)` among singular values above 0 and `W_ij / s_i` between
    one above 0 and one at 0, inside and outside the decomposition. Between two at 0 it is infinite; there it is left out.
    """
    if 0 in tuple(x.shape):
        return ops.zeros_like(x)
    u, s, vt, above = _svd(x)
    ut, v = _transpose(u), _transpose(vt)
    inner = ut @ w @ v
    row, column = ops.expand_dims(s, -1), ops.expand_dims(s, -2)
    inverse = _inverse(row + column)
    both = ops.logical_and(ops.expand_dims(above, -1), ops.expand_dims(above, -2))
    a = inverse * (inner - ops.where(both, _transpose(inner), ops.zeros_like(inner)))
    beside_v = (ut @ w - inner @ vt) * _inverse(row)
    beside_u = (w @ v - u @ inner) * _inverse(column)
    return u @ (a @ vt + beside_v) + beside_u @ vt


def _inverse(x):
    positive = x > 0
    return ops.where(positive, 1 / ops.where(positive, x, ops.ones_like(x)), ops.zeros_like(x))


def _transpose(x):
    return ops.swapaxes(x, -1, -2)
