"""Ranking losses through relaxed sorting, and through the levels of relevance.

NeuralSort: Grover et al. 2019, "Stochastic Optimization of Sorting Networks via Continuous Relaxations": row r of the relaxed
permutation of n items is softmax(((n + 1 - 2 r) s - A) / temperature), A_k = sum_j |s_k - s_j|, r from 1 for the largest. The
loss is the cross entropy of the true permutation and this, the mean over the n rows: one value per list. Padding leaves the
list before n is counted. Items of one relevance take up their rows in every order alike, so a row's target is uniform over the
level that it falls to (which is what NeuralSort makes of the relevances as its temperature goes to 0). TF-Ranking takes the
relaxed permutation of the relevances, at the same temperature, as target; with it, scores beyond the relevances would cost.
temperature 1 by default, as TF-Ranking (the paper tunes it). The logarithm of the softmax is exact, without 1e-20.

OrdinalRanking: Niu et al. 2016, "Ordinal Regression with Multiple Output CNN for Age Estimation" (after Li & Lin 2006), taken
to ranking by Pobrotyn et al. 2020, "Context-Aware Learning to Rank with Self-Attention", and by TF-Ranking's OrdinalLoss.
`y_pred` is `(B, L, K)`, logits of the questions whether the relevance is above 0, 1, ..., K - 1, and an item's value is the sum
over them of ln(1 + exp(-z)) where it is, ln(1 + exp(z)) where it is not. One value per item, `(B, L)`; every item but padding
counts, whatever the others are. A relevance above K - 1 answers yes to all; between two levels it is above the lower one.
"""

import numpy as np

from ._case import Case, array, log_softmax, normal, softplus
from ._ranking import DISTINCT, GRADED, PADDED, nothing_to_learn, per_list, scores, usual


def neural_sort(y_true, y_pred, temperature=1.0):
    def one(y, s):
        n, total = len(y), 0.0
        away = [sum(abs(s[k] - s[j]) for j in range(n)) for k in range(n)]
        in_order = sorted(y, reverse=True)
        for r in range(1, n + 1):
            log_p = log_softmax([((n + 1 - 2 * r) * s[k] - away[k]) / temperature for k in range(n)])
            level = [k for k in range(n) if y[k] == in_order[r - 1]]
            total -= sum(log_p[k] for k in level) / len(level)
        return total / n

    return per_list(one, y_true, y_pred)


def ordinal_ranking(y_true, y_pred):
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, np.float64)
    values, valid = np.zeros(y_true.shape), np.zeros(y_true.shape, bool)
    for b, i in np.ndindex(y_true.shape):
        if y_true[b, i] >= 0:
            valid[b, i] = True
            for k in range(y_pred.shape[2]):
                z = y_pred[b, i, k]
                values[b, i] += softplus(-z if y_true[b, i] > k else z)
    return values, valid


_TWO, _GAP = np.array([[1, 0], [0, 1]]), array([0.5, -1], [0.5, -1])
_THREE, _EVEN = np.array([[2, 1, 0]]), array([0.75, 0, -0.75])
# Minus the logarithm of the probabilities of the first (and last) and the second of these three scores at their rows.
_END, _MIDDLE = np.log(1 + np.exp(-0.75) + np.exp(-3)), np.log(1 + 2 * np.exp(-0.75))


def _logits(seed, y_true, questions, scale=1.0):
    return normal(seed, *y_true.shape, questions, scale=scale)


_FRACTIONAL = np.array([[0.5, 1.0, 1.5, 0.0]])
_ONE, _PADS = np.array([[0, 1, 2, 3, 9]]), np.where(PADDED < 0, -1, PADDED)

CASES = {
    "NeuralSort": [
        *usual(smooth_ties=False),
        *nothing_to_learn(),
        Case("distinct", DISTINCT, scores(1, DISTINCT)),
        Case("temperature-small", DISTINCT, scores(2, DISTINCT), {"temperature": 0.05}),
        Case("temperature-large", PADDED, scores(3, PADDED), {"temperature": 50.0}),
        # Each row is softmax of the gap and 0.
        Case("two", _TWO, _GAP, expect=np.log1p(np.exp([-1.5, 1.5]))),
        Case("two-temperature", _TWO, _GAP, {"temperature": 0.5}, expect=np.log1p(np.exp([-3.0, 3.0]))),
        Case("equal-scores", GRADED, np.ones(GRADED.shape), smooth=False, expect=np.full(2, np.log(5))),
        Case("three", _THREE, _EVEN, expect=np.array([(2 * _END + _MIDDLE) / 3])),
        # The first two rows ask for the first two items alike, which are 0.75 apart in either row.
        Case("level-of-two", np.array([[1, 1, 0]]), _EVEN, expect=np.array([(2 * _END + _MIDDLE + 0.75) / 3])),
        # In the wrong order: the ends are 4 times 0.75 from the best of their rows.
        Case("three-reversed", _THREE[:, ::-1].copy(), _EVEN, expect=np.array([(2 * (_END + 3) + _MIDDLE) / 3])),
    ],
    "OrdinalRanking": [
        Case("graded", GRADED, _logits(20, GRADED, 3)),
        Case("int32", GRADED.astype(np.int32), _logits(21, GRADED, 4)),
        Case("one-question", GRADED, _logits(22, GRADED, 1)),
        Case("fractional", _FRACTIONAL, _logits(23, _FRACTIONAL, 2)),
        Case("padding", PADDED, _logits(24, PADDED, 3)),
        Case("padding-alone", np.full((2, 3), -1), _logits(25, np.zeros((2, 3)), 2), expect=np.zeros((2, 3))),
        Case("equally-relevant", np.full((2, 3), 2), _logits(26, np.zeros((2, 3)), 3)),
        Case("one-item", np.array([[1], [0]]), _logits(27, np.zeros((2, 1)), 2)),
        Case("large-scores", GRADED, _logits(28, GRADED, 3, 100.0)),
        Case("duplicates", np.tile(GRADED, 2), np.tile(_logits(29, GRADED, 3), (1, 2, 1))),
        Case("undecided", _PADS, np.zeros((*_PADS.shape, 4)), expect=np.where(_PADS < 0, 0.0, 4 * np.log(2))),
        # The same logit for three questions: as many yes as the relevance, at most three.
        Case(
            "by-hand",
            _ONE,
            np.full((1, 5, 3), 1.25),
            expect=np.array([[3, 2, 1, 0, 0]]) * np.log1p(np.exp(1.25)) + np.array([[0, 1, 2, 3, 3]]) * np.log1p(np.exp(-1.25)),
        ),
        Case("fraction-by-hand", _FRACTIONAL, np.full((1, 4, 1), 2.0), expect=np.log1p(np.exp(array([-2, -2, -2, 2])))),
        Case("saturated", np.array([[0, 2]]), array([400, 100], [400, -100])[None], expect=array([500, 100])),
    ],
}
