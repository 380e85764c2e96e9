"""Erosion and dilation in a loss: Hausdorff distance by erosion, and the centre lines of thin structures."""

from typing import Annotated

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Range
from keras_losses.core.function import function_of
from keras_losses.segmentation.maps import Maps

Count = Annotated[int, Range(ge=0)]


class HausdorffErosion(Maps):
    """Squared errors, eroded step by step: the larger a region of errors, the more it costs.

    Formula: the mean over the pixels of `sum_k k^alpha E_k`, k = 1 to `iterations`, then over the classes. `E_0` is
    `(p - y)^2`; `E_k` is `E_(k-1)` convolved with a cross of `2 d + 1` equal weights (in d dimensions, 0 outside the image),
    less 1/2, cut at 0, and stretched so that its smallest value is 0 and its largest 1, unless it is constant.

    The paper does not stretch. But values cut at 1/2 are 1/2 at most, and the next cut leaves nothing of them: its sum
    has one term, whatever `iterations` is. The code in use, kornia's, stretches, and so does this. Two things follow
    from it. Errors with `(p - y)^2` below 1/2 all over a cross are gone after one step, so a nearly right prediction has
    loss and gradient 0: add a region loss. And the loss jumps where the last pixel of a region of errors falls below the
    threshold.

    Args:
        alpha: exponent >= 0 of the number of the step.
        iterations: the number of erosions >= 0, about the radius in pixels of the largest errors.
        class_axis: the axis of the classes.
        include_background: whether class 0 counts.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft, with one spatial axis at least; `y_pred`: the same, probabilities. A
        mask may be as fine as `(B, ...)`: a pixel that does not count has no error, and is not in the mean.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, thin, thick = np.zeros((3, 1, 9, 9, 1))
    >>> thin[:, :, 4], thick[:, 1:-1, 1:-1] = 1, 1
    >>> loss = kl.HausdorffErosion(iterations=3)
    >>> round(float(loss(y, thin)), 4), round(float(loss(y, thick)), 4)
    (0.6667, 3.0801)

    Reference: D. Karimi, S. E. Salcudean, Reducing the Hausdorff distance in medical image segmentation with convolutional
    neural networks, 2019, arXiv:1904.10030.
    """

    alpha: NonNegative = 2.0
    iterations: Count = 10

    def region(self, y_true, y_pred, inside):
        axes = self.summed(len(y_pred.shape))
        error = ops.square(y_pred - y_true)
        error = error if inside is None else error * inside
        total = ops.zeros_like(error)
        for k in range(1, self.iterations + 1):
            error = _erode(error, axes)
            total = total + k**self.alpha * error
        return self.mean(total, inside)


class CenterlineDice(Maps):
    """One minus the Dice coefficient of centre lines (clDice): what it costs to break a vessel, a road, a nerve.

    Formula: `1 - 2 P S / (P + S)` per sample and class, averaged over the classes. `P = (sum s_p y + smooth) / (sum s_p
    + smooth)` is the share of the skeleton of the prediction that lies in the target, `S` that of the skeleton of the
    target in the prediction. The soft skeleton collects what openings remove: `s_0 = x - open(x)`, then `iterations`
    times `x` is eroded and `s <- s + (1 - s) (x - open(x))`. Erosion is the minimum over a cross of 3 pixels along each
    axis, dilation the maximum over a cube of 3; those that tie share the gradient evenly.

    It does not see how thick a structure is: add it to a region loss, `0.5 * kl.Dice() + 0.5 * kl.CenterlineDice()`.

    Args:
        iterations: number >= 0 of erosions: at least the radius in pixels of the thickest structure. What is thicker has no
            skeleton, and counts as if nothing were there.
        smooth: number >= 0 added to numerator and denominator. Nothing of nothing is 1.
        class_axis: the axis of the classes.
        include_background: whether class 0 counts.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft, with one spatial axis at least; `y_pred`: the same, probabilities. A
        mask may be as fine as `(B, ...)`: a pixel that does not count is empty.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> line = np.zeros((1, 5, 12, 1))
    >>> line[:, 2] = 1
    >>> broken = line.copy()
    >>> broken[:, :, 5:8] = 0
    >>> round(float(kl.CenterlineDice()(line, line)), 4), round(float(kl.CenterlineDice()(line, broken)), 4)
    (0.0, 0.1304)

    Reference: S. Shit et al., clDice: a novel topology-preserving loss function for tubular structure segmentation, 2021,
    arXiv:2003.07311.
    """

    iterations: Count = 3
    smooth: NonNegative = 1.0

    def region(self, y_true, y_pred, inside):
        if inside is not None:
            y_true, y_pred = y_true * inside, y_pred * inside
        precision, sensitivity = self._share(y_pred, y_true), self._share(y_true, y_pred)
        return 1 - math.safe_divide(2 * precision * sensitivity, precision + sensitivity)

    def _share(self, first, second):
        """The share of the skeleton of the first that lies in the second."""
        skeleton = _skeleton(first, self.iterations, self.summed(len(first.shape)))
        part, whole = (self.total(x, None) + self.smooth for x in (skeleton * second, skeleton))
        return ops.where(whole > 0, math.safe_divide(part, whole), ops.ones_like(whole))


def _erode(x, axes):
    """The mean of a cross of pixels, less 1/2, cut at 0, and stretched from 0 to 1 unless it is constant.

    Steps multiply rounding, up to ten times each, and crosses of equal pixels are common. So what is equal but for rounding
    is made equal: close to the threshold, to the extremes, and to being constant.
    """
    center, *around = math.cross(x, axes)
    pairs = [before + after for before, after in zip(around[::2], around[1::2], strict=True)]  # a mirror image rounds alike
    above = (center + sum(pairs[1:], pairs[0])) / (1 + len(around)) - 0.5
    rounding = 1e-13 if keras.backend.standardize_dtype(x.dtype) == "float64" else 1e-6
    x = ops.where(above > rounding, above, ops.zeros_like(above))
    high, low = _extreme(x, axes, rounding), -_extreme(-x, axes, rounding)
    constant = high - low < rounding
    stretched = (x - low) / ops.where(constant, ops.ones_like(high), high - low)
    equal = ops.where(x > high - rounding, ops.ones_like(x), ops.where(x < low + rounding, ops.zeros_like(x), stretched))
    return ops.where(constant, x, stretched + ops.stop_gradient(equal - stretched))


def _extreme(x, axes, rounding):
    """The maximum over several axes, kept as axes of 1."""
    for axis in axes:
        x = ops.expand_dims(math.largest(x, axis, rounding), axis)
    return x


def _skeleton(x, iterations, axes):
    skeleton = None
    for _ in range(iterations + 1):
        eroded = -math.largest(ops.stack(math.cross(-x, axes, fill=math.lowest(x)), axis=-1))
        removed = math.positive_part(x - math.window_max(eroded, axes))
        skeleton = removed if skeleton is None else skeleton + (1 - skeleton) * removed
        x = eroded
    return skeleton


hausdorff_erosion = function_of(HausdorffErosion)
centerline_dice = function_of(CenterlineDice)
