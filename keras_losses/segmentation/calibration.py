"""Confidence that is as large as the neighbourhood allows: the neighbour-aware calibration loss."""

from typing import Annotated, Literal

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import log_probabilities
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import ClassWeight, NonNegative, Range, shorten
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, simplex
from keras_losses.core.weighting import label_weights


class NeighborAwareCalibration(Loss):
    """Cross-entropy, and a penalty on logits that are far from the shares of the classes around a pixel.

    Formula: `-w_y log p_y + alpha mean_c |z_c - u_c|` at each pixel of label y, or with the square for `"l2"`. `z` are
    the logits, and `u_c` is the share of class c among the labels of the `kernel_size` pixels around it along each
    spatial axis. Near a border between classes the shares are even, and so the logits are kept closer to each other.
    Shares are of all `kernel_size^d` pixels: those outside the image, ignored or masked belong to no class.

    The penalty is on the logits themselves, so prefer `from_logits=True`. From probabilities `z` is `log p`, `p` taken
    as in `SparseCategoricalCrossentropy`: logits of which the largest cannot be above 0, and a saturated softmax passes
    no gradient on.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        kernel_size: odd number of pixels, 3 in the paper.
        alpha: weight >= 0 of the penalty.
        norm: `"l1"` or `"l2"`, the square.
        ignore_class: integer label whose pixels do not count: not in the sum, not in the number it is divided by.
        class_axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None: of the cross-entropy of its pixels.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `class_axis`.

    Returns:
        One value a pixel, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, `kernel_size` is even, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y = np.array([[0, 0, 0, 1, 1, 1]])
    >>> z = 2.0 * np.eye(2, dtype="float32")[y]
    >>> loss = kl.NeighborAwareCalibration(from_logits=True, alpha=1.0, reduction="none")
    >>> penalty = loss(y, z)[0] - kl.sparse_categorical_crossentropy(y, z, from_logits=True)[0]
    >>> [round(float(x), 4) for x in penalty[1:3]]  # shares of 1 and 0, and of 2/3 and 1/3
    [0.5, 0.8333]

    Reference: B. Murugesan et al., Trust your neighbours: penalty-based constraints for model calibration, 2023,
    arXiv:2303.06268.
    """

    from_logits: bool = False
    kernel_size: Annotated[int, Range(ge=1)] = 3
    alpha: NonNegative = 0.1
    norm: Literal["l1", "l2"] = "l1"
    ignore_class: int | None = None
    class_axis: int = -1
    class_weight: ClassWeight = None

    y_true = label("B *S")
    last_axis = "class_axis"

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def validate(self):
        if self.kernel_size % 2 == 0:
            raise ValueError(f"{type(self).__name__}: `kernel_size` must be odd. Received: {shorten(self.kernel_size)}")

    def call(self, y_true, y_pred, mask=None):
        log_p = log_probabilities(self, y_pred)
        here = math.one_hot(y_true, y_pred.shape[-1], y_pred.dtype)
        shares = here if mask is None else here * ops.cast(pad_rank(mask, len(here.shape)), here.dtype)
        for axis in range(1, len(here.shape) - 1):
            shares = sum(math.shifts(shares, axis, self.kernel_size)) / self.kernel_size
        gap = (y_pred if self.from_logits else log_p) - shares
        gap = math.absolute(gap) if self.norm == "l1" else ops.square(gap)
        return self.alpha * math.mean(gap) - label_weights(self, y_true, y_pred) * ops.sum(here * log_p, axis=-1)


neighbor_aware_calibration = function_of(NeighborAwareCalibration)
