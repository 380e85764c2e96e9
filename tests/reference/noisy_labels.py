"""Losses for noisy labels, between cross-entropy and absolute error.

Zhang & Sabuncu 2018, "Generalized Cross Entropy Loss for Training Deep Neural
Networks with Noisy Labels". Feng et al. 2020, "Can Cross Entropy Loss Be
Robust to Label Noise?".
"""

import numpy as np

from ._case import EPSILON, Case, array, labels, normal, one_hot, simplex
from ._labelled import common_cases, distribution, per_label, smoothed, smoothing_cases


def _power(p, q):
    """p^q, continued as a line through 0 below epsilon."""
    return p**q if p >= EPSILON else p * EPSILON ** (q - 1)


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
        values[index] = (1 - _power(y_pred[index][label], q)) / q
    return values


def _expected(one, y_true, y_pred, label_smoothing, ignore_class, class_weight):
    """The loss `one(row)[c]` of each class c, weighed by its share of the label and by its weight."""

    def of(y, row):
        losses = one(row)
        share = smoothed(y, label_smoothing)
        weight = [1.0] * len(row) if class_weight is None else class_weight
        return sum(share[c] * weight[c] * losses[c] for c in range(len(row)))

    return per_label(of, y_true, y_pred, ignore_class, class_weight, weigh=False)


def generalized_crossentropy(
    y_true, y_pred, from_logits=False, q=0.7, label_smoothing=0.0, ignore_class=None, class_weight=None
):
    """sum_c y_c (1 - p_c^q) / q; from logits the power is exact, from probabilities it has a floor."""

    def one(row):
        p = distribution(row, from_logits)
        return [(1 - (x**q if from_logits else _power(x, q))) / q for x in p]

    return _expected(one, y_true, y_pred, label_smoothing, ignore_class, class_weight)


def taylor_crossentropy(y_true, y_pred, from_logits=False, order=2, label_smoothing=0.0, ignore_class=None, class_weight=None):
    """sum_k (1 - p_y)^k / k, the terms of -log p_y about p_y = 1 up to the order."""

    def one(row):
        p = distribution(row, from_logits)
        return [sum((1 - x) ** k / k for k in range(1, order + 1)) for x in p]

    return _expected(one, y_true, y_pred, label_smoothing, ignore_class, class_weight)


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
    ],
    "GeneralizedCrossentropy": [
        *common_cases(100),
        *smoothing_cases(130),
        Case("one-hot", one_hot(labels(140, 3, 2, 4), 3), simplex(141, 2, 4, 3)),
        Case("soft-labels", simplex(142, 5, 4), normal(143, 5, 4), {"from_logits": True, "class_weight": (1.0, 2.0, 0.5, 3.0)}),
        Case("soft-labels-smoothed", simplex(144, 5, 3), simplex(145, 5, 3), {"label_smoothing": 0.3, "q": 0.4}),
        Case("one-hot-ignore", np.vstack([one_hot([2, 0], 3), np.zeros(3)]), simplex(151, 3, 3), {"ignore_class": -1}),
        Case("one-hot-ignore-a-class", one_hot([2, 0, 1], 3), simplex(152, 3, 3), {"ignore_class": 0}),
        Case("ids-in-a-column", labels(146, 3, 4, 1), simplex(147, 4, 3)),
        Case("q-small", labels(148, 3, 4), normal(149, 4, 3), {"q": 1e-3, "from_logits": True}),
        # q = 1 is half the absolute error of Ghosh et al.
        Case("q-one", np.array([0, 1, 0]), _P, {"q": 1.0}, expect=1 - array(0.25, 0.36, 0.5)),
        Case("q-one-logits", np.array([0, 1]), normal(150, 2, 3), {"q": 1.0, "from_logits": True}),
        Case("by-hand", np.array([0, 1, 0]), _P, {"q": 0.5}, expect=array(2 * (1 - 0.5), 2 * (1 - 0.6), 2 * (1 - 0.5**0.5))),
        Case("saturated", np.array([0, 0]), array([30.0, -30.0], [-30.0, 30.0]), {"from_logits": True, "q": 0.5}),
    ],
    "TaylorCrossentropy": [
        *common_cases(200),
        *smoothing_cases(230),
        Case("order-1", np.array([0, 1, 0]), _P, {"order": 1}, expect=1 - array(0.25, 0.36, 0.5)),
        Case("order-3", labels(240, 3, 4), simplex(241, 4, 3), {"order": 3}),
        Case("order-20", labels(242, 3, 4), normal(243, 4, 3), {"order": 20, "from_logits": True}),
        # Half the sum of absolute and squared error of the one-hot label, for two classes.
        Case(
            "order-2-by-hand",
            np.array([0, 1]),
            array([0.25, 0.75], [0.4, 0.6]),
            expect=array(0.75 + 0.75**2 / 2, 0.4 + 0.4**2 / 2),
        ),
        # sum_k 1 / k at p = 0.
        Case("worst", np.array([0]), array([0.0, 1.0]), {"order": 4}, smooth=False, expect=array(1 + 1 / 2 + 1 / 3 + 1 / 4)),
    ],
}
