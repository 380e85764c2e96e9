"""Losses over pairs of embeddings beyond the tables: blocks against the whole, second sets, masks, ties, edges."""

import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.metric_learning import blocks
from keras_losses.metric_learning.pairs import PairLoss
from keras_losses.testing import value_and_gradient

MINED = {
    f"TripletMargin-{m}{s}": kl.TripletMargin(mining=m, soft=bool(s))
    for m in ("all", "semihard", "hard", "easy")
    for s in ("", "-soft")
}
DISTANCES = {
    f"Contrastive-{d}": kl.Contrastive(distance=d, normalize=n)
    for d, n in (("cosine", False), ("dot", False), ("squared_euclidean", True))
}
LABELLED = {
    name: getattr(kl, name)()
    for name in kl.__all__
    if isinstance(cls := getattr(kl, name), type) and issubclass(cls, PairLoss) and cls.y_pred.axes != ("B", "V", "D")
}
LABELLED |= MINED | DISTANCES
IN_BLOCKS = {name: loss for name, loss in LABELLED.items() if loss.slope is not None}
VIEWS = {name: getattr(kl, name)() for name in ("NTXent", "InfoNCE", "MultipleNegativesRanking")}


def batch(seed=0, n=11, d=4, classes=3, scale=0.7):
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, n), scale * rng.normal(size=(n, d))


def both(loss, ids, x, dtype="float64", **kwargs):
    loss = type(loss).from_config({**loss.get_config(), "reduction": "none", "dtype": dtype})
    return value_and_gradient(lambda p: loss(ids, p, **kwargs), x, dtype, None)


@pytest.fixture
def small_blocks(monkeypatch):
    def make(whole=0, block=25):
        monkeypatch.setattr(blocks, "WHOLE", whole)
        monkeypatch.setattr(blocks, "BLOCK", block)

    return make


@pytest.mark.parametrize("name", IN_BLOCKS)
def test_the_slope_is_the_gradient_of_the_rows(name):
    loss = IN_BLOCKS[name]
    rng = np.random.default_rng(1)
    d = rng.normal(size=(6, 9)) * 0.6 + (0 if loss.distance == "dot" else 1)
    d[4] = np.round(d[4])  # ties
    ids = rng.integers(0, 3, 9)
    same = ids[None] == np.array([0, 1, 2, 0, 1, 7])[:, None]
    different = ~same & (np.arange(9) != 3)
    same[3] = False
    if name.endswith(("semihard", "semihard-soft")):
        d[4] = d[3]  # who of those that tie is mined is told by their order: no slope to compare
    masks = [ops.convert_to_tensor(m) for m in (same, different)]
    weights = rng.normal(size=6)

    def values(t):
        value, valid = loss.rows(t, *masks)
        return ops.where(valid, value, ops.zeros_like(value))

    expected = value_and_gradient(values, d, "float64", weights)[1]
    valid = ops.convert_to_numpy(loss.rows(ops.convert_to_tensor(d, dtype="float32"), *masks)[1])
    slope = value_and_gradient(lambda t: loss.slope(t, *masks), d, "float64")[0]
    np.testing.assert_allclose(slope[valid] * weights[valid, None], expected[valid], rtol=1e-9, atol=1e-11)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("name", IN_BLOCKS)
@pytest.mark.parametrize("mask", [None, np.arange(11) % 5 != 2])
def test_blocks_are_the_whole(name, mask, small_blocks):
    ids, x = batch()
    expected = both(IN_BLOCKS[name], ids, x, mask=mask)
    small_blocks()
    seen = both(IN_BLOCKS[name], ids, x, mask=mask)
    np.testing.assert_allclose(seen[0], expected[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(seen[1], expected[1], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", VIEWS)
def test_blocks_of_views_are_the_whole(name, small_blocks):
    x = np.random.default_rng(2).normal(size=(7, 3, 4))
    ids, mask = np.zeros(7, int), np.random.default_rng(3).random((7, 3)) > 0.2
    expected = both(VIEWS[name], ids, x, mask=mask)
    small_blocks()
    seen = both(VIEWS[name], ids, x, mask=mask)
    np.testing.assert_allclose(seen[0], expected[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(seen[1], expected[1], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", IN_BLOCKS)
def test_blocks_with_a_second_set(name, small_blocks):
    ids, x = batch()
    others, y = batch(5, 8)
    arguments = {"ref_labels": others, "ref_embeddings": y}
    expected = both(IN_BLOCKS[name], ids, x, **arguments)
    small_blocks()
    seen = both(IN_BLOCKS[name], ids, x, **arguments)
    np.testing.assert_allclose(seen[0], expected[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(seen[1], expected[1], rtol=1e-9, atol=1e-11)
