"""The primitives: values against NumPy in float64, gradients against differences, and the rules at kinks."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import gradient, value_and_gradient
from keras_losses.testing.gradients import second_derivative

m = kl.math
X = np.array([-3.0, -1.0, -1e-3, 1e-3, 0.7, 2.0, 30.0])
POSITIVE = np.array([1e-6, 0.01, 0.5, 0.999, 2.0, 50.0, 3000.0])

LOGITS = np.array([[0.0, 1.0, 2.0], [5.0, 5.0, 1.0]])


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


# function, its definition in NumPy, points
SMOOTH = {
    "absolute": (m.absolute, np.abs, X),
    "positive_part": (m.positive_part, lambda x: np.maximum(x, 0), X),
    "minimum": (lambda x: m.minimum(x, 0.5), lambda x: np.minimum(x, 0.5), X),
    "maximum": (lambda x: m.maximum(x, 0.5), lambda x: np.maximum(x, 0.5), X),
    "lesser": (lambda x: m.lesser(x, 1 - x), lambda x: np.minimum(x, 1 - x), X),
    "greater": (lambda x: m.greater(x, 1 - x), lambda x: np.maximum(x, 1 - x), X),
    "clip": (lambda x: m.clip(x, -2.0, 1.0), lambda x: np.clip(x, -2, 1), X),
    "log_probability": (m.log_probability, np.log, POSITIVE),
    "safe_log": (m.safe_log, np.log, POSITIVE),
    "safe_sqrt": (m.safe_sqrt, np.sqrt, POSITIVE),
    "softplus": (m.softplus, lambda x: np.logaddexp(x, 0), X),
    "log1mexp": (m.log1mexp, lambda x: np.log(-np.expm1(x)), -POSITIVE[:-1]),
    "one_minus_exp": (m.one_minus_exp, lambda x: -np.expm1(x), -POSITIVE[:-1]),
    "power": (lambda x: m.power(x, 0.3), lambda x: x**0.3, POSITIVE),
    "power-above-one": (lambda x: m.power(x, 2.5), lambda x: x**2.5, POSITIVE[:-2]),
    "power-tensor": (lambda x: m.power(0 * x + 0.5, x), lambda x: 0.5**x, POSITIVE[:-2]),
    "log_cosh": (m.log_cosh, lambda x: np.logaddexp(x, -x) - np.log(2), X),
    "huber": (lambda x: m.huber(x, 0.3), lambda x: np.where(abs(x) < 0.3, x**2 / 2, 0.3 * (abs(x) - 0.15)), X),
    "logaddexp": (lambda x: m.logaddexp(x, 1 - 2 * x), lambda x: np.logaddexp(x, 1 - 2 * x), X),
    "xlogy": (lambda x: m.xlogy(x, x), lambda x: x * np.log(x), POSITIVE),
    "safe_divide": (lambda x: m.safe_divide(1 + x, x), lambda x: (1 + x) / x, X),
    "sin": (m.sin, np.sin, X),
    "cos": (m.cos, np.cos, X),
    "sin-at-quarters": (m.sin, np.sin, np.pi / 2 * np.arange(-5, 6)),
    "sin-large": (m.sin, np.sin, np.array([-4321.0, 1e4])),
    "arctan": (m.arctan, np.arctan, np.concatenate([X, POSITIVE])),
    "tanh": (m.tanh, np.tanh, np.concatenate([X, [0.0]])),
    "lgamma": (m.lgamma, np.vectorize(math.lgamma), POSITIVE),
    "digamma": (m.digamma, np.vectorize(lambda x: digamma_series(x)), POSITIVE),
    "mean": (m.mean, lambda x: x.mean(-1), X.reshape(1, 7)),
    "largest": (m.largest, lambda x: x.max(-1), X.reshape(1, 7)),
    "safe_norm": (m.safe_norm, lambda x: np.sqrt((x**2).sum(-1)), X.reshape(1, 7)),
    "normalize": (lambda x: m.normalize(x)[:, 0], lambda x: x[:, 0] / np.sqrt((x**2).sum(-1)), X.reshape(1, 7)),
    "logcumsumexp": (m.logcumsumexp, lambda x: np.logaddexp.accumulate(x, -1), X.reshape(1, 7)),
    "logcumsumexp-reverse": (
        lambda x: m.logcumsumexp(x, axis=0, reverse=True),
        lambda x: np.logaddexp.accumulate(x[::-1], 0)[::-1],
        X.reshape(7, 1),
    ),
    "binary_cross_entropy": (
        lambda x: m.binary_cross_entropy(x, 0 * x + 0.3),
        lambda x: 0.3 * np.logaddexp(-x, 0) + 0.7 * np.logaddexp(x, 0),
        X,
    ),
    "binary_cross_entropy-weighted": (
        lambda x: m.binary_cross_entropy(x, 0 * x + 5, 0 * x + 0.25),
        lambda x: 5 * np.logaddexp(-x, 0) + 0.25 * np.logaddexp(x, 0),
        X,
    ),
    "miss_probability": (lambda x: m.miss_probability(x, 0 * x + 0.9), lambda x: (0.9 + 0.1 * np.exp(x)) / (1 + np.exp(x)), X),
    "focal_power": (lambda x: m.focal_power(x, 0.5), lambda x: x**0.5, POSITIVE),
    "focal_power-square": (lambda x: m.focal_power(x, 2.0), lambda x: x**2, POSITIVE[:-2]),
    "focal_power-none": (lambda x: m.focal_power(x, 0), lambda x: x**0, POSITIVE),
    "log_and_miss": (lambda x: m.log_and_miss(x)[0], lambda x: np.log(softmax(x)), LOGITS),
    "log_and_miss-miss": (lambda x: m.log_and_miss(x)[1], lambda x: 1 - softmax(x), LOGITS),
    "label_cross_entropy": (
        lambda x: m.label_cross_entropy(x, np.array([0, 2], "int32")),
        lambda x: -np.log(softmax(x)[[0, 1], [0, 2]]),
        LOGITS,
    ),
    "cross_entropy": (lambda x: m.cross_entropy(x, 0 * x + 0.5), lambda x: -0.5 * np.log(softmax(x)).sum(-1), LOGITS),
    "cosine": (lambda x: m.cosine(x, 0 * x + 1), lambda x: x.sum(-1) / np.sqrt(7 * (x**2).sum(-1)), X.reshape(1, 7)),
    "log1m_softmax": (
        m.log1m_softmax,
        lambda x: np.log(
            np.stack([np.exp(np.delete(x, i, -1)).sum(-1) for i in range(3)], -1) / np.exp(x).sum(-1, keepdims=True)
        ),
        LOGITS,
    ),
}


def digamma_series(x):
    """The derivative of log gamma, by a recurrence and a long asymptotic series."""
    total = 0.0
    while x < 30:
        total, x = total - 1 / x, x + 1
    return total + math.log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4) - 1 / (252 * x**6)


@pytest.mark.parametrize("name", SMOOTH)
def test_value_and_gradient(name):
    function, definition, x = SMOOTH[name]
    value, slope = value_and_gradient(function, x, "float64")
    np.testing.assert_allclose(value, definition(x), rtol=1e-10, atol=1e-11)
    step = 1e-6 * np.maximum(np.abs(x), 1e-3)
    for i in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[i] += step[i]
        behind[i] -= step[i]
        difference = (definition(ahead).sum() - definition(behind).sum()) / (2 * step[i])
        np.testing.assert_allclose(slope[i], difference, rtol=1e-4, atol=1e-5)


KINKS = {
    "absolute": (m.absolute, 0.0, 0.0, 0.0),
    "positive_part": (m.positive_part, 0.0, 0.0, 0.0),
    "minimum": (lambda x: m.minimum(x, 1.0), 1.0, 1.0, 0.0),
    "maximum": (lambda x: m.maximum(x, 1.0), 1.0, 1.0, 0.0),
    "clip-low": (lambda x: m.clip(x, 0.0, 1.0), 0.0, 0.0, 0.0),
    "clip-high": (lambda x: m.clip(x, 0.0, 1.0), 1.0, 1.0, 0.0),
    "floor": (lambda x: m.floor(x, 0.5), -3.0, 0.5, 1.0),
    "log_probability": (m.log_probability, 0.0, math.log(1e-7), 1e7),
    "safe_log": (m.safe_log, 0.0, math.log(1.1754943508222875e-38), 0.0),
    "safe_sqrt": (m.safe_sqrt, 0.0, 0.0, 0.0),
    "safe_divide": (lambda x: m.safe_divide(ops.ones_like(x), x), 0.0, 0.0, 0.0),
    "xlogy": (lambda x: m.xlogy(ops.zeros_like(x), x), 0.0, 0.0, 0.0),
    "power": (lambda x: m.power(x, 0.5), 0.0, 0.0, 1e-7**-0.5),
    "softplus-far": (m.softplus, 1e4, 1e4, 1.0),
    "log_cosh": (m.log_cosh, 0.0, 0.0, 0.0),
    "huber": (lambda x: m.huber(x, 0.5), 0.0, 0.0, 0.0),
    "huber-edge": (lambda x: m.huber(x, 0.5), -0.5, 0.125, -0.5),
    "huber-far": (lambda x: m.huber(x, 0.5), 1e30, 5e29, 0.5),
    "binary_cross_entropy": (lambda x: m.binary_cross_entropy(x, ops.ones_like(x)), 0.0, math.log(2), -0.5),
    "miss_probability": (lambda x: m.miss_probability(x, ops.zeros_like(x)), 0.0, 0.5, 0.25),
    "focal_power": (lambda x: m.focal_power(x, 0.5), 0.0, 1.1754943508222875e-38**0.5, 0.0),
    "log_cosh-far": (m.log_cosh, -1e30, 1e30, -1.0),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bound", ["minimum", "maximum", "clip", "floor", "safe_sqrt"])
def test_bounds_let_nan_pass(bound, dtype):
    """It is no number between bounds, and must not become one."""
    arguments = {"clip": (-1.0, 1.0), "safe_sqrt": ()}.get(bound, (1.0,))
    x = np.array([np.nan, -5.0, 5.0])
    value, _ = value_and_gradient(lambda x: getattr(m, bound)(x, *arguments), x, dtype)
    expected = {"minimum": [-5, 1], "maximum": [1, 5], "clip": [-1, 1], "floor": [1, 5], "safe_sqrt": [0, 5**0.5]}[bound]
    np.testing.assert_allclose(value, [np.nan, *expected], rtol=1e-7)


def test_whole():
    x = np.array([np.nan, -np.inf, -0.5, 0.0, 0.9, 1.0, 2.99, 3.0, 1e30, np.inf], "float32")
    found = m.whole(ops.convert_to_tensor(x), 3)
    assert keras.backend.standardize_dtype(found.dtype) == "int32"
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [0, 0, 0, 0, 0, 1, 2, 3, 3, 3])


@pytest.mark.parametrize("name", KINKS)
def test_kinks_and_edges(name):
    function, x, value, slope = KINKS[name]
    got = value_and_gradient(function, np.array([x]))
    np.testing.assert_allclose(got[0], [value], rtol=1e-5, atol=1e-30)
    np.testing.assert_allclose(got[1], [slope], rtol=1e-5, atol=1e-30)


def test_ties_share_the_gradient():
    np.testing.assert_allclose(gradient(m.largest, np.array([[2.0, 5.0, 5.0]])), [[0, 0.5, 0.5]])
    np.testing.assert_allclose(gradient(lambda x: m.largest(x, within=0.1), np.array([[2.0, 5.0, 4.95]])), [[0, 0.5, 0.5]])
    for function in (m.logaddexp, m.lesser, m.greater):
        tie = np.array([3.0, 3.0])
        np.testing.assert_allclose(gradient(lambda x, f=function: f(x[0], x[1]), tie), [0.5, 0.5], rtol=1e-6)


def test_masked_reductions():
    x, mask = np.array([[1.0, 2.0, np.inf], [4.0, 5.0, 6.0]]), np.array([[True, True, False], [False, False, False]])
    keep = ops.convert_to_tensor(mask)
    clean = np.where(mask, x, 7.0)
    value, slope = value_and_gradient(lambda t: m.masked_mean(t, keep), x)
    np.testing.assert_allclose(value, [1.5, 0])
    np.testing.assert_allclose(slope, [[0.5, 0.5, 0], [0, 0, 0]])
    np.testing.assert_allclose(value_and_gradient(lambda t: m.masked_softmax(t, keep), clean)[0].sum(-1), [1, 0], rtol=1e-6)
    value, slope = value_and_gradient(lambda t: m.masked_logsumexp(t, keep), clean)
    np.testing.assert_allclose(value[0], np.logaddexp(1, 2), rtol=1e-6)
    assert value[1] < -1e29
    assert (slope[1] == 0).all()


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclidean", "squared_euclidean"])
def test_pairwise_distance(distance):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    dots = np.array([[sum(a * b) for b in y] for a in x])
    squares = np.array([[sum((a - b) ** 2) for b in y] for a in x])
    lengths = np.sqrt((x**2).sum(1))[:, None] * np.sqrt((y**2).sum(1))
    expected = {"cosine": 1 - dots / lengths, "dot": -dots, "euclidean": np.sqrt(squares), "squared_euclidean": squares}[
        distance
    ]
    other = ops.convert_to_tensor(y.astype("float32"))
    np.testing.assert_allclose(value_and_gradient(lambda t: m.pairwise_distance(t, other, distance), x)[0], expected, rtol=1e-4)
    slope = gradient(lambda t: m.pairwise_distance(t, t, distance), np.zeros((2, 3)))
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclidean", "squared_euclidean"])
def test_distances_of_wide_vectors_to_each_other(distance):
    """Slopes, first and second, of one matrix of products are those of the products of two equal ones."""
    rng = np.random.default_rng(1)
    x, w, v = rng.normal(size=(4, 600)), rng.normal(size=(4, 4)), rng.normal(size=(4, 600))
    w = w * (1 - np.eye(4))  # the distance to itself is rounding, of which roots differ
    weight = ops.convert_to_tensor(w.astype("float32"))
    one, two = (
        lambda t: ops.sum(weight * m.pairwise_distance(t, t, distance)),
        lambda t: ops.sum(weight * m.pairwise_distance(t, 1.0 * t, distance)),
    )
    (value, slope), expected = value_and_gradient(one, x), value_and_gradient(two, x)
    np.testing.assert_allclose(value, expected[0], rtol=1e-4)
    np.testing.assert_allclose(slope, expected[1], rtol=1e-4, atol=1e-5 * np.abs(expected[1]).max())
    curved = second_derivative(two, x, v)
    np.testing.assert_allclose(second_derivative(one, x, v), curved, rtol=1e-3, atol=1e-4 * np.abs(curved).max())
    if distance == "dot":
        np.testing.assert_allclose(slope, -(w + w.T) @ x, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(curved, -(w + w.T) @ v, rtol=1e-4, atol=1e-4)


def test_softmax_of_maps_of_few_classes():
    """Value and slope over the last axis, however it is walked."""
    rng = np.random.default_rng(2)
    for classes in (2, 15, 16):
        x, w = rng.normal(size=(2, 3, classes)) * 5, rng.normal(size=(2, 3, classes))
        p = softmax(x)

        def weighed(y, w=w):
            return ops.sum(ops.convert_to_tensor(w, dtype="float64") * y)

        value, slope = value_and_gradient(lambda t, f=weighed: f(m.softmax(t)), x, "float64")
        np.testing.assert_allclose(value, (w * p).sum(), rtol=1e-10)
        np.testing.assert_allclose(slope, p * (w - (w * p).sum(-1, keepdims=True)), rtol=1e-8, atol=1e-12)
        value, slope = value_and_gradient(lambda t, f=weighed: f(m.log_softmax(t)), x, "float64")
        np.testing.assert_allclose(value, (w * np.log(p)).sum(), rtol=1e-10)
        np.testing.assert_allclose(slope, w - p * w.sum(-1, keepdims=True), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (1025, 1030)])
def test_diagonal(shape):
    np.testing.assert_array_equal(ops.convert_to_numpy(m.diagonal(ops.ones(shape))), np.eye(*shape) == 1)


def test_norms_of_any_length():
    x = np.array([[3e30, 4e30], [3e-30, 4e-30], [0.0, 0.0]])
    value, slope = value_and_gradient(m.safe_norm, x)
    np.testing.assert_allclose(value, [5e30, 5e-30, 0], rtol=1e-6)
    np.testing.assert_allclose(slope, [[0.6, 0.8], [0.6, 0.8], [0, 0]], rtol=1e-6)


def test_slopes_that_rounding_must_not_reach():
    """In float32: of an exponential far below 1, and of large logits."""
    x = np.array([-1e-3, -17.0, -50.0])
    np.testing.assert_allclose(gradient(m.one_minus_exp, x, "float32"), -np.exp(x), rtol=1e-5)
    z = np.array([[1e4, 1e4 - 1, 1e4]])
    slope = gradient(lambda t: m.masked_logsumexp(t, np.ones_like(z, bool)), z, "float32")
    np.testing.assert_allclose(slope, np.exp(z - 1e4) / np.exp(z - 1e4).sum(), rtol=1e-5)


def test_costs_of_logits_keep_their_tails():
    """In float32, where the exact value is far below the rounding of 1 or of the logits."""
    z = np.array([30.0, -30.0, 80.0, -80.0])
    right, wrong = np.array([1.0, 0, 1, 0]), np.array([0.0, 1, 0, 1])
    tail, size = np.exp(-np.abs(z)), np.abs(z)
    for labels, value, slope in ((right, tail, -np.sign(z) * tail), (wrong, size + tail, np.sign(z) * (1 - tail))):
        given = ops.convert_to_tensor(labels.astype("float32"))
        got = value_and_gradient(lambda t, y=given: m.binary_cross_entropy(t, y), z, "float32")
        np.testing.assert_allclose(got[0], value, rtol=1e-5)
        np.testing.assert_allclose(got[1], slope, rtol=1e-5)
        got = value_and_gradient(lambda t, y=given: m.binary_cross_entropy(t, 3 * y, 2 * (1 - y)), z, "float32")
        np.testing.assert_allclose(got[0], np.where(labels == 1, 3, 2) * value, rtol=1e-5)
        missed = tail if labels is right else 1 - tail
        got = value_and_gradient(lambda t, y=given: m.miss_probability(t, y), z, "float32")
        np.testing.assert_allclose(got[0], missed, rtol=1e-5)
        np.testing.assert_allclose(got[1], np.where(labels == 1, -1, 1) * tail, rtol=1e-5)
    log_p, miss = (value_and_gradient(lambda t, i=i: m.log_and_miss(t)[i], z[:, None] * [0.5, -0.5])[0] for i in (0, 1))
    np.testing.assert_allclose(log_p[0], [-np.exp(-30), -30], rtol=1e-5)
    np.testing.assert_allclose(miss[2], [np.exp(-80), 1], rtol=1e-5)
    tied = value_and_gradient(lambda t: m.log_and_miss(t)[1], np.array([[2.0, 2.0, -90.0]]))[0]
    np.testing.assert_allclose(tied, [[0.5, 0.5, 1]], rtol=1e-6)


def test_second_derivatives_of_costs_of_logits():
    """At 0 too, where the two forms meet."""
    for z in (0.0, 1.5, -1.5):
        p = 1 / (1 + np.exp(-z))
        got = second_derivative(lambda t: ops.sum(m.binary_cross_entropy(t, 0 * t + 0.3)), np.array([z]), np.ones(1), "float64")
        np.testing.assert_allclose(got, [p * (1 - p)], rtol=1e-9)
        got = second_derivative(lambda t: ops.sum(m.huber(t, 2.0)), np.array([z]), np.ones(1), "float64")
        np.testing.assert_allclose(got, [1.0], rtol=1e-9)
        assert second_derivative(lambda t: ops.sum(m.absolute(t)), np.array([z]), np.ones(1)) == [0]


def test_a_cosine_of_vectors_of_any_length():
    x, y = np.array([[3e30, 4e30], [3e-30, 0], [0.0, 0.0]]), np.array([[1e-30, 0], [2e30, 2e30], [1, 2]], "float32")
    value, slope = value_and_gradient(lambda t: m.cosine(t, ops.convert_to_tensor(y)), x)
    np.testing.assert_allclose(value, [0.6, 0.5**0.5, 0], rtol=1e-6)
    np.testing.assert_allclose(
        slope * [[1e30], [1e-30], [1]], [[0.128, -0.096], [0, 0.5**0.5 / 3], [0, 0]], rtol=1e-5, atol=1e-7
    )
