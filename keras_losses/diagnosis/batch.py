"""One batch under diagnosis: arrays, the loss, and what the loss takes."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_losses.core import private
from keras_losses.core.config import with_reduction
from keras_losses.core.fields import shorten
from keras_losses.core.loss import Loss
from keras_losses.core.registry import get
from keras_losses.testing import forms
from keras_losses.testing.gradients import value_and_gradient


@dataclasses.dataclass
class Batch:
    """What `diagnose` was given.

    Args:
        written: the loss as given: an instance or a function.
        y_true: targets.
        y_pred: predictions.
        weight: sample weights, or None.
        mask: mask, or None.
        activation: the name of the activation that made the predictions, if it is known.
    """

    written: Any
    y_true: np.ndarray
    y_pred: np.ndarray
    weight: np.ndarray | None = None
    mask: np.ndarray | None = None
    activation: str | None = None

    @classmethod
    def of(cls, loss: Any, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None, **more: Any) -> Batch:
        """The batch of what a user gives."""
        loss = get(loss) if isinstance(loss, str) else loss
        loss = loss() if isinstance(loss, type) and issubclass(loss, keras.losses.Loss) else loss
        if not callable(loss) or isinstance(loss, (type, keras.layers.Layer, keras.metrics.Metric)):
            raise TypeError(
                f"diagnose: expected a loss or a compiled model. Received: {shorten(loss)} of type {type(loss).__name__}"
            )
        arrays = [None if x is None else array(x) for x in (y_true, y_pred, sample_weight, mask)]
        return cls(loss, *arrays, **more)  # pyright: ignore[reportArgumentType]

    @property
    def name(self) -> str:
        """The name of the loss."""
        return str(getattr(self.written, "name", None) or getattr(self.written, "__name__", "loss"))

    @property
    def ours(self) -> bool:
        """Whether it is a loss of this package, or a function of one: aligned and checked."""
        return isinstance(self.written, Loss) or hasattr(self.written, "loss_class")

    @functools.cached_property
    def stated(self) -> Any:
        """The contract, stated by the loss or by ours of its name; None for a function that says nothing."""
        return forms.stated(self.written)

    @functools.cached_property
    def form(self) -> Any:
        """The contract; a guess from the name, or else from the arrays, where nothing states one."""
        if self.stated is not None:
            return self.stated
        hint = forms.guesses(self.written, self.name)[0]
        if hint.y_true.kind.name != "real":
            return hint
        return forms.from_arrays(self.y_true, self.y_pred) if self.y_true.ndim and self.y_pred.ndim else hint

    @property
    def kind(self) -> tuple[str, str]:
        """The kinds of target and prediction."""
        return self.form.y_true.kind.name, self.form.y_pred.kind.name

    @property
    def dense(self) -> bool:
        """Whether target and prediction are a batch of classes or numbers, the last axis last."""
        axis = getattr(self.form, self.form.last_axis) if self.form.last_axis else -1
        return axis == -1 and tuple(a for a in self.form.y_pred.axes if a != "*S") in (("B",), ("B", "C"), ("B", "D"))

    @property
    def has_from_logits(self) -> bool:
        """Whether the loss has the argument `from_logits`."""
        return hasattr(self.stated, "from_logits")

    @functools.cached_property
    def unreduced(self) -> Any:
        """The loss without its reduction."""
        loss = self.written
        loss = loss if isinstance(loss, keras.losses.Loss) else private.wrapped(loss, self.name)
        return with_reduction(loss, "none")

    @functools.cached_property
    def outcome(self) -> tuple[np.ndarray, np.ndarray] | Exception:
        """Values and gradient, or what the loss raises."""
        whole = self.y_true.dtype.kind in "iub"
        true = ops.convert_to_tensor(self.y_true.astype("int32") if whole else self.y_true, dtype=None if whole else "float32")
        # A function takes half precision as it is when it is called directly: that is where it overflows.
        half = self.y_pred.dtype.itemsize == 2
        loss = self.written if half and not isinstance(self.written, keras.losses.Loss) else self.unreduced
        dtype = keras.backend.standardize_dtype(self.y_pred.dtype) if half else "float32"
        true = ops.cast(true, dtype) if half and not whole else true
        try:
            return value_and_gradient(
                lambda p: ops.cast(loss(true, ops.cast(p, dtype)), "float32"), self.y_pred.astype("float32")
            )
        except Exception as error:  # user code: what it raises is a finding
            return error

    @property
    def values(self) -> np.ndarray | None:
        """The values before the reduction, None if the loss raises."""
        return None if isinstance(self.outcome, Exception) else np.asarray(self.outcome[0], float)

    @property
    def slope(self) -> np.ndarray | None:
        """The gradient with respect to the predictions, None if the loss raises."""
        return None if isinstance(self.outcome, Exception) else np.asarray(self.outcome[1], float)


def array(x: Any) -> np.ndarray:
    """A tensor, array or list as an array; half precision stays."""
    if isinstance(x, (np.ndarray, list, tuple, int, float)):
        return np.asarray(x)
    if hasattr(x, "detach"):
        x = x.detach()
    return np.asarray(ops.convert_to_numpy(x))


def first(where: np.ndarray) -> tuple[int, ...]:
    """The index of the first True."""
    return tuple(int(i) for i in np.argwhere(where)[0])


def rows_sum_to_one(x: np.ndarray) -> np.ndarray:
    """Which rows sum to 1, to the rounding of half precision."""
    return np.abs(x.astype("float64").sum(-1) - 1) < 5e-3
