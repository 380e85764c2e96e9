"""Cross-entropy of one class among several."""

import warnings
from dataclasses import KW_ONLY
from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import ClassWeight, Fraction
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, onehot, simplex
from keras_losses.core.weighting import class_weights, label_weights


class CategoricalCrossentropy(Loss, kw_only=False):
    """Cross-entropy between one-hot or soft labels and predicted classes.

    Formula: `-sum_c w_c y_c log p_c`, with `y` smoothed to `y (1 - label_smoothing) + label_smoothing / C`. From logits
    `log p` is `log_softmax(z)`. Probabilities are divided by their sum, and `log p_c` is `log(max(p_c, 1e-7))` with the
    gradient `1 / max(p_c, 1e-7)`; a softmax that has saturated in float32 passes none of it on, so prefer `from_logits=True`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        label_smoothing: in [0, 1].
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
        ignore_class: id of a class whose rows do not count: not in the sum, not in the number it is divided by. Its row is
            what one-hot encoding makes of it: for an id that is no class, such as -1 or 255, zeros.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., C)`, or with the classes on `axis`.

    Returns:
        One value a distribution, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.CategoricalCrossentropy(from_logits=True)(np.array([[0, 1]]), np.array([[20.0, -20.0]])))
    40.0

    Reference: I. J. Good, Rational decisions, 1952; label smoothing: C. Szegedy et al., 2015, arXiv:1512.00567.
    """

    from_logits: bool = False
    label_smoothing: Fraction = 0.0
    axis: int = -1
    _: KW_ONLY
    class_weight: ClassWeight = None
    ignore_class: int | None = None

    y_true = onehot("B *S C")
    last_axis = "axis"

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def call(self, y_true, y_pred):
        warn_of_one_class(self, y_pred)
        y_true = weigh_classes(self, smooth_labels(y_true, self.label_smoothing))
        if self.from_logits:
            return math.cross_entropy(y_pred, y_true)
        return -ops.sum(y_true * log_probabilities(self, y_pred), axis=-1)


class SparseCategoricalCrossentropy(Loss, kw_only=False):
    """Cross-entropy between integer labels and predicted classes.

    Formula: `-w_y log p_y` for the label y; with `label_smoothing` the label is `1 - label_smoothing` of its class plus
    `label_smoothing / C` of every class. Logits and probabilities are treated as in `CategoricalCrossentropy`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        ignore_class: integer label whose entries do not count: not in the sum, not in the number it is divided by.
        axis: the axis of the classes.
        label_smoothing: in [0, 1].
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `axis`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    >>> float(loss(np.array([1, -1]), np.array([[20.0, -20.0], [0.0, 0.0]])))
    40.0

    Reference: I. J. Good, Rational decisions, 1952.
    """

    from_logits: bool = False
    ignore_class: int | None = None
    _: KW_ONLY
    axis: int = -1
    label_smoothing: Fraction = 0.0
    class_weight: ClassWeight = None

    y_true = label("B *S")
    last_axis = "axis"

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def call(self, y_true, y_pred):
        warn_of_one_class(self, y_pred)
        if self.label_smoothing:
            return of_labels(self, y_true, weigh_classes(self, -log_probabilities(self, y_pred)))
        return label_cross_entropy(self, y_true, y_pred) * label_weights(self, y_true, y_pred)


def of_labels(loss: Any, labels: Any, values: Any) -> Any:
    """The value of each label's class; with `label_smoothing` drawn towards the mean of all classes."""
    value = math.at_label(values, labels)
    if loss.label_smoothing:
        value = (1 - loss.label_smoothing) * value + loss.label_smoothing * math.mean(values)
    return value


def label_cross_entropy(loss: Any, labels: Any, y_pred: Any) -> Any:
    """`-log p` of the labels' classes, from logits or from probabilities of any sum."""
    if loss.from_logits:
        return math.label_cross_entropy(y_pred, labels)
    return -math.log_probability(label_probability(y_pred, labels))


def label_probability(p: Any, labels: Any) -> Any:
    """The entry of each label in `rows_of_one(p)`."""
    return math.at_label(p, labels) / _nonzero(ops.sum(p, axis=-1))


def weigh_classes(loss: Any, x: Any) -> Any:
    """`x` with its classes on the last axis times the `class_weight` of the loss, if it has any."""
    return x if loss.class_weight is None else x * class_weights(loss, x)


def log_probabilities(loss: Any, y_pred: Any) -> Any:
    """`log p` over the last axis, from logits or from probabilities of any sum."""
    if loss.from_logits:
        return math.log_softmax(y_pred)
    return math.log_probability(rows_of_one(y_pred))


def rows_of_one(p: Any) -> Any:
    """Probabilities divided by their sum over the last axis; a row of zeros stays one."""
    return p / _nonzero(ops.sum(p, axis=-1, keepdims=True))


def _nonzero(total):
    return ops.where(total > 0, total, ops.ones_like(total))


def smooth_labels(y_true: Any, amount: float) -> Any:
    """Distributions over the last axis drawn towards the uniform one by `amount`."""
    return y_true * (1 - amount) + amount / y_true.shape[-1] if amount else y_true


def warn_of_one_class(loss: Any, y_pred: Any) -> None:
    if y_pred.shape[-1] == 1:
        warnings.warn(
            f"In loss {loss.name}, y_pred has one class (shape {tuple(y_pred.shape)}): its probability is always 1. "
            "For two classes on one output use BinaryCrossentropy.",
            SyntaxWarning,
            stacklevel=2,
        )


categorical_crossentropy = function_of(CategoricalCrossentropy)
sparse_categorical_crossentropy = function_of(SparseCategoricalCrossentropy, positional=("from_logits", "ignore_class", "axis"))
