"""Every case of every loss against its NumPy reference: values and gradients, in float32 and float64."""

import keras
import numpy as np
import pytest

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from tests.reference import DIFFERENTIATED, REFERENCES

CASES = [
    pytest.param(name, case, id=f"{name}-{case.id}", marks=pytest.mark.xdist_group(name))
    for name, (_, cases) in REFERENCES.items()
    for case in cases
]


def reference(name, case, y_pred=None):
    """The reference's values, 0 where they do not count."""
    result = REFERENCES[name][0](case.y_true, case.y_pred if y_pred is None else y_pred, **case.config)
    return np.where(result[1], result[0], 0.0) if isinstance(result, tuple) else np.asarray(result, float)


def evaluate(name, case, dtype, weights):
    loss = getattr(kl, name)(reduction="none", dtype=dtype, **case.config)
    return value_and_gradient(lambda p: loss(case.y_true, p), case.y_pred, dtype, weights)


def cotangent(expected):
    """Fixed numbers that differ from value to value, so that values cannot be mixed up unseen."""
    return 1 + 0.5 * np.cos(np.arange(expected.size)).reshape(expected.shape)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_float64(name, case):
    """The value to 1e-10, and the gradient as the slope of the reference in random directions."""
    expected = reference(name, case)
    weights = cotangent(expected)
    value, slope = evaluate(name, case, "float64", weights)
    np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-10)
    if case.expect is not None:
        np.testing.assert_allclose(np.where(np.isnan(case.expect), np.nan, value), case.expect, rtol=1e-9, atol=1e-9)
    assert slope.shape == case.y_pred.shape
    assert np.isfinite(slope).all()
    if not case.smooth:
        return
    function = DIFFERENTIATED.get(name, lambda y_true, at, **config: lambda p: REFERENCES[name][0](y_true, p, **config))
    along = function(case.y_true, case.y_pred, **case.config)

    def total(y_pred):
        result = along(y_pred)
        result = np.where(result[1], result[0], 0.0) if isinstance(result, tuple) else result
        counts = np.isfinite(expected)
        return np.sum(np.asarray(result)[counts] * weights[counts])

    rng, step = np.random.default_rng(0), 1e-6
    for _ in range(4):
        direction = rng.normal(size=case.y_pred.shape)
        difference = (total(case.y_pred + step * direction) - total(case.y_pred - step * direction)) / (2 * step)
        # The difference of two rounded sums of this size cannot be known better than this.
        noise = 4 * np.finfo(float).eps * np.abs(expected[np.isfinite(expected)] * 2).sum() / step
        size = max(1.0, np.abs(slope).max())
        np.testing.assert_allclose(np.sum(slope * direction), difference, rtol=2e-6, atol=2e-7 * size + noise)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_float32(name, case, record):
    """The value to 1e-5 of the reference on the inputs as float32 holds them; the gradient is finite."""
    expected = reference(name, case, case.y_pred.astype("float32").astype("float64"))
    value, slope = evaluate(name, case, "float32", cotangent(expected))
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5)
    assert np.isfinite(slope).all()
    record[f"{name}/{case.id}/value"], record[f"{name}/{case.id}/gradient"] = value, slope
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
