"""One loss under test: whatever `compile` takes, with the data that it needs and the calls that a check makes."""

from __future__ import annotations

import functools
import inspect
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
from keras_losses.testing.gradients import Differentiated
from keras_losses.testing.sampler import sample

BATCH = 4


class Subject:
    """A loss and what checks ask of it.

    Args:
        loss: an instance, class or name of ours or of Keras's, a function, a user's subclass of either base.
        y_true: targets to draw the data from; by default they follow the contract, or a guess.
        y_pred: predictions.

    Attributes:
        loss: what is trained: a `keras.losses.Loss`; a function is wrapped as `compile` wraps it.
        function: the function, if one was given.
        form: what states the kinds and axes of target and prediction.
        counterpart: for a stock Keras loss and for functions of ours, our loss of that name.
        notes: what was assumed.
    """

    def __init__(self, loss: Any, y_true: Any = None, y_pred: Any = None):
        self.notes: list[str] = []
        self.full = False
        # Numbers that checks keep for a comparison across backends.
        self.kept: dict[str, np.ndarray] = {}
        self._halves: dict[str, Differentiated] = {}
        loss = get(loss) if isinstance(loss, str) else loss
        if isinstance(loss, type):
            loss = _build(loss)
        if not callable(loss) or isinstance(loss, (keras.layers.Layer, keras.metrics.Metric)):
            raise TypeError(
                "check_loss: expected a loss: an instance, a class, a name or a function of (y_true, y_pred). "
                f"Received: {shorten(loss)} of type {type(loss).__name__}"
            )
        self.written: Any = loss
        self.function = None if isinstance(loss, keras.losses.Loss) else loss
        self.name = str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__)
        self.ours = isinstance(loss, Loss)
        self.stock = forms.is_stock(loss)
        self.counterpart = None if self.ours else forms.counterpart(loss)
        # The name keeps a partial, which has none, from failing in Keras.
        self.loss: Any = private.wrapped(loss, self.name) if self.function is not None else loss
        if self.ours and self.loss.dtype in ("float16", "bfloat16"):
            self.written = self.loss = with_reduction(loss, loss.reduction)
            self.loss.dtype = None
            self.notes.append(f"Its result is {loss.dtype} as asked for; checked before it is rounded to that.")
        if (y_true is None) != (y_pred is None):
            raise ValueError("check_loss: give both y_true and y_pred, or neither.")
        self.arrays = None if y_true is None else _four(np.asarray(y_true), np.asarray(y_pred))
        self.spatial, self.sizes = (), {}
        self.form: Any = self._form()

    def _form(self):
        found = forms.stated(self.written)
        if self.arrays is not None:
            self.spatial, self.sizes = _sizes(self.arrays[1])
            if found is None:
                found = forms.from_arrays(*self.arrays)
                self._tell(found, "taken from the arrays given")
        if found is None:
            found, self.spatial = self._try(forms.guesses(self.written, self.name))
            self._tell(found, "guessed; give `y_true` and `y_pred` if it takes something else")
        return found

    def _tell(self, found, how):
        self.notes.append(f"y_true: {found.y_true.kind.text}; y_pred: {found.y_pred.kind.text} ({how}).")

    def _try(self, candidates):
        """The first guess on which the loss runs, finite; a guess with more axes if it needs them."""
        for spatial in ((), (4,), (4, 4)):
            for form in candidates:
                try:
                    y_true, y_pred = sample(form, BATCH, spatial)
                    values = self.value(y_true, y_pred)
                except Exception:
                    continue
                if np.isfinite(values).all():
                    return form, spatial
        return candidates[0], ()

    # ------------------------------------------------------------------ data
    def batch(self, seed: int = 0, batch: int = BATCH, spatial: tuple[int, ...] | None = None, **sizes: int) -> Any:
        """A batch: the arrays given, or drawn; float data are numbers of float32."""
        if self.arrays is not None and seed == 0 and spatial is None and not sizes and batch == BATCH:
            return self.arrays
        spatial = self.spatial if spatial is None else spatial
        y_true, y_pred = sample(self.form, batch, spatial, seed, **{**self.sizes, **sizes})
        return (y_true if y_true.dtype.kind == "i" else _single(y_true)), _single(y_pred)

    @property
    def kind(self) -> tuple[str, str]:
        """The kinds of target and prediction."""
        return self.form.y_true.kind.name, self.form.y_pred.kind.name

    @property
    def same_shape(self) -> bool:
        """Whether target and prediction have one shape."""
        return self.form.y_true.axes == self.form.y_pred.axes

    def perfect(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Batches whose predictions are the targets, where there is such a thing."""
        y_true, y_pred = self.batch()
        true, pred = self.kind
        if pred == "logit" or (true, pred) == ("id", "real"):
            return {}
        if y_true.shape == y_pred.shape:
            return {"predictions equal to the targets": (y_true, y_true.astype(float))}
        if true == "label" and y_true.shape == y_pred.shape[:-1]:
            return {"predictions equal to the targets": (y_true, np.eye(y_pred.shape[-1])[y_true])}
        return {}

    @functools.cached_property
    def source(self) -> str:
        """The source of the loss; empty if there is none to read."""
        return forms.source(self.written)

    @staticmethod
    def tensor(x: Any) -> Any:
        """A tensor, float32 or int32, as the trainer passes them."""
        return tensor(x)

    @property
    def couples_batch(self) -> bool:
        """Whether the value of a sample depends on the others by the definition of the loss."""
        return any(getattr(x, "couples_batch", False) for x in (self.loss, self.written, self.counterpart))

    # ------------------------------------------------------------------ calls
    def unreduced(self, y_true: Any, y_pred: Any) -> Any:
        """The values before the reduction, as tensors: what `compile` would reduce."""
        return self._unreduced(y_true, y_pred)

    @functools.cached_property
    def _unreduced(self):
        return self.reduced("none")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The reduced loss of tensors."""
        return self.loss(y_true, y_pred)

    def reduced(self, reduction: str) -> Any:
        """The same loss with another reduction."""
        return with_reduction(self.loss, reduction)

    def value(self, y_true: Any, y_pred: Any) -> np.ndarray:
        """The values before the reduction, computed eagerly."""
        return to_numpy(self.unreduced(tensor(y_true), tensor(y_pred)))

    def trained(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None, reduction: Any = 0) -> np.ndarray:
        """What a model would be trained with: weighted, masked and reduced."""
        loss = self.loss if reduction == 0 else self.reduced(reduction)
        pred = tensor(y_pred)
        if mask is not None:
            pred = private.set_mask(pred, ops.convert_to_tensor(mask))
        weight = None if sample_weight is None else tensor(np.asarray(sample_weight, "float32"))
        return to_numpy(loss(tensor(y_true), pred, sample_weight=weight))

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values, and the gradient of their sum, in float32."""
        return self._differentiated(y_true, y_pred)

    def curvature(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The sums of the rows of second derivatives of the sum of the values."""
        return self._differentiated.second(y_true, y_pred, np.ones_like(y_pred))

    @functools.cached_property
    def _differentiated(self):
        return Differentiated(self.unreduced)

    def formula(self, y_true: Any, y_pred: Any) -> Any:
        """The code itself, without the casts of a base: the function, or `call`. A loss of ours has its base around it."""
        if self.ours or (self.function is None and type(self.loss).call is keras.losses.Loss.call):
            return self.unreduced(y_true, y_pred)
        return self.written(y_true, y_pred) if self.function is not None else self.loss.call(y_true, y_pred)

    @functools.cached_property
    def exact(self) -> Differentiated:
        """Value and gradient in float64."""
        if not self.ours:
            return Differentiated(self.formula)
        other = self.reduced("none")
        other.dtype = "float64"
        return Differentiated(other)

    def half(self, y_true: np.ndarray, y_pred: np.ndarray, dtype: str) -> tuple[np.ndarray, np.ndarray]:
        """Value and gradient with predictions in half precision, as float32.

        The stock losses and those of ours take them through their base, the code of a user directly.
        """
        if dtype not in self._halves:
            self._halves[dtype] = Differentiated(self._in_half(dtype))
        return self._halves[dtype](y_true, to_numpy(ops.cast(ops.cast(tensor(y_pred), dtype), "float32")))

    def _in_half(self, dtype):
        call = self.formula
        if self.stock and self.function is None:
            call = self.reduced("none")
            private.set_dtype(call, dtype)

        def function(y_true, y_pred):
            floating = keras.backend.standardize_dtype(y_true.dtype).startswith("float")
            return ops.cast(call(ops.cast(y_true, dtype) if floating else y_true, ops.cast(y_pred, dtype)), "float32")

        return function

    def configured(self, **arguments: Any) -> Any:
        """The same loss with other arguments of its constructor; for a function, with other defaults."""
        if self.function is not None:
            return functools.partial(self.written, **arguments)
        return type(self.loss).from_config({**self.loss.get_config(), **arguments})


def tensor(x: Any) -> Any:
    """A tensor, float32 or int32, as the trainer passes them."""
    if not isinstance(x, np.ndarray):
        return ops.convert_to_tensor(x)
    return ops.convert_to_tensor(x, dtype="float32" if x.dtype.kind == "f" else "int32" if x.dtype.kind in "iu" else None)


def to_numpy(x: Any) -> np.ndarray:
    """A result as an array."""
    if hasattr(x, "detach"):
        x = x.detach()
    return np.asarray(ops.convert_to_numpy(x))


def _single(x):
    return np.asarray(x, "float32").astype("float64")


def _four(y_true, y_pred):
    """Four samples of the arrays given: the first ones, over again if there are fewer."""
    if y_true.ndim == 0 or y_pred.ndim == 0 or len(y_true) != len(y_pred) or not len(y_pred):
        raise ValueError(
            "check_loss: y_true and y_pred must hold one entry a sample, of equally many samples. "
            f"Received shapes: {y_true.shape} and {y_pred.shape}"
        )
    take = np.arange(BATCH) % len(y_pred)
    y_true = y_true[take] if y_true.dtype.kind in "iub" and y_true.shape != y_pred.shape else _single(y_true[take])
    return (y_true.astype("int64") if y_true.dtype.kind in "iub" else y_true), _single(y_pred[take])


def _sizes(y_pred):
    last = {"C": y_pred.shape[-1], "D": y_pred.shape[-1]} if y_pred.ndim > 1 else {}
    return tuple(y_pred.shape[1:-1]), last


def _build(cls):
    try:
        return cls()
    except TypeError as error:
        needs = [
            p.name
            for p in list(inspect.signature(cls).parameters.values())
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        raise TypeError(
            f"check_loss: {cls.__name__} needs the arguments {needs}: give an instance instead of the class."
            if needs
            else f"check_loss: {cls.__name__}() raises {error}"
        ) from error
