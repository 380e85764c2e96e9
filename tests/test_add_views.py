"""The layers around CLIP, SigLIP, DINO and IBOT: what they learn and keep."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from tests.reference import REFERENCES

RNG = np.random.default_rng(0)
IMAGES, TEXTS = RNG.normal(size=(8, 5)).astype("float32"), RNG.normal(size=(8, 3)).astype("float32")
LOGITS = RNG.normal(size=(6, 4, 3)).astype("float32")


def number(x):
    return float(ops.convert_to_numpy(x))


def array(x):
    return ops.convert_to_numpy(ops.convert_to_tensor(x))


def pairs(layer, stacked=False):
    image, text = keras.Input((5,)), keras.Input((3,))
    both = [keras.layers.Dense(4)(image), keras.layers.Dense(4)(text)]
    if stacked:
        both = keras.layers.Lambda(lambda x: ops.stack(x, axis=1), output_shape=(2, 4))(both)
    model = keras.Model([image, text], layer(both))
    model.compile(keras.optimizers.SGD(0.01))
    return model


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize(("cls", "loss"), [(kl.layers.AddCLIP, kl.CLIP()), (kl.layers.AddSigLIP, kl.SigLIP())])
def test_the_temperature_is_learned(cls, loss, stacked):
    layer = cls(loss, name="matched")
    model = pairs(layer, stacked)
    out = model.predict([IMAGES, TEXTS], verbose=0)
    out = out if stacked else np.stack(out, axis=1)
    # The first epoch is one step: its loss is that of the loss itself, with the numbers it was given.
    history = model.fit([IMAGES, TEXTS], batch_size=8, epochs=8, verbose=0).history
    np.testing.assert_allclose(history["matched"][0], number(loss(None, out)), rtol=1e-4)
    np.testing.assert_allclose(history["loss"], history["matched"], rtol=1e-4)
    assert history["loss"][-1] < history["loss"][0]
    assert len(layer.trainable_variables) == 1 + hasattr(layer, "bias")
    learned = {"temperature": number(layer.temperature)} | ({"bias": number(layer.bias)} if hasattr(layer, "bias") else {})
    for name, now in learned.items():
        assert abs(now - getattr(loss, name)) > 1e-5, name
    out = model.predict([IMAGES, TEXTS], verbose=0)
    out = out if stacked else np.stack(out, axis=1)
    np.testing.assert_allclose(
        model.evaluate([IMAGES, TEXTS], batch_size=8, verbose=0), number(type(loss)(**learned)(None, out)), rtol=1e-4
    )


def test_the_slope_of_the_temperature_is_that_of_the_formula():
    layer, step = kl.layers.AddCLIP(kl.CLIP(temperature=0.3)), 1e-3
    x = keras.Input((2, 4))
    model = keras.Model(x, layer(x))
    model.compile(keras.optimizers.SGD(step))
    views = RNG.normal(size=(8, 2, 4)).astype("float32")
    before = number(layer.log_temperature)
    model.fit(views, batch_size=8, verbose=0)
    slope = (before - number(layer.log_temperature)) / step
    ahead, behind = (REFERENCES["CLIP"][0](None, views, float(np.exp(before + h))).mean() for h in (1e-3, -1e-3))
    np.testing.assert_allclose(slope, (ahead - behind) / 2e-3, rtol=1e-2)


def test_the_temperature_of_clip_has_a_floor():
    layer = kl.layers.AddCLIP(kl.CLIP(temperature=0.012), least_temperature=0.01)
    x = keras.Input((2, 4))
    model = keras.Model(x, layer(x))
    model.compile(keras.optimizers.SGD(100.0))
    same = np.repeat(RNG.normal(size=(8, 1, 4)), 2, axis=1) + 0.3 * RNG.normal(size=(8, 2, 4))
    for _ in range(5):
        model.fit(same.astype("float32"), batch_size=8, verbose=0)
        assert number(layer.temperature) >= 0.01 * (1 - 1e-5)


def identity():
    """A layer with weights, which PyTorch's trainer warns of the lack of."""
    return keras.layers.Dense(3, use_bias=False, kernel_initializer="identity")


def centering(loss=None, dtype=None, **kwargs):
    layer = kl.layers.AddDINO(kl.DINO() if loss is None else loss, name="dino", dtype=dtype, **kwargs)
    x, w = keras.Input((4, 3)), keras.Input(())
    model = keras.Model([x, w], layer(identity()(x), sample_weight=w))
    model.compile(keras.optimizers.SGD(0.0))
    return model, layer


def test_the_center_follows_the_teacher():
    model, layer = centering(momentum=0.75)
    ones = np.ones(6, "float32")
    history = model.fit([LOGITS, ones], batch_size=6, epochs=2, verbose=0).history
    mean = LOGITS[:, 2:].mean((0, 1))
    np.testing.assert_allclose(array(layer.center), (1 - 0.75**2) * mean, rtol=1e-5)
    # A step uses the center as it was before.
    expected = [number(kl.DINO(center=tuple(map(float, c)))(None, LOGITS)) for c in (0 * mean, 0.25 * mean)]
    np.testing.assert_allclose(history["dino"], expected, rtol=1e-5)
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)
    model.evaluate([LOGITS, ones], verbose=0)
    np.testing.assert_allclose(model.predict([LOGITS, ones], verbose=0), LOGITS)
    np.testing.assert_allclose(array(layer.center), (1 - 0.75**2) * mean, rtol=1e-5)
    assert not layer.trainable_variables


def test_the_center_begins_where_it_is_told():
    model, layer = centering(kl.DINO(center=(1.0, -1.0, 0.5)), momentum=1.0)
    model.fit([LOGITS, np.ones(6, "float32")], verbose=0)
    np.testing.assert_array_equal(array(layer.center), [1.0, -1.0, 0.5])


def test_samples_that_do_not_count_leave_the_center():
    model, layer = centering()
    weight = np.array([1, 0, 2, 0, 1, 1], "float32")
    broken = np.where(weight.reshape(-1, 1, 1) > 0, LOGITS, np.nan).astype("float32")
    model.fit([broken, weight], batch_size=6, verbose=0)
    np.testing.assert_allclose(array(layer.center), 0.1 * LOGITS[weight > 0, 2:].mean((0, 1)), rtol=1e-5)
    before = array(layer.center)
    model.fit([broken, 0 * weight], batch_size=6, verbose=0)
    np.testing.assert_array_equal(array(layer.center), before)


def test_the_center_in_half_precision():
    model, layer = centering(dtype="mixed_float16")
    history = model.fit([LOGITS, np.ones(6, "float32")], batch_size=6, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert keras.backend.standardize_dtype(layer.center.dtype) == "float32"
    np.testing.assert_allclose(array(layer.center), 0.1 * LOGITS[:, 2:].mean((0, 1)), rtol=1e-2, atol=1e-3)


def test_the_center_of_patches():
    layer = kl.layers.AddDINO(kl.IBOT(), name="ibot")
    x, hidden = keras.Input((2, 5, 3)), keras.Input((5,))
    model = keras.Model([x, hidden], layer(identity()(x), hidden))
    model.compile(keras.optimizers.SGD(0.0))
    logits, masks = RNG.normal(size=(4, 2, 5, 3)).astype("float32"), np.eye(4, 5).astype("float32")
    history = model.fit([logits, masks], batch_size=4, verbose=0).history
    np.testing.assert_allclose(history["loss"], number(kl.IBOT()(masks, logits)), rtol=1e-5)
    np.testing.assert_allclose(array(layer.center), 0.1 * logits[:, 1].mean((0, 1)), rtol=1e-5, atol=1e-7)
    layer(ops.convert_to_tensor(logits), training=True)  # a model that predicts has no masks
    np.testing.assert_allclose(array(layer.center), 0.1 * logits[:, 1].mean((0, 1)), rtol=1e-5, atol=1e-7)


def test_the_layers_come_back(tmp_path):
    image, text = keras.Input((5,)), keras.Input((3,))
    both = [keras.layers.Dense(4)(image), keras.layers.Dense(4)(text)]
    both = kl.layers.AddCLIP(kl.CLIP(temperature=0.2), least_temperature=0.1, weight=0.5, name="clip")(both)
    both = kl.layers.AddSigLIP(kl.SigLIP(), name="siglip")(both)
    views = keras.layers.Reshape((4, 1))(keras.layers.Dense(4)(both[0]))
    views = keras.layers.Concatenate()([views, views])
    model = keras.Model([image, text], kl.layers.AddDINO(kl.DINO(), momentum=0.5, name="dino")(views))
    model.compile("sgd")
    model.fit([IMAGES, TEXTS], verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    for layer in map(model.get_layer, ("clip", "siglip", "dino")):
        other = again.get_layer(layer.name)
        assert other.get_config() == layer.get_config()
        for a, b in zip(layer.variables, other.variables, strict=True):
            np.testing.assert_array_equal(array(a), array(b))
    np.testing.assert_allclose(
        again.evaluate([IMAGES, TEXTS], verbose=0), model.evaluate([IMAGES, TEXTS], verbose=0), rtol=1e-5
    )
    assert again.get_layer("dino").momentum == 0.5
    # The floor comes back, too.
    assert number(again.get_layer("clip").log_temperature.constraint(ops.convert_to_tensor(-9.0))) == pytest.approx(np.log(0.1))


@pytest.mark.parametrize("layer", [kl.layers.AddCLIP, kl.layers.AddSigLIP, kl.layers.AddDINO])
@pytest.mark.parametrize("wrong", [kl.Huber(), kl.CLIP(reduction="none"), kl.SigLIP(reduction="none"), "clip"])
def test_the_layers_refuse_other_losses(layer, wrong):
    with pytest.raises(ValueError, match="`loss` must be a keras"):
        layer(wrong)


@pytest.mark.parametrize(
    "make",
    [
        lambda: kl.layers.AddDINO(kl.DINO(), momentum=1.5),
        lambda: kl.layers.AddCLIP(kl.CLIP(), least_temperature=0.0),
        lambda: kl.layers.AddCLIP.from_config({"loss": keras.losses.serialize(kl.CLIP()), "temperature": 1.0}),
        lambda: kl.layers.AddDINO.from_config({"loss": keras.losses.serialize(kl.DINO()), "momentum": -1.0}),
    ],
)
def test_the_layers_refuse_other_numbers(make):
    with pytest.raises(ValueError, match=r"momentum|temperature"):
        make()
