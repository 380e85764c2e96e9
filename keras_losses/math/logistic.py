"""Costs of logits, exact in both tails, from one exponential a number.

A sigmoid and its logarithm have one form for `z >= 0` and one below, each right everywhere and exact on its side. Which is
taken is a constant, so that derivatives of any order are those of a right form, at 0 too. Where every operation is a pass
over memory, both sides of a value are taken instead, and its slopes are stated.
"""

from typing import Any

from keras import ops

from keras_losses.math.elementary import focal_weight, maximum, safe_log, softplus, tiny
from keras_losses.math.reductions import (
    at_label,
    constant_max,
    exp_below,
    log_softmax,
    lowest,
    masked_logsumexp,
    softmax,
)
from keras_losses.math.stated import unfused, with_gradient


def binary_cross_entropy(z: Any, positive: Any, negative: Any = None) -> Any:
    """`positive softplus(-z) + negative softplus(z)`: cross-entropy of a logit.

    Args:
        z: logits.
        positive: how much of the label is class 1, as large as `z`.
        negative: how much of it is class 0. None: the rest, `1 - positive`.
    """
    if unfused():
        return _cross_entropy_of(z, positive) if negative is None else _weighed_cross_entropy(z, positive, negative)
    above, size = _side(z)
    if negative is None:
        return z * (above - positive) + _tail(size)
    return z * (above * negative - (1 - above) * positive) + (positive + negative) * _tail(size)


def miss_probability(z: Any, y: Any) -> Any:
    """`y sigmoid(-z) + (1 - y) sigmoid(z)`: the probability that a logit gives to the other label."""
    if unfused():
        return with_gradient(_miss, _slopes_of_miss)(z, y)
    above, size = _side(z)
    wrong, less = above + (1 - 2 * above) * y, ops.exp(-size)
    return (wrong + (1 - wrong) * less) / (1 + less)


def log_and_miss(logits: Any, labels: Any = None) -> tuple[Any, Any]:
    """`log p` and `1 - p` for `p = softmax(logits)` over the last axis, exact for p near 1 too.

    Args:
        logits: logits.
        labels: integers without the last axis: of these classes alone. None: of all.
    """
    log_p = (with_gradient(_exact_log_softmax, _slope_of_log_softmax) if unfused() else _exact_log_softmax)(logits)
    log_p = log_p if labels is None else at_label(log_p, labels)
    return log_p, -ops.expm1(log_p)


def label_cross_entropy(logits: Any, labels: Any) -> Any:
    """`-log softmax(logits)` of the classes that `labels` name, integers without the last axis."""
    if unfused():
        return -at_label(log_softmax(logits), labels)
    # So that no compiler has to keep a logarithm for every class.
    peak = constant_max(logits)
    return ops.log(ops.sum(ops.exp(logits - peak), axis=-1)) - (at_label(logits, labels) - ops.squeeze(peak, axis=-1))


def cross_entropy(logits: Any, y: Any) -> Any:
    """`-sum y log softmax(logits)` over the last axis."""
    if unfused():
        return -ops.sum(y * log_softmax(logits), axis=-1)
    below = logits - constant_max(logits)
    return ops.sum(y, axis=-1) * ops.log(ops.sum(ops.exp(below), axis=-1)) - ops.sum(y * below, axis=-1)


def focal_softplus(x: Any, gamma: float) -> Any:
    """`softplus(x) sigmoid(x)^gamma`: the focal loss of class 1 with the logit `-x`, or of class 0 with the logit `x`."""
    return softplus(x) * power_of_sigmoid(x, gamma)


def power_of_sigmoid(x: Any, gamma: float) -> Any:
    """`sigmoid(x) ** gamma`, finite with its gradient for every gamma >= 0."""
    return ops.square(ops.sigmoid(x)) if gamma == 2 else focal_weight(-softplus(-x), gamma)


def log1p_sum_exp(x: Any, weight: Any) -> Any:
    """`log(1 + sum weight exp(x))` over the last axis, for weights >= 0."""
    if unfused():
        return with_gradient(_log1p_sum, _slopes_of_log1p_sum)(x, weight)
    some = weight > 0
    return softplus(masked_logsumexp(x + ops.log(ops.where(some, weight, ops.ones_like(weight))), some))


def focal_power(miss: Any, gamma: Any) -> Any:
    """`miss ** gamma` for probabilities, finite with its gradient for every gamma >= 0: a number, or a tensor."""
    if isinstance(gamma, (int, float)) and gamma in (0, 1, 2):
        return (ops.ones_like, lambda q: q, ops.square)[int(gamma)](miss)
    return ops.exp(gamma * ops.log(maximum(miss, tiny(miss))))


def _exact_log_softmax(logits):
    """The logarithm of the softmax: of a p near 1 it is minus what the others have, not the logarithm of a rounded sum."""
    below = logits - constant_max(logits)
    share = ops.exp(below)
    if unfused():
        rest = -ops.sum(ops.threshold(-share, -1, 0), axis=-1, keepdims=True)
        ties = ops.round(ops.sum(share, axis=-1, keepdims=True) - rest) - 1
    else:
        first = ops.cast(share >= 1, share.dtype)
        rest, ties = ops.sum(share - first, axis=-1, keepdims=True), ops.sum(first, axis=-1, keepdims=True) - 1
    return below - ops.log1p(rest + ties)


def _slope_of_log_softmax(upstream, logits):
    return upstream - softmax(logits) * ops.sum(upstream, axis=-1, keepdims=True)


def _cross_entropy_of(z, y):
    """`y softplus(-z) + (1 - y) softplus(z)`."""

    def value(z, y):
        return ops.relu(z) - z * y - ops.log_sigmoid(ops.abs(z))

    def slopes(upstream, z, y):
        return upstream * ((1 - y) * ops.sigmoid(z) - y * ops.sigmoid(-z)), lambda: -upstream * z

    return with_gradient(value, slopes)(z, y)


def _weighed_cross_entropy(z, positive, negative):
    def value(z, positive, negative):
        return -(positive * ops.log_sigmoid(z) + negative * ops.log_sigmoid(-z))

    def slopes(upstream, z, positive, negative):
        of_weights = (lambda: -upstream * ops.log_sigmoid(z)), (lambda: -upstream * ops.log_sigmoid(-z))
        return (lambda: upstream * (negative * ops.sigmoid(z) - positive * ops.sigmoid(-z))), *of_weights

    return with_gradient(value, slopes)(z, positive, negative)


def _log1p_sum(x, weight):
    _, total, peak = _shares(x, weight, constant_max)
    return softplus(ops.squeeze(safe_log(total) + peak, axis=-1))


def _slopes_of_log1p_sum(upstream, x, weight):
    # The 1 is a term as the others are: beside a large peak, the slope of a rounded logarithm would be rounded as it is.
    share, total, peak = _shares(x, weight, lambda x: ops.relu(constant_max(x)))
    slope = share * (ops.expand_dims(upstream, -1) / maximum(total + ops.exp(-peak), tiny(x)))
    return ops.relu(weight) * slope, lambda: slope * ops.cast(weight > 0, x.dtype)


def _shares(x, weight, highest):
    """`exp(x - peak)` of what has a weight, what they sum to with it, and the peak."""
    x = x + lowest(x) * ops.cast(weight <= 0, x.dtype)
    peak = highest(x)
    share = exp_below(x - peak)
    return share, ops.sum(ops.relu(weight) * share, axis=-1, keepdims=True), peak


def _miss(z, y):
    return y * ops.sigmoid(-z) + (1 - y) * ops.sigmoid(z)


def _slopes_of_miss(upstream, z, y):
    right, wrong = ops.sigmoid(z), ops.sigmoid(-z)
    return upstream * ((1 - 2 * y) * (right * wrong)), lambda: upstream * (wrong - right)


def _side(z):
    """Whether each logit is >= 0, as a number that is a constant, and its magnitude in the form of that side."""
    above = ops.cast(z >= 0, z.dtype)
    return above, (2 * above - 1) * z


def _tail(size):
    """`log(1 + exp(-size))` for numbers >= 0."""
    return ops.log1p(ops.exp(-size))
