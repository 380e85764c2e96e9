"""Errors that are a function of each pair of numbers, averaged over the last axis."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import PerOutput, Positive
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import count, real


class Elementwise(Loss):
    """Base of losses that are the mean over the last axis of a function of each pair of numbers.

    A subclass writes `element(y_true, y_pred)`.

    Args:
        weights: one number per output (per entry of the last axis) that multiplies its error before the mean; the mean
            still divides by the number of outputs. None: all count alike.
    """

    weights: PerOutput = None

    y_true = real("B *S D")
    y_pred = real("B *S D")

    def element(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `element(self, y_true, y_pred)`.")

    def call(self, y_true, y_pred):
        return math.mean(weigh_outputs(self, self.element(y_true, y_pred), self.weights))


def weigh_outputs(loss: Loss, x: Any, weights: Any, name: str = "weights") -> Any:
    """`x` times one weight an entry of the last axis."""
    if weights is None:
        return x
    if x.shape[-1] != len(weights):
        raise ValueError(f"{loss.name}: `{name}` holds {len(weights)} numbers for {x.shape[-1]} outputs.")
    return x * ops.convert_to_tensor(weights, dtype=x.dtype)


class MeanSquaredError(Elementwise):
    """Mean of the squared error.

    Formula: `mean_d w_d (y_pred_d - y_true_d)^2`.

    Args:
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.MeanSquaredError(weights=(1, 2, 3))(np.zeros((1, 3)), np.ones((1, 3))))
    2.0

    Reference: C. F. Gauss, Theoria combinationis observationum erroribus minimis obnoxiae, 1823.
    """

    def element(self, y_true, y_pred):
        return ops.square(y_pred - y_true)


class MeanAbsoluteError(Elementwise):
    """Mean of the absolute error.

    Formula: `mean_d w_d |y_pred_d - y_true_d|`; the gradient is 0 where the two agree.

    Args:
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.MeanAbsoluteError()(np.zeros((1, 2)), np.array([[1.0, -2.0]])))
    1.5

    Reference: P.-S. Laplace, Theorie analytique des probabilites, 1812.
    """

    def element(self, y_true, y_pred):
        return math.absolute(y_pred - y_true)


class MeanAbsolutePercentageError(Elementwise):
    """Mean of the absolute error relative to the target, in percent.

    Formula: `100 mean_d w_d |y_pred_d - y_true_d| / max(|y_true_d|, 1e-7)`. A target of 0 makes the error huge: use another
    loss for data with zeros.

    Args:
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.MeanAbsolutePercentageError()(np.array([[2.0]]), np.array([[3.0]])))
    50.0

    Reference: S. Makridakis, Accuracy measures: theoretical and practical concerns, 1993.
    """

    def element(self, y_true, y_pred):
        scale = math.maximum(ops.abs(y_true), math.EPSILON)  # noqa: TID251  the maximum has no slope at the kink
        return 100 * math.absolute((y_pred - y_true) / scale)


class MeanSquaredLogarithmicError(Elementwise):
    """Mean of the squared difference of the logarithms, for positive numbers over several orders of magnitude.

    Formula: `mean_d w_d (log(1 + max(y_pred_d, 1e-7)) - log(1 + max(y_true_d, 1e-7)))^2`. A prediction below 1e-7 counts as
    1e-7, with the gradient that it has there, so that it recovers.

    Args:
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)`, numbers >= 0; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.MeanSquaredLogarithmicError()(np.array([[0.0]]), np.array([[np.e - 1]]))) # doctest: +ELLIPSIS
    0.99999...

    Reference: S. Makridakis, Accuracy measures: theoretical and practical concerns, 1993.
    """

    y_true = count("B *S D")
    y_pred = count("B *S D")

    def element(self, y_true, y_pred):
        predicted = ops.log1p(math.floor(y_pred, math.EPSILON))
        return ops.square(predicted - ops.log1p(math.maximum(y_true, math.EPSILON)))


class Huber(Elementwise, kw_only=False):
    """Quadratic for small errors, linear for large ones.

    Formula: `mean_d w_d h(y_pred_d - y_true_d)` with `h(e) = e^2 / 2` for `|e| <= delta`, else `delta |e| - delta^2 / 2`.

    Args:
        delta: where the loss becomes linear, > 0.
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: `delta` is not positive, the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.Huber(delta=2.0)(np.zeros((1, 1)), np.array([[5.0]])))
    8.0

    Reference: P. J. Huber, Robust estimation of a location parameter, 1964.
    """

    default_name = "huber_loss"  # as in Keras

    delta: Positive = 1.0

    def element(self, y_true, y_pred):
        return math.huber(y_pred - y_true, self.delta)


class LogCosh(Elementwise):
    """Logarithm of the hyperbolic cosine of the error: like the squared error near 0, like the absolute one far away.

    Formula: `mean_d w_d log(cosh(y_pred_d - y_true_d))`, exact for tiny and for huge errors.

    Args:
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.LogCosh()(np.zeros((1, 1)), np.array([[1e-4]]))) * 1e9, 3)
    5.0

    Reference: P. Chen, G. Chen, S. Zhang, Log hyperbolic cosine loss improves variational auto-encoder, 2019.
    """

    def element(self, y_true, y_pred):
        return math.log_cosh(y_pred - y_true)


mean_squared_error = function_of(MeanSquaredError)
mean_absolute_error = function_of(MeanAbsoluteError)
mean_absolute_percentage_error = function_of(MeanAbsolutePercentageError)
mean_squared_logarithmic_error = function_of(MeanSquaredLogarithmicError)
huber = function_of(Huber)
log_cosh = function_of(LogCosh)
