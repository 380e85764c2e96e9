"""The base of losses that hold one loss."""

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_losses.core import align
from keras_losses.core.compose import check_size, values_of_term
from keras_losses.core.inputs import at_least_float32
from keras_losses.core.loss import Loss
from keras_losses.core.reduction import Values, collect, per_sample


class Wrapper(Loss):
    """Base of losses that change what another loss sees or what becomes of its values.

    A subclass writes `around(y_true, y_pred, sample_weight, mask, extra, dtype)`, which returns `Values`. Weights, masks,
    validity and the contract are those of the loss that it holds; its reduction and dtype are not used.
    """

    loss: keras.losses.Loss

    @property
    def y_true(self) -> Any:
        return getattr(self.loss, "y_true", None)

    @property
    def y_pred(self) -> Any:
        return getattr(self.loss, "y_pred", None)

    @property
    def couples_batch(self) -> bool:
        return getattr(self.loss, "couples_batch", False)

    def validate(self) -> None:
        check_size(self)

    def around(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, extra: dict, dtype: str) -> Values:
        raise NotImplementedError(f"{type(self).__name__} must define `around`.")

    def inner(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, extra: dict, dtype: str) -> Values:
        """The values of the loss that is held; of a sum, one value a sample."""
        values: Any = values_of_term(self.loss, y_true, y_pred, sample_weight, mask, extra, dtype)
        return self.added(list(_parts(self.loss, values)), sample_weight) if isinstance(values, list) else values

    def added(self, parts: list[tuple[float, Values]], sample_weight: Any) -> Values:
        """One value a sample: the sum over `(share, values)` of the mean of what counts in the sample."""
        # Weights of whole samples weigh the sum; finer ones only mean something within a part.
        shape = () if sample_weight is None else tuple(sample_weight.shape)
        fine = len(shape) > 1
        if fine and self.reduction == "mean_with_sample_weight":
            raise ValueError(
                f"`mean_with_sample_weight` divides by one weight a sample here. Received: sample_weight with shape {shape}"
            )
        total: Any = 0
        valid: Any = None
        for share, values in parts:
            total = total + share * per_sample(values if fine else dataclasses.replace(values, weight=None))
            counts = None if values.valid is None else align.reduce_rank(values.valid, 1)
            valid = counts if valid is None else valid if counts is None else ops.logical_or(valid, counts)
        return Values(total, None, valid) if fine else collect(str(self.name), total, sample_weight, None, (valid,))

    def _values(self, y_true, y_pred, sample_weight, mask, extra, dtype):
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=at_least_float32(dtype))
        mask = None if mask is None else ops.cast(mask, "bool")
        try:
            return self.around(y_true, y_pred, weight, mask, extra, dtype)
        except ValueError as error:  # the loss inside names itself, and the shapes that it was given
            raise ValueError(f"{self.name} of y_true {_shapes(y_true)} and y_pred {_shapes(y_pred)}: {error}") from error


def _parts(total, values):
    """`(weight, values)` of each term of a sum, nested ones flattened."""
    for term, weight, value in zip(total.terms, total.weights, values, strict=True):
        if isinstance(value, list):
            yield from ((weight * inner, part) for inner, part in _parts(term, value))
        else:
            yield weight, value


def _shapes(x):
    return [tuple(np.shape(part)) for part in x] if isinstance(x, (list, tuple)) else tuple(np.shape(x))


def class_axis(loss: Any) -> int:
    """The axis of the classes in the prediction of a loss."""
    return getattr(loss, loss.last_axis) if getattr(loss, "last_axis", None) else -1
