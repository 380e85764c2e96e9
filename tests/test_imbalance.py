"""Imbalanced classes: what the conformance table cannot know of these losses."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from tests.reference.imbalance import effective_weights

COUNTED = (kl.ClassBalancedCrossentropy, kl.LDAM, kl.LogitAdjustedCrossentropy, kl.BalancedSoftmax, kl.Seesaw)
FROM_EITHER = tuple(cls for cls in COUNTED if cls is not kl.LDAM)
COUNTS = (5000.0, 40.0, 3.0)
RNG = np.random.default_rng(0)
LABELS, LOGITS = RNG.integers(0, 3, 16), RNG.normal(size=(16, 3))
YES, Z = RNG.integers(0, 2, (6, 4)).astype(float), RNG.normal(size=(6, 4))


def values(loss, *arguments, **keywords):
    return ops.convert_to_numpy(loss(*arguments, **keywords))


# -- effective number --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 0.9999])
def test_weights_of_the_effective_number(beta):
    counts = (1, 2, 30, 400, 0)
    weights = kl.effective_number_weights(counts, beta)
    np.testing.assert_allclose(weights, effective_weights(counts, beta), rtol=1e-9)
    np.testing.assert_allclose(sum(weights), len(counts), rtol=1e-12)


def test_a_beta_close_to_one_weighs_by_the_inverse_count():
    """There 1 - beta^n of small counts is rounded away."""
    weights = np.array(kl.effective_number_weights((1e6, 100.0, 1.0), 1 - 1e-15))
    np.testing.assert_allclose(weights / weights[2], [1e-6, 1e-2, 1.0], rtol=1e-6)


@pytest.mark.parametrize(
    ("counts", "beta"),
    [((), 0.9), ((0, 0), 0.9), ((1, -1), 0.9), ((1, np.nan), 0.9), ([[1, 2]], 0.9), ((1, 2), 1.0), ((1, 2), -0.1)],
)
def test_what_has_no_weights_is_refused(counts, beta):
    with pytest.raises(ValueError, match=r"^effective_number_weights: `(class_counts|beta)` must be"):
        kl.effective_number_weights(counts, beta)


def test_the_tool_and_the_loss_agree():
    weights = kl.effective_number_weights(COUNTS, 0.9)
    loss = kl.SparseCategoricalCrossentropy(from_logits=True, class_weight=weights, reduction="none")
    same = kl.ClassBalancedCrossentropy(class_counts=COUNTS, beta=0.9, from_logits=True, reduction="none")
    np.testing.assert_allclose(values(same, LABELS, LOGITS), values(loss, LABELS, LOGITS), rtol=1e-6)
    assert loss.class_weight == weights


# -- counts ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [*COUNTED, kl.DistributionBalanced])
def test_counts_of_other_classes_are_told(cls):
    extra = {"num_samples": 10} if cls is kl.DistributionBalanced else {}
    loss = cls(class_counts=(2.0, 1.0), **extra)
    target = np.eye(3)[LABELS] if extra else LABELS
    with pytest.raises(ValueError, match=f"^{loss.name}: `class_counts` holds 2 numbers for 3 classes.$"):
        loss(target, LOGITS)


def test_frequencies_of_other_classes_are_told():
    with pytest.raises(ValueError, match=r"^equalization: `class_frequencies` holds 1 numbers for 4 classes.$"):
        kl.Equalization(class_frequencies=(0.1,), from_logits=True)(YES, Z)


@pytest.mark.parametrize("cls", [kl.LDAM, kl.LogitAdjustedCrossentropy, kl.BalancedSoftmax])
def test_a_class_without_samples_is_refused_where_it_has_no_value(cls):
    with pytest.raises(ValueError, match=f"^{cls.__name__}: `class_counts` must be > 0, and class 1 has none"):
        cls(class_counts=(3.0, 0.0, 1.0))


def test_other_counts_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match=r"^ClassBalancedCrossentropy: `class_counts` must hold a number > 0"):
        kl.ClassBalancedCrossentropy(class_counts=(0.0, 0.0))
    with pytest.raises(ValueError, match=r"^DistributionBalanced: `class_counts` must be at most `num_samples`"):
        kl.DistributionBalanced(class_counts=(3.0, 11.0), num_samples=10)
    with pytest.raises(ValueError, match=r"^Equalization: `class_frequencies` must be a finite float in"):
        kl.Equalization(class_frequencies=(100.0, 3.0))


@pytest.mark.parametrize("cls", COUNTED)
def test_extreme_counts_and_logits_stay_finite(cls):
    loss = cls(class_counts=(1e12, 1.0, 1e-3), reduction="sum", **({} if cls is kl.LDAM else {"from_logits": True}))
    for scale in (0.0, 1.0, 1e4, -1e4):
        value, slope = value_and_gradient(lambda p: loss(LABELS, p), scale * np.sign(LOGITS))
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


@pytest.mark.parametrize("cls", FROM_EITHER)
def test_probabilities_and_logits_have_one_value(cls):
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
    from_logits = values(cls(class_counts=COUNTS, from_logits=True, reduction="none"), LABELS, LOGITS)
    np.testing.assert_allclose(values(cls(class_counts=COUNTS, reduction="none"), LABELS, p), from_logits, rtol=1e-5)


def test_the_same_loss_by_two_names():
    one = kl.LogitAdjustedCrossentropy(class_counts=COUNTS, from_logits=True, reduction="none")
    other = kl.BalancedSoftmax(class_counts=COUNTS, from_logits=True, reduction="none")
    np.testing.assert_array_equal(values(one, LABELS, LOGITS), values(other, LABELS, LOGITS))


# -- yes/no outputs ----------------------------------------------------------------------------------------------------------


def test_a_masked_entry_is_in_no_density():
    loss = kl.GradientHarmonized(from_logits=True, bins=4, reduction="none")
    mask = RNG.uniform(size=YES.shape) > 0.3
    mask[2] = False
    broken = np.where(mask, Z, np.nan)
    kept = values(kl.GradientHarmonized(from_logits=True, bins=4, reduction="sum"), YES[mask], Z[mask])
    seen = values(loss, YES, broken, mask=mask)
    np.testing.assert_allclose((seen * mask.sum(axis=1)).sum(), kept, rtol=1e-5)
    assert seen[2] == 0
    mean = values(kl.GradientHarmonized(from_logits=True, bins=4), YES, broken, mask=mask)
    np.testing.assert_allclose(mean, seen.sum() / 5, rtol=1e-6)


def test_one_entry_in_each_region_is_plain_crossentropy():
    loss = kl.GradientHarmonized(bins=10, reduction="sum")
    p = np.linspace(0.05, 0.95, 10)[:, None]
    plain = kl.BinaryCrossentropy(reduction="sum")
    np.testing.assert_allclose(values(loss, np.zeros((10, 1)), p), values(plain, np.zeros((10, 1)), p), rtol=1e-5)


def test_a_large_map_is_counted_exactly():
    z = np.zeros((2, 512, 512, 1))
    z[0, 0, 0] = 4.0
    y = np.zeros_like(z)
    seen = values(kl.GradientHarmonized(from_logits=True, reduction="none"), y, z)
    np.testing.assert_allclose(seen[0, 0, 0], z.size / 2 * np.log1p(np.exp(4.0)), rtol=1e-5)
    np.testing.assert_allclose(seen[1, 0, 0], z.size / 2 / (z.size - 1) * np.log(2), rtol=1e-5)


def test_masked_pixels_have_no_share():
    loss = kl.BalancedBinaryCrossentropy(from_logits=True, reduction="none")
    y, z = YES[:, :, None], Z[:, :, None]
    mask = np.ones((6, 4), bool)
    mask[:, 3] = False
    broken = np.where(mask[..., None], z, np.nan)
    np.testing.assert_allclose(values(loss, y, broken, mask=mask), values(loss, y[:, :3], z[:, :3]), rtol=1e-6)
    np.testing.assert_array_equal(values(loss, y, broken, mask=np.zeros((6, 4), bool)), 0)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_an_image_of_one_class_still_teaches(label):
    loss = kl.BalancedBinaryCrossentropy(from_logits=True)
    value, slope = value_and_gradient(lambda p: loss(np.full((1, 4), label), p), np.zeros((1, 4)))
    np.testing.assert_allclose(value, 0.5 * np.log(2), rtol=1e-6)
    np.testing.assert_allclose(slope, np.full((1, 4), (0.5 - label) / 8), rtol=1e-6)


def test_rare_classes_are_spared():
    """A positive of a frequent class leaves the logit of a rare one alone, one of the background does not."""
    loss = kl.Equalization(class_frequencies=(0.5, 0.4, 1e-4), from_logits=True, reduction="sum")
    y = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    slope = value_and_gradient(lambda p: loss(y, p), np.zeros((3, 3)))[1]
    np.testing.assert_allclose(slope * 3, [[-0.5, 0.5, 0], [0.5, 0.5, -0.5], [0.5, 0.5, 0.5]], atol=1e-6)


# -- the layer that counts ----------------------------------------------------------------------------------------------------


def counting(axis_of_labels=(), dtype=None, **config):
    """A model of logits `(.., 3)` with labels, and its counting layer."""
    x = keras.Input((*axis_of_labels, 3))
    y = keras.Input(axis_of_labels, dtype="int32")
    config = {"class_counts": (0.0, 0.0, 0.0), "from_logits": True, **config}
    layer = kl.layers.AddSeesaw(kl.Seesaw(**config), name="seesaw", dtype=dtype)
    identity = keras.layers.Dense(3, use_bias=False, kernel_initializer="identity")
    model = keras.Model([x, y], layer(identity(x), y))
    model.compile(keras.optimizers.SGD(0.0))
    return model, layer


def test_the_layer_counts_what_training_sees():
    model, layer = counting()
    x, y = LOGITS.astype("float32"), LABELS.astype("int32")
    seen = np.bincount(y, minlength=3)
    history = model.fit([x, y], batch_size=16, epochs=3, verbose=0).history
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.counts), 3 * seen)
    # Each step uses the counts with its own batch in them; the ratio of the counts is that of one epoch.
    expected = values(kl.Seesaw(class_counts=tuple(map(float, seen)), from_logits=True), y, x)
    np.testing.assert_allclose(history["seesaw"], expected, rtol=1e-5)
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate([x, y], verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict([x, y], verbose=0), x, rtol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.counts), 3 * seen)


def test_the_layer_goes_on_from_the_counts_it_was_given():
    model, layer = counting(class_counts=(100.0, 10.0, 1.0))
    model.fit([LOGITS[:4].astype("float32"), np.array([0, 1, 2, 2])], batch_size=2, verbose=0)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.counts), [101, 11, 3])


def test_the_layer_counts_what_counts():
    model, layer = counting((5,), ignore_class=-1)
    y = np.array([[0, 1, -1, 7, 2], [2, 2, -1, -1, -1]])
    out = model(
        [ops.convert_to_tensor(RNG.normal(size=(2, 5, 3)), "float32"), ops.convert_to_tensor(y, "int32")], training=True
    )
    assert tuple(out.shape) == (2, 5, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.counts), [1, 1, 3])
    layer(out, y[:, :, None], sample_weight=np.array([0.0, 1.0]), training=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.counts), [1, 1, 5])
    layer(out, training=True)
    layer(out, y, training=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.counts), [1, 1, 5])


def test_the_layer_does_not_count_what_keras_masks():
    tokens, y = np.array([[1, 2, 0], [3, 0, 0]]), np.array([[0, 1, 2], [2, 1, 0]])
    x = keras.layers.Embedding(4, 3, mask_zero=True)(ops.convert_to_tensor(tokens))
    layer = kl.layers.AddSeesaw(kl.Seesaw(class_counts=(0.0, 0.0, 0.0), from_logits=True))
    layer(x, ops.convert_to_tensor(y), training=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.counts), [1, 1, 1])


def test_the_layer_in_half_precision_counts_beyond_it():
    model, layer = counting(dtype="mixed_float16", class_counts=(1e6, 1.0, 1.0))
    history = model.fit([LOGITS[:4].astype("float32"), np.array([0, 1, 2, 2])], verbose=0).history
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.counts), [1000001, 2, 3])
    assert np.isfinite(history["loss"]).all()


def test_the_layer_saves_its_counts(tmp_path):
    model, layer = counting(p=0.5)
    data = [LOGITS.astype("float32"), LABELS.astype("int32")]
    model.fit(data, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(again.get_layer("seesaw").counts), ops.convert_to_numpy(layer.counts))
    np.testing.assert_allclose(again.evaluate(data, verbose=0), model.evaluate(data, verbose=0), rtol=1e-6)
    assert again.get_layer("seesaw").loss.get_config() == layer.loss.get_config()


@pytest.mark.parametrize("wrong", [kl.Huber(), kl.Seesaw(class_counts=(1.0, 1.0), reduction="none"), "seesaw"])
def test_the_layer_refuses_other_losses(wrong):
    with pytest.raises(ValueError, match="`loss` must be a keras"):
        kl.layers.AddSeesaw(wrong)


# -- the deferred re-weighting of LDAM ----------------------------------------------------------------------------------------


def test_deferred_reweighting():
    plain = kl.LDAM(class_counts=COUNTS, reduction="none")
    weights = kl.effective_number_weights(COUNTS, 0.9999)
    later = kl.LDAM(class_counts=COUNTS, class_weight=weights, reduction="none")
    cosines = np.tanh(LOGITS)
    np.testing.assert_allclose(
        values(later, LABELS, cosines), values(plain, LABELS, cosines) * np.take(weights, LABELS), rtol=1e-5
    )
