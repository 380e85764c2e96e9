"""Losses in `compile`, `fit` and `evaluate`: every way to name one, several outputs, masks, weights, mixed precision."""

import keras
import numpy as np
import pytest

import keras_losses as kl

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) > 0).astype("float32")
W = np.linspace(0, 2, 12).astype("float32")


def logistic(activation=None):
    layer = keras.layers.Dense(1, activation=activation, kernel_initializer=keras.initializers.Constant(0.3))
    return keras.Sequential([keras.Input((3,)), layer])


def focal(y, z, gamma):
    p = 1 / (1 + np.exp(-z))
    q = np.where(y == 1, 1 - p, p)
    return (-np.log1p(-q) * q**gamma)[:, 0]


EXPECTED = focal(Y, X.sum(1, keepdims=True) * 0.3, 3.0)
CONFIG = {"from_logits": True, "gamma": 3.0}
WAYS = {
    "instance": lambda: kl.BinaryFocalCrossentropy(**CONFIG),
    "get": lambda: kl.get("binary_focal_crossentropy", **CONFIG),
    "get-class-name": lambda: kl.get("BinaryFocalCrossentropy", **CONFIG),
    "serialized": lambda: kl.get(kl.serialize(kl.BinaryFocalCrossentropy(**CONFIG))),
    "get-config": lambda: kl.get({"class_name": "BinaryFocalCrossentropy", "config": CONFIG}),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_name_a_loss(way, tmp_path):
    model = logistic()
    model.compile(keras.optimizers.SGD(0.1), WAYS[way]())
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), EXPECTED.mean(), rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(X, Y, sample_weight=W, verbose=0), (EXPECTED * W).mean(), rtol=1e-5)
    losses = model.fit(X, Y, batch_size=12, epochs=3, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(losses[0], EXPECTED.mean(), rtol=1e-5)
    assert losses[2] < losses[1] < losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.evaluate(X, Y, verbose=0), model.evaluate(X, Y, verbose=0), rtol=1e-6)


@pytest.mark.parametrize("loss", ["huber", kl.huber], ids=["name", "function"])
def test_functions(loss):
    model = logistic()
    model.compile("sgd", kl.get(loss))
    error = np.abs(X.sum(1) * 0.3 - Y[:, 0])
    expected = np.where(error <= 1, error**2 / 2, error - 0.5)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected.mean(), rtol=1e-5)


@pytest.mark.parametrize("structure", ["list", "dict"])
def test_several_outputs_with_weights(structure):
    inputs = keras.Input((3,))
    one = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(0.3), name="one")(inputs)
    two = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(-0.2), name="two")(inputs)
    y_one, y_two = X.sum(1, keepdims=True), X[:, :1]
    losses, weights = [kl.MeanSquaredError(), kl.MeanAbsoluteError(weights=(3,))], [0.5, 2.0]
    expected = [((0.3 * y_one - y_one) ** 2).mean(), 3 * np.abs(-0.2 * y_one - y_two).mean()]
    if structure == "list":
        model = keras.Model(inputs, [one, two])
        model.compile("sgd", losses, loss_weights=weights)
        logs = model.evaluate(X, [y_one, y_two], verbose=0, return_dict=True)
    else:
        model = keras.Model(inputs, {"one": one, "two": two})
        model.compile(
            "sgd", dict(zip(("one", "two"), losses, strict=True)), loss_weights=dict(zip(("one", "two"), weights, strict=True))
        )
        logs = model.evaluate(X, {"one": y_one, "two": y_two}, verbose=0, return_dict=True)
    np.testing.assert_allclose([logs["one_loss"], logs["two_loss"]], expected, rtol=1e-5)
    np.testing.assert_allclose(logs["loss"], 0.5 * expected[0] + 2 * expected[1], rtol=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_masked_sequences_with_sample_weights(reduction):
    """The Keras mask hides padding, and weights `(batch,)` meet the batch although batch and time have one size."""
    ids = np.array([[1, 2, 0, 0], [3, 1, 2, 4], [2, 0, 0, 0], [4, 4, 1, 0]])
    inputs = keras.Input((4,), dtype="int32")
    outputs = keras.layers.Embedding(5, 3, mask_zero=True, embeddings_initializer="random_normal")(inputs)
    model = keras.Model(inputs, outputs)
    y = RNG.normal(size=(4, 4, 3)).astype("float32")
    w = np.array([1.0, 0.5, 3.0, 0.0], "float32")
    model.compile("sgd", kl.MeanSquaredError(reduction=reduction))
    errors = ((model.predict(ids, verbose=0) - y) ** 2).mean(-1)
    keep = (ids > 0).astype(float)
    full = keep * w[:, None]
    divisor = {"sum": 1.0, "sum_over_batch_size": keep.sum(), "mean_with_sample_weight": full.sum()}[reduction]
    got = model.evaluate(ids, y, sample_weight=w, batch_size=4, verbose=0)
    np.testing.assert_allclose(got, (errors * full).sum() / divisor, rtol=1e-5)


def test_mixed_precision_from_logits():
    keras.config.set_dtype_policy("mixed_float16")
    model = logistic()
    model.compile(keras.optimizers.SGD(0.5), kl.BinaryCrossentropy(from_logits=True))
    losses = model.fit(30 * X, Y, batch_size=12, epochs=4, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_unreduced_and_what_a_scalar_does_instead():
    values = keras.ops.convert_to_numpy(kl.MeanSquaredError(reduction="none")(Y, 0 * Y))
    assert values.shape == (12,)

    class Scalar(kl.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.mean(keras.ops.square(y_pred - y_true))

    assert keras.ops.shape(Scalar(reduction="none")(Y, 0 * Y)) == ()
    with pytest.raises(ValueError, match="one number for the whole batch"):
        Scalar()(Y, 0 * Y, sample_weight=W)


def test_packed_predictions():
    """Several predicted tensors ride on the last axis; called directly, the loss takes a dict too."""

    class Gaussian(kl.Loss):
        y_true = kl.spec.real("B *S")
        y_pred = kl.spec.parts("B *S", mean=kl.spec.real, log_scale=kl.spec.real)

        def call(self, y_true, y_pred):
            scaled = (y_true - y_pred["mean"]) * keras.ops.exp(-y_pred["log_scale"])
            return 0.5 * keras.ops.square(scaled) + y_pred["log_scale"]

    y, mean, log_scale = Y[:, 0], X[:, 0], X[:, 1]
    expected = 0.5 * ((y - mean) / np.exp(log_scale)) ** 2 + log_scale
    loss = Gaussian(reduction="none")
    packed = np.stack([mean, log_scale], -1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loss(y, packed)), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(loss(y, {"mean": mean, "log_scale": log_scale})), expected, rtol=1e-5, atol=1e-6
    )
    model = keras.Sequential([keras.Input((2,)), keras.layers.Identity()])
    model.compile(loss=Gaussian())
    np.testing.assert_allclose(model.evaluate(packed, y, verbose=0), expected.mean(), rtol=1e-5)
    with pytest.raises(ValueError, match="keys"):
        loss(y, {"mean": mean})
    with pytest.raises(ValueError, match="gaussian"):
        loss(y, X)
