"""Scores of a confusion matrix as losses, from their definitions.

Soft F1: 1 - 2 TP / (2 TP + FP + FN), the counts being sums of probabilities;
for hard labels, 2 TP + FP + FN is the number of labels plus that of
predictions. Weighted kappa: de la Torre, Puig, Valls 2018, "Weighted kappa
loss function for multi-class classification of ordinal data in deep learning":
log(1 - kappa).
"""

import numpy as np

from ._case import EPSILON, Case, array, binary, one_hot, random_one_hot, simplex, uniform


def soft_f1(y_true, y_pred, average="macro", smooth=EPSILON, class_weight=None):
    """What each row adds to FP + FN, relative to the score's 2 TP + FP + FN

    Times the number of rows, so that the mean is the loss of the batch.
    """
    y, p = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
    classes = y.shape[-1]
    weight = np.ones(classes) if class_weight is None else np.asarray(class_weight)
    values = np.zeros(y.shape[:-1])
    rows = list(np.ndindex(values.shape))

    def mistakes(row, c):
        return (1 - y[row][c]) * p[row][c] + y[row][c] * (1 - p[row][c])

    def ratio(a, b):
        return a / b if b else 0.0

    totals = [sum(y[row][c] + p[row][c] for row in rows) for c in range(classes)]
    for row in rows:
        if average == "macro":
            for c in range(classes):
                part = ratio(len(rows) * mistakes(row, c), totals[c] + smooth)
                values[row] += ratio(weight[c] * part, sum(weight))
            continue
        wrong = sum(weight[c] * mistakes(row, c) for c in range(classes))
        if average == "micro":
            wrong *= len(rows)
            total = sum(weight[c] * totals[c] for c in range(classes))
        else:
            total = sum(weight[c] * (y[row][c] + p[row][c]) for c in range(classes))
        values[row] = ratio(wrong, total + smooth)
    return values


def kappa(y_true, y_pred, weightage="quadratic"):
    """Cohen's weighted kappa of rows of labels and of probabilities."""
    classes = y_true.shape[-1]
    y, p = y_true.reshape(-1, classes), y_pred.reshape(-1, classes)
    observed = expected = 0.0
    for i in range(classes):
        for j in range(classes):
            distance = abs(i - j) / (classes - 1)
            w = distance if weightage == "linear" else distance**2
            observed += w * sum(y[n, i] * p[n, j] for n in range(len(y)))
            expected += w * sum(y[:, i]) * sum(p[:, j]) / len(y)
    return 1 - observed / expected


def weighted_kappa(y_true, y_pred, num_classes, weightage="quadratic", epsilon=1e-6):
    """The tangent of log(x + epsilon) at x = 1 - kappa, at the part of x that is each row's

    The mean of the rows' parts is x, so the mean of the values is the paper's
    loss. Where kappa is 0 / 0 no row counts.
    """
    y, p = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
    assert y.shape[-1] == num_classes
    values = np.zeros(y.shape[:-1])
    rows = list(np.ndindex(values.shape))

    def w(i, j):
        distance = abs(i - j) / (num_classes - 1)
        return distance if weightage == "linear" else distance**2

    pairs = [(i, j) for i in range(num_classes) for j in range(num_classes)]
    expected = sum(w(i, j) * sum(y[r][i] for r in rows) * sum(p[r][j] for r in rows) for i, j in pairs) / len(rows)
    if expected == 0:
        return values, np.zeros(values.shape, bool)
    parts = {r: len(rows) * sum(w(i, j) * y[r][i] * p[r][j] for i, j in pairs) / expected for r in rows}
    x = sum(parts.values()) / len(rows)
    for r in rows:
        values[r] = np.log(x + epsilon) + (parts[r] - x) / (x + epsilon)
    return values, np.ones(values.shape, bool)


_WEIGHTS = (0.5, 2.0, 0.0)
_NO_CLASS_1 = binary(3000, 4, 3) * array(1, 0, 1)


def _averages(name, y_true, y_pred, expect=None, smooth=True, **config):
    return [
        Case(f"{name}-{average}", y_true, y_pred, {**config, "average": average}, smooth, (expect or {}).get(average))
        for average in ("macro", "micro", "samples")
    ]


_F1 = [
    *_averages("rank-2", binary(3001, 5, 3), uniform(3002, 5, 3)),
    *_averages("rank-3", binary(3003, 2, 4, 3), uniform(3004, 2, 4, 3)),
    *_averages("rank-4", binary(3005, 2, 2, 3, 3), uniform(3006, 2, 2, 3, 3)),
    *_averages("one-class", binary(3007, 5, 1), uniform(3008, 5, 1)),
    *_averages("one-sample", binary(3009, 1, 4), uniform(3010, 1, 4)),
    *_averages("soft-truth", uniform(3011, 4, 3), uniform(3012, 4, 3)),
    *_averages("class-weight", binary(3015, 4, 3), uniform(3016, 4, 3), class_weight=_WEIGHTS),
    *_averages("class-absent", _NO_CLASS_1, uniform(3017, 4, 3)),
    *_averages(
        "nothing",
        np.zeros((2, 3)),
        np.zeros((2, 3)),
        smooth=False,
        expect=dict.fromkeys(("macro", "micro", "samples"), np.zeros(2)),
    ),
    Case("default", binary(3018, 5, 3), uniform(3019, 5, 3)),
    Case("smooth", binary(3020, 5, 3), uniform(3021, 5, 3), {"smooth": 2.0}),
    Case("smooth-samples", binary(3022, 5, 3), uniform(3023, 5, 3), {"smooth": 2.0, "average": "samples"}),
    Case("smooth-micro", binary(3024, 5, 3), uniform(3025, 5, 3), {"smooth": 2.0, "average": "micro"}),
    Case("smooth-zero", binary(3026, 5, 3), uniform(3027, 5, 3), {"smooth": 0.0}),
    Case("smooth-zero-nothing", np.zeros((2, 3)), np.zeros((2, 3)), {"smooth": 0.0}, smooth=False, expect=np.zeros(2)),
    Case("perfect", np.eye(3), np.eye(3), expect=np.zeros(3)),
    # TP = 0.75, FP = 0.5, FN = 0.25; the first row has a third of the mistakes.
    Case(
        "by-hand",
        array([1.0], [0.0]),
        array([0.75], [0.5]),
        {"smooth": 0.0},
        expect=array(0.25, 0.5) * 2 / (2 * 0.75 + 0.5 + 0.25),
    ),
]


def _rated(name, seed, *shape, truth=random_one_hot, **config):
    config = {"num_classes": shape[-1], **config}
    return [
        Case(f"{name}-{w}", truth(seed, *shape), simplex(seed + 1, *shape), {**config, "weightage": w})
        for w in ("quadratic", "linear")
    ]


# Three of four right, one off by one class of three: x = (1 / 4) / (classes' products / 4).
_RATED = one_hot([0, 1, 2, 2], 3)
_GIVEN = one_hot([0, 1, 2, 1], 3)
_SHARE_Q = 0.25 / ((1 * 2 + 1 * (1 + 1) + 2 * 2) / 4 * 0.25 + (1 * 1 + 2 * 1) / 4)
_SHARE_L = 0.5 / ((1 * 2 + 1 * (1 + 1) + 2 * 2) / 4 * 0.5 + (1 * 1 + 2 * 1) / 4)


def _one_mistake(x, epsilon=1e-6):
    """Three rows right; the fourth has all of x."""
    return np.log(x + epsilon) + (array(0, 0, 0, 4 * x) - x) / (x + epsilon)


_KAPPA = [
    *_rated("rank-2", 3100, 6, 4),
    *_rated("rank-3", 3110, 2, 4, 3),
    *_rated("rank-4", 3120, 2, 2, 3, 3),
    *_rated("two-classes", 3130, 6, 2),
    *_rated("soft-truth", 3140, 5, 3, truth=simplex),
    *_rated("epsilon", 3150, 5, 3, epsilon=0.1),
    Case("default", random_one_hot(3160, 6, 5), simplex(3161, 6, 5), {"num_classes": 5}),
    Case("by-hand", _RATED, _GIVEN, {"num_classes": 3}, expect=_one_mistake(_SHARE_Q)),
    Case("by-hand-linear", _RATED, _GIVEN, {"num_classes": 3, "weightage": "linear"}, expect=_one_mistake(_SHARE_L)),
    Case("perfect", np.eye(3), np.eye(3), {"num_classes": 3}, smooth=False, expect=np.full(3, np.log(1e-6))),
    # The labels of one sample, or of one class, are no ranking to agree with: kappa is 0 whatever is predicted.
    Case("one-sample", one_hot([1], 3), simplex(3170, 1, 3), {"num_classes": 3}, expect=array(np.log(1 + 1e-6))),
    Case("undefined", one_hot([1, 1], 3), one_hot([1, 1], 3), {"num_classes": 3}, smooth=False, expect=np.zeros(2)),
    # Everything opposite: x = 2.
    Case("opposite", np.eye(2), np.eye(2)[::-1], {"num_classes": 2}, expect=np.full(2, np.log(2 + 1e-6))),
]

CASES = {"SoftF1": _F1, "WeightedKappa": _KAPPA}
