"""Long first axes walked a block at a time."""

from typing import Any

from keras import ops


def length(x: Any) -> Any:
    """The size of the first axis: a Python int where it is known."""
    return ops.shape(x)[0] if x.shape[0] is None else x.shape[0]


def in_blocks(x: Any, rows: Any) -> Any:
    """`(N, ...)` as `(blocks, rows, ...)`, filled up with zeros. `rows` is an int, or a tensor where N is not known."""
    missing = -length(x) % rows
    if not isinstance(missing, int) or missing:
        x = ops.concatenate([x, ops.zeros((missing, *x.shape[1:]), dtype=x.dtype)], axis=0)
    return ops.reshape(x, (-1, rows, *x.shape[1:]))


def put_block(x: Any, i: Any, block: Any) -> Any:
    """`x` with `block` at place `i` of its first axis."""
    return ops.slice_update(x, (i, *[0] * (len(x.shape) - 1)), ops.expand_dims(block, 0))
