"""A model that predicts given numbers, and what training it once with a loss did."""

import keras
import numpy as np

#: Assertions on stock Keras hold for the release whose behaviour was measured.
STOCK = keras.__version__.startswith("3.15.")

#: -log of the smallest probability that Keras and this package tell from 0.
FLOOR = -np.log(1e-7)


class Shift(keras.layers.Layer):
    """Adds one trainable number, initially 0, to each entry of a sample: its gradient is that of the prediction."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, shape):
        self.shift = self.add_weight(shape=tuple(shape[1:]), initializer="zeros", name="shift")

    def call(self, x):
        return x + self.shift


def model_of(y_pred, *after, masking=None):
    """A model that predicts its input, passed through the layers `after`."""
    x = keras.Input(np.shape(y_pred)[1:])
    h = x if masking is None else keras.layers.Masking(masking)(x)
    h = Shift(name="shift")(h)
    for layer in after:
        h = layer(h)
    return keras.Model(x, h)


def train(loss, y_true, y_pred, *after, sample_weight=None, masking=None, **compile_args):
    """(logged loss, gradient) of one step of SGD on one batch; the gradient is summed over the batch."""
    model = model_of(y_pred, *after, masking=masking)
    model.compile(keras.optimizers.SGD(1.0), loss=loss, **compile_args)
    y_pred = np.asarray(y_pred, "float32")
    logs = model.train_on_batch(y_pred, np.asarray(y_true), sample_weight=sample_weight, return_dict=True)
    return float(logs["loss"]), -np.asarray(model.get_layer("shift").shift, "float32")


def evaluate(loss, y_true, y_pred, *after, sample_weight=None, masking=None, batch_size=None, **compile_args):
    """The loss that `evaluate` logs."""
    model = model_of(y_pred, *after, masking=masking)
    model.compile(loss=loss, **compile_args)
    y_pred, y_true = np.asarray(y_pred, "float32"), np.asarray(y_true)
    logs = model.evaluate(
        y_pred, y_true, sample_weight=sample_weight, batch_size=batch_size or len(y_pred), verbose=0, return_dict=True
    )
    return float(logs["loss"])


def number(x):
    """A tensor as a float or an array."""
    x = keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))
    return float(x) if x.ndim == 0 else x


def close(actual, expected, rtol=1e-5, atol=1e-6):
    np.testing.assert_allclose(number(actual), expected, rtol=rtol, atol=atol)
