"""Losses for noisy labels: what the references do not reach."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.noisy_labels.bitempered import tempered_log_softmax
from keras_losses.testing import second_derivative, value_and_gradient
from tests.reference.noisy_labels_bitempered import tempered_softmax

RNG = np.random.default_rng(0)
IDS = np.array([0, 2, 1, 2])
LOGITS = RNG.normal(size=(4, 3))
P = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
OF_LABELS = {
    "generalized": kl.GeneralizedCrossentropy,
    "taylor": kl.TaylorCrossentropy,
    "reverse": kl.ReverseCrossentropy,
    "symmetric": kl.SymmetricCrossentropy,
    "normalized": kl.NormalizedCrossentropy,
    "absolute": kl.ProbabilityAbsoluteError,
    "bootstrapping": kl.Bootstrapping,
    "jensen-shannon": kl.GeneralizedJensenShannon,
}


def number(loss, *args, **kwargs):
    return ops.convert_to_numpy(loss(*args, **kwargs))


def finite(*arrays):
    return all(np.isfinite(x).all() for x in arrays)


def unreduced(cls, **config):
    return cls(reduction="none", **config)


@pytest.mark.parametrize("name", OF_LABELS)
def test_logits_and_their_probabilities_agree(name):
    cls = OF_LABELS[name]
    got = number(unreduced(cls, from_logits=True), IDS, LOGITS)
    np.testing.assert_allclose(got, number(unreduced(cls), IDS, P), rtol=1e-5, atol=1e-6)


LIMITS = {
    "generalized-to-crossentropy": (kl.GeneralizedCrossentropy, {"q": 1e-6}, lambda p: -np.log(p)),
    "generalized-to-absolute": (kl.GeneralizedCrossentropy, {"q": 1.0}, lambda p: 1 - p),
    "taylor-to-crossentropy": (kl.TaylorCrossentropy, {"order": 200}, lambda p: -np.log(p)),
    "jensen-shannon-to-crossentropy": (kl.GeneralizedJensenShannon, {"weight": 1e-6}, lambda p: -np.log(p)),
    "jensen-shannon-to-absolute": (kl.GeneralizedJensenShannon, {"weight": 1 - 1e-12}, lambda p: 1 - p),
    "symmetric-to-crossentropy": (kl.SymmetricCrossentropy, {"alpha": 1.0, "beta": 0.0}, lambda p: -np.log(p)),
}


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("limit", LIMITS)
def test_limits(limit, from_logits):
    """At its ends a loss is another one, and its arithmetic holds there in float32."""
    cls, config, formula = LIMITS[limit]
    got = number(unreduced(cls, from_logits=from_logits, **config), IDS, LOGITS if from_logits else P)
    tolerance = 0.05 if "absolute" in limit and cls is kl.GeneralizedJensenShannon else 2e-5  # it goes there like 1 / log
    np.testing.assert_allclose(got, formula(P[np.arange(4), IDS]), rtol=tolerance)


# -- ids or rows of labels ---------------------------------------------------------------------------------------------------

DENSE = [kl.GeneralizedCrossentropy(from_logits=True, reduction="none"), kl.BiTemperedLogistic(reduction="none")]


@pytest.mark.parametrize("loss", DENSE, ids=lambda loss: loss.name)
@pytest.mark.parametrize("dtype", ["int32", "float32", "bool"])
def test_one_hot_labels_are_those_of_ids(loss, dtype):
    expected = number(loss, IDS, LOGITS)
    np.testing.assert_allclose(number(loss, np.eye(3)[IDS].astype(dtype), LOGITS), expected, rtol=1e-6)
    np.testing.assert_allclose(number(loss, IDS[:, None].astype("float32"), LOGITS), expected, rtol=1e-6)
    np.testing.assert_allclose(number(loss, np.eye(3)[IDS][:, None], LOGITS[:, None])[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("loss", DENSE, ids=lambda loss: loss.name)
def test_rows_of_labels_are_checked(loss):
    with pytest.raises(ValueError, match=r"does not meet.*or one-hot or soft labels of the shape of y_pred"):
        loss(np.eye(4)[IDS], LOGITS)
    with kl.debugging():
        with pytest.raises(ValueError, match="the sum of y_true"):
            loss(np.ones((4, 3)), LOGITS)
        loss(np.eye(3)[IDS], LOGITS)
        with pytest.raises(ValueError, match="integer labels from 0 to 2"):
            loss(IDS + 1, LOGITS)


@pytest.mark.parametrize("loss", DENSE, ids=lambda loss: loss.name)
def test_masked_rows_may_hold_anything(loss):
    keep = np.array([True, False, True, True])
    rows = np.where(keep[:, None], np.eye(3)[IDS], np.nan)
    got, slope = value_and_gradient(lambda p: loss(rows, p, mask=keep), np.where(keep[:, None], LOGITS, np.nan))
    np.testing.assert_allclose(got, np.where(keep, number(loss, IDS, LOGITS), 0), rtol=1e-6)
    assert (slope[1] == 0).all()
    assert finite(slope)


def test_fit_takes_both():
    for y in (IDS, np.eye(3, dtype="float32")[IDS]):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, kernel_initializer="ones")])
        model.compile("sgd", kl.GeneralizedCrossentropy(from_logits=True))
        loss = model.evaluate(LOGITS.astype("float32"), y, verbose=0)
        np.testing.assert_allclose(loss, (1 - (1 / 3) ** 0.7) / 0.7, rtol=1e-5)


# -- pairs -------------------------------------------------------------------------------------------------------------------


def test_weights_masks_and_ignored_labels_reach_both_terms():
    shared = {"from_logits": True, "ignore_class": 1}
    terms = kl.NormalizedCrossentropy(**shared), kl.ReverseCrossentropy(**shared)
    pair = kl.ActivePassive(active=terms[0], passive=terms[1], alpha=2.0, beta=3.0)
    for given in ({}, {"sample_weight": np.array([1.0, 2.0, 5.0, 0.0])}, {"mask": IDS < 2}):
        expected = 2 * number(terms[0], IDS, LOGITS, **given) + 3 * number(terms[1], IDS, LOGITS, **given)
        np.testing.assert_allclose(number(pair, IDS, LOGITS, **given), expected, rtol=1e-6)
    assert number(unreduced(kl.ActivePassive, active=terms[0], passive=terms[1]), IDS, LOGITS)[2] == 0


def test_a_pair_has_its_own_reduction_and_dtype():
    terms = {"active": kl.NormalizedCrossentropy(reduction="sum", dtype="float16"), "passive": kl.ReverseCrossentropy()}
    result = kl.ActivePassive(**terms)(IDS, P)
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    np.testing.assert_allclose(number(kl.ActivePassive(**terms), IDS, P), number(kl.ActivePassive(), IDS, P), rtol=1e-6)


def test_a_pair_of_other_losses():
    pair = kl.ActivePassive(active=kl.CategoricalCrossentropy(), passive=kl.KLDivergence(), beta=0.5, reduction="none")
    expected = -1.5 * np.log(P[np.arange(4), IDS])
    np.testing.assert_allclose(number(pair, np.eye(3)[IDS], P), expected, rtol=1e-5)
    pair = kl.ActivePassive(active=kl.GeneralizedCrossentropy())
    assert pair.y_true == kl.spec.label("B *S")


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"active": kl.NormalizedCrossentropy(from_logits=True)}, "logit.*simplex.*both must take the same"),
        ({"active": kl.NormalizedCrossentropy(ignore_class=0)}, "ignore_class=0.*ignore_class=None"),
        ({"passive": kl.CategoricalCrossentropy()}, "onehot"),
        ({"passive": kl.SparseCategoricalCrossentropy(axis=1)}, "`passive` must be a loss that states what it takes"),
        ({"active": kl.ReverseCrossentropy() + kl.NormalizedCrossentropy()}, "`active` must be a loss that states"),
        ({"active": keras.losses.SparseCategoricalCrossentropy()}, "must be a keras_losses.Loss instance"),
    ],
)
def test_pairs_that_do_not_go_together(terms, message):
    with pytest.raises(ValueError, match=f"^ActivePassive: .*{message}"):
        kl.ActivePassive(**terms)


# -- the tempered softmax ----------------------------------------------------------------------------------------------------

ROWS = {
    "small": RNG.normal(size=(6, 5)),
    "wide": RNG.normal(size=(6, 40)) * 30,
    "huge": RNG.normal(size=(6, 5)) * 1e4,
    "one-ahead": np.eye(400)[:3] * 25,
    "one-behind": -np.eye(400)[:3] * 1e4,
    "levels": np.repeat([0.0, -5.0, -100.0, -3000.0], [1, 9, 300, 2000])[None],
    "alike": np.full((2, 7), -3.0),
}


@pytest.mark.parametrize("t", [1.0, 1 + 1e-9, 1.01, 1.2, 1.5, 2.0, 2.5, 4.0, 11.0, 51.0])
@pytest.mark.parametrize("rows", ROWS)
def test_tempered_softmax_to_the_last_digit(rows, t):
    for dtype in ("float64", "float32"):
        given, tight = ROWS[rows].astype(dtype).astype("float64"), 1e-12 if dtype == "float64" else 1e-5
        value, slope = value_and_gradient(lambda x: ops.exp(tempered_log_softmax(x, t)), given, dtype)
        # So close to 1 the reference's own powers lose digits: there it is the softmax, but for the square of distances.
        expected = np.array([tempered_softmax(row, 1.0 if t < 1.001 else t) for row in given])
        np.testing.assert_allclose(value, expected, rtol=1e-4 if 1 < t < 1.001 else tight, atol=1e-30)
        np.testing.assert_allclose(value.sum(-1), 1, rtol=1e-13 if dtype == "float64" else 2e-6)
        assert np.abs(slope).max() < tight  # the sum is 1 everywhere


@pytest.mark.parametrize(("t1", "t2"), [(0.8, 1.2), (0.0, 4.0), (1.0, 2.0), (0.5, 1.0), (1.0, 1.0)])
def test_bi_tempered_derivatives(t1, t2):
    """First and second derivatives are those of differences."""
    loss = kl.BiTemperedLogistic(t1=t1, t2=t2, reduction="sum", dtype="float64")
    x, v, step = 3 * LOGITS, RNG.normal(size=LOGITS.shape), 1e-5

    def value(at):
        return value_and_gradient(lambda p: loss(IDS, p), at, "float64")

    difference = (value(x + step * v)[0] - value(x - step * v)[0]) / (2 * step)
    np.testing.assert_allclose(np.sum(value(x)[1] * v), difference, rtol=1e-7, atol=1e-9)
    difference = (value(x + step * v)[1] - value(x - step * v)[1]) / (2 * step)
    got = second_derivative(lambda p: loss(IDS, p), x, v, "float64")
    np.testing.assert_allclose(got, difference, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("t", [1.1, 2.0, 3.0])
def test_gradient_of_the_tempered_softmax_is_closed(t):
    """d log p_c / d z_k = p_c^(t - 1) (1[c = k] - p_k^t / sum_j p_j^t)."""
    weights = RNG.normal(size=LOGITS.shape)
    value, slope = value_and_gradient(lambda x: tempered_log_softmax(x, t), LOGITS, "float64", weights)
    p = np.exp(value)
    escort = p**t / (p**t).sum(-1, keepdims=True)
    pulled = weights * p ** (t - 1)
    np.testing.assert_allclose(slope, pulled - escort * pulled.sum(-1, keepdims=True), rtol=1e-10, atol=1e-12)


def test_bi_tempered_is_crossentropy_at_temperature_one():
    ours, plain = kl.BiTemperedLogistic(t1=1.0, t2=1.0), kl.SparseCategoricalCrossentropy(from_logits=True)
    for x in (LOGITS, 50 * LOGITS, 1e4 * LOGITS):
        got, expected = (value_and_gradient(lambda p, f=f: f(IDS, p), x) for f in (ours, plain))
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(got[1], expected[1], rtol=1e-5, atol=1e-6)


# -- edges -------------------------------------------------------------------------------------------------------------------

HARD = {
    **{name: cls(from_logits=True) for name, cls in OF_LABELS.items()},
    "hard-bootstrapping": kl.Bootstrapping(from_logits=True, hard=True),
    "order-50": kl.TaylorCrossentropy(from_logits=True, order=50),
    "q-tiny": kl.GeneralizedCrossentropy(from_logits=True, q=1e-6),
    "weight-tiny": kl.GeneralizedJensenShannon(from_logits=True, weight=1e-6),
    "weight-near-one": kl.GeneralizedJensenShannon(from_logits=True, weight=1 - 1e-6),
    "bi-tempered": kl.BiTemperedLogistic(),
    "bi-tempered-hot": kl.BiTemperedLogistic(t1=0.0, t2=50.0),
    "bi-tempered-nearly-one": kl.BiTemperedLogistic(t1=1 - 1e-7, t2=1 + 1e-7),
}
EXTREME = 1e4 * np.array([[1, -1, 0], [-1, 1, 1], [1, 1, 1], [0, 0, 1.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", HARD)
def test_extreme_logits(name, dtype):
    loss = type(HARD[name]).from_config({**HARD[name].get_config(), "reduction": "sum", "dtype": dtype})
    for x in (EXTREME, -EXTREME, 0 * EXTREME, 1e-3 * EXTREME):
        value, slope = value_and_gradient(lambda p: loss(IDS, p), x, dtype)
        curvature = second_derivative(lambda p: loss(IDS, p), x, np.ones_like(x), dtype)
        assert value >= -1e-6
        assert finite(value, slope, curvature)
        np.testing.assert_allclose(slope.sum(-1), 0, atol=1e-4)  # all logits together move nothing


@pytest.mark.parametrize("name", OF_LABELS)
def test_float16_probabilities(name):
    """The gradient at probability 0 fits float16."""
    x = ops.cast(ops.convert_to_tensor(np.eye(3)[[1, 2, 0, 2]].astype("float32")), "float16")
    loss = OF_LABELS[name]()
    value, slope = value_and_gradient(lambda p: loss(IDS, p), ops.convert_to_numpy(x), "float16")
    assert finite(value, slope)


# -- views -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("from_logits", [False, True])
def test_equal_views_are_one(from_logits):
    x = LOGITS if from_logits else P
    one = unreduced(kl.GeneralizedJensenShannon, from_logits=from_logits, weight=0.3)
    three = unreduced(kl.GeneralizedJensenShannon, from_logits=from_logits, weight=0.3, views=3)
    np.testing.assert_allclose(number(three, IDS, np.repeat(x[:, None], 3, 1)), number(one, IDS, x), rtol=1e-5)


def test_views_are_counted_and_weighed():
    loss = unreduced(kl.GeneralizedJensenShannon, from_logits=True, views=2)
    x = RNG.normal(size=(4, 2, 3))
    for wrong in (LOGITS, x[:, :1], np.stack([x, x], 2)):
        with pytest.raises(ValueError, match="does not meet y_pred"):
            loss(IDS, wrong)
    keep = np.array([True, False, True, True])
    np.testing.assert_allclose(
        number(loss, IDS, np.where(keep[:, None, None], x, np.nan), mask=keep)[keep], number(loss, IDS, x)[keep]
    )
    fine, keep = RNG.normal(size=(4, 2, 5, 3)), RNG.uniform(size=(4, 5)) > 0.4
    ids = RNG.integers(0, 3, (4, 5))
    got = number(loss, ids, np.where(keep[:, None, :, None], fine, np.nan), mask=keep)
    np.testing.assert_allclose(got, np.where(keep, number(loss, ids, fine), 0), rtol=1e-6)
    for scale in (0.0, 1e4):
        value, slope = value_and_gradient(lambda p: ops.sum(loss(IDS, p)), scale * x)
        curvature = second_derivative(lambda p: ops.sum(loss(IDS, p)), scale * x, np.ones_like(x))
        assert finite(value, slope, curvature)


def test_beta_is_that_of_the_paper():
    assert kl.Bootstrapping().beta == 0.95
    assert kl.Bootstrapping(hard=True).beta == 0.8
    assert kl.Bootstrapping(hard=True, beta=0.0).beta == 0
