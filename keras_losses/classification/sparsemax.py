"""The loss of the sparsemax: probabilities of which most are exactly 0."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import smooth_labels, warn_of_one_class
from keras_losses.core.fields import ClassWeight, Fraction
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import logit, onehot, simplex
from keras_losses.core.weighting import class_weights


class Sparsemax(Loss):
    """The loss whose gradient is the sparsemax of the logits minus the label.

    Formula: `|y|^2 / 2 - y z + sum_{c in S} (z_c^2 - tau^2) / 2` for logits z, where `sparsemax(z)_c = max(0, z_c - tau)` is
    the distribution nearest to z, and S its support. The value is 0 as soon as the logit of a one-hot label exceeds all
    others by 1; the gradient is `sparsemax(z) - y`.

    Args:
        from_logits: `y_pred` holds logits. If not, it holds the sparsemax of them, or any other probabilities. These do not
            tell the logits, many of which have one sparsemax p; the value is the least loss of those, `|p - y|^2 / 2`,
            half the Brier score, with gradient `p - y`. It pulls classes at 0 no further down, and a sparsemax layer passes
            nothing on to classes that it sets to 0, the label too: train with `from_logits=True`.
        label_smoothing: in [0, 1]: labels become `y (1 - label_smoothing) + label_smoothing / C`.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None: a row weighs `sum_c y_c w_c`.
        ignore_class: id of a class whose rows do not count, as in `CategoricalCrossentropy`; for an id that is no class
            rows of zeros.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., C)`, or with the classes on `axis`.

    Returns:
        One value a distribution, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.Sparsemax(from_logits=True)
    >>> float(loss(np.array([[1, 0]]), np.array([[1.0, 0.0]]))), float(loss(np.array([[0, 1]]), np.array([[9.0, 0.0]])))
    (0.0, 9.0)

    Reference: A. F. T. Martins, R. F. Astudillo, From softmax to sparsemax: a sparse model of attention and multi-label
    classification, 2016, arXiv:1602.02068.
    """

    from_logits: bool = False
    label_smoothing: Fraction = 0.0
    axis: int = -1
    class_weight: ClassWeight = None
    ignore_class: int | None = None

    y_true = onehot("B *S C")
    last_axis = "axis"

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def call(self, y_true, y_pred):
        warn_of_one_class(self, y_pred)
        y_true = smooth_labels(y_true, self.label_smoothing)
        if self.from_logits:
            z = y_pred - math.constant_max(y_pred)  # a common shift changes nothing
            p = _sparsemax(z)
            # The formula with z_c = p_c + tau inside the support: no squares of large logits, 0 where p is y.
            value = ops.sum((p - y_true) * z + 0.5 * (ops.square(y_true) - ops.square(p)), axis=-1)
        else:
            value = 0.5 * ops.sum(ops.square(y_pred - y_true), axis=-1)
        return value if self.class_weight is None else value * ops.sum(y_true * class_weights(self, y_pred), axis=-1)


def _sparsemax(z: Any) -> Any:
    """The sparsemax of logits whose maximum is 0.

    Linear in the logits as long as its support stays: with the support as a constant both derivatives are right.
    """
    inside = ops.stop_gradient(_support(z))
    tau = (ops.sum(inside * z, axis=-1, keepdims=True) - 1) / ops.sum(inside, axis=-1, keepdims=True)
    return inside * (z - tau)


def _support(z):
    """1 for the classes above the threshold, 0 for the others."""
    z = math.maximum(z, -1.0)  # what is 1 below the maximum is outside
    # The k largest would sum to 1 over a threshold of their own; the highest of these is the threshold.
    total, size = (ops.cast(ops.cumsum(x, axis=-1), z.dtype) for x in (-ops.sort(-z, axis=-1), ops.ones_like(z)))
    tau = math.constant_max((total - 1) / size)
    # One backend adds up in float32: two steps of Newton's method repair that, as the sum over a threshold is convex in it.
    for _ in range(2):
        inside = ops.cast(z > tau, z.dtype)
        tau = (ops.sum(inside * z, axis=-1, keepdims=True) - 1) / ops.sum(inside, axis=-1, keepdims=True)
    return ops.cast(z > tau, z.dtype)


sparsemax = function_of(Sparsemax)
