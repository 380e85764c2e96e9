"""Overlap in which classes are more or less alike: the Wasserstein Dice loss."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import rows_of_one
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import ClassWeight, NonNegative, shorten
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, simplex
from keras_losses.core.weighting import label_weights


class GeneralizedWassersteinDice(Loss):
    """One minus a Dice score in which an error costs the distance between the classes that are confused.

    Formula: `1 - (2 TP + smooth) / (2 TP + E + smooth)` per sample. `W_i = sum_c M[y_i, c] p_ic` is the Wasserstein
    distance of the prediction at pixel i to its label, `M` the distances between the classes, divided by the largest;
    `E = sum_i W_i` over all pixels, and `TP = sum_i (1 - W_i)` over those whose label is not the background, class 0. With
    `class_weight`, a pixel weighs what the class of its label does, in both sums.

    The paper has `M[y_i, 0] - W_i` for `1 - W_i`: the same where every class is as far from the background as can be, as
    classes should be. A sample that is all background has no TP: any error at all gives a loss close to 1 with hardly a
    gradient, unless `smooth` is raised.

    Args:
        distance_matrix: the distances between the classes, a square of numbers >= 0 with zeros on its diagonal, as nested
            tuples or lists or an array: row y holds what it costs to take class y for each other. It is required.
        from_logits: `y_pred` holds logits, not probabilities.
        ignore_class: integer label whose pixels do not count.
        class_axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
        smooth: number >= 0 added to numerator and denominator.

    Shapes:
        `y_true`: `(B, ...)` integers, 0 the background; `y_pred`: `(B, ..., C)`, or with the classes on `class_axis`. A
        mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced. A sample with a label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, the matrix is not as above or not of C classes, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> kin = ((0, 1, 1), (1, 0, 0.5), (1, 0.5, 0))  # classes 1 and 2 are alike
    >>> loss = kl.GeneralizedWassersteinDice(distance_matrix=kin)
    >>> y = np.array([[0, 1, 1]])
    >>> to_kin, to_background = np.eye(3)[[[0, 1, 2]]], np.eye(3)[[[0, 1, 0]]]
    >>> round(float(loss(y, to_kin)), 4), round(float(loss(y, to_background)), 4)
    (0.1429, 0.3333)

    Reference: L. Fidon et al., Generalised Wasserstein Dice score for imbalanced multi-class segmentation using holistic
    convolutional networks, 2017, arXiv:1707.00478.
    """

    distance_matrix: tuple[tuple[NonNegative, ...], ...]
    from_logits: bool = False
    ignore_class: int | None = None
    class_axis: int = -1
    class_weight: ClassWeight = None
    smooth: NonNegative = math.EPSILON

    y_true = label("B *S")
    last_axis = "class_axis"

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    @classmethod
    def example_arguments(cls, classes: int) -> dict[str, Any]:
        """Classes on a line, the background as far from each as can be."""
        far, each = float(classes), range(classes)
        return {"distance_matrix": tuple(tuple(abs(i - j) if i * j or i == j else far for j in each) for i in each)}

    def validate(self):
        matrix = self.distance_matrix
        square = len(matrix) > 1 and all(len(row) == len(matrix) for row in matrix)
        if not square or any(matrix[i][i] != 0 for i in range(len(matrix))) or not any(map(any, matrix)):
            raise ValueError(
                f"{type(self).__name__}: `distance_matrix` must be square, with zeros on its diagonal and some number > 0. "
                f"Received: {shorten(matrix)}"
            )

    def call(self, y_true, y_pred, mask=None):
        classes, matrix = y_pred.shape[-1], self.distance_matrix
        if len(matrix) != classes:
            raise ValueError(f"{self.name}: `distance_matrix` is of {len(matrix)} classes, there are {classes}.")
        p = math.softmax(y_pred) if self.from_logits else rows_of_one(y_pred)
        largest = max(map(max, matrix))
        distances = ops.convert_to_tensor([[d / largest for d in row] for row in matrix], dtype=p.dtype)
        error = ops.sum(ops.take(distances, y_true, axis=0) * p, axis=-1)
        weight = label_weights(self, y_true, p)
        if mask is not None:
            weight = weight * ops.cast(pad_rank(mask, len(error.shape)), p.dtype)
        weight = weight * ops.ones_like(error)
        pixels = tuple(range(1, len(error.shape)))
        right = ops.sum(weight * (1 - error) * ops.cast(y_true != 0, p.dtype), axis=pixels)
        wrong = ops.sum(weight * error, axis=pixels)
        # One minus (2 right + smooth) / (2 right + wrong + smooth), without the rounding of the difference.
        return math.safe_divide(wrong, 2 * right + wrong + self.smooth)


generalized_wasserstein_dice = function_of(GeneralizedWassersteinDice)
