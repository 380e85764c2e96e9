"""The logarithm of the gamma function, which `keras.ops` lacks, and the circular functions, which it rounds on one backend."""

from typing import Any

import keras
from keras import ops

from keras_losses.math.elementary import clip

# Stirling's series needs a large argument: the recurrence lifts it by this much first.
_LIFT = 8


def lgamma(x: Any) -> Any:
    """`log(gamma(x))` for x > 0.

    `log gamma(x) = log gamma(x + 8) - sum_k log(x + k)`, then Stirling's series (Abramowitz & Stegun 6.1.40). Relative
    to `1 + |value|`, exact to a few roundings of float32, and to 1e-12 in float64.
    """
    z = x + _LIFT
    product = x
    for k in range(1, _LIFT):
        product = product * (x + k)
    # In one product of eight factors float32 overflows from x = 1e4 on; there the lift is not needed.
    small = x < 1e3
    shift = ops.log(ops.where(small, product, ops.ones_like(x)))
    z = ops.where(small, z, x)
    w = 1 / z
    w2 = ops.square(w)
    series = w * (1 / 12 - w2 * (1 / 360 - w2 * (1 / 1260 - w2 * (1 / 1680 - w2 / 1188))))
    return (z - 0.5) * ops.log(z) - z + 0.9189385332046727 + series - shift


def digamma(x: Any) -> Any:
    """The derivative of `lgamma` for x > 0 (Abramowitz & Stegun 6.3.5 and 6.3.18)."""
    z = x + _LIFT
    shift = 0
    for k in range(_LIFT):
        shift = shift + 1 / (x + k)
    w = 1 / z
    w2 = ops.square(w)
    series = w2 * (1 / 12 - w2 * (1 / 120 - w2 * (1 / 252 - w2 * (1 / 240 - w2 / 132))))
    return ops.log(z) - 0.5 * w - series - shift


def sin(x: Any) -> Any:
    """The sine; float64 stays float64, which `ops.sin` rounds on one backend."""
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.sin(x)
    # x = n pi + r with |r| <= pi / 2, pi in two parts so that n times the first is exact; then Taylor's series.
    n = ops.cast(ops.stop_gradient(ops.round(x / 3.141592653589793)), x.dtype)
    r = (x - n * 3.1415926218032837) - n * 3.1786509424591713e-08
    series, square = 1.0, r * r
    for k in range(24, 1, -2):
        series = 1 - square / (k * (k + 1)) * series
    odd = n - 2 * ops.floor(n / 2)
    return (1 - 2 * odd) * r * series


def cos(x: Any) -> Any:
    """The cosine; float64 stays float64, which `ops.cos` rounds on one backend."""
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.cos(x)
    half = sin(0.5 * x)
    return 1 - 2 * half * half


def arctan(x: Any) -> Any:
    """The arcus tangent; float64 stays float64, which `ops.arctan` rounds on one backend."""
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.arctan(x)
    for _ in range(3):  # half the angle each time: at most pi / 16, where the series is short
        x = x / (1 + ops.sqrt(1 + x * x))
    series, square = 0.0, x * x
    for k in range(23, 0, -2):
        series = 1 / k - square * series
    return 8 * x * series


def tanh(x: Any) -> Any:
    """The hyperbolic tangent; float64 stays float64, which `ops.tanh` rounds on one backend."""
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.tanh(x)
    grown = ops.expm1(2 * clip(x, -20.0, 20.0))  # beyond, it is 1
    return grown / (2 + grown)
