"""Losses of several labels at once, and their kin for one label.

AsymmetricMultilabel: Ben-Baruch et al. 2020, "Asymmetric Loss For Multi-Label
Classification". The single-label form is in the code of that paper alone:
smoothed labels, each class weighed as if it were a label of its own.
TwoWay: Kobayashi 2023. ZLPR: Su et al. 2022, with its form for soft labels.
Soft margin and multi-class margin: their definitions.
"""

import numpy as np

from . import _multilabel_cases
from ._case import EPSILON, log_softmax, log_sum_exp, per_vector, softplus

CASES = _multilabel_cases.CASES


def _sigmoid(z):
    return 1 / (1 + np.exp(-z)) if z > 0 else np.exp(z) / (1 + np.exp(z))


def asymmetric_multilabel(
    y_true,
    y_pred,
    from_logits=False,
    gamma_neg=4.0,
    gamma_pos=0.0,
    clip=0.05,
    axis=-1,
    class_weight=None,
):
    """mean of -y (1 - p)^g+ log p - (1 - y) p_m^g- log(1 - p_m)

    p_m = max(p - clip, 0).
    """

    def term(y, x):
        if from_logits:
            p, q = _sigmoid(x), _sigmoid(-x)
            log_p, log_q = -softplus(-x), -softplus(x)
        else:
            p, q = x, 1 - x
            log_p, log_q = np.log(max(p, EPSILON)), np.log(max(q, EPSILON))
        moved = max(p - clip, 0.0)
        if clip > 0:
            log_q = np.log(1 - moved)
        return -y * q**gamma_pos * log_p - (1 - y) * moved**gamma_neg * log_q

    def one(true, predicted):
        total = 0.0
        for c in range(len(true)):
            w = 1.0 if class_weight is None else class_weight[c]
            total += w * term(true[c], predicted[c])
        return total / len(true)

    return per_vector(one, y_true, y_pred, axis)


def multilabel_soft_margin(y_true, y_pred, axis=-1, class_weight=None):
    """mean of w_c (y log(1 + e^-z) + (1 - y) log(1 + e^z))."""

    def one(true, logits):
        total = 0.0
        for c in range(len(true)):
            w = 1.0 if class_weight is None else class_weight[c]
            total += w * (true[c] * softplus(-logits[c]) + (1 - true[c]) * softplus(logits[c]))
        return total / len(true)

    return per_vector(one, y_true, y_pred, axis)


def zlpr(y_true, y_pred, from_logits=False, axis=-1):
    """log(1 + sum_c y_c e^-s_c) + log(1 + sum_c (1 - y_c) e^s_c)."""

    def one(true, predicted):
        pull, push = [0.0], [0.0]
        for y, x in zip(true, predicted, strict=True):
            s = x if from_logits else np.log(max(x, EPSILON)) - np.log(max(1 - x, EPSILON))
            if y > 0:
                pull.append(np.log(y) - s)
            if y < 1:
                push.append(np.log(1 - y) + s)
        return log_sum_exp(pull) + log_sum_exp(push)

    return per_vector(one, y_true, y_pred, axis)


def two_way_terms(y_true, y_pred, positive_temperature=4.0, negative_temperature=1.0):
    """The terms of the samples and of the classes that have a positive."""

    def term(labels, logits):
        pull = log_sum_exp([-x / positive_temperature for y, x in zip(labels, logits, strict=True) if y > 0])
        push = log_sum_exp([x / negative_temperature for y, x in zip(labels, logits, strict=True) if not y > 0])
        if push == -np.inf:
            return 0.0
        return softplus(positive_temperature * pull + negative_temperature * push)

    y, x = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
    samples = {i: term(y[i], x[i]) for i in range(len(y)) if any(y[i] > 0)}
    classes = {c: term(y[:, c], x[:, c]) for c in range(y.shape[1]) if any(y[:, c] > 0)}
    return samples, classes


def two_way(y_true, y_pred, **temperatures):
    """The term of a sample, and its share of those of its classes

    Shared so that the mean over the samples with a positive is the paper's
    loss: the mean of the samples' terms plus the mean of the classes' terms.
    """
    samples, classes = two_way_terms(y_true, y_pred, **temperatures)
    values, valid = np.zeros(len(y_true)), np.zeros(len(y_true), bool)
    for i, own in samples.items():
        valid[i] = True
        values[i] = own
        for c, of_class in classes.items():
            if y_true[i][c] > 0:
                sharers = sum(y_true[j][c] > 0 for j in samples)
                values[i] += len(samples) * of_class / sharers / len(classes)
    return values, valid


def _class_logs(vector, from_logits):
    """log p_c and 1 - p_c of each class."""
    if from_logits:
        log_p = log_softmax(vector)
        others = [log_sum_exp([x for d, x in enumerate(vector) if d != c]) for c in range(len(vector))]
        return log_p, np.exp(np.array(others) - log_sum_exp(list(vector)))
    p = vector / sum(vector)
    return np.log([max(x, EPSILON) for x in p]), 1 - p


def _by_label(one, y_true, y_pred, axis, ignore_class):
    """`one(label, vector)` of each label in range; NaN for the others, unless they are ignored."""
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), axis, -1)
    y_true = np.asarray(y_true).reshape(y_pred.shape[:-1])
    values, valid = np.zeros(y_true.shape), np.ones(y_true.shape, bool)
    for index in np.ndindex(y_true.shape):
        label = int(y_true[index])
        if label == ignore_class:
            valid[index] = False
        elif 0 <= label < y_pred.shape[-1]:
            values[index] = one(label, y_pred[index])
        else:
            values[index] = np.nan
    return values, valid


def asymmetric_single_label(
    y_true,
    y_pred,
    from_logits=False,
    gamma_pos=0.0,
    gamma_neg=4.0,
    label_smoothing=0.1,
    axis=-1,
    class_weight=None,
    ignore_class=None,
):
    """-sum_c w_c y_c a_c log p_c

    a = (1 - p)^g+ for the labelled class and p^g- for the others, y smoothed.
    """

    def one(label, vector):
        log_p, rest = _class_logs(vector, from_logits)
        total = 0.0
        for c in range(len(vector)):
            y = (1 - label_smoothing) * (c == label) + label_smoothing / len(vector)
            focus = rest[c] ** gamma_pos if c == label else np.exp(gamma_neg * log_p[c])
            total -= (1.0 if class_weight is None else class_weight[c]) * y * focus * log_p[c]
        return total

    return _by_label(one, y_true, y_pred, axis, ignore_class)


def multi_margin(y_true, y_pred, p=1, margin=1.0, axis=-1, class_weight=None, ignore_class=None):
    """w_y / C sum_{c != y} max(0, margin - s_y + s_c)^p."""

    def one(label, scores):
        total = 0.0
        for c in range(len(scores)):
            if c != label:
                total += max(0.0, margin - scores[label] + scores[c]) ** p
        return total / len(scores) * (1.0 if class_weight is None else class_weight[label])

    return _by_label(one, y_true, y_pred, axis, ignore_class)
