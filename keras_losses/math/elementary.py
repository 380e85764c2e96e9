"""Element-wise functions with a finite value and a finite gradient, the same on every backend.

The raw operations differ at their kinks: the gradient of `abs` at 0 is 1 on one backend and 0 on the others, a tie in
`maximum` is split on two of them, `clip` at its edge gives 0.5 or 1. Here the gradient at a kink is 0.

Where `ops` has a function and Python an operator (`x @ y`), the operator is used: on some backends the function
rounds float64 to float32, as `ops.maximum`, `logaddexp` and `mean` do too.
"""

from typing import Any

import keras
from keras import ops

from keras_losses.math.stated import unfused, with_gradient

EPSILON = 1e-7
"""Smallest probability that a loss tells from 0, as in Keras."""


def tiny(x: Any) -> float:
    """The smallest normal number of the dtype of `x`."""
    return 2.2250738585072014e-308 if keras.backend.standardize_dtype(x.dtype) == "float64" else 1.1754943508222875e-38


def rounding(x: Any) -> float:
    """The distance from 1 to the next number of the dtype of `x`."""
    return 2.0**-52 if keras.backend.standardize_dtype(x.dtype) == "float64" else 2.0**-23


def absolute(x: Any) -> Any:
    """`|x|` with gradient 0 at 0."""
    if keras.backend.backend() != "jax":
        return ops.abs(x)
    return ops.where(x > 0, x, ops.where(x < 0, -x, 0 * x))  # 0 * x: NaN stays NaN


def positive_part(x: Any) -> Any:
    """`max(x, 0)` with gradient 0 at 0."""
    return ops.relu(x)


def minimum(x: Any, high: float) -> Any:
    """`min(x, high)` for a number `high`, with gradient 0 from `high` on. NaN stays NaN."""
    if unfused():
        return -ops.threshold(-x, -high, -high)
    return ops.where(x >= high, ops.full_like(x, high), x)


def maximum(x: Any, low: float) -> Any:
    """`max(x, low)` for a number `low`, with gradient 0 up to `low`. NaN stays NaN."""
    if unfused():  # one pass each way, where a choice takes ten; elsewhere it is a choice, and loses NaN
        return ops.threshold(x, low, low)
    return ops.where(x <= low, ops.full_like(x, low), x)


def lesser(x: Any, y: Any) -> Any:
    """The smaller of two tensors, entry by entry; the two share the gradient where they are equal."""
    if unfused() and not _double(x):  # of which ops.minimum makes float32
        return with_gradient(ops.minimum, _slopes_of_lesser)(x, y)
    return ops.where(x < y, x, ops.where(y < x, y, 0.5 * x + 0.5 * y))


def greater(x: Any, y: Any) -> Any:
    """The larger of two tensors, entry by entry; the two share the gradient where they are equal."""
    if unfused() and not _double(x):
        return with_gradient(ops.maximum, _slopes_of_greater)(x, y)
    return ops.where(x > y, x, ops.where(y > x, y, 0.5 * x + 0.5 * y))


def _slopes_of_lesser(upstream, x, y):
    return _slopes_of_greater(upstream, y, x)


def _slopes_of_greater(upstream, x, y):
    share = 0.5 + 0.5 * ops.sign(x - y)
    return lambda: upstream * share, lambda: upstream * (1 - share)


def _double(x):
    return keras.backend.standardize_dtype(x.dtype) == "float64"


def clip(x: Any, low: float, high: float) -> Any:
    """`x` within [low, high], with gradient 0 at the edges and outside. NaN stays NaN."""
    return minimum(maximum(x, low), high)


def whole(x: Any, high: int) -> Any:
    """`x` rounded down and within [0, high], as an integer; NaN, of which no backend makes the same one, is 0."""
    x = ops.where(x > 0, x, ops.zeros_like(x))
    return ops.cast(ops.where(x < high, x, ops.full_like(x, high)), "int32")


def floor(x: Any, low: float) -> Any:
    """`max(x, low)` with the gradient 1 everywhere, so that a value below `low` can still recover."""
    if unfused() and not _double(x):  # of which ops.maximum makes float32
        return with_gradient(lambda x: ops.maximum(x, low), lambda upstream, _: upstream)(x)
    return ops.stop_gradient(maximum(x, low)) + (x - ops.stop_gradient(x))


def log_probability(p: Any, low: float = EPSILON) -> Any:
    """`log(max(p, low))` with the gradient `1 / max(p, low)`: finite, and alive at p = 0."""
    return ops.log(floor(p, low))


def safe_log(x: Any) -> Any:
    """`log(x)` for x > 0; below the smallest normal number its logarithm, with gradient 0."""
    return ops.log(maximum(x, tiny(x)))


def safe_sqrt(x: Any) -> Any:
    """`sqrt(x)` with value and gradient 0 at 0 and below. NaN stays NaN."""
    if unfused():
        return with_gradient(lambda x: ops.sqrt(ops.relu(x)), _slope_of_sqrt)(x)
    nothing = x <= 0  # not what is NaN
    return ops.where(nothing, ops.zeros_like(x), ops.sqrt(ops.where(nothing, ops.ones_like(x), x)))


def _slope_of_sqrt(upstream, x):
    return 0.5 * upstream * ops.rsqrt(ops.threshold(x, 0, float("inf")))


def safe_divide(x: Any, y: Any) -> Any:
    """`x / y`, and 0 with gradient 0 where `y` is 0, or too small for a normal number. NaN stays NaN."""
    if unfused():
        return with_gradient(_quotient, _slopes_of_quotient)(x, y)
    unusable = ops.abs(y) < tiny(y)  # not what is NaN
    y = ops.where(unusable, ops.ones_like(y), y)
    # The slope is -x / y^2, and one backend squares y: below 1e-19 that is 0 in float32, and the slope NaN. A constant factor
    # that makes a small y about 1 changes neither the value nor a derivative.
    scale = ops.stop_gradient(ops.where(ops.abs(y) < 1, 1 / y, ops.ones_like(y)))
    quotient = (x * scale) / (y * scale)
    return ops.where(unusable, 0 * x, quotient)


def _quotient(x, y):
    unusable = ops.cast(ops.abs(y) < tiny(y), y.dtype)
    return x * (1 - unusable) / (y + unusable)


def _slopes_of_quotient(upstream, x, y):
    slope = _quotient(upstream, y)
    return lambda: slope, lambda: -slope * _quotient(x, y)


def xlogy(x: Any, y: Any) -> Any:
    """`x log(y)`, and 0 with gradient 0 where `x` is 0, whatever `y` is."""
    nonzero = ops.not_equal(x, 0)
    product = x * safe_log(ops.where(nonzero, y, ops.ones_like(y)))
    return ops.where(nonzero, product, ops.zeros_like(product))


def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`, exact in both tails."""
    # ops.softplus is x from a threshold on, on one backend from 20: 2e-9 off, which float32 does not notice.
    return -ops.log_sigmoid(-x) if keras.backend.standardize_dtype(x.dtype) == "float64" else ops.softplus(x)


def logaddexp(x: Any, y: Any) -> Any:
    """`log(exp(x) + exp(y))`, with the gradient shared evenly at a tie."""
    if unfused():
        return with_gradient(_logaddexp, _slopes_of_logaddexp)(x, y)
    above = x > y
    high, low = ops.where(above, x, y), ops.where(above, y, x)
    return high + softplus(low - high)


def _logaddexp(x, y):
    return greater(x, y) + softplus(-ops.abs(x - y))


def _slopes_of_logaddexp(upstream, x, y):
    return lambda: upstream * ops.sigmoid(x - y), lambda: upstream * ops.sigmoid(y - x)


def log1mexp(x: Any) -> Any:
    """`log(1 - exp(x))` for x < 0, exact near 0 and far from it; at 0 and above, that of the number closest to 0."""
    x = minimum(x, -tiny(x))
    near = x > -0.6931471805599453
    by_expm1 = ops.log(-ops.expm1(ops.where(near, x, -ops.ones_like(x))))
    by_log1p = ops.log1p(-ops.exp(ops.where(near, -ops.ones_like(x), x)))
    return ops.where(near, by_expm1, by_log1p)


def one_minus_exp(x: Any) -> Any:
    """`1 - exp(x)` for x <= 0, exact near 0, and with the slope `-exp(x)` far from it too, where that of `expm1` is 0."""
    near = x > -1
    return ops.where(near, -ops.expm1(ops.where(near, x, ops.zeros_like(x))), 1 - ops.exp(x))


def power(x: Any, exponent: Any, low: float = EPSILON) -> Any:
    """`x ** exponent` for x >= 0 and exponents > 0, continued below `low` as a line through 0: finite derivatives.

    The exponents 2 and 4 need no line.
    """
    if isinstance(exponent, (int, float)) and exponent in (2, 4):
        return ops.square(x) if exponent == 2 else ops.square(ops.square(x))
    inside = x > low
    # By way of the logarithm: PyTorch's code generator cannot compile a power whose exponent is a number of a loss.
    curve = ops.exp(exponent * ops.log(ops.where(inside, x, ops.ones_like(x))))
    return ops.where(inside, curve, x * low ** (exponent - 1))


def focal_weight(log_q: Any, gamma: float) -> Any:
    """`q ** gamma` from `log q`, finite with its gradient for every gamma >= 0."""
    return ops.ones_like(log_q) if gamma == 0 else ops.exp(gamma * log_q)
