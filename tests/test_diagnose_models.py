"""`diagnose` of a compiled model on data: activations, masks, layers that break, several outputs."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.diagnosis import diagnose
from tests.test_diagnose import BITS, HOT, IDS, REAL, STEP_LOGITS, STEPS, K, N, at, rng

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
        (K, "log_softmax", kl.CategoricalCrossentropy(from_logits=True), HOT),
        (1, "exponential", "poisson", np.round(np.abs(REAL))),
        (1, None, kl.Poisson(log_input=True), np.round(np.abs(REAL))),
        (K, lambda x: ops.sigmoid(2 * x), "binary_crossentropy", BITS),
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


def test_a_poisson_model_that_may_go_below_0():
    model = net(1, None, "poisson")
    model.layers[-1].set_weights([np.zeros((5, 1)), np.ones(1)])
    (finding,) = diagnose(model, X, np.round(np.abs(REAL))).findings
    assert (finding.id, finding.evidence["activation"]) == ("activation-does-not-fit", "linear")


def test_a_name_is_the_loss_of_keras_in_a_model():
    """Its sigmoid path has no gradient once saturated; ours has."""
    model = net(1, "sigmoid", "binary_crossentropy")
    model.layers[-1].set_weights([np.zeros((5, 1)), np.full(1, -200.0)])
    ours = net(1, "sigmoid", kl.BinaryCrossentropy())
    ours.set_weights(model.get_weights())
    assert [f.id for f in diagnose(model, X, np.ones((N, 1))).findings] == ["gradient-dead"]
    assert not diagnose(ours, X, np.ones((N, 1))).findings


def test_the_mask_of_a_model():
    layers = [keras.Input((5,)), keras.layers.Embedding(10, 4, mask_zero=True), keras.layers.Dense(K)]
    model = keras.Sequential(layers)
    model.compile(loss="mse")
    assert not diagnose(model, STEPS + 1, STEP_LOGITS).findings
    assert [f.id for f in diagnose(model, 0 * STEPS, STEP_LOGITS).findings] == ["all-masked"]
    report = diagnose(model, STEPS + 1, STEP_LOGITS, mask=np.zeros((N, 5), bool))
    assert [f.id for f in report.findings] == ["all-masked"]


class Hidden(keras.Model):
    def __init__(self):
        super().__init__()
        self.end = keras.layers.Dense(1)

    def call(self, x):
        return self.end(ops.log(0 * x))


def test_a_model_that_hides_its_layers():
    model = Hidden()
    model.compile(loss="mse")
    (finding,) = diagnose(model, X, REAL).findings
    assert (finding.id, finding.evidence["class"]) == ("not-finite-layer", "Hidden")


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


@pytest.mark.parametrize("structure", [list, dict])
def test_weights_of_several_outputs(structure):
    inputs, names = keras.Input((4,)), ["left", "right"]
    parts = [keras.layers.Dense(1, name=name)(inputs) for name in names], [REAL, REAL], [np.ones(N), -np.ones(N)]
    ends, targets, weights = (dict(zip(names, p, strict=True)) if structure is dict else p for p in parts)
    model = keras.Model(inputs, ends)
    model.compile(loss="mse")
    (finding,) = diagnose(model, X, targets, weights).findings
    assert (finding.id, finding.evidence["weight"]) == ("negative-weights", -1)
    assert "right" in finding.evidence["output"]
    assert not diagnose(model, X, targets, np.ones(N)).findings


def test_causes_of_several_outputs_come_in_one_order():
    inputs, names = keras.Input((4,)), ["size", "sort"]
    ends = [keras.layers.Dense(1, name="size")(inputs), keras.layers.Dense(K, "softmax", name="sort")(inputs)]
    model = keras.Model(inputs, dict(zip(names, ends, strict=True)))
    model.compile(loss={"size": "mse", "sort": "sparse_categorical_crossentropy"})
    report = diagnose(model, X, {"size": 5000 + REAL, "sort": IDS + 1})
    assert [f.id for f in report.findings] == ["labels-start-at-one", "scales-differ"]


def test_a_model_without_a_loss():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="not compiled with a loss"):
        diagnose(model, X, REAL)
    model.compile(loss={"nothing": "mse"})
    with pytest.raises(ValueError, match="outputs that the model does not have"):
        diagnose(model, X, REAL)
