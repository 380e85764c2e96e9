"""What a loss does during training, in the history."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_losses.core.compose import Sum
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
