"""Costs of logits, exact in both tails, from one exponential a number.

A sigmoid and its logarithm have one form for `z >= 0` and one below, each right everywhere and exact on its side. Which is
taken is a constant, so that derivatives of any order are those of a right form, at 0 too.
"""

from typing import Any

from keras import ops

from keras_losses.math.elementary import maximum, tiny
from keras_losses.math.reductions import at_label, constant_max
from keras_losses.math.stated import unfused


def binary_cross_entropy(z: Any, positive: Any, negative: Any = None) -> Any:
    """`positive softplus(-z) + negative softplus(z)`: cross-entropy of a logit.

    Args:
        z: logits.
        positive: how much of the label is class 1, as large as `z`.
        negative: how much of it is class 0. None: the rest, `1 - positive`.
    """
    above, size = _side(z)
    if negative is None:
        return z * (above - positive) + _tail(size)
    return z * (above * negative - (1 - above) * positive) + (positive + negative) * _tail(size)


def miss_probability(z: Any, y: Any) -> Any:
    """`y sigmoid(-z) + (1 - y) sigmoid(z)`: the probability that a logit gives to the other label."""
    above, size = _side(z)
    wrong, less = above + (1 - 2 * above) * y, ops.exp(-size)
    return (wrong + (1 - wrong) * less) / (1 + less)


def log_and_miss(logits: Any) -> tuple[Any, Any]:
    """`log p` and `1 - p` for `p = softmax(logits)` over the last axis, exact for p near 1 too."""
    below = logits - constant_max(logits)
    share = ops.exp(below)
    first = ops.cast(share >= 1, share.dtype)
    # What the others have, without the difference from 1, which is rounded.
    rest = ops.sum(share - first, axis=-1, keepdims=True) + (ops.sum(first, axis=-1, keepdims=True) - 1)
    # Of the others 1 - p is exact, and its slope exactly 0 where p is: a logarithm of 1e4 multiplies it.
    miss = first * (rest + (1 - share)) / (1 + rest) + (1 - first) * (1 - share / (1 + rest))
    return below - ops.log1p(rest), miss


def label_cross_entropy(logits: Any, labels: Any) -> Any:
    """`-log softmax(logits)` of the classes that `labels` name, integers without the last axis."""
    if unfused():
        return -at_label(ops.log_softmax(logits, axis=-1), labels)
    # So that no compiler has to keep a logarithm for every class.
    peak = constant_max(logits)
    return ops.log(ops.sum(ops.exp(logits - peak), axis=-1)) - (at_label(logits, labels) - ops.squeeze(peak, axis=-1))


def cross_entropy(logits: Any, y: Any) -> Any:
    """`-sum y log softmax(logits)` over the last axis."""
    if unfused():
        return -ops.sum(y * ops.log_softmax(logits, axis=-1), axis=-1)
    below = logits - constant_max(logits)
    return ops.sum(y, axis=-1) * ops.log(ops.sum(ops.exp(below), axis=-1)) - ops.sum(y * below, axis=-1)


def focal_power(miss: Any, gamma: Any) -> Any:
    """`miss ** gamma` for probabilities, finite with its gradient for every gamma >= 0: a number, or a tensor."""
    if isinstance(gamma, (int, float)) and gamma in (0, 1, 2):
        return (ops.ones_like, lambda q: q, ops.square)[int(gamma)](miss)
    return ops.exp(gamma * ops.log(maximum(miss, tiny(miss))))


def _side(z):
    """Whether each logit is >= 0, as a number that is a constant, and its magnitude in the form of that side."""
    above = ops.cast(z >= 0, z.dtype)
    return above, (2 * above - 1) * z


def _tail(size):
    """`log(1 + exp(-size))` for numbers >= 0."""
    return -ops.log_sigmoid(size) if unfused() else ops.log1p(ops.exp(-size))
