"""The matrix of pairs of a large batch, a block of anchors at a time: it is never held, in the gradient neither.

Unrolled blocks would be scheduled all at once by XLA, and on TensorFlow with XLA no gradient passes through a loop. So the loop
stands inside of a gradient that is stated by hand: `PairLoss.slope` has the part of the loss, this module that of the distance.
"""

from typing import Any

import keras
from keras import ops

from keras_losses import math

# Pairs (triplets, of a loss over these) up to which a batch is taken at once, and pairs of a block: 2^23 numbers of float32
# are 32 MiB, and a formula needs ten to twenty such matrices.
WHOLE, BLOCK = 2**24, 2**23


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
    alive = ops.ones((n,), dtype="bool") if anchors is None else anchors
    ids, alive = _blocks(x_ids, rows), _blocks(alive, rows)
    own, place = ops.arange(rows, dtype="int32"), ops.arange(m, dtype="int32")

    def relations(i):
        same = ops.equal(ops.expand_dims(ids[i], 1), ops.expand_dims(y_ids, 0))
        keep = ops.expand_dims(alive[i], 1)
        if partners is not None:
            keep = ops.logical_and(keep, ops.expand_dims(partners, 0))
        different = ops.logical_and(keep, ops.logical_not(same))
        if one_set:
            itself = ops.equal(ops.expand_dims(own + ops.cast(i, "int32") * rows, 1), ops.expand_dims(place, 0))
            keep = ops.logical_and(keep, ops.logical_not(itself))
        return ops.logical_and(keep, same), different

    how = {"pieces": True} if loss.takes_triplets else {}

    def forward(x, y):
        x = _blocks(x, rows)

        def step(i, found):
            value, valid = loss.rows(_distances(loss, x[i], y), *relations(i), **how)
            return put(found, i, ops.stack([value, ops.cast(valid, value.dtype)]))

        found = ops.fori_loop(0, x.shape[0], step, ops.zeros((x.shape[0], 2, rows), dtype=x.dtype))
        return ops.reshape(ops.transpose(found, (1, 0, 2)), (2, -1))[:, :n]

    def backward(upstream, x, y):
        x, upstream = _blocks(x, rows), _blocks(upstream, rows)

        def step(i, state):
            of_x, of_y = state
            d = _distances(loss, x[i], y)
            slope = loss.slope(d, *relations(i)) * ops.expand_dims(upstream[i], 1)
            here, there = _through_distance(loss, slope, d, x[i], y)
            return put(of_x, i, here), of_y + there

        of_x, of_y = ops.fori_loop(0, x.shape[0], step, (ops.zeros_like(x), ops.zeros_like(y)))
        return ops.reshape(of_x, (-1, of_x.shape[-1]))[:n], of_y

    found = _with_gradient(forward, backward, x, y)
    return found[0], found[1] > 0


def _with_gradient(forward, backward, x, y):
    if keras.backend.backend() == "numpy":  # values only, and it warns at every custom gradient
        return forward(x, y)

    # One set is one argument: of a tensor that is given twice PyTorch compiles no gradient.
    @ops.custom_gradient
    def values(*given):
        def grad(*args, upstream=None):
            # One backend passes the inputs and `upstream=`, the others the upstream gradient alone.
            inputs, upstream = (given, args[0]) if upstream is None else (args, upstream)
            slopes = backward(upstream[0], inputs[0], inputs[-1])
            return slopes if len(inputs) == 2 else slopes[0] + slopes[1]

        # Constants: a tape that is open would keep what the loop computes.
        return forward(ops.stop_gradient(given[0]), ops.stop_gradient(given[-1])), grad

    return values(x) if y is x else values(x, y)


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


def _blocks(x, rows):
    """`(N, ...)` as `(blocks, rows, ...)`, filled up with zeros: anchors that do not count."""
    missing = -x.shape[0] % rows
    if missing:
        x = ops.concatenate([x, ops.zeros((missing, *x.shape[1:]), dtype=x.dtype)], axis=0)
    return ops.reshape(x, (-1, rows, *x.shape[1:]))


def put(x, i, block):
    return ops.slice_update(x, (i, *[0] * (len(x.shape) - 1)), ops.expand_dims(block, 0))
