"""`per_sample` and `LossMonitor`."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.callbacks import LossMonitor
from keras_losses.diagnosis.insight import PerSample, per_sample

rng = np.random.default_rng(0)
X = rng.normal(size=(11, 3)).astype("float32")
Y = rng.normal(size=(11, 2)).astype("float32")


def net(units=2, activation=None):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, activation)])


def predicted(model, x=X):
    return model.predict(x, verbose=0)


def own(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


def scalar(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true))


class Own(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return own(y_true, y_pred)


@pytest.mark.parametrize(
    "loss", [kl.MeanSquaredError(reduction="sum"), kl.MeanSquaredError, "mse", own, Own(), keras.losses.MeanSquaredError()]
)
def test_one_value_a_sample(loss):
    model = net()
    found = per_sample(loss, model, X, Y, batch_size=4, verbose=0)
    np.testing.assert_allclose(found.losses, np.mean((predicted(model) - Y) ** 2, axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(found.labels, Y)
    if isinstance(loss, kl.Loss):
        assert loss.reduction == "sum"


def test_the_loss_of_the_model():
    model = net()
    model.compile(loss=kl.MeanAbsoluteError())
    found = per_sample(None, model, X, Y, verbose=0)
    np.testing.assert_allclose(found.losses, np.abs(predicted(model) - Y).mean(-1), rtol=1e-5)
    assert found.name == "mean_absolute_error"


def test_weights_multiply():
    model, weights = net(), np.arange(11.0)
    found = per_sample("mse", model, X, Y, sample_weight=weights, verbose=0)
    np.testing.assert_allclose(found.losses, weights * np.mean((predicted(model) - Y) ** 2, axis=-1), rtol=1e-5)


class Pairs(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


@pytest.mark.parametrize("dataset", [Pairs(), [(X[:4], Y[:4]), (X[4:], Y[4:], np.ones(7))]])
def test_datasets(dataset):
    model = net()
    found = per_sample("mse", model, dataset, verbose=0)
    np.testing.assert_allclose(found.losses, np.mean((predicted(model) - Y) ** 2, axis=-1), rtol=1e-5)


def test_dense_values_are_kept():
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.Dense(2)])
    x, y = rng.normal(size=(4, 5, 3)), rng.normal(size=(4, 5, 2))
    found = per_sample("mse", model, x, y, verbose=0)
    assert found.values.shape == (4, 5)
    np.testing.assert_allclose(found.losses, found.values.mean(1))


def test_progress_is_shown(capsys):
    per_sample("mse", net(), X, Y, batch_size=4)
    assert "3/3" in capsys.readouterr().out
    per_sample("mse", net(), X, Y, batch_size=4, verbose=0)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((scalar, net(), X, Y), "scalar: the loss returns values of shape"),
        ((None, net(), X, Y), "give a loss, or compile"),
        (("mse", net(), X), "Give `y`, or a dataset"),
        (("mse", net(), X, Y[:3]), "must be of one number of samples"),
        (("mse", net(), []), "the dataset has no sample"),
        (("mse", net(), [X]), r"must give \(x, y\)"),
        ((["mse"], net(), X, Y), "expected one loss"),
    ],
)
def test_errors(arguments, text):
    with pytest.raises(ValueError, match=text):
        per_sample(*arguments, verbose=0)


VALUES = np.array([1.0, 4.0, np.nan, 0.5, 4.0])


def test_hardest():
    indices, losses = PerSample(VALUES, np.zeros(5)).hardest(3)
    assert indices.tolist() == [2, 1, 4]
    np.testing.assert_array_equal(losses, [np.nan, 4, 4])
    assert len(PerSample(VALUES, np.zeros(5)).hardest(99)[0]) == 5


@pytest.mark.parametrize("labels", [np.array([0, 2, 2, 0]), np.array([[0], [2], [2], [0]]), np.eye(3)[[0, 2, 2, 0]]])
def test_by_class(labels):
    found = PerSample(np.array([1.0, 2.0, 4.0, 1.0]), labels).by_class()
    assert found == {0: {"count": 2, "mean": 1.0, "share": 0.25}, 2: {"count": 2, "mean": 3.0, "share": 0.75}}


def test_by_class_of_numbers():
    with pytest.raises(ValueError, match="one class a sample"):
        PerSample(np.ones(2), np.array([0.5, 1.0])).by_class()


def test_plot(tmp_path):
    pytest.importorskip("matplotlib")
    figure = PerSample(rng.exponential(size=50), np.zeros(50), "mine").plot(tmp_path / "losses.png")
    assert (tmp_path / "losses.png").stat().st_size > 1000
    assert "mine of 50 samples" in figure.axes[0].get_title(loc="left")


def test_in_one_line():
    text = str(PerSample(np.array([1.0, 3.0]), np.zeros(2), "mine"))
    assert "mine of 2 samples: mean 2" in text
    assert "hardest: 1 (3), 0 (1)" in text


# ---------------------------------------------------------------- LossMonitor
def fit(loss, *callbacks, epochs=3):
    model = net()
    model.compile("sgd", loss=loss)
    history = model.fit(X, Y, epochs=epochs, batch_size=4, shuffle=False, verbose=0, callbacks=list(callbacks)).history
    return model, history


def test_monitor_logs_what_per_sample_finds():
    loss = 0.5 * kl.MeanSquaredError() + kl.MeanAbsoluteError()
    model, history = fit(loss, LossMonitor(X, Y, batch_size=4, quantiles=(0.25, 0.999)))
    each = per_sample(loss, model, X, Y, verbose=0).losses
    last = {name: values[-1] for name, values in history.items()}
    assert {name for name in last if name.startswith("monitor_")} == {
        *("monitor_loss", "monitor_dead", "monitor_not_finite", "monitor_q25", "monitor_q99_9"),
        *("monitor_mean_squared_error", "monitor_mean_absolute_error"),
    }
    assert len(history["monitor_loss"]) == 3
    np.testing.assert_allclose(last["monitor_loss"], each.mean(), rtol=1e-5)
    np.testing.assert_allclose(last["monitor_q25"], np.quantile(each, 0.25), rtol=1e-5)
    error = predicted(model) - Y
    np.testing.assert_allclose(last["monitor_mean_squared_error"], np.mean(error**2), rtol=1e-5)
    np.testing.assert_allclose(last["monitor_mean_absolute_error"], np.abs(error).mean(), rtol=1e-5)
    assert last["monitor_dead"] == last["monitor_not_finite"] == 0


def test_monitor_counts_dead_and_broken_gradients():
    """Hinge has no gradient beyond the margin; the logarithm none at all of a negative number."""

    def beyond(y_true, y_pred):
        return ops.mean(ops.relu(0 * y_pred + y_true), axis=-1)

    def negative(y_true, y_pred):
        return ops.mean(ops.log(-ops.abs(y_true) + 0 * y_pred), axis=-1)

    _, history = fit("mse", LossMonitor(X, Y, loss=beyond), LossMonitor(X, Y, loss=negative, prefix="log_"), epochs=1)
    assert history["monitor_dead"] == [1.0]
    assert history["log_not_finite"] == [1.0]


def test_monitor_changes_nothing():
    (plain, history), (other, monitored) = fit("mse"), fit("mse", LossMonitor(X, Y))
    np.testing.assert_array_equal(history["loss"], monitored["loss"])
    np.testing.assert_array_equal(predicted(plain), predicted(other))


def test_monitor_reaches_other_loggers(tmp_path):
    fit("mse", LossMonitor([(X, Y)]), keras.callbacks.CSVLogger(tmp_path / "log.csv"), epochs=1)
    assert "monitor_q50" in (tmp_path / "log.csv").read_text().splitlines()[0]


def test_monitor_errors():
    with pytest.raises(ValueError, match=r"`quantiles` must be in \[0, 1\]"):
        LossMonitor(X, Y, quantiles=(5,))
    with pytest.raises(ValueError, match="the loss returns values of shape"):
        fit(scalar, LossMonitor(X, Y))
