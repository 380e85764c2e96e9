"""What a loss does during training, in the history; and losses that change during training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_losses.core.compose import Sum
from keras_losses.core.fields import shorten
from keras_losses.core.loss import Loss
from keras_losses.core.record import hyperparameters
from keras_losses.diagnosis.insight import list_of_batches, unreduced, values_of
from keras_losses.testing.gradients import value_and_gradient


class LossMonitor(keras.callbacks.Callback):
    """Logs, at the end of each epoch, what the loss on given data is made of.

    Into the logs, and so into the history and every logger that stands after it in the list of callbacks, go:

    - `monitor_loss`: the mean loss of a sample,
    - `monitor_q5`, `monitor_q50`, `monitor_q95`: quantiles of the losses of the samples,
    - `monitor_dead`: the share of samples whose gradient with respect to the prediction is zero,
    - `monitor_not_finite`: the share whose loss or gradient is NaN or infinite,
    - `monitor_<term>`: for a sum of losses, the mean of each term, before its weight.

    Args:
        x: inputs, an array or a list or dict of them; or a dataset of `(x, y)` batches.
        y: targets; None with a dataset.
        loss: the loss; by default the one that the model is compiled with. The model has one output.
        quantiles: which, in [0, 1].
        prefix: of the names.
        batch_size: of the arrays.

    Raises:
        ValueError: a quantile is not in [0, 1]; at the begin of training: there is no loss, or one number for a batch.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", loss=kl.MeanSquaredError() + kl.MeanAbsoluteError())
    >>> x = np.ones((8, 1))
    >>> history = model.fit(x, x, epochs=2, verbose=0, callbacks=[kl.callbacks.LossMonitor(x, x)]).history
    >>> sorted(name for name in history if name.startswith("monitor_m"))
    ['monitor_mean_absolute_error', 'monitor_mean_squared_error']
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        *,
        loss: Any = None,
        quantiles: tuple[float, ...] = (0.05, 0.5, 0.95),
        prefix: str = "monitor_",
        batch_size: int = 32,
    ):
        super().__init__()
        if not all(0 <= q <= 1 for q in quantiles):
            raise ValueError(f"LossMonitor: `quantiles` must be in [0, 1]. Received: {quantiles}")
        self.batches = list_of_batches(x, y, None, batch_size)
        self.loss, self.quantiles, self.prefix = loss, tuple(quantiles), prefix

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        loss = self.loss if self.loss is not None else getattr(self.model, "loss", None)
        if loss is None:
            raise ValueError("LossMonitor: give `loss`, or compile the model with one.")
        self._loss, self._name = unreduced(loss, "LossMonitor")
        self._terms = []
        if isinstance(self._loss, Sum):
            names = [str(metric.name) for metric in loss.metrics()]
            self._terms = [(name, *unreduced(term, "LossMonitor")) for name, term in zip(names, loss.terms, strict=True)]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None:
            return
        model: Any = self.model
        losses, dead, broken = [], [], []
        terms: dict[str, list[np.ndarray]] = {name: [] for name, *_ in self._terms}
        for inputs, target, weight in self.batches:
            # Not `predict`: inside `fit` it would build a second function of the model, and hold a second state on JAX.
            tensors = keras.tree.map_structure(ops.convert_to_tensor, inputs)
            predicted = np.asarray(ops.convert_to_numpy(_detached(model(tensors, training=False))))
            values = values_of(self._loss, self._name, target, predicted, weight)
            slope = value_and_gradient(lambda p, t=target, w=weight: self._loss(t, p, sample_weight=w), predicted)[1]
            flat = slope.reshape(len(slope), -1)
            losses.append(_each(values))
            dead.append((flat == 0).all(1))
            broken.append(~np.isfinite(flat).all(1) | ~np.isfinite(losses[-1]))
            for name, term, label in self._terms:
                terms[name].append(_each(values_of(term, label, target, predicted, weight)))
        each = np.concatenate(losses)
        found = {"loss": each.mean(), "dead": np.concatenate(dead).mean(), "not_finite": np.concatenate(broken).mean()}
        found |= {f"q{100 * q:g}".replace(".", "_"): np.quantile(each, q) for q in self.quantiles}
        found |= {name: np.concatenate(values).mean() for name, values in terms.items()}
        logs.update({f"{self.prefix}{name}": float(value) for name, value in found.items()})


def _each(values):
    return values.reshape(len(values), -1).mean(1)


def _detached(x):
    if isinstance(x, (dict, list, tuple)):
        raise ValueError("LossMonitor: the model has several outputs: monitor a model of the one that the loss is for.")
    return x.detach() if hasattr(x, "detach") else x


class LossSchedule(keras.callbacks.Callback):
    """Changes the arguments of a loss at the begin of epochs: a weight that is annealed, class weights that come in late.

    The numbers of a loss are constants of the compiled training step: assigning to them changes nothing on some backends.
    This callback sets them and has the step compiled anew, whenever they change. For a weight that changes within epochs use
    `layers.AddLoss`, whose weight is a variable.

    Args:
        loss: the instance that the model is compiled with, or one inside it: a term of a sum, the loss of a wrapper or of an
            `AddLoss`.
        changes: function of the epoch, from 0, that returns `{argument: value}`; the values are checked as by the constructor.

    Raises:
        TypeError: `loss` is no loss of this package, or has a constructor of its own.
        ValueError: at the begin of training: the model does not hold this very instance; at an epoch: a value is out of range.

    Example, a boundary term that grows as the region term fades:

    >>> import keras, numpy as np, keras_losses as kl
    >>> loss = 1.0 * kl.MeanSquaredError() + 0.0 * kl.MeanAbsoluteError()
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", loss=loss)
    >>> fade = kl.callbacks.LossSchedule(loss, lambda epoch: {"weights": (1 - 0.1 * epoch, 0.1 * epoch)})
    >>> history = model.fit(np.ones((8, 1)), np.ones((8, 1)), epochs=3, verbose=0, callbacks=[fade])
    >>> loss.weights
    (0.8, 0.2)
    """

    def __init__(self, loss: Loss, changes: Callable[[int], dict[str, Any]]):
        super().__init__()
        if not isinstance(loss, Loss) or loss._own_init:
            raise TypeError(
                f"{type(self).__name__}: `loss` must be an instance of a keras_losses.Loss that declares its arguments as "
                f"fields. Received: {shorten(loss)} of type {type(loss).__name__}"
            )
        self.loss, self.changes = loss, changes

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        model: Any = self.model
        held = [getattr(model, "loss", None), *(getattr(layer, "loss", None) for layer in _layers(model))]
        if not any(part is self.loss for part in _inside(held)):
            raise ValueError(
                f"{type(self).__name__}: the model does not hold this instance of {type(self.loss).__name__}. "
                "Compile it with the very instance that is given here."
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        given = self.changes(epoch)
        # Built anew, so that the values pass every check of the constructor.
        changed: Any = dataclasses.replace(self.loss, **{"dtype": self.loss._dtype_given, **given})
        if all(getattr(changed, name) == getattr(self.loss, name) for name in given):
            return
        vars(self.loss).update(vars(changed))
        model: Any = self.model
        model.make_train_function(force=True)
        if model.test_function is not None:
            model.make_test_function(force=True)


class DeferredReweighting(LossSchedule):
    """Class weights that come in late: training begins with equal weights, and ends with those that are given.

    The deferred re-weighting (DRW) of LDAM, for any loss with `class_weight`.

    Args:
        loss: the instance that the model is compiled with.
        epoch: the first epoch, counted from 0, that is weighted.
        class_weight: the weights from then on, such as `effective_number_weights(class_counts)`.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> loss = kl.SparseCategoricalCrossentropy(from_logits=True)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    >>> model.compile("sgd", loss=loss)
    >>> late = kl.callbacks.DeferredReweighting(loss, epoch=1, class_weight=(0.5, 1.5))
    >>> history = model.fit(np.ones((8, 1)), np.ones((8,), "int32"), epochs=2, verbose=0, callbacks=[late])
    >>> loss.class_weight
    (0.5, 1.5)

    Reference: K. Cao et al., Learning imbalanced datasets with label-distribution-aware margin loss, 2019, arXiv:1906.07413.
    """

    def __init__(self, loss: Loss, *, epoch: int, class_weight: Any):
        before = getattr(loss, "class_weight", None)
        super().__init__(loss, lambda now: {"class_weight": class_weight if now >= epoch else before})


def _layers(model):
    """The layers of a model and of the models in it."""
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from _layers(layer)


def _inside(x):
    """Every loss in a structure of losses, those that others hold too."""
    for part in keras.tree.flatten(x):
        if isinstance(part, keras.losses.Loss):
            yield part
            names = hyperparameters(type(part)) if isinstance(part, Loss) else ()
            yield from _inside([getattr(part, name) for name in names if hasattr(part, name)])
