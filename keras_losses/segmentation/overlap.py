"""Overlap of a predicted with a true region: Dice and Tversky."""

from typing import Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import ClassWeight, NonNegative, shorten
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, prob
from keras_losses.core.weighting import class_weights


class Overlap(Loss):
    """Base of losses that compare sums over a region: a subclass writes `region(true, pred, both)`.

    Args:
        axis: the axes that are summed, without the batch axis 0; the mean is taken over those that remain. None: all axes
            but batch and class, then the mean over the classes.
        class_axis: the axis of the classes.
        smooth: number >= 0 added to numerator and denominator: empty against empty is 0.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: a class that is absent from the target of a sample `"count"`s (it is right when nothing is predicted), or is
            left out of the mean (`"skip"`; a sample without any class does not count at all).
    """

    axis: int | tuple[int, ...] | None = None
    class_axis: int = -1
    smooth: NonNegative = math.EPSILON
    class_weight: ClassWeight = None
    empty: Literal["count", "skip"] = "count"

    y_true = binary("B *S C")
    y_pred = prob("B *S C")
    last_axis = "class_axis"

    def validate(self):
        if self.axis == () or 0 in self._axes():
            raise ValueError(
                f"{type(self).__name__}: `axis` must name axes other than the batch axis 0: a loss has one value a sample. "
                f"Received: axis={shorten(self.axis)}"
            )

    def _axes(self) -> tuple[int, ...]:
        return (self.axis,) if isinstance(self.axis, int) else self.axis or ()

    def region(self, true: Any, pred: Any, both: Any) -> Any:
        """The loss of a region from the sums of the target, of the prediction, and of their product."""
        raise NotImplementedError(f"{type(self).__name__} must define `region(self, true, pred, both)`.")

    def call(self, y_true, y_pred, mask=None):
        if mask is not None:
            inside = ops.cast(pad_rank(mask, len(y_pred.shape)), y_pred.dtype)
            y_true, y_pred = y_true * inside, y_pred * inside
        rank = len(y_pred.shape)
        axes = self._summed(rank)
        true, pred, both = (ops.sum(x, axis=axes, keepdims=True) for x in (y_true, y_pred, y_true * y_pred))
        value = self.region(true, pred, both)
        weight = ops.ones_like(value)
        if self.class_weight is not None:
            if rank - 1 in axes:
                raise ValueError(f"{self.name}: `axis` sums over the classes, so `class_weight` has none to weigh.")
            weight = weight * class_weights(self, y_pred)
        if self.empty == "skip":
            weight = weight * ops.cast(true > 0, value.dtype)
        rest = tuple(range(1, rank))
        total = ops.sum(weight, axis=rest)
        value = math.safe_divide(ops.sum(value * weight, axis=rest), total)
        return (value, total > 0) if self.empty == "skip" else value

    def _summed(self, rank: int) -> tuple[int, ...]:
        """The summed axes, now that the class axis is the last."""
        if self.axis is None:
            return tuple(range(1, rank - 1))
        last, given = self.class_axis % rank, [a % rank for a in self._axes()]
        if 0 in given or any(not -rank <= a < rank for a in self._axes()):
            raise ValueError(f"{self.name}: axis={shorten(self.axis)} must name axes of a tensor of {rank} axes other than 0.")
        return tuple(rank - 1 if a == last else a - (a > last) for a in given)


class Dice(Overlap):
    """One minus the Dice coefficient: the share of two regions that does not overlap.

    Formula: `1 - (2 sum y p + smooth) / (sum y + sum p + smooth)` per sample and class, averaged over the classes. Empty
    against empty is 0. Where a target is empty, the default `smooth` gives any prediction a loss close to 1 with hardly a
    gradient: raise it (to 1, say) for small regions, or for single probabilities.

    Args:
        axis: the axes that are summed, an integer or a tuple without the batch axis 0, as in Keras; the mean is taken
            over those that remain. None: all axes but batch and class.
        class_axis: the axis of the classes.
        smooth: number >= 0 added to numerator and denominator.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A flattened region `(B, N)` has no axis
        to sum over: pass `(B, N, 1)`. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: the shapes differ, or `axis` names the batch axis.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> mask = np.array([1.0, 1.0, 0.0, 0.0]).reshape(1, 4, 1)
    >>> round(float(kl.Dice()(mask, np.array([1.0, 0.0, 1.0, 0.0]).reshape(1, 4, 1))), 4)
    0.5

    Reference: F. Milletari, N. Navab, S.-A. Ahmadi, V-Net, 2016, arXiv:1606.04797 (with squared denominators there).
    """

    def region(self, true, pred, both):
        return 1 - _ratio(2 * both + self.smooth, true + pred + self.smooth)


class Tversky(Overlap, kw_only=False):
    """One minus the Tversky index: an overlap in which false alarms and misses weigh as one likes.

    Formula: `1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)` per sample and class with `TP = sum y p`,
    `FP = sum (1 - y) p`, `FN = sum y (1 - p)`, averaged over the classes. With both 1/2 it is Dice.

    Args:
        alpha: weight >= 0 of false positives.
        beta: weight >= 0 of false negatives.
        axis: the axes that are summed, an integer or a tuple without the batch axis 0, as in Keras; the mean is taken
            over those that remain. None: all axes but batch and class.
        class_axis: the axis of the classes.
        smooth: number >= 0 added to numerator and denominator.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A flattened region `(B, N)` has no axis
        to sum over: pass `(B, N, 1)`. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

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

    def region(self, true, pred, both):
        false_positive, false_negative = pred - both, true - both
        return 1 - _ratio(both + self.smooth, both + self.alpha * false_positive + self.beta * false_negative + self.smooth)


def _ratio(overlap, size):
    """Overlap over size; nothing against nothing, which only `smooth=0` leaves as 0 / 0, is a full overlap."""
    empty = ops.equal(size, 0)
    return ops.where(empty, ops.ones_like(size), overlap / ops.where(empty, ops.ones_like(size), size))


dice = function_of(Dice, positional=("axis",))
tversky = function_of(Tversky, positional=("alpha", "beta", "axis"))
