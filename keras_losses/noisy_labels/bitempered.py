"""The bi-tempered logistic loss: a softmax with heavy tails under a logarithm that is bounded."""

from typing import Annotated, Any

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import smooth_labels, warn_of_one_class
from keras_losses.core.fields import ClassWeight, Fraction, Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit
from keras_losses.core.weighting import class_weights

# Steps until nothing changes in float64, up to t = 1.5 and above. Over distances from 0 to 1e4, up to 1e6 classes and every
# temperature, the worst found needs 6 and 11 (at t = 2); most need 4.
_STEPS, _MORE_STEPS = 8, 14


class BiTemperedLogistic(Loss):
    """Logistic loss with two temperatures: one bounds what an outlier costs, one gives the softmax heavy tails.

    Formula: `sum_c y_c (log_t1 y_c - log_t1 p_c) - (y_c^(2 - t1) - p_c^(2 - t1)) / (2 - t1)`, times the weight of the
    label's class, with `log_t x = (x^(1 - t) - 1) / (1 - t)` and the tempered softmax `p_c = exp_t2(z_c - lambda)`,
    `exp_t x = (1 + (1 - t) x)^(1 / (1 - t))`, lambda such that `sum_c p_c = 1`. With `t1 = t2 = 1` it is the Kullback-
    Leibler divergence from the softmax: softmax cross-entropy for hard labels.

    lambda is found to the last digit of the dtype, and its derivatives are those of the implicit function.

    Args:
        t1: in [0, 1]: below 1 a label costs at most `1 / (1 - t1)`.
        t2: number >= 1: above 1 the tails of the softmax are powers instead of exponentials.
        label_smoothing: in [0, 1]: labels become `y (1 - label_smoothing) + label_smoothing / C`. The authors' program gives
            its amount s to the other classes alone: that is `label_smoothing = s C / (C - 1)`.
        ignore_class: integer label whose entries do not count; of one-hot labels the rows that encoding makes of it, which
            are zeros for an id that is no class.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None; a soft label has the mean weight of its
            classes.

    Shapes:
        `y_true`: `(B, ...)` integer class ids, or `(B, ..., C)` one-hot or soft labels: the shape tells which; `y_pred`:
        `(B, ..., C)` activations, which are no probabilities and whose softmax is not that of the loss.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.BiTemperedLogistic(t1=0.0, t2=2.0)
    >>> round(float(loss(np.array([1]), np.array([[1.5, 0.0]]))), 4)
    0.4444

    Reference: E. Amid et al., Robust bi-tempered logistic loss based on Bregman divergences, 2019, arXiv:1906.03361.
    """

    t1: Fraction = 0.8
    t2: Annotated[float, Range(ge=1)] = 1.2
    label_smoothing: Fraction = 0.0
    ignore_class: int | None = None
    class_weight: ClassWeight = None

    y_true = label("B *S", dense=True)
    y_pred = logit("B *S C")

    def call(self, y_true, y_pred):
        warn_of_one_class(self, y_pred)
        log_p = tempered_log_softmax(y_pred, self.t2)
        if len(y_true.shape) < len(y_pred.shape):
            y_true = math.one_hot(y_true, y_pred.shape[-1], y_pred.dtype)
        y = smooth_labels(y_true, self.label_smoothing)
        log_y, order = math.safe_log(y), 2 - self.t1
        linear = y * (_log_t(log_y, self.t1) - _log_t(log_p, self.t1))
        convex = (ops.exp(order * log_y) - ops.exp(order * log_p)) / order
        return ops.sum(linear - convex, axis=-1) * ops.sum(y_true * class_weights(self, y_pred), axis=-1)


def _log_t(log_x: Any, t: float) -> Any:
    """The tempered logarithm of `x`, from its logarithm."""
    return log_x if t == 1 else ops.expm1((1 - t) * log_x) / (1 - t)


def tempered_log_softmax(logits: Any, t: float) -> Any:
    """The logarithm of the tempered softmax over the last axis, for t >= 1.

    Relative to the largest logit, `log p = top - log(1 + s d exp(s top)) / s` with `s = t - 1`, the distance d to the largest
    logit, and the logarithm `top` of its probability, in [-log C, 0]: the one unknown, which makes the p sum to 1.
    """
    if t == 1:
        return math.log_softmax(logits)
    s = t - 1
    distance = math.constant_max(logits) - logits
    fixed = ops.stop_gradient(distance)
    top = ops.zeros_like(fixed[..., :1])
    for _ in range(_STEPS if s <= 0.5 else _MORE_STEPS):
        top = _step(top, fixed, s)
    # Two steps of Newton's method on a root give the first and the second derivative of the implicit function, and
    # leave the root where it is.
    top = ops.stop_gradient(top)
    for _ in range(2):
        log_sum, slope = _sum_and_slope(top, distance, s)
        top = top - log_sum / slope
    return _log_p(top, _grown(top, distance, s), s)


def _grown(top, distance, s):
    return distance * (s * ops.exp(s * top))


def _log_p(top, grown, s):
    return top - ops.log1p(grown) / s


def _sum_and_slope(top, distance, s):
    """`log sum p`, and its derivative with respect to `top`, in [1/C, 1]."""
    grown = _grown(top, distance, s)
    p = ops.exp(_log_p(top, grown, s))
    total = ops.sum(p, axis=-1, keepdims=True)
    return ops.log(total), ops.sum(p / (1 + grown), axis=-1, keepdims=True) / total


def _step(top, distance, s):
    """One step of Newton's method for `(sum p)^-s = 1` in the variable `exp(-s top)`.

    In it the left side is concave and grows, so that the steps come to the root from one side, whatever the start.
    """
    log_sum, slope = _sum_and_slope(top, distance, s)
    y = s * math.positive_part(log_sum)
    # The logarithm of 1 + (e^y - 1) / slope: where e^y is large it is factored out.
    near = math.minimum(y, 1.0)
    grown = ops.where(y < 1, ops.log1p(ops.expm1(near) / slope), y + ops.log1p((slope - 1) * ops.exp(-y)) - ops.log(slope))
    return top - grown / s


bi_tempered_logistic = function_of(BiTemperedLogistic)
