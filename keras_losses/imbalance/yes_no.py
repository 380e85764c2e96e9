"""What the losses of yes/no outputs share."""

from typing import Any

from keras import ops

from keras_losses.core.align import pad_rank
from keras_losses.core.fields import ClassWeight
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, logit, prob
from keras_losses.core.weighting import check_binary_weights


class YesNo(Loss):
    """Base of losses of yes/no outputs: a subclass writes `call`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        class_weight: the weights `(w_0, w_1)` of no and yes, or `{class: weight}`, or None.
    """

    from_logits: bool = False
    class_weight: ClassWeight = None

    y_true = binary("B *S D")

    @property
    def y_pred(self):
        return (logit if self.from_logits else prob)(" ".join(self.y_true.axes))

    def validate(self):
        check_binary_weights(self)


def counting(mask: Any, y_pred: Any) -> Any:
    """Which entries count, in the shape of `y_pred`."""
    inside = ops.ones_like(y_pred, dtype="bool")
    return inside if mask is None else ops.logical_and(inside, pad_rank(mask, len(y_pred.shape)))
