"""The bi-tempered logistic loss.

Amid et al. 2019, "Robust Bi-Tempered Logistic Loss Based on Bregman
Divergences": tempered logarithm and exponential, the normalization lambda that
makes the tempered softmax sum to one, and the Bregman divergence.
"""

import numpy as np

from ._case import Case, array, labels, log_softmax, normal, one_hot, simplex
from ._labelled import per_label, smoothed


def _log_t(x, t):
    return np.log(x) if t == 1 else (x ** (1 - t) - 1) / (1 - t)


def _exp_t(x, t):
    return np.exp(x) if t == 1 else max(1 + (1 - t) * x, 0.0) ** (1 / (1 - t))


def tempered_softmax(row, t):
    """exp_t(a - lambda), lambda by bisection; it does not change when all activations move together."""
    if t == 1:
        return np.exp(log_softmax(row))
    shifted = row - max(row)
    low, high = 0.0, -_log_t(1 / len(row), t)  # between the largest alone and all alike
    for _ in range(200):
        middle = (low + high) / 2
        if sum(_exp_t(a - middle, t) for a in shifted) > 1:
            low = middle
        else:
            high = middle
    return np.array([_exp_t(a - (low + high) / 2, t) for a in shifted])


def bi_tempered_logistic(y_true, y_pred, t1=0.8, t2=1.2, label_smoothing=0.0, ignore_class=None, class_weight=None):
    """sum_c y (log_t1 y - log_t1 p) - (y^(2 - t1) - p^(2 - t1)) / (2 - t1)."""

    def one(y, row):
        p = tempered_softmax(row, t2)
        y = smoothed(y, label_smoothing)
        total = 0.0
        for c in range(len(row)):
            if y[c] > 0:
                log_p = log_softmax(row)[c] if t1 == t2 == 1 else _log_t(p[c], t1)
                total += y[c] * (_log_t(y[c], t1) - log_p)
            total -= (y[c] ** (2 - t1) - p[c] ** (2 - t1)) / (2 - t1)
        return total

    return per_label(one, y_true, y_pred, ignore_class, class_weight)


# exp_2(x) is 1 / (1 - x): with two classes at distance d, 1 / (1 + u) + 1 / (1 + u + d) = 1 has the root below.
_D = 1.5
_U = (-_D + np.sqrt(_D**2 + 4)) / 2
_P1, _P2 = 1 / (1 + _U), 1 / (1 + _U + _D)

CASES = {
    "BiTemperedLogistic": [
        Case("rank-2", labels(800, 4, 5), normal(801, 5, 4)),
        Case("rank-3", labels(802, 3, 2, 5), normal(803, 2, 5, 3)),
        Case("rank-4", labels(804, 3, 2, 3, 2), normal(805, 2, 3, 2, 3)),
        Case("t1", labels(806, 3, 4), normal(807, 4, 3), {"t1": 0.2}),
        Case("t2", labels(808, 3, 4), normal(809, 4, 3, scale=3.0), {"t2": 1.9}),
        Case("t2-large", labels(810, 5, 4), normal(811, 4, 5, scale=3.0), {"t1": 0.5, "t2": 4.0}),
        Case("t2-huge", labels(812, 5, 4), normal(813, 4, 5), {"t2": 30.0}),
        Case("t1-zero", labels(814, 3, 4), normal(815, 4, 3), {"t1": 0.0}),
        Case("t1-one", labels(816, 3, 4), normal(817, 4, 3), {"t1": 1.0}),
        Case("t2-one", labels(818, 3, 4), normal(819, 4, 3), {"t2": 1.0}),
        Case("close-to-one", labels(820, 3, 4), normal(821, 4, 3), {"t1": 0.999, "t2": 1.001}),
        Case("both-one", labels(822, 3, 4), normal(823, 4, 3), {"t1": 1.0, "t2": 1.0}),
        # Cross-entropy of the softmax.
        Case("both-one-by-hand", np.array([1]), array([0.0, np.log(3.0)]), {"t1": 1.0, "t2": 1.0}, expect=array(np.log(4 / 3))),
        Case("label-smoothing", labels(824, 4, 5), normal(825, 5, 4), {"label_smoothing": 0.3}),
        Case(
            "label-smoothing-one",
            labels(826, 4, 5),
            normal(827, 5, 4),
            {"label_smoothing": 1.0, "t1": 1.0, "class_weight": (1.0, 2.0, 3.0, 0.0)},
        ),
        Case("one-hot", one_hot(labels(828, 3, 2, 4), 3), normal(829, 2, 4, 3)),
        Case("soft-labels", simplex(830, 5, 4), normal(831, 5, 4), {"class_weight": (1.0, 2.0, 0.5, 3.0), "t2": 1.5}),
        Case("one-hot-ignore", np.vstack([one_hot([2, 0], 3), np.zeros(3)]), normal(837, 3, 3), {"ignore_class": -1}),
        Case("one-hot-ignore-a-class", one_hot([2, 0, 1], 3), normal(838, 3, 3), {"ignore_class": 0}),
        Case("ids-in-a-column", labels(832, 3, 4, 1), normal(833, 4, 3)),
        Case(
            "ignore-class",
            np.array([[0, -1, 2], [2, 1, -1]]),
            normal(834, 2, 3, 3),
            {"ignore_class": -1, "class_weight": (1.0, 3.0, 0.5)},
        ),
        Case("label-out-of-range", np.array([1, -1, 3]), normal(835, 3, 3), smooth=False),
        Case("large-logits", np.array([0, 0, 2]), 1e4 * array([1, -1, 0], [-1, 1, 1], [0, 0, 0]), smooth=False),
        Case("many-classes", labels(836, 50, 3), normal(837, 3, 50, scale=8.0), {"t2": 2.0}),
        Case(
            "equal-logits",
            np.array([2]),
            np.full((1, 4), 7.0),
            {"t1": 0.0, "t2": 3.0},
            expect=array(1 - 1 / 4 - (1 - 4 / 16) / 2),
        ),
        Case(
            "by-hand",
            np.array([0, 1]),
            array([_D, 0.0], [_D, 0.0]),
            {"t1": 0.0, "t2": 2.0},
            expect=array(*(1 - p - (1 - _P1**2 - _P2**2) / 2 for p in (_P1, _P2))),
        ),
    ]
}
