"""The layers with class weights that yield logits: ArcFace and its kin. Those with a loss of their own: test_proxies.py."""

import contextlib
import json

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import gradients, value_and_gradient
from tests import _hostile as hostile
from tests.reference import _heads as reference

RNG = np.random.default_rng(0)
N, D, C = 7, 4, 5
X, Y = RNG.normal(size=(N, D)), np.array([0, 3, 1, 4, 4, 0, 3])  # class 2 has no sample
CENTERS = 3

# The layer, its arguments, the reference, its arguments where they are not the same, and the vectors of a class.
HEADS = {
    "NormalizedSoftmax": ({"temperature": 0.2}, reference.normalized_softmax, {}),
    "CosFace": ({"margin": 0.3, "temperature": 0.2}, reference.cos_face, {}),
    "ArcFace": ({"margin": 0.6, "temperature": 0.2}, reference.arc_face, {}),
    "SphereFace": ({"margin": 4, "temperature": 0.5}, reference.sphere_face, {}),
    "SubCenterArcFace": ({"margin": 0.6, "temperature": 0.2, "centers": CENTERS}, reference.sub_center_arc_face, {}),
    "CurricularFace": ({"margin": 0.6, "temperature": 0.2}, reference.curricular_face, {"t": 0.3}),
    "AdaFace": ({"margin": 0.4, "h": 0.7, "temperature": 0.2}, reference.ada_face, {"mean": 2.0, "std": 0.6}),
    "SoftTriple": (
        {"margin": 0.1, "temperature": 0.2, "centers": CENTERS, "center_temperature": 0.3, "merging": 0.0},
        reference.soft_triple,
        {},
    ),
}
MARGINS = [name for name in HEADS if name != "NormalizedSoftmax"]


def number(x):
    return float(ops.convert_to_numpy(x))


def array(x):
    return ops.convert_to_numpy(ops.convert_to_tensor(x))


def doubles():
    """Float64 on every backend."""
    return gradients._x64("float64") if keras.backend.backend() == "jax" else contextlib.nullcontext()


def head(which, classes=C, dtype=None, **config):
    return getattr(kl.layers, which)(classes, dtype=dtype, **{**HEADS[which][0], **config})


def kernel_of(name, classes=C, dimension=D, seed=1):
    centers = HEADS[name][0].get("centers", 1)
    return np.random.default_rng(seed).normal(size=(dimension, classes * centers))


def states(name):
    return [np.asarray(v) for v in HEADS[name][2].values()]


def given(name, kernel=None, dtype=None, **config):
    """A layer with known weights and state."""
    layer = head(name, dtype=dtype, **config)
    kernel = kernel_of(name) if kernel is None else kernel
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel, *states(name)])
    return layer


def expected(name, y, x, kernel):
    config, formula, state = HEADS[name]
    config = {key: value for key, value in config.items() if key != "merging"}
    return formula(y, x, kernel, **config, **state)


def slopes(function, x, step=1e-6):
    """Central differences."""
    result = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[i] += step
        behind[i] -= step
        result[i] = (function(ahead) - function(behind)) / (2 * step)
    return result


@pytest.mark.parametrize("name", HEADS)
def test_values_and_slopes_are_those_of_the_paper(name):
    kernel, weights = kernel_of(name), np.random.default_rng(2).normal(size=(N, C))
    with doubles():
        layer = given(name, kernel, "float64")
        state = [ops.convert_to_tensor(v, "float64") for v in states(name)]

        def run(x, w, y=Y):
            return layer.stateless_call([w], state, x, y)[0]

        w, x = (ops.convert_to_tensor(v, "float64") for v in (kernel, X))
        value, of_x = value_and_gradient(lambda p: run(p, w), X, "float64", weights)
        of_w = value_and_gradient(lambda p: run(x, p), kernel, "float64", weights)[1]
        plain = array(run(x, w, None))
    np.testing.assert_allclose(value, expected(name, Y, X, kernel), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(plain, expected(name, None, X, kernel), rtol=1e-9, atol=1e-9)
    if name == "AdaFace":  # the lengths are constants: their slope is that of another point's formula
        lengths = [reference.length(x) for x in X]

        def total(x, kernel):
            x = np.array([v / reference.length(v) * n for v, n in zip(x, lengths, strict=True)])
            return np.sum(weights * expected(name, Y, x, kernel))
    else:

        def total(x, kernel):
            return np.sum(weights * expected(name, Y, x, kernel))

    np.testing.assert_allclose(of_x, slopes(lambda x: total(x, kernel), X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(of_w, slopes(lambda w: total(X, w), kernel), rtol=1e-5, atol=1e-6)


def circle(theta):
    return np.stack([np.cos(theta), np.sin(theta)], axis=-1)


ANGLES = np.concatenate([np.linspace(0, np.pi, 13), [np.pi - 0.61, np.pi - 0.59, 1e-4, np.pi - 1e-4]])


@pytest.mark.parametrize("name", HEADS)
def test_the_own_logit_at_every_angle(name):
    """From 0 to pi, both ends too: the value is right, and no slope is infinite."""
    centers = HEADS[name][0].get("centers", 1)
    kernel = np.concatenate([np.tile([[1.0], [0.0]], centers), circle(np.full(centers, 2.0)).T], axis=1)
    x, y = 1.7 * circle(ANGLES), np.zeros(len(ANGLES), int)
    layer = given(name, kernel, classes=2)
    state = [ops.convert_to_tensor(v, "float32") for v in states(name)]
    w = ops.convert_to_tensor(kernel, "float32")
    value, of_x = value_and_gradient(lambda p: layer.stateless_call([w], state, p, y)[0], x)
    # Near 0 and pi an angle is only known to 3e-4 from a cosine in float32, and a multiple of it to that many times more.
    np.testing.assert_allclose(value, expected(name, y, x, kernel), rtol=1e-4, atol=5e-3)
    of_w = value_and_gradient(lambda p: layer.stateless_call([p], state, ops.convert_to_tensor(x, "float32"), y)[0], kernel)[1]
    assert np.abs(of_x).max() < 100
    assert np.abs(of_w).max() < 100 * len(x)


@pytest.mark.parametrize("name", ["ArcFace", "SphereFace", "CosFace", "SubCenterArcFace"])
def test_the_own_logit_falls_with_the_angle(name):
    theta = np.linspace(0.01, np.pi - 0.01, 60)
    kernel = np.tile([[1.0], [0.0]], HEADS[name][0].get("centers", 1))
    layer = given(name, kernel, classes=1)
    falling = array(layer(circle(theta).astype("float32"), np.zeros(60, int)))[:, 0]
    assert (np.diff(falling) < 0).all()
    assert (falling < array(layer(circle(theta).astype("float32")))[:, 0] + 1e-6).all()


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("case", ["zeros", "one-class", "all-of-one-class", "one-sample", "empty"])
def test_edges_are_finite(name, case):
    x, y, classes = X.copy(), Y, C
    if case == "zeros":
        x[::2] = 0
    elif case == "one-class":
        y, classes = np.zeros(N, int), 1
    elif case == "all-of-one-class":
        y = np.full(N, 2)
    else:
        x, y = (X[:1], Y[:1]) if case == "one-sample" else (X[:0], Y[:0])
    kernel = kernel_of(name, classes)
    layer = given(name, kernel, classes=classes)
    state = [ops.convert_to_tensor(v, "float32") for v in states(name)]
    w, t = (ops.convert_to_tensor(v, "float32") for v in (kernel, x))
    value, of_x = value_and_gradient(lambda p: layer.stateless_call([w], state, p, y, training=True)[0], x)
    of_w = value_and_gradient(lambda p: layer.stateless_call([p], state, t, y, training=True)[0], kernel)[1]
    assert value.shape == (len(x), classes)
    for each in (value, of_x, of_w):
        assert np.isfinite(each).all()
    if name != "AdaFace" and case != "empty":  # whose statistics have moved
        np.testing.assert_allclose(value, expected(name, y, x, kernel), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_labels_out_of_range_are_told(name, dtype):
    """Their rows are NaN, without slope; the others and those to be ignored are as if they were alone."""
    y, kernel = Y.astype(dtype), kernel_of(name)
    y[[1, 4]] = -1, C
    if dtype == "float32":
        y[5] = 0.5
    wrong = np.isin(np.arange(N), [1, 4, 5] if dtype == "float32" else [1, 4])
    layer, other = given(name), given(name, ignore_class=-1)
    state = [ops.convert_to_tensor(v, "float32") for v in states(name)]
    w, weights = ops.convert_to_tensor(kernel, "float32"), np.where(wrong, 0.0, 1.0)[:, None] * np.ones((1, C))
    value, slope = value_and_gradient(lambda p: layer.stateless_call([w], state, p, y)[0], X)
    np.testing.assert_array_equal(np.isnan(value), np.tile(wrong[:, None], (1, C)))
    np.testing.assert_array_equal(slope[wrong], 0.0)
    sound = np.where(wrong, 0, y).astype(int)
    right, right_slope = value_and_gradient(lambda p: layer.stateless_call([w], state, p, sound)[0], X, "float32", weights)
    np.testing.assert_allclose(value[~wrong], right[~wrong], rtol=1e-6)
    np.testing.assert_allclose(slope[~wrong], right_slope[~wrong], rtol=1e-5, atol=1e-5)
    ignoring = array(other(X.astype("float32"), y))
    np.testing.assert_allclose(ignoring[1], array(layer(X.astype("float32")))[1], rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(ignoring).any(1), wrong & (np.arange(N) != 1))
    # The cross-entropy says the same of the same labels, and no slope is NaN.
    entropy = kl.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    loss, slope = value_and_gradient(lambda p: entropy(y, layer.stateless_call([w], state, p, y)[0]), X)
    np.testing.assert_array_equal(np.isnan(loss), wrong)
    assert np.isfinite(slope).all()
    with kl.debugging(), pytest.raises(ValueError, match=r"y_true\[1\] is -1, expected integer labels from 0 to 4"):
        layer(X.astype("float32"), y)


@pytest.mark.parametrize("name", HEADS)
def test_sequences_and_masks(name):
    layer = given(name)
    x = RNG.normal(size=(3, 2, D)).astype("float32")
    y = np.array([[0, 1], [2, 9], [4, 4]])
    flat = array(layer(x.reshape(6, D), np.where(y == 9, 0, y).reshape(6)))
    mask = np.array([[True, True], [True, False], [True, True]])
    broken = ops.convert_to_tensor(np.where(mask[..., None], x, np.nan), "float32")
    out = array(layer(kl.core.private.set_mask(broken, ops.convert_to_tensor(mask)), y))
    np.testing.assert_allclose(out[mask], flat.reshape(3, 2, C)[mask], rtol=1e-5, atol=1e-5)
    assert np.isfinite(out).all()
    column = array(layer(x[:, 0], y[:, :1]))
    np.testing.assert_allclose(column, flat.reshape(3, 2, C)[:, 0], rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="does not meet"):
        layer(x[:, 0], np.array([0, 1]))


def models(name, dtype=None, **config):
    """A model that trains, one that predicts, and their layer."""
    x, y = keras.Input((6,)), keras.Input((), dtype="int32")
    embedding = keras.layers.Dense(D, dtype=dtype)(x)
    layer = head(name, dtype=dtype, **config)
    logits = layer(embedding, y)
    assert logits.shape == (None, C)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    model = keras.Model([x, y], logits)
    model.compile(keras.optimizers.SGD(0.005), kl.SparseCategoricalCrossentropy(from_logits=True))
    return model, keras.Model(x, layer(embedding)), layer


def clusters(n=40):
    rng = np.random.default_rng(3)
    y = np.arange(n) % C
    return (rng.normal(size=(C, 6))[y] + 0.1 * rng.normal(size=(n, 6))).astype("float32"), y.astype("int32")


@pytest.mark.parametrize("dtype", [None, "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", HEADS)
def test_fit_saves_and_loads(name, dtype, tmp_path):
    model, predicting, layer = models(name, dtype)
    x, y = clusters()
    before = array(layer.kernel)
    history = model.fit([x, y], y, batch_size=16, epochs=8, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(np.concatenate([w.ravel() for w in model.get_weights()])).all()
    assert np.abs(array(layer.kernel) - before).max() > 1e-3
    if dtype is not None:
        return
    assert history["loss"][-1] < history["loss"][0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.predict([x, y], verbose=0), model.predict([x, y], verbose=0), rtol=1e-5, atol=1e-5)
    found = again.get_layer(layer.name)
    assert found.get_config() == layer.get_config()
    for a, b in zip(layer.variables, found.variables, strict=True):
        np.testing.assert_array_equal(array(a), array(b))
    assert predicting.predict(x, verbose=0).shape == (40, C)


@pytest.mark.parametrize("name", MARGINS)
def test_the_margin_makes_it_harder(name):
    layer = given(name, kernel_of(name))
    with_margin, without = array(layer(X.astype("float32"), Y)), array(layer(X.astype("float32")))
    assert (with_margin[np.arange(N), Y] < without[np.arange(N), Y] + 1e-6).all()


# -- what follows the training ----------------------------------------------------------------------------------------------


def test_t_follows_the_cosines():
    layer = given("CurricularFace", momentum=0.75)
    x, mean = X.astype("float32"), reference.mean_target(Y, X, kernel_of("CurricularFace"))
    out = array(layer(x, Y, training=True))
    np.testing.assert_allclose(out, expected("CurricularFace", Y, X, kernel_of("CurricularFace")), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(number(layer.t), 0.75 * 0.3 + 0.25 * mean, rtol=1e-5)  # after the step that used it
    before = number(layer.t)
    layer(x, Y)
    layer(x, training=True)
    layer(x, np.full(N, -1), training=True)
    layer(np.full((N, D), np.nan, "float32"), Y, training=True)
    assert number(layer.t) == before
    assert not [v for v in layer.trainable_variables if v is not layer.kernel]


def test_the_statistics_follow_the_lengths():
    layer = given("AdaFace", momentum=0.75)
    x = X.astype("float32")
    mean, std = reference.norm_statistics(X)
    expected_state = {"mean": 0.75 * 2.0 + 0.25 * mean, "std": 0.75 * 0.6 + 0.25 * std}
    out = array(layer(x, Y, training=True))
    np.testing.assert_allclose([number(layer.mean), number(layer.std)], list(expected_state.values()), rtol=1e-5)
    # A step uses them as they are after it.
    right = reference.ada_face(Y, X, kernel_of("AdaFace"), **HEADS["AdaFace"][0], **expected_state)
    np.testing.assert_allclose(out, right, rtol=1e-4, atol=1e-4)
    before = number(layer.mean), number(layer.std)
    layer(x, Y)
    layer(x, training=True)
    layer(x, np.full(N, C), training=True)
    layer(np.full((N, D), np.inf, "float32"), Y, training=True)
    assert (number(layer.mean), number(layer.std)) == before


@pytest.mark.parametrize("name", ["CurricularFace", "AdaFace"])
def test_fit_moves_the_state_and_evaluation_does_not(name):
    model, predicting, layer = models(name)
    x, y = clusters()
    start = [array(v) for v in layer.non_trainable_variables]
    model.fit([x, y], y, verbose=0)
    moved = [array(v) for v in layer.non_trainable_variables]
    assert all(a != b for a, b in zip(start, moved, strict=True))
    model.evaluate([x, y], y, verbose=0)
    model.predict([x, y], verbose=0)
    predicting.predict(x, verbose=0)
    assert [array(v) for v in layer.non_trainable_variables] == moved


def test_the_vectors_of_a_class_are_drawn_together():
    kernel = kernel_of("SoftTriple")
    with doubles():
        layer = given("SoftTriple", kernel, "float64", merging=0.7)
        (regularizer,) = [v.regularizer for v in layer.trainable_variables]
        value, slope = value_and_gradient(regularizer, kernel, "float64")
    np.testing.assert_allclose(value, 0.7 * reference.merging(kernel, CENTERS), rtol=1e-9)
    np.testing.assert_allclose(slope, slopes(lambda w: 0.7 * reference.merging(w, CENTERS), kernel), rtol=1e-5, atol=1e-7)
    # Equal vectors, and vectors of length 0, are no trouble.
    same = np.repeat(kernel[:, :C], CENTERS, axis=1)
    same[:, :CENTERS] = 0
    value, slope = value_and_gradient(regularizer, same)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    # Once, however often the layer is called; and none if it is not asked for.
    layer = given("SoftTriple", kernel, merging=0.7)
    layer(X.astype("float32"), Y)
    layer(X.astype("float32"))
    np.testing.assert_allclose([number(v) for v in layer.losses], [0.7 * reference.merging(kernel, CENTERS)], rtol=1e-5)
    assert not given("SoftTriple").losses
    assert not given("SoftTriple", kernel[:, :C], merging=0.7, centers=1).losses


# -- arguments --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HEADS)
def test_hostile_configs_are_refused(name):
    cls = getattr(kl.layers, name)
    good = json.loads(json.dumps(head(name).get_config()))
    assert cls.from_config(good).get_config() == head(name, name=good["name"]).get_config()
    for field in {*good, "activity_regularizer", "fn"}:
        for value in hostile.VALUES.values():
            made = hostile.attempt(lambda config={**good, field: value}: cls.from_config(config), name, field)
            assert made is None or isinstance(made, cls)
    for config in ({}, None, [], {"name": "a"}, {**good, 1: 1}):
        assert hostile.attempt(lambda config=config: cls.from_config(config), name, "classes") is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: kl.layers.ArcFace(0),
        lambda: kl.layers.ArcFace(2.0),
        lambda: kl.layers.ArcFace(2, margin=28.6),
        lambda: kl.layers.ArcFace(2, temperature=0.0),
        lambda: kl.layers.CosFace(2, margin=-0.1),
        lambda: kl.layers.SphereFace(2, margin=1.5),
        lambda: kl.layers.SubCenterArcFace(2, centers=0),
        lambda: kl.layers.CurricularFace(2, momentum=1.5),
        lambda: kl.layers.AdaFace(2, h=-1.0),
        lambda: kl.layers.SoftTriple(2, center_temperature=0.0),
        lambda: kl.layers.SoftTriple(2, merging=-1.0),
    ],
)
def test_wrong_arguments_are_told(make):
    with pytest.raises(ValueError, match="must be"):
        make()
