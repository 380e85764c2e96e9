"""Between cross-entropy and absolute error: a power of the probability, or a part of the logarithm's series."""

from dataclasses import KW_ONLY
from typing import Annotated, Any

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import rows_of_one
from keras_losses.core.fields import ClassWeight, OpenFraction, Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, simplex
from keras_losses.core.weighting import label_weights
from keras_losses.noisy_labels.labelled import BOUNDED, SmoothedLabelLoss, probabilities


class GeneralizedCrossentropy(SmoothedLabelLoss):
    """Generalized cross-entropy for noisy labels, between cross-entropy (q to 0) and absolute error (q = 1).

    Formula: `sum_c w_c y_c (1 - p_c^q) / q`, with `y` smoothed to `y (1 - label_smoothing) + label_smoothing / C`; for an
    integer label `w_y (1 - p_y^q) / q`. From logits `p^q` is `exp(q log_softmax(z))`. Probabilities are divided by their
    sum; below p = 1e-7 the power is continued as a line through 0, so that the gradient stays finite.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        q: in (0, 1]: the larger, the more robust against wrong labels, the slower to train.
        label_smoothing: in [0, 1].
        ignore_class: integer label whose entries do not count; of one-hot labels the rows that encoding makes of it, which
            are zeros for an id that is no class.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integer class ids, or `(B, ..., C)` one-hot or soft labels: the shape tells which; `y_pred`:
        `(B, ..., C)`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss, p = kl.GeneralizedCrossentropy(q=0.5), np.array([[0.25, 0.75]])
    >>> float(loss(np.array([0]), p)), float(loss(np.array([[1.0, 0.0]]), p))
    (1.0, 1.0)

    Reference: Z. Zhang, M. R. Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy
    labels, 2018, arXiv:1805.07836.
    """

    q: Annotated[float, Range(gt=0, le=1)] = 0.7

    y_true = label("B *S", dense=True)
    by_design = BOUNDED

    def of_classes(self, y_pred):
        if self.from_logits:
            return -ops.expm1(self.q * math.log_softmax(y_pred)) / self.q
        return one_minus_power(rows_of_one(y_pred), self.q)


class CategoricalGeneralizedCrossEntropy(Loss, kw_only=False):
    """Generalized cross-entropy of integer labels and probabilities, under Keras's name and with Keras's default.

    Formula: `w_y (1 - p_y^q) / q` for the predicted probability of the label, as it is given. Below p = 1e-7 the power is
    continued as a line through 0, so that the gradient stays finite. `GeneralizedCrossentropy` takes logits and one-hot
    labels too.

    Args:
        q: in (0, 1): the larger, the more robust against wrong labels, the slower to train.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)` probabilities.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN.

    Raises:
        ValueError: `q` is outside (0, 1), or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.CategoricalGeneralizedCrossEntropy(q=0.5)(np.array([0]), np.array([[0.25, 0.75]])))
    1.0

    Reference: Z. Zhang, M. R. Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy
    labels, 2018, arXiv:1805.07836.
    """

    q: OpenFraction = 0.5
    _: KW_ONLY
    class_weight: ClassWeight = None

    y_true = label("B *S")
    y_pred = simplex("B *S C")

    def call(self, y_true, y_pred):
        p = math.at_label(y_pred, y_true)
        return one_minus_power(p, self.q) * label_weights(self, y_true, y_pred)


class TaylorCrossentropy(SmoothedLabelLoss):
    """Cross-entropy cut to the first terms of its series: absolute error for one term, cross-entropy for all.

    Formula: `w_y sum_{k=1..order} (1 - p_y)^k / k`, smoothed over the classes with `label_smoothing`. Order 1 is half the
    absolute error of the one-hot label, and the loss never exceeds `1 + 1/2 + ... + 1/order`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities, which are divided by their sum.
        order: number of terms, from 1 to 1000: the fewer, the more robust against wrong labels, the slower to train.
        label_smoothing: in [0, 1].
        ignore_class: integer label whose entries do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.TaylorCrossentropy(order=2)(np.array([0]), np.array([[0.5, 0.5]])))
    0.625

    Reference: L. Feng et al., Can cross entropy loss be robust to label noise?, IJCAI 2020, doi:10.24963/ijcai.2020/305.
    """

    order: Annotated[int, Range(ge=1, le=1000)] = 2

    by_design = BOUNDED

    def of_classes(self, y_pred):
        rest = 1 - probabilities(self, y_pred)
        value = rest / self.order
        for k in range(self.order - 1, 0, -1):
            value = rest * (1 / k + value)
        return value


def one_minus_power(p: Any, q: float) -> Any:
    """`(1 - p^q) / q`, exact for every q; below 1e-7 the power is a line through 0."""
    inside = p > math.EPSILON
    curve = -ops.expm1(q * ops.log(ops.where(inside, p, ops.ones_like(p))))
    return ops.where(inside, curve, 1 - p * math.EPSILON ** (q - 1)) / q


categorical_generalized_cross_entropy = function_of(CategoricalGeneralizedCrossEntropy)
generalized_crossentropy = function_of(GeneralizedCrossentropy)
taylor_crossentropy = function_of(TaylorCrossentropy)
