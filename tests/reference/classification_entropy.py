"""Cross-entropies with a further term, and the sparsemax loss, from their papers.

Poly-1: Leng et al. 2022, arXiv:2204.12511. There smoothed labels weigh `1 - p_c` as they weigh `log p_c`, and the
alpha-balanced focal form weighs the polynomial term too; some implementations weigh the focal term alone.

Complement cross-entropy: Kim, Lee, Jeon 2021, arXiv:2009.02189: cross-entropy plus gamma (-1) times the entropy of the
other classes over C - 1, so that a larger entropy is better. The code beside the paper subtracts minus the entropy, which
makes it smaller, and divides by C.

Jensen-Shannon consistency: Hendrycks et al. 2020, arXiv:1912.02781. Sparsemax: Martins & Astudillo 2016,
arXiv:1602.02068.

The cases are in ``_entropy_cases.py``.
"""

import numpy as np

from . import _entropy_cases
from ._case import EPSILON, log_sum_exp, softplus
from .classification import _class_logs, binary_mean, per_label, per_vector, without_ignored


def poly_crossentropy(
    y_true, y_pred, from_logits=False, epsilon=2.0, label_smoothing=0.0, axis=-1, class_weight=None, ignore_class=None
):
    """sum_c w_c y_c (-log p_c + epsilon (1 - p_c))."""

    def one(y, vector):
        log_p = _class_logs(vector, from_logits)
        total = 0.0
        for c in range(len(vector)):
            p = np.exp(log_p[c]) if from_logits else vector[c] / sum(vector)
            smoothed = y[c] * (1 - label_smoothing) + label_smoothing / len(vector)
            w = 1.0 if class_weight is None else class_weight[c]
            total += w * smoothed * (-log_p[c] + epsilon * (1 - p))
        return total

    return without_ignored(per_vector(one, y_true, y_pred, axis), y_true, axis, ignore_class)


def poly_focal_crossentropy(
    y_true,
    y_pred,
    from_logits=False,
    epsilon=1.0,
    gamma=2.0,
    alpha=None,
    label_smoothing=0.0,
    axis=-1,
    pos_weight=None,
    class_weight=None,
    ignore_class=None,
):
    """mean of a (1 - p_t)^gamma (crossentropy + epsilon (1 - p_t)), for a label 1 with p_t = p, for 0 with 1 - p."""

    def term(y, x, w0, w1):
        if from_logits:
            p, not_p, log_p, log_not_p = np.exp(-softplus(-x)), np.exp(-softplus(x)), -softplus(-x), -softplus(x)
        else:
            p, not_p, log_p, log_not_p = x, 1 - x, np.log(max(x, EPSILON)), np.log(max(1 - x, EPSILON))
        crossentropy = -(w1 * y * log_p + w0 * (1 - y) * log_not_p)
        polynomial = epsilon * (w1 * y * not_p + w0 * (1 - y) * p)
        a = 1.0 if alpha is None else y * alpha + (1 - y) * (1 - alpha)
        return a * (y * not_p + (1 - y) * p) ** gamma * (crossentropy + polynomial)

    return binary_mean(term, y_true, y_pred, label_smoothing, axis, pos_weight, class_weight, ignore_class)


def complement_crossentropy(y_true, y_pred, from_logits=False, gamma=-1.0, axis=-1, class_weight=None, ignore_class=None):
    """w_y (-log p_y + gamma / (C - 1) entropy of the probabilities of the other classes, divided by their sum)."""

    def one(y, vector):
        classes = len(vector)
        label = y.index(1.0)
        log_p = _class_logs(vector, from_logits)
        scores = list(vector) if from_logits else list(log_p)
        total = log_sum_exp([scores[c] for c in range(classes) if c != label])
        entropy = 0.0
        for c in range(classes):
            if c != label:
                log_share = scores[c] - total
                entropy -= np.exp(log_share) * log_share
        w = 1.0 if class_weight is None else class_weight[label]
        return w * (-log_p[label] + (gamma / (classes - 1) * entropy))

    return per_label(one, y_true, y_pred, axis, ignore_class)


def jensen_shannon_consistency(
    y_true, y_pred, from_logits=False, alpha=12.0, label_smoothing=0.0, class_weight=None, ignore_class=None
):
    """Crossentropy of the first view + alpha mean over views of KL(p_v, mean of the p)."""
    views = np.moveaxis(np.asarray(y_pred, np.float64), 1, -2)

    def one(y, stacked):
        number, classes = stacked.shape
        log_p = [_class_logs(vector, from_logits) for vector in stacked]
        total = 0.0
        for c in range(classes):
            w = 1.0 if class_weight is None else class_weight[c]
            total -= w * (y[c] * (1 - label_smoothing) + label_smoothing / classes) * log_p[0][c]
            p = [np.exp(log_p[v][c]) if from_logits else stacked[v][c] / sum(stacked[v]) for v in range(number)]
            if from_logits:
                mixture = log_sum_exp([log_p[v][c] for v in range(number)]) - np.log(number)
            else:
                mixture = np.log(max(sum(p) / number, EPSILON))
            for v in range(number):
                total += alpha / number * p[v] * (log_p[v][c] - mixture)
        return total

    labels = np.asarray(y_true).reshape(views.shape[:-2])
    values = np.zeros(labels.shape)
    valid = np.ones(labels.shape, bool)
    classes = views.shape[-1]
    for index in np.ndindex(labels.shape):
        label = int(labels[index])
        if ignore_class is not None and label == ignore_class:
            valid[index] = False
        elif 0 <= label < classes:
            values[index] = one([float(c == label) for c in range(classes)], views[index])
        else:
            values[index] = np.nan
    return values if ignore_class is None else (values, valid)


def sparsemax(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1, class_weight=None, ignore_class=None):
    """-q z + 1/2 sum over the support of (z^2 - tau^2) + 1/2 |q|^2; of probabilities, which are scores with tau 0."""

    def one(y, z):
        q = np.array([x * (1 - label_smoothing) + label_smoothing / len(y) for x in y])
        w = 1.0 if class_weight is None else sum(q * np.array(class_weight))
        if not from_logits:
            return w * sum((z - q) ** 2) / 2
        z = z - max(z)
        ordered = sorted(z, reverse=True)
        size = max(k for k in range(1, len(z) + 1) if 1 + k * ordered[k - 1] > sum(ordered[:k]))
        tau = (sum(ordered[:size]) - 1) / size
        inside = [x for x in z if x > tau]
        return w * (-sum(q * z) + sum(x**2 - tau**2 for x in inside) / 2 + sum(q**2) / 2)

    return without_ignored(per_vector(one, y_true, y_pred, axis), y_true, axis, ignore_class)


CASES = _entropy_cases.CASES
