"""Losses that hold a loss: each from the reference of the loss it holds.

Hardest k: Shrivastava et al. 2016 (OHEM), the k entries of the largest loss. Deep supervision: Lee et al. 2015, a weighted sum
over the outputs. Class subset: the loss of the picked classes alone.
"""

import importlib
import math

import numpy as np

import keras_losses as kl

from ._case import Case, array, binary, labels, normal, random_labels, simplex, uniform


def _held(loss, y_true, y_pred):
    """Values of the held loss and which of them count, from its own reference."""
    references = importlib.import_module("tests.reference").REFERENCES
    arguments = {k: v for k, v in loss.get_config().items() if k not in ("name", "reduction", "dtype")}
    result = references[type(loss).__name__][0](y_true, y_pred, **arguments)
    values, valid = result if isinstance(result, tuple) else (result, np.ones(np.shape(result), bool))
    return np.asarray(values, float), np.broadcast_to(valid, np.shape(values))


def hardest_k(y_true, y_pred, loss, k, over="batch"):
    """A value counts if fewer than k others are larger."""
    values, valid = _held(loss, y_true, y_pred)
    chosen = np.zeros(values.shape, bool)
    groups = [values.shape[0] * [True]] if over == "batch" else np.eye(len(values), dtype=bool)
    for group in groups:
        inside = [i for i in np.ndindex(values.shape) if group[i[0]] and valid[i]]
        many = k if isinstance(k, int) else math.ceil(round(k * len(inside), 9))
        for i in inside:
            larger = sum(values[j] > values[i] for j in inside)
            chosen[i] = larger < many
    return values, chosen


def on_classes(y_true, y_pred, loss, classes):
    axis = getattr(loss, loss.last_axis) if loss.last_axis else -1
    picked = [np.stack([np.take(x, c, axis=axis) for c in classes], axis=axis) for x in (y_true, y_pred)]
    values, valid = _held(loss, *picked)
    return (values, valid) if not valid.all() else values


def deep_supervision(y_true, y_pred, loss, weights=None):
    outputs = y_pred.shape[1]
    if weights is None:
        weights = [2.0**-h for h in range(outputs)]
        weights = [w / sum(weights) for w in weights]
    total, any_valid = np.zeros(len(y_pred)), np.zeros(len(y_pred), bool)
    for h in range(outputs):
        values, valid = _held(loss, y_true, y_pred[:, h])
        for sample in range(len(y_pred)):
            counted = [values[sample][i] for i in np.ndindex(values[sample].shape) if valid[sample][i]]
            if counted:
                total[sample] += weights[h] * sum(counted) / len(counted)
                any_valid[sample] = True
    return total if any_valid.all() else (total, any_valid)


def _numbers(seed, *shape):
    return normal(seed, *shape), normal(seed + 1, *shape)


_IDS = np.where(np.arange(8).reshape(2, 4) % 3 == 0, -1, random_labels(10, 2, 4, 3))
_FIXED = array([1.0], [4.0], [2.0], [3.0])
_SPARSE = kl.SparseCategoricalCrossentropy(ignore_class=-1)

CASES = {
    "HardestK": [
        Case("two", np.zeros((4, 1)), _FIXED, {"loss": kl.MeanAbsoluteError(), "k": 2}, expect=array(0.0, 4.0, 0.0, 3.0)),
        Case("half", np.zeros((4, 1)), _FIXED, {"loss": kl.MeanSquaredError(), "k": 0.5}, expect=array(0.0, 16.0, 0.0, 9.0)),
        Case("tenth-of-ten", *_numbers(0, 10, 2), {"loss": kl.MeanSquaredError(), "k": 0.1}),
        Case("third", *_numbers(2, 3, 4, 2), {"loss": kl.MeanSquaredError(), "k": 0.33}),
        Case("in-each-sample", *_numbers(4, 3, 5, 2), {"loss": kl.MeanSquaredError(), "k": 2, "over": "sample"}),
        Case("share-of-each-sample", *_numbers(6, 3, 5, 2, 2), {"loss": kl.Huber(), "k": 0.3, "over": "sample"}),
        Case("more-than-there-are", *_numbers(8, 3, 2), {"loss": kl.MeanSquaredError(), "k": 7}),
        Case("ties", np.zeros((4, 1)), np.ones((4, 1)), {"loss": kl.MeanSquaredError(), "k": 2}, False, np.ones(4)),
        Case("ignored", _IDS, simplex(11, 2, 4, 3), {"loss": _SPARSE, "k": 0.5}),
        Case("ignored-in-each-sample", _IDS, simplex(12, 2, 4, 3), {"loss": _SPARSE, "k": 1, "over": "sample"}),
        Case("all-ignored", np.full(3, -1), simplex(13, 3, 3), {"loss": _SPARSE, "k": 0.5}, expect=np.zeros(3)),
    ],
    "OnClasses": [
        Case("first-and-last", binary(20, 2, 5, 3), uniform(21, 2, 5, 3), {"loss": kl.Dice(), "classes": (0, 2)}),
        Case("order", binary(22, 2, 5, 3), uniform(23, 2, 5, 3), {"loss": kl.Tversky(class_weight=(1, 3)), "classes": (2, 0)}),
        Case("one", *_numbers(24, 4, 3), {"loss": kl.MeanSquaredError(), "classes": (1,)}),
        Case("axis", binary(26, 2, 3, 5), uniform(27, 2, 3, 5), {"loss": kl.Dice(class_axis=1), "classes": (1, 2)}),
        Case(
            "absent", binary(28, 2, 5, 3) * [0, 1, 0], uniform(29, 2, 5, 3), {"loss": kl.Dice(empty="skip"), "classes": (0, 1)}
        ),
        Case(
            "by-hand",
            np.zeros((1, 3)),
            array([1.0, 100.0, 3.0]),
            {"loss": kl.MeanAbsoluteError(), "classes": (0, 2)},
            expect=array((1.0 + 3.0) / 2),
        ),
    ],
    "DeepSupervision": [
        Case("two", normal(30, 3, 2), normal(31, 3, 2, 2), {"loss": kl.MeanSquaredError()}),
        Case("three", normal(32, 2, 4, 2), normal(33, 2, 3, 4, 2), {"loss": kl.MeanSquaredError()}),
        Case("weights", normal(34, 3, 2), normal(35, 3, 2, 2), {"loss": kl.LogCosh(), "weights": (0.2, 3.0)}),
        Case("regions", binary(36, 2, 5, 3), uniform(37, 2, 2, 5, 3), {"loss": kl.Dice()}),
        Case("labels", labels(38, 3, 2, 4), simplex(39, 2, 2, 4, 3), {"loss": kl.SparseCategoricalCrossentropy()}),
        Case("ignored", _IDS, simplex(40, 2, 2, 4, 3), {"loss": _SPARSE}),
        Case(
            "by-hand",
            array([0.0]),
            array([[1.0], [3.0]]),
            {"loss": kl.MeanAbsoluteError()},
            expect=array(1.0 * 2 / 3 + 3.0 * 1 / 3),
        ),
    ],
}
