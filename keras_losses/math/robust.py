"""Costs of an error that grow as its square near 0 and as its size far away: their slopes are stated."""

from typing import Any

from keras import ops

from keras_losses.math.elementary import clip
from keras_losses.math.special import tanh
from keras_losses.math.stated import unfused, with_gradient


def huber(x: Any, delta: float) -> Any:
    """`x^2 / 2` up to `|x| = delta`, from there on the line `delta (|x| - delta / 2)`."""

    if not unfused():
        size = ops.abs(x)
        return ops.where(size <= delta, 0.5 * x * x, delta * (size - 0.5 * delta))

    def value(x):
        near = _within(x, delta)
        return near * (x - 0.5 * near)

    return with_gradient(value, lambda upstream, x: upstream * _within(x, delta))(x)


def log_cosh(x: Any) -> Any:
    """`log(cosh(x))`, exact for tiny and for huge x."""

    def value(x):
        size = ops.abs(x)
        near = ops.clip(size, 0.0, 20.0)  # beyond, it is a line to the last digit
        grown = ops.expm1(near)  # cosh(x) - 1 is half of its square by 1 + grown, exact near 0
        return ops.log1p(0.5 * grown * (grown / (1 + grown))) + (size - near)

    return with_gradient(value, lambda upstream, x: upstream * tanh(x))(x)


def _within(x, bound):
    """`x` within [-bound, bound]; its own slope at the edges differs by backend, so it is for functions that state theirs."""
    return ops.hard_tanh(x) if bound == 1 else clip(x, -bound, bound)  # a third of the passes
