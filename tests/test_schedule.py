"""Losses that change during `fit`: each epoch trains with its own numbers, on every backend, compiled."""

import keras
import numpy as np
import pytest

import keras_losses as kl

X = np.array([[1.0], [2.0]], "float32")
Y = np.array([[3.0], [1.0]], "float32")


def line(loss, rate=0.05):
    """`y = w x` from w = 0.5, full batches of plain gradient descent: an epoch is one step."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(0.5))
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(rate), loss=loss)
    return model


def steps(weights, rate=0.05):
    """What w should be after one step for each weight of (squared, absolute) error."""
    w, x, y = 0.5, X[:, 0].astype(float), Y[:, 0].astype(float)
    values = []
    for squared, absolute in weights:
        error = w * x - y
        values.append(squared * np.mean(error**2) + absolute * np.mean(np.abs(error)))
        w -= rate * (squared * np.mean(2 * error * x) + absolute * np.mean(np.sign(error) * x))
    return w, values


def test_each_epoch_has_its_numbers():
    weights = [(1.0, 0.0), (0.5, 0.5), (0.5, 0.5), (0.0, 2.0)]
    loss = 1.0 * kl.MeanSquaredError() + 0.0 * kl.MeanAbsoluteError()
    model = line(loss)
    schedule = kl.callbacks.LossSchedule(loss, lambda epoch: {"weights": weights[epoch]})
    history = model.fit(X, Y, batch_size=2, epochs=4, verbose=0, shuffle=False, callbacks=[schedule], validation_data=(X, Y))
    w, values = steps(weights)
    np.testing.assert_allclose(history.history["loss"], values, rtol=1e-5)
    np.testing.assert_allclose(np.ravel(model.get_weights()[0]), w, rtol=1e-5)
    error = w * X[:, 0] - Y[:, 0]
    np.testing.assert_allclose(history.history["val_loss"][-1], 2.0 * np.mean(np.abs(error)), rtol=1e-5)


def test_class_weights_come_in_late():
    loss = kl.SparseCategoricalCrossentropy(from_logits=True)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), loss=loss)
    late = kl.callbacks.DeferredReweighting(loss, epoch=2, class_weight=(0.5, 3.0))
    labels = np.array([0, 1])
    history = model.fit(X, labels, batch_size=2, epochs=4, verbose=0, callbacks=[late]).history["loss"]
    plain = np.log(2)
    np.testing.assert_allclose(history, [plain, plain, plain * (0.5 + 3) / 2, plain * (0.5 + 3) / 2], rtol=1e-5)


def test_the_step_is_compiled_anew_only_for_a_change(monkeypatch):
    loss = kl.Huber()
    model = line(loss)
    schedule = kl.callbacks.LossSchedule(loss, lambda epoch: {"delta": 1.0 if epoch < 2 else 2.0})
    built, make = [], model.make_train_function
    monkeypatch.setattr(model, "make_train_function", lambda force=False: (built.append(force), make(force))[1])
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[schedule])
    assert built.count(True) == 1


def test_a_loss_inside_others():
    inner = kl.Huber()
    model = line(0.5 * kl.HardestK(loss=inner, k=1) + kl.MeanSquaredError())
    model.fit(X, Y, verbose=0, callbacks=[kl.callbacks.LossSchedule(inner, lambda _: {"delta": 3.0})])
    assert inner.delta == 3.0


def test_the_weight_of_an_endpoint_is_a_variable():
    inputs = keras.Input((1,))
    end = kl.layers.AddLoss(kl.MeanAbsoluteError(), weight=1.0, name="end")
    model = keras.Model(inputs, end(keras.layers.Dense(1, kernel_initializer="ones")(inputs)))
    model.compile(keras.optimizers.SGD(0.0), kl.MeanSquaredError())

    x = np.ones((2, 1), "float32")
    fade = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: end.weight.assign(1.0 - epoch))
    history = model.fit(x, x, batch_size=2, epochs=2, verbose=0, callbacks=[fade]).history["loss"]
    np.testing.assert_allclose(history, [1.0, 0.0], atol=1e-6)


def test_what_is_refused():
    with pytest.raises(TypeError, match="LossSchedule: `loss` must be an instance of a keras_losses"):
        kl.callbacks.LossSchedule(keras.losses.Huber(), lambda _: {})
    model = line(kl.Huber())
    with pytest.raises(ValueError, match="the model does not hold this instance of Huber"):
        model.fit(X, Y, verbose=0, callbacks=[kl.callbacks.LossSchedule(kl.Huber(), lambda _: {})])
    loss = kl.Huber()
    model = line(loss)
    with pytest.raises(ValueError, match="Huber: `delta` must be a finite float > 0"):
        model.fit(X, Y, verbose=0, callbacks=[kl.callbacks.LossSchedule(loss, lambda _: {"delta": -1})])
    assert loss.delta == 1.0
