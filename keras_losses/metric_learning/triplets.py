"""What the losses over all triplets of an anchor share: a mean over its positives, each compared with all others.

Such a loss has `each(near, d, same, different)`, the values of some positives at distances `near` `(N, P)`, and `each_slope`,
`(N, P, M)`, their derivatives with respect to `near - d`. A small batch takes all positives at once; the block of a large one
takes them piece by piece, so that memory grows as the size of the batch, and time as its cube.
"""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.metric_learning import blocks
from keras_losses.metric_learning.pairs import count, only


def mean(loss: Any, d: Any, same: Any, different: Any, pieces: bool) -> Any:
    """`(N,)`: the mean over the positives of each anchor."""
    if not pieces:
        return math.masked_mean(loss.each(d, d, same, different), same)
    near, own = (_pieces(x) for x in (d, same))

    def step(i, total):
        return total + ops.sum(only(own[i], loss.each(near[i], d, same, different)), axis=1)

    total = ops.fori_loop(0, near.shape[0], step, ops.zeros_like(d[:, 0]))
    return math.safe_divide(total, ops.squeeze(count(same, d), 1))


def slope(loss: Any, d: Any, same: Any, different: Any) -> Any:
    """`(N, M)`: the derivatives of `mean` with respect to the distances."""
    weight = math.safe_divide(ops.cast(same, d.dtype), count(same, d))
    near, weight = (_pieces(x) for x in (d, weight))

    def step(i, state):
        of_near, of_far = state
        here = ops.expand_dims(weight[i], 2) * loss.each_slope(near[i], d, same, different)
        return math.put_block(of_near, i, ops.sum(here, axis=2)), of_far - ops.sum(here, axis=1)

    of_near, of_far = ops.fori_loop(0, near.shape[0], step, (ops.zeros_like(near), ops.zeros_like(d)))
    return ops.reshape(ops.transpose(of_near, (1, 0, 2)), (d.shape[0], -1))[:, : d.shape[1]] + of_far


def _pieces(x):
    """`(N, M)` as `(pieces, N, P)`, filled up with zeros."""
    n, m = x.shape
    return ops.transpose(math.in_blocks(ops.transpose(x), blocks.piece(m, n * m)), (0, 2, 1))
