"""Classification losses, from their definitions.

Focal losses: Lin et al. 2017, "Focal Loss for Dense Object Detection". The
cases are in ``_binary_cases.py``, ``_categorical_cases.py``,
``_focal_cases.py`` and ``_hinge_cases.py``.
"""

import numpy as np

from . import _binary_cases, _categorical_cases, _focal_cases, _hinge_cases
from ._case import EPSILON, log_softmax, log_sum_exp, per_vector, softplus


def _binary_logs(x, from_logits):
    """log p and log(1 - p)."""
    if from_logits:
        return -softplus(-x), -softplus(x)
    return np.log(max(x, EPSILON)), np.log(max(1 - x, EPSILON))


def _binary_term(y, x, from_logits, w0=1.0, w1=1.0):
    log_p, log_not_p = _binary_logs(x, from_logits)
    return -(w1 * y * log_p + w0 * (1 - y) * log_not_p)


def binary_mean(term, y_true, y_pred, label_smoothing, axis, pos_weight, class_weight, ignore_class):
    """The mean over `axis` of `term(y, x, w0, w1)`, of the labels that are not the ignored one."""
    y_true = np.moveaxis(np.asarray(y_true, np.float64), axis, -1)
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), axis, -1)
    values = np.zeros(y_pred.shape[:-1])
    valid = np.zeros(values.shape, bool)
    for index in np.ndindex(values.shape):
        terms = []
        for d in range(y_pred.shape[-1]):
            label = y_true[index][d]
            if ignore_class is not None and label == ignore_class:
                continue
            w0, w1 = (1.0, 1.0) if class_weight is None else class_weight
            if isinstance(pos_weight, tuple):
                w1 = w1 * pos_weight[d]
            elif pos_weight is not None:
                w1 = w1 * pos_weight
            y = label * (1 - label_smoothing) + label_smoothing / 2
            terms.append(term(y, y_pred[index][d], w0, w1))
        if terms:
            values[index], valid[index] = sum(terms) / len(terms), True
    return values if ignore_class is None else (values, valid)


def binary_crossentropy(
    y_true,
    y_pred,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
    pos_weight=None,
    class_weight=None,
    ignore_class=None,
):
    """mean of -(w1 y log p + w0 (1 - y) log(1 - p))."""

    def term(y, x, w0, w1):
        return _binary_term(y, x, from_logits, w0, w1)

    return binary_mean(term, y_true, y_pred, label_smoothing, axis, pos_weight, class_weight, ignore_class)


def _class_logs(vector, from_logits):
    """log p_c for each class."""
    if from_logits:
        return log_softmax(vector)
    p = vector / sum(vector)
    return np.log([max(x, EPSILON) for x in p])


def _weighted_crossentropy(y, vector, from_logits, label_smoothing, class_weight):
    classes = len(vector)
    log_p = _class_logs(vector, from_logits)
    total = 0.0
    for c in range(classes):
        smoothed = y[c] * (1 - label_smoothing) + label_smoothing / classes
        w = 1.0 if class_weight is None else class_weight[c]
        total -= w * smoothed * log_p[c]
    return total


def without_ignored(values, y_true, axis, ignore_class):
    """Which one-hot rows are not those of the ignored class; an id that is no class has a row of zeros."""
    if ignore_class is None:
        return values
    rows = np.moveaxis(np.asarray(y_true, np.float64), axis, -1)
    ignored = [float(c == ignore_class) for c in range(rows.shape[-1])]
    valid = np.array([list(rows[index]) != ignored for index in np.ndindex(values.shape)]).reshape(values.shape)
    return np.where(valid, values, 0.0), valid


def categorical_crossentropy(
    y_true,
    y_pred,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
    class_weight=None,
    ignore_class=None,
):
    """-sum_c w_c y_c log p_c."""

    def one(y, vector):
        return _weighted_crossentropy(y, vector, from_logits, label_smoothing, class_weight)

    return without_ignored(per_vector(one, y_true, y_pred, axis), y_true, axis, ignore_class)


def sparse_categorical_crossentropy(
    y_true,
    y_pred,
    from_logits=False,
    ignore_class=None,
    axis=-1,
    label_smoothing=0.0,
    class_weight=None,
):
    """The categorical crossentropy of the one-hot labels."""

    def one(y, vector):
        return _weighted_crossentropy(y, vector, from_logits, label_smoothing, class_weight)

    return per_label(one, y_true, y_pred, axis, ignore_class)


def per_label(function, y_true, y_pred, axis, ignore_class):
    """``function(one-hot label, predicted)`` for each label.

    One that is no class gives NaN, unless it is the ignored one.
    """
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), axis, -1)
    y_true = np.asarray(y_true).reshape(y_pred.shape[:-1])
    classes = y_pred.shape[-1]
    values = np.zeros(y_true.shape)
    valid = np.ones(y_true.shape, bool)
    for index in np.ndindex(y_true.shape):
        label = int(y_true[index])
        if ignore_class is not None and label == ignore_class:
            valid[index] = False
        elif label < 0 or label >= classes:
            values[index] = np.nan
        else:
            values[index] = function([float(c == label) for c in range(classes)], y_pred[index])
    return values if ignore_class is None else (values, valid)


def _power(log_base, exponent):
    """exp(log_base) ** exponent, where 0 ** 0 is 1."""
    return 1.0 if exponent == 0 else np.exp(exponent * log_base)


def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
    class_weight=None,
    pos_weight=None,
    ignore_class=None,
):
    """mean of a q^gamma crossentropy, q being what the truth lacks in p."""

    def term(y, x, w0, w1):
        if from_logits:
            p, not_p = np.exp(-softplus(-x)), np.exp(-softplus(x))
        else:
            p, not_p = x, 1 - x
        q = y * not_p + (1 - y) * p
        a = y * alpha + (1 - y) * (1 - alpha) if apply_class_balancing else 1.0
        return a * q**gamma * _binary_term(y, x, from_logits, w0, w1)

    return binary_mean(term, y_true, y_pred, label_smoothing, axis, pos_weight, class_weight, ignore_class)


def _focal_of_classes(y, vector, alpha, gamma, from_logits, label_smoothing, class_weight):
    """sum_c w_c alpha_c (1 - p_c)^gamma_c (-y_c log p_c)."""
    classes = len(vector)
    log_p = _class_logs(vector, from_logits)
    total = 0.0
    for c in range(classes):
        g = gamma[c] if isinstance(gamma, tuple) else gamma
        if from_logits:
            others = [vector[d] for d in range(classes) if d != c]
            factor = _power(log_sum_exp(others) - log_sum_exp(list(vector)), g)
        else:
            factor = (1 - vector[c] / sum(vector)) ** g
        smoothed = y[c] * (1 - label_smoothing) + label_smoothing / classes
        a = alpha[c] if isinstance(alpha, tuple) else alpha
        w = 1.0 if class_weight is None else class_weight[c]
        total -= w * a * factor * smoothed * log_p[c]
    return total


def categorical_focal_crossentropy(
    y_true,
    y_pred,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
    class_weight=None,
    ignore_class=None,
):
    """Of one-hot or soft labels."""

    def one(y, vector):
        return _focal_of_classes(y, vector, alpha, gamma, from_logits, label_smoothing, class_weight)

    return without_ignored(per_vector(one, y_true, y_pred, axis), y_true, axis, ignore_class)


def sparse_categorical_focal_crossentropy(
    y_true,
    y_pred,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    ignore_class=None,
    axis=-1,
    label_smoothing=0.0,
    class_weight=None,
):
    """Of integer labels."""

    def one(y, vector):
        return _focal_of_classes(y, vector, alpha, gamma, from_logits, label_smoothing, class_weight)

    return per_label(one, y_true, y_pred, axis, ignore_class)


def _signed(y):
    """Labels 0 become -1, each entry on its own."""
    return -1.0 if y == 0 else y


def hinge(y_true, y_pred):
    """mean of max(0, 1 - y p)."""

    def one(y, p):
        terms = [max(0.0, 1 - _signed(y[d]) * p[d]) for d in range(len(p))]
        return sum(terms) / len(p)

    return per_vector(one, y_true, y_pred)


def squared_hinge(y_true, y_pred):
    """mean of max(0, 1 - y p)^2."""

    def one(y, p):
        terms = [max(0.0, 1 - _signed(y[d]) * p[d]) ** 2 for d in range(len(p))]
        return sum(terms) / len(p)

    return per_vector(one, y_true, y_pred)


def categorical_hinge(y_true, y_pred):
    """max(0, 1 + max_c (1 - y_c) p_c - sum_c y_c p_c)."""

    def one(y, p):
        return max(0.0, 1 + max((1 - y) * p) - sum(y * p))

    return per_vector(one, y_true, y_pred)


def kl_divergence(y_true, y_pred):
    """sum of y log(y / p), p at least epsilon; 0 where y is 0."""

    def one(y, p):
        total = 0.0
        for c in range(len(p)):
            if y[c] != 0:
                total += y[c] * np.log(y[c] / max(p[c], EPSILON))
        return total

    return per_vector(one, y_true, y_pred)


CASES = {
    **_binary_cases.CASES,
    **_categorical_cases.CASES,
    **_focal_cases.CASES,
    **_hinge_cases.CASES,
}
