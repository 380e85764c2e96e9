"""Losses of keypoints.

Object keypoint similarity: Lin et al. 2014 (the evaluation of COCO), as a loss Maji et al. 2022. Wing: Feng et al. 2018.
Adaptive Wing: Wang et al. 2019.
"""

import numpy as np

from ._case import Case, array, binary, normal, per_vector, uniform

COCO = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
_LINE = 1e-7


def object_keypoint_similarity(y_true, y_pred, sigmas=None, area="keypoints", mode="linear"):
    """1 - OKS or -log OKS, OKS = mean over labelled keypoints of exp(-d^2 / (2 s^2 k^2)), k = 2 sigma, s^2 the area."""
    sigmas = COCO if sigmas is None else sigmas
    values = np.zeros(y_pred.shape[:-2])
    valid = np.zeros(y_pred.shape[:-2], bool)
    for index in np.ndindex(values.shape):
        truth, points = y_true[index], y_pred[index]
        labelled = [k for k in range(len(points)) if truth[k][2] > 0]
        if area == "keypoints":
            xs, ys = ([truth[k][i] for k in labelled] for i in (0, 1))
            size = (max(xs) - min(xs)) * (max(ys) - min(ys)) if labelled else 0.0
            sizes = [size] * len(points)
        else:
            sizes = [row[3] for row in truth]
        exponents = []
        for k in labelled:
            if sizes[k] > 0:
                d2 = (points[k][0] - truth[k][0]) ** 2 + (points[k][1] - truth[k][1]) ** 2
                exponents.append(d2 / (2 * sizes[k] * (2 * sigmas[k]) ** 2))
        if exponents:
            valid[index] = True
            if mode == "linear":
                values[index] = 1 - sum(np.exp(-e) for e in exponents) / len(exponents)
            else:  # with the nearest keypoint taken out of the sum, which is 0 in float64 where all are far
                least = min(exponents)
                values[index] = least - np.log(sum(np.exp(least - e) for e in exponents) / len(exponents))
    return values, valid


def _weighted_mean(term, y_true, y_pred, weights):
    def one(t, p):
        total = 0.0
        for d in range(len(p)):
            total += (1.0 if weights is None else weights[d]) * term(t[d], p[d])
        return total / len(p)

    return per_vector(one, y_true, y_pred)


def wing(y_true, y_pred, width=10.0, curvature=2.0, weights=None):
    """w ln(1 + |x| / epsilon) below w, |x| - C beyond, C = w - w ln(1 + w / epsilon)."""

    def term(y, p):
        x = abs(p - y)
        if x < width:
            return width * np.log(1 + x / curvature)
        return x - (width - width * np.log(1 + width / curvature))

    return _weighted_mean(term, y_true, y_pred, weights)


def adaptive_wing(y_true, y_pred, omega=14.0, theta=0.5, epsilon=1.0, alpha=2.1, weights=None):
    """omega ln(1 + |x / epsilon|^(alpha - y)) below theta, A |x| - C beyond."""

    def term(y, p):
        x, e = abs(p - y), alpha - y
        a = omega * (1 / (1 + (theta / epsilon) ** e)) * e * (theta / epsilon) ** (e - 1) * (1 / epsilon)
        c = theta * a - omega * np.log(1 + (theta / epsilon) ** e)
        if x >= theta:
            return a * x - c
        u = x / epsilon
        # Below 1e-7 the power is the line through 0: its second derivative is infinite there.
        return omega * np.log(1 + (u**e if u > _LINE else u * _LINE ** (e - 1)))

    return _weighted_mean(term, y_true, y_pred, weights)


def _figure(seed, *shape, keypoints=17, columns=3, spread=0.05):
    """Keypoints on a grid, a little moved, and predictions near them; numbers of float32."""
    rng = np.random.default_rng(seed)
    grid = np.stack([np.arange(keypoints) % 4, np.arange(keypoints) // 4], axis=-1) / 4
    truth = grid + 0.1 * rng.normal(size=(*shape, keypoints, 2))
    seen = rng.integers(0, 3, (*shape, keypoints, 1)).astype(float)
    seen[..., :3, :] = 2
    extra = [seen, rng.uniform(0.3, 2, (*shape, 1, 1)) * np.ones((keypoints, 1))][: columns - 2]
    target = np.concatenate([truth, *extra], axis=-1).astype("float32").astype(float)
    return target, truth + spread * rng.normal(size=truth.shape)


def _seen(*rows):
    """Targets of one object and predictions (1, 0) beside each keypoint."""
    y_true = np.array([rows], float)
    return y_true, y_true[..., :2] + np.array([1.0, 0.0])


_SIGMAS = (0.05, 0.1, 0.2)
_SQUARE = _seen([0, 0, 2], [4, 5, 1], [2, 1, 0])
_GIVEN = _seen([0, 0, 2, 20], [4, 5, 1, 20], [2, 1, 0, 20])
_BY_HAND = [np.exp(-1 / (2 * 20 * (2 * s) ** 2)) for s in _SIGMAS[:2]]
_UNUSED = np.array(_SQUARE[1])
_UNUSED[0, 2] = 1e6
_NOTHING = np.zeros((2, 3, 3)), normal(3733, 2, 3, 2)
_COLLINEAR = _seen([0, 1, 2], [4, 1, 2], [2, 1, 2])
_FAR = _SQUARE[0], _SQUARE[0][..., :2] + 300.0

_ELEMENTWISE_SHAPES = [(3, 4), (2, 3, 4), (2, 2, 3, 2), (1, 2, 2, 2, 3)]


def _elementwise(seed, true, pred, **config):
    return [
        Case(f"rank-{len(shape)}", true(seed + 2 * i, *shape), pred(seed + 2 * i + 1, *shape), config)
        for i, shape in enumerate(_ELEMENTWISE_SHAPES)
    ]


def _wide(seed, *shape):
    return normal(seed, *shape, scale=9.0)


_ZERO = np.zeros((1, 2))
_HEAT = uniform(3820, 3, 4, 5, low=0.0, high=1.0), normal(3821, 3, 4, 5)

CASES = {
    "ObjectKeypointSimilarity": [
        Case("rank-3", *_figure(3700, 4)),
        Case("rank-4", *_figure(3701, 2, 3)),
        Case("rank-5", *_figure(3702, 2, 1, 2)),
        Case("log", *_figure(3703, 4), {"mode": "log"}),
        Case("log-far", *_FAR, {"sigmas": _SIGMAS, "mode": "log"}),
        Case("far", *_FAR, {"sigmas": _SIGMAS}, smooth=False, expect=array(1.0)),
        Case("area", *_figure(3704, 4, columns=4), {"area": "target"}),
        Case("area-log", *_figure(3705, 2, 3, columns=4), {"area": "target", "mode": "log"}),
        Case("sigmas", *_figure(3706, 4, keypoints=5), {"sigmas": (0.3, 0.1, 0.2, 0.05, 0.4)}),
        Case("by-hand", *_SQUARE, {"sigmas": _SIGMAS}, expect=array(1 - sum(_BY_HAND) / 2)),
        Case("by-hand-log", *_SQUARE, {"sigmas": _SIGMAS, "mode": "log"}, expect=array(-np.log(sum(_BY_HAND) / 2))),
        Case("area-by-hand", *_GIVEN, {"sigmas": _SIGMAS, "area": "target"}, expect=array(1 - sum(_BY_HAND) / 2)),
        Case("unlabelled-anywhere", _SQUARE[0], _UNUSED, {"sigmas": _SIGMAS}, expect=array(1 - sum(_BY_HAND) / 2)),
        Case("nothing-labelled", *_NOTHING, {"sigmas": _SIGMAS}, expect=np.zeros(2)),
        Case("nothing-labelled-log", *_NOTHING, {"sigmas": _SIGMAS, "mode": "log"}, expect=np.zeros(2)),
        Case("on-a-line", *_COLLINEAR, {"sigmas": _SIGMAS}, expect=np.zeros(1)),
        Case("perfect", _SQUARE[0], _SQUARE[0][..., :2], {"sigmas": _SIGMAS}, expect=np.zeros(1)),
        Case("perfect-log", _SQUARE[0], _SQUARE[0][..., :2], {"sigmas": _SIGMAS, "mode": "log"}, expect=np.zeros(1)),
    ],
    "Wing": [
        *_elementwise(3740, normal, _wide),
        Case("width", normal(3750, 4, 3), _wide(3751, 4, 3), {"width": 3.0}),
        Case("curvature", normal(3752, 4, 3), _wide(3753, 4, 3), {"curvature": 0.25}),
        Case("weights", normal(3754, 4, 3), _wide(3755, 4, 3), {"weights": (0.0, 1.0, 2.5)}),
        Case("perfect", _wide(3756, 2, 4), _wide(3756, 2, 4), smooth=False, expect=np.zeros(2)),
        Case("by-hand", _ZERO, array([2.0, -13.0]), expect=array((10 * np.log(2) + 3 + 10 * np.log(6)) / 2)),
        Case("at-width", _ZERO, array([10.0, -10.0]), {}, False, array(10 * np.log(6))),
        Case("far", _ZERO, array([1e4, -1e4]), expect=array(1e4 - 10 + 10 * np.log(6))),
    ],
    "AdaptiveWing": [
        *_elementwise(3760, binary, normal),
        Case("heatmap", *_HEAT),
        Case("omega", *_HEAT, {"omega": 3.0}),
        Case("theta", *_HEAT, {"theta": 1.2}),
        Case("epsilon", *_HEAT, {"epsilon": 0.2}),
        Case("alpha", *_HEAT, {"alpha": 1.6}),
        Case("alpha-large", *_HEAT, {"alpha": 6.0}),
        Case("weights", *_HEAT, {"weights": (0.0, 1.0, 2.5, 1.0, 0.5)}),
        Case("perfect", binary(3770, 2, 4), binary(3770, 2, 4), smooth=False, expect=np.zeros(2)),
        Case("near", binary(3771, 2, 4), binary(3771, 2, 4) + 1e-3, expect=None),
        Case("by-hand", _ZERO, array([0.25, -0.25]), expect=array(14 * np.log(1 + 0.25**2.1))),
        Case(
            "background",
            _ZERO,
            array([1.5, -1.5]),
            {"alpha": 3.0},
            expect=array(14 / (1 + 0.5**3) * 3 * 0.25 * 1 + 14 * np.log(1.125)),
        ),
    ],
}
