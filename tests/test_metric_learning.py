"""Losses over pairs of embeddings beyond the tables: blocks against the whole, second sets, masks, ties, edges."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.metric_learning import blocks
from keras_losses.metric_learning.pairs import PairLoss
from keras_losses.testing import value_and_gradient
from keras_losses.testing.gradients import compiled

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
    slope = value_and_gradient(lambda t: loss.slope(ops.stop_gradient(t), *masks), d, "float64")[0]
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


@pytest.mark.parametrize("name", ["Contrastive", "NTXent", "TripletMargin-all", "TripletMargin-semihard"])
def test_blocks_compile(name, small_blocks):
    """With a batch of known size; the gradient too, where one is compiled with the value."""
    ids, x = batch(n=7)
    ids, x, loss = ids.astype("int32"), x.astype("float32"), IN_BLOCKS[name]
    expected = value_and_gradient(lambda p: loss(ids, p), x)
    small_blocks(block=64)
    call = compiled(lambda t, p: loss(t, p), unknown_batch=False)
    tensors = [ops.convert_to_tensor(a) for a in (ids, x)]
    np.testing.assert_allclose(ops.convert_to_numpy(call(*tensors)), expected[0], rtol=1e-5)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        def slope(t, p):
            with tf.GradientTape() as tape:
                tape.watch(p)
                value = loss(t, p)
            return tape.gradient(value, p)

        found = compiled(slope, unknown_batch=False)(*tensors)
    else:
        found = value_and_gradient(lambda p: call(tensors[0], p), x)[1]
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected[1], rtol=1e-4, atol=1e-6)


def test_a_large_batch_is_walked_in_blocks():
    """The decision is one on static sizes, and on triplets where a loss takes those."""

    class Sized:
        def __init__(self, n):
            self.shape = (n, 8)

    assert not blocks.are_needed(kl.NTXent(), Sized(4096), Sized(4096))
    assert blocks.are_needed(kl.NTXent(), Sized(4097), Sized(4096))
    assert not blocks.are_needed(kl.NTXent(), Sized(None), Sized(None))
    assert blocks.are_needed(kl.SmoothAP(), Sized(257), Sized(257))
    assert not blocks.are_needed(kl.TripletMargin(mining="hard"), Sized(257), Sized(257))
    assert not blocks.are_needed(kl.Histogram(), Sized(9999), Sized(9999))


@pytest.mark.parametrize("name", LABELLED)
def test_a_second_set_may_be_the_first(name):
    """Against a copy of the batch, each embedding has one positive more: its copy."""
    ids, x = batch(3, 6)
    twice = {"ref_labels": np.concatenate([ids, ids]), "ref_embeddings": np.concatenate([x, x + 0.5])}
    value, slope = both(LABELLED[name], ids, x, **twice)
    assert value.shape == (6,)
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()


def test_a_second_set_by_hand():
    """Sohn's batch of pairs: the second halves are the reference set, one negative of each other class."""
    first, second = np.eye(3)[:2], 2 * np.eye(3)[:2]
    value = both(kl.NPairs(), np.array([4, 5]), first, ref_labels=np.array([4, 5]), ref_embeddings=second)[0]
    np.testing.assert_allclose(value, np.log1p(np.exp(-2.0)))


@pytest.mark.parametrize("name", ["Contrastive", "NTXent", "Angular", "LiftedStructure"])
def test_a_second_set_of_another_shape(name):
    ids, x = batch()
    for labels, embeddings in (
        (np.zeros(3, int), np.zeros((4, 4))),
        (np.zeros(3, int), np.zeros((3, 5))),
        (None, np.zeros((3, 4))),
    ):
        with pytest.raises(ValueError, match="ref_embeddings"):
            LABELLED[name](ids, x, ref_labels=labels, ref_embeddings=embeddings)


@pytest.mark.parametrize("loss", [kl.NTXent(), kl.InfoNCE(), kl.MultipleNegativesRanking()], ids=lambda loss: loss.name)
def test_views_need_no_target(loss):
    views = np.random.default_rng(0).normal(size=(6, 2, 3)).astype("float32")
    expected = float(loss(np.zeros(6, int), views))
    assert expected > 0
    assert float(loss(None, views)) == expected
    model = keras.Sequential([keras.Input((2, 3)), keras.layers.Identity()])
    model.compile("sgd", loss=loss)
    np.testing.assert_allclose(model.evaluate(views, batch_size=6, verbose=0), expected, rtol=1e-6)


def test_a_missing_target_is_told():
    for loss in (kl.NTXent(), kl.TripletMargin(), kl.MeanSquaredError()):
        with pytest.raises(ValueError, match=f"{loss.name}: there is no y_true. Expected: "):
            loss(None, np.zeros((4, 3)))


def test_one_hot_ids_are_told():
    with pytest.raises(ValueError, match=r"takes integer ids; `ops.argmax\(y, axis=-1\)`"):
        kl.TripletMargin()(np.eye(3), np.zeros((3, 4)))


def test_views_have_no_second_set():
    with pytest.raises(ValueError, match="views"):
        kl.NTXent()(np.zeros(4, int), np.zeros((4, 2, 3)), ref_labels=np.zeros(3, int), ref_embeddings=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="two views"):
        kl.MultipleNegativesRanking()(np.zeros(4, int), np.zeros((4, 1, 3)))
    assert float(kl.InfoNCE()(np.zeros(4, int), np.zeros((4, 1, 3)))) == 0


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("by", ["mask", "sample_weight"])
def test_a_sample_that_does_not_count_is_not_there(name, by):
    """Whatever its id is, also 0, which is what a label that does not count becomes."""
    ids, x = batch(7, 9)
    keep = np.arange(9) % 4 != 1
    ids = np.where(keep, ids, 0)
    broken = np.where(keep[:, None], x, np.nan)
    expected = float(LABELLED[name](ids[keep], x[keep]))
    assert float(
        LABELLED[name](ids, broken, **{by: keep.astype("float32") if by == "sample_weight" else keep})
    ) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", VIEWS)
def test_a_masked_view_is_not_there(name):
    """The third view of every sample is masked: the loss of two views."""
    x = np.random.default_rng(4).normal(size=(5, 3, 4))
    mask = np.array([True, True, False]) & np.ones((5, 1), bool)
    expected = float(VIEWS[name](np.zeros(5, int), x[:, :2]))
    x[:, 2] = np.nan
    assert float(VIEWS[name](np.zeros(5, int), x, mask=mask)) == pytest.approx(expected, rel=1e-5)
    mask[2, 0] = mask[3, 1] = False
    assert np.isfinite(float(VIEWS[name](np.zeros(5, int), x, mask=mask)))


@pytest.mark.parametrize("name", [*LABELLED, "InfoNCE", "MultipleNegativesRanking"])
@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e4])
def test_extremes_are_finite(name, scale):
    loss = LABELLED.get(name) or VIEWS[name]
    ids, x = batch(9, 6)
    x = scale * np.sign(x)
    if name in VIEWS and name not in LABELLED:
        x = np.stack([x, x[::-1]], axis=1)
    value, slope = both(loss, ids, x, "float32")
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("mining", ["hard", "easy"])
def test_mined_ties_share_the_gradient(mining):
    """Two positives and two negatives at one distance each: the slope is half of each."""
    x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, -3.0]])
    ids = np.array([0, 0, 0, 1, 2])
    slope = both(kl.TripletMargin(mining=mining, margin=10.0), ids[:1], x[:1], ref_labels=ids[1:], ref_embeddings=x[1:])[1]
    np.testing.assert_allclose(slope, [[-0.5 - 0.5, -0.5 - 0.5]], atol=1e-12)


def test_semihard_takes_a_negative_strictly_farther():
    """A negative exactly as far as the positive is passed over, in whatever order they stand."""
    for order in ([1, 2, 3], [2, 1, 3], [3, 2, 1]):
        x, ids = np.array([[0.0], [2.0], [-2.0], [5.0]]), np.array([0, 0, 1, 1])
        loss = kl.TripletMargin(mining="semihard", margin=4.0)
        value = both(loss, ids[:1], x[:1], ref_labels=ids[order], ref_embeddings=x[order])[0]
        np.testing.assert_allclose(value, [2 - 5 + 4])


def test_angular_of_a_wide_angle_is_the_same_by_either_way():
    """From 72 degrees on float32 takes a cube instead of a product of matrices; float64 from 84 on."""
    ids, x = batch(11, 8)
    for alpha in (71.0, 73.0, 83.0):
        loss = kl.Angular(alpha=alpha)
        exact, single = both(loss, ids, x), both(loss, ids, x, "float32")
        np.testing.assert_allclose(single[0], exact[0], rtol=2e-5, atol=1e-5)
        np.testing.assert_allclose(single[1], exact[1], rtol=1e-3, atol=1e-3 * np.abs(exact[1]).max())
