"""The matrix of pairs of a large batch, a block of anchors at a time: it is never held, in the gradient neither.

Unrolled blocks would be scheduled all at once by XLA, and on TensorFlow with XLA no gradient passes through a loop. So the loop
stands inside of a gradient that is stated by hand: `PairLoss.slope` has the part of the loss, this module that of the distance.
"""

from typing import Any

from keras import ops

from keras_losses import math

# Pairs (triplets, of a loss over these) up to which a batch is taken at once, and pairs of a block: 2^22 numbers of float32
# are 16 MiB, and a formula needs ten to twenty such matrices; of one that sorts, TensorFlow without XLA holds seventy.
WHOLE, BLOCK = 2**24, 2**22


def are_needed(loss: Any, x: Any, y: Any) -> bool:
    """Whether the pairs of `x` and `y` are too many to be taken at once, as far as the sizes are known."""
    n, m = x.shape[0], y.shape[0]
    if loss.slope is None or not isinstance(n, int) or not isinstance(m, int):
        return False
    return n * m * (m if loss.takes_triplets else 1) > WHOLE


def piece(count: int, width: int) -> int:
    """How many columns, of matrices as wide as `width`, are taken at once where a loss takes triplets."""
    return max(1, min(count, BLOCK // width))


def compare(loss: Any, x: Any, x_ids: Any, y: Any, y_ids: Any, anchors: Any, partners: Any, one_set: bool) -> tuple[Any, Any]:
    """What `PairLoss.compare` gives."""
    if loss.normalize or loss.distance == "cosine":
        one = math.normalize(x)
        x, y = one, one if y is x else math.normalize(y)
    n, m = x.shape[0], y.shape[0]
    rows = max(1, min(n, BLOCK // (m * (piece(m, m) if loss.takes_triplets else 1))))
    counts = [ops.ones((size,), dtype="bool") if c is None else c for size, c in ((n, anchors), (m, partners))]
    how = {"pieces": True} if loss.takes_triplets else {}

    def relations(i, x_ids, y_ids, anchors, partners):
        same = ops.equal(ops.expand_dims(x_ids[i], 1), ops.expand_dims(y_ids, 0))
        keep = ops.logical_and(ops.expand_dims(anchors[i], 1), ops.expand_dims(partners, 0))
        different = ops.logical_and(keep, ops.logical_not(same))
        if one_set:
            place = ops.arange(rows, dtype="int32") + ops.cast(i, "int32") * rows
            itself = ops.equal(ops.expand_dims(place, 1), ops.expand_dims(ops.arange(m, dtype="int32"), 0))
            keep = ops.logical_and(keep, ops.logical_not(itself))
        return ops.logical_and(keep, same), different

    def cut(x_ids, y_ids, anchors, partners):
        return math.in_blocks(x_ids, rows), y_ids, math.in_blocks(anchors, rows), partners

    def forward(x, y, *who):
        x, who = math.in_blocks(x, rows), cut(*who)

        def step(i, found):
            value, valid = loss.rows(_distances(loss, x[i], y), *relations(i, *who), **how)
            return math.put_block(found, i, ops.stack([value, ops.cast(valid, value.dtype)]))

        found = ops.fori_loop(0, x.shape[0], step, ops.zeros((x.shape[0], 2, rows), dtype=x.dtype))
        return ops.reshape(ops.transpose(found, (1, 0, 2)), (2, -1))[:, :n]

    def backward(upstream, x, y, *who):
        x, upstream, who = math.in_blocks(x, rows), math.in_blocks(upstream, rows), cut(*who)

        def step(i, state):
            of_x, of_y = state
            d = _distances(loss, x[i], y)
            slope = loss.slope(d, *relations(i, *who)) * ops.expand_dims(upstream[i], 1)
            here, there = _through_distance(loss, slope, d, x[i], y)
            return math.put_block(of_x, i, here), of_y + there

        of_x, of_y = ops.fori_loop(0, x.shape[0], step, (ops.zeros_like(x), ops.zeros_like(y)))
        return ops.reshape(of_x, (-1, of_x.shape[-1]))[:n], of_y

    found = _with_gradient(forward, backward, x, y, x_ids, y_ids, *counts)
    return found[0], found[1] > 0


def _with_gradient(forward, backward, *tensors):
    """`forward(*tensors)`, whose gradients with respect to the first two `backward(upstream, *tensors)` gives."""
    # All that is used is an argument, since JAX compiles no gradient of what a compiled function has captured; and each tensor
    # once, since PyTorch compiles none of one that is given twice.
    once: list[Any] = []
    for x in tensors:
        if not any(x is other for other in once):
            once.append(x)
    at = [next(i for i, other in enumerate(once) if x is other) for x in tensors]

    def slopes(upstream, *inputs):
        found: list[Any] = [None] * len(once)
        first, second = backward(upstream[0], *(inputs[i] for i in at))
        found[at[0]] = first
        found[at[1]] = second if at[1] != at[0] else first + second
        return tuple(found)

    def values(*given):
        # Constants: a tape that is open would keep what the loop computes.
        fixed = [ops.stop_gradient(x) if i in at[:2] else x for i, x in enumerate(given)]
        return forward(*(fixed[i] for i in at))

    return math.with_gradient(values, slopes)(*once)


def _distances(loss, x, y):
    # Vectors of length 1 by now: their cosine is their inner product.
    if loss.distance == "cosine":
        return 1 + math.pairwise_distance(x, y, "dot")
    return math.pairwise_distance(x, y, loss.distance)


def _through_distance(loss, slope, d, x, y):
    """The gradients of `x` and `y` from that of their distances `d`."""
    if loss.distance in ("cosine", "dot"):
        return -(slope @ y), -(ops.transpose(slope) @ x)
    # Equal points have gradient 0.
    slope = ops.where(d > 0, slope, ops.zeros_like(slope))
    slope = math.safe_divide(slope, d) if loss.distance == "euclidean" else 2 * slope
    of_x = ops.expand_dims(ops.sum(slope, axis=1), 1) * x - slope @ y
    return of_x, ops.expand_dims(ops.sum(slope, axis=0), 1) * y - ops.transpose(slope) @ x
