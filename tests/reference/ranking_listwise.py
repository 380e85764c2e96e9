"""Ranking losses by the likelihood of a list's order: one value per list.

ListNet: Cao et al. 2007, "Learning to Rank: From Pairwise Approach to Listwise Approach", with top-one probabilities: the cross
entropy -sum_i P_y(i) ln P_s(i), P_s the softmax of scores / temperature. P_y is the softmax of the relevances as they are
(target="softmax", the paper) or y_i / sum y (target="proportional").
UniqueSoftmax: Zhu & Klabjan 2020, "Listwise Learning to Rank by Exploring Unique Ratings": each item against those of strictly
lower relevance, sum_i (2^y_i - 1) ln(1 + sum_{y_j < y_i} exp(s_j - s_i)), a sum over the list's items.
ListMLE: Xia et al. 2008, "Listwise Approach to Learning to Rank: Theory and Algorithm": minus the log-likelihood of the
relevances' order under Plackett and Luce, the sum over its steps r of ln(sum_{k >= r} exp s_k) - s_r.
PositionalListMLE: Lan et al. 2014, "Position-Aware ListMLE: A Sequential Learning Process for Ranking": those steps weighted by
alpha(r) = 2^(n - r) - 1, r from 1, for n items. Here a list's alpha are divided by their sum, 2^n - 1 - n, a constant beside
the paper: 2^128 is no number of float32, and a long list would silence the short ones. The last step is always 0, with alpha 0.

Items of one relevance have no order among them. In both ListMLE they share their g steps alike (Efron's rule for ties): at the
k-th of them, k = 0, 1, ..., each of the level's items is still in the sum with the part (g - k) / g, and what is subtracted is
the mean of their scores. Where their scores are equal, that is what each of their orders gives. Peers take one order at random.
The temperature divides the scores; it is 1 by default.
"""

import numpy as np

from ._case import Case, array, log_softmax, log_sum_exp, softplus
from ._ranking import DISTINCT, GRADED, PADDED, gains, named, nothing_to_learn, per_list, scores, usual


def list_net(y_true, y_pred, target="softmax", temperature=1.0):
    def one(y, s):
        wanted = np.exp(log_softmax(y)) if target == "softmax" else [v / sum(y) for v in y]
        log_p = log_softmax([v / temperature for v in s])
        return -sum(wanted[i] * log_p[i] for i in range(len(y)))

    return per_list(one, y_true, y_pred)


def unique_softmax(y_true, y_pred, temperature=1.0):
    def one(y, s):
        total = 0.0
        for i, gain in enumerate(gains(y)):
            lower = [(s[j] - s[i]) / temperature for j in range(len(y)) if y[j] < y[i]]
            total += gain * softplus(log_sum_exp(lower)) if lower else 0.0
        return total

    return per_list(one, y_true, y_pred)


def _steps(y, s):
    """What each position adds to minus the log-likelihood, from the first."""
    steps = []
    for level in sorted(set(y), reverse=True):
        tied = [s[i] for i in range(len(y)) if y[i] == level]
        lower = [s[i] for i in range(len(y)) if y[i] < level]
        for k in range(len(tied)):
            part = np.log((len(tied) - k) / len(tied))
            steps.append(log_sum_exp(lower + [v + part for v in tied]) - sum(tied) / len(tied))
    return steps


def list_mle(y_true, y_pred, temperature=1.0):
    return per_list(lambda y, s: sum(_steps(y, [v / temperature for v in s])), y_true, y_pred)


def positional_list_mle(y_true, y_pred, temperature=1.0):
    def one(y, s):
        steps = _steps(y, [v / temperature for v in s])
        alpha = [2 ** (len(y) - r) - 1 for r in range(1, len(y) + 1)]
        return sum(a / sum(alpha) * step for a, step in zip(alpha, steps, strict=True))

    return per_list(one, y_true, y_pred)


_TWO, _GAP = np.array([[1, 0], [0, 1]]), array([0.5, -1], [0.5, -1])
# ln(1 + exp(s_j - s_i)) of the item above, right in the first list and wrong in the second.
_COST = np.log1p(np.exp([-1.5, 1.5]))
_THREE, _ZEROS = np.array([[2, 1, 0]]), np.zeros((1, 3))
_LONG = np.random.default_rng(60).permutation(150)[None]
_E = np.exp(1) / (1 + np.exp(1))

CASES = {
    "ListNet": [
        *usual(),
        *named("proportional", usual(target="proportional")[:5]),
        *nothing_to_learn(),
        *named("proportional", nothing_to_learn(target="proportional")[:1]),
        Case("temperature-small", GRADED, scores(2, GRADED), {"temperature": 0.02, "target": "proportional"}),
        Case("temperature-large", PADDED, scores(3, PADDED), {"temperature": 50.0}),
        # Equal scores are a uniform P_s, whatever P_y.
        Case("uniform", GRADED, np.full(GRADED.shape, 3.0), expect=np.full(2, np.log(5))),
        Case("uniform-proportional", GRADED, np.zeros(GRADED.shape), {"target": "proportional"}, expect=np.full(2, np.log(5))),
        Case("two-proportional", _TWO, _GAP, {"target": "proportional"}, expect=_COST),
        Case("two-softmax", _TWO, _GAP, expect=_E * _COST + (1 - _E) * _COST[::-1]),
        # Scores that are relevances: the entropy of P_y.
        Case("entropy", _TWO, _TWO.astype(float), expect=np.full(2, np.log1p(np.e) - _E)),
        Case(
            "temperature-by-hand", _TWO, _GAP, {"target": "proportional", "temperature": 1.5}, expect=np.log1p(np.exp([-1, 1]))
        ),
    ],
    "UniqueSoftmax": [
        *usual(),
        *nothing_to_learn(),
        Case("temperature-small", GRADED, scores(21, GRADED), {"temperature": 0.02}),
        Case("temperature-large", PADDED, scores(22, PADDED), {"temperature": 50.0}),
        Case("high-relevances", np.array([[10, 4, 7, 0]]), scores(23, np.zeros((1, 4)))),
        # Gains 3 and 1, against two lower items and one.
        Case("by-hand", _THREE, _ZEROS, expect=np.array([3 * np.log(3) + np.log(2)])),
        Case("two", _TWO, _GAP, expect=_COST),
        # The two relevant items do not compete; the lowest level has a gain but nothing below.
        Case("level", np.array([[2, 2, 1]]), array([1, 0, 0]), expect=np.array([3 * (np.log1p(np.exp(-1)) + np.log(2))])),
        Case("temperature-by-hand", _TWO * 2, _GAP, {"temperature": 1.5}, expect=3 * np.log1p(np.exp([-1.0, 1.0]))),
    ],
    "ListMLE": [
        *usual(),
        *nothing_to_learn(),
        Case("distinct", DISTINCT, scores(40, DISTINCT)),
        Case("temperature-small", DISTINCT, scores(42, DISTINCT), {"temperature": 0.02}),
        Case("temperature-large", PADDED, scores(43, PADDED), {"temperature": 50.0}),
        Case("long", _LONG, scores(45, _LONG)),
        # Each order of equal scores has the same probability.
        Case("factorial", np.vstack([DISTINCT, GRADED]), np.full((4, 5), -2.0), expect=np.full(4, np.log(120))),
        Case("two", _TWO, _GAP, expect=_COST),
        Case("temperature-by-hand", _TWO, _GAP, {"temperature": 1.5}, expect=np.log1p(np.exp([-1.0, 1.0]))),
        Case(
            "three-by-hand",
            _THREE,
            array(np.log([2, 3, 5])),
            expect=np.array([np.log(10 / 2) + np.log(8 / 3)]),
        ),
        # Two items share the first two steps, with 5 + 6 and 5 + 3 in the sums, and sqrt(2 4) on top.
        Case(
            "ties-by-hand",
            np.array([[1, 1, 0]]),
            array(np.log([2, 4, 5])),
            expect=np.array([np.log(11) + np.log(8) - np.log(2 * 4)]),
        ),
        # exp of the sums would be 0: the wrong order costs the gaps, 800 + 400 + 400.
        Case("underflow", np.array([[2, 1, 0]]), array([-400, 0, 400]), expect=np.array([1200.0])),
    ],
    "PositionalListMLE": [
        *usual(),
        *nothing_to_learn(),
        Case("distinct", DISTINCT, scores(50, DISTINCT)),
        Case("temperature-small", DISTINCT, scores(52, DISTINCT), {"temperature": 0.02}),
        Case("temperature-large", PADDED, scores(53, PADDED), {"temperature": 50.0}),
        Case("long", _LONG, scores(54, _LONG)),
        # One step counts.
        Case("two", _TWO, _GAP, expect=_COST),
        # alpha = 3, 1, 0.
        Case("three-uniform", _THREE, _ZEROS, expect=np.array([(3 * np.log(3) + np.log(2)) / 4])),
        Case(
            "three-by-hand",
            _THREE,
            array(np.log([2, 3, 5])),
            expect=np.array([(3 * np.log(10 / 2) + np.log(8 / 3)) / 4]),
        ),
        # alpha = 7, 3, 1, 0, and the levels' order does not matter where scores are equal.
        Case("four-uniform", np.array([[1, 1, 0, 0]]), np.ones((1, 4)), expect=np.array([np.log(4**7 * 3**3 * 2) / 11])),
        Case(
            "ties-by-hand",
            np.array([[1, 1, 0]]),
            array(np.log([2, 4, 5])),
            expect=np.array([(3 * np.log(11) + np.log(8) - 4 * np.log(8) / 2) / 4]),
        ),
    ],
}
