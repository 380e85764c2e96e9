"""Distances to the border of a region: boundary and Hausdorff losses."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive, shorten
from keras_losses.core.function import function_of
from keras_losses.segmentation.maps import Maps


class Boundary(Maps):
    """Predicted probability, weighed by the signed distance to the border of the target.

    Formula: `mean(p phi)` over the pixels, then over the classes. `phi` is the signed distance to the border of the target:
    outside, the distance to its nearest pixel (1 beside it, growing outwards); inside, 1 minus the distance to the nearest
    pixel outside (0 at the border, negative further in). It is computed here, from `y_true > 1/2`, and has no gradient. A class
    whose target is empty, or the whole image, has no border and gives 0. This is the map of the authors' code.

    The value is negative for a good prediction, and its minimum depends on the target: it is not comparable across
    images. Alone it does not train: add it to a region loss, and let its weight grow from near 0 (the paper: 0.01, and
    0.01 more every epoch, while the weight of the region loss falls). `loss = 0.99 * kl.Dice() + 0.01 * kl.Boundary()`
    with `callbacks.LossSchedule(loss, lambda epoch: {"weights": ...})` does so; `layers.AddLoss(kl.Boundary())`, whose
    `weight` is a variable, does it within epochs.

    Args:
        class_axis: the axis of the classes.
        include_background: whether class 0 counts.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"` (as 0), or are left out of its mean (`"skip"`).
        sampling: the size of a pixel along each spatial axis, for instance in millimetres; None: 1. The 1 of the inside
            becomes the smallest of them.

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft, with one spatial axis at least, of known size; `y_pred`: the same,
        probabilities. A mask may be as fine as `(B, ...)`: a pixel that does not count is on no side of a border, and
        not in the mean.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or `sampling` is for another number of axes.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y = np.array([1.0, 1.0, 0.0, 0.0, 0.0]).reshape(1, 5, 1)
    >>> everywhere = np.ones((1, 5, 1))  # -1 and 0 inside, 1, 2 and 3 outside
    >>> float(kl.Boundary()(y, everywhere)), round(float(kl.Boundary()(y, y)), 4)
    (1.0, -0.2)

    Reference: H. Kervadec et al., Boundary loss for highly unbalanced segmentation, 2019, arXiv:1812.07032.
    """

    sampling: tuple[Positive, ...] | None = None

    def region(self, y_true, y_pred, inside):
        within = y_true > 0.5
        distance = ops.sqrt(_squared_distance_across(self, within, inside, y_pred.dtype))
        # 0 is what a map without a border holds everywhere.
        step = 1.0 if self.sampling is None else min(self.sampling)
        signed = ops.where(ops.logical_and(within, distance > 0), step - distance, distance)
        return self.mean(y_pred * ops.stop_gradient(signed), inside)


class HausdorffDistance(Maps):
    """Squared errors, weighed by their distance to the borders of target and prediction: far errors cost most.

    Formula: `mean((p - y)^2 (d_p^alpha + d_y^alpha))` over the pixels, then over the classes. `d` is the unsigned
    distance of a pixel to the border of a map cut at 1/2: to the nearest pixel on the other side; 0 where a map has one
    side only. The distances have no gradient.

    Values grow as the square of the size of the image: weigh it against other losses by a number well below 1. In a
    step, most of the time goes into the distances, of the prediction anew each time; `HausdorffErosion` needs none.

    Args:
        alpha: exponent > 0 of the distances: the larger, the more the farthest errors cost.
        class_axis: the axis of the classes.
        include_background: whether class 0 counts.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).
        sampling: the size of a pixel along each spatial axis, for instance in millimetres; None: 1.

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft, with one spatial axis at least, of known size; `y_pred`: the same,
        probabilities. A mask may be as fine as `(B, ...)`: a pixel that does not count is on no side of a border, and
        not in the mean.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or `sampling` is for another number of axes.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y = np.array([1.0, 1.0, 0.0, 0.0, 0.0]).reshape(1, 5, 1)
    >>> near, far = (y + np.eye(5)[[i]].reshape(1, 5, 1) for i in (2, 4))
    >>> round(float(kl.HausdorffDistance()(y, near)), 4), float(kl.HausdorffDistance()(y, far))
    (0.4, 2.0)

    Reference: D. Karimi, S. E. Salcudean, Reducing the Hausdorff distance in medical image segmentation with convolutional
    neural networks, 2019, arXiv:1904.10030.
    """

    alpha: Positive = 2.0
    sampling: tuple[Positive, ...] | None = None

    def region(self, y_true, y_pred, inside):
        both = ops.stack([y_true, y_pred], axis=1) > 0.5
        inside_both = None if inside is None else ops.expand_dims(inside, 1)
        squared = _squared_distance_across(self, both, inside_both, y_pred.dtype, skip=2)
        weight = ops.sum(_power(squared, self.alpha / 2), axis=1)
        return self.mean(ops.square(y_pred - y_true) * ops.stop_gradient(weight), inside)


def _squared_distance_across(loss: Any, within: Any, inside: Any, dtype: str, skip: int = 1) -> Any:
    """The squared distance of each pixel to the nearest one on the other side of a region; 0 where there is no other side.

    `skip`: how many axes stand before the spatial ones, which are followed by the class axis.
    """
    axes = range(skip, len(within.shape) - 1)
    if loss.sampling is not None and len(loss.sampling) != len(axes):
        raise ValueError(
            f"{loss.name}: `sampling` must hold one number for each of {len(axes)} spatial axes. "
            f"Received: sampling={shorten(loss.sampling)}"
        )
    sides = [within, ops.logical_not(within)]
    if inside is not None:  # a pixel that does not count is on neither side
        sides = [ops.logical_and(side, inside > 0) for side in sides]
    elsewhere = ops.cast(ops.logical_not(ops.stack(sides, axis=1)), dtype)
    squared = math.distance_transform(elsewhere, [a + 1 for a in axes], loss.sampling, squared=True)
    squared = ops.where(within, squared[:, 1], squared[:, 0])
    return ops.where(ops.isfinite(squared), squared, ops.zeros_like(squared))


def _power(x, exponent):
    """`x ** exponent` of numbers >= 0 for an exponent > 0."""
    if exponent == 1:
        return x
    some = x > 0
    return ops.where(some, ops.exp(exponent * ops.log(ops.where(some, x, ops.ones_like(x)))), ops.zeros_like(x))


boundary = function_of(Boundary)
hausdorff_distance = function_of(HausdorffDistance)
