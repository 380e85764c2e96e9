"""PolyLoss: cross-entropy and focal loss with more weight on the first term of their series in `1 - p`."""

from typing import Annotated

from keras import ops

from keras_losses.classification.binary import label_shares, mean_of_outputs, output_cross_entropy, smooth_binary
from keras_losses.classification.categorical import (
    log_probabilities,
    rows_of_one,
    smooth_labels,
    warn_of_one_class,
    weigh_classes,
)
from keras_losses.classification.focal import binary_focus, miss_probability
from keras_losses.core.fields import ClassWeight, Fraction, NonNegative, Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, logit, onehot, prob, simplex
from keras_losses.core.weighting import check_binary_weights

# The first coefficient of the series is 1 + epsilon, and no coefficient may be negative.
Coefficient = Annotated[float, Range(ge=-1)]


class PolyCrossentropy(Loss):
    """Categorical cross-entropy plus a multiple of the probability that the label lacks.

    Formula: `sum_c w_c y_c (-log p_c + epsilon (1 - p_c))`; for labels that sum to 1 the second term is
    `epsilon (1 - p_t)` with `p_t = sum_c y_c p_c`. Labels are smoothed, and logits and probabilities treated, as in
    `CategoricalCrossentropy`. `-log p` is the series `sum_j (1 - p)^j / j`, whose first coefficient becomes `1 + epsilon`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        epsilon: number >= -1 added to the first coefficient; 0 gives cross-entropy. The best one depends on the task: the
            paper has 2 on ImageNet and -1 for instance segmentation.
        label_smoothing: in [0, 1].
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None; of both terms.
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
    >>> loss = kl.PolyCrossentropy(from_logits=True, epsilon=2.0)
    >>> float(loss(np.array([[0, 1]]), np.array([[20.0, -20.0]])))
    42.0

    Reference: Z. Leng et al., PolyLoss: a polynomial expansion perspective of classification loss functions, 2022,
    arXiv:2204.12511.
    """

    from_logits: bool = False
    epsilon: Coefficient = 2.0
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
        log_p = log_probabilities(self, y_pred)
        present = ops.expm1(log_p) if self.from_logits else rows_of_one(y_pred) - 1
        y_true = weigh_classes(self, smooth_labels(y_true, self.label_smoothing))
        return -ops.sum(y_true * (self.epsilon * present + log_p), axis=-1)


class PolyFocalCrossentropy(Loss):
    """Binary focal loss plus a multiple of the first term of its series.

    Formula: `mean_d a_d q_d^gamma (bce_d + epsilon q_d)` over the labels that count, with `q = y (1 - p) + (1 - y) p`, the
    probability given to the other label, and `bce` as in `BinaryCrossentropy`; `a = y alpha + (1 - y)(1 - alpha)`, or 1
    where `alpha` is None. That is the paper's `FL + epsilon (1 - p_t)^(gamma + 1)`; as there, `alpha` weighs both terms, and
    so do `class_weight` and `pos_weight`. With `epsilon` 0 it is `BinaryFocalCrossentropy`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        epsilon: number >= -1 added to the first coefficient; 0 gives the focal loss.
        gamma: focusing exponent >= 0.
        alpha: weight of class 1, in [0, 1], against `1 - alpha` of class 0, or None: both weigh 1.
        label_smoothing: in [0, 1].
        axis: the axis of the outputs, over which the mean is taken.
        pos_weight: number >= 0 that multiplies the terms of the positive labels, or one number per output, or None.
        class_weight: the weights of class 0 and class 1, or `{class: weight}`, or None.
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
    >>> float(kl.PolyFocalCrossentropy(from_logits=True, epsilon=2.0)(np.array([[1.0]]), np.array([[-30.0]])))
    32.0

    Reference: Z. Leng et al., PolyLoss: a polynomial expansion perspective of classification loss functions, 2022,
    arXiv:2204.12511.
    """

    from_logits: bool = False
    epsilon: Coefficient = 1.0
    gamma: NonNegative = 2.0
    alpha: Fraction | None = None
    label_smoothing: Fraction = 0.0
    axis: int = -1
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
        y_true = smooth_binary(y_true, self.label_smoothing)
        miss = weighed = miss_probability(self, y_true, y_pred)
        if self.class_weight is not None or self.pos_weight is not None:
            positive, negative = label_shares(self, y_true)
            p = ops.sigmoid(y_pred) if self.from_logits else y_pred
            weighed = positive * (ops.sigmoid(-y_pred) if self.from_logits else 1 - p) + negative * p
        value = output_cross_entropy(self, y_true, y_pred) + self.epsilon * weighed
        return mean_of_outputs(value * binary_focus(self, y_true, miss, self.alpha), mask)


poly_crossentropy = function_of(PolyCrossentropy)
poly_focal_crossentropy = function_of(PolyFocalCrossentropy)
