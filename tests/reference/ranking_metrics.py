"""Ranking losses from a metric of the order: one value per list.

A metric here is sum_i g_i d(rank_i), with gains g of the relevances and discounts d of the ranks, the best item at rank 1:

    ndcg       g = (2^y - 1) / (the same sum in the best order)    d = 1 / log2(1 + r)
    mrr        g = y / sum y                                       d = 1 / r
    precision  g = [y > 0] / topn                                  d = [r <= topn]

So "mrr" is the mean reciprocal rank of what is relevant, each by its relevance; with one relevant item, the reciprocal rank.
With `topn`, d is 0 beyond that rank, in the best order too.

ApproxNDCG and ApproxMRR: Qin et al. 2010, "A General Approximation Framework for Direct Optimization of Information Retrieval
Measures", and Bruch et al. 2019, "Revisiting Approximate Metric Optimization in the Age of Deep Neural Networks": one minus the
metric at the ranks 1 + sum_{j != i} sigmoid((s_j - s_i) / temperature). The temperature is 0.1 by default (as in TF-Ranking).
GumbelApproxNDCG: Bruch et al. 2020, "A Stochastic Treatment of Learning to Rank Scoring Functions": the mean over samples of
ApproxNDCG of scores + noise. `noise` is `(B, samples, L)`, standard Gumbel times the wanted scale; nothing is drawn here.

LambdaLoss: Wang et al. 2018, "The LambdaLoss Framework for Ranking Metric Optimization": the sum over the pairs y_i > y_j of
w_ij log2(1 + exp(-(s_i - s_j) / temperature)), base 2 and a sum as in the paper: w is a part of the list's metric, and a mean
would make it smaller by the number of pairs once more. The weights are constants. For ranks p and q of the two items,

    "ndcg", "mrr", "precision"  w = |g_i - g_j| |d(p) - d(q)|: what the metric changes when the two swap (LambdaRank)
    "ndcg2++"                   w = |g_i - g_j| (|d(p) - d(q)| + mu m |e(|p - q|) - e(|p - q| + 1)|), e(r) = 1 / log2(1 + r),
                                g and d of ndcg

m is 1, and with `topn` and max(p, q) > topn it is 1 / (1 - e(max(p, q))) (Jagerman et al. 2022, "On Optimizing Top-K Metrics
for Neural Ranking Models"). Defaults: "ndcg2++" (the paper's best), mu 10 (as allRank and sentence-transformers have it),
topn None, with which "precision" has no meaning, temperature 1.
Items of equal scores take up their ranks in every order alike: w is the mean over those, that is over p of the one's block of
ranks and q of the other's, p != q. So equal scores, as of a network at its start, still have a gradient.
"""

import numpy as np

from ._case import Case, array, softplus
from ._ranking import BINARY, DISTINCT, GRADED, PADDED, gains, named, nothing_to_learn, per_list, scores, sigmoid, usual


def _ndcg_discount(rank):
    return 1 / np.log2(1 + rank)


def _normalised(y, topn=None):
    """2^y - 1 over the DCG of the best order."""
    best = sorted(gains(y), reverse=True)[:topn]
    return [g / sum(b * _ndcg_discount(r) for r, b in enumerate(best, 1)) for g in gains(y)]


def _smooth_rank(s, i, temperature):
    return 1 + sum(sigmoid((s[j] - s[i]) / temperature) for j in range(len(s)) if j != i)


def approx_ndcg(y_true, y_pred, temperature=0.1):
    def one(y, s):
        return 1 - sum(g * _ndcg_discount(_smooth_rank(s, i, temperature)) for i, g in enumerate(_normalised(y)))

    return per_list(one, y_true, y_pred)


def approx_mrr(y_true, y_pred, temperature=0.1):
    def one(y, s):
        return 1 - sum(v / _smooth_rank(s, i, temperature) for i, v in enumerate(y)) / sum(y)

    return per_list(one, y_true, y_pred)


def gumbel_approx_ndcg(y_true, y_pred, noise, temperature=0.1):
    noise = np.asarray(noise, np.float64)
    values, valid = np.zeros(len(y_pred)), np.zeros(len(y_pred), bool)
    for sample in range(noise.shape[1]):
        value, valid = approx_ndcg(y_true, np.asarray(y_pred) + noise[:, sample], temperature)
        values += value / noise.shape[1]
    return values, valid


def _ranks(s, i):
    """The ranks that item i takes in the orders of falling scores: more than one if others have its score."""
    first = 1 + sum(v > s[i] for v in s)
    return range(first, first + sum(v == s[i] for v in s))


def _weight(y, s, i, j, weights, topn, mu):
    cutoff = len(y) if topn is None else topn
    if weights == "mrr":
        g, discount = [v / sum(y) for v in y], lambda r: 1 / r
    elif weights == "precision":
        g, discount = [(v > 0) / topn for v in y], lambda _: 1.0
    else:
        g, discount = _normalised(y, topn), _ndcg_discount

    def swapped(p, q):
        change = abs((discount(p) if p <= cutoff else 0.0) - (discount(q) if q <= cutoff else 0.0))
        if weights != "ndcg2++":
            return change
        apart, lower = abs(p - q), max(p, q)
        boost = 1 / (1 - _ndcg_discount(lower)) if lower > cutoff else 1.0
        return change + mu * boost * (_ndcg_discount(apart) - _ndcg_discount(apart + 1))

    places = [(p, q) for p in _ranks(s, i) for q in _ranks(s, j) if p != q]
    return abs(g[i] - g[j]) * sum(swapped(p, q) for p, q in places) / len(places)


def lambda_loss(y_true, y_pred, weights="ndcg2++", topn=None, mu=10.0, temperature=1.0):
    def one(y, s):
        total = 0.0
        for i in range(len(y)):
            for j in range(len(y)):
                if y[i] > y[j]:
                    cost = softplus(-(s[i] - s[j]) / temperature) / np.log(2)
                    total += _weight(y, s, i, j, weights, topn, mu) * cost
        return total

    return per_list(one, y_true, y_pred)


_TWO, _GAP = np.array([[1, 0], [0, 1]]), array([0.5, -1], [0.5, -1])
# The rank of the relevant item, right in the first list and wrong in the second.
_RANK = 1 + 1 / (1 + np.exp([1.5 / 0.1, -1.5 / 0.1]))
_RANK_WARM = 1 + 1 / (1 + np.exp([1.5, -1.5]))
_LOG3 = np.log2(3)
# Three items, the DCG of 3, 1, 0 in the best order.
_THREE, _BEST = np.array([[2, 1, 0]]), 3 + 1 / np.log2(3)


def _gumbel(seed, samples, y_true, scale=1.0):
    shape = (len(y_true), samples, y_true.shape[1])
    return scale * np.random.default_rng(seed).gumbel(size=shape)


_SHIFTS = array([1.5, -2], [-0.5, 3])
_SHIFTED = 1 + 1 / (1 + np.exp([[1.5 - 3.5, 1.5 + 3.5], [-1.5 - 3.5, -1.5 + 3.5]]))

_SAMPLED = [
    Case(
        f"{case.id}",
        case.y_true,
        case.y_pred,
        {"noise": _gumbel(80 + k, 3, case.y_true), **case.config},
        case.smooth,
        case.expect,
    )
    for k, case in enumerate([*usual(), *nothing_to_learn()])
]

# One relevant item of three, at equal scores: the mean distance of two discounts is two thirds of the first's from the last's.
_ONE, _EQUAL = np.array([[1, 0, 0]]), np.zeros((1, 3))
_PAIR = np.log2(1 + np.exp([-1.5, 1.5]))

CASES = {
    "ApproxNDCG": [
        *usual(),
        *nothing_to_learn(),
        Case("temperature-one", GRADED, scores(1, GRADED), {"temperature": 1.0}),
        Case("temperature-small", DISTINCT, scores(2, DISTINCT), {"temperature": 0.02}),
        Case("temperature-large", PADDED, scores(3, PADDED), {"temperature": 50.0}),
        Case("two", _TWO, _GAP, expect=1 - 1 / np.log2(1 + _RANK)),
        Case("two-warm", _TWO, _GAP, {"temperature": 1.0}, expect=1 - 1 / np.log2(1 + _RANK_WARM)),
        # All at the middle rank, 2.
        Case("equal-scores", _THREE, _EQUAL, expect=np.array([1 - 4 / _LOG3 / _BEST])),
        Case("best-order", _THREE, array([20, 10, 0]), expect=np.zeros(1)),
        Case("worst-order", _THREE, array([-10, 0, 10]), expect=np.array([1 - (3 / 2 + 1 / _LOG3) / _BEST])),
    ],
    "ApproxMRR": [
        *usual(),
        *nothing_to_learn(),
        Case("temperature-one", GRADED, scores(10, GRADED), {"temperature": 1.0}),
        Case("temperature-small", DISTINCT, scores(11, DISTINCT), {"temperature": 0.02}),
        Case("temperature-large", PADDED, scores(12, PADDED), {"temperature": 50.0}),
        Case("two", _TWO, _GAP, expect=1 - 1 / _RANK),
        Case("two-warm", _TWO, _GAP, {"temperature": 1.0}, expect=1 - 1 / _RANK_WARM),
        Case("equal-scores", np.vstack([_THREE, _ONE]), np.zeros((2, 3)), expect=np.full(2, 0.5)),
        # Relevances 2 and 1 at ranks 3 and 2.
        Case("worst-order", _THREE, array([-10, 0, 10]), expect=np.array([1 - (2 / 3 + 1 / 2) / 3])),
        Case("first-of-many", np.array([[0, 0, 1, 0]]), array([0, -10, 10, -20]), expect=np.zeros(1)),
    ],
    "GumbelApproxNDCG": [
        *_SAMPLED,
        Case("temperature-one", GRADED, scores(20, GRADED), {"noise": _gumbel(21, 4, GRADED), "temperature": 1.0}),
        Case("one-sample", GRADED, scores(22, GRADED), {"noise": _gumbel(23, 1, GRADED, 0.5)}),
        # The same number for each item moves no rank.
        Case("no-noise", _TWO, _GAP, {"noise": np.full((2, 3, 2), 0.25)}, expect=1 - 1 / np.log2(1 + _RANK)),
        # Noise that takes the gap 1.5 of the scores to 5 and to -2.
        Case(
            "two-samples",
            _TWO,
            _GAP,
            {"noise": np.stack([_SHIFTS, _SHIFTS]), "temperature": 1.0},
            expect=np.mean(1 - 1 / np.log2(1 + _SHIFTED), axis=1),
        ),
    ],
    "LambdaLoss": [
        *usual(smooth_ties=False),
        *nothing_to_learn(),
        *named("ndcg", usual(smooth_ties=False, weights="ndcg")[2:7:2]),
        *named("mrr", usual(smooth_ties=False, weights="mrr")[4:7:2]),
        *named("precision", usual(smooth_ties=False, weights="precision", topn=2)[4:8]),
        *named("topn", usual(smooth_ties=False, topn=2)[4:7:2]),
        Case("ndcg-topn", DISTINCT, scores(40, DISTINCT), {"weights": "ndcg", "topn": 3}),
        Case("mrr-topn", BINARY, scores(41, BINARY), {"weights": "mrr", "topn": 1}),
        Case("mu", DISTINCT, scores(42, DISTINCT), {"mu": 0.5, "topn": 3}),
        Case("temperature-small", GRADED, scores(43, GRADED), {"temperature": 0.05}),
        Case("temperature-large", PADDED, scores(44, PADDED), {"temperature": 50.0, "weights": "ndcg"}),
        # Two items: the discounts are 1 and 1 / log2(3), and their ranks are one apart.
        Case("two", _TWO, _GAP, expect=11 * (1 - 1 / _LOG3) * _PAIR),
        Case("two-ndcg", _TWO, _GAP, {"weights": "ndcg"}, expect=(1 - 1 / _LOG3) * _PAIR),
        Case("two-mrr", _TWO, _GAP, {"weights": "mrr"}, expect=(1 - 1 / 2) * _PAIR),
        Case("two-precision", _TWO, _GAP, {"weights": "precision", "topn": 1}, expect=_PAIR),
        Case("two-all-in-topn", _TWO, _GAP, {"weights": "precision", "topn": 2}, expect=np.zeros(2)),
        # 1 - 0 for the ranks, and mu (1 - 1 / log2(3)) m, m = 1 / (1 - 1 / log2(3)).
        Case("two-topn", _TWO, _GAP, {"topn": 1, "mu": 3.0}, expect=(1 + 3) * _PAIR),
        # log2(1 + exp 0) is 1.
        Case("equal-ndcg", _ONE, _EQUAL, {"weights": "ndcg"}, smooth=False, expect=np.array([2 * 2 / 3 * (1 - 1 / 2)])),
        Case("equal-mrr", _ONE, _EQUAL, {"weights": "mrr"}, smooth=False, expect=np.array([2 * 2 / 3 * (1 - 1 / 3)])),
        # One of two items is at rank 1 in two orders of three.
        Case(
            "equal-precision",
            _ONE,
            _EQUAL,
            {"weights": "precision", "topn": 1},
            smooth=False,
            expect=np.array([2 * 2 / 3]),
        ),
        # The gains of 2, 1, 0 are 3, 1, 0 over the best DCG; ranks 3, 2, 1, with scores one apart.
        Case(
            "worst-order-ndcg",
            _THREE,
            array([0, 1, 2]),
            {"weights": "ndcg"},
            expect=np.array(
                [
                    (
                        (2 * (1 / _LOG3 - 1 / 2) + 1 * (1 - 1 / _LOG3)) * np.log2(1 + np.e)
                        + 3 * (1 - 1 / 2) * np.log2(1 + np.exp(2))
                    )
                    / _BEST
                ]
            ),
        ),
    ],
}
