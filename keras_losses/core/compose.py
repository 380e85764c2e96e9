"""Sums of losses: `0.7 * BinaryCrossentropy() + 0.3 * Dice()` is a loss."""

import numbers
from typing import Any

import keras
from keras import ops

from keras_losses.core.config import MAX_DEPTH, MAX_LOSSES, holder_arguments
from keras_losses.core.fields import shorten
from keras_losses.core.inputs import at_least_float32
from keras_losses.core.loss import Loss
from keras_losses.core.private import get_mask
from keras_losses.core.record import hyperparameters
from keras_losses.core.reduction import Reduction, Values, collect, combine_masks, per_sample, reduce


class Sum(Loss):
    """A weighted sum of losses.

    Formula: `sum_i weights[i] * terms[i](y_true, y_pred)`.

    Weights and masks reach every term; each term is reduced on its own, with the reduction of the sum. Under
    `reduction="none"` each term is averaged over all axes but the first, so that terms of different ranks add up.
    Usually written with operators; `Sum` itself is for stock Keras losses and long lists.

    Args:
        terms: the losses: of this package, or any `keras.losses.Loss`.
        weights: one number a term; all 1 by default.

    Returns:
        One value a sample, reduced.

    Raises:
        ValueError: no term, as many weights as there are not terms, or a stock Keras term that returns one number
            for the batch where samples must be told apart.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = 0.5 * kl.MeanSquaredError() + 2 * kl.MeanAbsoluteError()
    >>> float(loss(np.zeros((3, 1)), np.full((3, 1), 2.0)))
    6.0
    """

    terms: tuple[keras.losses.Loss, ...]
    weights: tuple[float, ...] | None = None

    @classmethod
    def example_arguments(cls, classes):
        return {"terms": (keras.losses.MeanSquaredError(), keras.losses.MeanAbsoluteError())}

    def validate(self) -> None:
        if not self.terms:
            raise ValueError("Sum: `terms` must hold at least one loss.")
        check_size(self)
        if self.weights is None:
            self.weights = (1.0,) * len(self.terms)
        if len(self.weights) != len(self.terms):
            raise ValueError(f"Sum: {len(self.weights)} weights for {len(self.terms)} terms.")

    def _values(self, y_true, y_pred, sample_weight, mask, extra, dtype) -> Any:
        # One Values a term; `_reduce` weighs and adds them.
        return [values_of_term(term, y_true, y_pred, sample_weight, mask, extra, dtype) for term in self.terms]

    def _reduce(self, values: Any, reduction: Reduction) -> Any:
        total = 0
        for term, weight, value in zip(self.terms, self.weights or (), values, strict=True):
            if isinstance(term, Sum):
                part = term._reduce(value, reduction)
            elif reduction in (None, "none"):
                if len(value.value.shape) == 0:
                    raise ValueError(
                        f"{self.name}: the term {term.name} returns one number for the batch, so `reduction='none'` has no "
                        "value a sample to give."
                    )
                part = per_sample(value)
            else:
                part = reduce(value, reduction)
            total = total + weight * ops.cast(part, self.dtype)
        return total

    def metrics(self) -> list[keras.metrics.Metric]:
        """One Keras metric a term, named like it, that logs what the term contributes before its weight."""
        names: dict[str, int] = {}
        result = []
        for term in self.terms:
            name = str(term.name)
            names[name] = names.get(name, 0) + 1
            result.append(TermMetric(term, name=name if names[name] == 1 else f"{name}_{names[name]}"))
        return result


@keras.saving.register_keras_serializable(package="keras_losses")
class TermMetric(keras.metrics.Mean):
    """The mean of a loss over an epoch, batch by batch as Keras logs a loss: the terms of a sum add up to its loss.

    Args:
        loss: the loss.
        name: name of the metric.
        dtype: dtype of the metric.
    """

    def __init__(self, loss: keras.losses.Loss, name: str | None = None, dtype: Any = None):
        super().__init__(name=name or str(loss.name), dtype=dtype)
        self.loss = loss

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        value = self.loss(y_true, y_pred, sample_weight=sample_weight)
        super().update_state(value, sample_weight=ops.shape(keras.tree.flatten(y_pred)[0])[0])

    def get_config(self) -> dict[str, Any]:
        return {"loss": keras.losses.serialize(self.loss), "name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TermMetric":
        return cls(**holder_arguments(cls, config))


def values_of_term(term: Any, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, extra: dict, dtype: str) -> Any:
    """The values of a loss inside another one; a stock Keras loss gets our weights and masks."""
    if isinstance(term, Loss):
        return term._values(y_true, y_pred, sample_weight, mask, extra, dtype)
    return _Stock(term)._values(y_true, y_pred, sample_weight, mask, {}, dtype)


class _Stock(Loss):
    """A stock Keras loss as a term: its formula, our weights and masks. It casts the targets, as it does alone."""

    def __init__(self, loss: keras.losses.Loss):
        super().__init__(name=loss.name)
        self.loss = loss

    def _values(self, y_true, y_pred, sample_weight, mask, extra, dtype) -> Values:
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=at_least_float32(dtype))
        mask = combine_masks(str(self.name), None if mask is None else ops.cast(mask, "bool"), get_mask(y_pred))
        tensors = [keras.tree.map_structure(lambda x: ops.convert_to_tensor(x, self.loss.dtype), y) for y in (y_true, y_pred)]
        value = self.loss.call(*tensors)
        valid = get_mask(value)
        return collect(str(self.name), ops.cast(value, at_least_float32(dtype)), weight, mask, (valid,))


def add(first: Any, second: Any) -> Any:
    """`first + second` of two losses, sums flattened."""
    if not isinstance(first, keras.losses.Loss) or not isinstance(second, keras.losses.Loss):
        return NotImplemented
    reductions = {_common(first), _common(second)}
    if len(reductions) > 1:
        raise ValueError(
            f"{first.name} + {second.name}: the terms have the reductions {first.reduction!r} and {second.reduction!r}. "
            "Give both the same, or sum them with `Sum((...), reduction=...)`."
        )
    terms, weights = zip(*_flat(first), *_flat(second), strict=True)
    return Sum(terms=terms, weights=weights, reduction=first.reduction)  # pyright: ignore[reportArgumentType]


def scale(loss: Any, factor: Any) -> Any:
    """`factor * loss`."""
    if isinstance(factor, bool) or not isinstance(factor, numbers.Real):
        raise TypeError(f"{loss.name}: a loss is multiplied by a number. Received: {shorten(factor)}")
    terms, weights = zip(*_flat(loss), strict=True)
    return Sum(terms=terms, weights=tuple(float(factor) * w for w in weights), reduction=loss.reduction)


def check_size(loss: Any) -> None:
    """Raise for a loss that holds more losses than a file may: saved, it could not be loaded."""
    losses, depth = _size(loss)
    if losses > MAX_LOSSES or depth > MAX_DEPTH:
        raise ValueError(
            f"{type(loss).__name__}: {losses} losses, nested {depth} deep; at most {MAX_LOSSES} and {MAX_DEPTH} can be saved."
        )


def _size(loss):
    """How many losses there are in one, itself included, and how deep they nest."""
    fields = hyperparameters(type(loss)) if isinstance(loss, Loss) else ()
    values = keras.tree.flatten([getattr(loss, name) for name in fields if hasattr(loss, name)])
    sizes = [_size(value) for value in values if isinstance(value, keras.losses.Loss)]
    return 1 + sum(n for n, _ in sizes), 1 + max((d for _, d in sizes), default=0)


def _flat(loss):
    """The terms of a loss with their weights; a sum with a name or dtype of its own stays one term."""
    if isinstance(loss, Sum) and loss.name == "sum" and loss._dtype_given is None:
        return list(zip(loss.terms, loss.weights or (), strict=True))
    return [(loss, 1.0)]


def _common(loss):
    return {"mean": "sum_over_batch_size", None: "none"}.get(loss.reduction, loss.reduction)
