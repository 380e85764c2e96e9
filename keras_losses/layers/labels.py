"""What the layers that know classes read from labels: rows of 0 and 1, checked as the labels of any loss are."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.loss import Loss
from keras_losses.core.private import get_mask
from keras_losses.core.spec import label, real


class _LabelRows(Loss):
    """The labels as rows of 0 and 1. The base leaves of them what counts, as it does of the values of any loss."""

    ignore_class: int | None = None
    axis: int = -1

    y_true = label("B *S")
    y_pred = real("B *S C")
    last_axis = "axis"

    def call(self, y_true, y_pred):
        return math.one_hot(y_true, y_pred.shape[-1], y_pred.dtype)

    def of(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """Where the label of each entry is among the classes, and which labels are out of range: boolean, no entry in both.

        Nowhere for a label that does not count: one that is masked, ignored, or of weight 0.
        """
        mask = get_mask(y_pred) if mask is None else mask  # which a constant does not carry on
        rows = self._values(y_true, ops.stop_gradient(y_pred), sample_weight, mask, {}, "float32").value
        return rows > 0.5, ops.isnan(rows)

    def count(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """How often each class occurs among the labels that count."""
        own, _ = self.of(y_true, y_pred, sample_weight)
        return ops.sum(ops.cast(own, "float32"), axis=tuple(range(len(own.shape) - 1)))
