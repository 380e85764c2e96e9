"""Logarithms of Dice and of probabilities under a root."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.segmentation.region import Overlap, with_background


class ExponentialLogarithmic(Overlap):
    """Dice and cross-entropy, both as logarithms to a power that weighs the middle of the way down or up.

    Formula: `dice_weight mean_c (-log D_c)^gamma + crossentropy_weight mean_x sum_c w_c y_c (-log p_c)^gamma` per sample, with
    `D_c = (2 sum y p + smooth) / (sum y + sum p + smooth)` and the mean over x one over the pixels. `gamma < 1` makes the
    loss steep where it is almost right: below 1e-7 a power is continued as a line to 0, so that a perfect prediction has a
    finite gradient. `log p` is `log(max(p, 1e-7))`.

    Args:
        dice_weight: weight >= 0 of the Dice part.
        crossentropy_weight: weight >= 0 of the cross-entropy.
        gamma: exponent > 0 of both; the paper has 0.3 and 1.
        smooth: number >= 0 added to numerator and denominator of Dice, 1 in the paper.
        soft_label: the form of Dice that is right for soft labels, as in `Dice`.
        class_axis: the axis of the classes.
        include_background: False: class 0 has no part in the loss; pixels of it have no cross-entropy, and count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, in the cross-entropy alone. The paper has
            `sqrt(N / n_c)` for `n_c` of `N` training pixels.
        empty: classes absent from the target of a sample `"count"`, or are left out of the mean of the Dice part (`"skip"`; a
            sample without any class does not count).

    Shapes:
        `y_true`: `(B, ..., C)`, one-hot or soft; `y_pred`: the same, probabilities. A single channel is the foreground of two
        classes. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, p = np.eye(2)[[[0, 1]]], np.full((1, 2, 2), 0.5)
    >>> loss = kl.ExponentialLogarithmic(dice_weight=1.0, crossentropy_weight=1.0, gamma=1.0)
    >>> round(float(loss(y, p)), 4)  # log(3 / 2) + log 2
    1.0986

    Reference: K. C. L. Wong et al., 3D segmentation with exponential logarithmic loss for highly unbalanced object sizes,
    2018, arXiv:1809.00076.
    """

    dice_weight: NonNegative = 0.8
    crossentropy_weight: NonNegative = 0.2
    gamma: Positive = 0.3
    smooth: NonNegative = 1.0

    def call(self, y_true, y_pred, mask=None):
        return super().call(*with_background(y_true, y_pred), mask)

    def compare(self, y_true, y_pred, inside, weight):
        part = super().compare(y_true, y_pred, inside, 1)
        dice, some = part if isinstance(part, tuple) else (part, None)
        surprise = y_true * math.power(-math.log_probability(y_pred), self.gamma)
        value = self.dice_weight * dice + self.crossentropy_weight * self.pixel_mean(weight * surprise, inside)
        return value if some is None else (value, some)

    def terms(self, both, only_pred, only_true):
        return 2 * both, only_pred + only_true

    def region(self, y_true, y_pred, inside):
        right, wrong = self.terms(*self.overlap(y_true, y_pred, inside, self.soft_label))
        # -log D as a logarithm of 1 + x: exact where D is close to 1, and so is its root.
        return math.power(ops.log1p(wrong / math.floor(right + self.smooth, math.EPSILON)), self.gamma)


exponential_logarithmic = function_of(ExponentialLogarithmic)
