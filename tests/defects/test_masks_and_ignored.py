"""Masks of sequences, batches in which nothing counts, ignored classes."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from tests.defects._fit import STOCK, close, evaluate, number, train


class PerSequence(kl.Loss):
    """One value a sequence: reduces the time steps, without a word about masks."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=(1, 2))


class PerSequenceOfWhatCounts(kl.Loss):
    """One value a sequence: the mean over the time steps that count."""

    def call(self, y_true, y_pred, mask=None):
        error = ops.mean(ops.square(y_pred - y_true), axis=-1)
        return ops.mean(error, axis=1) if mask is None else kl.math.masked_mean(error, mask)


def sequences(samples, steps):
    """Predictions 2 where something counts; the second half of the steps is 0 and so masked by `Masking(0)`."""
    p = np.full((samples, steps, 1), 2.0, "float32")
    p[:, steps // 2 :] = 0
    return np.ones_like(p), p


@pytest.mark.parametrize(("samples", "steps"), [(3, 4), (4, 4)])
def test_mask_finer_than_the_values_raises(samples, steps):
    """keras-contrib#322, #1154, #2541: the mask (N, T) met values (N,): a crash, or the wrong axis where N == T."""
    y, p = sequences(samples, steps)
    with pytest.raises(ValueError, match="mask with shape"):
        PerSequence()(y, p, mask=p[..., 0] != 0)
    with pytest.raises(ValueError, match="mask with shape"):
        evaluate(PerSequence(), y, p, masking=0.0)


@pytest.mark.parametrize(("samples", "steps"), [(3, 4), (4, 4)])
def test_mask_that_the_loss_consumes(samples, steps):
    """keras-contrib#322, #1154, #2541: a loss whose `call` names `mask` reduces it along with its values."""
    y, p = sequences(samples, steps)
    expected = (2 - 1) ** 2
    close(PerSequenceOfWhatCounts()(y, p, mask=p[..., 0] != 0), expected)
    assert evaluate(PerSequenceOfWhatCounts(), y, p, masking=0.0) == pytest.approx(expected)
    close(PerSequenceOfWhatCounts()(y, p), (1 + 1) / 2)


@pytest.mark.parametrize(("samples", "steps"), [(3, 4), (4, 4)])
def test_keras_mask_of_a_stock_formula(samples, steps):
    """keras-contrib#322 (family): the mask of a `Masking` layer keeps padded steps out of numerator and denominator."""
    y, p = sequences(samples, steps)
    y[:, steps // 2 :] = 7
    loss, gradient = train(kl.MeanSquaredError(), y, p, masking=0.0)
    assert loss == pytest.approx(1)
    counted = samples * (steps // 2)
    assert gradient[: steps // 2, 0] == pytest.approx(np.full(steps // 2, samples * 2 / counted))
    assert (gradient[steps // 2 :] == 0).all()


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize(("masked", "weighted"), list(itertools.product([False, True], repeat=2)))
def test_mask_times_weight_times_reduction(reduction, masked, weighted):
    """keras-core PR#802, keras PR#21908: each combination by its definition."""
    y, p = np.zeros((4, 1), "float32"), np.array([[1.0], [2.0], [3.0], [4.0]], "float32")
    values = np.square(p[:, 0])
    m = np.array([True, True, False, True]) if masked else np.ones(4, bool)
    w = np.array([1.0, 0.5, 2.0, 0.0], "float32") if weighted else np.ones(4, "float32")
    expected = {
        "sum_over_batch_size": (values * w * m).sum() / m.sum(),
        "mean": (values * w * m).sum() / m.sum(),
        "sum": (values * w * m).sum(),
        "mean_with_sample_weight": (values * w * m).sum() / (w * m).sum(),
        "none": values * w * m,
    }
    result = kl.MeanSquaredError(reduction=reduction)(y, p, sample_weight=w if weighted else None, mask=m if masked else None)
    close(result, expected[reduction])


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("how", ["mask", "sample_weight"])
def test_nothing_counts(reduction, how):
    """keras-core PR#802, keras PR#21908: 0 with gradient 0, even where the inputs are NaN."""
    y, p = np.zeros((3, 2), "float32"), np.full((3, 2), np.nan, "float32")
    for loss in (kl.MeanSquaredError(reduction=reduction), kl.BinaryCrossentropy(reduction=reduction)):
        given = {how: np.zeros(3, bool if how == "mask" else "float32")}
        value, gradient = value_and_gradient(lambda t, loss=loss, given=given: loss(y, t, **given), p)
        assert value == 0
        assert (gradient == 0).all()


def test_nothing_counts_in_fit():
    """keras-core PR#802: an all-masked batch."""
    y, p = np.ones((2, 3, 1), "float32"), np.zeros((2, 3, 1), "float32")
    loss, gradient = train(kl.MeanSquaredError(), y, p, masking=0.0)
    assert loss == 0
    assert (gradient == 0).all()


LOGITS = np.log(np.array([[0.7, 0.2, 0.1], [0.2, 0.2, 0.6]], "float32"))


def test_ignored_class():
    """keras#19150, keras-core#562, tf-keras#734, PR#22284: not in the sum and not in the count, NaN logits included."""
    loss = kl.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    broken = LOGITS.copy()
    broken[1] = np.nan
    value, gradient = value_and_gradient(lambda t: loss(np.array([0, -1]), t), broken)
    close(value, -np.log(0.7))
    close(gradient, [[0.7 - 1, 0.2, 0.1], [0, 0, 0]])
    assert evaluate(loss, np.array([0, -1]), LOGITS) == pytest.approx(-np.log(0.7), rel=1e-5)


def test_everything_ignored():
    """keras#19150: 0 with gradient 0."""
    loss = kl.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    value, gradient = value_and_gradient(lambda t: loss(np.array([-1, -1]), t), LOGITS)
    assert value == 0
    assert (gradient == 0).all()
    logged, step = train(loss, np.array([-1, -1]), LOGITS)
    assert logged == 0
    assert (step == 0).all()


def test_ignored_class_in_a_custom_loss():
    """keras#19150 (family): `1.0 * loss` lost the hidden mask of the values, so ignored entries were averaged in."""
    loss = 1.0 * kl.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    close(loss(np.array([0, -1]), LOGITS), -np.log(0.7))
    assert evaluate(loss, np.array([0, -1]), LOGITS) == pytest.approx(-np.log(0.7), rel=1e-5)

    class StockCustom(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return 1.0 * keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True, ignore_class=-1)

    if STOCK:
        close(StockCustom()(np.array([0, -1]), LOGITS), -np.log(0.7) / 2)


def test_ignored_class_with_validity_stated():
    """keras#19150 (family): a user's loss says itself which values count, without a hidden attribute."""

    class Valid(kl.Loss):
        y_true = kl.spec.label("B", classes=None)
        y_pred = kl.spec.logit("B C")

        def call(self, y_true, y_pred):
            valid = y_true >= 0
            return 1.0 * kl.sparse_categorical_crossentropy(ops.where(valid, y_true, 0), y_pred, from_logits=True), valid

    close(Valid()(np.array([0, -1]), LOGITS), -np.log(0.7))
    assert evaluate(Valid(), np.array([0, -1]), LOGITS) == pytest.approx(-np.log(0.7), rel=1e-5)


def test_mask_of_an_anchor():
    """keras#20421 (Circle): an anchor without positives does not count, nor is a masked one a partner."""
    x = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, 0.6]], "float32")
    ids = np.array([0, 0, 1, 2])
    values = number(kl.Circle(gamma=1.0, reduction="none")(ids, x))
    assert (values[2:] == 0).all()
    close(kl.Circle(gamma=1.0)(ids, x), values[:2].mean())
    keep = np.array([True, True, True, False])
    close(kl.Circle(gamma=1.0)(ids, x, mask=keep), number(kl.Circle(gamma=1.0)(ids[:3], x[:3])))
