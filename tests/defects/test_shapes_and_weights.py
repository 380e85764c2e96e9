"""Shapes that meet, weights that hit their samples, scalar losses."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from tests.defects._fit import STOCK, close, evaluate, number, train

# Keras's own; the contract checks of `tests/conformance.py` ask the same of every loss.
CLASSES = {name: getattr(kl, name) for name, c in vars(keras.losses).items() if isinstance(c, type) and name != "Loss"}
DENSE = sorted(set(CLASSES) - {"Circle", "CTC", "SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy"})


class Squared(kl.Loss):
    """Mean of the squared error, as a user writes it."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


class StockSquared(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


class Inside(kl.Loss):
    """A function of the package inside a user's loss."""

    def call(self, y_true, y_pred):
        return kl.binary_crossentropy(y_true, y_pred)


class OneNumber(kl.Loss):
    """A loss that returns one number for the whole batch."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true))


@pytest.mark.parametrize("true_shape", [(4,), (4, 1)])
@pytest.mark.parametrize("pred_shape", [(4,), (4, 1)])
def test_column_meets_vector(true_shape, pred_shape):
    """keras#14627, keras#19662, tf-keras#317, tensorflow#30040, pytorch#16045: a perfect prediction costs 0."""
    y = np.arange(1.0, 5.0, dtype="float32")
    assert number(Squared()(y.reshape(true_shape), y.reshape(pred_shape))) == 0
    if STOCK and true_shape != pred_shape:
        close(StockSquared()(y.reshape(true_shape), y.reshape(pred_shape)), 2 * np.var(y))


def test_column_meets_vector_in_fit():
    """keras#14627, keras#19662: the same through `compile`."""
    y = np.arange(1.0, 5.0, dtype="float32")
    loss, gradient = train(Squared(), y, y.reshape(4, 1))
    assert loss == 0
    assert (gradient == 0).all()
    if STOCK:
        assert evaluate(StockSquared(), y, y.reshape(4, 1)) == pytest.approx(2 * np.var(y))


def test_function_inside_a_subclass_meets_too():
    """keras#14627: `binary_crossentropy` inside a `Loss` subclass raised for (N,) against (N, 1)."""
    y, p = np.array([0.0, 1.0], "float32"), np.array([[0.25], [0.25]], "float32")
    expected = -(np.log(0.75) + np.log(0.25)) / 2
    close(Inside()(y, p), expected)
    assert evaluate(Inside(), y, p) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize(
    "shapes", [((3, 1), (3, 2)), ((3, 2), (3, 1)), ((1, 2), (3, 2)), ((3, 2), (2, 2)), ((3, 4, 2), (3, 2))]
)
def test_nothing_broadcasts(name, shapes):
    """keras#14627 and its family: an error that names the loss and both shapes, where Keras returned a number."""
    true, pred = (np.full(shape, 0.5, "float32") for shape in shapes)
    loss = CLASSES[name]()
    with pytest.raises(ValueError, match="does not meet") as error:
        loss(true, pred)
    assert loss.name in str(error.value)
    assert all(str(shape) in str(error.value) for shape in shapes)
    if STOCK and name == "MeanSquaredError" and shapes[0] == (3, 1):
        assert np.isfinite(number(keras.losses.MeanSquaredError()(true, pred)))


def test_nothing_broadcasts_in_fit():
    """keras#14627: (N, 1) targets for (N, 2) predictions."""
    with pytest.raises(ValueError, match=r"\(\d, 1\).*\(\d, 2\)|\(None, 1\).*\(None, 2\)"):
        train(kl.MeanSquaredError(), np.zeros((3, 1), "float32"), np.zeros((3, 2)))


def test_integer_targets_where_one_hot_are_needed():
    """keras#14627 (family): CategoricalFocalCrossentropy took (N, 1) class ids and returned a number."""
    p = np.full((2, 3), 1 / 3, "float32")
    with pytest.raises(ValueError, match="Sparse"):
        kl.CategoricalFocalCrossentropy()(np.array([[0], [1]]), p)
    if STOCK:
        assert np.isfinite(number(keras.losses.CategoricalFocalCrossentropy()(np.array([[0], [1]]), p)))


def test_generalized_cross_entropy_takes_ids_only():
    """keras#14627 (family): one-hot labels, and ids of shape (N, 1), gave other numbers than ids of shape (N,)."""
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], "float32")
    expected = np.mean((1 - np.sqrt([0.7, 0.3])) / 0.5)
    for ids in (np.array([0, 2]), np.array([[0], [2]])):
        close(kl.CategoricalGeneralizedCrossEntropy()(ids, p), expected)
    with pytest.raises(ValueError, match="integer ids"):
        kl.CategoricalGeneralizedCrossEntropy()(np.eye(3)[[0, 2]], p)


def test_weights_select_samples():
    """keras#1866: weights act on each sample; a loss of one number for the batch refuses them."""
    y, p, w = (
        np.zeros((4, 1), "float32"),
        np.array([[1.0], [1.0], [2.0], [2.0]], "float32"),
        np.array([1.0, 1, 0, 0], "float32"),
    )
    close(Squared()(y, p, sample_weight=w), 2 / 4)
    close(Squared(reduction="mean_with_sample_weight")(y, p, sample_weight=w), 1)
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight", "sum"):
        with pytest.raises(ValueError, match="one number for the whole batch"):
            OneNumber(reduction=reduction)(y, p, sample_weight=w)
    close(OneNumber()(y, p), 2.5)


def test_weights_select_samples_in_fit():
    """keras#1866: `sample_weight` and `class_weight` of `fit`."""
    y, p = np.array([[0.0], [0.0], [1.0], [1.0]], "float32"), np.array([[1.0], [1.0], [3.0], [3.0]], "float32")
    loss, gradient = train(Squared(), y, p, sample_weight=np.array([1.0, 1, 0, 0]))
    assert loss == pytest.approx(2 / 4)
    assert gradient == pytest.approx(np.array([2 * (1 + 1) / 4]))
    with pytest.raises(ValueError, match="one number for the whole batch"):
        train(OneNumber(), y, p, sample_weight=np.array([1.0, 1, 0, 0]))


def test_weights_select_samples_of_a_region_loss():
    """keras#1866: `Dice` was one number for the batch, so that weights scaled it."""
    y = np.array([[[1.0], [1.0]], [[1.0], [0.0]]], "float32")
    p = np.array([[[1.0], [1.0]], [[0.0], [1.0]]], "float32")
    close(kl.Dice(reduction="none")(y, p), [0, 1], atol=1e-5)
    close(kl.Dice()(y, p, sample_weight=np.array([1.0, 0.0])), 0, atol=1e-5)
    close(kl.Dice()(y, p, sample_weight=np.array([0.0, 1.0])), 1 / 2, atol=1e-5)
    assert evaluate(kl.Dice(), y, p, sample_weight=np.array([0.0, 1.0])) == pytest.approx(1 / 2, abs=1e-5)
    if STOCK:
        whole = number(keras.losses.Dice()(y, p))
        close(keras.losses.Dice()(y, p, sample_weight=np.array([1.0, 0.0], "float32")), whole / 2)


def test_mean_over_the_batch_and_mean_over_the_weights():
    """keras#19740, #13329, #15323, tensorflow#26784, #34491: both means exist; the second equals the metric."""
    y, p, w = np.zeros((4, 1), "float32"), np.ones((4, 1), "float32"), np.array([1.0, 1, 0, 0], "float32")
    close(kl.MeanSquaredError()(y, p, sample_weight=w), 2 / 4)
    close(kl.MeanSquaredError(reduction="mean_with_sample_weight")(y, p, sample_weight=w), 2 / 2)
    metric = keras.metrics.MeanSquaredError()
    metric.update_state(y, p, sample_weight=w)
    assert number(metric.result()) == 1
    assert evaluate(kl.MeanSquaredError(), y, p, sample_weight=w) == pytest.approx(2 / 4)
    loss = kl.MeanSquaredError(reduction="mean_with_sample_weight")
    assert evaluate(loss, y, p, sample_weight=w) == pytest.approx(2 / 2)


def test_mean_with_sample_weight_divides_by_the_weights_as_broadcast():
    """keras#19740 (family): equal weights, whatever their rank, give the mean; Keras divided by their sum as given."""
    y, p = np.zeros((2, 3, 1), "float32"), np.ones((2, 3, 1), "float32")
    for shape in ((), (2,), (2, 1), (2, 3), (2, 3, 1)):
        w = np.full(shape, 0.5, "float32")
        close(kl.MeanSquaredError(reduction="mean_with_sample_weight")(y, p, sample_weight=w), 1)
    if STOCK:
        stock = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
        close(stock(y, p, sample_weight=np.full((2, 1), 0.5, "float32")), 3)


@pytest.mark.parametrize("steps", [5, 4])
def test_sample_weights_of_sequences(steps):
    """keras#15181, #1537, #657, #7120, PR#23235: (N,) weighs samples of (N, T) values, for N == T too."""
    y, p = np.zeros((4, steps, 1), "float32"), np.zeros((4, steps, 1), "float32")
    p[0] = 2
    w = np.array([4.0, 0, 0, 0], "float32")
    expected = 4 * 2**2 / 4
    close(kl.MeanSquaredError()(y, p, sample_weight=w), expected)
    assert evaluate(kl.MeanSquaredError(), y, p, sample_weight=w) == pytest.approx(expected)
    if STOCK and steps == 4:
        close(keras.losses.MeanSquaredError()(y, p, sample_weight=w), 4 * 2**2 / 16)


@pytest.mark.parametrize(("values", "weights"), [((3,), (3, 3)), ((1,), (1, 5)), ((4, 5), (5,)), ((4, 5), (1, 5, 5))])
def test_weights_that_fit_no_values(values, weights):
    """keras#15181, PR#23235: more weights than values raise, and nothing aligns from the right."""
    y, p = np.zeros((*values, 1), "float32"), np.ones((*values, 1), "float32")
    with pytest.raises(ValueError, match="sample_weight with shape"):
        kl.MeanSquaredError()(y, p, sample_weight=np.ones(weights, "float32"))
    if STOCK and weights in ((3, 3), (1, 5)):
        stock = keras.losses.MeanSquaredError(reduction="sum")
        assert number(stock(y, p, sample_weight=np.ones(weights, "float32"))) == np.prod(weights)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_empty_batch(name):
    """Found with keras 3.15.1: a batch of size 0 gave the shape (0,), or 1 (Dice); here a scalar 0."""
    shapes = {
        "Circle": ((0,), (0, 2)),
        "CTC": ((0, 2), (0, 5, 3)),
        "SparseCategoricalCrossentropy": ((0,), (0, 3)),
        "CategoricalGeneralizedCrossEntropy": ((0,), (0, 3)),
    }
    true, pred = shapes.get(name, ((0, 3), (0, 3)))
    y = np.zeros(true, "int32" if name in shapes else "float32")
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        result = CLASSES[name](reduction=reduction)(y, np.zeros(pred, "float32"))
        assert tuple(result.shape) == ()
        assert number(result) == 0
    assert number(CLASSES[name](reduction="none")(y, np.zeros(pred, "float32"))).size == 0
    if STOCK and name == "MeanSquaredError":
        assert tuple(keras.losses.MeanSquaredError()(y, np.zeros(pred, "float32")).shape) == (0,)


def test_no_features():
    """Found with keras 3.15.1: predictions with 0 features gave NaN."""
    y = np.zeros((2, 0), "float32")
    for loss in (kl.MeanSquaredError(), kl.MeanAbsoluteError(), kl.BinaryCrossentropy(), kl.Hinge()):
        assert number(loss(y, y)) == 0


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_integer_predictions(name):
    """Found with keras 3.15.1: functions of integers differed between backends, raised, or rounded to integers."""
    from keras_losses.core.names import snake_case

    true, pred = np.array([[1, 0], [0, 1]]), np.array([[1, 0], [1, 0]])
    if name == "CTC":
        true, pred = np.array([[1]]), np.array([[[1, 2], [3, 1]]])
    elif name in ("Circle", "SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy"):
        true = np.array([0, 1])
    function = getattr(kl, snake_case(name))
    close(function(true, pred), number(function(true, pred.astype("float32"))))


def test_huber_of_integers():
    """Found with keras 3.15.1: 1/2 was cast to the integer 0."""
    close(kl.huber(np.array([1, 0]), np.array([1, 1]), reduction="sum_over_batch_size"), (0 + 0.5) / 2)
    if STOCK:
        assert number(keras.losses.huber(np.array([1, 0]), np.array([1, 1]))) == 0


def test_no_reduction_is_for_direct_calls():
    """Found with keras 3.15.1: `reduction=None` gives one value a sample, of the shape of the batch."""
    y, p = np.zeros((3, 2), "float32"), np.array([[1.0, 1], [2, 2], [3, 3]], "float32")
    for reduction in (None, "none"):
        close(kl.MeanSquaredError(reduction=reduction)(y, p), [1, 4, 9])
