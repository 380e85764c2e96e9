"""Losses from the four counts of right and wrong pixels: Matthews correlation, sensitivity and specificity."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Fraction, NonNegative
from keras_losses.core.function import function_of
from keras_losses.segmentation.region import RegionMean


class MatthewsCorrelation(RegionMean):
    """One minus the correlation of prediction and target, in which pixels rightly left out count as those rightly seen.

    Formula: `1 - (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN))` per sample and class, averaged over the
    classes, with `TP = sum y p + smooth`, `TN = sum (1 - y) (1 - p) + smooth`, `FP = sum (1 - y) p` and
    `FN = sum y (1 - p)`. It is 0 for a perfect prediction, of an empty or a full target too, 1 for one that tells nothing, 2
    for the opposite of the target. The counts are taken as shares of the pixels, so that no product overflows.

    Where a target is empty or full, the default `smooth` gives any other prediction a loss close to 1 with hardly a
    gradient: raise it (to 1, say) if that is common.

    Args:
        smooth: number >= 0 added to both counts of right pixels. At 0, what has no correlation has the loss 1.
        class_axis: the axis of the classes.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or no class is left.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y = np.array([1.0, 1.0, 0.0, 0.0]).reshape(1, 4, 1)
    >>> p = np.array([1.0, 0.0, 0.0, 0.0]).reshape(1, 4, 1)
    >>> round(float(kl.MatthewsCorrelation()(y, p)), 4)  # 1 - 2 / sqrt(12)
    0.4226

    Reference: K. Abhishek, G. Hamarneh, Matthews correlation coefficient loss for deep convolutional networks, 2021,
    arXiv:2010.13454.
    """

    smooth: NonNegative = math.EPSILON

    def region(self, y_true, y_pred, inside):
        pixels = self.total(ops.ones_like(y_pred), inside)

        def share(count, smooth=0.0):
            return math.safe_divide(self.total(count, inside) + smooth, pixels)

        both, neither = share(y_true * y_pred, self.smooth), share((1 - y_true) * (1 - y_pred), self.smooth)
        only_pred, only_true = share((1 - y_true) * y_pred), share(y_true * (1 - y_pred))
        # Four roots instead of one: the product of four shares of a small region is below the numbers of float32.
        scale = math.safe_sqrt(both + only_pred) * math.safe_sqrt(both + only_true)
        scale = scale * math.safe_sqrt(neither + only_pred) * math.safe_sqrt(neither + only_true)
        correlation = math.safe_divide(both * neither - only_pred * only_true, scale)
        perfect = ops.equal(only_pred + only_true, 0)
        return 1 - ops.where(ops.logical_and(perfect, ops.equal(scale, 0)), ops.ones_like(correlation), correlation)


class SensitivitySpecificity(RegionMean):
    """The squared error in the region and that outside it, each as a mean, weighed against each other.

    Formula: `r sum y (y - p)^2 / sum y + (1 - r) sum (1 - y) (y - p)^2 / sum (1 - y)` per sample and class, averaged over the
    classes, with `r` the `sensitivity_weight`. The first part is the error that costs sensitivity, the second the one that
    costs specificity. A part without pixels, in an empty or a full target, is 0.

    Args:
        sensitivity_weight: weight of the error in the region, in [0, 1]; the paper has 0.01 to 0.1.
        class_axis: the axis of the classes.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or no class is left.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y = np.array([1.0, 0.0, 0.0, 0.0]).reshape(1, 4, 1)
    >>> p = np.array([0.0, 0.5, 0.0, 0.0]).reshape(1, 4, 1)
    >>> round(float(kl.SensitivitySpecificity(sensitivity_weight=0.1)(y, p)), 4)  # 0.1 + 0.9 / 12
    0.175

    Reference: T. Brosch et al., Deep convolutional encoder networks for multiple sclerosis lesion segmentation, 2015.
    """

    sensitivity_weight: Fraction = 0.05

    def region(self, y_true, y_pred, inside):
        error = ops.square(y_true - y_pred)

        def mean(where):
            return math.safe_divide(self.total(where * error, inside), self.total(where, inside))

        return self.sensitivity_weight * mean(y_true) + (1 - self.sensitivity_weight) * mean(1 - y_true)


matthews_correlation = function_of(MatthewsCorrelation)
sensitivity_specificity = function_of(SensitivitySpecificity)
