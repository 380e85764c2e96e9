"""Losses of box offsets.

Smooth L1: Girshick 2015, with the threshold of later detectors. Balanced L1: Pang et al. 2019, which defines it by its
gradient alpha ln(b |x| + 1) up to |x| = 1 and gamma beyond. `beta` moves that 1, so x is measured in betas.
(MMDetection writes b x + 1 where the integral of that gradient has b x + beta: for another beta than 1 its loss has a slope
of alpha (1 / beta - 1) at 0 and, with beta > 1, its minimum elsewhere.)
"""

import numpy as np

from ._case import Case, array, normal, per_vector


def _weighted_mean(term, y_true, y_pred, weights):
    def one(t, p):
        total = 0.0
        for d in range(len(p)):
            total += (1.0 if weights is None else weights[d]) * term(abs(p[d] - t[d]))
        return total / len(p)

    return per_vector(one, y_true, y_pred)


def smooth_l1(y_true, y_pred, beta=1.0, weights=None):
    """mean of x^2 / (2 beta) below beta, x - beta / 2 beyond."""

    def term(x):
        return x**2 / (2 * beta) if x < beta else x - beta / 2

    return _weighted_mean(term, y_true, y_pred, weights)


def balanced_l1(y_true, y_pred, alpha=0.5, gamma=1.5, beta=1.0, weights=None):
    """The integral from 0 of alpha ln(b x / beta + 1) below beta, gamma beyond, with alpha ln(b + 1) = gamma."""
    b = np.exp(gamma / alpha) - 1

    def integral(u):
        """Of ln(b u + 1)."""
        return ((b * u + 1) * np.log(b * u + 1) - b * u) / b

    def term(x):
        return alpha * beta * integral(min(x / beta, 1.0)) + gamma * max(x - beta, 0.0)

    return _weighted_mean(term, y_true, y_pred, weights)


_ZERO = np.zeros((1, 2))


def _cases(seed, **config):
    """Ranks, weights, and errors below and above the threshold."""
    return [
        Case(f"rank-{len(shape)}", normal(seed + 2 * i, *shape), normal(seed + 2 * i + 1, *shape), config)
        for i, shape in enumerate([(3, 4), (2, 3, 4), (2, 2, 1, 4), (1, 2, 2, 2, 4)])
    ] + [
        Case("one-column", normal(seed + 10, 4, 1), normal(seed + 11, 4, 1), config),
        Case("weights", normal(seed + 12, 3, 4), normal(seed + 13, 3, 4), {**config, "weights": (10.0, 10.0, 5.0, 0.0)}),
        Case("small", normal(seed + 14, 3, 4), normal(seed + 14, 3, 4) + 0.01 * normal(seed + 15, 3, 4), config),
        Case("large", normal(seed + 16, 3, 4), normal(seed + 17, 3, 4, scale=300.0), config),
        Case("perfect", normal(seed + 18, 2, 4), normal(seed + 18, 2, 4), config, smooth=False, expect=np.zeros(2)),
    ]


CASES = {
    "SmoothL1": [
        *_cases(3500),
        Case("beta", normal(3520, 4, 4), normal(3521, 4, 4), {"beta": 0.11}),
        Case("beta-large", normal(3522, 4, 4), normal(3523, 4, 4), {"beta": 2.5}),
        Case("beta-zero", _ZERO, array([0.5, -2.0]), {"beta": 0.0}, expect=array((0.5 + 2) / 2)),
        Case("beta-tiny", _ZERO, array([0.5, -2.0]), {"beta": 1e-9}, expect=array((0.5 + 2) / 2 - 5e-10)),
        Case("at-beta", _ZERO, array([0.3, -0.3]), {"beta": 0.3}, False, array(0.15)),
        Case("by-hand", _ZERO, array([0.5, -4.0]), {"beta": 2.0}, expect=array((0.5**2 / 4 + 4 - 1) / 2)),
    ],
    "BalancedL1": [
        *_cases(3600),
        Case("alpha", normal(3620, 4, 4), normal(3621, 4, 4), {"alpha": 0.2}),
        Case("gamma", normal(3622, 4, 4), normal(3623, 4, 4), {"gamma": 0.4}),
        Case("beta", normal(3624, 4, 4), normal(3625, 4, 4), {"beta": 0.3}),
        Case("beta-large", normal(3626, 4, 4), normal(3627, 4, 4), {"beta": 3.0}),
        Case("steep", normal(3628, 4, 4), normal(3629, 4, 4), {"alpha": 0.03, "gamma": 1.8}),
        Case("at-beta", _ZERO, array([1.0, -1.0]), {}, False, array(1.5 + 1.5 / (np.exp(3) - 1) - 0.5)),
        Case("far", _ZERO, array([7.0, -7.0]), expect=array(1.5 * 7 + 1.5 / (np.exp(3) - 1) - 0.5)),
    ],
}
