"""Metric learning losses that are a cross-entropy over the other embeddings of a batch.

s is the cosine of two embeddings, D their distance (see `_embeddings.py`); `temperature` divides either.

SupervisedContrastive: Khosla et al. 2020, arXiv:2004.11362, the form with the sum outside of the logarithm (L_out): the mean
over the positives p of an anchor of -log(exp(s_p / T) / sum over all others of exp(s / T)), the anchor itself left out.
Temperature 0.1 (paper). One value an anchor; it counts if it has a positive. Without negatives the others are its positives
alone, and the value is still the formula's (it asks for equal similarities).

NTXent: Chen et al. 2020, "A simple framework for contrastive learning of visual representations", arXiv:2002.05709: the mean
over the positives p of -log(exp(s_p / T) / (exp(s_p / T) + sum over the negatives of exp(s / T))). The paper has one positive
only, and calls all other embeddings negatives; with more, other positives are no negatives, so they are left out (this is
what tells the loss from SupervisedContrastive). Temperature 0.1 (paper's default). Of `(B, D)` embeddings positives share a
label: one value an anchor. Of `(B, V, D)` views the positives of a view are the other views of its sample, the negatives all
views of other samples, and labels are ignored: one value a view, `(B, V)`. An anchor counts that has a positive and a
negative.

InfoNCE: van den Oord et al. 2018, arXiv:1807.03748, with the cosine and the temperature 0.07 of He et al. 2020 (MoCo),
arXiv:1911.05722. `(B, V, D)`: view 0 of a sample is the query. For each later view v: -log(exp(s / T) of view v of its own
sample / sum of exp(s / T) over view v of all samples); the mean over v. One direction: other queries are no candidates. One
value a sample; it counts if there is another sample. Labels are ignored.

MultipleNegativesRanking: Henderson et al. 2017, arXiv:1705.00652, with the cosine and the scale 20 (temperature 0.05) of
sentence-transformers. `(B, V, D)`: view 0 is the anchor, view 1 its positive, later views hard negatives: -log(exp(s / T) of
its positive / sum of exp(s / T) over views 1 and later of all samples). One value a sample; it counts if there is a candidate
besides its positive. Labels are ignored.

NeighborhoodComponents: Goldberger et al. 2004: -log p, p the sum over the positives of the softmax of -D over all others, the
anchor itself left out; squared Euclidean. (The paper's first objective is the sum of p; this is its second, the log.) One
value an anchor; it counts if it has a positive.

SoftNearestNeighbor: Frosst et al. 2019, arXiv:1902.01889: -log(sum over the positives of exp(-D / T) / sum over all others of
exp(-D / T)), squared Euclidean, no epsilon. Temperature 1. One value an anchor; it counts if it has a positive.
"""

import numpy as np

from ._case import Case, array, log_sum_exp, normal
from ._embeddings import (
    AXES,
    CROSSED,
    EQUAL_IDS,
    LINE,
    MIXED,
    PAIRS,
    THREE_ONE,
    TRIPLES,
    average,
    cosine,
    distance,
    edges,
    per_anchor,
)

_DISTANCE = distance  # an argument has the name too


def supervised_contrastive(y_true, y_pred, temperature=0.1):
    def value(x, i, positives, negatives):
        if not positives:
            return None
        total = log_sum_exp([cosine(x[i], x[j]) / temperature for j in positives + negatives])
        return average(total - cosine(x[i], x[p]) / temperature for p in positives)

    return per_anchor(y_true, y_pred, value)


def nt_xent(y_true, y_pred, temperature=0.1):
    x = np.asarray(y_pred, np.float64)
    if x.ndim == 3:
        samples, views = x.shape[:2]
        owners = [sample for sample in range(samples) for _ in range(views)]
        values, valid = nt_xent(owners, x.reshape(samples * views, -1), temperature)
        return values.reshape(samples, views), valid.reshape(samples, views)

    def value(x, i, positives, negatives):
        if not positives or not negatives:
            return None
        push = [cosine(x[i], x[n]) / temperature for n in negatives]
        pulls = [cosine(x[i], x[p]) / temperature for p in positives]
        return average(log_sum_exp([pull, *push]) - pull for pull in pulls)

    return per_anchor(y_true, x, value)


def info_nce(y_true, y_pred, temperature=0.07):
    x = np.asarray(y_pred, np.float64)
    samples, views = x.shape[:2]
    values, valid = np.zeros(samples), np.zeros(samples, bool)
    for i in range(samples):
        if samples == 1 or views == 1:
            continue
        terms = []
        for v in range(1, views):
            logits = [cosine(x[i, 0], x[j, v]) / temperature for j in range(samples)]
            terms.append(log_sum_exp(logits) - logits[i])
        values[i], valid[i] = average(terms), True
    return values, valid


def multiple_negatives_ranking(y_true, y_pred, temperature=0.05):
    x = np.asarray(y_pred, np.float64)
    samples, views = x.shape[:2]
    values, valid = np.zeros(samples), np.zeros(samples, bool)
    for i in range(samples):
        logits = [cosine(x[i, 0], x[j, v]) / temperature for j in range(samples) for v in range(1, views)]
        if len(logits) > 1:
            values[i], valid[i] = log_sum_exp(logits) - cosine(x[i, 0], x[i, 1]) / temperature, True
    return values, valid


def _neighbours(y_true, y_pred, logit):
    def value(x, i, positives, negatives):
        if not positives:
            return None
        total = log_sum_exp([logit(x[i], x[j]) for j in positives + negatives])
        return total - log_sum_exp([logit(x[i], x[p]) for p in positives])

    return per_anchor(y_true, y_pred, value)


def neighborhood_components(y_true, y_pred, distance="squared_euclidean", normalize=False):
    return _neighbours(y_true, y_pred, lambda x, y: -_DISTANCE(x, y, distance, normalize))


def soft_nearest_neighbor(y_true, y_pred, temperature=1.0):
    return _neighbours(y_true, y_pred, lambda x, y: -_DISTANCE(x, y, "squared_euclidean") / temperature)


_X = normal(5300, 6, 4, scale=0.7)
_Y = normal(5301, 8, 3, scale=0.7)
_UNEVEN = np.array([2, 0, 2, 1, 0, 2, 1, 2])
_LENGTHS = _X * array([1], [9], [0.2], [50], [3], [0.7])
_DISTANCES = ("cosine", "dot", "euclidean", "squared_euclidean")
_NONE = np.zeros(4, int)  # labels of views, which nothing depends on


def _temperatures(y_true, y_pred):
    """From nearly equal weights to the largest alone."""
    return [
        Case("temperature", y_true, y_pred, {"temperature": 0.5}),
        Case("temperature-large", y_true, y_pred, {"temperature": 100.0}),
        Case("temperature-small", y_true, y_pred, {"temperature": 0.03}),
    ]


def _softplus(x):
    return np.logaddexp(0.0, x)


def _views(*samples):
    """Unit vectors of the plane: 0 along the first axis, 1 along the second, 2 against the first."""
    return np.array([[[(1, 0), (0, 1), (-1, 0)][v] for v in sample] for sample in samples], np.float64)


def _view_edges(seed, expect):
    """What views of samples must survive; `expect` by name."""
    batches = {
        "labels-are-ignored": (np.array([7, 7, 1, 7]), normal(seed, 4, 2, 3)),
        "three-views": (_NONE, normal(seed + 1, 4, 3, 3)),
        "four-views": (np.arange(2), normal(seed + 2, 2, 4, 5)),
        "lengths": (_NONE, normal(seed + 3, 4, 2, 3) * np.array([[[1], [9]], [[0.2], [50]], [[3], [0.7]], [[1], [20]]])),
        "one-sample": (np.zeros(1, int), normal(seed + 4, 1, 2, 3)),
        "one-sample-three-views": (np.zeros(1, int), normal(seed + 5, 1, 3, 3)),
        "all-the-same": (_NONE, np.full((4, 2, 2), 0.5)),
        "duplicate-samples": (_NONE, _views((0, 1), (0, 1), (0, 1), (1, 2))),
        "zero-vectors": (
            _NONE,
            _views((0, 0), (0, 1), (1, 1), (2, 0)) * np.array([[[1], [0]], [[0], [0]], [[1], [1]], [[0], [1]]]),
        ),
    }
    return [Case(n, *batch, smooth=n != "zero-vectors", expect=expect.get(n)) for n, batch in batches.items()]


CASES = {
    "SupervisedContrastive": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        Case("lengths", TRIPLES, _LENGTHS),
        *_temperatures(TRIPLES, _X),
        # The others of each anchor are at s = 1, 0, 0; the positive is the first, then one of the second kind, then all three.
        Case("axes", PAIRS, AXES, {"temperature": 0.5}, expect=np.full(4, np.log(np.exp(2) + 2) - 2)),
        Case("axes-crossed", CROSSED, AXES, {"temperature": 0.5}, expect=np.full(4, np.log(np.exp(2) + 2))),
        Case("axes-no-negatives", EQUAL_IDS, AXES, {"temperature": 0.5}, expect=np.full(4, np.log(np.exp(2) + 2) - 2 / 3)),
        Case("axes-cold", CROSSED, AXES, {"temperature": 0.001}, expect=np.full(4, 1000.0)),
        *edges(
            5310,
            {"temperature": 0.4},
            expect={"no-positives": np.zeros(4), "all-the-same": np.full(4, np.log(3))},
            kinks=("zero-vectors",),
        ),
    ],
    "NTXent": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        Case("lengths", TRIPLES, _LENGTHS),
        *_temperatures(TRIPLES, _X),
        Case("axes", PAIRS, AXES, {"temperature": 0.5}, expect=np.full(4, np.log(1 + 2 * np.exp(-2)))),
        Case("axes-crossed", CROSSED, AXES, {"temperature": 0.5}, expect=np.full(4, np.log(2 + np.exp(2)))),
        Case("axes-cold", CROSSED, AXES, {"temperature": 0.001}, expect=np.full(4, 1000.0)),
        # Positives at s = 1 and 0 against a negative at 0, twice; two at 0 against 1; no positive.
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            {"temperature": 0.5},
            expect=array(*[(_softplus(-2) + np.log(2)) / 2] * 2, _softplus(2), 0),
        ),
        *edges(
            5330,
            {"temperature": 0.4},
            expect={"no-positives": np.zeros(4), "no-negatives": np.zeros(3), "all-the-same": np.full(4, np.log(3))},
            kinks=("zero-vectors",),
        ),
        Case("two-views", np.arange(4), normal(5340, 4, 2, 3)),
        Case("two-views-temperature", np.arange(4), normal(5341, 4, 2, 3), {"temperature": 0.7}),
        Case("views-apart", np.arange(2), _views((0, 0), (1, 1)), expect=np.full((2, 2), np.log(1 + 2 * np.exp(-10)))),
        Case("views-crossed", np.zeros(2, int), _views((0, 1), (1, 0)), expect=np.full((2, 2), np.log(2 + np.exp(10)))),
        # Each view has a positive of its direction, one across or against it, and three negatives in all directions.
        Case(
            "three-views-by-hand",
            np.arange(2),
            _views((0, 0, 2), (0, 0, 2)),
            {"temperature": 1.0},
            expect=np.array(
                [
                    [
                        (np.log(np.e + 2 * np.e + 1 / np.e) - 1 + np.log(2 / np.e + 2 * np.e) + 1) / 2,
                        (np.log(3 * np.e + 1 / np.e) - 1 + np.log(2 / np.e + 2 * np.e) + 1) / 2,
                        np.log(np.e + 3 / np.e) + 1,
                    ]
                ]
                * 2
            ),
        ),
        *(
            Case(f"views-{case.id}", case.y_true, case.y_pred, {"temperature": 0.3}, case.smooth, case.expect)
            for case in _view_edges(
                5350,
                {
                    "one-sample": np.zeros((1, 2)),
                    "one-sample-three-views": np.zeros((1, 3)),
                    "all-the-same": np.full((4, 2), np.log(7)),
                },
            )
        ),
    ],
    "InfoNCE": [
        Case("default", _NONE, normal(5360, 4, 2, 3)),
        *_temperatures(_NONE, normal(5361, 4, 2, 3)),
        Case("apart", np.arange(2), _views((0, 0), (1, 1)), {"temperature": 0.5}, expect=np.full(2, _softplus(-2))),
        # The query finds the other's key at s = 1, its own at 0; a key is no query.
        Case("crossed", np.arange(2), _views((0, 1), (1, 0)), {"temperature": 0.5}, expect=np.full(2, _softplus(2))),
        Case("cold", np.arange(2), _views((0, 1), (1, 0)), {"temperature": 0.001}, expect=np.full(2, 1000.0)),
        Case("one-direction", np.arange(2), _views((0, 0), (0, 1)), {"temperature": 0.5}, expect=_softplus(array(-2, 2))),
        # The second view is right for both, the third is wrong for both.
        Case(
            "right-and-wrong",
            np.arange(2),
            _views((0, 0, 1), (1, 1, 0)),
            {"temperature": 0.5},
            expect=np.full(2, (_softplus(-2) + _softplus(2)) / 2),
        ),
        *_view_edges(
            5370,
            {"one-sample": np.zeros(1), "one-sample-three-views": np.zeros(1), "all-the-same": np.full(4, np.log(4))},
        ),
    ],
    "MultipleNegativesRanking": [
        Case("default", _NONE, normal(5380, 4, 2, 3)),
        *_temperatures(_NONE, normal(5381, 4, 2, 3)),
        Case("hard-negatives", _NONE, normal(5382, 4, 3, 3), {"temperature": 0.3}),
        Case("apart", np.arange(2), _views((0, 0), (1, 1)), {"temperature": 0.5}, expect=np.full(2, _softplus(-2))),
        Case("crossed", np.arange(2), _views((0, 1), (1, 0)), {"temperature": 0.5}, expect=np.full(2, _softplus(2))),
        # Candidates at s = 1 (its own), 0, 0 (its own hard negative) and 1.
        Case(
            "hard-negatives-by-hand",
            np.arange(2),
            _views((0, 0, 1), (1, 1, 0)),
            {"temperature": 0.5},
            expect=np.full(2, np.log(2 + 2 * np.exp(-2))),
        ),
        # Its own hard negative is a negative without any other sample.
        Case("one-sample-by-hand", np.zeros(1, int), _views((0, 1, 0)), {"temperature": 0.5}, expect=_softplus(array(2))),
        *_view_edges(5390, {"one-sample": np.zeros(1), "all-the-same": np.full(4, np.log(4))}),
    ],
    "NeighborhoodComponents": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        *(Case(d, _UNEVEN, _Y, {"distance": d}) for d in _DISTANCES),
        *(Case(f"{d}-normalized", _UNEVEN, _Y, {"distance": d, "normalize": True}) for d in _DISTANCES[1:]),
        Case("cosine-lengths", TRIPLES, _LENGTHS, {"distance": "cosine"}),
        # exp(-D) of everything is 0 in either precision.
        Case("far", TRIPLES, 100 * _X, smooth=False),
        # The positive against two negatives: 1 | 9, 49; 1 | 4, 36; 16 | 9, 4; 16 | 49, 36.
        Case(
            "line",
            PAIRS,
            LINE,
            expect=np.log(
                1 + np.exp(array(1 - 9, 1 - 4, 16 - 9, 16 - 49)) + np.exp(array(1 - 49, 1 - 36, 16 - 4, 16 - 36)),
            ),
        ),
        Case(
            "line-euclidean",
            PAIRS,
            LINE,
            {"distance": "euclidean"},
            expect=np.log(1 + np.exp(array(1 - 3, 1 - 2, 4 - 3, 4 - 7)) + np.exp(array(1 - 7, 1 - 6, 4 - 2, 4 - 6))),
        ),
        # Positives at distance 0 and 1, a negative at 1, twice; two at 1, a negative at 0; no positive.
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            {"distance": "cosine"},
            expect=array(*[np.log((1 + 2 / np.e) / (1 + 1 / np.e))] * 2, np.log((1 + 2 / np.e) / (2 / np.e)), 0),
        ),
        *edges(
            5400,
            scale=0.7,
            expect={"no-positives": np.zeros(4), "no-negatives": np.zeros(3), "all-the-same": np.full(4, np.log(3))},
        ),
        Case(
            "duplicates-euclidean",
            MIXED,
            np.round(normal(5410, 7, 1)) * array([1, 0.5]),
            {"distance": "euclidean"},
            smooth=False,
        ),
    ],
    "SoftNearestNeighbor": [
        Case("default", TRIPLES, _X),
        Case("uneven", _UNEVEN, _Y),
        *_temperatures(TRIPLES, _X),
        Case("far", TRIPLES, 100 * _X, smooth=False),
        Case(
            "line",
            PAIRS,
            LINE,
            {"temperature": 4.0},
            expect=np.log(
                1 + np.exp(array(1 - 9, 1 - 4, 16 - 9, 16 - 49) / 4) + np.exp(array(1 - 49, 1 - 36, 16 - 4, 16 - 36) / 4),
            ),
        ),
        # On the axes D is 0 within a direction and 2 across.
        Case(
            "axes-three",
            THREE_ONE,
            AXES,
            {"temperature": 2.0},
            expect=array(*[np.log((1 + 2 / np.e) / (1 + 1 / np.e))] * 2, np.log((1 + 2 / np.e) / (2 / np.e)), 0),
        ),
        *edges(
            5420,
            {"temperature": 0.8},
            scale=0.7,
            expect={"no-positives": np.zeros(4), "no-negatives": np.zeros(3), "all-the-same": np.full(4, np.log(3))},
        ),
    ],
}
