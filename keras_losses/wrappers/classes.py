"""A loss on some of the classes."""

from typing import Annotated

from keras import ops

from keras_losses.core.fields import Range, shorten
from keras_losses.core.function import function_of
from keras_losses.core.private import get_mask
from keras_losses.core.reduction import combine_masks
from keras_losses.segmentation.overlap import Dice
from keras_losses.wrappers.wrapper import Wrapper, class_axis


class OnClasses(Wrapper):
    """A loss that sees some of the classes only.

    Formula: `loss(y_true[..., classes], y_pred[..., classes])`: the classes are picked before the loss, in the order given,
    so a `class_weight` of the loss is one of the picked classes.

    Args:
        loss: the loss, whose targets and predictions both have an axis of classes (or outputs), each class on its own: Dice
            and kin, binary losses, regression.
        classes: which, as indices >= 0, each once.

    Shapes:
        `y_true`, `y_pred`: as of `loss`, with all classes.

    Returns:
        What `loss` gives for the picked classes, reduced.

    Raises:
        ValueError: no class, one twice or one that does not exist; targets that are class ids or rows that sum to 1, which
            make no sense in parts (give the other classes `class_weight` 0 there).

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.OnClasses(loss=kl.MeanAbsoluteError(), classes=(0, 2))
    >>> float(loss(np.zeros((1, 3)), np.array([[1.0, 100.0, 3.0]])))
    2.0

    Reference: the `class_indexes` of P. Iakubovskii, Segmentation Models, 2019.
    """

    classes: tuple[Annotated[int, Range(ge=0)], ...]

    @classmethod
    def example_arguments(cls, classes):
        return {"loss": Dice(), "classes": (0, classes - 1)}

    def validate(self):
        super().validate()
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise ValueError(f"OnClasses: `classes` must name at least one class, each once. Received: {shorten(self.classes)}")
        if self.y_true is not None and (self.y_true.kind.integer or self.y_true.kind.name == "onehot"):
            raise ValueError(
                f"OnClasses: the targets of {self.loss.name} are {self.y_true.kind.text}: they make no sense for some of the "
                "classes. Give the others `class_weight` 0 instead."
            )

    def around(self, y_true, y_pred, sample_weight, mask, extra, dtype):
        axis = class_axis(self.loss)
        true, pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if len(true.shape) != len(pred.shape) or len(pred.shape) < 2:
            raise ValueError("targets and predictions must both have an axis of classes.")
        if true.shape[axis] == pred.shape[axis]:  # else the loss says that the shapes do not meet
            size = pred.shape[axis]
            if size is not None and max(self.classes) >= size:
                raise ValueError(f"`classes` names the class {max(self.classes)}, there are {size} classes.")
            picked = ops.convert_to_tensor(self.classes, dtype="int32")
            true, pred = (ops.take(x, picked, axis=axis) for x in (true, pred))
        # Picking classes makes a new tensor, without the Keras mask of the prediction.
        mask = combine_masks(str(self.name), mask, get_mask(y_pred))
        return self.inner(true, pred, sample_weight, mask, extra, dtype)


on_classes = function_of(OnClasses)
