"""What the cross-entropies of integer labels share that know how many samples each class has."""

from typing import Any

from keras_losses import math
from keras_losses.classification.categorical import log_probabilities, warn_of_one_class
from keras_losses.core.fields import ClassCounts, ClassWeight
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, simplex
from keras_losses.core.weighting import label_weights


class Counted(Loss):
    """Base of cross-entropies that know the class counts: a subclass writes `call`.

    Args:
        class_counts: how many training samples each class has.
        ignore_class: integer label whose entries do not count.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
    """

    class_counts: ClassCounts
    ignore_class: int | None = None
    axis: int = -1
    class_weight: ClassWeight = None

    y_true = label("B *S")
    last_axis = "axis"

    @classmethod
    def example_arguments(cls, classes):
        return {"class_counts": tuple(1000.0 / (1 + c) for c in range(classes))}


class CountedCrossentropy(Counted):
    """Base of those that take logits or probabilities.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
    """

    from_logits: bool = False

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")


def logits(loss: Any, y_pred: Any) -> Any:
    """Logits up to a constant a row, which a softmax does not see; the logarithms of probabilities are such."""
    return y_pred if loss.from_logits else log_probabilities(loss, y_pred)


def above_label(x: Any, labels: Any) -> Any:
    """How far each entry of the last axis is above the one that the label names."""
    return x - math.at_label(x, labels, keepdims=True)


def crossentropy(loss: Any, y_true: Any, y_pred: Any, gap: Any) -> Any:
    """`-w_y log softmax_y` from how far each logit is above that of the label: `log(1 + sum_{j != y} exp(gap_j))`.

    It keeps its digits where it is close to 0, and small shifts of large logits are not rounded away.
    """
    warn_of_one_class(loss, y_pred)
    return math.softplus(math.logsumexp_of_others(gap, y_true)) * label_weights(loss, y_true, y_pred)
