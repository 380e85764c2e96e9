"""Sums of exponentials, sums over runs, and powers of sigmoids: against plain loops in float64, and where numbers end."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import gradient, value_and_gradient
from keras_losses.testing.gradients import second_derivative

m = kl.math
RNG = np.random.default_rng(3)
Z = RNG.normal(size=(4, 6)) * 3
LABELS = np.array([0, 5, 2, 2])
WEIGHTS = np.array([[1.0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0], [0.2, 0.7, 0, 1, 1, 0.5], [1, 1, 1, 1, 1, 1]])
KEYS = np.array([[3.0, 3, 2, 2, 2, 0], [1, 1, 1, 1, 1, 1], [5, 4, 3, 2, 1, 0], [2, 2, 1, 0, -1, -1]])


def tensor(x):
    return ops.convert_to_tensor(x)


def log1p_sum_exp(x):
    return np.array(
        [math.log(1 + sum(w * math.exp(v) for w, v in zip(*row, strict=True))) for row in zip(WEIGHTS, x, strict=True)]
    )


def of_others(x):
    return np.array([math.log(sum(math.exp(v) for i, v in enumerate(row) if i != y)) for row, y in zip(x, LABELS, strict=True)])


def to_end(x):
    found = np.zeros_like(x)
    for b, i in np.ndindex(x.shape):
        found[b, i] = math.log(sum(math.exp(x[b, j] - x[b, i]) for j in range(i, x.shape[1])))
    return found


def run(x, backward):
    found = np.zeros_like(x)
    for b, i in np.ndindex(x.shape):
        j = i
        while 0 <= j < x.shape[1] and KEYS[b, j] == KEYS[b, i]:
            found[b, i] += x[b, j]
            j += -1 if backward else 1
    return found


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


CASES = {
    "log1p_sum_exp": (lambda x: m.log1p_sum_exp(x, tensor(WEIGHTS)), log1p_sum_exp),
    "logsumexp_of_others": (lambda x: m.logsumexp_of_others(x, tensor(LABELS)), of_others),
    "logsumexp_to_end": (lambda x: m.logsumexp_to_end(x, tensor(Z < 99)), to_end),
    "sum_of_run": (lambda x: m.sum_of_run(x, tensor(KEYS)), lambda x: run(x, False)),
    "sum_of_run-backward": (lambda x: m.sum_of_run(x, tensor(KEYS), backward=True), lambda x: run(x, True)),
    "entry_at": (lambda x: m.entry_at(x, tensor(KEYS % 6)), lambda x: np.take_along_axis(x, KEYS.astype(int) % 6, -1)),
    "focal_softplus": (lambda x: m.focal_softplus(x, 2), lambda x: np.logaddexp(x, 0) * sigmoid(x) ** 2),
    "focal_softplus-root": (lambda x: m.focal_softplus(x, 0.5), lambda x: np.logaddexp(x, 0) * sigmoid(x) ** 0.5),
    "power_of_sigmoid-none": (lambda x: m.power_of_sigmoid(x, 0), lambda x: x**0),
    "power-square": (lambda x: m.power(x, 2), lambda x: x**2),
    "power-fourth": (lambda x: m.power(x, 4.0), lambda x: x**4),
    "weighed": (
        lambda x: m.binary_cross_entropy(x, tensor(2 * WEIGHTS), tensor(WEIGHTS[::-1].copy())),
        lambda x: 2 * WEIGHTS * np.logaddexp(-x, 0) + WEIGHTS[::-1] * np.logaddexp(x, 0),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradients(name):
    function, definition = CASES[name]
    value, slope = value_and_gradient(function, Z, "float64")
    np.testing.assert_allclose(value, definition(Z), rtol=1e-10, atol=1e-12)
    for at in np.ndindex(Z.shape):
        step = np.zeros_like(Z)
        step[at] = 1e-5
        difference = (definition(Z + step).sum() - definition(Z - step).sum()) / 2e-5
        np.testing.assert_allclose(slope[at], difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["log1p_sum_exp", "logsumexp_of_others", "logsumexp_to_end", "focal_softplus", "weighed"])
def test_second_derivatives(name):
    function, _ = CASES[name]
    found = second_derivative(lambda x: ops.sum(function(x)), Z, np.ones_like(Z), "float64")
    step = 1e-5
    near, far = (gradient(lambda x: ops.sum(function(x)), Z + s, "float64") for s in (step, -step))
    np.testing.assert_allclose(found, (near - far) / (2 * step), rtol=1e-5, atol=1e-7)


def test_sums_of_exponentials_far_apart():
    """Nothing overflows, what is far below is nothing, and a sum of nothing is the lowest number."""
    x = np.array([[1e4, -1e4, 0.0], [-200.0, -300.0, -1000.0]])
    none, every = tensor(np.zeros((2, 3), "float32")), tensor(np.ones((2, 3), "float32"))
    np.testing.assert_allclose(value_and_gradient(lambda z: m.log1p_sum_exp(z, every), x)[0], [1e4, 0], atol=1e-30)
    ties = np.array([[2e4, 2e4, 0.0], [-30.0, -30.0, -30.0]])  # beside 20000 the logarithm of 2 is rounded to 0.69336
    slope = gradient(lambda z: m.log1p_sum_exp(z, every), ties)
    np.testing.assert_allclose(slope, [[0.5, 0.5, 0], [math.exp(-30)] * 3], rtol=1e-6, atol=1e-30)
    value, slope = value_and_gradient(lambda z: m.log1p_sum_exp(z, none), x)
    np.testing.assert_array_equal(value, [0, 0])
    np.testing.assert_array_equal(slope, np.zeros((2, 3)))
    np.testing.assert_allclose(value_and_gradient(lambda z: m.logsumexp_of_others(z, tensor([0, 0])), x)[0], [0, -300])
    value, slope = value_and_gradient(lambda z: m.logsumexp_of_others(z, tensor([0, 0])), x[:, :1])
    assert (value < -1e29).all()
    np.testing.assert_array_equal(slope, np.zeros((2, 1)))
    value, slope = value_and_gradient(lambda z: m.logsumexp_to_end(z, tensor([[True, True, False]] * 2)), x)
    np.testing.assert_allclose(value[:, :2], [[0, 0], [0, 0]], atol=1e-30)
    assert (value[:, 2] < -1e29).all()
    assert np.isfinite(slope).all()


def test_entries_past_the_end():
    found = m.entry_at(tensor([[5.0, 6.0]]), tensor([[0.0, 1.0, 2.0]]), beyond=-7.0)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [[5, 6, -7]])


def test_one_hot():
    found = m.one_hot(tensor(LABELS), 6, "float32")
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_array_equal(ops.convert_to_numpy(found), np.eye(6)[LABELS])


def test_a_quotient_lets_nan_pass():
    """0 where nothing is divided by, but not for numbers that are none."""
    value = m.safe_divide(tensor([1.0, float("nan"), 1.0, 3.0]), tensor([0.0, 0.0, float("nan"), 1e-39]))
    np.testing.assert_array_equal(ops.convert_to_numpy(value), [0, np.nan, np.nan, 0])
    slope = gradient(lambda x: m.safe_divide(x[0], x[1]), np.array([3.0, 1e-15]))
    np.testing.assert_allclose(slope, [1e15, -3e30], rtol=1e-6)
