"""Weights of the items of a list: each multiplies the item's part of the list's sum."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import gradient, value_and_gradient
from tests.test_ranking import NAMES, S, Y, over_lists, slopes, values

W = np.random.default_rng(5).uniform(0.1, 2.0, size=Y.shape).astype("float32").astype(float)
# One minus a metric of weighted gains: a number that multiplies all weights cancels.
NORMALISED = {"ApproxNDCG", "ApproxMRR", "GumbelApproxNDCG"}


# -- by hand, in plain loops -------------------------------------------------------------------------------------------------


def of_pairs(cost, better=lambda a, b: a > b):
    def one(y, s, w):
        pairs = [(i, j) for i in range(len(y)) for j in range(len(y)) if better(y[i], y[j])]
        return sum(w[i] * cost(s[j] - s[i]) for i, j in pairs) / len(pairs)

    return one


def mean_squared(y, s, w):
    pairs = [(i, j) for i in range(len(y)) for j in range(i)]
    return sum((w[i] + w[j]) / 2 * ((y[i] - y[j]) - (s[i] - s[j])) ** 2 for i, j in pairs) / len(pairs)


def list_net(target):
    def one(y, s, w):
        total = sum(np.exp(v) for v in s)
        wanted = [np.exp(v) / sum(np.exp(u) for u in y) for v in y] if target == "softmax" else [v / sum(y) for v in y]
        return -sum(w[i] * wanted[i] * np.log(np.exp(s[i]) / total) for i in range(len(y)))

    return one


def unique_softmax(y, s, w):
    lower = [[np.exp(s[j] - s[i]) for j in range(len(y)) if y[j] < y[i]] for i in range(len(y))]
    return sum(w[i] * (2.0 ** y[i] - 1) * np.log(1 + sum(lower[i])) for i in range(len(y)))


def likelihood(importance):
    def one(y, s, w):
        total, place = 0.0, 0
        for level in sorted(set(y), reverse=True):
            tied = [i for i in range(len(y)) if y[i] == level]
            below = sum(np.exp(s[i]) for i in range(len(y)) if y[i] < level)
            for k in range(len(tied)):
                place += 1
                left = below + (len(tied) - k) / len(tied) * sum(np.exp(s[i]) for i in tied)
                step = np.log(left) - sum(s[i] for i in tied) / len(tied)
                total += sum(w[i] for i in tied) / len(tied) * importance(place, len(y)) * step
        return total

    return one


def falling(place, n):
    return (2.0 ** (n - place) - 1) / sum(2.0 ** (n - r) - 1 for r in range(1, n + 1))


def smooth_rank(s, i):
    return 1 + sum(1 / (1 + np.exp(-(s[j] - s[i]) / 0.1)) for j in range(len(s)) if j != i)


def approx_ndcg(y, s, w):
    gain = [w[i] * (2.0 ** y[i] - 1) for i in range(len(y))]
    best = sum(g / np.log2(1 + rank) for rank, g in enumerate(sorted(gain, reverse=True), 1))
    return 1 - sum(g / np.log2(1 + smooth_rank(s, i)) for i, g in enumerate(gain)) / best


def approx_mrr(y, s, w):
    return 1 - sum(w[i] * y[i] / smooth_rank(s, i) for i in range(len(y))) / sum(a * b for a, b in zip(w, y, strict=True))


def gumbel(y, s, w):
    samples = over_lists()["GumbelApproxNDCG"].noise[0]
    return sum(approx_ndcg(y, [a + b for a, b in zip(s, noise, strict=False)], w) for noise in samples) / len(samples)


def precision_swaps(y, s, w):
    """Scores are distinct here, so each item has one rank."""
    total = 0.0
    for i in range(len(y)):
        for j in range(len(y)):
            inside = [1 + sum(v > s[k] for v in s) <= 2 for k in (i, j)]
            if y[i] > y[j] and inside[0] != inside[1]:
                total += w[i] * abs((y[i] > 0) - (y[j] > 0)) / 2 * np.log2(1 + np.exp(s[j] - s[i]))
    return total


def neural_sort(y, s, w):
    n, total = len(y), 0.0
    away = [sum(abs(s[k] - v) for v in s) for k in range(n)]
    for r, relevance in enumerate(sorted(y, reverse=True), 1):
        z = [(n + 1 - 2 * r) * s[k] - away[k] for k in range(n)]
        level = [k for k in range(n) if y[k] == relevance]
        total += sum(w[k] * (np.log(sum(np.exp(np.array(z) - max(z)))) + max(z) - z[k]) for k in level) / len(level)
    return total / n


BY_HAND = {
    "PairwiseHinge": of_pairs(lambda gap: max(0.0, 1 + gap)),
    "PairwiseLogistic": of_pairs(lambda gap: np.log(1 + np.exp(gap))),
    "PairwiseSoftZeroOne": of_pairs(lambda gap: 1 / (1 + np.exp(-gap))),
    "PairwiseMeanSquared": mean_squared,
    "BayesianPersonalized": of_pairs(lambda gap: np.log(1 + np.exp(gap)), lambda a, b: a > 0 and b == 0),
    "ListNet": list_net("softmax"),
    "ListNet-proportional": list_net("proportional"),
    "UniqueSoftmax": unique_softmax,
    "ListMLE": likelihood(lambda place, n: 1.0),
    "PositionalListMLE": likelihood(falling),
    "ApproxNDCG": approx_ndcg,
    "ApproxMRR": approx_mrr,
    "GumbelApproxNDCG": gumbel,
    "LambdaLoss-precision": precision_swaps,
    "NeuralSort": neural_sort,
}


def by_hand(name, y, s, w):
    kept = [[i for i in range(len(row)) if row[i] >= 0] for row in y]
    rows = zip(kept, y, s, w, strict=True)
    return np.array([BY_HAND[name](*([float(x[i]) for i in row] for x in (a, b, c))) for row, a, b, c in rows])


@pytest.mark.parametrize("name", BY_HAND)
def test_value_and_slope(name):
    """In float64, with padding whose weight is no number; the slope is that of the loops."""
    loss = type(over_lists()[name]).from_config({**over_lists()[name].get_config(), "dtype": "float64"})
    y, weights = Y.copy(), W.copy()
    if name != "GumbelApproxNDCG":
        y[0, 1], weights[0, 1] = -1, np.nan
    value, slope = value_and_gradient(lambda p: loss(y, p, sample_weight=weights), S, "float64")
    np.testing.assert_allclose(value, by_hand(name, y, S, weights), rtol=1e-9)
    direction = np.random.default_rng(6).normal(size=S.shape)
    ahead, behind = (by_hand(name, y, S + h * direction, weights).sum() for h in (1e-6, -1e-6))
    np.testing.assert_allclose((slope * direction).sum(), (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-7)


# -- what holds for all ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_one_change_nothing(name):
    loss = over_lists()[name]
    np.testing.assert_allclose(values(loss, Y, S, sample_weight=np.ones(Y.shape)), values(loss, Y, S), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_number_multiplies_all(name):
    loss = over_lists()[name]
    factor = 1.0 if name in NORMALISED else 3.0
    expected = factor * values(loss, Y, S, sample_weight=W)
    np.testing.assert_allclose(values(loss, Y, S, sample_weight=3 * W), expected, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_no_weight_at_all_is_no_loss_and_no_slope(name):
    """A list of which no item has weight is 0, and stays in the number that a mean is divided by."""
    weights = W.copy()
    weights[1] = 0.0
    value, slope = slopes(over_lists()[name], Y, S, sample_weight=weights)
    np.testing.assert_allclose(value[1], 0.0, atol=1e-7)
    assert (slope[1] == 0).all()
    mean = type(over_lists()[name]).from_config({**over_lists()[name].get_config(), "reduction": "mean"})
    np.testing.assert_allclose(values(mean, Y, S, sample_weight=weights), value.sum() / 3, rtol=1e-5)


def test_an_item_without_weight_is_still_compared_with():
    """Items that were not clicked often have weight 0: without them there would be no pair."""
    y, s = np.array([[1, 0, 0]]), np.array([[0.5, 0.0, 1.0]])
    loss = kl.PairwiseLogistic()
    np.testing.assert_allclose(loss(y, s, sample_weight=np.array([[1.0, 0.0, 0.0]])), loss(y, s), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_lists_beside_those_of_items(name):
    loss, lists = over_lists()[name], np.array([2.0, 0.0, 0.5])
    expected = lists * values(loss, Y, S, sample_weight=W)
    np.testing.assert_allclose(values(loss, Y, S, sample_weight=lists, item_weight=W), expected, rtol=1e-6)
    for given in (lists[:, None], lists):
        np.testing.assert_allclose(values(loss, Y, S, sample_weight=given), lists * values(loss, Y, S), rtol=1e-6)


def test_a_mask_takes_items_out_before_weights_count():
    loss, mask = kl.ListNet(reduction="none"), Y != 3
    weights = np.where(mask, W, 1e9)
    expected = values(loss, np.where(mask, Y, -1), S, sample_weight=W)
    np.testing.assert_allclose(values(loss, Y, S, sample_weight=weights, mask=mask), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(3, 5), (2, 6), (3, 6, 1)])
def test_weights_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match=r"list_net: sample_weight with shape .* does not fit"):
        kl.ListNet()(Y, S, sample_weight=np.ones(shape))


def test_weights_of_items_twice_are_refused():
    with pytest.raises(ValueError, match="give one"):
        kl.ListNet()(Y, S, sample_weight=W, item_weight=W)


def test_the_function_takes_them_too():
    found = kl.pairwise_hinge(Y, ops.convert_to_tensor(S, dtype="float32"), item_weight=W)
    expected = values(kl.PairwiseHinge(reduction="none"), Y, S, sample_weight=W)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-6)


def test_fit_weighs_items():
    """One step of plain descent from scores of 0 is minus the gradient of the weighted loss."""
    x, loss = np.eye(3, dtype="float32"), kl.ListNet()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(1.0), loss=loss)
    model.fit(x, Y.astype("float32"), sample_weight=W.astype("float32"), batch_size=3, verbose=0)
    expected = -gradient(lambda p: loss(Y, p, sample_weight=W), np.zeros(Y.shape))
    np.testing.assert_allclose(ops.convert_to_numpy(model.layers[0].kernel), expected, atol=1e-6)
