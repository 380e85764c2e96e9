"""`diagnose`: the causes in the order in which they are likely."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import keras

from keras_losses.core.report import Report
from keras_losses.diagnosis import effect, finite, labels, model, predictions, shapes
from keras_losses.diagnosis.batch import Batch

# What makes the rest meaningless first, hints last.
CAUSES = (
    shapes.shapes,
    predictions.one_class,
    finite.inputs,
    labels.targets,
    predictions.logits_and_probabilities,
    predictions.activations,
    effect.masked,
    effect.weights,
    finite.results,
    finite.raised,
    effect.dead,
    predictions.scales,
    labels.absent,
    effect.dominated,
)
# Said by a cause above it: the values of mispaired arrays mean nothing.
_STOP = {
    "no-batch-axis",
    "batch-sizes-differ",
    "empty-batch",
    "shapes-do-not-meet",
    "onehot-for-integer-loss",
    "integer-labels-for-onehot-loss",
}
_NAN = {"not-finite-value", "not-finite-gradient", "loss-raises"}
# What follows from a cause is not told beside it.
_EXPLAINS = {
    "not-finite-input": _NAN,
    "labels-start-at-one": _NAN | {"classes-absent"},
    "labels-out-of-range": _NAN,
    "targets-out-of-range": _NAN,
    "logits-for-probabilities": _NAN | {"activation-does-not-fit"},
    "probabilities-for-logits": {"activation-does-not-fit"},
    "negative-predictions": _NAN | {"activation-does-not-fit"},
    "one-unit-for-several-classes": _NAN
    | {"labels-start-at-one", "labels-out-of-range", "classes-absent", "gradient-dead", "activation-does-not-fit"},
    "all-masked": {"classes-absent"},
    "all-ignored": {"classes-absent"},
    "weights-do-not-align": {"loss-raises"},
}


def diagnose(loss: Any, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Report:
    """Why a loss fails on one batch: likely causes, the likeliest first, each with what was seen and how to mend it.

    Args:
        loss: whatever `compile` takes, an instance, class, name or function; or a compiled model, and then `y_true` is its
            input and `y_pred` the targets: `diagnose(model, x, y)`.
        y_true: targets of the batch; for a model, its input.
        y_pred: predictions for them; for a model, the targets, in the structure of its outputs.
        sample_weight: weights of the samples; for a model of several outputs, maybe a list or dict of them.
        mask: which entries count; for a model, in place of the Keras masks of its outputs.

    Returns:
        A `Report`; `.ok` if nothing was found. It prints as a table.

    Raises:
        TypeError: `loss` is neither a loss nor a model, or what is given with it is no array of numbers.
        ValueError: the model is not compiled, or losses, targets, weights or masks are not one an output.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> report = kl.diagnose(kl.SparseCategoricalCrossentropy(), np.array([1, 2, 3]), np.full((3, 3), 1 / 3))
    >>> report.findings[0].id
    'labels-start-at-one'
    """
    # A loss warns of what is told here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(loss, keras.Model):
            return _diagnose_model(loss, y_true, y_pred, sample_weight, mask)
        batch = Batch.of(loss, y_true, y_pred, sample_weight, mask)
        found = tuple(finding for _, finding in _ranked(batch))
        return Report(f"diagnose: {batch.name}", found, _notes(batch))


def _ranked(batch):
    """The findings, each with the rank of its cause."""
    found = []
    for rank, cause in enumerate(CAUSES):
        found += [(rank, finding) for finding in cause(batch)]
        if any(finding.id in _STOP for _, finding in found):
            break
    explained = set().union(*(_EXPLAINS.get(finding.id, ()) for _, finding in found))
    return [(rank, finding) for rank, finding in found if finding.id not in explained]


def _notes(batch):
    return (*_gradients(), *_guess(batch))


def _gradients():
    return ("The numpy backend has no gradients: they were not looked at.",) * (keras.backend.backend() == "numpy")


def _guess(batch):
    if batch.stated is not None or not batch.y_true.ndim or not batch.y_pred.ndim:
        return ()
    true, pred = batch.form.y_true.kind.text, batch.form.y_pred.kind.text
    return (f"What the loss takes was guessed: y_true: {true}; y_pred: {pred}.",)


def _diagnose_model(net, x, y, sample_weight, mask):
    found, notes = list(model.broken(net, x)), {}
    if not found:
        ends = list(model.outputs(net, x, y, sample_weight, mask))
        ranked = []
        for name, batch in ends:
            for rank, finding in _ranked(batch):
                if len(ends) > 1:
                    finding = dataclasses.replace(finding, evidence={"output": name, **finding.evidence})
                ranked.append((rank, finding))
            notes |= dict.fromkeys(_notes(batch))
        found = [finding for _, finding in sorted(ranked, key=lambda pair: pair[0])]
    return Report(f"diagnose: {net.name}", tuple(found), tuple(notes))
