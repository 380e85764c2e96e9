"""Metric learning losses that compare the positives of an anchor with its negatives, by distances or by inner products.

One value an anchor; an anchor counts that has a positive and a negative. D is the distance of two embeddings (see
`_embeddings.py`).

TripletMargin: max(0, D(a, p) - D(a, n) + margin); Balntas et al. 2016, "Learning local feature descriptors with triplets and
shallow convolutional neural networks". margin 1, Euclidean, all triplets (torch, and addons' margin). `mining`:
- "all": the mean over every triplet of the anchor, zeros included.
- "semihard": for each positive one negative, the nearest that is farther than the positive (strictly), and if none is, the
  farthest; the mean over the positives. Schroff et al. 2015, "FaceNet", arXiv:1503.03832, with the fallback of addons.
- "hard": the farthest positive and the nearest negative, one triplet. Hermans et al. 2017, "In defense of the triplet loss for
  person re-identification", arXiv:1703.07737 (batch hard).
- "easy": the nearest positive and the nearest negative, one triplet. Xuan et al. 2020, "Improved embeddings with easy positive
  triplet mining", arXiv:1904.04370 (its easy positive, hard negative).
`soft`: softplus(D(a, p) - D(a, n)) in place of the hinge, without a margin, as Hermans et al. have it. It changes no selection.

LiftedStructure: Song et al. 2016, arXiv:1511.06452: J(a, p) = log(sum of exp(margin - D) over the negatives of a and over those
of p) + D(a, p), and 1/2 max(0, J)^2; the mean over the positives of the anchor. margin 1, Euclidean.

GeneralizedLiftedStructure: Hermans et al. 2017: max(0, log sum_p exp(D(a, p)) + log sum_n exp(margin - D(a, n))). margin 1,
Euclidean.

NPairs: Sohn 2016, "Improved deep metric learning with multi-class N-pair loss objective": log(1 + sum_n exp(a.n - a.p)), inner
products of the embeddings as they are, without the paper's L2 penalty. The paper's batch has one pair a class; here each
positive of the anchor is taken against all its negatives, and the mean over the positives.

Angular: Wang et al. 2017, arXiv:1708.01682: log(1 + sum_n exp(f)), f = 4 tan^2(alpha) (a + p).n - 2 (1 + tan^2(alpha)) a.p, all
three of length 1 (the paper drops the terms of the lengths, as they are constant then); the mean over the positives. alpha in
degrees, 40 (the paper tries several angles, 40 is the most used).
"""

import numpy as np

from ._case import Case, array, log_sum_exp, normal, softplus
from ._embeddings import (
    AXES,
    CROSSED,
    FIVE,
    LINE,
    PAIRS,
    SAME,
    THREE_ONE,
    THREE_TWO,
    TRIPLES,
    average,
    distance,
    dot,
    edges,
    partners,
    per_anchor,
    unit,
)

_DISTANCE = distance  # an argument has the name too


def _mined(mining, positives, negatives):
    """The distances (of the positive, of the negative) of the triplets of one anchor."""
    if mining == "all":
        return [(p, n) for p in positives for n in negatives]
    if mining == "hard":
        return [(max(positives), min(negatives))]
    if mining == "easy":
        return [(min(positives), min(negatives))]
    triplets = []
    for p in positives:
        farther = [n for n in negatives if n > p]
        triplets.append((p, min(farther) if farther else max(negatives)))
    return triplets


def triplet_margin(y_true, y_pred, margin=1.0, mining="all", distance="euclidean", soft=False, normalize=False):
    def value(x, i, positives, negatives):
        if not positives or not negatives:
            return None
        near = [_DISTANCE(x[i], x[j], distance, normalize) for j in positives]
        far = [_DISTANCE(x[i], x[j], distance, normalize) for j in negatives]
        triplets = _mined(mining, near, far)
        return average(softplus(p - n) if soft else max(p - n + margin, 0.0) for p, n in triplets)

    return per_anchor(y_true, y_pred, value)


def lifted_structure(y_true, y_pred, margin=1.0, distance="euclidean", normalize=False):
    ids = np.asarray(y_true).ravel()

    def value(x, i, positives, negatives):
        if not positives or not negatives:
            return None
        terms = []
        for p in positives:
            push = [margin - _DISTANCE(x[i], x[n], distance, normalize) for n in negatives]
            push += [margin - _DISTANCE(x[p], x[n], distance, normalize) for n in partners(ids, p)[1]]
            terms.append(max(log_sum_exp(push) + _DISTANCE(x[i], x[p], distance, normalize), 0.0) ** 2 / 2)
        return average(terms)

    return per_anchor(y_true, y_pred, value)


def generalized_lifted_structure(y_true, y_pred, margin=1.0, distance="euclidean", normalize=False):
    def value(x, i, positives, negatives):
        if not positives or not negatives:
            return None
        pull = log_sum_exp([_DISTANCE(x[i], x[p], distance, normalize) for p in positives])
        push = log_sum_exp([margin - _DISTANCE(x[i], x[n], distance, normalize) for n in negatives])
        return max(pull + push, 0.0)

    return per_anchor(y_true, y_pred, value)


def n_pairs(y_true, y_pred):
    def value(x, i, positives, negatives):
        if not positives or not negatives:
            return None
        return average(log_sum_exp([0.0] + [dot(x[i], x[n]) - dot(x[i], x[p]) for n in negatives]) for p in positives)

    return per_anchor(y_true, y_pred, value)


def angular(y_true, y_pred, alpha=40.0):
    slope = np.tan(np.pi * alpha / 180) ** 2

    def value(x, i, positives, negatives):
        if not positives or not negatives:
            return None
        terms = []
        for p in positives:
            a, b = unit(x[i]), unit(x[p])
            f = [4 * slope * dot(a + b, unit(x[n])) - 2 * (1 + slope) * dot(a, b) for n in negatives]
            terms.append(log_sum_exp([0.0, *f]))
        return average(terms)

    return per_anchor(y_true, y_pred, value)


_X = normal(5200, 6, 4, scale=0.7)
_Y = normal(5201, 8, 3, scale=0.7)
_UNEVEN = np.array([2, 0, 2, 1, 0, 2, 1, 2])
_DISTANCES = ("cosine", "dot", "euclidean", "squared_euclidean")
_LENGTHS = _X * array([1], [9], [0.2], [50], [3], [0.7])
_COLLAPSED = ("all-the-same", "duplicates", "zero-vectors")


def _distances(config):
    return [
        *(Case(d, TRIPLES, _X, {**config, "distance": d}) for d in _DISTANCES),
        *(Case(f"{d}-normalized", TRIPLES, _X, {**config, "distance": d, "normalize": True}) for d in ("dot", "euclidean")),
        Case("cosine-lengths", TRIPLES, _LENGTHS, {**config, "distance": "cosine"}),
    ]


# At a margin of 4.5, on distances (3, 1 | 5, 9), (2, 1 | 4, 8), (3, 2 | 2, 6), (4 | 5, 4, 2), (4 | 9, 8, 6) of (positives |
# negatives); a negative as far as the positive (2 and 2, 4 and 4) is no semihard one.
_MINED = {
    "all": array(3 / 4, 4 / 4, 12 / 4, 14.5 / 3, 3 / 3),
    "semihard": array((0.5 + 2.5) / 2, (1.5 + 2.5) / 2, (1.5 + 0.5) / 2, 3.5, 2.5),
    "hard": array(2.5, 2.5, 5.5, 6.5, 2.5),
    "easy": array(0.5, 1.5, 4.5, 6.5, 2.5),
}
# And D(a, p) - D(a, n) itself.
_GAPS = {
    "all": ((-4, -8, -2, -6), (-3, -7, -2, -6), (1, -3, 0, -4), (-1, 0, 2), (-5, -4, -2)),
    "semihard": ((-4, -2), (-3, -2), (-3, -4), (-1,), (-2,)),
    "hard": ((-2,), (-2,), (1,), (2,), (-2,)),
    "easy": ((-4,), (-3,), (0,), (2,), (-2,)),
}
_SOFT = {mining: array(*(np.mean(np.logaddexp(0, gaps)) for gaps in rows)) for mining, rows in _GAPS.items()}
# Lifted: both ends of a pair on the line have the negatives 3, 7, 2 and 6 away.
_PUSH = np.log(sum(np.exp(-d) for d in (3, 7, 2, 6)))

CASES = {
    "TripletMargin": [
        Case("default", TRIPLES, _X),
        Case("margin", TRIPLES, _X, {"margin": 0.2}),
        Case("soft", TRIPLES, _X, {"soft": True}),
        *(Case(mining, _UNEVEN, _Y, {"mining": mining}) for mining in _MINED),
        *_distances({"margin": 0.6}),
        Case("semihard-dot-soft", _UNEVEN, _Y, {"mining": "semihard", "distance": "dot", "soft": True}),
        Case("hard-squared", _UNEVEN, _Y, {"mining": "hard", "distance": "squared_euclidean"}),
        *(
            Case(f"five-{m}", THREE_TWO, FIVE, {"margin": 4.5, "mining": m}, smooth=m != "semihard", expect=values)
            for m, values in _MINED.items()
        ),
        *(
            Case(f"five-{m}-soft", THREE_TWO, FIVE, {"mining": m, "soft": True}, smooth=m != "semihard", expect=values)
            for m, values in _SOFT.items()
        ),
        # Positives 1 and 4; negatives (3, 7), (2, 6), (3, 2), (7, 6): only the third anchor has none farther than its positive.
        Case("line-semihard", PAIRS, LINE, {"margin": 2.5, "mining": "semihard"}, expect=array(0.5, 1.5, 3.5, 0.5)),
        # All triplets tie.
        Case(
            "all-the-same-semihard",
            PAIRS,
            SAME,
            {"margin": 0.3, "mining": "semihard"},
            smooth=False,
            expect=np.full(4, 0.3),
        ),
        *edges(5210, {"margin": 0.8}, expect={"all-the-same": np.full(4, 0.8)}, kinks=_COLLAPSED),
    ],
    "LiftedStructure": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        Case("margin", TRIPLES, _X, {"margin": 0.3}),
        Case("large-margin", TRIPLES, _X, {"margin": 900.0}),
        *_distances({"margin": 0.5}),
        Case("far", TRIPLES, 100 * _X),
        Case("line", PAIRS, LINE, expect=array(*(max(1 + _PUSH + d, 0) ** 2 / 2 for d in (1, 1, 4, 4)))),
        # Below zero for the near pair: log sum + 1 - 1 < 0.
        Case("line-inactive", PAIRS, LINE, {"margin": 0.0}, expect=array(0, 0, (4 + _PUSH) ** 2 / 2, (4 + _PUSH) ** 2 / 2)),
        # Positives at distance 0, four negatives at distance 1.
        Case("axes", PAIRS, AXES, {"margin": 0.25, "distance": "cosine"}, expect=np.full(4, (np.log(4) - 0.75) ** 2 / 2)),
        # The positive at distance 1; of the four negatives two at distance 0 and two at 1.
        Case(
            "axes-crossed",
            CROSSED,
            AXES,
            {"margin": 0.25, "distance": "cosine"},
            expect=np.full(4, (np.log(2 + 2 * np.exp(-1)) + 0.25 + 1) ** 2 / 2),
        ),
        *edges(5220, expect={"all-the-same": np.full(4, (np.log(4) + 1) ** 2 / 2)}, kinks=_COLLAPSED),
    ],
    "GeneralizedLiftedStructure": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        Case("margin", TRIPLES, _X, {"margin": 0.3}),
        Case("large-margin", TRIPLES, _X, {"margin": 900.0}),
        *_distances({"margin": 0.5}),
        Case("far", TRIPLES, 100 * _X),
        Case(
            "line",
            PAIRS,
            LINE,
            {"margin": 3.0},
            expect=array(
                1 + np.log(np.exp(0) + np.exp(-4)),
                1 + np.log(np.exp(1) + np.exp(-3)),
                4 + np.log(np.exp(0) + np.exp(1)),
                4 + np.log(np.exp(-4) + np.exp(-3)),
            ),
        ),
        Case("line-inactive", PAIRS, LINE, {"margin": 0.5}, expect=array(0, 0, 4.5 + np.log(np.exp(-3) + np.exp(-2)), 0)),
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            {"margin": 0.25, "distance": "cosine"},
            expect=array(np.log(1 + np.e) - 0.75, np.log(1 + np.e) - 0.75, np.log(2) + 1 + 0.25, 0),
        ),
        *edges(5230, expect={"all-the-same": np.full(4, np.log(2) + 1)}, kinks=_COLLAPSED),
    ],
    "NPairs": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        Case("one-pair-a-class", np.array([0, 1, 2, 0, 1, 2]), _X),
        Case("large", TRIPLES, 30 * _X, smooth=False),
        Case("small", TRIPLES, 0.01 * _X),
        # Inner products 2 | 0, 1; 2 | 0, 2; 1 | 0, 0; 1 | 1, 2.
        Case(
            "products",
            PAIRS,
            array([1, 0], [2, 0], [0, 1], [1, 1]),
            expect=np.log(array(1 + np.exp(-2) + np.exp(-1), 2 + np.exp(-2), 1 + 2 * np.exp(-1), 2 + np.e)),
        ),
        Case("axes-scaled", PAIRS, 3 * AXES, expect=np.full(4, np.log(1 + 2 * np.exp(-9)))),
        # Two positives for each of the three: (1, 0 | 0) twice, (0, 0 | 1).
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            expect=array(*[(np.log(1 + np.exp(-1)) + np.log(2)) / 2] * 2, np.log(1 + np.e), 0),
        ),
        *edges(5240, expect={"all-the-same": np.full(4, np.log(3))}),
    ],
    "Angular": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        Case("alpha", TRIPLES, _X, {"alpha": 55.0}),
        Case("alpha-small", TRIPLES, _X, {"alpha": 5.0}),
        Case("alpha-large", TRIPLES, _X, {"alpha": 85.0}, smooth=False),
        Case("lengths", TRIPLES, _LENGTHS, {"alpha": 45.0}),
        # a.p = 1 and (a + p).n = 0; tan 45 = 1.
        Case("axes", PAIRS, AXES, {"alpha": 45.0}, expect=np.full(4, np.log(1 + 2 * np.exp(-4)))),
        Case(
            "axes-lengths",
            PAIRS,
            AXES * array([4], [0.5], [1], [2]),
            {"alpha": 45.0},
            expect=np.full(4, np.log(1 + 2 * np.exp(-4))),
        ),
        # a.p = 0 and (a + p).n = 1 for both negatives; tan^2 60 = 3.
        Case("axes-crossed", CROSSED, AXES, {"alpha": 60.0}, expect=np.full(4, np.log(1 + 2 * np.exp(12)))),
        # tan^2 30 = 1/3: f = 4/3 (a + p).n - 8/3 a.p over two positives.
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            {"alpha": 30.0},
            expect=array(
                *[(np.log(1 + np.exp(-8 / 3)) + np.log(1 + np.exp(4 / 3))) / 2] * 2,
                np.log(1 + np.exp(4 / 3)),
                0,
            ),
        ),
        *edges(
            5250, {"alpha": 45.0}, expect={"all-the-same": np.full(4, np.log(1 + 2 * np.exp(8 - 4)))}, kinks=("zero-vectors",)
        ),
    ],
}
