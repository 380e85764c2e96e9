"""Cross-entropy of independent yes/no outputs."""

from dataclasses import KW_ONLY
from typing import Any

from keras_losses import math
from keras_losses.core.fields import ClassWeight, Fraction, NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, logit, prob
from keras_losses.core.weighting import binary_weights, check_binary_weights
from keras_losses.regression.elementwise import weigh_outputs


class BinaryCrossentropy(Loss, kw_only=False):
    """Cross-entropy between yes/no labels and predictions, each output on its own.

    Formula: `mean_d -(w_1 pos_d y_d log p_d + w_0 (1 - y_d) log(1 - p_d))` over the labels that count, with `y` smoothed to
    `y (1 - label_smoothing) + label_smoothing / 2`. From logits `log p` and `log(1 - p)` are `-softplus(-z)` and
    `-softplus(z)`. From probabilities they are `log(max(p, 1e-7))` and `log(max(1 - p, 1e-7))`, with the gradients
    `1 / max(p, 1e-7)` and `-1 / max(1 - p, 1e-7)`; a sigmoid that has saturated in float32 passes none of it on, so
    prefer `from_logits=True`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        label_smoothing: in [0, 1].
        axis: the axis of the outputs, over which the mean is taken.
        pos_weight: number >= 0 that multiplies the term of the positive labels, or one number per output, or None.
        class_weight: the weights `(w_0, w_1)` of the two classes, or `{class: weight}`, or None.
        ignore_class: label that marks an unknown output, such as -1 or 255: the output is in no sum and in no number that a
            sum is divided by, and its prediction has no gradient. Where no output of an entry counts, the entry does not.

    Shapes:
        `y_true`: `(B, ..., D)`, labels 0 or 1 or between; `y_pred`: the same; `(B,)` counts as `(B, 1)`. A mask may be as
        fine as that.

    Returns:
        The mean over `axis`, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.BinaryCrossentropy(from_logits=True)(np.array([[1.0]]), np.array([[-30.0]])))
    30.0

    Reference: D. R. Cox, The regression analysis of binary sequences, 1958.
    """

    from_logits: bool = False
    label_smoothing: Fraction = 0.0
    axis: int = -1
    _: KW_ONLY
    pos_weight: NonNegative | tuple[NonNegative, ...] | None = None
    class_weight: ClassWeight = None
    ignore_class: int | None = None

    y_true = binary("B *S D")
    last_axis = "axis"

    @property
    def y_pred(self):
        return logit("B *S D") if self.from_logits else prob("B *S D")

    def validate(self):
        check_binary_weights(self)

    def call(self, y_true, y_pred, mask=None):
        value = output_cross_entropy(self, smooth_binary(y_true, self.label_smoothing), y_pred)
        return mean_of_outputs(value, mask)


def smooth_binary(y_true: Any, amount: float) -> Any:
    """Labels drawn towards 1/2 by `amount`."""
    return y_true * (1 - amount) + 0.5 * amount if amount else y_true


def output_cross_entropy(loss: Any, y_true: Any, y_pred: Any) -> Any:
    """The cross-entropy of each output with its label, under the weights of the loss."""
    if loss.from_logits and loss.class_weight is None and getattr(loss, "pos_weight", None) is None:
        return math.binary_cross_entropy(y_pred, y_true)
    return cross_entropy_of_shares(loss, *label_shares(loss, y_true), y_pred)


def cross_entropy_of_shares(loss: Any, positive: Any, negative: Any, y_pred: Any) -> Any:
    """The cross-entropy of each output, from how much of its label is class 1 and class 0, weights included."""
    if loss.from_logits:
        return math.binary_cross_entropy(y_pred, positive, negative)
    log_p, log_not_p = binary_logs(loss, y_pred)
    return -(positive * log_p + negative * log_not_p)


def label_shares(loss: Any, y_true: Any) -> tuple[Any, Any]:
    """How much of the label is class 1 and class 0, under the weights of the loss."""
    weight_0, weight_1 = binary_weights(loss)
    positive, negative = y_true, 1 - y_true
    if (weight_0, weight_1) != (1, 1):
        positive, negative = weight_1 * positive, weight_0 * negative
    pos_weight = getattr(loss, "pos_weight", None)
    if isinstance(pos_weight, tuple):
        positive = weigh_outputs(loss, positive, pos_weight, "pos_weight")
    elif pos_weight is not None:
        positive = positive * pos_weight
    return positive, negative


def mean_of_outputs(value: Any, mask: Any) -> Any:
    """The mean over the last axis; of what counts there, where `mask` tells its entries apart."""
    apart = mask is not None and len(mask.shape) == len(value.shape)
    return math.masked_mean(value, mask) if apart else math.mean(value)


def binary_logs(loss: Any, y_pred: Any) -> tuple[Any, Any]:
    """`log p` and `log(1 - p)`, from logits or from probabilities."""
    if loss.from_logits:
        return -math.softplus(-y_pred), -math.softplus(y_pred)
    return math.log_probability(y_pred), math.log_probability(1 - y_pred)


binary_crossentropy = function_of(BinaryCrossentropy)
