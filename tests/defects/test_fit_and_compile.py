"""Several outputs, several losses, unknown batch sizes, losses that return what they should not."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from tests.defects._fit import FLOOR, STOCK, Shift, close, evaluate, number, train

ZERO, THREE = np.zeros((1, 1), "float32"), np.full((1, 1), 3.0, "float32")


class Difference(kl.Loss):
    """A loss over two outputs."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred["a"] - y_pred["b"] - y_true), axis=-1)


class Packed(kl.Loss):
    """Two predicted tensors, packed on the last axis: negative log-likelihood of a Laplace distribution."""

    y_true = kl.spec.real("B")
    y_pred = kl.spec.parts("B", mean=kl.spec.real, log_scale=kl.spec.real)

    def call(self, y_true, y_pred):
        return kl.math.absolute(y_true - y_pred["mean"]) / ops.exp(y_pred["log_scale"]) + y_pred["log_scale"]


def test_one_loss_over_several_outputs():
    """keras#13340, #14140, #4093, #20654, #7395, #9079: directly; as an endpoint layer in a model."""
    a, b = np.full((2, 1), 5.0, "float32"), np.full((2, 1), 2.0, "float32")
    close(Difference()(np.zeros((2, 1), "float32"), {"a": a, "b": b}), 9)
    x, y = keras.Input((1,)), keras.Input((1,))
    shifted = kl.layers.AddLoss(kl.MeanSquaredError(), name="apart")(keras.layers.Identity()(x), keras.layers.Identity()(y))
    model = keras.Model([x, y], shifted)
    model.compile("sgd", kl.MeanSquaredError())
    logs = model.evaluate([a, b], a, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(9)
    assert logs["apart"] == pytest.approx(9)


def test_packed_outputs():
    """keras#14140, #20654: tensors that belong to one loss ride packed through `compile`; directly a dict will do."""
    mean, scale, y = np.array([1.0, 2.0]), np.array([0.0, np.log(2)]), np.array([3.0, 6.0])
    expected = np.mean(np.abs(y - mean) / np.exp(scale) + scale)
    packed = np.stack([mean, scale], -1).astype("float32")
    close(Packed()(y, {"mean": mean, "log_scale": scale}), expected)
    close(Packed()(y, packed), expected)
    assert evaluate(Packed(), y.astype("float32"), packed) == pytest.approx(expected, rel=1e-5)


def test_two_losses_on_one_output():
    """Found with keras 3.15.1: `loss=["mse", "mae"]` dropped the second one; a sum adds value and gradient."""
    loss, step = train(kl.MeanSquaredError() + kl.MeanAbsoluteError(), ZERO, THREE)
    assert loss == pytest.approx(9 + 3)
    close(step, [6 + 1])
    loss, step = train(0 * kl.MeanSquaredError() + 1 * kl.MeanAbsoluteError(), ZERO, THREE)
    assert loss == pytest.approx(3)
    close(step, [1])
    if STOCK:
        loss, step = train(["mse", "mae"], ZERO, THREE)
        assert loss == pytest.approx(9)
        close(step, [6])


def test_some_outputs_without_a_loss():
    """keras#18959, #20243, #21675: no defect of Keras today; kept, with instances."""
    x = keras.Input((1,))
    model = keras.Model(x, {"a": keras.layers.Identity()(x), "b": keras.layers.Rescaling(2.0)(x)})
    for losses in ({"a": kl.MeanSquaredError()}, {"a": kl.MeanSquaredError(), "b": None}):
        model.compile(loss=losses)
        assert model.evaluate(THREE, {"a": ZERO}, verbose=0) == pytest.approx(9)


class OfTheBatchSize(kl.Loss):
    """Uses the size of the batch, which TensorFlow does not know in `fit`."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1) * ops.cast(ops.shape(y_pred)[0], "float32")


def test_unknown_batch_size():
    """keras#19732, tensorflow#54094: batches of 2, 2 and 1 samples through one compiled step."""
    y, p = np.zeros((5, 1), "float32"), np.full((5, 1), 3.0, "float32")
    # Keras averages the batches by their size.
    assert evaluate(OfTheBatchSize(), y, p, batch_size=2) == pytest.approx(9 * (2 * 2 + 2 * 2 + 1 * 1) / 5)


PARTIAL = {
    "Circle": (kl.Circle(gamma=1.0), np.array([0, 0, 1, 1, 1]), np.eye(5, 2, dtype="float32")),
    "CTC": (kl.CTC(), np.array([[1], [1], [2], [2], [1]]), np.zeros((5, 2, 3), "float32")),
    "Dice": (kl.Dice(), np.ones((5, 2, 1), "float32"), np.full((5, 2, 1), 0.5, "float32")),
    "SparseCategoricalCrossentropy": (kl.SparseCategoricalCrossentropy(), np.arange(5) % 2, np.full((5, 2), 0.5, "float32")),
}


@pytest.mark.parametrize("name", sorted(PARTIAL))
def test_partial_batch(name):
    """keras#19732: the last batch is smaller; the logged loss is the mean of the batches, weighed by their size."""
    loss, y, p = PARTIAL[name]
    expected = (number(loss(y[:3], p[:3])) * 3 + number(loss(y[3:], p[3:])) * 2) / 5
    assert evaluate(loss, y, p, batch_size=3) == pytest.approx(expected, rel=1e-5)


COMPILED = {
    "CTC": (kl.CTC(), np.array([[1, 2]]), np.zeros((1, 3, 3), "float32")),
    "SparseCategoricalCrossentropy": (kl.SparseCategoricalCrossentropy(), np.array([1]), np.full((1, 2), 0.5, "float32")),
    "label_out_of_range": (kl.SparseCategoricalCrossentropy(), np.array([5]), np.full((1, 2), 0.5, "float32")),
    "Hinge": (kl.Hinge(), np.array([[1.0]], "float32"), np.array([[0.5]], "float32")),
    "Circle": (kl.Circle(), np.array([0, 0, 1]), np.eye(3, dtype="float32")),
    "Dice": (kl.Dice(), np.ones((1, 2, 1), "float32"), np.full((1, 2, 1), 0.5, "float32")),
}


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="jit_compile=True is inductor on torch: conformance covers it")
@pytest.mark.parametrize("name", sorted(COMPILED))
def test_jit_compile(name):
    """Found with keras 3.15.1: the same loss under XLA, a label out of range included."""
    loss, y, p = COMPILED[name]
    value, step = train(loss, y, p, jit_compile=True)
    eager, eager_step = train(loss, y, p, run_eagerly=True) if keras.backend.backend() != "jax" else (value, step)
    np.testing.assert_allclose(value, eager, rtol=1e-5)
    np.testing.assert_allclose(value, number(loss(y, p)), rtol=1e-5)
    close(step, eager_step)


class Nothing(kl.Loss):
    def call(self, y_true, y_pred):
        pass


class Three(kl.Loss):
    def call(self, y_true, y_pred):
        return y_pred, y_pred, y_pred


class TwoValues(kl.Loss):
    """Two losses: a mistake for (values, valid), whose second is boolean."""

    def call(self, y_true, y_pred):
        error = y_pred - y_true
        return ops.mean(ops.square(error), axis=-1), ops.mean(kl.math.absolute(error), axis=-1)


@pytest.mark.parametrize("cls", [Nothing, Three, TwoValues])
def test_call_returns_values(cls):
    """keras-core#718, #5013, #20848: a tuple was averaged without a word, None gave an error about dtypes."""
    with pytest.raises(TypeError, match="call"):
        cls()(ZERO, THREE)
    with pytest.raises(TypeError, match="call"):
        train(cls(), ZERO, THREE)


def test_symbolic_penalty():
    """keras#18467, keras-io PR#1565: the symbolic `add_loss` is gone; the endpoint layer adds and logs a loss."""
    x = keras.Input((1,))
    model = keras.Model(x, kl.layers.AddLoss(kl.MeanAbsoluteError(), weight=0.5, name="small")(Shift()(x)))
    model.compile(keras.optimizers.SGD(0.0), kl.MeanSquaredError())
    history = model.fit(np.concatenate([THREE, THREE]), np.zeros((2, 1), "float32"), batch_size=1, epochs=2, verbose=0).history
    assert history["loss"] == pytest.approx([9 + 0.5 * 3] * 2)
    assert history["small"] == pytest.approx([3, 3])


def test_instance_where_a_bare_function_cannot():
    """keras#15012, #15181: Keras casts labels and aligns weights for a function; an instance does both itself."""
    y, p = np.zeros((4, 4, 1), "float32"), np.zeros((4, 4, 1), "float32")
    p[0] = 2
    w = np.array([4.0, 0, 0, 0], "float32")
    assert evaluate(kl.MeanSquaredError(), y, p, sample_weight=w) == pytest.approx(4)
    assert evaluate(kl.mean_squared_error, y, p, sample_weight=w) == pytest.approx(1)
    ids = np.array([2**24, 2**24, 2**24 + 1, 2**24 + 1])
    x = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.6, 0.8]], "float32")
    apart, merged = number(kl.Circle()(ids, x)), number(kl.Circle()(ids * 0, x))
    assert evaluate(kl.Circle(), ids, x) == pytest.approx(apart, rel=1e-5)
    assert evaluate(kl.circle, ids, x) == pytest.approx(merged)


def test_anchors_that_do_not_count_in_a_bare_function():
    """keras#20421: the mask that the function hangs on its values keeps them out of Keras's mean."""
    ids, x = np.array([0, 0, 1]), np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], "float32")
    both = [evaluate(loss, ids, x) for loss in (kl.Circle(), kl.circle)]
    assert both[0] == pytest.approx(both[1], rel=1e-5)
    assert both[0] == pytest.approx(number(kl.Circle(reduction="sum")(ids, x)) / 2, rel=1e-5)


def test_integer_labels_of_a_bare_function():
    """keras#15012: up to 2^24 the cast of Keras loses nothing; a label out of range is still NaN."""
    p = np.full((2, 2), 0.5, "float32")
    assert evaluate(kl.sparse_categorical_crossentropy, np.array([0, 1]), p) == pytest.approx(np.log(2), rel=1e-5)
    assert np.isnan(evaluate(kl.sparse_categorical_crossentropy, np.array([0, 2]), p))


def test_wrong_shapes_of_a_bare_function():
    """keras#14627: the function checks shapes like the instance."""
    with pytest.raises(ValueError, match="does not meet"):
        evaluate(kl.mean_squared_error, np.zeros((2, 3), "float32"), np.zeros((2, 2)))


def test_saturated_output_logged_by_fit():
    """keras-core#196: `fit` logs -log(1e-7) for a confidently wrong probability, on every backend."""
    x = keras.Input((1,))
    model = keras.Model(x, keras.layers.Activation("sigmoid")(Shift()(x)))
    model.compile("sgd", kl.BinaryCrossentropy())
    history = model.fit(np.full((2, 1), -60, "float32"), np.ones((2, 1), "float32"), verbose=0, epochs=2).history
    assert history["loss"] == pytest.approx([FLOOR, FLOOR], rel=1e-5)


def test_weight_of_zero_in_a_bare_function():
    """keras-core PR#802 (family): Keras multiplies the values of a function by their weights, NaN included."""
    y, p, w = np.zeros((2, 1), "float32"), np.array([[2.0], [np.nan]], "float32"), np.array([1.0, 0.0])
    assert evaluate(kl.MeanSquaredError(), y, p, sample_weight=w) == pytest.approx(4 / 2)
    assert np.isnan(evaluate(kl.mean_squared_error, y, p, sample_weight=w))


def test_reduction_of_a_bare_function():
    """keras#19740 (family): a function in `compile` has the mean over the batch and default arguments."""
    y, p, w = np.zeros((2, 1), "float32"), np.array([[2.0], [3.0]], "float32"), np.array([1.0, 0.0])
    assert evaluate(kl.mean_squared_error, y, p, sample_weight=w) == pytest.approx(4 / 2)
    assert evaluate(kl.MeanSquaredError(reduction="mean_with_sample_weight"), y, p, sample_weight=w) == pytest.approx(4)
    assert evaluate(kl.Huber(delta=2), y, p) == pytest.approx((2**2 / 2 + 2 * (3 - 2 / 2)) / 2)
    assert evaluate(kl.huber, y, p) == pytest.approx((2 - 0.5 + 3 - 0.5) / 2)
