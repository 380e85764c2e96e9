"""The endpoint layer."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = np.random.default_rng(1).normal(size=(8, 1)).astype("float32")


def fixed(layer):
    """A dense layer with known weights."""
    layer.kernel_initializer = keras.initializers.Constant(0.5)
    return layer


def test_adds_to_the_loss_logs_its_name_and_passes_on():
    inputs = keras.Input((3,))
    code = kl.layers.AddLoss(kl.MeanAbsoluteError(), weight=0.1, name="penalty")(fixed(keras.layers.Dense(2))(inputs))
    model = keras.Model(inputs, fixed(keras.layers.Dense(1))(code))
    model.compile(keras.optimizers.SGD(0.0), kl.MeanSquaredError())
    hidden = np.repeat(X.sum(1, keepdims=True) * 0.5, 2, axis=1)
    output = hidden.sum(1, keepdims=True) * 0.5
    penalty, error = np.abs(hidden).mean(), ((output - Y) ** 2).mean()
    logs = model.fit(X, Y, batch_size=8, verbose=0).history
    np.testing.assert_allclose(logs["penalty"][0], penalty, rtol=1e-5)
    np.testing.assert_allclose(logs["loss"][0], error + 0.1 * penalty, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), output, rtol=1e-5)
    # the losses of the last forward pass only
    model(X)
    model(X)
    assert len(model.losses) == 1


def test_between_two_branches_and_with_weights():
    left, right = keras.Input((3,), name="left"), keras.Input((3,), name="right")
    weight = keras.Input((), name="weight")
    out = kl.layers.AddLoss(kl.MeanSquaredError(), name="distance")(left, right, weight)
    model = keras.Model([left, right, weight], out)
    w = np.arange(8.0).astype("float32")
    model([X, 2 * X, w])
    np.testing.assert_allclose(ops.convert_to_numpy(sum(model.losses)), ((X**2).mean(1) * w).mean(), rtol=1e-5)


def test_in_a_subclassed_model_trained_by_it_alone():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = fixed(keras.layers.Dense(1, use_bias=False))
            self.end = kl.layers.AddLoss(kl.MeanSquaredError(), name="end")

        def call(self, x):
            return self.end(self.dense(x))

    model = Model()
    model.compile(keras.optimizers.SGD(0.1))
    before = float(np.mean((X @ np.full((3, 1), 0.5)) ** 2))
    logs = model.fit(X, batch_size=8, epochs=5, verbose=0).history
    np.testing.assert_allclose(logs["end"][0], before, rtol=1e-5)
    assert logs["loss"][-1] < 0.8 * logs["loss"][0]


def test_its_weight_moves_during_fit():
    inputs = keras.Input((3,))
    layer = kl.layers.AddLoss(kl.MeanAbsoluteError(), weight=1.0, name="penalty")
    model = keras.Model(inputs, layer(fixed(keras.layers.Dense(1))(inputs)))
    model.compile(keras.optimizers.SGD(0.0), kl.MeanSquaredError())

    class Anneal(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            layer.weight.assign(float(epoch))

    logs = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[Anneal()]).history
    added = np.diff(logs["loss"])
    np.testing.assert_allclose(added, logs["penalty"][0], rtol=1e-4)


def test_saves_and_loads(tmp_path):
    inputs = keras.Input((3,))
    out = kl.layers.AddLoss(0.5 * kl.Huber(delta=0.1) + kl.MeanSquaredError(), weight=3.0, name="end")(
        keras.layers.Dense(1)(inputs)
    )
    model = keras.Model(inputs, out)
    model.compile("sgd", kl.LogCosh())
    expected = model.evaluate(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.evaluate(X, Y, verbose=0), expected, rtol=1e-6)


def test_wrong_losses_are_told():
    for wrong in ("mse", kl.Huber(reduction="none"), kl.huber, kl.Huber):
        with pytest.raises(ValueError, match="reduces to one number"):
            kl.layers.AddLoss(wrong)


def test_passes_a_mask_on():
    inputs = keras.Input((4,), dtype="int32")
    embedded = keras.layers.Embedding(5, 2, mask_zero=True)(inputs)
    out = kl.layers.AddLoss(kl.MeanSquaredError(), name="end")(embedded)
    model = keras.Model(inputs, out)
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    y = ops.convert_to_numpy(model(ids))
    counts = ids > 0
    np.testing.assert_allclose(ops.convert_to_numpy(sum(model.losses)), (y[counts] ** 2).mean(), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_logs_in_half_precision(dtype):
    inputs = keras.Input((3,))
    out = kl.layers.AddLoss(kl.MeanSquaredError(), weight=0.1, name="end", dtype=dtype)(fixed(keras.layers.Dense(2))(inputs))
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.SGD(0.0))
    many = np.repeat(X, 300, axis=0)  # 2400 samples: 256 + 1 is 256 in bfloat16
    logs = model.fit(many, batch_size=8, verbose=0).history
    np.testing.assert_allclose(logs["end"][0], ((many.sum(1) * 0.5) ** 2).mean(), rtol=1e-2)
    np.testing.assert_allclose(logs["loss"][0], 0.1 * logs["end"][0], rtol=1e-5)
