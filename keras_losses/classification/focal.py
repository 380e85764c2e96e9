"""Focal losses: cross-entropy that weighs easy examples down."""

from dataclasses import KW_ONLY
from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.classification.binary import mean_of_outputs, output_cross_entropy, smooth_binary
from keras_losses.classification.categorical import (
    label_probability,
    of_labels,
    rows_of_one,
    smooth_labels,
    warn_of_one_class,
    weigh_classes,
)
from keras_losses.core.fields import ClassWeight, Fraction, NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, label, logit, onehot, prob, simplex
from keras_losses.core.weighting import check_binary_weights, label_weights, per_class
from keras_losses.regression.elementwise import weigh_outputs


class BinaryFocalCrossentropy(Loss, kw_only=False):
    """Binary cross-entropy, weighed by how far the prediction is from the label.

    Formula: `mean_d a_d q_d^gamma bce_d` over the labels that count, with `q = y (1 - p) + (1 - y) p`, the probability given
    to the other label, `bce` as in `BinaryCrossentropy`, and `a = y alpha + (1 - y)(1 - alpha)` with
    `apply_class_balancing`, else 1. From logits `q` is exact however small it is, so that value and gradient are right for
    every logit and gamma.

    Args:
        apply_class_balancing: weigh the two classes by `alpha` and `1 - alpha`.
        alpha: weight of class 1, in [0, 1].
        gamma: focusing exponent >= 0; 0 gives binary cross-entropy.
        from_logits: `y_pred` holds logits, not probabilities.
        label_smoothing: in [0, 1].
        axis: the axis of the outputs, over which the mean is taken.
        class_weight: the weights of class 0 and class 1, or `{class: weight}`, or None.
        pos_weight: number >= 0 that multiplies the cross-entropy of the positive labels, or one number per output, or None.
        ignore_class: label that marks an unknown output, such as -1 or 255: the output does not count, as in
            `BinaryCrossentropy`.

    Shapes:
        `y_true`: `(B, ..., D)`, labels 0 or 1 or between; `y_pred`: the same; `(B,)` counts as `(B, 1)`. A mask may be as
        fine as that.

    Returns:
        The mean over `axis`, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.BinaryFocalCrossentropy(from_logits=True)(np.array([[1.0]]), np.array([[-30.0]])))
    30.0

    Reference: T.-Y. Lin et al., Focal loss for dense object detection, 2017, arXiv:1708.02002.
    """

    apply_class_balancing: bool = False
    alpha: Fraction = 0.25
    gamma: NonNegative = 2.0
    from_logits: bool = False
    label_smoothing: Fraction = 0.0
    axis: int = -1
    _: KW_ONLY
    class_weight: ClassWeight = None
    pos_weight: NonNegative | tuple[NonNegative, ...] | None = None
    ignore_class: int | None = None

    y_true = binary("B *S D")
    last_axis = "axis"

    @property
    def y_pred(self):
        return logit("B *S D") if self.from_logits else prob("B *S D")

    def validate(self):
        check_binary_weights(self)

    def call(self, y_true, y_pred, mask=None):
        y_true = smooth_binary(y_true, self.label_smoothing)
        alpha = self.alpha if self.apply_class_balancing else None
        focus = binary_focus(self, y_true, miss_probability(self, y_true, y_pred), alpha)
        value = output_cross_entropy(self, y_true, y_pred) * focus
        return mean_of_outputs(value, mask)


def binary_focus(loss: Any, y_true: Any, miss: Any, alpha: float | None) -> Any:
    """What the focal loss weighs a cross-entropy by: `q^gamma`, balanced by `alpha` for class 1 against `1 - alpha`."""
    weight = math.focal_power(miss, loss.gamma)
    return weight if alpha is None else weight * (y_true * alpha + (1 - y_true) * (1 - alpha))


def miss_probability(loss: Any, y_true: Any, y_pred: Any) -> Any:
    """The probability that a prediction gives to the other label, for losses with `from_logits`."""
    if loss.from_logits:
        return math.miss_probability(y_pred, y_true)
    return y_true * (1 - y_pred) + (1 - y_true) * y_pred


class CategoricalFocalCrossentropy(Loss, kw_only=False):
    """Categorical cross-entropy, each class weighed by how far its probability is from 1.

    Formula: `-sum_c alpha_c w_c (1 - p_c)^gamma_c y_c log p_c`, labels smoothed and probabilities divided by their sum as in
    `CategoricalCrossentropy`. From logits `1 - p_c` is the share of the other logits, not a difference, so that value and
    gradient are right for every logit and gamma.

    Args:
        alpha: number >= 0 that multiplies every class, or one number per class.
        gamma: focusing exponent >= 0, or one per class; 0 gives `alpha` times categorical cross-entropy.
        from_logits: `y_pred` holds logits, not probabilities.
        label_smoothing: in [0, 1].
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
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
    >>> loss = kl.CategoricalFocalCrossentropy(alpha=1.0, from_logits=True)
    >>> float(loss(np.array([[0, 1]]), np.array([[20.0, -20.0]])))
    40.0

    Reference: T.-Y. Lin et al., Focal loss for dense object detection, 2017, arXiv:1708.02002.
    """

    alpha: NonNegative | tuple[NonNegative, ...] = 0.25
    gamma: NonNegative | tuple[NonNegative, ...] = 2.0
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
        return _factor(self) * ops.sum(smooth_labels(y_true, self.label_smoothing) * _of_classes(self, y_pred), axis=-1)


class SparseCategoricalFocalCrossentropy(Loss, kw_only=False):
    """Cross-entropy between integer labels and predicted classes, weighed by how far the probability of the label is from 1.

    Formula: `-alpha_y w_y (1 - p_y)^gamma_y log p_y` for the label y; with `label_smoothing` the label is
    `1 - label_smoothing` of its class plus `label_smoothing / C` of every class. Logits and probabilities are treated as in
    `CategoricalFocalCrossentropy`, whose value for one-hot labels it has.

    Args:
        alpha: number >= 0 that multiplies every class, or one number per class.
        gamma: focusing exponent >= 0, or one per class; 0 gives `alpha` times cross-entropy.
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
    >>> loss = kl.SparseCategoricalFocalCrossentropy(alpha=1.0, from_logits=True, ignore_class=255)
    >>> float(loss(np.array([1, 255]), np.array([[20.0, -20.0], [0.0, 0.0]])))
    40.0

    Reference: T.-Y. Lin et al., Focal loss for dense object detection, 2017, arXiv:1708.02002.
    """

    alpha: NonNegative | tuple[NonNegative, ...] = 0.25
    gamma: NonNegative | tuple[NonNegative, ...] = 2.0
    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1
    _: KW_ONLY
    label_smoothing: Fraction = 0.0
    class_weight: ClassWeight = None

    y_true = label("B *S")
    last_axis = "axis"

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def call(self, y_true, y_pred):
        if self.label_smoothing or isinstance(self.alpha, tuple) or isinstance(self.gamma, tuple):
            return _factor(self) * of_labels(self, y_true, _of_classes(self, y_pred))
        warn_of_one_class(self, y_pred)
        log_p, miss = log_and_miss(self, y_pred, y_true)
        return -self.alpha * label_weights(self, y_true, y_pred) * log_p * math.focal_power(miss, self.gamma)


def log_and_miss(loss: Any, y_pred: Any, labels: Any = None) -> tuple[Any, Any]:
    """`log p` and `1 - p` of each class, or of those that are labels."""
    if loss.from_logits:
        return math.log_and_miss(y_pred, labels)
    p = rows_of_one(y_pred) if labels is None else label_probability(y_pred, labels)
    return math.log_probability(p), 1 - p


def _of_classes(loss, y_pred):
    """The loss of each class if it were the label, divided by `_factor`."""
    warn_of_one_class(loss, y_pred)
    log_p, miss = log_and_miss(loss, y_pred)
    gamma = per_class(loss, y_pred, "gamma", loss.gamma) if isinstance(loss.gamma, tuple) else loss.gamma
    value = log_p * math.focal_power(miss, gamma)
    value = weigh_outputs(loss, value, loss.alpha, "alpha") if isinstance(loss.alpha, tuple) else value
    return weigh_classes(loss, value)


def _factor(loss):
    """The sign, and an `alpha` that is one number: of each distribution, which has fewer numbers than classes."""
    return -1.0 if isinstance(loss.alpha, tuple) else -loss.alpha


binary_focal_crossentropy = function_of(BinaryFocalCrossentropy)
categorical_focal_crossentropy = function_of(CategoricalFocalCrossentropy)
sparse_categorical_focal_crossentropy = function_of(SparseCategoricalFocalCrossentropy)
