"""`diagnose`: each cause in a batch that has it, and silence on the batch mended."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.diagnosis import diagnose

rng = np.random.default_rng(0)
N, K = 40, 3
IDS = np.arange(N) % K
HOT = np.eye(K)[IDS]
LOGITS = rng.normal(size=(N, K)) * 2
SIMPLEX = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
BITS = (np.arange(N)[:, None] + np.arange(K)) % 2.0
PROBS = rng.uniform(0.1, 0.9, (N, K))
REAL = rng.normal(size=(N, 1))
NEAR = REAL + rng.normal(size=(N, 1)) * 0.3


def at(x, index, value):
    x = np.array(x, dtype=float)
    x[index] = value
    return x


def own_mse(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


def own_log(y_true, y_pred):
    """Binary cross-entropy without a guard."""
    return -ops.mean(y_true * ops.log(y_pred) + (1 - y_true) * ops.log(1 - y_pred), axis=-1)


def dice_by_hand(y_true, y_pred):
    return 1 - 2 * ops.sum(y_true * y_pred, axis=-1) / ops.sum(y_true, axis=-1)


def per_class(y_true, y_pred):
    return 1 - ops.sum(y_true * y_pred, axis=0) / ops.sum(y_true, axis=0)


def own_log_of_the_batch(y_true, y_pred):
    return ops.mean(own_log(y_true, y_pred))


def rounded(y_true, y_pred):
    return ops.mean(ops.square(ops.round(y_pred) - y_true), axis=-1)


def spoilt(y_true, y_pred):
    raise RuntimeError("no such thing")


# Channels first: 6 classes, then 4 places; rows along the last axis mean nothing.
MAPS = rng.normal(size=(N, 6, 4))
MAPS_SIMPLEX = np.exp(MAPS) / np.exp(MAPS).sum(1, keepdims=True)
PLACES = np.arange(N * 4).reshape(N, 4) % 6
FIRST = np.arange(N) > 0
STEPS = np.arange(N * 5).reshape(N, 5) % K
STEP_LOGITS = rng.normal(size=(N, 5, K))
PADDED = np.arange(5) < 3

HEALTHY = {
    "sparse": (kl.SparseCategoricalCrossentropy(), IDS, SIMPLEX),
    "sparse-logits": (kl.SparseCategoricalCrossentropy(from_logits=True), IDS, LOGITS),
    "sparse-column": (kl.SparseCategoricalCrossentropy(from_logits=True), IDS[:, None], LOGITS),
    "keras-sparse": (keras.losses.SparseCategoricalCrossentropy(), IDS, SIMPLEX),
    "onehot": (kl.CategoricalCrossentropy(), HOT, SIMPLEX),
    "binary": ("binary_crossentropy", BITS, PROBS),
    "binary-logits": (kl.BinaryCrossentropy(from_logits=True), BITS, LOGITS),
    "regression": (kl.MeanSquaredError, REAL, NEAR),
    "vectors": (kl.MeanSquaredError(), REAL[:, 0], NEAR[:, 0]),
    "own": (own_mse, REAL, NEAR),
    "hinge": (kl.Hinge(), 2 * BITS - 1, LOGITS),
    "poisson": (kl.Poisson(), BITS * 3, PROBS * 3),
    "dice": (kl.Dice(), BITS.reshape(N, K, 1), PROBS.reshape(N, K, 1)),
    "half": (own_mse, REAL, NEAR.astype("float16")),
    "circle": (kl.Circle(), IDS, LOGITS / np.linalg.norm(LOGITS, axis=-1, keepdims=True)),
    "channels-first": (kl.SparseCategoricalCrossentropy(axis=1), PLACES, MAPS_SIMPLEX),
    "channels-first-onehot": (kl.CategoricalCrossentropy(axis=1), np.moveaxis(np.eye(6)[PLACES], -1, 1), MAPS_SIMPLEX),
    "fresh-model": (kl.MeanSquaredError(), REAL, np.zeros((N, 1))),
    "nan-of-weight-0": (kl.MeanSquaredError(), at(REAL, 0, np.nan), at(NEAR, 0, np.nan), FIRST.astype(float)),
    "masked-nan": (kl.MeanSquaredError(), REAL, at(NEAR, 0, np.nan), None, FIRST),
    "masked-outlier": (kl.MeanSquaredError(), at(REAL, 0, 60.0), NEAR, None, FIRST),
    "masked-padding": (
        kl.SparseCategoricalCrossentropy(from_logits=True),
        np.where(PADDED, STEPS, -1),
        np.where(PADDED[:, None], STEP_LOGITS, np.nan),
        None,
        np.broadcast_to(PADDED, (N, 5)),
    ),
    "mask-and-weights": (kl.MeanSquaredError(), REAL, NEAR, np.arange(N) % 2, FIRST),
    "mask-of-steps": (keras.losses.MeanSquaredError(), STEP_LOGITS, STEP_LOGITS + 0.1, None, np.broadcast_to(PADDED, (N, 5))),
}


@pytest.mark.parametrize("case", HEALTHY)
def test_silent_on_a_healthy_batch(case):
    report = diagnose(*HEALTHY[case])
    assert report.ok, str(report)
    assert not report.findings


ILL = {
    "batch-sizes-differ": (kl.MeanSquaredError(), REAL, NEAR[1:]),
    "empty-batch": (own_mse, REAL[:0], NEAR[:0]),
    "no-batch-axis": (own_mse, np.float64(1.0), np.float64(2.0)),
    "shapes-do-not-meet": (kl.MeanSquaredError(), np.zeros((N, 3)), np.zeros((N, 2))),
    "column-against-vector": (own_mse, REAL[:, 0], NEAR),
    "onehot-for-integer-loss": (keras.losses.SparseCategoricalCrossentropy(), HOT, SIMPLEX),
    "integer-labels-for-onehot-loss": ("categorical_crossentropy", IDS, SIMPLEX),
    "not-finite-input": (kl.MeanSquaredError(), REAL, at(NEAR, (5, 0), np.nan)),
    "labels-start-at-one": (kl.SparseCategoricalCrossentropy(), IDS + 1, SIMPLEX),
    "labels-out-of-range": (keras.losses.SparseCategoricalCrossentropy(), at(IDS, 7, 9).astype(int), SIMPLEX),
    "targets-out-of-range": (kl.SparseCategoricalCrossentropy(), at(IDS, 7, 0.5), SIMPLEX),
    "sign-labels-for-binary-loss": (keras.losses.BinaryCrossentropy(), 2 * BITS - 1, PROBS),
    "targets-are-multi-label": (kl.CategoricalCrossentropy(), at(HOT, 3, 1.0), SIMPLEX),
    "logits-for-probabilities": (keras.losses.BinaryCrossentropy(), BITS, LOGITS),
    "rows-do-not-sum-to-one": (keras.losses.CategoricalCrossentropy(), HOT, PROBS),
    "probabilities-for-logits": (kl.SparseCategoricalCrossentropy(from_logits=True), IDS, SIMPLEX),
    "negative-predictions": (kl.Poisson(), BITS * 3, LOGITS),
    "all-masked": (kl.MeanSquaredError(), REAL, NEAR, None, np.zeros(N, bool)),
    "weights-sum-to-zero": (kl.MeanSquaredError(), REAL, NEAR, np.zeros(N)),
    "negative-weights": (kl.MeanSquaredError(), REAL, NEAR, at(np.ones(N), 3, -1)),
    "weights-do-not-align": (kl.MeanSquaredError(), REAL, NEAR, np.ones(N - 1)),
    "not-finite-value": (own_log, BITS, at(PROBS, (4, 1), 0.0) * 0 + 1.0),
    "not-finite-gradient": (keras.losses.CategoricalGeneralizedCrossEntropy(), IDS, at(SIMPLEX, 0, [0.0, 0.5, 0.5])),
    "loss-raises": (spoilt, REAL, NEAR),
    "gradient-dead": (rounded, REAL, NEAR),
    "scales-differ": (kl.MeanSquaredError(), 5000 + 100 * REAL, NEAR),
    "classes-absent": (kl.SparseCategoricalCrossentropy(), IDS % 2, SIMPLEX),
    "few-samples-dominate": (kl.MeanSquaredError(), at(REAL, (9, 0), 60.0), NEAR),
    "one-unit-for-several-classes": ("sparse_categorical_crossentropy", IDS % 2, PROBS[:, :1]),
    "mask-does-not-align": (keras.losses.MeanSquaredError(), STEP_LOGITS, STEP_LOGITS + 0.1, None, np.ones((N, 4), bool)),
    "all-ignored": (kl.SparseCategoricalCrossentropy(ignore_class=-1), np.full(N, -1), SIMPLEX),
}


@pytest.mark.parametrize("cause", ILL)
def test_the_cause_comes_first(cause):
    report = diagnose(*ILL[cause])
    assert report.findings, cause
    assert report.findings[0].id == cause, str(report)
    finding = report.findings[0]
    assert finding.message
    assert finding.evidence
    assert finding.fix


@pytest.mark.parametrize(
    ("case", "cause", "words"),
    [
        ((own_log, BITS, at(PROBS, (4, 1), 0.0)), "not-finite-value", "log of 0"),
        ((own_mse, REAL, at(NEAR, (2, 0), 900.0).astype("float16")), "not-finite-value", "65504"),
        ((dice_by_hand, at(BITS, 6, 0.0), PROBS), "not-finite-value", "empty class"),
        ((own_log, BITS, at(PROBS, (8, 1), -2.0)), "not-finite-value", "logits where"),
    ],
)
def test_the_reason_and_the_sample(case, cause, words):
    (finding,) = [f for f in diagnose(*case).findings if f.id == cause]
    if cause == "not-finite-value":
        assert words in finding.message
    sample = finding.evidence["first at"][0]
    assert sample == {"log of 0": 4, "65504": 2, "empty class": 6, "logits where": 8}[words]


def test_whole_targets_in_a_column():
    """Ids need an axis of classes, and a vector of predictions has none."""
    (finding,) = diagnose(own_mse, IDS[:, None], NEAR[:, 0]).findings
    assert finding.id == "column-against-vector"


def test_the_sample_to_blame_for_one_number_a_batch():
    (finding,) = diagnose(own_log_of_the_batch, BITS, at(PROBS, (4, 1), 0.0)).findings
    assert (finding.id, finding.evidence["sample"]) == ("not-finite-value", 4)


def test_the_empty_class_of_values_per_class():
    finding = diagnose(per_class, at(BITS, np.s_[:, 2], 0.0), PROBS).findings[0]
    assert (finding.id, finding.evidence["first at"]) == ("not-finite-value", (2,))
    assert "class 2" in finding.message


def test_labels_from_one_with_the_classes_first():
    (finding,) = diagnose(kl.SparseCategoricalCrossentropy(axis=1), PLACES + 1, MAPS_SIMPLEX).findings
    assert finding.id == "labels-start-at-one"
    assert finding.evidence["classes of y_pred"] == MAPS.shape[1]


def test_keras_counts_nan_of_weight_0():
    """NaN * 0 is NaN: what ours leaves out is a cause there."""
    report = diagnose(keras.losses.MeanSquaredError(), REAL, at(NEAR, (5, 0), np.nan), (np.arange(N) != 5).astype(float))
    assert [(f.id, f.evidence["first at"]) for f in report.findings] == [("not-finite-input", (5, 0))]


def test_mask_and_weights_that_leave_nothing_together():
    (finding,) = diagnose(kl.MeanSquaredError(), REAL, NEAR, FIRST.astype(float), ~FIRST).findings
    assert finding.id == "all-masked"
    assert finding.evidence == {"mask True": 1, "weights not 0": N - 1, "both": 0}


def test_a_backend_without_gradients(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    report = diagnose(kl.MeanSquaredError(), REAL, NEAR)
    assert not report.findings, str(report)
    assert any("no gradients" in note for note in report.notes)
    (finding,) = diagnose(own_log, BITS, at(PROBS, (4, 1), 0.0)).findings
    assert (finding.id, finding.evidence["sample"]) == ("not-finite-value", 4)


def test_indices_are_told():
    (finding,) = diagnose(*ILL["not-finite-input"]).findings
    assert finding.evidence["first at"] == (5, 0)
    finding = diagnose(*ILL["labels-out-of-range"]).findings[0]
    assert finding.evidence["first at"] == (7,)
    assert finding.evidence["label"] == 9
    finding = diagnose(*ILL["few-samples-dominate"]).findings[0]
    assert list(finding.evidence["samples"]) == [9]


def test_ignored_labels_are_in_range():
    loss = kl.SparseCategoricalCrossentropy(ignore_class=-1)
    assert not diagnose(loss, at(IDS, 7, -1).astype(int), SIMPLEX).findings


@pytest.mark.parametrize("loss", [3, keras.layers.Dense(1), "nothing like it"])
def test_what_is_no_loss(loss):
    with pytest.raises((TypeError, ValueError), match=r"diagnose: expected a loss or a compiled model|no loss is named"):
        diagnose(loss, REAL, NEAR)


@pytest.mark.parametrize("wrong", [None, {"a": REAL}, [[1], [2, 3]], np.array(["a"])], ids=["none", "dict", "ragged", "text"])
@pytest.mark.parametrize("which", ["y_true", "y_pred"])
def test_what_is_no_array(which, wrong):
    with pytest.raises(TypeError, match=f"diagnose: {which} must be one array of numbers"):
        diagnose("mse", **({"y_true": REAL, "y_pred": NEAR} | {which: wrong}))
