"""Losses of the scores and positions that dense detectors predict.

Quality and distribution focal loss: Li et al. 2020, "Generalized Focal Loss".
Varifocal loss: Zhang et al. 2020, "VarifocalNet". Gaussian focal loss: Law,
Deng 2018, "CornerNet", equation 1.
"""

import numpy as np

from ._case import EPSILON, Case, array, binary, log_softmax, normal, per_vector, simplex, softplus, uniform


def _mean_of(term, y_true, y_pred, from_logits):
    """The mean over the last axis of `term(y, p, log p, log(1 - p))`."""

    def values(y, x):
        if from_logits:
            return term(y, np.exp(-softplus(-x)), np.exp(-softplus(x)), -softplus(-x), -softplus(x))
        return term(y, x, 1 - x, np.log(max(x, EPSILON)), np.log(max(1 - x, EPSILON)))

    def one(true, predicted):
        return sum(values(y, x) for y, x in zip(true, predicted, strict=True)) / len(true)

    return per_vector(one, y_true, y_pred)


def quality_focal(y_true, y_pred, from_logits=False, beta=2.0):
    """-|y - p|^beta ((1 - y) log(1 - p) + y log p)."""

    def term(y, p, q, log_p, log_q):
        distance = q if y == 1 else abs(y - p)
        return -(distance**beta) * ((1 - y) * log_q + y * log_p)

    return _mean_of(term, y_true, y_pred, from_logits)


def varifocal(y_true, y_pred, from_logits=False, alpha=0.75, gamma=2.0):
    """-y (y log p + (1 - y) log(1 - p)) where y > 0, else -alpha p^gamma log(1 - p)."""

    def term(y, p, q, log_p, log_q):
        if y > 0:
            return -y * (y * log_p + (1 - y) * log_q)
        return -alpha * p**gamma * log_q

    return _mean_of(term, y_true, y_pred, from_logits)


def gaussian_focal(y_true, y_pred, alpha=2.0, beta=4.0, from_logits=False):
    """-(1 - p)^alpha log p at a peak, else -(1 - y)^beta p^alpha log(1 - p)."""

    def term(y, p, q, log_p, log_q):
        if y == 1:
            return -(q**alpha) * log_p
        return -((1 - y) ** beta) * p**alpha * log_q

    return _mean_of(term, y_true, y_pred, from_logits)


def distribution_focal(y_true, y_pred, from_logits=False):
    """-(right - y) log p_left - (y - left) log p_right, for the bins beside y

    NaN where y is not from 0 to the last bin.
    """
    y_pred = np.asarray(y_pred, np.float64)
    y_true = np.asarray(y_true, np.float64).reshape(y_pred.shape[:-1])
    last = y_pred.shape[-1] - 1
    values = np.full(y_true.shape, np.nan)
    for index in np.ndindex(y_true.shape):
        y, vector = y_true[index], y_pred[index]
        if not 0 <= y <= last:
            continue
        if from_logits:
            log_p = log_softmax(vector)
        else:
            log_p = np.log([max(x, EPSILON) for x in vector / sum(vector)])
        left = int(np.floor(y))
        values[index] = -(left + 1 - y) * log_p[left]
        if left < last:
            values[index] -= (y - left) * log_p[left + 1]
    return values


_LOGITS = {"from_logits": True}
# Right and wrong logits of +-1e4, and corners, for the targets 1 and 0.
_Y = array([1, 0], [1, 0])
_SATURATED = array([1e4, -1e4], [-1e4, 1e4])
_CORNERS = array([1.0, 0.0], [0.0, 1.0])


def _graded(seed, *shape):
    """Zeros, ones, and between."""
    return np.where(binary(seed, *shape) > 0, uniform(seed + 1, *shape), binary(seed + 2, *shape))


def _both(name, seed, *shape, truth=_graded, **config):
    return [
        Case(name, truth(seed, *shape), uniform(seed + 5, *shape), config),
        Case(f"{name}-logits", truth(seed + 6, *shape), normal(seed + 11, *shape, scale=3.0), {**config, **_LOGITS}),
    ]


def _shapes(seed):
    return [
        *_both("rank-2", seed, 4, 3),
        *_both("rank-3", seed + 20, 2, 4, 3),
        *_both("rank-4", seed + 40, 2, 3, 4, 2),
        *_both("one-score", seed + 60, 6, 1),
        *_both("hard", seed + 80, 4, 3, truth=binary),
    ]


def _ends(worst, worst_logits):
    """Predictions that are right and wrong as can be."""
    return [
        Case("corners", _Y, _CORNERS, smooth=False, expect=array(0.0, worst)),
        Case("saturated", _Y, _SATURATED, _LOGITS, expect=array(0.0, worst_logits)),
    ]


_QUALITY = [
    *_shapes(4000),
    *_both("beta-zero", 4100, 4, 3, beta=0.0),
    *_both("beta-below-one", 4120, 4, 3, beta=0.3),
    *_both("beta-one", 4140, 4, 3, beta=1.0),
    *_both("beta-between", 4160, 4, 3, beta=1.5),
    *_both("beta-large", 4180, 4, 3, beta=20.0),
    *_ends(-np.log(EPSILON), 1e4),
    Case("by-hand", array([0.8]), array([0.5]), expect=array(0.3**2 * np.log(2))),
    Case("perfect", array([0.3, 0.5]), array([0.3, 0.5]), expect=array(0.0)),
    Case("perfect-beta-below-one", array([0.25, 0.5]), array([0.25, 0.5]), {"beta": 0.5}, smooth=False, expect=array(0.0)),
]

_VARIFOCAL = [
    *_shapes(4200),
    *_both("alpha", 4300, 4, 3, alpha=0.3),
    *_both("alpha-zero", 4320, 4, 3, alpha=0.0),
    *_both("gamma-zero", 4340, 4, 3, gamma=0.0),
    *_both("gamma-below-one", 4360, 4, 3, gamma=0.3),
    *_both("gamma-large", 4380, 4, 3, gamma=30.0),
    *_ends(-(1 + 0.75) / 2 * np.log(EPSILON), (1 + 0.75) / 2 * 1e4),
    Case(
        "by-hand",
        array([0.5, 0.0]),
        array([0.25, 0.2]),
        expect=-array(0.5 * (0.5 * np.log(0.25) + 0.5 * np.log(0.75)) + 0.75 * 0.2**2 * np.log(0.8)) / 2,
    ),
]

_GAUSSIAN = [
    *_shapes(4400),
    *_both("alpha", 4500, 4, 3, alpha=1.5),
    *_both("alpha-zero", 4520, 4, 3, alpha=0.0),
    *_both("alpha-below-one", 4540, 4, 3, alpha=0.3),
    *_both("alpha-large", 4560, 4, 3, alpha=30.0),
    *_both("beta", 4580, 4, 3, beta=1.5),
    *_both("beta-zero", 4600, 4, 3, beta=0.0),
    *_ends(-np.log(EPSILON), 1e4),
    Case(
        "by-hand",
        array([1.0, 0.5]),
        array([0.75, 0.25]),
        expect=-array(0.25**2 * np.log(0.75) + 0.5**4 * 0.25**2 * np.log(0.75)) / 2,
    ),
]

_DISTRIBUTION = [
    Case("default", uniform(4700, 5, low=0.0, high=3.0), simplex(4701, 5, 4)),
    Case("logits", uniform(4702, 5, low=0.0, high=3.0), normal(4703, 5, 4, scale=2.0), _LOGITS),
    Case("sides", uniform(4704, 3, 4, low=0.0, high=16.0), normal(4705, 3, 4, 17), _LOGITS),
    Case("rank-4", uniform(4706, 2, 3, 4, low=0.0, high=2.0), simplex(4707, 2, 3, 4, 3)),
    Case("two-bins", uniform(4708, 4, low=0.0, high=1.0), simplex(4709, 4, 2)),
    Case("any-sum", uniform(4710, 4, low=0.0, high=2.0), uniform(4711, 4, 3)),
    # On a bin it is the cross-entropy of that bin, on the last one too.
    Case("on-the-bins", array(0.0, 1.0, 2.0), np.full((3, 3), 1 / 3), expect=np.full(3, np.log(3))),
    Case("upper-edge", array(2.0), array([0.7, 0.2, 0.1]), expect=-np.log(array(0.1))),
    Case("upper-edge-logits", array(2.0), array([0.0, 0.0, 30.0]), _LOGITS, expect=array(np.log1p(2 * np.exp(-30)))),
    Case("by-hand", array(1.25), array([0.2, 0.5, 0.3]), expect=-array(0.75 * np.log(0.5) + 0.25 * np.log(0.3))),
    Case("outside", array(-0.01, 2.01, 1.0), np.full((3, 3), 1 / 3), smooth=False, expect=array(np.nan, np.nan, np.log(3))),
    Case("saturated", array(0.5, 1.0), array([1e4, 0.0, 0.0], [1e4, 0.0, 0.0]), _LOGITS, expect=array(5e3, 1e4)),
    Case("corners", array(0.0, 1.0), array([1.0, 0.0], [1.0, 0.0]), smooth=False, expect=array(0.0, -np.log(EPSILON))),
]

CASES = {
    "QualityFocal": _QUALITY,
    "Varifocal": _VARIFOCAL,
    "GaussianFocal": _GAUSSIAN,
    "DistributionFocal": _DISTRIBUTION,
}
