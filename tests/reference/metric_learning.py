"""Metric learning losses.

Sun et al. 2020, "Circle Loss: A Unified Perspective of Pair Similarity
Optimization".
"""

import numpy as np

from ._case import Case, array, log_sum_exp, softplus, unit_rows


def circle(y_true, y_pred, gamma=80.0, margin=0.4, remove_diagonal=True, paced_at=None):
    """log(1 + N P) for each anchor, with the sums over negatives and positives

    N = sum exp(gamma a_n (s - m)), P = sum exp(-gamma a_p (s - (1 - m))).
    Anchors without a positive or without a negative do not count. The paper's
    gradient holds the weights a constant: `paced_at` gives the embeddings at
    which they are taken, by default `y_pred`.
    """
    ids = np.asarray(y_true).ravel()
    embeddings = np.asarray(y_pred, np.float64)
    fixed = embeddings if paced_at is None else np.asarray(paced_at, np.float64)
    values = np.zeros(len(ids))
    valid = np.zeros(len(ids), bool)
    for i in range(len(ids)):
        positives, negatives = [], []
        for j in range(len(ids)):
            distance = max(1 - sum(embeddings[i] * embeddings[j]), 0.0)
            s = 1 - distance
            paced = 1 - max(1 - sum(fixed[i] * fixed[j]), 0.0)
            if ids[i] != ids[j]:
                pull = max(paced + margin, 0.0)
                negatives.append(gamma * pull * (s - margin))
            elif i != j or not remove_diagonal:
                pull = max(1 + margin - paced, 0.0)
                positives.append(-gamma * pull * (s - (1 - margin)))
        if positives and negatives:
            values[i] = softplus(log_sum_exp(positives) + log_sum_exp(negatives))
            valid[i] = True
    return values, valid


_X = array([1, 0], [1, 0], [0, 1], [0, 1])
_PAIRS = np.array([0, 0, 1, 1])
_CROSSED = np.array([0, 1, 0, 1])
_TRIPLES = np.array([0, 0, 1, 1, 0, 1])
_MIXED = np.array([3, 7, 3, 3, 7, 7])
_BIG = 2**24


def _softplus_all(x, anchors=4):
    return np.full(anchors, np.logaddexp(0.0, x))


CASES = {
    "Circle": [
        Case("default", _TRIPLES, unit_rows(1, 6, 4)),
        Case("mixed-order", _MIXED, unit_rows(2, 6, 5)),
        Case("int32", _MIXED.astype(np.int32), unit_rows(3, 6, 3), {"gamma": 4.0}),
        Case("gamma", _TRIPLES, unit_rows(4, 6, 4), {"gamma": 2.0}),
        Case("gamma-large", _TRIPLES, unit_rows(5, 6, 4), {"gamma": 256.0}),
        Case(
            "margin",
            _TRIPLES,
            unit_rows(6, 6, 4),
            {"margin": 0.1, "gamma": 8.0},
        ),
        Case("margin-default-gamma", _MIXED, unit_rows(7, 6, 4), {"margin": 0.25}),
        Case(
            "with-diagonal",
            _TRIPLES,
            unit_rows(8, 6, 4),
            {"remove_diagonal": False, "gamma": 5.0},
            smooth=False,
        ),
        Case(
            "with-diagonal-singletons",
            np.array([0, 1, 2, 2]),
            unit_rows(9, 4, 3),
            {"remove_diagonal": False, "gamma": 5.0},
            smooth=False,
        ),
        Case(
            "anchor-without-positives",
            np.array([0, 0, 1, 2, 2]),
            unit_rows(10, 5, 3),
            {"gamma": 10.0},
        ),
        Case(
            "no-positives",
            np.array([4, 2, 9, 0]),
            unit_rows(11, 4, 3),
            expect=np.zeros(4),
        ),
        Case(
            "no-negatives",
            np.array([5, 5, 5]),
            unit_rows(12, 3, 3),
            expect=np.zeros(3),
        ),
        Case(
            "single-sample",
            np.array([5]),
            unit_rows(13, 1, 3),
            expect=np.zeros(1),
        ),
        Case(
            "single-sample-with-diagonal",
            np.array([5]),
            unit_rows(14, 1, 3),
            {"remove_diagonal": False},
            smooth=False,
            expect=np.zeros(1),
        ),
        Case(
            "neighbouring-large-ids",
            np.array([_BIG, _BIG + 1, _BIG, _BIG + 1]),
            unit_rows(15, 4, 3),
            {"gamma": 6.0},
        ),
        Case(
            "negative-ids",
            np.array([-1, 0, -1, 0]),
            unit_rows(16, 4, 3),
            {"gamma": 6.0},
        ),
        # s is 1 within an id and 0 across, so a_p = a_n = m and each anchor
        # has one positive and two negatives at -gamma m^2.
        Case(
            "separated",
            _PAIRS,
            _X,
            {"gamma": 3.0, "margin": 0.25},
            smooth=False,
            expect=_softplus_all(np.log(2) - 2 * 3.0 * 0.25**2),
        ),
        # The diagonal is a second positive at -gamma m^2.
        Case(
            "separated-with-diagonal",
            _PAIRS,
            _X,
            {"gamma": 3.0, "margin": 0.25, "remove_diagonal": False},
            smooth=False,
            expect=_softplus_all(2 * np.log(2) - 2 * 3.0 * 0.25**2),
        ),
        # All wrong: the positive at s = 0 and the negatives at s = 1 and 0.
        Case(
            "all-wrong",
            _CROSSED,
            _X,
            smooth=False,
            expect=_softplus_all(80 * 1.4 * 0.6 + np.logaddexp(80 * 1.4 * 0.6, 80 * 0.4 * -0.4)),
        ),
        # Opposite vectors: s = -1 across, where a_n is clamped to zero.
        Case(
            "opposite",
            _PAIRS,
            array([1, 0], [1, 0], [-1, 0], [-1, 0]),
            {"gamma": 3.0},
            smooth=False,
            expect=_softplus_all(np.log(2) - 3.0 * 0.4**2),
        ),
        Case(
            "all-equal",
            _PAIRS,
            array([1, 0], [1, 0], [1, 0], [1, 0]),
            {"gamma": 3.0, "margin": 0.25},
            smooth=False,
            expect=_softplus_all(np.log(2) + 3.0 * (1.25 * 0.75 - 0.25**2)),
        ),
    ]
}


def circle_around(y_true, at, **config):
    """The function whose gradient at `at` the paper means."""
    return lambda y_pred: circle(y_true, y_pred, paced_at=at, **config)


# Losses whose gradient is not that of their value, because parts of it are constants: the function to differentiate.
DIFFERENTIATED = {"Circle": circle_around}
