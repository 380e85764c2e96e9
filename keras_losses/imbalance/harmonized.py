"""Gradient harmonising: each entry is weighed by how few others have a gradient as large."""

from typing import Annotated, Any

from keras import ops

from keras_losses import math
from keras_losses.classification.binary import output_cross_entropy
from keras_losses.core.fields import Range
from keras_losses.core.function import function_of
from keras_losses.imbalance.yes_no import YesNo, counting


class GradientHarmonized(YesNo):
    """Binary cross-entropy in which the many easy entries, and the few hopeless ones, weigh together as much as any others.

    Formula: `mean_d N / (M R(g_d)) bce_d`. `g = |p - y|` is the size of the gradient of an entry, [0, 1] is divided into `bins`
    regions, `R(g)` is how many entries of the batch are in the region of g, M is how many regions have any, and N is how many
    entries there are in all. The mean weight is 1. The weights are constants in the gradient.

    This is GHM-C without the moving average: the density is that of the batch at hand, in which everything counts that is not
    masked and not of weight 0. As in the authors' code M counts the regions that have entries; in the paper it is `bins`,
    which makes the loss of a small batch smaller, by their ratio.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        bins: number of regions >= 1; 1 gives binary cross-entropy.
        class_weight: the weights `(w_0, w_1)` of the two classes, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ..., D)`, labels 0 or 1 or between; `y_pred`: the same; `(B,)` counts as `(B, 1)`. A mask may be as fine
        as the entries.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced. What is masked or of weight 0 is in no density, sum or number.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, z = np.zeros((4, 1)), np.array([[-4.0], [-4.0], [-4.0], [4.0]])
    >>> loss = kl.GradientHarmonized(from_logits=True, reduction="none")
    >>> [round(float(x), 4) for x in loss(y, z)]  # the weights are 2/3 and 2
    [0.0121, 0.0121, 0.0121, 8.0363]

    Reference: B. Li, Y. Liu, X. Wang, Gradient harmonized single-stage detector, 2019, arXiv:1811.05181.
    """

    bins: Annotated[int, Range(ge=1)] = 30

    couples_batch = True

    def call(self, y_true, y_pred, mask=None):
        inside = counting(mask, y_pred)
        value = self._weights(y_true, y_pred, inside) * output_cross_entropy(self, y_true, y_pred)
        value = math.masked_mean(value, inside)
        return value if mask is None else (value, ops.any(inside, axis=-1))

    def _weights(self, y_true: Any, y_pred: Any, inside: Any) -> Any:
        p = ops.stop_gradient(ops.exp(-math.softplus(-y_pred)) if self.from_logits else y_pred)
        region = math.whole(math.absolute(p - y_true) * self.bins, self.bins - 1)
        # In integers: float32 stops counting at 2^24.
        each = ops.segment_sum(
            ops.reshape(ops.cast(inside, "int32"), (-1,)), ops.reshape(region, (-1,)), num_segments=self.bins
        )
        density = ops.cast(each, y_pred.dtype)
        regions = ops.sum(ops.cast(each > 0, y_pred.dtype))
        return math.safe_divide(ops.sum(density), regions * ops.take(density, region, axis=0))


gradient_harmonized = function_of(GradientHarmonized)
