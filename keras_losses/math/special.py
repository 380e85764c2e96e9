"""The logarithm of the gamma function and its derivative, which `keras.ops` lacks."""

from typing import Any

from keras import ops

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
