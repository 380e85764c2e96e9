"""Metric learning losses that are a mean over the pairs of an anchor, or a sum of one term of positives and one of negatives.

D is the distance of an anchor and a partner (see `_embeddings.py`), y their ids' equality. One value an anchor.

Contrastive: Hadsell, Chopra, LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping": 1/2 D^2 of a positive,
1/2 max(0, m - D)^2 of a negative, the mean over all partners. The paper's halves stay. D is what `distance` says: with
"squared_euclidean" the square is squared again. "dot" can give a negative distance, which is as good as 0 for a positive:
1/2 max(0, D)^2 (the paper's D is never negative). m = 1 (the paper names no number). An anchor counts that has a partner.

Margin: Wu et al. 2017, "Sampling Matters in Deep Embedding Learning", arXiv:1706.07567: max(0, margin + D - beta) of a
positive, max(0, margin - D + beta) of a negative, the mean over all partners (the paper divides by the number of active pairs).
beta is a constant, so without the paper's regularisation of it. margin 0.2, beta 1.2 (paper).

MultiSimilarity: Wang et al. 2019, arXiv:1904.06627: log(1 + sum_p exp(-alpha (s - base))) / alpha + log(1 + sum_n exp(beta
(s - base))) / beta, s the cosine; all pairs, without the paper's mining. An anchor without positives has only the second term
(the first is log 1 = 0) and still counts, and so the other way round. alpha 2, beta 50, base 1 (paper; its code has base 0.5).

SignalToNoiseRatio: Yuan et al. 2019, arXiv:1904.02616, the contrastive loss (not squared): d of a positive, max(0, margin - d)
of a negative, d = var(anchor - partner) / var(anchor), variances over the features; without the paper's regulariser. d is not
symmetric: the anchor is the signal. An anchor without variance (a constant vector) has no d and does not count, but is a
partner of others. margin 1.
"""

import numpy as np

from ._case import Case, array, log_sum_exp, normal
from ._embeddings import (
    AXES,
    CROSSED,
    EQUAL_IDS,
    LINE,
    OTHER_IDS,
    PAIRS,
    TRIPLES,
    average,
    cosine,
    distance,
    edges,
    per_anchor,
)

_DISTANCE = distance  # an argument has the name too


def _mean_over_partners(y_true, y_pred, of_positive, of_negative):
    def value(x, i, positives, negatives):
        terms = [of_positive(x[i], x[j]) for j in positives] + [of_negative(x[i], x[j]) for j in negatives]
        return average(terms) if terms else None

    return per_anchor(y_true, y_pred, value)


def contrastive(y_true, y_pred, margin=1.0, distance="euclidean", normalize=False):
    def d(x, y):
        return _DISTANCE(x, y, distance, normalize)

    return _mean_over_partners(
        y_true, y_pred, lambda x, y: max(d(x, y), 0.0) ** 2 / 2, lambda x, y: max(margin - d(x, y), 0.0) ** 2 / 2
    )


def margin(y_true, y_pred, margin=0.2, beta=1.2, distance="euclidean", normalize=False):
    def d(x, y):
        return _DISTANCE(x, y, distance, normalize)

    return _mean_over_partners(
        y_true, y_pred, lambda x, y: max(margin + d(x, y) - beta, 0.0), lambda x, y: max(margin - d(x, y) + beta, 0.0)
    )


def multi_similarity(y_true, y_pred, alpha=2.0, beta=50.0, base=1.0):
    def value(x, i, positives, negatives):
        if not positives and not negatives:
            return None
        pull = [0.0] + [-alpha * (cosine(x[i], x[j]) - base) for j in positives]
        push = [0.0] + [beta * (cosine(x[i], x[j]) - base) for j in negatives]
        return log_sum_exp(pull) / alpha + log_sum_exp(push) / beta

    return per_anchor(y_true, y_pred, value)


def _variance(x):
    mean = sum(x) / len(x)
    return sum((a - mean) ** 2 for a in x) / len(x)


def signal_to_noise_ratio(y_true, y_pred, margin=1.0):
    def value(x, i, positives, negatives):
        signal = _variance(x[i])
        if signal == 0 or not positives + negatives:
            return None
        terms = [_variance(x[i] - x[j]) / signal for j in positives]
        terms += [max(margin - _variance(x[i] - x[j]) / signal, 0.0) for j in negatives]
        return average(terms)

    return per_anchor(y_true, y_pred, value)


_X = normal(5100, 6, 4, scale=0.5)
_DISTANCES = ("cosine", "dot", "euclidean", "squared_euclidean")
_DOTS = array([1, 0], [2, 0], [-1, 0], [0, 1])  # inner products 2, -1, 0; -2, 0; 0


def _distances(config):
    """Every distance, with and without normalisation."""
    return [
        *(Case(d, TRIPLES, _X, {**config, "distance": d}) for d in _DISTANCES),
        *(Case(f"{d}-normalized", TRIPLES, _X, {**config, "distance": d, "normalize": True}) for d in ("dot", "euclidean")),
    ]


CASES = {
    "Contrastive": [
        Case("default", TRIPLES, _X),
        Case("margin", TRIPLES, _X, {"margin": 1.75}),
        *_distances({"margin": 1.3}),
        Case("cosine-lengths", TRIPLES, _X * array([1], [9], [0.2], [50], [3], [0.7]), {"margin": 1.3, "distance": "cosine"}),
        # Positives 1 and 4 apart; negatives 3, 7, 2, 6 apart, of which 3 and 2 are within the margin of 4.5.
        Case(
            "line",
            PAIRS,
            LINE,
            {"margin": 4.5},
            expect=array(1 + 1.5**2, 1 + 2.5**2, 4**2 + 1.5**2 + 2.5**2, 4**2) / 6,
        ),
        # The same with distances 1 and 16; 9, 49, 4, 36.
        Case(
            "line-squared",
            PAIRS,
            LINE,
            {"margin": 10.0, "distance": "squared_euclidean"},
            expect=array(1 + 1**2, 1 + 6**2, 16**2 + 1**2 + 6**2, 16**2) / 6,
        ),
        # Two directions at cosine distance 1; each anchor has its positive across and a negative in each.
        Case(
            "axes-crossed",
            CROSSED,
            AXES,
            {"margin": 1.5, "distance": "cosine"},
            expect=np.full(4, (1 + 1.5**2 + 0.5**2) / 6),
        ),
        # Minus the products: positives -2 (better than needed) and 0; negatives 1, 0, 2, 0.
        Case(
            "dot-signs",
            PAIRS,
            _DOTS,
            {"margin": 1.5, "distance": "dot"},
            smooth=False,
            expect=array(0.5**2 + 1.5**2, 1.5**2, 0.5**2, 1.5**2 + 1.5**2) / 6,
        ),
        *edges(
            5110,
            {"margin": 1.5},
            expect={"all-the-same": np.full(4, 2 * 1.5**2 / 6)},
            kinks=("all-the-same", "duplicates", "zero-vectors"),
        ),
        Case(
            "zero-vectors-cosine",
            TRIPLES,
            array([0, 0], [1, 0.5], [0.5, -1], [0, 0], [0, 0], [-0.25, 1]),
            {"distance": "cosine"},
            False,
        ),
        # Nothing but pairs at cosine distance 1.
        Case(
            "all-zero-cosine",
            PAIRS,
            np.zeros((4, 3)),
            {"margin": 1.5, "distance": "cosine"},
            False,
            np.full(4, (1 + 2 * 0.5**2) / 6),
        ),
    ],
    "Margin": [
        Case("default", TRIPLES, _X),
        Case("margin", TRIPLES, _X, {"margin": 0.6}),
        Case("beta", TRIPLES, _X, {"beta": 0.7}),
        *_distances({"margin": 0.35, "beta": 0.9}),
        Case("negative-beta-dot", TRIPLES, _X, {"margin": 0.5, "beta": -0.3, "distance": "dot"}),
        # Positives cost max(0, D - 1.75): 0 and 2.25; negatives max(0, 2.75 - D): 0.75 at 2, otherwise 0.
        Case("line", PAIRS, LINE, {"margin": 0.5, "beta": 2.25}, expect=array(0, 0.75, 2.25 + 0.75, 2.25) / 3),
        # The positive across costs 0.5 + 1 - 1.25, the negatives 0.5 + 1.25 - 1 and 0.5 + 1.25 - 0.
        Case(
            "axes-crossed",
            CROSSED,
            AXES,
            {"margin": 0.5, "beta": 1.25, "distance": "cosine"},
            expect=np.full(4, (0.25 + 0.75 + 1.75) / 3),
        ),
        Case("all-apart", PAIRS, 50 * LINE, {"margin": 0.5, "beta": 2.25}, expect=(array(50, 50, 200, 200) - 1.75) / 3),
        *edges(
            5140,
            {"margin": 0.25, "beta": 1.0},
            expect={"all-the-same": np.full(4, 2 * 1.25 / 3)},
            kinks=("all-the-same", "duplicates", "zero-vectors"),
        ),
    ],
    "MultiSimilarity": [
        Case("default", TRIPLES, _X),
        Case("alpha", TRIPLES, _X, {"alpha": 11.0}),
        Case("beta", TRIPLES, _X, {"beta": 6.0}),
        Case("base", TRIPLES, _X, {"base": 0.5}),
        Case("negative-base", TRIPLES, _X, {"base": -0.25, "alpha": 1.0, "beta": 3.0}),
        Case("large", TRIPLES, _X, {"alpha": 200.0, "beta": 800.0, "base": 0.3}, smooth=False),
        Case("lengths", TRIPLES, _X * array([1], [9], [0.2], [50], [3], [0.7])),
        # s = 1 for the positive, 0 for the two negatives.
        Case(
            "axes",
            PAIRS,
            AXES,
            {"alpha": 2.0, "beta": 10.0, "base": 0.5},
            expect=np.full(4, np.log(1 + np.exp(-1)) / 2 + np.log(1 + 2 * np.exp(-5)) / 10),
        ),
        # s = 0 for the positive, 1 and 0 for the negatives.
        Case(
            "axes-crossed",
            CROSSED,
            AXES,
            {"alpha": 2.0, "beta": 10.0, "base": 0.5},
            expect=np.full(4, np.log(1 + np.exp(1)) / 2 + np.log(1 + np.exp(5) + np.exp(-5)) / 10),
        ),
        # log(1 + e^2) / 2 at the paper's base, and negatives at s = base.
        Case("axes-default", CROSSED, AXES, expect=np.full(4, np.log(1 + np.exp(2)) / 2 + np.log(2 + np.exp(-50)) / 50)),
        Case("axes-no-positives", OTHER_IDS, AXES, expect=np.full(4, np.log(2 + 2 * np.exp(-50)) / 50)),
        Case("axes-no-negatives", EQUAL_IDS, AXES, expect=np.full(4, np.log(2 + 2 * np.exp(2)) / 2)),
        *edges(
            5160,
            {"base": 0.5, "beta": 10.0},
            kinks=("zero-vectors",),
        ),
    ],
    "SignalToNoiseRatio": [
        Case("default", TRIPLES, _X),
        Case("margin", TRIPLES, _X, {"margin": 3.5}),
        Case("features", np.array([1, 2, 1, 2]), normal(5180, 4, 16), {"margin": 2.5}),
        # Adding a constant to all features of a vector changes nothing.
        Case("offsets", TRIPLES, _X + array([1], [-2], [3], [0], [0.5], [-1]), {"margin": 3.5}),
        # Multiples 1, 2, -1, 4 of one vector: d = (difference / multiple of the anchor)^2.
        Case(
            "multiples",
            PAIRS,
            array([1, -1], [2, -2], [-1, 1], [4, -4]),
            {"margin": 5.0},
            expect=array(1 + (5 - 4), 1 / 4 + (5 - 9 / 4) + (5 - 1), 25 + (5 - 4), 25 / 16 + (5 - 9 / 16) + (5 - 4 / 16)) / 3,
        ),
        # Vectors without covariance: d = 1 + var(partner) / var(anchor), here of variances 1, 1, 4, 4.
        Case(
            "uncorrelated",
            PAIRS,
            array([1, -1, 1, -1], [1, 1, -1, -1], [2, -2, -2, 2], [2, -2, -2, 2]) + array([0], [3], [0], [-2]),
            {"margin": 5.5},
            smooth=False,
            expect=array(2 + 0.5 + 0.5, 2 + 0.5 + 0.5, 0 + 2 * (5.5 - 1.25), 0 + 2 * (5.5 - 1.25)) / 3,
        ),
        # The third vector is constant: it does not count, and from it every other is 1 away.
        Case(
            "constant-vector",
            CROSSED,
            array([1, -1], [3, -3], [0.5, 0.5], [-1, 1]),
            {"margin": 5.0},
            smooth=False,
            expect=array(1 + (5 - 4) + (5 - 4), (4 / 3) ** 2 + (5 - 4 / 9) + (5 - 1), 0, 16 + (5 - 4) + (5 - 1)) / 3,
        ),
        Case("one-feature", PAIRS, array([1], [2], [3], [4]), smooth=False, expect=np.zeros(4)),
        *edges(
            5190,
            {"margin": 2.5},
            expect={"all-the-same": np.full(4, 2 * 2.5 / 3)},
            kinks=("zero-vectors",),
        ),
    ],
}
