"""Costs of an error that grow as its square near 0 and as its size far away: their slopes are stated."""

from typing import Any

import keras
from keras import ops

from keras_losses.math.elementary import clip
from keras_losses.math.special import tanh
from keras_losses.math.stated import with_gradient


def huber(x: Any, delta: float) -> Any:
    """`x^2 / 2` up to `|x| = delta`, from there on the line `delta (|x| - delta / 2)`."""

    def value(x):
        size = ops.abs(x)
        near = _within(size, 0.0, delta)
        return near * (size - 0.5 * near)

    return with_gradient(value, lambda upstream, x: upstream * _within(x, -delta, delta))(x)


def log_cosh(x: Any) -> Any:
    """`log(cosh(x))`, exact for tiny and for huge x."""

    def value(x):
        size = ops.abs(x)
        near = ops.clip(size, 0.0, 20.0)  # beyond, it is a line to the last digit
        grown = ops.expm1(0.5 * near)
        half = 0.5 * (grown + grown / (1 + grown))  # sinh(near / 2), exact near 0
        return ops.log1p(2 * half * half) + (size - near)

    return with_gradient(value, lambda upstream, x: upstream * tanh(x))(x)


def _within(x, low, high):
    """`x` within [low, high]; its own slope at the edges differs by backend, so it is for functions that state theirs."""
    # One operation, but one backend rounds the bounds to float32.
    return (clip if keras.backend.standardize_dtype(x.dtype) == "float64" else ops.clip)(x, low, high)
