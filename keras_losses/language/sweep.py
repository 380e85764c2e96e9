"""Cross-entropy of a linear layer, a block of tokens at a time: the logits of all tokens are never held.

Of a token with the logits z = cap(h W + b) the value is `(1 - e) w_y (L - z_y) + e / V sum_c w_c (L - z_c) + l L^2` with `L =
logsumexp(z)`, the label y, smoothing e, class weights w, and the weight l of the z-loss. Its slope with respect to z is
`a softmax(z) - (1 - e) w_y [c = y] - e / V w_c` with `a = (1 - e) w_y + e / V sum_c w_c + 2 l L`.
"""

import dataclasses
from typing import Any

import keras
from keras import ops

from keras_losses import math

# Logits of a block, and entries of a piece of the kernel's gradient: 2^25 numbers of float32 are 128 MiB.
_BLOCK, _PIECE = 2**25, 2**24


@dataclasses.dataclass
class Head:
    """The numbers of the formula, and how the sweep is cut.

    Attributes:
        classes: V, the size of the vocabulary.
        rows: tokens a block, if there are as many.
        transposed: the kernel is `(V, D)`, as that of an embedding, not `(D, V)`.
        label_smoothing, z_loss: numbers >= 0.
        soft_cap: logits become `soft_cap tanh(z / soft_cap)`; None: they stay.
        class_weight: `(V,)` or None.
    """

    classes: int
    rows: int
    transposed: bool = False
    label_smoothing: float = 0.0
    z_loss: float = 0.0
    soft_cap: float | None = None
    class_weight: Any = None

    def logits(self, hidden: Any, kernel: Any, bias: Any) -> tuple[Any, Any]:
        """Logits of some tokens, and the slope of the cap, or None."""
        kernel = ops.cast(kernel, hidden.dtype)
        z = hidden @ (ops.transpose(kernel) if self.transposed else kernel)  # ops.matmul rounds float64 on two backends
        z = z if bias is None else z + ops.cast(bias, z.dtype)
        if self.soft_cap is None:
            return z, None
        t = math.tanh(z / self.soft_cap)
        return self.soft_cap * t, 1 - ops.square(t)

    def rate(self, labels: Any) -> Any:
        """What a label weighs: a number, or one for each token."""
        own = 1 - self.label_smoothing
        return own if self.class_weight is None else own * ops.take(self.class_weight, labels)

    @property
    def spread(self) -> Any:
        """What smoothing makes every class weigh: a number, or one for each class; None without it."""
        if not self.label_smoothing:
            return None
        return self.label_smoothing / self.classes * (1.0 if self.class_weight is None else self.class_weight)

    @property
    def spread_total(self) -> Any:
        spread = self.spread
        if spread is None:
            return 0.0
        return ops.sum(spread) if self.class_weight is not None else spread * self.classes


def block_rows(classes: int) -> int:
    """How many tokens a block has by default."""
    return max(16, _BLOCK // classes)


def each(head: Head, labels: Any, hidden: Any, kernel: Any, bias: Any = None) -> Any:
    """`(2, N)`: the value of each token, and whether its label has the largest logit. The gradient computes the logits anew."""
    given = (hidden, kernel) if bias is None else (hidden, kernel, bias)

    def slopes(upstream, *inputs):
        found = _slopes(head, labels, upstream[0], *inputs)[1]
        return tuple(ops.cast(slope, x.dtype) for slope, x in zip(found, inputs, strict=True))

    return math.with_gradient(lambda *inputs: _values(head, labels, *inputs), slopes)(*given)


def total(head: Head, labels: Any, weights: Any, hidden: Any, kernel: Any, bias: Any = None) -> Any:
    """`(2,)`: the sums of `each`, weighed. The slopes are computed along with the value, and held until they are used."""
    given = (weights, hidden, kernel) if bias is None else (weights, hidden, kernel, bias)
    if keras.backend.backend() == "numpy":
        return ops.sum(_values(head, labels, *given[1:]) * weights, axis=1)

    @ops.custom_gradient
    def both(weights, *given):
        found, slopes = _slopes(head, labels, weights, *given)

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
                "linear_cross_entropy: gradients formed in the forward sweep have no gradient themselves. For second "
                "derivatives pass `recompute=True`."
            )

        return ops.cast(slope, x.dtype), grad

    return fixed(slope, x)


def _values(head, labels, hidden, kernel, bias=None):
    y, h = (_blocks(head, x) for x in (labels, hidden))

    def step(i, found):
        z = head.logits(h[i], kernel, bias)[0]
        e, _, normalizer = _exponentials(z)
        return math.put_block(found, i, _statistics(head, y[i], z, e, normalizer))

    return _unblock(ops.fori_loop(0, math.length(h), step, _room(y, hidden.dtype)), hidden)


def _slopes(head, labels, weights, hidden, kernel, bias=None):
    """What `_values` gives, and the gradients of the weighted sum: of hidden states, kernel, and bias if there is one."""
    y, h, w = (_blocks(head, x) for x in (labels, hidden, weights))
    width, axis = hidden.shape[-1], 0 if head.transposed else 1
    # The kernel's in pieces, since a product that is added to a sum needs room of its own.
    size = max(1, _PIECE // width)
    bounds = [(a, min(a + size, head.classes)) for a in range(0, head.classes, size)]
    of_kernel = [ops.zeros((b - a, width) if head.transposed else (width, b - a), dtype=h.dtype) for a, b in bounds]
    of_bias = ops.zeros((1 if bias is None else head.classes,), dtype=h.dtype)

    def step(i, state):
        found, of_hidden, of_kernel, of_bias = state
        z, cap = head.logits(h[i], kernel, bias)
        e, total, normalizer = _exponentials(z)
        slope = _slope(head, y[i], w[i], e, total, normalizer)
        slope = slope if cap is None else slope * cap
        back = ops.cast(kernel, h.dtype)
        of_hidden = math.put_block(of_hidden, i, slope @ (back if head.transposed else ops.transpose(back)))
        grown = []
        for piece, (a, b) in zip(of_kernel, bounds, strict=True):
            first, second = (slope[:, a:b], h[i]) if head.transposed else (h[i], slope[:, a:b])
            grown.append(piece + ops.transpose(first) @ second)
        of_bias = of_bias if bias is None else of_bias + ops.sum(slope, axis=0)
        return math.put_block(found, i, _statistics(head, y[i], z, e, normalizer)), of_hidden, grown, of_bias

    start = (_room(y, h.dtype), ops.zeros_like(h), of_kernel, of_bias)
    found, of_hidden, of_kernel, of_bias = ops.fori_loop(0, math.length(h), step, start)
    of_kernel = of_kernel[0] if len(of_kernel) == 1 else ops.concatenate(of_kernel, axis=axis)
    slopes = (ops.reshape(of_hidden, (-1, width))[: math.length(hidden)], of_kernel, of_bias)
    return _unblock(found, hidden), slopes[: 2 if bias is None else 3]


def _exponentials(z):
    """`exp(z - peak)`, its sums, and the logarithms of the sums of exponentials, one a row."""
    peak = ops.amax(z, axis=-1, keepdims=True)
    e = ops.exp(z - peak)
    total = ops.sum(e, axis=-1, keepdims=True)
    return e, total, ops.log(total) + peak


def _statistics(head, labels, z, e, normalizer):
    """`(2, rows)`: the value of each token, and whether its label has the largest logit."""
    place = ops.expand_dims(labels, -1)
    own, share = (ops.squeeze(ops.take_along_axis(x, place, axis=-1), -1) for x in (z, e))
    normalizer = ops.squeeze(normalizer, -1)
    value = head.rate(labels) * (normalizer - own)
    if head.label_smoothing:
        value = value + head.spread_total * normalizer - ops.sum(head.spread * z, axis=-1)
    if head.z_loss:
        value = value + head.z_loss * ops.square(normalizer)
    return ops.stack([value, ops.cast(share >= 1, z.dtype)])


def _slope(head, labels, weights, e, total, normalizer):
    """The slope of the weighted values with respect to the logits."""
    weights, place = ops.expand_dims(weights, -1), ops.expand_dims(labels, -1)
    rate = head.rate(place)
    slope = e * (weights * (rate + head.spread_total + 2 * head.z_loss * normalizer) / total)
    if head.label_smoothing:
        slope = slope - weights * head.spread
    where = ops.stack([ops.cast(ops.arange(math.length(labels)), labels.dtype), labels], axis=-1)
    return ops.scatter_update(slope, where, -ops.squeeze(weights * rate, -1), reduction="add")


def _blocks(head, x):
    """`(N, ...)` as `(blocks, rows, ...)`, filled up with zeros: tokens of label 0 and weight 0."""
    count = math.length(x)
    rows = max(1, min(head.rows, count)) if isinstance(count, int) else math.clip(count, 1, head.rows)
    return math.in_blocks(x, rows)


def _room(labels, dtype):
    """Zeros `(blocks, 2, rows)`."""
    zeros = ops.zeros_like(labels, dtype=dtype)
    return ops.stack([zeros, zeros], axis=1)


def _unblock(found, like):
    """`(blocks, 2, rows)` as `(2, N)`."""
    return ops.reshape(ops.transpose(found, (1, 0, 2)), (2, -1))[:, : math.length(like)]
