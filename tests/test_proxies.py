"""The layers with class vectors that add a loss of their own: ProxyNCA, ProxyAnchor, CenterLoss."""

import contextlib
import json

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.core.private import set_mask
from keras_losses.testing import gradients, value_and_gradient
from tests import _hostile as hostile
from tests.reference import _heads as reference
from tests.reference._embeddings import average

RNG = np.random.default_rng(0)
N, D, C = 7, 4, 5
X, Y = RNG.normal(size=(N, D)), np.array([0, 3, 1, 4, 4, 0, 3])  # class 2 has no sample
VECTORS = RNG.normal(size=(C, D))
WEIGHT = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 0.0, 3.0])


def mean_of(formula):
    """A reference of one value a sample as the layer reduces it: over all samples, or the weighted ones that are there."""

    def total(y, x, vectors, weight=None, **config):
        values = formula(y, x, vectors, **config)
        return average(values if weight is None else values * weight)

    return total


LAYERS = {
    "ProxyNCA": ({"temperature": 0.7}, mean_of(reference.proxy_nca)),
    "ProxyNCA-keep": ({"temperature": 1 / 9, "keep_positive": True}, mean_of(reference.proxy_nca)),
    "ProxyAnchor": ({"margin": 0.2, "temperature": 0.25}, reference.proxy_anchor),
    "CenterLoss": ({"alpha": 0.4}, mean_of(lambda y, x, c, alpha: reference.center_loss(y, x, c))),
}


def array(x):
    return ops.convert_to_numpy(ops.convert_to_tensor(x))


def doubles():
    """Float64 on every backend."""
    return gradients._x64("float64") if keras.backend.backend() == "jax" else contextlib.nullcontext()


def layer_of(which, classes=C, **config):
    return getattr(kl.layers, which.split("-")[0])(classes, **{**LAYERS[which][0], **config})


class Run:
    """A layer with given vectors: what it adds for embeddings and vectors, and its state after that."""

    def __init__(self, which, classes=C, dtype="float32", **config):
        self.layer, self.dtype = layer_of(which, classes, dtype=dtype, **config), dtype
        self.layer.build((None, D))

    def __call__(self, x, vectors, y, weight=None, training=False):
        x = ops.convert_to_tensor(x, self.dtype) if isinstance(x, np.ndarray) else x
        vectors = ops.convert_to_tensor(vectors, self.dtype)
        rest = [v.value for v in self.layer.non_trainable_variables]
        held = self.layer.vectors
        rest = [vectors if v is held else r for v, r in zip(self.layer.non_trainable_variables, rest, strict=True)]
        trained = [vectors for v in self.layer.trainable_variables if v is held]
        how = {"training": training} if isinstance(self.layer, kl.layers.CenterLoss) else {}
        call = self.layer.stateless_call
        _, self.state, losses = call(trained, rest, x, y, sample_weight=weight, return_losses=True, **how)
        return sum(losses) if losses else ops.zeros(())

    @property
    def vectors(self):
        """The vectors after a step that does not train them."""
        variables = self.layer.non_trainable_variables
        return array(next(s for v, s in zip(variables, self.state, strict=True) if v is self.layer.vectors))


def slopes(function, x, step=1e-6):
    """Central differences."""
    result = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[i] += step
        behind[i] -= step
        result[i] = (function(ahead) - function(behind)) / (2 * step)
    return result


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", LAYERS)
def test_values_and_slopes_are_those_of_the_paper(name, weight):
    config, formula = LAYERS[name]
    with doubles():
        run = Run(name, dtype="float64")
        value, of_x = value_and_gradient(lambda p: run(p, VECTORS, Y, weight), X, "float64")
        of_vectors = value_and_gradient(lambda p: run(X, p, Y, weight), VECTORS, "float64")[1]
    np.testing.assert_allclose(value, formula(Y, X, VECTORS, weight=weight, **config), rtol=1e-9)
    right = slopes(lambda x: formula(Y, x, VECTORS, weight=weight, **config), X)
    np.testing.assert_allclose(of_x, right, rtol=1e-5, atol=1e-7)
    right = slopes(lambda v: formula(Y, X, v, weight=weight, **config), VECTORS)
    right = 0 * right if name == "CenterLoss" else right
    np.testing.assert_allclose(of_vectors, right, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", LAYERS)
def test_what_does_not_count_is_as_if_it_were_not_there(name):
    """Masked, ignored, of weight 0: neither its NaN nor its label matters, nor does it move anything."""
    config, formula = LAYERS[name]
    counts = WEIGHT > 0
    broken, wrong = np.where(counts[:, None], X, np.nan).astype("float32"), np.where(counts, Y, 99)
    ones = counts.astype("float32")
    expected = formula(Y[counts], X[counts], VECTORS, **config)
    run = Run(name, reduction="mean_with_sample_weight") if name != "ProxyAnchor" else Run(name)
    ignoring = Run(name, ignore_class=99)

    def masked(p, v):
        return Run(name)(set_mask(p + 0, ops.convert_to_tensor(counts)), v, wrong)

    ways = {
        "weight": lambda p, v: run(p, v, wrong, ones),
        "mask": masked,
        "ignored": lambda p, v: ignoring(ops.where(ops.isnan(p), ops.zeros_like(p), p), v, wrong),
    }
    alone = value_and_gradient(lambda p: Run(name)(p, VECTORS, Y[counts]), X[counts])[1]
    of_vectors = value_and_gradient(lambda v: Run(name)(X[counts], v, Y[counts]), VECTORS)[1]
    for way, call in ways.items():
        value, slope = value_and_gradient(lambda p, call=call: call(p, VECTORS), broken)
        np.testing.assert_allclose(value, expected, rtol=1e-5, err_msg=way)
        np.testing.assert_array_equal(slope[~counts], 0.0, err_msg=way)
        np.testing.assert_allclose(slope[counts], alone, rtol=1e-4, atol=1e-6, err_msg=way)
        found = value_and_gradient(lambda v, call=call: call(ops.convert_to_tensor(broken), v), VECTORS)[1]
        np.testing.assert_allclose(found, of_vectors, rtol=1e-4, atol=1e-6, err_msg=way)
    if name == "CenterLoss":
        right = reference.moved_centers(Y[counts], X[counts], VECTORS, config["alpha"])
        for once, keep in ((run, ones), (ignoring, None)):
            once(np.nan_to_num(broken) if keep is None else broken, VECTORS, wrong, keep, training=True)
            np.testing.assert_allclose(once.vectors, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_labels_out_of_range_are_told(name):
    wrong = np.isin(np.arange(N), [1, 4])
    y = np.where(wrong, [C, -1, C, -1, C, -1, C], Y)
    run = Run(name)
    value, slope = value_and_gradient(lambda p: run(p, VECTORS, y), X)
    assert np.isnan(value)
    np.testing.assert_array_equal(slope[wrong], 0.0)
    assert np.isfinite(slope).all()
    assert np.isfinite(value_and_gradient(lambda v: run(X, v, y), VECTORS)[1]).all()
    assert np.isnan(array(run(X, VECTORS, np.where(wrong, 0.5, Y).astype("float32"))))
    with kl.debugging(), pytest.raises(ValueError, match=r"y_true\[1\] is -1, expected integer labels from 0 to 4"):
        run(X, VECTORS, y)
    if name == "CenterLoss":
        run(X, VECTORS, y, training=True)
        right = reference.moved_centers(Y[~wrong], X[~wrong], VECTORS, 0.4)
        np.testing.assert_allclose(run.vectors, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", ["zeros", "one-class", "all-of-one-class", "one-sample", "nothing-counts"])
@pytest.mark.parametrize("name", LAYERS)
def test_edges_are_finite(name, case):
    config, formula = LAYERS[name]
    x, y, vectors, weight = X.copy(), Y, VECTORS, None
    if case == "zeros":
        x[::2] = 0
        # The distances to a vector of length 0 are no function of the cosines.
        vectors = vectors if name.startswith("ProxyNCA") else np.where(np.arange(C)[:, None] == 0, 0.0, vectors)
    elif case == "one-class":
        y, vectors = np.zeros(N, int), VECTORS[:1]
    elif case == "all-of-one-class":
        y = np.full(N, 2)
    elif case == "one-sample":
        x, y = x[:1], y[:1]
    else:
        weight = np.zeros(N)
    run = Run(name, len(vectors))
    value, of_x = value_and_gradient(lambda p: run(p, vectors, y, weight), x)
    of_vectors = value_and_gradient(lambda v: run(x, v, y, weight), vectors)[1]
    assert all(np.isfinite(v).all() for v in (value, of_x, of_vectors))
    if case == "nothing-counts" or (case == "one-class" and name == "ProxyNCA"):  # there is nothing to tell it from
        assert value == 0
        assert not of_x.any()
        return
    np.testing.assert_allclose(value, formula(y, x, vectors, **config), rtol=1e-4, atol=1e-6)


def test_an_integer_weight_counts_as_often_in_proxy_anchor():
    weight, run = np.array([1, 2, 0, 3, 1, 1, 2]), Run("ProxyAnchor")
    often = np.repeat(np.arange(N), weight)
    found, right = run(X, VECTORS, Y, weight.astype("float32")), run(X[often], VECTORS, Y[often])
    np.testing.assert_allclose(array(found), array(right), rtol=1e-5)
    np.testing.assert_allclose(array(run(X, VECTORS, Y, np.array(2.0))), array(run(X, VECTORS, Y, np.full(N, 2.0))), rtol=1e-6)


def test_the_centers_move_as_in_the_paper():
    run = Run("CenterLoss")
    value = array(run(X, VECTORS, Y, training=True))
    np.testing.assert_allclose(value, average(reference.center_loss(Y, X, VECTORS)), rtol=1e-5)  # before they move
    np.testing.assert_allclose(run.vectors, reference.moved_centers(Y, X, VECTORS, 0.4), rtol=1e-5, atol=1e-6)
    run(X, VECTORS, Y)
    np.testing.assert_allclose(run.vectors, VECTORS, rtol=1e-6)
    run(X, VECTORS, None, training=True)
    np.testing.assert_allclose(run.vectors, VECTORS, rtol=1e-6)
    infinite = np.where(np.arange(N)[:, None] == 0, np.inf, X)
    run(infinite, VECTORS, Y, training=True)  # half precision overflows now and then
    np.testing.assert_allclose(run.vectors, reference.moved_centers(Y[1:], X[1:], VECTORS, 0.4), rtol=1e-5, atol=1e-6)


def test_sequences():
    for name in LAYERS:
        run = Run(name)
        whole = run(X[:6].reshape(3, 2, D), VECTORS, Y[:6].reshape(3, 2), training=True)
        np.testing.assert_allclose(array(whole), array(run(X[:6], VECTORS, Y[:6])), rtol=1e-5)
        by_row = run(X[:6].reshape(3, 2, D), VECTORS, Y[:6].reshape(3, 2), np.array([2.0, 0.0, 1.0]))
        each = run(X[:6], VECTORS, Y[:6], np.array([2.0, 2, 0, 0, 1, 1]))
        np.testing.assert_allclose(array(by_row), array(each), rtol=1e-5)


def models(name, dtype=None):
    x, y, w = keras.Input((6,)), keras.Input((), dtype="int32"), keras.Input(())
    layer = layer_of(name, dtype=dtype, name="own", weight=0.5)
    embedding = keras.layers.Dense(D, dtype=dtype)(x)
    passed = layer(embedding, y, w)
    assert passed.shape == embedding.shape
    model = keras.Model([x, y, w], passed)
    model.compile(keras.optimizers.SGD(0.02))
    return model, keras.Model(x, layer(embedding)), layer


@pytest.mark.parametrize("dtype", [None, "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_fit_saves_and_loads(name, dtype, tmp_path):
    model, predicting, layer = models(name, dtype)
    rng, y = np.random.default_rng(3), (np.arange(38) % C).astype("int32")
    x = (rng.normal(size=(C, 6))[y] + 0.1 * rng.normal(size=(38, 6))).astype("float32")
    data = [x, y, np.ones(38, "float32")]
    out, before = array(predicting(x)), array(layer.vectors)
    history = model.fit(data, batch_size=16, epochs=6, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    np.testing.assert_allclose(history["loss"], 0.5 * np.array(history["own"]), rtol=1e-3)
    assert np.abs(array(layer.vectors) - before).max() > 1e-3
    assert list(layer.trainable_variables) == ([] if name == "CenterLoss" else [layer.vectors])
    if dtype is not None:
        return
    assert name == "CenterLoss" or history["loss"][-1] < history["loss"][0]
    vectors, moved = array(layer.vectors), np.abs(array(predicting(x)) - out).max()
    assert moved > 1e-3
    value, logged = model.evaluate(data, batch_size=38, verbose=0)
    np.testing.assert_allclose(value, 0.5 * logged, rtol=1e-5)
    np.testing.assert_array_equal(array(layer.vectors), vectors)
    config, formula = LAYERS[name]
    np.testing.assert_allclose(value, 0.5 * formula(y, predicting.predict(x, verbose=0), vectors, **config), rtol=1e-4)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.evaluate(data, batch_size=38, verbose=0), [value, logged], rtol=1e-5)
    assert again.get_layer("own").get_config() == layer.get_config()


@pytest.mark.parametrize("name", LAYERS)
def test_hostile_configs_are_refused(name):
    cls = getattr(kl.layers, name.split("-")[0])
    good = json.loads(json.dumps(layer_of(name).get_config()))
    assert cls.from_config(good).get_config() == layer_of(name, name=good["name"]).get_config()
    for field in {*good, "activity_regularizer", "loss", "fn"}:
        for value in hostile.VALUES.values():
            made = hostile.attempt(lambda config={**good, field: value}: cls.from_config(config), cls.__name__, field)
            assert made is None or isinstance(made, cls)
    for config in ({}, None, [], {"name": "a"}, {**good, 1: 1}):
        assert hostile.attempt(lambda config=config: cls.from_config(config), cls.__name__, "classes") is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: kl.layers.ProxyNCA(0),
        lambda: kl.layers.ProxyNCA(2, temperature=0.0),
        lambda: kl.layers.ProxyNCA(2, reduction="none"),
        lambda: kl.layers.ProxyAnchor(2, temperature=-1.0),
        lambda: kl.layers.ProxyAnchor(2, margin="0.1"),
        lambda: kl.layers.CenterLoss(2, alpha=1.5),
        lambda: kl.layers.CenterLoss(2, weight="1"),
    ],
)
def test_wrong_arguments_are_told(make):
    with pytest.raises(ValueError, match="must be"):
        make()
