"""Overlap of a predicted with a true region: Dice, Jaccard and Tversky."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.segmentation.region import OverlapOnAxes


class Squarable(OverlapOnAxes):
    """Base of the overlaps that have a form with squared sizes.

    Args:
        squared: sizes are sums of squares.
    """

    squared: bool = False

    def overlap(self, y_true, y_pred, inside, soft_label):
        if not self.squared:
            return super().overlap(y_true, y_pred, inside, soft_label)
        # y^2 + p^2 = 2 y p + (y - p)^2: with squares the product is right for soft labels too.
        return self.total(y_true * y_pred, inside), self.total(ops.square(y_true - y_pred), inside), 0


class Dice(Squarable):
    """One minus the Dice coefficient: the share of two regions that does not overlap.

    Formula: `1 - (2 sum y p + smooth) / (sum y + sum p + smooth)` per sample and class, averaged over the classes; with
    `squared` the sums in the denominator are of `y^2` and `p^2`. Empty against empty is 0. Where a target is empty, the
    default `smooth` gives any prediction a loss close to 1 with hardly a gradient: raise it (to 1, say) for small regions,
    or for single probabilities.

    A soft target `y` is not where this formula is smallest: `sum y p` falls short of `sum y`. `soft_label=True` has
    `sum (y + p - |y - p|) / 2` in its place, which is the same for targets of 0 and 1, and is 0 at `p = y` and only there.

    Args:
        axis: the axes that are summed, an integer or a tuple without the batch axis 0, as in Keras; the mean is taken
            over those that remain. None: all axes but batch and class.
        class_axis: the axis of the classes.
        smooth: number >= 0 added to numerator and denominator.
        squared: the denominator has sums of squares, as in the paper; right for soft labels as it is.
        soft_label: the form that is right for soft labels.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A flattened region `(B, N)` has no axis
        to sum over: pass `(B, N, 1)`. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: the shapes differ, `axis` names the batch axis, or no class is left.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> mask = np.array([1.0, 1.0, 0.0, 0.0]).reshape(1, 4, 1)
    >>> round(float(kl.Dice()(mask, np.array([1.0, 0.0, 1.0, 0.0]).reshape(1, 4, 1))), 4)
    0.5

    Reference: F. Milletari, N. Navab, S.-A. Ahmadi, V-Net, 2016, arXiv:1606.04797 (with squared denominators there); soft
    labels: Z. Wang et al., Dice semimetric losses, 2023, arXiv:2303.16296.
    """

    def terms(self, both, only_pred, only_true):
        return 2 * both, only_pred + only_true


class Jaccard(Squarable):
    """One minus the Jaccard index, the intersection over the union of two regions.

    Formula: `1 - (sum y p + smooth) / (sum y + sum p - sum y p + smooth)` per sample and class, averaged over the classes.
    `squared` and `soft_label` change the sums as in `Dice`. Empty against empty is 0.

    Args:
        axis: the axes that are summed, an integer or a tuple without the batch axis 0, as in Keras; the mean is taken
            over those that remain. None: all axes but batch and class.
        class_axis: the axis of the classes.
        smooth: number >= 0 added to numerator and denominator.
        squared: `sum y` and `sum p` are sums of squares; right for soft labels as it is.
        soft_label: the form that is smallest, 0, at `p = y` for soft labels too.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A flattened region `(B, N)` has no axis
        to sum over: pass `(B, N, 1)`. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: the shapes differ, `axis` names the batch axis, or no class is left.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> mask = np.array([1.0, 1.0, 0.0, 0.0]).reshape(1, 4, 1)
    >>> round(float(kl.Jaccard()(mask, np.array([1.0, 0.0, 1.0, 0.0]).reshape(1, 4, 1))), 4)
    0.6667

    Reference: P. Jaccard, The distribution of the flora in the alpine zone, 1912; soft labels: Z. Wang et al., Jaccard
    metric losses, 2023, arXiv:2302.05666.
    """

    def terms(self, both, only_pred, only_true):
        return both, only_pred + only_true


class Tversky(OverlapOnAxes, kw_only=False):
    """One minus the Tversky index: an overlap in which false alarms and misses weigh as one likes.

    Formula: `1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)` per sample and class with `TP = sum y p`,
    `FP = sum (1 - y) p`, `FN = sum y (1 - p)`, averaged over the classes. With both 1/2 it is Dice. With `soft_label`,
    `TP = sum (y + p - |y - p|) / 2`, and FP and FN are what is left of `sum p` and `sum y`.

    Args:
        alpha: weight >= 0 of false positives.
        beta: weight >= 0 of false negatives.
        axis: the axes that are summed, an integer or a tuple without the batch axis 0, as in Keras; the mean is taken
            over those that remain. None: all axes but batch and class.
        class_axis: the axis of the classes.
        smooth: number >= 0 added to numerator and denominator.
        soft_label: the form that is smallest, 0, at `p = y` for soft labels too.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A flattened region `(B, N)` has no axis
        to sum over: pass `(B, N, 1)`. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or no class is left.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.Tversky(alpha=0.9, beta=0.1)
    >>> y, p = np.array([1.0, 0.0]).reshape(1, 2, 1), np.array([1.0, 1.0]).reshape(1, 2, 1)
    >>> round(float(loss(y, p)), 4), round(float(loss(p, y)), 4)
    (0.4737, 0.0909)

    Reference: S. S. M. Salehi, D. Erdogmus, A. Gholipour, Tversky loss function for image segmentation, 2017,
    arXiv:1706.05721.
    """

    alpha: NonNegative = 0.5
    beta: NonNegative = 0.5

    def terms(self, both, only_pred, only_true):
        return both, self.alpha * only_pred + self.beta * only_true


class FocalTversky(Tversky):
    """The Tversky loss of each class to the power of `1 / gamma`.

    Formula: `(1 - TI)^(1 / gamma)` per sample and class, with the index `TI` as in `Tversky`, averaged over the classes (the
    paper sums them). A root is infinitely steep at 0: below 1e-7 it is continued as a line, and at `TI = 1` the gradient
    is 0. With `gamma` above 1 a class is learned the harder the better it overlaps, with `gamma` below 1 the other way round.

    Args:
        alpha: weight >= 0 of false positives; the paper calls it beta.
        beta: weight >= 0 of false negatives; the paper calls it alpha.
        gamma: number > 0; its inverse is the exponent. 1 gives `Tversky`; the paper has 1 to 3.
        axis: the axes that are summed, an integer or a tuple without the batch axis 0, as in Keras; the mean is taken
            over those that remain. None: all axes but batch and class.
        class_axis: the axis of the classes.
        smooth: number >= 0 added to numerator and denominator.
        soft_label: the form that is smallest, 0, at `p = y` for soft labels too.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A flattened region `(B, N)` has no axis
        to sum over: pass `(B, N, 1)`. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or no class is left.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, p = np.array([1.0, 0.0]).reshape(1, 2, 1), np.array([0.5, 0.0]).reshape(1, 2, 1)
    >>> round(float(kl.FocalTversky(beta=1.0, gamma=2.0)(y, p)), 4)
    0.7071

    Reference: N. Abraham, N. M. Khan, A novel focal Tversky loss function with improved attention U-Net for lesion
    segmentation, 2018, arXiv:1810.07842.
    """

    alpha: NonNegative = 0.3
    beta: NonNegative = 0.7
    gamma: Positive = 4 / 3

    def region(self, y_true, y_pred, inside):
        return root(super().region(y_true, y_pred, inside), 1 / self.gamma)


def root(x: Any, exponent: float) -> Any:
    """`x ** exponent` of a loss in [0, 1], with gradient 0 at 0 and a finite one everywhere."""
    return math.power(math.positive_part(x), exponent)


dice = function_of(Dice, positional=("axis",))
jaccard = function_of(Jaccard)
tversky = function_of(Tversky, positional=("alpha", "beta", "axis"))
focal_tversky = function_of(FocalTversky)
