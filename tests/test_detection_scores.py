"""Scores, heatmaps and positions of dense detectors at the ends of their hyperparameters and inputs."""

import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from keras_losses.testing.gradients import second_derivative

EXPONENTS = (0.0, 1e-3, 0.5, 1.0, 1.5, 2.0, 50.0, 1e4)
LOSSES = [
    *(kl.QualityFocal(beta=e) for e in EXPONENTS),
    *(kl.Varifocal(gamma=e) for e in EXPONENTS),
    *(kl.GaussianFocal(alpha=a, beta=b) for a in EXPONENTS for b in (0.0, 0.5, 1e4)),
]
Y = np.array([[0.0, 1.0, 0.5, 1e-30, 1 - 1e-7]])


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_everything_is_finite(loss):
    """Value, gradient and second derivative at the ends of logits and probabilities, and where they meet the target."""
    logits = [np.full((1, 5), z) for z in (0.0, 1e-3, 20.0, -20.0, 100.0, -100.0, 1e4, -1e4)]
    scores = [np.full((1, 5), p) for p in (0.0, 1e-30, 0.5, 1 - 1e-7, 1.0)] + [Y, 1 - Y]
    for from_logits, x in ((True, np.concatenate(logits)), (False, np.concatenate(scores))):
        made = type(loss).from_config({**loss.get_config(), "from_logits": from_logits, "reduction": "sum"})
        true = np.repeat(Y, len(x), axis=0)
        value, slope = value_and_gradient(lambda p, f=made, t=true: f(t, p), x)
        curved = second_derivative(lambda p, f=made, t=true: f(t, p), x, np.ones_like(x))
        assert np.isfinite(value), (from_logits, value)
        assert np.isfinite(slope).all(), (from_logits, slope)
        assert np.isfinite(curved).all(), (from_logits, curved)


def test_heatmap_without_a_peak():
    """No division by a number of peaks that is 0."""
    y, z = np.full((2, 8, 8, 3), 0.3), np.zeros((2, 8, 8, 3))
    expected = 0.7**4 * 0.5**2 * np.log(2)
    np.testing.assert_allclose(ops.convert_to_numpy(kl.GaussianFocal(from_logits=True)(y, z)), expected, rtol=1e-5)


def test_a_position_out_of_range_is_told():
    """NaN with gradient zero, and the others are as without it; masked it is nothing."""
    y, z = np.array([-0.5, 0.5, 3.5, np.nan, 3.0]), np.random.default_rng(0).normal(size=(5, 4))
    loss = kl.DistributionFocal(from_logits=True, reduction="none")
    value, slope = value_and_gradient(lambda p: loss(y, p), z)
    assert (np.isnan(value) == [True, False, True, True, False]).all()
    assert (slope[[0, 2, 3]] == 0).all()
    assert np.isfinite(slope).all()
    keep = np.array([False, True, False, False, True])
    masked = ops.convert_to_numpy(loss(y, z, mask=keep))
    np.testing.assert_allclose(masked, np.where(keep, value, 0), rtol=1e-6)
    message = r"distribution_focal: y_true\[0\] is -0.5, expected positions from 0 to 3"
    with kl.debugging(), pytest.raises(ValueError, match=message):
        loss(y[:3], z[:3])
    with kl.debugging():
        loss(y, z, mask=keep)


def test_positions_as_fine_as_float32_holds():
    """Beside a bin, on it, and at the end of many bins: the interpolation does not jump."""
    z = np.random.default_rng(1).normal(size=(1, 17))
    loss = kl.DistributionFocal(from_logits=True)
    for edge in (1.0, 8.0, 16.0):
        below, at = (float(loss(np.array([edge - d]), z)) for d in (1e-5, 0.0))
        assert abs(below - at) < 1e-4
