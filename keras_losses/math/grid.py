"""Functions of grids, such as images: the distance transform, and windows around each entry."""

from typing import Any

import keras
from keras import ops

from keras_losses.math.reductions import largest, lowest


def distance_transform(x: Any, axes: Any = None, sampling: Any = None, squared: bool = False) -> Any:
    """The exact Euclidean distance of each true entry to the nearest false one: 0 for a false entry.

    One axis after the other: along the first the distance to the nearest false entry, along each further one `min_j f(j)
    + (i - j)^2` of the squared distances `f` so far (Felzenszwalb and Huttenlocher, 2012). Work grows as the number of
    entries times the length of an axis, memory as the number of entries. It compiles, and is a constant in the gradient.

    Args:
        x: booleans or numbers; every number but 0 is true.
        axes: the axes of the grid, an integer or several, of known size. None: all but the first, which is the batch.
        sampling: the spacing of the grid along each of the axes, a number or one each; None: 1.
        squared: return the squares.

    Returns:
        Distances of the shape of `x`: float64 if `x` is, else float32. Where a grid holds no false entry, infinity; where it
        holds nothing else, 0.

    Example:

    >>> import numpy as np
    >>> inside = np.array([[[1, 1, 1], [1, 0, 1]]])
    >>> np.round(ops.convert_to_numpy(distance_transform(inside)) ** 2).tolist()
    [[[2.0, 1.0, 2.0], [1.0, 0.0, 1.0]]]
    """
    x = ops.convert_to_tensor(x)
    rank = len(x.shape)
    axes = range(1, rank) if axes is None else [a % rank for a in ((axes,) if isinstance(axes, int) else axes)]
    steps = [1.0] * len(axes) if sampling is None else sampling
    steps = [float(steps)] * len(axes) if isinstance(steps, (int, float)) else [float(s) for s in steps]
    if len(steps) != len(axes) or any(x.shape[a] is None for a in axes):
        raise ValueError(
            f"distance_transform: the grid needs axes of known size and one spacing each. Received: shape {tuple(x.shape)}, "
            f"axes {tuple(axes)}, sampling {sampling}"
        )
    dtype = "float64" if keras.backend.standardize_dtype(x.dtype) == "float64" else "float32"
    zeros = ops.zeros_like(x, dtype=dtype)
    result = ops.where(ops.cast(x, "bool"), ops.full_like(zeros, float("inf")), zeros)
    for number, (axis, step) in enumerate(zip(axes, steps, strict=True)):
        moved = ops.moveaxis(result, axis, 0)
        lines = ops.reshape(moved, (moved.shape[0], -1))
        lines = _envelope(lines, step) if number else ops.square(step * _nearest(lines))
        result = ops.moveaxis(ops.reshape(lines, ops.shape(moved)), 0, axis)
    return ops.stop_gradient(result if squared else ops.sqrt(result))


def _nearest(x):
    """The number of steps along axis 0 to the nearest 0, of `x` that holds 0 and infinity."""
    step = 1
    while step < x.shape[0]:  # what is 2 step - 1 away comes in two jumps
        far = ops.full_like(x[:step], float("inf"))
        for moved in (ops.concatenate([far, x[:-step]], axis=0), ops.concatenate([x[step:], far], axis=0)):
            x = _smaller(x, moved + step)
        step *= 2
    return x


def _envelope(f, step):
    """`min_j f[j] + (step (i - j))^2` along the first of two axes, a few j at a time."""
    size, block = f.shape[0], 1
    if keras.backend.backend() == "torch":  # it unrolls the loop when it compiles: the fewer turns, the sooner
        block = max(1, min(size, 8, 1024 // size))
    count = -(-size // block)
    place = step * ops.arange(count * block, dtype=f.dtype)
    cost = ops.reshape(ops.square(ops.expand_dims(place, 1) - place[:size]), (count, block, size, 1))
    missing = count * block - size
    rows = ops.concatenate([f, ops.full_like(f[:missing], float("inf"))], axis=0) if missing else f
    rows = ops.reshape(rows, (count, block, 1, -1))

    def lower(k, best):
        new = rows[k] + cost[k]
        return _smaller(best, new[0] if block == 1 else ops.amin(new, axis=0))

    return ops.fori_loop(0, count, lower, ops.full_like(f, float("inf")))


def _smaller(x, y):
    # ops.minimum is faster, but rounds float64 to float32 on a backend.
    return ops.where(y < x, y, x) if keras.backend.standardize_dtype(x.dtype) == "float64" else ops.minimum(x, y)


def shifts(x: Any, axis: int, size: int = 3, fill: float = 0.0) -> list[Any]:
    """The `size` (odd) entries around each entry along `axis`, as tensors of the shape of `x`; `fill` beyond the ends."""
    half, before = size // 2, (slice(None),) * (axis % len(x.shape))
    # Not ops.pad, which counts its calls: under torch.compile each would compile anew.
    beyond = [ops.full_like(x[(*before, slice(0, 1))], fill)] * half
    padded = ops.concatenate([*beyond, x, *beyond], axis=axis)
    return [padded[(*before, slice(k, k - 2 * half or None))] for k in range(2 * half + 1)]


def window_max(x: Any, axes: Any) -> Any:
    """The maximum over the 3 entries around each along every one of `axes`; those that tie share the gradient evenly.

    `ops.max_pool` gives it to one of them, on some backends another one than on others.
    """
    for axis in axes:
        x = largest(ops.stack(shifts(x, axis, fill=lowest(x)), axis=-1))
    return x


def cross(x: Any, axes: Any, fill: float = 0.0) -> list[Any]:
    """Each entry and its nearest neighbours along `axes`, two an axis, as tensors of the shape of `x`; `fill` outside."""
    around = [shifts(x, axis, fill=fill) for axis in axes]
    return [x, *(side for before, _, after in around for side in (before, after))]
