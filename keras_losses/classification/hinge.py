"""Margin losses of classifiers."""

from typing import Annotated, Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import ClassWeight, NonNegative, Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, onehot, real, sign
from keras_losses.core.weighting import binary_weights, check_binary_weights, class_weights, label_weights


class Hinge(Loss):
    """How far a score falls short of the margin 1 on the side of its label.

    Formula: `mean_d w_d max(0, 1 - y_d s_d)` with labels -1 and 1; a label 0 counts as -1, each on its own.

    Args:
        class_weight: the weights of the negative and the positive class, or `{0: weight, 1: weight}`, or None.

    Shapes:
        `y_true`: `(B, ..., D)`, -1 or 1, or 0 or 1; `y_pred`: the same, any real scores; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.Hinge()(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])))
    1.0

    Reference: C. Cortes, V. Vapnik, Support-vector networks, 1995.
    """

    class_weight: ClassWeight = None

    y_true = sign("B *S D")
    y_pred = real("B *S D")

    def validate(self):
        check_binary_weights(self)

    def penalty(self, shortfall: Any) -> Any:
        """What an output costs that falls short of its margin by so much, if that is above 0."""
        if math.unfused():  # PyTorch's compiler keeps the comparison that is the slope of `relu`: ten times as long
            return math.with_gradient(ops.relu, lambda upstream, x: upstream * ops.sign(ops.relu(x)))(shortfall)
        return math.positive_part(shortfall)

    def call(self, y_true, y_pred):
        y_true = y_true - ops.cast(math.absolute(y_true) <= 0, y_true.dtype)  # where ops.equal does not vectorize
        value = self.penalty(1 - y_true * y_pred)
        if self.class_weight is not None:
            negative, positive = binary_weights(self)
            value = value * (negative + (positive - negative) * ops.cast(y_true > 0, value.dtype))
        return math.mean(value)


class SquaredHinge(Hinge):
    """Square of how far a score falls short of the margin 1 on the side of its label.

    Formula: `mean_d w_d max(0, 1 - y_d s_d)^2` with labels -1 and 1; a label 0 counts as -1, each on its own.

    Args:
        class_weight: the weights of the negative and the positive class, or `{0: weight, 1: weight}`, or None.

    Shapes:
        `y_true`: `(B, ..., D)`, -1 or 1, or 0 or 1; `y_pred`: the same, any real scores; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.SquaredHinge()(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])))
    1.25

    Reference: Y. Tang, Deep learning using linear support vector machines, 2013, arXiv:1306.0239.
    """

    def penalty(self, shortfall):
        return ops.square(math.positive_part(shortfall))


class CategoricalHinge(Loss):
    """How far the score of the labelled class falls short of the best other one plus 1.

    Formula: `w_y max(0, 1 + max_c((1 - y_c) s_c) - sum_c y_c s_c)`. As in Keras, the first maximum sees a 0 in place of the
    labelled class. Classes that tie there share the gradient.

    Args:
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ..., C)` one-hot; `y_pred`: the same, any real scores.

    Returns:
        One value a label, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.CategoricalHinge()(np.array([[0, 1, 0]]), np.array([[1.0, 2.0, 1.5]])))
    0.5

    Reference: K. Crammer, Y. Singer, On the algorithmic implementation of multiclass kernel-based vector machines, 2001.
    """

    class_weight: ClassWeight = None

    y_true = onehot("B *S C")
    y_pred = real("B *S C")

    def call(self, y_true, y_pred):
        labelled = y_true * y_pred
        value = math.positive_part(1 + math.largest((1 - y_true) * y_pred) - ops.sum(labelled, axis=-1))
        if self.class_weight is not None:
            value = value * ops.sum(y_true * class_weights(self, y_pred), axis=-1)
        return value


class MultiMargin(Loss):
    """How far the score of the labelled class falls short of each other one plus a margin.

    Formula: `w_y / C sum_{c != y} max(0, margin - s_y + s_c)^p`, as `torch.nn.MultiMarginLoss`: the sum over the other classes
    is divided by the number of all.

    Args:
        p: 1 or 2, the power of each shortfall.
        margin: number >= 0.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
        ignore_class: integer label whose entries do not count.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, any real scores, or with the classes on `axis`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.MultiMargin()(np.array([1]), np.array([[0.5, 1.0, -1.0, 2.0]])))
    0.625

    Reference: J. Weston, C. Watkins, Support vector machines for multi-class pattern recognition, 1999.
    """

    p: Annotated[int, Range(ge=1, le=2)] = 1
    margin: NonNegative = 1.0
    axis: int = -1
    class_weight: ClassWeight = None
    ignore_class: int | None = None

    y_true = label("B *S")
    y_pred = real("B *S C")
    last_axis = "axis"

    def call(self, y_true, y_pred):
        others = 1 - math.one_hot(y_true, y_pred.shape[-1], y_pred.dtype)
        labelled = math.at_label(y_pred, y_true, keepdims=True)
        shortfall = math.positive_part(self.margin - labelled + y_pred)
        if self.p == 2:
            shortfall = ops.square(shortfall)
        return math.mean(others * shortfall) * label_weights(self, y_true, y_pred)


hinge = function_of(Hinge)
squared_hinge = function_of(SquaredHinge)
categorical_hinge = function_of(CategoricalHinge)
multi_margin = function_of(MultiMargin)
