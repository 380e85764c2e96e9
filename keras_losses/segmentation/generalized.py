"""One overlap for all classes together, the small ones weighed up."""

from typing import Literal

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative
from keras_losses.core.function import function_of
from keras_losses.segmentation.region import Region, counts


class GeneralizedDice(Region):
    """One minus the generalized Dice score: a Dice of all classes in one ratio, in which small regions weigh more.

    Formula: `1 - (2 sum_c w_c sum y p + smooth) / (sum_c w_c (sum y + sum p) + smooth)` per sample, with
    `w_c = v_c s^2 / (sum y)^2` (`"square"`), `v_c s / sum y` (`"simple"`) or `v_c` (`"uniform"`), `v` the `class_weight` and
    `s` the size of the smallest region that the sample has.

    The factor `s` cancels in the ratio; with it no weight is above 1, and `smooth` is a number of pixels of that region,
    where without it the weights of large volumes vanish beside any `smooth`. A class that is absent from a sample would
    weigh infinitely: it weighs as much as the smallest region that is there, as in MONAI (`"count"`), or nothing
    (`"skip"`). Where MONAI gives 0 to every prediction of a sample without any region, here all classes weigh alike.

    Args:
        weight_type: `"square"`, `"simple"` or `"uniform"`, as above.
        smooth: number >= 0 added to numerator and denominator.
        soft_label: the form that is smallest, 0, at `p = y` for soft labels too: `sum (y + p - |y - p|) / 2` for `sum y p`.
        class_axis: the axis of the classes.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: it multiplies `w_c`.
        empty: classes absent from the target of a sample `"count"`, or weigh nothing (`"skip"`; a sample without any class
            does not count).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or no class is left.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y = np.eye(2)[[[0, 0, 0, 1]]]
    >>> p = np.eye(2)[[[0, 0, 0, 0]]]  # the one pixel of class 1 is missed
    >>> [round(float(kl.GeneralizedDice(weight_type=w)(y, p)), 4) for w in ("square", "simple", "uniform")]
    [0.625, 0.4, 0.25]

    Reference: C. H. Sudre et al., Generalised Dice overlap as a deep learning loss function for highly unbalanced
    segmentations, 2017, arXiv:1707.03237.
    """

    weight_type: Literal["square", "simple", "uniform"] = "square"
    smooth: NonNegative = math.EPSILON
    soft_label: bool = False

    def compare(self, y_true, y_pred, inside, weight):
        both, only_pred, only_true = self.overlap(y_true, y_pred, inside, self.soft_label)
        right, wrong = 2 * both, only_pred + only_true
        weight = self.presence(y_true, inside, weight * self._share(self.total(y_true, inside)))
        axes = tuple(range(1, len(y_pred.shape)))
        right, wrong, weight = (ops.sum(x, axis=axes) for x in (weight * right, weight * wrong, weight))
        value = math.safe_divide(wrong, right + wrong + self.smooth)
        return (value, counts(weight > 0, inside)) if self.empty == "skip" else value

    def _share(self, size):
        """The size of the smallest region over that of each, to the power of the weights; 1 for an absent one."""
        size = ops.stop_gradient(size)
        present = size > 0
        smallest = -math.constant_max(ops.where(present, -size, ops.full_like(size, -float("inf"))))
        share = ops.where(present, smallest / ops.where(present, size, ops.ones_like(size)), ops.ones_like(size))
        return {"square": ops.square(share), "simple": share, "uniform": ops.ones_like(size)}[self.weight_type]


generalized_dice = function_of(GeneralizedDice)
