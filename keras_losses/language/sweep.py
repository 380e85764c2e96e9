"""A loss of the logits of a linear layer, a block of tokens at a time: the logits of all tokens are never held."""

import dataclasses
from typing import Any

import keras
from keras import ops

from keras_losses import math

# Logits of a block, and entries of a piece of the kernel's gradient: 2^25 numbers of float32 are 128 MiB.
_BLOCK, _PIECE = 2**25, 2**24


@dataclasses.dataclass
class Head:
    """A linear layer, what its logits are measured by, and how the sweep is cut: a subclass writes `measure`.

    Attributes:
        classes: V, the size of the vocabulary.
        rows: tokens a block, if there are as many.
        transposed: the kernel is `(V, D)`, as that of an embedding, not `(D, V)`.
        soft_cap: logits become `soft_cap tanh(z / soft_cap)`; None: they stay.
    """

    classes: int
    rows: int
    transposed: bool = False
    soft_cap: float | None = None

    def logits(self, hidden: Any, kernel: Any, bias: Any) -> tuple[Any, Any]:
        """Logits of some tokens, and the slope of the cap, or None."""
        kernel = ops.cast(kernel, hidden.dtype)
        z = hidden @ (ops.transpose(kernel) if self.transposed else kernel)  # ops.matmul rounds float64 on two backends
        z = z if bias is None else z + ops.cast(bias, z.dtype)
        if self.soft_cap is None:
            return z, None
        t = math.tanh(z / self.soft_cap)
        return self.soft_cap * t, 1 - ops.square(t)

    def measure(self, targets: Any, z: Any, weights: Any = None) -> tuple[Any, Any]:
        """Of a block of tokens with the logits `z` `(rows, V)` and their targets `(rows, ...)`.

        Returns:
            `(2, rows)`: the value of each token, and 1 or 0 for whether its largest logit is the right one; and the slope
            of the values times `weights`, `(rows, V)`, or None without weights.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `measure(self, targets, z, weights=None)`.")


def block_rows(classes: int) -> int:
    """How many tokens a block has by default."""
    # TensorFlow reads and writes the kernel's gradient for every block: with twice as many tokens in a sixth less time.
    numbers = 2 * _BLOCK if keras.backend.backend() == "tensorflow" else _BLOCK
    return max(16, numbers // classes)


def each(head: Head, targets: Any, hidden: Any, kernel: Any, bias: Any = None) -> Any:
    """`(2, N)`: the value of each token, and whether its largest logit is right. The gradient computes the logits anew."""
    given = (hidden, kernel) if bias is None else (hidden, kernel, bias)

    def slopes(upstream, *inputs):
        found = _slopes(head, targets, upstream[0], *inputs)[1]
        return tuple(ops.cast(slope, x.dtype) for slope, x in zip(found, inputs, strict=True))

    return math.with_gradient(lambda *inputs: _values(head, targets, *inputs), slopes)(*given)


def total(head: Head, targets: Any, weights: Any, hidden: Any, kernel: Any, bias: Any = None) -> Any:
    """`(2,)`: the sums of `each`, weighed. The slopes are computed along with the value, and held until they are used."""
    given = (weights, hidden, kernel) if bias is None else (weights, hidden, kernel, bias)
    if keras.backend.backend() == "numpy":
        return ops.sum(_values(head, targets, *given[1:]) * weights, axis=1)

    @ops.custom_gradient
    def both(weights, *given):
        found, slopes = _slopes(head, targets, weights, *given)

        def grad(*args, upstream=None):
            inputs, upstream = ((weights, *given), args[0]) if upstream is None else (args, upstream)
            made = (found[0], *slopes)
            return tuple(_once(upstream[0] * slope, x) for slope, x in zip(made, inputs, strict=True))

        return ops.sum(found * weights, axis=1), grad

    return both(*given)


def _once(slope, x):
    """The slope, as a function of `x` that has none: what has been computed ahead does not know how it came about."""

    @ops.custom_gradient
    def fixed(slope, x):
        def grad(*args, upstream=None):
            raise NotImplementedError(
                "linear_cross_entropy, linear_kl_divergence: gradients formed in the forward sweep have no gradient "
                "themselves. For second derivatives pass `recompute=True`."
            )

        return ops.cast(slope, x.dtype), grad

    return fixed(slope, x)


def _values(head, targets, hidden, kernel, bias=None):
    y, h = (_blocks(head, x) for x in (targets, hidden))

    def step(i, found):
        return math.put_block(found, i, head.measure(y[i], head.logits(h[i], kernel, bias)[0])[0])

    return _unblock(ops.fori_loop(0, math.length(h), step, _room(h)), hidden)


def _slopes(head, targets, weights, hidden, kernel, bias=None):
    """What `_values` gives, and the gradients of the weighted sum: of hidden states, kernel, and bias if there is one."""
    y, h, w = (_blocks(head, x) for x in (targets, hidden, weights))
    width, axis = hidden.shape[-1], 0 if head.transposed else 1
    # The kernel's in pieces, since a product that is added to a sum needs room of its own.
    size = max(1, _PIECE // width)
    bounds = [(a, min(a + size, head.classes)) for a in range(0, head.classes, size)]
    of_kernel = [ops.zeros((b - a, width) if head.transposed else (width, b - a), dtype=h.dtype) for a, b in bounds]
    of_bias = ops.zeros((1 if bias is None else head.classes,), dtype=h.dtype)

    def step(i, state):
        found, of_hidden, of_kernel, of_bias = state
        z, cap = head.logits(h[i], kernel, bias)
        measured, slope = head.measure(y[i], z, w[i])
        slope = slope if cap is None else slope * cap
        back = ops.cast(kernel, h.dtype)
        of_hidden = math.put_block(of_hidden, i, slope @ (back if head.transposed else ops.transpose(back)))
        grown = []
        for piece, (a, b) in zip(of_kernel, bounds, strict=True):
            first, second = (slope[:, a:b], h[i]) if head.transposed else (h[i], slope[:, a:b])
            grown.append(piece + ops.transpose(first) @ second)
        of_bias = of_bias if bias is None else of_bias + ops.sum(slope, axis=0)
        return math.put_block(found, i, measured), of_hidden, grown, of_bias

    start = (_room(h), ops.zeros_like(h), of_kernel, of_bias)
    found, of_hidden, of_kernel, of_bias = ops.fori_loop(0, math.length(h), step, start)
    of_kernel = of_kernel[0] if len(of_kernel) == 1 else ops.concatenate(of_kernel, axis=axis)
    slopes = (ops.reshape(of_hidden, (-1, width))[: math.length(hidden)], of_kernel, of_bias)
    return _unblock(found, hidden), slopes[: 2 if bias is None else 3]


def exponentials(z: Any) -> tuple[Any, Any, Any]:
    """`exp(z - peak)`, its sums, and the logarithms of the sums of exponentials, one a row."""
    peak = ops.amax(z, axis=-1, keepdims=True)
    e = ops.exp(z - peak)
    total = ops.sum(e, axis=-1, keepdims=True)
    return e, total, ops.log(total) + peak


def _blocks(head, x):
    """`(N, ...)` as `(blocks, rows, ...)`, filled up with zeros: tokens of weight 0."""
    count = math.length(x)
    rows = max(1, min(head.rows, count)) if isinstance(count, int) else math.clip(count, 1, head.rows)
    return math.in_blocks(x, rows)


def _room(blocks):
    """Zeros `(blocks, 2, rows)`."""
    zeros = ops.zeros_like(blocks[..., 0])
    return ops.stack([zeros, zeros], axis=1)


def _unblock(found, like):
    """`(blocks, 2, rows)` as `(2, N)`."""
    return ops.reshape(ops.transpose(found, (1, 0, 2)), (2, -1))[:, : math.length(like)]
