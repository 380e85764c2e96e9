"""Reductions over one axis that are defined where nothing counts, and logarithms of sums that never leave log space."""

import math
from typing import Any

import keras
from keras import ops

from keras_losses.math.elementary import maximum, minimum, safe_divide, tiny
from keras_losses.math.stated import unfused

# Finite stand-in for minus infinity: differences of it stay finite, exp of it is 0.
_LOWEST = {"float64": -1e300}


def lowest(x: Any) -> float:
    """A number that no sum of exponentials notices, without the NaN that differences of infinities give."""
    return _LOWEST.get(keras.backend.standardize_dtype(x.dtype), -1e30)


def mean(x: Any, axis: Any = -1) -> Any:
    """The mean over `axis`, 0 where the axis is empty; float64 stays float64, which `ops.mean` rounds on two backends."""
    count = 1
    for a in axis if isinstance(axis, tuple) else (axis,):
        count = count * (ops.shape(x)[a] if x.shape[a] is None else x.shape[a])
    total = ops.sum(x, axis=axis)
    return total / max(count, 1) if isinstance(count, int) else safe_divide(total, ops.cast(count, x.dtype))


def masked_mean(x: Any, mask: Any, axis: Any = -1) -> Any:
    """The mean of what `mask` lets through; 0 with gradient 0 where that is nothing."""
    weight = ops.cast(mask, x.dtype)
    kept = ops.where(mask, x, ops.zeros_like(x))
    return safe_divide(ops.sum(kept, axis=axis), ops.sum(weight, axis=axis))


def masked_logsumexp(x: Any, mask: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """`log sum exp` of what `mask` lets through; `lowest(x)` with gradient 0 where that is nothing."""
    low = lowest(x)
    if x.shape[axis] == 0:
        return ops.sum(x, axis=axis, keepdims=keepdims) + low
    kept = ops.where(mask, x, ops.full_like(x, low))
    some = ops.any(mask, axis=axis, keepdims=keepdims)
    result = _logsumexp(kept, axis)
    result = result if keepdims else ops.squeeze(result, axis=axis)
    return ops.where(some, result, ops.full_like(result, low))


def logsumexp_of_others(x: Any, labels: Any) -> Any:
    """`log sum exp` over the last axis of all entries but the one that each label names; `lowest(x)` of a single one."""
    if not unfused() or x.shape[-1] == 1:
        return masked_logsumexp(x, ops.logical_not(one_hot(labels, x.shape[-1], "bool")))
    # Beside the lowest number any other is 0: a sum, where a choice would be several passes each way.
    return ops.squeeze(_logsumexp(x + lowest(x) * one_hot(labels, x.shape[-1], x.dtype), -1), axis=-1)


def _logsumexp(x, axis):
    # The slope of ops.logsumexp is exp(x - result) on one backend: off as far as a large result is rounded.
    peak = constant_max(x, axis)
    return ops.log(ops.sum(exp_below(x - peak), axis=axis, keepdims=True)) + peak


def exp_below(x: Any) -> Any:
    """`exp(x)` for x <= 0; where that is next to nothing, a normal number with gradient 0."""
    # A processor takes up to thirty times as long for numbers that are not normal, and for the exponential of -infinity.
    return ops.exp(maximum(x, math.ceil(math.log(tiny(x))))) if unfused() else ops.exp(x)


def one_hot(labels: Any, classes: int, dtype: Any) -> Any:
    """`ops.one_hot` of labels within range, which makes integers of twice the size first on one backend."""
    if not unfused():
        return ops.one_hot(labels, classes, dtype=dtype)
    return ops.cast(ops.equal(ops.expand_dims(labels, -1), ops.arange(classes, dtype="int32")), dtype)


def masked_softmax(x: Any, mask: Any, axis: int = -1) -> Any:
    """The softmax of what `mask` lets through, 0 elsewhere; all 0 where that is nothing."""
    if x.shape[axis] == 1:  # of which Keras warns
        return ops.where(mask, ops.ones_like(x), ops.zeros_like(x))
    kept = ops.where(mask, x, ops.full_like(x, lowest(x)))
    return ops.where(mask, ops.softmax(kept, axis=axis), ops.zeros_like(x))


def softmax(x: Any) -> Any:
    """The softmax over the last axis."""
    return _over_classes(ops.softmax, x)


def log_softmax(x: Any) -> Any:
    """The logarithm of the softmax over the last axis."""
    return _over_classes(ops.log_softmax, x)


def diagonal(x: Any) -> Any:
    """A boolean matrix of the shape of the matrix `x`, true on its diagonal.

    `ops.eye` and `ops.arange` of an unknown size do not compile on one backend, and a `cumsum` in their place gives wrong
    gradients in PyTorch's code generator (torch 2.13).
    """
    n, m = x.shape
    if isinstance(n, int) and isinstance(m, int) and n > 1024:
        return ops.equal(ops.expand_dims(ops.arange(n, dtype="int32"), 1), ops.arange(m, dtype="int32"))
    ones = ops.ones_like(x, dtype="int32")
    return ops.equal(ops.tril(ones) + ops.triu(ones), 2)


def row_numbers(x: Any) -> Any:
    """`0, 1, ...` for the entries of `x` along its first axis, integers `(N,)`, whether its size is known or not."""
    count = x.shape[0]
    if isinstance(count, int) and count > 1024:
        return ops.arange(count, dtype="int32")
    # Counted below the diagonal of a matrix: see `diagonal` for what does not compile.
    ones = ops.ones_like(x[(slice(None), *[0] * (len(x.shape) - 1))], dtype="int32")
    return ops.sum(ops.tril(ops.expand_dims(ones, 1) * ops.expand_dims(ones, 0)), axis=1) - 1


def segment_sum(x: Any, segments: Any, count: int) -> Any:
    """`(count,)`: the sums of the entries of `x` that have each number in `segments`; float64 stays float64."""
    if keras.backend.standardize_dtype(x.dtype) == "float64":  # ops.segment_sum sums in float32 on one backend
        zeros = ops.zeros_like(x)
        return ops.stack([ops.sum(ops.where(ops.equal(segments, i), x, zeros)) for i in range(count)])
    return ops.segment_sum(ops.reshape(x, (-1,)), ops.reshape(segments, (-1,)), num_segments=count)


def at_label(x: Any, labels: Any, keepdims: bool = False) -> Any:
    """The entry of the last axis that each label names."""
    found = ops.take_along_axis(x, ops.expand_dims(labels, -1), axis=-1)
    return found if keepdims else ops.squeeze(found, axis=-1)


def constant_max(x: Any, axis: int = -1) -> Any:
    """The maximum over `axis`, kept as an axis of 1, a constant in the gradient."""
    if 0 in tuple(x.shape):  # an empty batch, of which the backends refuse to take a maximum
        return ops.sum(x, axis=axis, keepdims=True)
    return ops.stop_gradient(ops.amax(x, axis=axis, keepdims=True))


def largest(x: Any, axis: int = -1, within: float = 0.0) -> Any:
    """The maximum over `axis`; entries that tie, or are less than `within` below it, share the gradient evenly."""
    if within == 0 and 0 not in tuple(x.shape):
        return ops.amax(x, axis=axis)
    peak = constant_max(x, axis)
    winner = ops.cast(x > peak - within if within else ops.equal(x, peak), x.dtype)
    share = ops.stop_gradient(winner / ops.sum(winner, axis=axis, keepdims=True))
    return ops.squeeze(peak, axis=axis) + ops.sum(share * (x - ops.stop_gradient(x)), axis=axis)


def log1m_softmax(logits: Any) -> Any:
    """`log(1 - softmax(logits))` over the last axis: logsumexp of the other logits minus logsumexp of all.

    With one class, where 1 - p is 0, it is `lowest`.
    """
    logits = logits - constant_max(logits)  # so that the difference of two large logarithms is not rounded as they are
    first = one_hot(ops.argmax(logits, axis=-1), logits.shape[-1], "bool")
    # Only the most probable class can exceed 1/2; there the difference 1 - p cancels, so its logarithm is taken
    # from the other classes. Elsewhere log1p(-p) is exact.
    others = masked_logsumexp(logits, ops.logical_not(first), keepdims=True) - ops.logsumexp(logits, axis=-1, keepdims=True)
    p = ops.where(first, ops.zeros_like(logits), softmax(logits))
    return ops.where(first, others, ops.log1p(-minimum(p, 0.75)))


def _over_classes(function, x):
    # On one backend maps of fewer classes than a vector has lanes take five times as long on the last axis as on the first.
    if unfused() and len(x.shape) > 2 and 1 < x.shape[-1] < 16:
        return ops.moveaxis(function(ops.moveaxis(x, -1, 0), axis=0), 0, -1)
    return function(x, axis=-1)
