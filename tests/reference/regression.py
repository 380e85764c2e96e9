"""Regression losses, from their textbook definitions (Huber: Huber 1964)."""

import numpy as np

from ._case import EPSILON, Case, array, normal, per_vector, uniform


def _weighted_mean(term, y_true, y_pred, weights):
    """mean_d of w_d * term(y_d, p_d), divided by the number of outputs."""

    def one(t, p):
        total = 0.0
        for d in range(len(p)):
            w = 1.0 if weights is None else weights[d]
            total += w * term(t[d], p[d])
        return total / len(p)

    return per_vector(one, y_true, y_pred)


def mean_squared_error(y_true, y_pred, weights=None):
    """mean of (p - y)^2."""
    return _weighted_mean(lambda y, p: (p - y) ** 2, y_true, y_pred, weights)


def mean_absolute_error(y_true, y_pred, weights=None):
    """mean of |p - y|."""
    return _weighted_mean(lambda y, p: abs(p - y), y_true, y_pred, weights)


def mean_absolute_percentage_error(y_true, y_pred, weights=None):
    """100 * mean of |p - y| / |y|, with |y| at least epsilon."""

    def term(y, p):
        return 100.0 * abs(p - y) / max(abs(y), EPSILON)

    return _weighted_mean(term, y_true, y_pred, weights)


def mean_squared_logarithmic_error(y_true, y_pred, weights=None):
    """mean of (log(1 + p) - log(1 + y))^2, p and y at least epsilon."""

    def term(y, p):
        return (np.log1p(max(p, EPSILON)) - np.log1p(max(y, EPSILON))) ** 2

    return _weighted_mean(term, y_true, y_pred, weights)


def cosine_similarity(y_true, y_pred, axis=-1):
    """-<y, p> / (|y| |p|); 0 when either is the zero vector."""

    def one(t, p):
        largest_t, largest_p = max(abs(t)), max(abs(p))
        if largest_t == 0 or largest_p == 0:
            return 0.0
        t, p = t / largest_t, p / largest_p
        dot = sum(t[d] * p[d] for d in range(len(t)))
        lengths = np.sqrt(sum(x * x for x in t) * sum(x * x for x in p))
        return -dot / lengths

    return per_vector(one, y_true, y_pred, axis)


def huber(y_true, y_pred, delta=1.0, weights=None):
    """Huber (1964): quadratic up to delta, then linear."""

    def term(y, p):
        error = abs(p - y)
        if error <= delta:
            return error**2 / 2
        return delta * error - delta**2 / 2

    return _weighted_mean(term, y_true, y_pred, weights)


def log_cosh(y_true, y_pred, weights=None):
    """mean of log(cosh(p - y)); cosh(e) = 1 + 2 sinh(e/2)^2."""

    def term(y, p):
        error = abs(p - y)
        if error < 1:
            return np.log1p(2 * np.sinh(error / 2) ** 2)
        return error + np.log1p(np.exp(-2 * error)) - np.log(2)

    return _weighted_mean(term, y_true, y_pred, weights)


def poisson(y_true, y_pred, log_input=False, weights=None):
    """Negative log likelihood of counts y at rate p, without log(y!)."""

    def term(y, p):
        if log_input:
            return np.exp(p) - y * p
        return p - y * np.log(p + EPSILON)

    return _weighted_mean(term, y_true, y_pred, weights)


_WEIGHTS = (0.5, 2.0, 0.0)


def _shapes(seed, draw_true, draw_pred, prefix="", **config):
    """The same drawing in every rank, with and without weights."""

    def case(name, offset, *shape, **more):
        y_true = draw_true(seed + offset, *shape)
        y_pred = draw_pred(seed + offset + 50, *shape)
        return Case(prefix + name, y_true, y_pred, {**config, **more})

    return [
        case("rank-2", 0, 4, 3),
        case("rank-3", 1, 3, 4, 2),
        case("rank-4", 2, 2, 3, 2, 3),
        case("one-output", 3, 5, 1),
        case("weights", 4, 4, 3, weights=_WEIGHTS),
        case("weights-rank-3", 5, 2, 5, 3, weights=_WEIGHTS),
    ]


def _positive(seed, *shape):
    return uniform(seed, *shape, low=0.1, high=4.0)


def _counts(seed, *shape):
    return np.floor(uniform(seed, *shape, low=0.0, high=6.0))


_Y = array([1.0, -2.0, 0.0], [0.5, 3.0, -1.0])
_E = array([0.1, -0.2, 0.4], [3.0, -2.0, 5.0])

CASES = {
    "MeanSquaredError": [
        *_shapes(100, normal, normal),
        Case("perfect", _Y, _Y.copy(), expect=np.zeros(2)),
        Case(
            "by-hand",
            array([0, 0], [1, 1]),
            array([3, 4], [1, 0]),
            expect=array((9 + 16) / 2, 1 / 2),
        ),
        Case(
            "weights-by-hand",
            array([0, 0], [1, 1]),
            array([3, 4], [1, 0]),
            {"weights": (2.0, 0.5)},
            expect=array((2 * 9 + 0.5 * 16) / 2, 0.5 / 2),
        ),
        Case(
            "huge",
            array([0.0, 0.0]),
            array([1e15, -3e15]),
            smooth=False,
            expect=array(5e30),
        ),
    ],
    "MeanAbsoluteError": [
        *_shapes(200, normal, normal),
        Case("perfect", _Y, _Y.copy(), smooth=False, expect=np.zeros(2)),
        Case(
            "by-hand",
            array([0, 0], [1, 1]),
            array([3, -4], [-1, 0]),
            expect=array((3 + 4) / 2, (2 + 1) / 2),
        ),
        Case(
            "weights-by-hand",
            array([0, 0], [1, 1]),
            array([3, -4], [-1, 0]),
            {"weights": (2.0, 0.5)},
            expect=array((2 * 3 + 0.5 * 4) / 2, (2 * 2 + 0.5) / 2),
        ),
    ],
    "MeanAbsolutePercentageError": [
        *_shapes(300, _positive, normal),
        Case("perfect", _Y, _Y.copy(), smooth=False, expect=np.zeros(2)),
        Case(
            "negative-truth",
            array([-2.0, 4.0]),
            array([1.0, 3.0]),
            expect=array(100 * (3 / 2 + 1 / 4) / 2),
        ),
        Case(
            "zero-truth",
            array([0.0, 4.0]),
            array([0.5, 3.0]),
            expect=array(100 * (0.5 / EPSILON + 1 / 4) / 2),
        ),
    ],
    "MeanSquaredLogarithmicError": [
        *_shapes(400, _positive, _positive),
        Case(
            "perfect",
            array([1.0, 2.0]),
            array([1.0, 2.0]),
            expect=array(0.0),
        ),
        Case(
            "by-hand",
            array([1.0, 3.0]),
            array([3.0, 1.0]),
            expect=array(np.log(2) ** 2),
        ),
        Case(
            "negative",
            array([3.0, -1.0], [-0.5, 2.0]),
            array([-0.5, 3.0], [-2.0, -7.0]),
            smooth=False,
            expect=array(
                (np.log1p(EPSILON) - np.log(4)) ** 2,
                (np.log1p(EPSILON) - np.log(3)) ** 2 / 2,
            ),
        ),
        Case(
            "zeros",
            array([0.0, 2.0]),
            array([0.0, 0.0]),
            smooth=False,
        ),
    ],
    "CosineSimilarity": [
        Case("rank-2", normal(500, 4, 3), normal(501, 4, 3)),
        Case("rank-3", normal(502, 2, 4, 3), normal(503, 2, 4, 3)),
        Case(
            "axis-1",
            normal(504, 2, 3, 4),
            normal(505, 2, 3, 4),
            {"axis": 1},
        ),
        Case(
            "axis-1-rank-4",
            normal(506, 2, 3, 2, 4),
            normal(507, 2, 3, 2, 4),
            {"axis": 1},
        ),
        Case(
            "by-hand",
            array([3, 4], [1, 0], [2, 2], [1, -1]),
            array([4, 3], [0, 5], [1, 1], [-2, 2]),
            expect=array(-24 / 25, 0, -1, 1),
        ),
        Case(
            "zero-truth",
            array([0, 0], [3, 4]),
            array([4, 3], [3, 4]),
            expect=array(0, -1),
        ),
        Case(
            "zero-prediction",
            array([3, 4], [0, 0], [3, 4]),
            array([0, 0], [0, 0], [4, 3]),
            smooth=False,
            expect=array(0, 0, -24 / 25),
        ),
        Case(
            "huge",
            array([3e20, 4e20], [3e20, -4e20]),
            array([4e20, 3e20], [3e20, 4e20]),
            smooth=False,
            expect=array(-24 / 25, 7 / 25),
        ),
        Case(
            "huge-against-ordinary",
            array([3e20, 4e20], [3, 4]),
            array([4, 3], [4e20, 3e20]),
            smooth=False,
            expect=array(-24 / 25, -24 / 25),
        ),
        Case(
            "tiny",
            array([3e-20, 4e-20]),
            array([4e-20, 3e-20]),
            smooth=False,
            expect=array(-24 / 25),
        ),
    ],
    "Huber": [
        *_shapes(600, normal, normal),
        *_shapes(610, normal, normal, prefix="delta-", delta=0.3),
        Case("delta-large", _Y, _Y + _E, {"delta": 2.5}),
        Case("perfect", _Y, _Y.copy(), expect=np.zeros(2)),
        Case(
            "at-delta",
            np.zeros((1, 2)),
            array([2.0, -2.0]),
            {"delta": 2.0},
            smooth=False,
            expect=array(2**2 / 2),
        ),
        Case(
            "by-hand",
            np.zeros((1, 2)),
            array([0.5, -4.0]),
            {"delta": 2.0},
            expect=array((0.5**2 / 2 + 2 * 4 - 2**2 / 2) / 2),
        ),
    ],
    "LogCosh": [
        *_shapes(700, normal, normal),
        Case("perfect", _Y, _Y.copy(), expect=np.zeros(2)),
        Case(
            "by-hand",
            np.zeros((1, 2)),
            array([1.0, -1.0]),
            expect=array(np.log((np.e + 1 / np.e) / 2)),
        ),
        Case(
            "tiny",
            np.zeros((2, 1)),
            array([1e-4], [-1e-5]),
            expect=array(1e-4**2 / 2 - 1e-4**4 / 12, 1e-5**2 / 2),
        ),
        Case(
            "huge",
            np.zeros((2, 2)),
            array([1e4, -1e4], [300.0, -100.0]),
            expect=array(1e4 - np.log(2), 200 - np.log(2)),
        ),
    ],
    "Poisson": [
        *_shapes(800, _counts, _positive),
        *_shapes(810, _counts, normal, prefix="log-input-", log_input=True),
        Case(
            "zeros",
            array([0.0, 2.0]),
            array([0.0, 0.0]),
            smooth=False,
            expect=array(-2 * np.log(EPSILON) / 2),
        ),
        Case(
            "zero-counts",
            array([0.0, 0.0]),
            array([1.5, 0.5]),
            expect=array(1.0),
        ),
        Case(
            "log-input-low",
            array([3.0, 0.0]),
            array([-1e4, -1e4]),
            {"log_input": True},
            expect=array(3e4 / 2),
        ),
        Case(
            "log-input-high",
            array([2.0, 0.0]),
            array([20.0, 1.0]),
            {"log_input": True},
            expect=array((np.exp(20) - 2 * 20 + np.e) / 2),
        ),
    ],
}
