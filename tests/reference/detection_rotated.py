"""Losses of rotated boxes through their Gaussians, with matrices as the papers have them.

ProbIoU: Murrugarra-Llerena et al. 2021. Gaussian Wasserstein distance and Kullback-Leibler divergence: Yang et al. 2021.
(MMRotate's GDLoss takes by default the root of the Wasserstein distance relative to the size of the boxes, and the root of
KL(target, prediction); its GDLoss_v1 has the papers' formulas, with twice the divergence.)
"""

import numpy as np

from ._case import Case, array, per_vector

_LEAST = 1e-7


def _gaussian(box, share, least=0.0):
    """Center, covariance (along the axes of the box `share` times its squared sides) and the logarithm of its determinant."""
    cx, cy, w, h, angle = (float(v) for v in box)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    sides = np.maximum(np.abs([w, h]) / 2, least)
    variances = 4 * share * sides**2
    return np.array([cx, cy]), turn @ np.diag(variances) @ turn.T, sum(np.log(v) if v > 0 else -np.inf for v in variances)


def _root(matrix):
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    # What rounding leaves of an eigenvalue 0 would be far from 0 in its root.
    return vectors @ np.diag(np.sqrt(np.where(values > 1e-13 * values.max(), values, 0.0))) @ vectors.T


def _exact(x):
    """x without what float64 leaves of a difference that is 0."""
    return x if abs(x) > 1e-13 else 0.0


def prob_iou(y_true, y_pred, mode="l1"):
    """l1: the Hellinger distance sqrt(1 - exp(-B_D)); l2: the Bhattacharyya distance B_D; variances w^2 / 12, h^2 / 12."""

    def one(t, p):
        (m1, s1, log1), (m2, s2, log2) = (_gaussian(b, 1 / 12, _LEAST) for b in (t, p))
        s, d = (s1 + s2) / 2, m1 - m2
        spread = np.log(np.linalg.det(s)) - (log1 + log2) / 2
        distance = _exact(d @ np.linalg.inv(s) @ d / 8 + spread / 2)
        return distance if mode == "l2" else np.sqrt(1 - np.exp(-distance))

    return per_vector(one, y_true, y_pred)


def _loss(distance, tau, transform):
    return 1 - 1 / (tau + (np.log1p(distance) if transform == "log" else np.sqrt(distance)))


def gaussian_wasserstein(y_true, y_pred, tau=1.0, transform="log"):
    """1 - 1 / (tau + f(d^2)), d^2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2); variances w^2 / 4, h^2 / 4."""

    def one(t, p):
        (m1, s1, _), (m2, s2, _) = (_gaussian(b, 1 / 4) for b in (t, p))
        root = _root(s1)
        d = m1 - m2
        return _loss(_exact(d @ d + np.trace(s1 + s2 - 2 * _root(root @ s2 @ root))), tau, transform)

    return per_vector(one, y_true, y_pred)


def gaussian_kullback_leibler(y_true, y_pred, tau=1.0, transform="log"):
    """1 - 1 / (tau + f(D)), D = KL(prediction, target); variances w^2 / 4, h^2 / 4."""

    def one(t, p):
        (mt, st, log_t), (mp, sp, log_p) = (_gaussian(b, 1 / 4, _LEAST) for b in (t, p))
        inverse, d = np.linalg.inv(st), mp - mt
        divergence = (d @ inverse @ d + np.trace(inverse @ sp) - 2 + log_t - log_p) / 2
        return _loss(_exact(divergence), tau, transform)

    return per_vector(one, y_true, y_pred)


def _draw(seed, *shape):
    """Rotated boxes that overlap, numbers of float32."""
    rng = np.random.default_rng(seed)
    parts = rng.uniform(0, 3, (*shape, 2)), rng.uniform(1, 5, (*shape, 2)), rng.uniform(-2, 2, (*shape, 1))
    return np.concatenate(parts, axis=-1).astype("float32").astype("float64")


_BOX = array([4, 5, 8, 2, 0.5])
_SQUARE = array([4, 5, 3, 3, 0.5])
_POINT = array([4, 5, 0, 0, 0.0])
_TURN = array([0, 0, 0, 0, np.pi])
_SWAPPED = array([4, 5, 2, 8, 0.5 + np.pi / 2])
_NEGATIVE = array([4, 5, -8, 2, 0.5])

# Pairs (target, prediction) that are one Gaussian: every distance is 0.
_EQUAL = {
    "identical": (_BOX, _BOX),
    "half-a-turn": (_BOX, _BOX + _TURN),
    "swapped-sides": (_BOX, _SWAPPED),
    "negative-side": (_BOX, _NEGATIVE),
    "turned-square": (_SQUARE, _SQUARE + _TURN / 3),
}
_DEGENERATE = {
    "point": (_BOX, _POINT),
    "line": (_BOX, array([4, 5, 6, 0, 1.0])),
    "point-target": (_POINT, _BOX),
    "point-on-point": (_POINT, _POINT),
    "padding": (np.zeros((1, 5)), np.zeros((1, 5))),
}


def _cases(seed, config, equal, extra=None):
    """`equal` is the value of equal boxes; `extra` adds a second setting."""
    return [
        Case("rank-2", _draw(seed, 6), _draw(seed + 1, 6), config),
        Case("rank-3", _draw(seed + 2, 2, 3), _draw(seed + 3, 2, 3), config),
        Case("rank-4", _draw(seed + 4, 2, 2, 2), _draw(seed + 5, 2, 2, 2), config),
        Case("rank-5", _draw(seed + 6, 1, 2, 2, 2), _draw(seed + 7, 1, 2, 2, 2), config),
        Case("near", _draw(seed + 8, 4), _draw(seed + 8, 4) + 0.1 * _draw(seed + 9, 4), config),
        Case("inverted", _draw(seed + 10, 4), _draw(seed + 11, 4) * array(1, 1, -1, 1, 1), config),
        *(Case(name, *pair, config, smooth=False, expect=array(equal)) for name, pair in _EQUAL.items()),
    ]


def _degenerate(config, names=tuple(_DEGENERATE)):
    return [Case(name, *_DEGENERATE[name], config, smooth=False) for name in names]


_WIDE = array([0, 0, 4, 2, 0.0]), array([3, 0, 4, 2, 0.0])
_GROWN = array([0, 0, 4, 2, 0.0]), array([0, 0, 8, 2, 0.0])
_L1 = np.sqrt(1 - np.exp(-(3**2) / (8 * 16 / 12)))
_PAIR = _draw(3990, 5), _draw(3991, 5)

CASES = {
    "ProbIoU": [
        *_cases(3900, {}, 0.0),
        Case("l2", *_PAIR, {"mode": "l2"}),
        Case("l2-far", _BOX, _BOX + array([900, 0, 0, 0, 0]), {"mode": "l2"}),
        *(Case(f"l2-{name}", *pair, {"mode": "l2"}, expect=array(0.0)) for name, pair in _EQUAL.items()),
        Case("moved", *_WIDE, expect=array(_L1)),
        Case("grown", *_GROWN, expect=array(np.sqrt(1 - np.sqrt(4 * 8 * 2 / (4**2 + 8**2))))),
        Case("far", _BOX, _BOX + array([900, 0, 0, 0, 0]), {}, False, array(1.0)),
        *(Case(f"{n}-l2", *_DEGENERATE[n], {"mode": "l2"}, smooth=False) for n in ("point", "line", "padding")),
        *_degenerate({}),
    ],
    "GaussianWasserstein": [
        *_cases(3920, {}, 0.0),
        Case("tau", *_PAIR, {"tau": 2.5}),
        Case("sqrt", *_PAIR, {"transform": "sqrt"}),
        Case("sqrt-tau", *_PAIR, {"transform": "sqrt", "tau": 3.0}),
        Case("identical-tau", _BOX, _BOX, {"tau": 2.0}, False, array(1 - 1 / 2)),
        Case("moved", *_WIDE, expect=array(1 - 1 / (1 + np.log(1 + 3**2)))),
        Case("grown", *_GROWN, expect=array(1 - 1 / (1 + np.log(1 + 2**2)))),
        Case("far", _BOX, _BOX + array([9000, 0, 0, 0, 0]), expect=array(1 - 1 / (1 + np.log(1 + 9000**2)))),
        *_degenerate({}),
        *(Case(f"{n}-sqrt", *_DEGENERATE[n], {"transform": "sqrt"}, smooth=False) for n in ("line", "padding")),
    ],
    "GaussianKullbackLeibler": [
        *_cases(3940, {}, 0.0),
        Case("tau", *_PAIR, {"tau": 2.5}),
        Case("sqrt", *_PAIR, {"transform": "sqrt"}),
        Case("identical-tau", _BOX, _BOX, {"tau": 2.0}, False, array(1 - 1 / 2)),
        Case("moved", *_WIDE, expect=array(1 - 1 / (1 + np.log(1 + 3**2 / (2 * 4))))),
        Case("grown", *_GROWN, expect=array(1 - 1 / (1 + np.log(1 + (4 - 1) / 2 - np.log(2))))),
        Case("far", _BOX, _BOX + array([900, 0, 0, 0, 0.0]), {}),
        *_degenerate({}),
    ],
}
