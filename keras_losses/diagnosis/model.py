"""A compiled model on a batch: its outputs with their losses, and where NaN comes in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_losses.core import private
from keras_losses.core.report import Finding
from keras_losses.diagnosis.batch import Batch, array, first


def outputs(model: keras.Model, x: Any, y: Any, sample_weight: Any = None, mask: Any = None) -> Iterator[tuple[str, Batch]]:
    """The name of each output that has a loss, and its batch.

    Raises:
        ValueError: the model is not compiled with a loss, or losses, targets, weights or masks are not one an output.
    """
    losses = getattr(model, "loss", None)
    if losses is None:
        raise ValueError(f"diagnose: the model {model.name!r} is not compiled with a loss: model.compile(loss=...) first.")
    predicted = _predict(model, x)
    predictions, names = _flat(predicted, model)
    given = (("losses", losses), ("targets", y), ("sample weights", sample_weight), ("masks", mask))
    matched = [_matched(what, value, names) for what, value in given]
    ends = _activations(model, len(predictions))
    for name, loss, target, weight, kept, prediction, end in zip(names, *matched, predictions, ends, strict=True):
        if loss is not None and target is not None:
            # A name in `compile` is Keras's loss, not ours; and Keras hands it the mask that the layers made.
            loss = keras.losses.get(loss) if isinstance(loss, str) else loss
            kept = private.get_mask(prediction) if kept is None else kept
            yield name, Batch.of(loss, target, array(prediction), weight, kept, activation=end)


def _predict(model, x):
    tensors = keras.tree.map_structure(lambda a: ops.convert_to_tensor(array(a)), x)
    return model(tensors, training=False)


def _flat(predicted, model):
    if isinstance(predicted, dict):
        return list(predicted.values()), [str(name) for name in predicted]
    several = list(predicted) if isinstance(predicted, (list, tuple)) else [predicted]
    names = list(getattr(model, "output_names", None) or [])
    return several, names if len(names) == len(several) else [f"output {i}" for i in range(len(several))]


def _matched(what, given, names):
    """One entry an output, from a dict, a list, or one for all."""
    if isinstance(given, dict):
        unknown = set(given) - set(names)
        if unknown:
            raise ValueError(f"diagnose: {what} for outputs that the model does not have: {sorted(unknown)}. It has: {names}")
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)) and (len(names) > 1 or (len(given) == 1 and what == "losses")):
        if len(given) != len(names):
            raise ValueError(f"diagnose: {len(given)} {what} for {len(names)} outputs: {names}")
        return list(given)
    if len(names) > 1 and what == "targets":
        raise ValueError(f"diagnose: one array of targets for {len(names)} outputs: give a list or a dict of {names}")
    return [given] * len(names)


def _activations(model, number):
    """The activation that each output ends in, where the last layer says so."""
    layers = getattr(model, "layers", [])
    if isinstance(model, keras.Sequential):
        return [_activation(layers[-1])] if layers else [None]
    found = []
    for tensor in keras.tree.flatten(getattr(model, "outputs", None) or []):
        made = [layer for layer in layers if any(t is tensor for t in keras.tree.flatten(getattr(layer, "output", None)))]
        found.append(_activation(made[-1]) if made else None)
    return found if len(found) == number else [None] * number


def _activation(layer):
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    if isinstance(layer, keras.layers.ReLU):
        return "relu"
    return getattr(getattr(layer, "activation", None), "__name__", None)


def broken(model: keras.Model, x: Any) -> Iterator[Finding]:
    """Weights that are not finite, and the first layer whose output is not."""
    for i, a in enumerate(keras.tree.flatten(x)):
        a = array(a)
        if a.dtype.kind == "f" and not np.isfinite(a).all():
            at = first(~np.isfinite(a))
            yield Finding(
                "not-finite-input",
                "The input of the model holds NaN or infinity.",
                {"input": i, "first at": at, "value": a[at], "how many": int((~np.isfinite(a)).sum())},
                "x = np.nan_to_num(x)  # or leave those samples out",
            )
            return
    for variable in model.variables:
        value = array(variable.value)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            yield Finding(
                "not-finite-weights",
                "A weight of the model is NaN or infinite: a step before this batch destroyed it, and nothing trains any more.",
                {"variable": variable.path, "how many": int((~np.isfinite(value)).sum()), "of": value.size},
                "# load the last checkpoint; keras.callbacks.TerminateOnNaN(); a lower learning rate, clipnorm=1.0",
            )
            return
    if all(np.isfinite(array(p)).all() for p in keras.tree.flatten(_predict(model, x))):
        return
    layers = _each_layer(model, x)
    if not layers:
        yield Finding(
            "not-finite-layer",
            "The model gives NaN or infinity, on finite inputs and with finite weights; its own `call` hides which layer does.",
            {"model": model.name, "class": type(model).__name__},
            "keras.ops.isnan(h).any()  # of each intermediate value, in the model's `call`",
        )
    for layer, value in layers:
        if not np.isfinite(value).all():
            yield Finding(
                "not-finite-layer",
                "The first layer whose output is NaN or infinite, on finite inputs and with finite weights.",
                {"layer": layer.name, "class": type(layer).__name__, "first at": first(~np.isfinite(value))},
                "# exp, division or half precision in that layer; normalize its input",
            )
            return


def _each_layer(model, x):
    """The layers of a Functional or Sequential model with their outputs, in order."""
    layers = [layer for layer in getattr(model, "layers", []) if not isinstance(layer, keras.layers.InputLayer)]
    try:
        inside = keras.Model(model.inputs, [keras.tree.flatten(layer.output)[0] for layer in layers])
        values = _predict(inside, x)
    except (AttributeError, ValueError):  # a subclassed model does not know its layers' outputs
        return []
    return [(layer, array(value)) for layer, value in zip(layers, keras.tree.flatten(values), strict=True)]
