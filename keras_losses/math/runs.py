"""Rows that are in order: sums to their end, and over runs of equal numbers, by doubling steps on shifted copies.

log2(n) passes over static shapes compile, and have a gradient, where a scan would not.
"""

from collections.abc import Iterator
from typing import Any

from keras import ops

from keras_losses.math.elementary import logaddexp
from keras_losses.math.reductions import lowest


def doublings(n: int | None) -> Iterator[int]:
    """1, 2, 4, ... below `n`; of an unknown size, below 2^24."""
    step = 1
    while step < (2**24 if n is None else n):
        yield step
        step *= 2


def shifted(x: Any, step: int, fill: float) -> Any:
    """The entry `step` places later in the row, `fill` after its end; before its start, if `step` is negative."""
    if step > 0:
        return ops.concatenate([x[..., step:], ops.full_like(x[..., :step], fill)], axis=-1)
    return ops.concatenate([ops.full_like(x[..., :-step], fill), x[..., :step]], axis=-1)


def sum_of_run(x: Any, key: Any, backward: bool = False) -> Any:
    """The sum of `x`, finite, from each entry to the end of its run of equal numbers in `key`; to its start if `backward`."""
    for step in doublings(x.shape[-1]):
        step = -step if backward else step
        x = x + shifted(x, step, 0.0) * ops.cast(ops.equal(key, shifted(key, step, float("nan"))), x.dtype)
    return x


def logcumsumexp(x: Any, axis: int = -1, reverse: bool = False) -> Any:
    """`log(cumsum(exp(x)))` along `axis`, without overflow; `reverse` sums from the end."""
    x = ops.moveaxis(x, axis, -1)
    if x.shape[-1] is None:
        raise ValueError("logcumsumexp: the size of the axis must be known.")
    for step in doublings(x.shape[-1]):
        x = logaddexp(x, shifted(x, step if reverse else -step, lowest(x)))
    return ops.moveaxis(x, -1, axis)


def logsumexp_to_end(x: Any, mask: Any) -> Any:
    """`log sum exp(x_j - x_i)` over the entries j >= i of each row that `mask` lets through: relative to `x_i`.

    It is close to `lowest(x)` where there is none. Differences of neighbours are exact where their logarithms of sums, as
    large as the entries, would be rounded.
    """
    low = lowest(x)
    total = ops.where(mask, ops.zeros_like(x), ops.full_like(x, low))
    for step in doublings(x.shape[-1]):
        total = logaddexp(total, shifted(x, step, 0.0) - x + shifted(total, step, low))
    return total


def entry_at(x: Any, place: Any, beyond: float | None = None) -> Any:
    """The entry of each row at each of the places, numbers from 0; where these are past the end, `beyond` if given."""
    n = ops.shape(x)[-1] if x.shape[-1] is None else x.shape[-1]
    inside = place < n
    found = ops.take_along_axis(x, ops.cast(ops.where(inside, place, ops.zeros_like(place)), "int32"), axis=-1)
    return found if beyond is None else ops.where(inside, found, ops.full_like(found, beyond))
