"""Losses of box offsets, as detectors with anchors predict them: quadratic or balanced near 0, linear far away."""

import math as scalar
from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive, shorten
from keras_losses.core.function import function_of
from keras_losses.regression.elementwise import Elementwise


def smooth(size: Any, beta: float) -> Any:
    """`size^2 / (2 beta)` below `beta`, `size - beta / 2` from there on, for sizes >= 0."""
    if beta == 0:
        return size
    near = math.minimum(size, beta)
    return near / beta * (size - 0.5 * near)


class SmoothL1(Elementwise):
    """Quadratic for small errors, linear for large ones, with the slope 1 there.

    Formula: `mean_d w_d s(|y_pred_d - y_true_d|)` with `s(x) = x^2 / (2 beta)` below beta, else `x - beta / 2`. It is the Huber
    loss divided by its delta.

    Args:
        beta: where the loss becomes linear, >= 0; 0 is the absolute error.
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real, D = 4 for the offsets of a box; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced; detectors often take the sum, which is D times as much.

    Raises:
        ValueError: `beta` is negative, the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.SmoothL1(beta=2.0)(np.zeros((1, 1)), np.array([[5.0]])))
    4.0

    Reference: R. Girshick, Fast R-CNN, 2015, arXiv:1504.08083 (with beta 1).
    """

    beta: NonNegative = 1.0

    def element(self, y_true, y_pred):
        return smooth(math.absolute(y_pred - y_true), self.beta)


class BalancedL1(Elementwise):
    """Smooth L1 that raises the gradient of accurate predictions.

    Formula: `mean_d w_d l(|y_pred_d - y_true_d|)` where l has the slope `alpha ln(b x / beta + 1)` below beta and gamma beyond;
    `alpha ln(b + 1) = gamma` makes them meet.

    Args:
        alpha: factor > 0 of the slope of small errors; a smaller one raises it.
        gamma: slope > 0 of large errors, at most 80 alpha.
        beta: where the loss becomes linear, > 0.
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real, D = 4 for the offsets of a box; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced; detectors often take the sum, which is D times as much.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.BalancedL1()(np.zeros((1, 1)), np.array([[1.0]]))), 4)
    1.0786

    Reference: J. Pang et al., Libra R-CNN, 2019, arXiv:1904.02701 (with beta 1). For another beta MMDetection's form is not the
    integral of that slope: its minimum is not at 0.
    """

    alpha: Positive = 0.5
    gamma: Positive = 1.5
    beta: Positive = 1.0

    def validate(self):
        if self.gamma > 80 * self.alpha:  # exp(gamma / alpha) must be a number of float32
            raise ValueError(
                f"{type(self).__name__}: `gamma` must be at most 80 alpha. "
                f"Received: alpha={shorten(self.alpha)}, gamma={shorten(self.gamma)}"
            )

    def element(self, y_true, y_pred):
        size = math.absolute(y_pred - y_true)
        near = math.minimum(size, self.beta)
        b = scalar.expm1(self.gamma / self.alpha)
        curve = self.alpha / b * (b * near + self.beta) * ops.log1p(b / self.beta * near) - self.alpha * near
        return curve + self.gamma * (size - near)


smooth_l1 = function_of(SmoothL1)
balanced_l1 = function_of(BalancedL1)
