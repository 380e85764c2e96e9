"""What the losses of regions share: classes, masks, sums over pixels, and the mean over the classes of a sample."""

from typing import Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import ClassWeight, NonNegative, shorten
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, prob
from keras_losses.core.weighting import class_weights


class Region(Loss):
    """Base of losses that compare regions, class by class: a subclass writes `compare(y_true, y_pred, inside, weight)`.

    Args:
        class_axis: the axis of the classes.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, background included, or `{class: weight}`: the mean over the classes
            is weighted.
        empty: a class that is absent from the target of a sample `"count"`s (it is right when nothing is predicted), or is
            left out of the mean (`"skip"`; a sample without any class does not count at all).
    """

    class_axis: int = -1
    include_background: bool = True
    class_weight: ClassWeight = None
    empty: Literal["count", "skip"] = "count"

    y_true = binary("B *S C")
    y_pred = prob("B *S C")
    last_axis = "class_axis"

    def call(self, y_true, y_pred, mask=None):
        rank, weight = len(y_pred.shape), class_weights(self, y_pred)
        if not self.include_background:
            if y_pred.shape[-1] == 1:
                raise ValueError(f"{self.name}: without the background there is no class left. Give it a channel of its own.")
            y_true, y_pred = y_true[..., 1:], y_pred[..., 1:]
            weight = weight if isinstance(weight, int) else weight[1:]
        inside = None if mask is None else ops.cast(pad_rank(mask, rank), y_pred.dtype)
        if inside is not None and inside.shape[-1] != 1 and not self.include_background:
            inside = inside[..., 1:]
        return self.compare(y_true, y_pred, inside, weight)

    def compare(self, y_true: Any, y_pred: Any, inside: Any, weight: Any) -> Any:
        """The values of the samples, and with `empty="skip"` which count. `inside` goes to `total`; `weight` is `(C,)` or 1."""
        raise NotImplementedError(f"{type(self).__name__} must define `compare(self, y_true, y_pred, inside, weight)`.")

    def presence(self, y_true: Any, inside: Any, weight: Any) -> Any:
        """The weights of the regions, 0 for those that `empty` leaves out."""
        if self.empty == "count":
            return weight
        return weight * ops.cast(self.total(y_true, inside) > 0, weight.dtype)

    def total(self, x: Any, inside: Any) -> Any:
        """The sum over the pixels of each region that the mask lets through, with the summed axes kept as 1."""
        x = x if inside is None else x * inside
        axes = self.summed(len(x.shape))
        if len(axes) == 1:
            return ops.sum(x, axis=axes[0], keepdims=True)
        # Axis by axis: one backend adds up a million pixels one after the other, and loses three digits. The halves, exact
        # in any float, keep its compiler from making one sum of these again.
        for axis in reversed(axes):
            x = 0.5 * ops.sum(x, axis=axis, keepdims=True)
        return x * 2.0 ** len(axes)

    def overlap(self, y_true: Any, y_pred: Any, inside: Any, soft_label: bool) -> tuple[Any, Any, Any]:
        """The `total` of what target and prediction share, and of what only the prediction and only the target has."""
        if soft_label:  # the smaller of the two is (y + p - |y - p|) / 2; where they are equal no part has a gradient
            only_pred, only_true = math.positive_part(y_pred - y_true), math.positive_part(y_true - y_pred)
            return tuple(self.total(x, inside) for x in (y_true - only_true, only_pred, only_true))
        if inside is not None:
            y_true, y_pred = y_true * inside, y_pred * inside

        def sums(y, p):
            both = y * p
            return tuple(self.total(x, None) for x in (both, p - both, y - both))

        if not math.unfused():
            return sums(y_true, y_pred)

        # Derived, the slopes take eight passes over memory where nothing fuses; stated, two.
        def slopes(upstream, y, p):
            both, only_p, only_y = (upstream[i] for i in range(3))
            both = both - only_p - only_y
            return (lambda: only_y + both * p), only_p + both * y

        found = math.with_gradient(lambda y, p: ops.stack(sums(y, p)), slopes)(y_true, y_pred)
        return found[0], found[1], found[2]

    def pixel_mean(self, x: Any, inside: Any) -> Any:
        """The mean over the pixels of each sample that the mask lets through, of sums over the classes."""
        pixels = self.total(ops.ones_like(x), inside)
        return ops.sum(math.safe_divide(self.total(x, inside), pixels), axis=tuple(range(1, len(x.shape))))

    def summed(self, rank: int) -> tuple[int, ...]:
        """The axes of a region, the class axis being the last."""
        return tuple(range(1, rank - 1))


class RegionMean(Region):
    """Base of losses that are a mean over the classes: a subclass writes `region(y_true, y_pred, inside)`."""

    def region(self, y_true: Any, y_pred: Any, inside: Any) -> Any:
        """One value a region, with the summed axes kept as 1. `inside` goes to `total`."""
        raise NotImplementedError(f"{type(self).__name__} must define `region(self, y_true, y_pred, inside)`.")

    def compare(self, y_true, y_pred, inside, weight):
        value = self.region(y_true, y_pred, inside)
        if self.empty == "count" and isinstance(weight, int):
            return math.mean(value, axis=tuple(range(1, len(value.shape))))
        value, some = weighted_mean(value, self.presence(y_true, inside, weight * ops.ones_like(value)))
        return (value, counts(some, inside)) if self.empty == "skip" else value


class Overlap(RegionMean):
    """Base of losses that are a share of what does not overlap: a subclass writes `terms`.

    Args:
        smooth: number >= 0 added to numerator and denominator of the overlap: empty against empty is 0.
        soft_label: what a pixel shares is the smaller of y and p, instead of their product.
    """

    smooth: NonNegative = math.EPSILON
    soft_label: bool = False

    def terms(self, both: Any, only_pred: Any, only_true: Any) -> tuple[Any, Any]:
        """What a region has right, and what it has wrong, from its `overlap`."""
        raise NotImplementedError(f"{type(self).__name__} must define `terms(self, both, only_pred, only_true)`.")

    def region(self, y_true, y_pred, inside):
        right, wrong = self.terms(*self.overlap(y_true, y_pred, inside, self.soft_label))
        # One minus (right + smooth) / (right + wrong + smooth), without the rounding of the difference.
        whole = right + wrong + self.smooth
        return wrong / whole if self.smooth >= math.EPSILON else math.safe_divide(wrong, whole)


class OverlapOnAxes(Overlap):
    """An overlap with the `axis` of Keras.

    Args:
        axis: the axes that are summed, without the batch axis 0; the mean is taken over those that remain. None: all axes
            but batch and class, then the mean over the classes.
    """

    axis: int | tuple[int, ...] | None = None

    def validate(self):
        if self.axis == () or 0 in self._axes():
            raise ValueError(
                f"{type(self).__name__}: `axis` must name axes other than the batch axis 0: a loss has one value a sample. "
                f"Received: axis={shorten(self.axis)}"
            )

    def _axes(self) -> tuple[int, ...]:
        return (self.axis,) if isinstance(self.axis, int) else self.axis or ()

    def call(self, y_true, y_pred, mask=None):
        rank = len(y_pred.shape)
        if self.class_weight is not None and rank - 1 in self.summed(rank):
            raise ValueError(f"{self.name}: `axis` sums over the classes, so `class_weight` has none to weigh.")
        return super().call(y_true, y_pred, mask)

    def summed(self, rank):
        if self.axis is None:
            return super().summed(rank)
        last, given = self.class_axis % rank, [a % rank for a in self._axes()]
        if 0 in given or any(not -rank <= a < rank for a in self._axes()):
            raise ValueError(f"{self.name}: axis={shorten(self.axis)} must name axes of a tensor of {rank} axes other than 0.")
        return tuple(rank - 1 if a == last else a - (a > last) for a in given)


def weighted_mean(value: Any, weight: Any) -> tuple[Any, Any]:
    """The mean over all axes but the first, 0 where the weights are, and where they are not."""
    rest = tuple(range(1, len(value.shape)))
    total = ops.sum(weight, axis=rest)
    return math.safe_divide(ops.sum(value * weight, axis=rest), total), total > 0


def counts(some: Any, inside: Any) -> Any:
    """Which samples count: those with something to compare. One that is taken out whole is for the base, which leaves it out
    where a mask does that, and keeps it in the number that a mean is divided by where a weight of 0 does."""
    if inside is None:
        return some
    return ops.logical_or(some, ops.logical_not(ops.any(inside, axis=tuple(range(1, len(inside.shape))))))


def with_background(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Classes on the last axis, of which 0 is the background: a single channel is the foreground, what it lacks the other."""
    if y_pred.shape[-1] > 1:
        return y_true, y_pred
    return tuple(ops.concatenate([1 - x, x], axis=-1) for x in (y_true, y_pred))
