"""CLIP and SigLIP beyond their references: extremes, learned numbers, large batches."""

import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.metric_learning import blocks
from keras_losses.testing import compiled, sample, value_and_gradient
from tests.test_self_supervised import values


@pytest.mark.parametrize("loss", [kl.CLIP(), kl.SigLIP()])
def test_images_and_texts_are_two_views(loss):
    with pytest.raises(ValueError, match=loss.name):
        loss(None, np.ones((4, 3, 5)))


def test_clip_is_sure_at_small_temperatures():
    z = np.stack([np.eye(3), np.eye(3)], axis=1)
    for temperature in (1e-4, 1e-2):
        value, slope = value_and_gradient(lambda p: kl.CLIP(temperature=temperature)(None, p), z)
        assert 0 <= value < 1e-6
        assert np.isfinite(slope).all()
        # Texts that all sit one place further: 1 / temperature each.
        wrong = np.stack([np.eye(3), np.roll(np.eye(3), 1, axis=0)], axis=1)
        np.testing.assert_allclose(values(kl.CLIP(temperature=temperature), wrong), 1 / temperature, rtol=1e-5)


def test_sig_lip_takes_its_logits_as_tensors():
    y_pred = sample(kl.SigLIP())[1].astype("float32")
    expected = values(kl.SigLIP(temperature=0.5, bias=2.0), y_pred)
    given = {"log_temperature": np.log(0.5), "bias": 2}
    np.testing.assert_allclose(values(kl.SigLIP(), y_pred, **given), expected, rtol=1e-5)
    np.testing.assert_allclose(kl.sig_lip(None, y_pred, temperature=0.5, bias=2.0), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="temperature"):
        kl.sig_lip(None, y_pred, temperature=-1.0)


@pytest.mark.parametrize(
    ("name", "what"),
    [(n, w) for n in ("CLIP", "SigLIP") for w in ("embeddings", "log_temperature", "bias") if (n, w) != ("CLIP", "bias")],
)
def test_blocks_of_images_are_the_whole(name, what, monkeypatch):
    """Large batches are walked in blocks: embeddings, learned temperature and bias have the same gradients."""
    rng = np.random.default_rng(0)
    pairs, mask = rng.normal(size=(7, 2, 3)), np.arange(7) != 2
    loss, start = getattr(kl, name)(dtype="float64"), {"log_temperature": np.array(-0.7), "bias": np.array(-1.5)}

    def evaluate(x):
        given = {what: x} if what in start else {}
        return loss(None, x if what == "embeddings" else pairs, mask=mask, **given)

    expected = value_and_gradient(evaluate, start.get(what, pairs), "float64")
    monkeypatch.setattr(blocks, "WHOLE", 8)
    monkeypatch.setattr(blocks, "BLOCK", 14)
    seen = value_and_gradient(evaluate, start.get(what, pairs), "float64")
    np.testing.assert_allclose(seen[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(seen[1], expected[1], rtol=1e-10, atol=1e-12)
    assert np.abs(expected[1]).max() > 1e-3


def test_many_small_terms_are_not_lost_beside_large_ones():
    """A compiler may sum up all entries one after the other: those of 1e-5 must not vanish beside those of ten."""
    pairs = np.random.default_rng(0).normal(size=(2048, 2, 16)).astype("float32")
    expected = value_and_gradient(lambda p: kl.SigLIP(dtype="float64")(None, p), pairs, "float64")[0]
    call = compiled(lambda p: kl.SigLIP()(None, p), unknown_batch=False)
    np.testing.assert_allclose(ops.convert_to_numpy(call(ops.convert_to_tensor(pairs))), expected, rtol=1e-5)
