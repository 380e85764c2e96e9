"""Losses around a loss: resolutions, ties, labels that are wrong, sums inside, in a model."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient

RNG = np.random.default_rng(0)


def number(x):
    return np.asarray(ops.convert_to_numpy(x), float)


def test_outputs_at_several_resolutions():
    """Nearest entries: of 6 entries, an output of 3 meets those at 1, 3, 5, one of 2 those at 1 and 4."""
    y = RNG.normal(size=(2, 6, 1))
    heads = [RNG.normal(size=(2, size, 1)) for size in (6, 3, 2)]
    loss = kl.DeepSupervision(loss=kl.MeanSquaredError(), weights=(1.0, 0.5, 0.25), reduction="none")
    expected = sum(
        weight * ((head - y[:, at]) ** 2).mean((1, 2))
        for weight, head, at in zip((1, 0.5, 0.25), heads, (np.arange(6), [1, 3, 5], [1, 4]), strict=True)
    )
    np.testing.assert_allclose(number(loss(y, heads)), expected, rtol=1e-5)
    mask = np.array([[True] * 6, [True, False, True, True, True, True]])
    count = number(loss(y, heads, mask=mask))
    second = (heads[0][1, mask[1]] - y[1, mask[1]]) ** 2, (heads[1][1, 1:] - y[1, [3, 5]]) ** 2, (heads[2][1, 1] - y[1, 4]) ** 2
    np.testing.assert_allclose(count[0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(count[1], sum(w * s.mean() for w, s in zip((1, 0.5, 0.25), second, strict=True)), rtol=1e-5)


def test_labels_and_channels_first_at_several_resolutions():
    ids = RNG.integers(0, 3, (2, 4, 4))
    heads = [RNG.normal(size=(2, 3, size, size)) for size in (4, 2)]
    inner = kl.SparseCategoricalCrossentropy(from_logits=True, axis=1)
    loss = kl.DeepSupervision(loss=inner, weights=(1.0, 1.0))
    expected = float(inner(ids, heads[0])) + float(inner(ids[:, 1::2, 1::2], heads[1]))
    np.testing.assert_allclose(float(loss(ids, heads)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("heads", "weights", "words"),
    [
        ([np.zeros((2, 4, 1)), np.zeros((2, 8, 1))], None, "an output has 8 entries on axis 1, the target 4"),
        ([np.zeros((2, 4, 1))], (1.0, 0.5), "2 `weights` for 1 outputs"),
        ([np.zeros((2, 4, 3))], None, "does not meet"),
    ],
)
def test_outputs_that_do_not_fit(heads, weights, words):
    with pytest.raises(ValueError, match=f"^deep_supervision of y_true .*{words}"):
        kl.DeepSupervision(loss=kl.MeanSquaredError(), weights=weights)(np.zeros((2, 4, 1)), heads)


def test_weights_finer_than_samples():
    y, heads = np.zeros((2, 4, 1)), [np.ones((2, 4, 1)), 2 * np.ones((2, 2, 1))]
    weight = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0]])
    loss = kl.DeepSupervision(loss=kl.MeanSquaredError(), weights=(1.0, 1.0), reduction="none")
    np.testing.assert_allclose(number(loss(y, heads, sample_weight=weight)), [2.5 + 4 * 3, 0.25 + 4 * 0.5], rtol=1e-6)
    np.testing.assert_allclose(number(loss(y, heads, sample_weight=[2.0, 0.0])), [2 * (1 + 4), 0], rtol=1e-6)
    with pytest.raises(ValueError, match="one weight a sample"):
        kl.DeepSupervision(loss=kl.MeanSquaredError(), reduction="mean_with_sample_weight")(y, heads, sample_weight=weight)


def test_a_list_of_outputs_in_an_endpoint():
    target, x = keras.Input((4, 1)), keras.Input((4, 1))
    small = keras.layers.AveragePooling1D(2)(x)
    end = kl.layers.AddLoss(kl.DeepSupervision(loss=kl.MeanSquaredError(), weights=(1.0, 1.0)), name="deep")
    model = keras.Model([x, target], end([x, small], target)[0])
    a, b = RNG.normal(size=(2, 4, 1)).astype("float32"), RNG.normal(size=(2, 4, 1)).astype("float32")
    model([a, b])
    pooled = (a[:, ::2] + a[:, 1::2]) / 2
    np.testing.assert_allclose(float(sum(model.losses)), ((a - b) ** 2).mean() + ((pooled - b[:, 1::2]) ** 2).mean(), rtol=1e-5)


def test_a_sum_inside():
    y, p = RNG.integers(0, 2, (3, 4, 2)).astype(float), RNG.uniform(0.1, 0.9, (3, 4, 2))
    both = 0.5 * kl.Dice() + 2 * (kl.BinaryCrossentropy() + kl.MeanSquaredError())
    each = number(kl.Sum(terms=both.terms, weights=both.weights, reduction="none")(y, p))
    np.testing.assert_allclose(float(kl.HardestK(loss=both, k=1)(y, p)), each.max(), rtol=1e-5)
    np.testing.assert_allclose(
        float(kl.OnClasses(loss=both, classes=(1,))(y, p)), float(both(y[..., 1:], p[..., 1:])), rtol=1e-5
    )
    stacked = np.stack([p, p], axis=1)
    np.testing.assert_allclose(float(kl.DeepSupervision(loss=both)(y, stacked)), float(both(y, p)), rtol=1e-5)


def test_a_stock_loss_inside():
    loss = kl.HardestK(loss=keras.losses.MeanSquaredError(), k=2)
    assert float(loss(np.zeros((3, 1)), np.array([[1.0], [2.0], [3.0]]))) == pytest.approx((4 + 9) / 2)


def test_the_hardest_never_hide_a_wrong_label():
    loss = kl.HardestK(loss=kl.SparseCategoricalCrossentropy(from_logits=True), k=1)
    assert np.isnan(float(loss(np.array([0, 7, 1]), np.zeros((3, 2)))))


def test_the_hardest_are_chosen_among_what_counts():
    y, p = np.zeros((4, 1)), np.array([[9.0], [1.0], [2.0], [np.nan]])
    loss = kl.HardestK(loss=kl.MeanAbsoluteError(), k=0.5)
    value, slope = value_and_gradient(lambda x: loss(y, x, mask=np.array([False, True, True, False])), p)
    assert value == 2
    np.testing.assert_array_equal(slope[:, 0], [0, 0, 1, 0])
    assert float(loss(y, p, sample_weight=np.array([0.0, 1.0, 3.0, 0.0]))) == 6
    assert float(loss(y, p, mask=np.zeros(4, bool))) == 0


def test_the_hardest_within_a_sample_need_several_values():
    with pytest.raises(ValueError, match=r'^hardest_k of .* has one value a sample.*over="batch"'):
        kl.HardestK(loss=kl.Huber(), over="sample")(np.zeros((3, 1)), np.ones((3, 1)))


@pytest.mark.parametrize("loss", [kl.SparseCategoricalCrossentropy(), kl.CategoricalCrossentropy()], ids=lambda x: x.name)
def test_some_classes_of_a_distribution_are_refused(loss):
    with pytest.raises(ValueError, match=r"OnClasses: the targets of .* make no sense"):
        kl.OnClasses(loss=loss, classes=(0,))


@pytest.mark.parametrize(("classes", "words"), [((), "at least one"), ((1, 1), "each once"), ((-1,), "int >= 0")])
def test_classes_that_are_none(classes, words):
    with pytest.raises(ValueError, match=f"OnClasses: `classes` must .*{words}"):
        kl.OnClasses(loss=kl.Dice(), classes=classes)


def test_a_class_that_does_not_exist():
    with pytest.raises(ValueError, match=r"on_classes of .*`classes` names the class 3, there are 3 classes"):
        kl.OnClasses(loss=kl.Dice(), classes=(0, 3))(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)))


@pytest.mark.parametrize(
    "loss",
    [
        kl.HardestK(loss=0.5 * kl.Dice() + kl.BinaryCrossentropy(), k=3),
        kl.OnClasses(loss=kl.HardestK(loss=kl.BinaryCrossentropy(), k=0.5), classes=(1,)),
        kl.DeepSupervision(loss=kl.OnClasses(loss=kl.Dice(), classes=(0, 1)), weights=(1.0, 0.0)),
    ],
    ids=repr,
)
def test_nested_ones_save_and_load(loss, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True).loss
    assert loaded.get_config() == loss.get_config()
