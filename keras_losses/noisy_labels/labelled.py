"""What the losses of one label among several classes share."""

from typing import Any, ClassVar

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import of_labels, rows_of_one, smooth_labels, warn_of_one_class
from keras_losses.core.fields import ClassWeight, Fraction
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, simplex
from keras_losses.core.weighting import class_weights

BOUNDED: dict[str, str] = dict.fromkeys(
    ("contract-alive", "gradient-dead"),
    "it is bounded: far from its label a sample hardly pulls, which makes it robust",
)
"""`by_design` of the losses whose gradient vanishes for a label that the model is sure is wrong."""


class LabelLoss(Loss):
    """Base of losses of one label among several classes: a subclass writes `of_classes(y_pred)`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities, which are divided by their sum.
        ignore_class: integer label whose entries do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
    """

    from_logits: bool = False
    ignore_class: int | None = None
    class_weight: ClassWeight = None

    #: A field of those that have it.
    label_smoothing: ClassVar[Any] = 0.0

    y_true = label("B *S")

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def of_classes(self, y_pred: Any) -> Any:
        """What each class would cost if it were the label, on the last axis."""
        raise NotImplementedError(f"{type(self).__name__} must define `of_classes(self, y_pred)`.")

    def call(self, y_true, y_pred):
        warn_of_one_class(self, y_pred)
        losses = self.of_classes(y_pred) * class_weights(self, y_pred)
        if len(y_true.shape) == len(losses.shape):
            return ops.sum(smooth_labels(y_true, self.label_smoothing) * losses, axis=-1)
        return of_labels(self, y_true, losses)


class SmoothedLabelLoss(LabelLoss):
    """Base of those for which a share of the label that belongs to all classes makes sense.

    Args:
        label_smoothing: in [0, 1].
    """

    label_smoothing: Fraction = 0.0


def probabilities(loss: Any, y_pred: Any) -> Any:
    """Probabilities over the last axis, from logits or from numbers of any sum."""
    return math.softmax(y_pred) if loss.from_logits else rows_of_one(y_pred)
