"""Sums of losses."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl

Y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
P = np.array([[0.8, 0.3], [0.4, 0.9], [0.5, 0.6]])
W = np.array([1.0, 0.0, 3.0])


def value(loss, *args, **kwargs):
    return ops.convert_to_numpy(loss(*args, **kwargs))


def test_value_is_the_sum_of_the_values():
    first, second = kl.BinaryCrossentropy(), kl.Dice()
    total = 0.7 * first + 0.3 * second
    assert isinstance(total, kl.Loss)
    assert total.terms == (first, second)
    assert total.weights == (0.7, 0.3)
    np.testing.assert_allclose(value(total, Y, P), 0.7 * value(first, Y, P) + 0.3 * value(second, Y, P), rtol=1e-6)


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight", "sum_over_batch_size"])
def test_weights_and_masks_reach_every_term(reduction):
    first, second = kl.BinaryCrossentropy(reduction=reduction), kl.MeanAbsoluteError(reduction=reduction)
    total = first + 2 * second
    for given in ({"sample_weight": W}, {"mask": W > 0}, {"sample_weight": W, "mask": W < 2}):
        expected = value(first, Y, P, **given) + 2 * value(second, Y, P, **given)
        np.testing.assert_allclose(value(total, Y, P, **given), expected, rtol=1e-6)


def test_builtin_sum_and_nesting_keep_one_list_of_terms():
    losses = [kl.MeanSquaredError(), kl.MeanAbsoluteError(), kl.Huber()]
    assert sum(losses).terms == tuple(losses)
    nested = 2 * (losses[0] + 3 * (losses[1] + losses[2]))
    assert nested.terms == tuple(losses)
    assert nested.weights == (2.0, 6.0, 6.0)


def test_a_named_sum_stays_one_term():
    inner = kl.Sum(terms=(kl.MeanSquaredError(), kl.Huber()), name="inner")
    outer = inner + kl.MeanAbsoluteError()
    assert [t.name for t in outer.terms] == ["inner", "mean_absolute_error"]
    np.testing.assert_allclose(value(outer, Y, P), value(inner, Y, P) + value(kl.MeanAbsoluteError(), Y, P), rtol=1e-6)


def test_stock_keras_losses_on_either_side():
    ours, stock = kl.Dice(), keras.losses.MeanSquaredError()
    expected = value(ours, Y, P) + value(stock, Y, P)
    for total in (ours + stock, stock + ours, kl.Sum(terms=(stock, ours))):
        np.testing.assert_allclose(value(total, Y, P), expected, rtol=1e-6)
    # aligned on the batch axis, unlike in Keras
    square = np.arange(9.0).reshape(3, 3, 1)
    total = kl.Sum(terms=(stock,))
    np.testing.assert_allclose(
        value(total, square, 0 * square, sample_weight=W), (square[..., 0] ** 2 * W[:, None]).mean(), rtol=1e-6
    )


def test_unreduced_terms_of_different_rank_meet_in_one_value_a_sample():
    y, p = np.ones((2, 3, 4)), np.zeros((2, 3, 4))
    total = kl.MeanSquaredError(reduction="none") + 0.5 * kl.Dice(reduction="none")
    assert value(total, y, p).shape == (2,)
    np.testing.assert_allclose(value(total, y, p), 1 + 0.5, rtol=1e-6)
    mask = np.array([[True, False, False], [True, True, True]])
    y = np.arange(24.0).reshape(2, 3, 4)
    means = (y**2).mean(-1)
    got = value(kl.Sum(terms=(kl.MeanSquaredError(),), reduction="none"), y, p, mask=mask)
    np.testing.assert_allclose(got, [means[0, 0], means[1].mean()], rtol=1e-6)


def test_a_scalar_stock_term_cannot_be_told_apart():
    total = kl.Sum(terms=(keras.losses.Dice(), kl.Dice()), reduction="none")
    with pytest.raises(ValueError, match="one number for the batch"):
        total(Y, P)
    with pytest.raises(ValueError, match="one number for the whole batch"):
        (kl.Dice() + keras.losses.Dice())(Y, P, sample_weight=W)


def test_wrong_sums_are_told():
    with pytest.raises(ValueError, match="'sum' and 'sum_over_batch_size'"):
        kl.Huber(reduction="sum") + kl.Huber()
    with pytest.raises(ValueError, match="2 weights for 1 terms"):
        kl.Sum(terms=(kl.Huber(),), weights=(1, 2))
    with pytest.raises(ValueError, match="at least one"):
        kl.Sum(terms=())
    with pytest.raises(TypeError, match="multiplied by a number"):
        kl.Huber() * "2"
    with pytest.raises(TypeError):
        kl.Huber() + 1


def test_ignored_pixels_of_one_term_do_not_dilute_it():
    labels = np.array([[0, -1], [1, 1]])
    logits = np.array([[[2.0, 0.0], [9.0, 9.0]], [[0.0, 1.0], [1.0, 0.0]]])
    sparse = kl.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    np.testing.assert_allclose(value(1.0 * sparse, labels, logits), value(sparse, labels, logits), rtol=1e-6)


def test_saves_with_its_terms():
    total = 0.7 * kl.BinaryFocalCrossentropy(gamma=3.0) + 0.3 * kl.Tversky(alpha=0.9) + keras.losses.MeanSquaredError()
    again = kl.deserialize(kl.serialize(total))
    assert [type(t) for t in again.terms] == [type(t) for t in total.terms]
    np.testing.assert_array_equal(value(again, Y, P), value(total, Y, P))


def test_metrics_log_each_term_and_add_up(tmp_path):
    loss = 0.5 * kl.BinaryCrossentropy() + 2 * kl.MeanSquaredError() + 1.0 * kl.MeanSquaredError()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="sigmoid")])
    model.compile("sgd", loss, metrics=loss.metrics())
    x = np.random.default_rng(0).normal(size=(7, 2))
    y = (x > 0).astype("float32")
    logs = model.fit(x, y, batch_size=3, epochs=1, verbose=0).history
    terms = [logs[name][0] for name in ("binary_crossentropy", "mean_squared_error", "mean_squared_error_2")]
    np.testing.assert_allclose(0.5 * terms[0] + 2 * terms[1] + terms[2], logs["loss"][0], rtol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-6)
