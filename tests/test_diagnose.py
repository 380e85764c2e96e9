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


def rounded(y_true, y_pred):
    return ops.mean(ops.square(ops.round(y_pred) - y_true), axis=-1)


def spoilt(y_true, y_pred):
    raise RuntimeError("no such thing")


OURS, KERAS = kl, keras.losses
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
}


@pytest.mark.parametrize("case", HEALTHY)
def test_silent_on_a_healthy_batch(case):
    report = diagnose(*HEALTHY[case])
    assert report.ok, str(report)
    assert not report.findings


ILL = {
    "batch-sizes-differ": (kl.MeanSquaredError(), REAL, NEAR[1:]),
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
    ],
)
def test_the_reason_and_the_sample(case, cause, words):
    (finding,) = [f for f in diagnose(*case).findings if f.id == cause]
    if cause == "not-finite-value":
        assert words in finding.message
    sample = finding.evidence["first at"][0]
    assert sample == {"log of 0": 4, "65504": 2, "empty class": 6}[words]


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


# ---------------------------------------------------------------- models
X = rng.normal(size=(N, 4)).astype("float32")


def net(units, activation, loss):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5, "relu", name="inner"), keras.layers.Dense(units, activation)]
    )
    model.compile(loss=loss)
    return model


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y"),
    [
        (K, "softmax", kl.SparseCategoricalCrossentropy(), IDS),
        (K, None, kl.SparseCategoricalCrossentropy(from_logits=True), IDS),
        (K, "sigmoid", "binary_crossentropy", BITS),
        (1, None, "mse", REAL),
    ],
)
def test_silent_on_a_healthy_model(units, activation, loss, y):
    report = diagnose(net(units, activation, loss), X, y)
    assert not report.findings, str(report)


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y", "cause"),
    [
        (1, "softmax", "binary_crossentropy", BITS[:, :1], "softmax-of-one-unit"),
        (K, "softmax", kl.SparseCategoricalCrossentropy(from_logits=True), IDS, "probabilities-for-logits"),
        (K, "relu", kl.CategoricalCrossentropy(from_logits=True), HOT, "activation-does-not-fit"),
        (1, "sigmoid", "mse", 3 * REAL, "activation-does-not-fit"),
        (K, None, keras.losses.SparseCategoricalCrossentropy(), IDS, "logits-for-probabilities"),
    ],
)
def test_activations(units, activation, loss, y, cause):
    report = diagnose(net(units, activation, loss), X, y)
    assert cause in [finding.id for finding in report.findings], str(report)


def test_weights_that_are_nan():
    model = net(1, None, "mse")
    kernel, bias = model.layers[0].get_weights()
    kernel[0, 0] = np.nan
    model.layers[0].set_weights([kernel, bias])
    (finding,) = diagnose(model, X, REAL).findings
    assert finding.id == "not-finite-weights"
    assert "inner" in finding.evidence["variable"]


def test_the_first_layer_that_is_not_finite():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(3, name="before")(inputs)
    hidden = keras.layers.Rescaling(np.inf, name="guilty")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1, name="after")(hidden))
    model.compile(loss="mse")
    (finding,) = diagnose(model, X, REAL).findings
    assert (finding.id, finding.evidence["layer"]) == ("not-finite-layer", "guilty")


def test_an_input_that_is_nan():
    (finding,) = diagnose(net(1, None, "mse"), at(X, (3, 2), np.nan).astype("float32"), REAL).findings
    assert (finding.id, finding.evidence["first at"]) == ("not-finite-input", (3, 2))


@pytest.mark.parametrize("structure", [list, dict])
def test_several_outputs(structure):
    inputs = keras.Input((4,))
    ends = [keras.layers.Dense(1, name="size")(inputs), keras.layers.Dense(K, "softmax", name="sort")(inputs)]
    names = ["size", "sort"]
    losses, targets = ["mse", "sparse_categorical_crossentropy"], [REAL, IDS + 1]
    if structure is dict:
        ends, losses, targets = (dict(zip(names, values, strict=True)) for values in (ends, losses, targets))
    model = keras.Model(inputs, ends)
    model.compile(loss=losses)
    (finding,) = diagnose(model, X, targets).findings
    assert finding.id == "labels-start-at-one"
    assert "sort" in finding.evidence["output"]


def test_a_model_without_a_loss():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="not compiled with a loss"):
        diagnose(model, X, REAL)
    model.compile(loss={"nothing": "mse"})
    with pytest.raises(ValueError, match="outputs that the model does not have"):
        diagnose(model, X, REAL)
