"""Metric learning losses of the order in which an anchor finds the others, or of the distribution of similarities.

s is the cosine of two embeddings (see `_embeddings.py`).

FastAP: Cakir et al. 2019, "Deep metric learning to rank": 1 - sum over z of h+(z) H+(z) / H(z) / N+, where h+(z) counts the
positives of the anchor at squared distance z and h(z) all others, softly: a distance d of 2 - 2 s within [0, 4] gives max(0,
1 - |d - z| / step) to each of the num_bins + 1 points z = 0, step, ..., 4, step = 4 / num_bins. H+ and H are their sums up to
z. Points with H = 0 give nothing. num_bins 10 (paper). A zero vector has s = 0, so d = 2. One value an anchor; it counts if
it has a positive. The anchor is not in its own list.

SmoothAP: Brown et al. 2020, arXiv:2007.12163: 1 - the mean over the positives p of R+ / R, R+ = 1 + the sum over the other
positives j of g(s_j - s_p), R the same over all others, g(x) = 1 / (1 + exp(-x / temperature)). Equal similarities count one
half. temperature 0.01 (paper). The anchor is not in its own list. One value an anchor; it counts if it has a positive.

Histogram: Ustinova and Lempitsky 2016, arXiv:1611.00822: the chance that a negative pair is as similar as a positive pair,
from soft histograms of s on num_bins + 1 points t = -1, -1 + step, ..., 1, step = 2 / num_bins: a pair gives max(0, 1 - |s -
t| / step) to each, phi(t) is the share of the positive pairs up to t, and the loss the sum over t of h-(t) phi(t). phi is of
all positive pairs of the batch, as in the paper; h- is of the negatives of the anchor, so that each anchor has a value. Their
mean is the paper's loss where all anchors have equally many negatives (it weighs negative pairs alike, this one anchors).
num_bins 100. An anchor counts that has a negative, provided that the batch has a positive pair.
"""

import numpy as np

from ._case import Case, array, normal
from ._embeddings import (
    AXES,
    CROSSED,
    EQUAL_IDS,
    OTHER_IDS,
    PAIRS,
    THREE_ONE,
    TRIPLES,
    average,
    cosine,
    edges,
    partners,
    per_anchor,
)


def _share(position, point, step):
    """What a soft histogram gives to a point."""
    return max(1 - abs(position - point) / step, 0.0)


def fast_ap(y_true, y_pred, num_bins=10):
    step = 4 / num_bins

    def value(x, i, positives, negatives):
        if not positives:
            return None
        precision, found, seen = 0.0, 0.0, 0.0
        for z in range(num_bins + 1):
            here = sum(_share(2 - 2 * cosine(x[i], x[p]), z * step, step) for p in positives)
            found += here
            seen += here + sum(_share(2 - 2 * cosine(x[i], x[n]), z * step, step) for n in negatives)
            if seen > 0:
                precision += here * found / seen
        return 1 - precision / len(positives)

    return per_anchor(y_true, y_pred, value)


def _before(x, temperature):
    """The smooth step 1 / (1 + exp(-x / T)), without overflow."""
    small = np.exp(-abs(x) / temperature)
    return 1 / (1 + small) if x >= 0 else small / (1 + small)


def smooth_ap(y_true, y_pred, temperature=0.01):
    def value(x, i, positives, negatives):
        if not positives:
            return None
        precisions = []
        for p in positives:
            s = cosine(x[i], x[p])
            rank = 1 + sum(_before(cosine(x[i], x[j]) - s, temperature) for j in positives if j != p)
            behind = sum(_before(cosine(x[i], x[j]) - s, temperature) for j in negatives)
            precisions.append(rank / (rank + behind))
        return 1 - average(precisions)

    return per_anchor(y_true, y_pred, value)


def histogram(y_true, y_pred, num_bins=100):
    ids, embeddings = np.asarray(y_true).ravel(), np.asarray(y_pred, np.float64)
    step = 2 / num_bins
    similar = [cosine(embeddings[i], embeddings[p]) for i in range(len(ids)) for p in partners(ids, i)[0]]

    def value(x, i, positives, negatives):
        if not similar or not negatives:
            return None
        total, phi = 0.0, 0.0
        for r in range(num_bins + 1):
            t = -1 + r * step
            phi += average(_share(s, t, step) for s in similar)
            total += phi * average(_share(cosine(x[i], x[n]), t, step) for n in negatives)
        return total

    return per_anchor(ids, embeddings, value)


_X = normal(5500, 6, 4)
_Y = normal(5501, 8, 3)
_UNEVEN = np.array([2, 0, 2, 1, 0, 2, 1, 2])
_LENGTHS = _X * array([1], [9], [0.2], [50], [3], [0.7])


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


# Vectors of length 1 in exact numbers: from the first, s = 0.6, -0.6, 0.8, -0.8.
_ANGLES = array([1, 0], [0.6, 0.8], [-0.6, 0.8], [0.8, 0.6], [-0.8, 0.6])

CASES = {
    "FastAP": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        Case("lengths", TRIPLES, _LENGTHS),
        Case("num-bins", TRIPLES, _X, {"num_bins": 5}),
        Case("num-bins-many", _UNEVEN, _Y, {"num_bins": 37}),
        Case("one-bin", TRIPLES, _X, {"num_bins": 1}),
        # Positives are found first.
        Case("axes", PAIRS, AXES, {"num_bins": 4}, smooth=False, expect=np.zeros(4)),
        # A negative at 0, then at 2, a point, the positive beside the other negative: 1 of 3.
        Case("axes-crossed", CROSSED, AXES, {"num_bins": 4}, smooth=False, expect=np.full(4, 1 - 1 / 3)),
        # 2 is halfway between 4/3 and 8/3: a half of the positive at 1/2 of 2, a half at 1 of 3.
        Case(
            "between-points", CROSSED, AXES, {"num_bins": 3}, smooth=False, expect=np.full(4, 1 - (0.5 * 0.5 / 2 + 0.5 * 1 / 3))
        ),
        # One at 0 and one at 2 with the negative; both at 2 behind the negative at 0; no positive.
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            {"num_bins": 2},
            smooth=False,
            expect=array(*[1 - (1 + 2 / 3) / 2] * 2, 1 - (2 * 2 / 3) / 2, 0),
        ),
        # The first and its likes against one opposite vector, which shares the last point with the second positive.
        Case(
            "opposite",
            np.array([0, 0, 0, 1]),
            array([1, 0], [2, 0], [-1, 0], [-3, 0]),
            {"num_bins": 8},
            smooth=False,
            expect=array(*[1 - (1 + 2 / 3) / 2] * 2, 1 - (2 * 2 / 3) / 2, 0),
        ),
        Case("axes-no-negatives", EQUAL_IDS, AXES, smooth=False, expect=np.zeros(4)),
        *edges(
            5510,
            {"num_bins": 7},
            expect={"no-positives": np.zeros(4), "no-negatives": np.zeros(3), "all-the-same": np.full(4, 1 - 1 / 3)},
            kinks=("all-the-same", "duplicates", "zero-vectors"),
        ),
    ],
    "SmoothAP": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        Case("lengths", TRIPLES, _LENGTHS, {"temperature": 0.05}),
        Case("temperature", TRIPLES, _X, {"temperature": 0.2}),
        Case("temperature-large", _UNEVEN, _Y, {"temperature": 50.0}),
        Case("axes", PAIRS, AXES, {"temperature": 0.5}, expect=np.full(4, 1 - 1 / (1 + 2 * _sigmoid(-2)))),
        # A tie with one negative counts one half.
        Case("axes-crossed", CROSSED, AXES, {"temperature": 0.5}, expect=np.full(4, 1 - 1 / (1.5 + _sigmoid(2)))),
        Case("axes-crossed-default", CROSSED, AXES, expect=np.full(4, 1 - 1 / 2.5)),
        # Two positives that tie behind a negative; for the others one ahead of and one beside it.
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            {"temperature": 0.5},
            expect=array(
                *[1 - ((1 + _sigmoid(-2)) / (1 + 2 * _sigmoid(-2)) + (1 + _sigmoid(2)) / (1.5 + _sigmoid(2))) / 2] * 2,
                1 - 1.5 / (1.5 + _sigmoid(2)),
                0,
            ),
        ),
        # Hard ranks. Similarities, negatives in brackets, from the first: (0.8), 0.6, (-0.6), -0.8, an average precision of
        # (1/2 + 2/4) / 2; the second: (0.96), 0.6, (0.28), 0 and the last: (0.96), 0, (-0.28), -0.8 likewise; the third:
        # (0.96), (0.28), 0, (-0.6) and the fourth: (0.96), (0.8), 0, (-0.28), with the positive third.
        Case(
            "hard-ranks",
            np.array([0, 0, 1, 1, 0]),
            _ANGLES,
            {"temperature": 0.0005},
            smooth=False,
            expect=array(0.5, 0.5, 1 - 1 / 3, 1 - 1 / 3, 0.5),
        ),
        Case("axes-no-negatives", EQUAL_IDS, AXES, expect=np.zeros(4)),
        *edges(
            5530,
            {"temperature": 0.1},
            expect={
                "no-positives": np.zeros(4),
                "no-negatives": np.zeros(3),
                "all-the-same": np.full(4, 1 - 1 / 2),
            },
            kinks=("zero-vectors",),
        ),
    ],
    "Histogram": [
        # Of three features: the gradient depends on places within bins, known to num_bins / 2 roundings of a cosine.
        Case("default", TRIPLES, _Y[:6]),
        Case("uneven", _UNEVEN, _Y),
        Case("lengths", TRIPLES, _LENGTHS),
        Case("num-bins", TRIPLES, _X, {"num_bins": 5}),
        Case("num-bins-even", _UNEVEN, _Y, {"num_bins": 12}),
        Case("one-bin", TRIPLES, _X, {"num_bins": 1}),
        # Positive pairs at 1, negative ones at 0.
        Case("axes", PAIRS, AXES, {"num_bins": 4}, smooth=False, expect=np.zeros(4)),
        # Positive pairs at 0; a negative at 1, one at 0, where the positive ones count as passed.
        Case("axes-crossed", CROSSED, AXES, {"num_bins": 4}, smooth=False, expect=np.ones(4)),
        # 0 is halfway between -1/3 and 1/3: half of a negative there passes half of the positive pairs.
        Case("between-points", CROSSED, AXES, {"num_bins": 3}, smooth=False, expect=np.full(4, (1 + (0.5 * 0.5 + 0.5)) / 2)),
        # Positive pairs at 1, 0, 0; negatives at 0 for the first two and at 1 for the third; the fourth has no positive of its
        # own and negatives at 0, 0, 1.
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            {"num_bins": 4},
            smooth=False,
            expect=array(2 / 3, 2 / 3, 1, (2 / 3 + 2 / 3 + 1) / 3),
        ),
        # One bin: the ends -1 and 1 get (1 - s) / 2 and (1 + s) / 2. Positive pairs at 1, negatives at 0, half at the end 1.
        Case("axes-one-bin", PAIRS, AXES, {"num_bins": 1}, smooth=False, expect=np.full(4, 0.5)),
        Case("axes-no-positives", OTHER_IDS, AXES, smooth=False, expect=np.zeros(4)),
        *edges(
            5550,
            {"num_bins": 9},
            expect={"no-positives": np.zeros(4), "no-negatives": np.zeros(3), "all-the-same": np.ones(4)},
            kinks=("all-the-same", "duplicates", "zero-vectors"),
        ),
    ],
}
