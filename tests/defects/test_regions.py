"""Dice and Tversky: which sums, which samples, which weight belongs to which error."""

import keras
import numpy as np
import pytest

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from tests.defects._fit import STOCK, close, evaluate, number, train

HIT = np.array([1.0, 0.0], "float32").reshape(1, 2, 1)
BOTH = np.array([1.0, 1.0], "float32").reshape(1, 2, 1)


def test_alpha_weighs_false_positives():
    """keras PR#23333, #23322: alpha false positives, beta misses, as in the paper; Keras had them swapped."""
    loss = kl.Tversky(alpha=0.9, beta=0.1)
    false_positive, miss = 1 - 1 / (1 + 0.9), 1 - 1 / (1 + 0.1)
    close(loss(HIT, BOTH), false_positive)
    close(loss(BOTH, HIT), miss)
    assert evaluate(loss, HIT, BOTH) == pytest.approx(false_positive, rel=1e-5)
    if STOCK:
        close(keras.losses.Tversky(alpha=0.9, beta=0.1)(HIT, BOTH), miss)


def test_one_value_a_sample():
    """keras#19637, #3611, PR#20563, segmentation_models.pytorch#1148: per sample and class, then the mean."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=(3, 4, 5, 2)).astype("float32")
    p = rng.uniform(size=y.shape).astype("float32")
    per_class = np.array(
        [
            [1 - 2 * (a * b).sum() / (a.sum() + b.sum()) for a, b in zip(t.T, q.T, strict=True)]
            for t, q in zip(y, p, strict=True)
        ]
    )
    for cls in (kl.Dice, kl.Tversky):
        close(cls(reduction="none")(y, p), per_class.mean(1))
        close(cls()(y, p), per_class.mean())
        close(cls(class_weight=(1, 3))(y, p), (per_class @ [1 / 4, 3 / 4]).mean())
        assert evaluate(cls(), y, p) == pytest.approx(per_class.mean(), rel=1e-5)
    halves = [number(kl.Dice()(y[i : i + 1], p[i : i + 1])) for i in range(3)]
    close(np.mean(halves), per_class.mean())
    if STOCK:
        assert tuple(keras.losses.Dice(reduction=None)(y, p).shape) == ()


@pytest.mark.parametrize("axis", [(1, 2, 3), (1, 2)])
def test_given_axes_are_those_that_are_summed(axis):
    """keras PR#20563: `axis` as in Keras, which keeps what it does not sum."""
    rng = np.random.default_rng(1)
    y = rng.integers(2, size=(3, 4, 5, 2)).astype("float32")
    p = rng.uniform(size=y.shape).astype("float32")
    expected = 1 - 2 * (y * p).sum(axis) / (y.sum(axis) + p.sum(axis))
    expected = expected.reshape(3, -1).mean(1)
    close(kl.Dice(axis=axis, reduction="none")(y, p), expected)
    close(keras.losses.Dice(axis=axis)(y, p), expected.mean(), rtol=1e-4)


@pytest.mark.parametrize("axis", [0, (0, 1), (), (0, 1, 2, 3)])
def test_axis_without_the_batch(axis):
    """keras#19637: a loss that sums over the batch has no value a sample."""
    for cls in (kl.Dice, kl.Tversky):
        with pytest.raises(ValueError, match="batch axis"):
            cls(axis=axis)


def test_negative_axis_that_is_the_batch():
    """keras#19637: the same, where only the rank tells."""
    with pytest.raises(ValueError, match="other than 0"):
        kl.Dice(axis=-3)(HIT, BOTH)


@pytest.mark.parametrize("cls", [kl.Dice, kl.Tversky])
def test_empty_against_empty(cls):
    """keras#13085: 0 with a finite gradient; Keras gave 1 to a perfect empty prediction."""
    empty = np.zeros((1, 4, 1), "float32")
    value, gradient = value_and_gradient(lambda t: cls()(empty, t), empty)
    assert value == 0
    assert np.isfinite(gradient).all()
    logged, step = train(cls(), empty, empty)
    assert logged == 0
    assert np.isfinite(step).all()
    if STOCK:
        assert number(keras.losses.Dice()(empty, empty)) == 1


def test_empty_class_left_out():
    """keras#13085 (family): `empty="skip"` takes absent classes out of the mean, samples without any out of the batch."""
    y, p = np.zeros((2, 4, 2), "float32"), np.full((2, 4, 2), 0.5, "float32")
    y[0, :2, 0] = 1
    close(kl.Dice(empty="skip")(y, p), 1 - 2 * 1 / (2 + 2))


def test_logits_are_no_probabilities():
    """keras#13085: Dice of logits was 2e7; while debugging it raises and says what to do."""
    for cls in (kl.Dice, kl.Tversky):
        with kl.debugging(), pytest.raises(ValueError, match="Logits"):
            cls()(BOTH, -BOTH)


def test_masked_pixels_are_outside():
    """keras#19637 (family): a mask as fine as the pixels is consumed by the region."""
    y, p = np.array([[[1.0], [0.0], [1.0]]], "float32"), np.array([[[1.0], [1.0], [0.0]]], "float32")
    close(kl.Dice()(y, p, mask=np.array([[True, True, False]])), 1 - 2 / 3)
