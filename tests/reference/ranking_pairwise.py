"""Ranking losses over pairs of items: the mean over a list's pairs.

PairwiseHinge: Joachims 2002, "Optimizing Search Engines using Clickthrough Data", max(0, margin - (s_i - s_j)), margin 1.
PairwiseLogistic (RankNet): Burges et al. 2005, "Learning to Rank using Gradient Descent", the natural logarithm of
1 + exp(-(s_i - s_j) / temperature).
PairwiseSoftZeroOne: the share of misordered pairs through a sigmoid, sigmoid(-(s_i - s_j) / temperature).
In these three a pair is y_i > y_j.
BayesianPersonalized: Rendle et al. 2009, "BPR: Bayesian Personalized Ranking from Implicit Feedback", -ln sigmoid(s_i - s_j)
with i relevant (y > 0) and j not (y = 0): grades among the relevant do not matter. Without the paper's penalty on weights.
PairwiseMeanSquared: ((y_i - y_j) - (s_i - s_j))^2 over every two different items, each pair once (the order does not matter),
with ties: equal relevances are a target too, 0. So a list counts from two items on. (Keras-rs's docstring says (s_i - s_j)^2
over y_i > y_j, its code the above; rax counts i = j as well, which halves the mean of two items.)

The temperature divides the scores; it is 1 by default. One value per list, the mean over its pairs; a list without pairs does
not count.
At the hinge's corner the gradient is whatever the implementation takes between 0 and -1.
"""

import numpy as np

from ._case import Case, array, softplus
from ._ranking import BINARY, DISTINCT, GRADED, PADDED, nothing_to_learn, per_list, scores, sigmoid, usual


def _mean_over_pairs(cost, is_pair, y_true, y_pred):
    def pairs(y):
        return [(i, j) for i in range(len(y)) for j in range(len(y)) if is_pair(y, i, j)]

    def one(y, s):
        total = 0.0
        for i, j in pairs(y):
            total += cost(y[i] - y[j], s[i] - s[j])
        return total / len(pairs(y))

    return per_list(one, y_true, y_pred, counts=lambda y: len(pairs(y)) > 0)


def _more_relevant(y, i, j):
    return y[i] > y[j]


def pairwise_hinge(y_true, y_pred, margin=1.0):
    return _mean_over_pairs(lambda _, s: max(0.0, margin - s), _more_relevant, y_true, y_pred)


def pairwise_logistic(y_true, y_pred, temperature=1.0):
    return _mean_over_pairs(lambda _, s: softplus(-s / temperature), _more_relevant, y_true, y_pred)


def pairwise_soft_zero_one(y_true, y_pred, temperature=1.0):
    return _mean_over_pairs(lambda _, s: sigmoid(-s / temperature), _more_relevant, y_true, y_pred)


def bayesian_personalized(y_true, y_pred, temperature=1.0):
    def relevant_and_not(y, i, j):
        return y[i] > 0 and y[j] == 0

    return _mean_over_pairs(lambda _, s: softplus(-s / temperature), relevant_and_not, y_true, y_pred)


def pairwise_mean_squared(y_true, y_pred):
    return _mean_over_pairs(lambda y, s: (y - s) ** 2, lambda _, i, j: i < j, y_true, y_pred)


_TWO = array([0.25, 1.0])
# Two lists of one relevant item and two others, with differences 2 and -1, 0.5 and 0.
_THREE, _APART = np.array([[1, 0, 0], [0, 2, 0]]), array([1, -1, 2], [-0.5, 0, 0])
_SIG = 1 / (1 + np.exp([2.0, -1.0]))

CASES = {
    "PairwiseHinge": [
        *usual(),
        *nothing_to_learn(),
        Case("margin", GRADED, scores(1, GRADED), {"margin": 0.3}),
        Case("margin-large", PADDED, scores(2, PADDED), {"margin": 20.0}),
        # max(0, 1 - 2) and 1 + 1; 1 - 0.5 and 1 - 0.
        Case("by-hand", _THREE, _APART, expect=array((0 + 2) / 2, (0.5 + 1) / 2)),
        # Two pairs just at the margin.
        Case("at-the-margin", np.array([[2, 1, 0]]), array([2, 1, 0]), smooth=False, expect=np.zeros(1)),
        Case("margin-by-hand", np.array([[0, 1]]), _TWO, {"margin": 2.0}, expect=np.array([2.0 - 0.75])),
    ],
    "PairwiseLogistic": [
        *usual(),
        *nothing_to_learn(),
        Case("temperature-small", GRADED, scores(11, GRADED), {"temperature": 0.02}),
        Case("temperature-large", PADDED, scores(12, PADDED), {"temperature": 50.0}),
        Case("equal-by-hand", DISTINCT, np.ones(DISTINCT.shape), expect=np.full(2, np.log(2))),
        Case(
            "by-hand",
            _THREE,
            _APART,
            {"temperature": 0.5},
            expect=np.array([np.log1p(np.exp(-4.0)) + np.log1p(np.exp(2.0)), np.log1p(np.exp(-1.0)) + np.log(2)]) / 2,
        ),
        Case("saturated", np.array([[1, 0], [0, 1]]), array([-400, 400], [-400, 400]), expect=np.array([800.0, 0.0])),
    ],
    "PairwiseSoftZeroOne": [
        *usual(),
        *nothing_to_learn(),
        Case("temperature-small", GRADED, scores(21, GRADED), {"temperature": 0.05}),
        Case("temperature-large", PADDED, scores(22, PADDED), {"temperature": 50.0}),
        Case("equal-by-hand", DISTINCT, np.ones(DISTINCT.shape), expect=np.full(2, 0.5)),
        Case("by-hand", _THREE[:1], _APART[:1], expect=np.array([(_SIG[0] + _SIG[1]) / 2])),
        # A third of the pairs is in the wrong order.
        Case("saturated", np.array([[2, 1, 0]]), array([400, -400, 0]), expect=np.array([1 / 3])),
    ],
    "BayesianPersonalized": [
        *usual(),
        *nothing_to_learn(),
        Case("temperature-small", BINARY, scores(31, BINARY), {"temperature": 0.02}),
        Case("temperature-large", PADDED, scores(32, PADDED), {"temperature": 50.0}),
        # Grades do not matter, unlike in PairwiseLogistic: the first list has no item that is not relevant.
        Case("all-relevant", np.array([[1, 2, 3], [1, 2, 0]]), np.zeros((2, 3)), expect=np.array([0.0, np.log(2)])),
        Case(
            "by-hand",
            np.array([[3, 1, 0]]),
            array([2, 0, 1]),
            expect=np.array([(np.log1p(np.exp(-1.0)) + np.log1p(np.exp(1.0))) / 2]),
        ),
    ],
    "PairwiseMeanSquared": [
        *usual(),
        Case("equally-relevant", np.array([[0, 0, 0], [2, 2, 2]]), scores(40, _THREE)),
        Case("one-item-or-none", np.array([[-1, 3], [-1, -1]]), scores(41, np.zeros((2, 2))), expect=np.zeros(2)),
        # Scores are relevances and a number for the list.
        Case("shifted", GRADED, GRADED + array([3.0], [-7.0]), expect=np.zeros(2)),
        Case("two-items", np.array([[1, 0]]), array([0.6, 0.8]), expect=np.array([(1 + 0.2) ** 2])),
        # Differences of relevance 1, 1, 0 and of score 2, -1, -3.
        Case("by-hand", _THREE[:1], _APART[:1], expect=np.array([(1 + 4 + 9) / 3])),
        # Twice the variance (divided by n - 1) of what is predicted beside the relevance.
        Case("variance", np.array([[0, 1, 2]]), array([0.5, 1, 4]), expect=2 * np.var([0.5, 0.0, 2.0], ddof=1, keepdims=True)),
    ],
}
