"""Losses for noisy labels.

Zhang & Sabuncu 2018, "Generalized Cross Entropy Loss for Training Deep Neural
Networks with Noisy Labels".
"""

import numpy as np

from ._case import EPSILON, Case, array, labels, simplex


def categorical_generalized_cross_entropy(y_true, y_pred, q=0.5):
    """(1 - p_y^q) / q; p^q is continued as p eps^(q-1) below epsilon."""
    y_true = np.asarray(y_true)
    y_pred = np.asarray(y_pred, np.float64)
    classes = y_pred.shape[-1]
    values = np.empty(y_pred.shape[:-1])
    for index in np.ndindex(values.shape):
        label = y_true[index]
        if label < 0 or label >= classes:
            values[index] = np.nan
            continue
        p = y_pred[index][label]
        power = p**q if p >= EPSILON else p * EPSILON ** (q - 1)
        values[index] = (1 - power) / q
    return values


_P = array([0.25, 0.75], [0.64, 0.36], [0.5, 0.5])

CASES = {
    "CategoricalGeneralizedCrossEntropy": [
        Case("rank-2", labels(1, 4, 5), simplex(2, 5, 4)),
        Case("rank-3", labels(3, 3, 2, 5), simplex(4, 2, 5, 3)),
        Case("rank-4", labels(5, 3, 2, 3, 2), simplex(6, 2, 3, 2, 3)),
        Case("int32", labels(7, 3, 4).astype(np.int32), simplex(8, 4, 3)),
        Case("q-small", labels(9, 4, 5), simplex(10, 5, 4), {"q": 0.1}),
        Case("q-0.7", labels(11, 3, 2, 5), simplex(12, 2, 5, 3), {"q": 0.7}),
        Case(
            "by-hand",
            np.array([0, 1, 0]),
            _P,
            expect=array(2 * (1 - 0.5), 2 * (1 - 0.6), 2 * (1 - 0.5**0.5)),
        ),
        Case(
            "perfect-and-wrong",
            np.array([0, 0]),
            array([1.0, 0.0], [0.0, 1.0]),
            smooth=False,
            expect=array(0.0, 2.0),
        ),
        Case(
            "below-epsilon",
            np.array([0, 1]),
            array([2e-8, 1 - 2e-8], [1 - 5e-8, 5e-8]),
            {"q": 0.4},
            smooth=False,
            expect=array(
                (1 - 2e-8 * EPSILON**-0.6) / 0.4,
                (1 - 5e-8 * EPSILON**-0.6) / 0.4,
            ),
        ),
        Case(
            "label-out-of-range",
            np.array([1, -1, 2]),
            _P,
            smooth=False,
            expect=array(2 * (1 - 0.75**0.5), np.nan, np.nan),
        ),
    ]
}
