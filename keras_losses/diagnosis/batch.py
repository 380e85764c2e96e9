"""One batch under diagnosis: arrays, the loss, and what the loss takes."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_losses.core import align, private
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
        weight = None if sample_weight is None else _numbers("sample_weight", sample_weight)
        mask = None if mask is None else _numbers("mask", mask).astype(bool)
        batch = cls(loss, _numbers("y_true", y_true), _numbers("y_pred", y_pred), weight, mask, **more)
        # Ours leaves out what does not count, even NaN and padding; in Keras, NaN * 0 is NaN.
        return batch._without_what_never_counts() if isinstance(loss, Loss) else batch

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
        if not self.y_true.ndim or not self.y_pred.ndim:
            return hint
        # One number a sample leaves no axis for classes, so whole targets are no class ids.
        return forms.from_arrays(self.y_true.astype(float) if self.y_pred.ndim == 1 else self.y_true, self.y_pred)

    @property
    def kind(self) -> tuple[str, str]:
        """The kinds of target and prediction."""
        return self.form.y_true.kind.name, self.form.y_pred.kind.name

    @property
    def dense(self) -> bool:
        """Whether target and prediction are a batch of classes or numbers, the last axis last."""
        return self.last and tuple(a for a in self.form.y_pred.axes if a != "*S") in (("B",), ("B", "C"), ("B", "D"))

    @property
    def axis(self) -> int:
        """The axis of the classes in the prediction."""
        axis, rank = getattr(self.form, self.form.last_axis) if self.form.last_axis else -1, self.y_pred.ndim
        return axis if isinstance(axis, int) and -rank <= axis < rank else -1  # beyond the rank, the loss raises

    @property
    def last(self) -> bool:
        """Whether the axis of the classes is the last."""
        return self.axis in (-1, self.y_pred.ndim - 1)

    @property
    def classes(self) -> int:
        """How many classes the prediction has."""
        return self.y_pred.shape[self.axis] if self.y_pred.ndim > 1 else 1

    def rows(self, x: np.ndarray) -> np.ndarray:
        """An array of the prediction's rank, with the axis of the classes last."""
        return np.moveaxis(x, self.axis, -1) if x.ndim == self.y_pred.ndim else x

    @property
    def weighed(self) -> tuple[int, ...]:
        """The shape that the mask of a loss of ours is matched with: the classes last, without stacked views."""
        own = align.own_axes(self.form.y_true, self.form.y_pred, self.y_true.ndim, self.y_pred.ndim)
        return tuple(size for i, size in enumerate(self.rows(self.y_pred).shape) if i not in own)

    @functools.cached_property
    def ignored(self) -> np.ndarray | None:
        """Which targets are the `ignore_class` of the loss: each id or output, or whole one-hot rows; None without one."""
        ignore = getattr(self.stated, "ignore_class", None)
        if ignore is None or self.kind[0] != "onehot":
            return None if ignore is None else np.asarray(self.y_true == ignore)
        if self.y_true.shape != self.y_pred.shape or not self.y_true.ndim:
            return None
        rows = self.rows(self.y_true)
        return np.asarray(rows[..., ignore] == 1 if 0 <= ignore < rows.shape[-1] else ~rows.any(-1))

    @functools.cached_property
    def keep(self) -> np.ndarray | None:
        """Which entries count, by the leading axes of the prediction; None: all, or weights and mask do not fit."""
        # With the classes in between, only whole samples are told apart.
        keep, shape = None, self.y_pred.shape if self.last else self.y_pred.shape[:1]
        for x in (None if self.weight is None else self.weight != 0, self.mask):
            if x is None or x.ndim == 0:
                continue
            x = x[..., 0] if x.ndim > 1 and x.shape[-1] == 1 else x
            if not align.left_aligned(x.shape, shape):
                return None
            x = np.broadcast_to(x, shape[: x.ndim])
            if keep is None:
                keep = x
                continue
            rank = max(keep.ndim, x.ndim)
            keep, x = (a.reshape(a.shape + (1,) * (rank - a.ndim)) for a in (keep, x))
            keep = keep & x
        return keep

    @property
    def samples(self) -> np.ndarray:
        """Which samples count."""
        number = self.y_pred.shape[0]
        if self.keep is None:
            return np.ones(number, bool)
        return np.asarray(self.keep.any(axis=tuple(range(1, self.keep.ndim))))

    def _without_what_never_counts(self) -> Batch:
        """The batch with an entry that counts in place of each that does not, so that indices stay."""
        keep = self.keep
        if keep is None or keep.all() or not keep.any() or self.y_true.shape[:1] != self.y_pred.shape[:1]:
            return self

        def filled(x):
            here = keep if x.shape[: keep.ndim] == keep.shape else self.samples
            x = x.copy()
            x[~here] = x[here][0]
            return x

        return dataclasses.replace(self, y_true=filled(self.y_true), y_pred=filled(self.y_pred))

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
    def outcome(self) -> tuple[np.ndarray, np.ndarray | None] | Exception:
        """Values and gradient, or what the loss raises; the numpy backend has no gradient."""
        whole = self.y_true.dtype.kind in "iub"
        true = ops.convert_to_tensor(self.y_true.astype("int32") if whole else self.y_true, dtype=None if whole else "float32")
        # A function takes half precision as it is when it is called directly: that is where it overflows.
        half = self.y_pred.dtype.itemsize == 2
        loss = self.written if half and not isinstance(self.written, keras.losses.Loss) else self.unreduced
        dtype = keras.backend.standardize_dtype(self.y_pred.dtype) if half else "float32"
        true = ops.cast(true, dtype) if half and not whole else true

        def values(p):
            return ops.cast(loss(true, ops.cast(p, dtype)), "float32")

        pred = self.y_pred.astype("float32")
        try:
            if keras.backend.backend() == "numpy":
                return array(values(ops.convert_to_tensor(pred))), None
            return value_and_gradient(values, pred)
        except Exception as error:  # user code: what it raises is a finding
            return error

    @property
    def values(self) -> np.ndarray | None:
        """The values before the reduction, None if the loss raises."""
        return None if isinstance(self.outcome, Exception) else np.asarray(self.outcome[0], float)

    @property
    def slope(self) -> np.ndarray | None:
        """The gradient with respect to the predictions, None if there is none."""
        if isinstance(self.outcome, Exception) or self.outcome[1] is None:
            return None
        return np.asarray(self.outcome[1], float)


def array(x: Any) -> np.ndarray:
    """A tensor, array or list as an array; half precision stays."""
    if isinstance(x, (np.ndarray, list, tuple, int, float)):
        return np.asarray(x)
    if hasattr(x, "detach"):
        x = x.detach()
    return np.asarray(ops.convert_to_numpy(x))


def _numbers(which: str, x: Any) -> np.ndarray:
    """What a user gives as an array of numbers, or an error that names it."""
    try:
        found = array(x)
    except (TypeError, ValueError):  # ragged lists
        found = np.asarray(None)
    if found.dtype.kind not in "biuf" and "float" not in found.dtype.name:  # bfloat16 is no kind of NumPy's own
        raise TypeError(f"diagnose: {which} must be one array of numbers. Received: {shorten(x)} of type {type(x).__name__}")
    return found


def first(where: np.ndarray) -> tuple[int, ...]:
    """The index of the first True."""
    return tuple(int(i) for i in np.argwhere(where)[0])


def rows_sum_to_one(x: np.ndarray) -> np.ndarray:
    """Which rows sum to 1, to the rounding of half precision."""
    return np.abs(x.astype("float64").sum(-1) - 1) < 5e-3
