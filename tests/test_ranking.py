"""Ranking: what the tables of references and checks cannot know of losses over lists."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import compiled, gradient, value_and_gradient
from tests.reference import REFERENCES

NOISE = np.random.default_rng(1).gumbel(size=(1, 3, 6))


def over_lists(n=6):
    """Every loss of one value a list, by name, for lists of `n` items."""
    noise = NOISE[:, :, np.arange(n) % 6]
    return {
        "PairwiseHinge": kl.PairwiseHinge(reduction="none"),
        "PairwiseLogistic": kl.PairwiseLogistic(reduction="none"),
        "PairwiseSoftZeroOne": kl.PairwiseSoftZeroOne(reduction="none"),
        "PairwiseMeanSquared": kl.PairwiseMeanSquared(reduction="none"),
        "BayesianPersonalized": kl.BayesianPersonalized(reduction="none"),
        "ListNet": kl.ListNet(reduction="none"),
        "ListNet-proportional": kl.ListNet(target="proportional", reduction="none"),
        "UniqueSoftmax": kl.UniqueSoftmax(reduction="none"),
        "ListMLE": kl.ListMLE(reduction="none"),
        "PositionalListMLE": kl.PositionalListMLE(reduction="none"),
        "ApproxNDCG": kl.ApproxNDCG(reduction="none"),
        "ApproxMRR": kl.ApproxMRR(reduction="none"),
        "GumbelApproxNDCG": kl.GumbelApproxNDCG(noise=noise, reduction="none"),
        "LambdaLoss": kl.LambdaLoss(topn=2, reduction="none"),
        "LambdaLoss-precision": kl.LambdaLoss(weights="precision", topn=2, reduction="none"),
        "NeuralSort": kl.NeuralSort(reduction="none"),
    }


NAMES = [*over_lists()]
UNSEEN = "PairwiseMeanSquared"  # it takes the differences in relevance as they are, and equal ones as a target
Y = np.array([[2, 0, 1, 0, 3, 1], [0, 1, 0, 0, 0, 1], [1, 1, 0, 2, 2, 2]])
S = np.random.default_rng(0).normal(size=Y.shape).astype("float32").astype(float)


def values(loss, *arguments, **keywords):
    return ops.convert_to_numpy(loss(*arguments, **keywords))


def slopes(loss, y, s, **keywords):
    return value_and_gradient(lambda p: loss(y, p, **keywords), s)


# -- what is in a list -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_padding_is_as_if_it_were_not_there(name):
    """Whatever the padding holds, NaN too, in a longer list or under a mask."""
    short, long = over_lists()[name], over_lists(8)[name]
    value, slope = slopes(short, Y, S)
    y, s = (np.pad(x.astype(float), ((0, 0), (0, 2)), constant_values=c) for x, c in ((Y, -0.25), (S, np.nan)))
    y[:, -1] = -np.inf
    seen, seen_slope = slopes(long, y, s)
    np.testing.assert_allclose(seen, value, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(seen_slope, np.pad(slope, ((0, 0), (0, 2))), rtol=1e-4, atol=1e-6)
    y[:, -2:] = [3.0, np.nan]
    mask = np.arange(8) < np.array([[6], [6], [6]])
    masked, masked_slope = slopes(long, y, s, mask=mask)
    np.testing.assert_allclose(masked, value, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(masked_slope, seen_slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_input_does_not_matter(name):
    """Not with tied relevances, not with tied scores, not with both."""
    order = np.array([4, 2, 5, 0, 3, 1])
    s = np.round(S)
    loss = over_lists()[name]
    other = kl.GumbelApproxNDCG(noise=NOISE[:, :, order], reduction="none") if name == "GumbelApproxNDCG" else loss
    for scores in (S, s, np.zeros_like(S)):
        value, slope = slopes(loss, Y, scores)
        seen, seen_slope = slopes(other, Y[:, order], scores[:, order])
        np.testing.assert_allclose(seen, value, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(seen_slope, slope[:, order], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "GumbelApproxNDCG"])
def test_items_that_are_alike_share_the_gradient(name):
    y, s = np.array([[1, 1, 0, 0, 2, 1]]), np.array([[0.5, 0.5, 0.5, 0.5, 0.5, 0.5]])
    # In float64: each is a sum over the pairs in another order, which float32 rounds by as much as 1e-7 where the sum is 0.
    loss = type(over_lists()[name]).from_config({**over_lists()[name].get_config(), "dtype": "float64"})
    slope = gradient(lambda p: loss(y, p), s, "float64")[0]
    np.testing.assert_allclose(slope[[1, 5]], slope[0], rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(slope[3], slope[2], rtol=1e-5, atol=1e-12)
    if name not in ("NeuralSort", UNSEEN):
        assert slope[4] < 0 < slope[2]  # equal scores, as of a new network, are told apart


@pytest.mark.parametrize("name", NAMES)
def test_a_number_added_to_all_scores_changes_nothing(name):
    shifted = np.round(64 * S) / 64 + 8192.0  # exact in float32, and the differences too
    value, slope = slopes(over_lists()[name], Y, shifted - 8192.0)
    seen, seen_slope = slopes(over_lists()[name], Y, shifted)
    tolerance = 1e-2 if name == "GumbelApproxNDCG" else 1e-5  # there the sum with the noise is rounded
    np.testing.assert_allclose(seen, value, rtol=tolerance, atol=tolerance)
    if name != "GumbelApproxNDCG":
        np.testing.assert_allclose(seen_slope, slope, rtol=1e-4, atol=1e-5)


# -- which lists count -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_lists_without_an_order_do_not_count(name):
    """0 with gradient 0, and not in the number that the mean is divided by, even if all they hold is NaN."""
    loss = over_lists()[name]
    empty = np.array([[-1] * 6, [-1] * 5 + [2]] + ([] if name == UNSEEN else [[1] * 6, [0] * 6]))
    y = np.concatenate([empty, Y])
    s = np.concatenate([np.where(empty < 0, np.nan, 0.3), S])
    value, slope = slopes(loss, y, s)
    assert (value[: len(empty)] == 0).all()
    assert (slope[: len(empty)] == 0).all()
    np.testing.assert_allclose(value[len(empty) :], values(loss, Y, S), rtol=1e-6)
    mean = type(loss).from_config({**loss.get_config(), "reduction": "mean"})
    np.testing.assert_allclose(values(mean, y, s), values(loss, Y, S).mean(), rtol=1e-5)
    value, slope = slopes(mean, empty, s[: len(empty)])
    assert value == 0
    assert (slope == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_lists_and_masks(name):
    loss = over_lists()[name]
    expected = values(loss, Y, S)
    weights = np.array([2.0, 0.0, 0.5])
    broken = S.copy()
    broken[1] = np.nan
    np.testing.assert_allclose(values(loss, Y, broken, sample_weight=weights), expected * weights, rtol=1e-6)
    mean = type(loss).from_config({**loss.get_config(), "reduction": "mean"})
    # A weight of 0 leaves a list in the number that the mean is divided by, a mask takes it out, of all items or of the list.
    np.testing.assert_allclose(values(mean, Y, broken, sample_weight=weights), (expected * weights).sum() / 3, rtol=1e-5)
    keep = np.array([True, False, True])
    for mask in (keep, np.repeat(keep[:, None], 6, axis=1)):
        np.testing.assert_allclose(values(mean, Y, broken, mask=mask), expected[keep].mean(), rtol=1e-5)


def test_ordinal_ranking_weighs_items():
    z = np.random.default_rng(2).normal(size=(*Y.shape, 3))
    loss = kl.OrdinalRanking(reduction="none")
    expected = values(loss, Y, z)
    assert expected.shape == Y.shape
    weights = np.random.default_rng(3).uniform(size=Y.shape)
    np.testing.assert_allclose(values(loss, Y, z, sample_weight=weights), expected * weights, rtol=1e-5)
    y, broken = np.where(Y == 3, -1, Y), z.copy()
    broken[Y == 3] = np.nan
    value, slope = slopes(kl.OrdinalRanking(), y, broken, sample_weight=weights)
    np.testing.assert_allclose(value, (expected * weights)[Y < 3].sum() / (Y < 3).sum(), rtol=1e-5)
    assert (slope[Y == 3] == 0).all()
    y = Y.astype(float)
    y[0, 0] = np.nan
    value, slope = slopes(loss, y, z)
    assert np.isnan(value[0, 0])
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(value.ravel()[1:], expected.ravel()[1:], rtol=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_a_relevance_that_is_no_number_is_told(name, wrong):
    """NaN with gradient zero in its list, never a plausible number, and no harm to the others."""
    y = Y.astype(float)
    y[0, 2] = wrong
    value, slope = slopes(over_lists()[name], y, S)
    assert np.isnan(value[0])
    assert (slope[0] == 0).all()
    np.testing.assert_allclose(value[1:], values(over_lists()[name], Y, S)[1:], rtol=1e-6)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_list_without_a_batch_is_refused(name):
    with pytest.raises(ValueError, match=r"y_pred with shape \(6,\) holds no lists"):
        over_lists()[name](Y[0], S[0])
    with pytest.raises(ValueError, match=r"y_pred with shape \(2,\) holds no lists"):
        over_lists(2)[name]([1, 0], [0.5, 1.5])
    assert values(over_lists()[name], Y, S[..., None]).shape == (3,)


# -- extremes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e4, -1e4, 1e6])
@pytest.mark.parametrize("name", NAMES)
def test_extreme_scores_stay_finite(name, scale):
    loss = over_lists()[name]
    for s in (scale * S, scale * np.sign(S), scale * Y):
        value, slope = slopes(loss, Y, s)
        assert np.isfinite(value).all()
        assert np.isfinite(slope).all()
        assert (value >= -1e-6).all()


@pytest.mark.parametrize("weights", ["ndcg", "ndcg2++"])
def test_gains_beyond_the_largest_float_are_only_compared(weights):
    y = np.array([[300.0, 299.0, 0.0, 301.0]])
    s = S[:1, :4]
    approx = values(kl.ApproxNDCG(temperature=1.0), y, s)
    expected = REFERENCES["ApproxNDCG"][0](y, s, temperature=1.0)[0]
    np.testing.assert_allclose(approx, expected[0], rtol=1e-5)
    expected = REFERENCES["LambdaLoss"][0](y, s, weights=weights)[0]
    np.testing.assert_allclose(values(kl.LambdaLoss(weights=weights), y, s), expected[0], rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_long_lists_in_float32(name):
    """400 items with padding and ties, against the same in float64."""
    rng = np.random.default_rng(5)
    y, s = rng.integers(-1, 4, (2, 400)), np.round(8 * rng.normal(size=(2, 400))) / 8
    loss = over_lists(400)[name]
    wide = type(loss).from_config({**loss.get_config(), "dtype": "float64"})
    exact, exact_slope = value_and_gradient(lambda p: wide(y, p), s, "float64")
    value, slope = slopes(loss, y, s)
    np.testing.assert_allclose(value, exact, rtol=2e-5)
    np.testing.assert_allclose(slope, exact_slope, rtol=1e-3, atol=2e-5 * np.abs(exact_slope).max())


@pytest.mark.parametrize("name", NAMES)
def test_compiled_with_ties_and_padding(name):
    """A compiled step, called twice, gives what the eager one gives."""
    loss = over_lists()[name]
    mean = type(loss).from_config({**loss.get_config(), "reduction": "mean"})
    traced = []

    def function(t, p):
        traced.append(1)
        return mean(t, p)

    call = compiled(function)
    for seed in (0, 1):
        y = np.random.default_rng(seed).integers(-1, 3, (4, 6)).astype("float32")
        s = np.round(np.random.default_rng(seed + 9).normal(size=(4, 6))).astype("float32")
        seen = values(call, ops.convert_to_tensor(y), ops.convert_to_tensor(s))
        np.testing.assert_allclose(seen, values(mean, y, s), rtol=1e-5, atol=1e-6)
    if keras.backend.backend() == "jax":
        assert len(traced) == 1


# -- LambdaLoss --------------------------------------------------------------------------------------------------------------


def test_precision_needs_a_cutoff():
    with pytest.raises(ValueError, match=r"^LambdaLoss: `topn` must be given"):
        kl.LambdaLoss(weights="precision")
    with pytest.raises(ValueError, match="topn"):
        kl.LambdaLoss(topn=0)


@pytest.mark.parametrize("weights", ["ndcg2++", "ndcg", "mrr", "precision"])
def test_equal_scores_have_the_mean_of_all_orders(weights):
    """The limit of scores that are nearly equal, over every order of them: no tie has weight 0."""
    import itertools

    y = np.array([[2, 1, 0, -1]])
    loss = kl.LambdaLoss(weights=weights, topn=2)
    each = [values(loss, y, 1e-6 * np.array([[*order, 0.0]])) for order in itertools.permutations((1, 2, 3))]
    np.testing.assert_allclose(values(loss, y, np.zeros((1, 4))), np.mean(each), rtol=1e-5)
    assert (gradient(lambda p: loss(y, p), np.zeros((1, 4)))[0, :1] < 0).all()


# -- noise -------------------------------------------------------------------------------------------------------------------


def test_noise_comes_with_the_call_or_the_config():
    noise = np.random.default_rng(4).normal(size=(3, 5, 6))
    expected = np.mean([values(kl.ApproxNDCG(reduction="none"), Y, S + noise[:, k]) for k in range(5)], axis=0)
    fixed = kl.GumbelApproxNDCG(noise=noise, reduction="none")
    assert fixed.noise == tuple(tuple(map(tuple, samples)) for samples in noise.tolist())
    again = kl.GumbelApproxNDCG.from_config(json.loads(json.dumps(fixed.get_config())))
    for seen in (
        values(fixed, Y, S),
        values(again, Y, S),
        values(kl.GumbelApproxNDCG(reduction="none"), Y, S, noise=noise),
        values(kl.GumbelApproxNDCG(noise=NOISE, reduction="none"), Y, S, noise=noise),
        values(kl.gumbel_approx_ndcg, Y, S.astype("float32"), noise=ops.convert_to_tensor(noise, "float32")),
    ):
        np.testing.assert_allclose(seen, expected, rtol=1e-5, atol=1e-6)
    one = values(fixed, Y, S, noise=noise[:1])
    np.testing.assert_allclose(one, values(fixed, Y, S, noise=np.repeat(noise[:1], 3, axis=0)), rtol=1e-6)


def test_noise_of_padding_does_not_count():
    y = np.where(np.arange(6) == 2, -1, Y)
    noise = np.repeat(NOISE, 3, axis=0)
    loss = kl.GumbelApproxNDCG()
    value, slope = slopes(loss, y, S, noise=noise)
    noise[:, :, 2] = np.nan
    seen, seen_slope = slopes(loss, y, S, noise=noise)
    np.testing.assert_array_equal(seen, value)
    np.testing.assert_array_equal(seen_slope, slope)


def test_noise_that_does_not_fit_is_refused():
    loss = kl.GumbelApproxNDCG()
    with pytest.raises(ValueError, match="there is no noise"):
        loss(Y, S)
    for shape in ((3, 6), (2, 4, 6), (3, 4, 5), (3, 0, 6)):
        with pytest.raises(ValueError, match="noise with shape"):
            loss(Y, S, noise=np.zeros(shape))
    for wrong in ((), ((),), (((),),), (((1.0,), (1.0, 2.0)),), (((1.0,),), ((1.0,), (2.0,))), 3.0, (((np.nan,),),)):
        with pytest.raises(ValueError, match="GumbelApproxNDCG: `noise`"):
            kl.GumbelApproxNDCG(noise=wrong)


# -- the layer that draws it -------------------------------------------------------------------------------------------------


def drawing(**config):
    x, y = keras.Input((6,)), keras.Input((6,))
    layer = kl.layers.AddGumbelNDCG(kl.GumbelApproxNDCG(), **{"seed": 3, "name": "ndcg", **config})
    identity = keras.layers.Dense(6, use_bias=False, kernel_initializer="identity")
    model = keras.Model([x, y], layer(identity(x), y))
    model.compile(keras.optimizers.SGD(0.0))
    return model, layer


def test_the_layer_draws_in_training_only():
    data = [S.astype("float32"), Y.astype("float32")]
    model, _ = drawing()
    how = {"epochs": 3, "batch_size": 3, "shuffle": False, "verbose": 0}
    first = model.fit(data, **how).history["ndcg"]
    assert len(set(first)) == 3  # other noise each step, in a compiled one too
    np.testing.assert_allclose(drawing()[0].fit(data, **how).history["ndcg"], first, rtol=1e-6)
    assert drawing(seed=4)[0].fit(data, **how).history["ndcg"][0] != first[0]
    plain = values(kl.ApproxNDCG(), Y, S)
    evaluated = model.evaluate(data, verbose=0)
    np.testing.assert_allclose(evaluated, np.full_like(evaluated, plain), rtol=1e-5)
    np.testing.assert_allclose(model.predict(data, verbose=0), S, rtol=1e-6)


def test_the_layer_learns():
    model, _ = drawing(samples=4, scale=0.5)
    model.compile(keras.optimizers.Adam(0.05))
    data = [S.astype("float32"), Y.astype("float32")]
    before = np.ravel(model.evaluate(data, verbose=0))[0]
    model.fit(data, epochs=30, verbose=0)
    assert np.ravel(model.evaluate(data, verbose=0))[0] < 0.5 * before


def test_the_noise_is_gumbel():
    layer = kl.layers.AddGumbelNDCG(kl.GumbelApproxNDCG(), scale=2.0, seed=0)
    noise = ops.convert_to_numpy(layer.draw((64, 50, 20))) / 2
    assert np.isfinite(noise).all()
    np.testing.assert_allclose([noise.mean(), noise.var()], [np.euler_gamma, np.pi**2 / 6], rtol=0.02)


def test_the_layer_is_saved_with_its_seed(tmp_path):
    data = [S.astype("float32"), Y.astype("float32")]
    model, layer = drawing(samples=2, scale=0.25, weight=0.5)
    first = model.fit(data, shuffle=False, verbose=0).history["ndcg"]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert again.get_layer("ndcg").get_config() == layer.get_config()
    np.testing.assert_allclose(again.fit(data, shuffle=False, verbose=0).history["ndcg"], first, rtol=1e-6)


def test_the_layer_refuses_what_it_cannot_use():
    for wrong in (kl.ApproxNDCG(), kl.GumbelApproxNDCG(reduction="none"), "ndcg"):
        with pytest.raises(ValueError, match="`loss` must be a keras"):
            kl.layers.AddGumbelNDCG(wrong)
    for field, value in (("samples", 0), ("samples", 1.5), ("scale", 0.0), ("seed", "now")):
        with pytest.raises(ValueError, match=f"`{field}` must be "):
            kl.layers.AddGumbelNDCG(kl.GumbelApproxNDCG(), **{field: value})
