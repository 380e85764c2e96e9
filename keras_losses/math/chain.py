"""The sum over all paths of a left-to-right chain, in log space, with its gradient stated by hand.

On TensorFlow with XLA no gradient passes through a loop, so the gradient is not left to it: the derivative of the log of
the sum with respect to a score is the share of the paths that use it, computed by running the chain from both ends.
"""

from typing import Any

from keras import ops

from keras_losses.math.elementary import logaddexp
from keras_losses.math.reductions import lowest
from keras_losses.math.stated import with_gradient


def chain_logsumexp(scores: Any, skip: Any, final: Any, live: Any) -> Any:
    """`log sum over paths of exp(sum of scores on the path)`.

    A path is in one state at each time. It begins in state 0 or 1, and at each step stays, moves to the next state, or,
    where `skip` allows it, to the one after. It ends in a state that `final` names. A time that is not live is left out.

    Args:
        scores: `(B, T, S)`, the score of each state at each time.
        skip: `(B, S)` of 0 and 1: whether a state may be entered from two states before.
        final: `(B, S)` of 0 and 1.
        live: `(B, T)` of 0 and 1.

    Returns:
        `(B,)`. At least one path must exist.
    """

    def total(scores, skip, final, live):
        return _total(_forward(scores, skip, live)[-1], final)

    def slopes(upstream, scores, *others):
        return ops.reshape(upstream, (-1, 1, 1)) * _posterior(scores, *others), *(ops.zeros_like(x) for x in others)

    return with_gradient(total, slopes)(scores, skip, final, live)


def _by_time(scores, live):
    return ops.transpose(scores, (1, 0, 2)), ops.expand_dims(ops.transpose(live), -1) > 0


def _total(last, final):
    return ops.logsumexp(ops.where(final > 0, last, ops.full_like(last, lowest(last))), axis=-1)


def _forward(scores, skip, live):
    """`(T, B, S)`: the log of the sum over all paths up to each time and state."""
    xs = _by_time(scores, live)
    zero = scores[:, 0, :] * 0
    lows = zero + lowest(scores)
    # Before the first step everything is in state 0: from there a step leads to states 0 and 1 alone.
    start = ops.concatenate([zero[:, :1], lows[:, 1:]], axis=1)

    def step(before, x):
        now, alive = x
        one = ops.concatenate([lows[:, :1], before[:, :-1]], axis=1)
        two = ops.where(skip > 0, ops.concatenate([lows[:, :2], before[:, :-2]], axis=1), lows)
        after = ops.where(alive, logaddexp(logaddexp(before, one), two) + now, before)
        return after, after

    return ops.scan(step, start, xs)[1]


def _backward(scores, skip, final, live):
    """`(T, B, S)`: the log of the sum over all ways to go on from each time and state."""
    xs = _by_time(scores, live)
    zero = scores[:, 0, :] * 0
    lows = zero + lowest(scores)
    # `skip` belongs to the state that is entered; on the way back it is needed at the state that is left.
    left = ops.concatenate([skip[:, 2:], ops.zeros_like(skip[:, :2])], axis=1)

    def step(after, x):
        now, alive = x
        ahead = after + now
        one = ops.concatenate([ahead[:, 1:], lows[:, :1]], axis=1)
        two = ops.where(left > 0, ops.concatenate([ahead[:, 2:], lows[:, :2]], axis=1), lows)
        return ops.where(alive, logaddexp(logaddexp(ahead, one), two), after), after

    return ops.scan(step, ops.where(final > 0, zero, lows), xs, reverse=True)[1]


def _posterior(scores, skip, final, live):
    """`(B, T, S)`: the share of the paths that are in each state at each time; 0 at times that are not live."""
    forward = _forward(scores, skip, live)
    total = ops.reshape(_total(forward[-1], final), (1, -1, 1))
    share = ops.exp(forward + _backward(scores, skip, final, live) - total)
    return ops.transpose(share, (1, 0, 2)) * ops.expand_dims(live, -1)
