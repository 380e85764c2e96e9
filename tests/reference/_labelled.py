"""What the references of losses of one label among several classes share."""

import numpy as np

from ._case import EPSILON, Case, array, labels, log_softmax, normal, one_hot, simplex


def distribution(row, from_logits):
    """The probabilities of a row of logits, or of numbers that are made to sum to one."""
    return np.exp(log_softmax(row)) if from_logits else row / sum(row)


def logs(row, from_logits):
    """log p of each class; probabilities count as EPSILON at least."""
    if from_logits:
        return log_softmax(row)
    return np.log([max(p, EPSILON) for p in row / sum(row)])


def per_label(one, y_true, y_pred, ignore_class=None, class_weight=None, weigh=True, views=False):
    """`one(y, row)` for each label, `y` being the one-hot vector of the id, or the soft label that is given.

    A label that is no class gives NaN, unless it is the one to ignore. With `weigh` the value is multiplied by the weight of
    the label's class, averaged over the classes of a soft label. With `views` a row is the array of all views, which
    lie on axis 1. A row of zeros is what one-hot encoding makes of an ignored label that is no class.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, np.float64)
    classes = y_pred.shape[-1]
    dense = y_true.shape == y_pred.shape
    if views:
        y_pred = np.moveaxis(y_pred, 1, -2)
    shape = y_pred.shape[: -2 if views else -1]
    values, valid = np.zeros(shape), np.ones(shape, bool)
    for index in np.ndindex(shape):
        if dense:
            y = y_true[index]
            if ignore_class is not None and (y[ignore_class] == 1 if 0 <= ignore_class < classes else not any(y)):
                valid[index] = False
                continue
        else:
            label = int(y_true.reshape(shape)[index])
            if ignore_class is not None and label == ignore_class:
                valid[index] = False
                continue
            if not 0 <= label < classes:
                values[index] = np.nan
                continue
            y = np.array([float(c == label) for c in range(classes)])
        weight = 1.0 if class_weight is None or not weigh else sum(y[c] * class_weight[c] for c in range(classes))
        values[index] = weight * one(y, y_pred[index])
    return values if ignore_class is None else (values, valid)


def common_cases(seed, **base):
    """Cases that each loss of a label and a `from_logits` has: ranks, weights, ignored and wrong labels, edges."""

    def case(name, y_true, y_pred, smooth=True, expect=None, **config):
        return Case(name, y_true, y_pred, {**base, **config}, smooth, expect)

    far = 1e4 * array([1, -1, 0], [-1, 1, 1], [0, 0, 0])
    return [
        case("rank-2", labels(seed, 4, 5), simplex(seed + 1, 5, 4)),
        case("rank-3", labels(seed + 2, 3, 2, 5), simplex(seed + 3, 2, 5, 3)),
        case("rank-4", labels(seed + 4, 3, 2, 3, 2), simplex(seed + 5, 2, 3, 2, 3)),
        case("logits-rank-2", labels(seed + 6, 4, 5), normal(seed + 7, 5, 4, scale=2.0), from_logits=True),
        case("logits-rank-3", labels(seed + 8, 3, 2, 4), normal(seed + 9, 2, 4, 3), from_logits=True),
        case("logits-rank-5", labels(seed + 10, 2, 2, 2, 2, 2), normal(seed + 11, 2, 2, 2, 2, 2), from_logits=True),
        case("not-normalised", labels(seed + 12, 3, 4), 3 * simplex(seed + 13, 4, 3)),
        case("class-weight", labels(seed + 14, 3, 6), simplex(seed + 15, 6, 3), class_weight=(0.5, 0.0, 2.0)),
        case(
            "ignore-class",
            np.array([[0, -1, 2], [2, 1, -1]]),
            normal(seed + 16, 2, 3, 3),
            from_logits=True,
            ignore_class=-1,
            class_weight=(1.0, 3.0, 0.5),
        ),
        case("ignore-a-class", np.array([0, 1, 2, 1]), simplex(seed + 17, 4, 3), ignore_class=1),
        case("label-out-of-range", np.array([1, -1, 3]), simplex(seed + 18, 3, 3), smooth=False),
        case("perfect-and-wrong", np.array([0, 0, 2]), one_hot([0, 1, 1], 3), smooth=False),
        case("large-logits", np.array([0, 0, 2]), far, smooth=False, from_logits=True),
        case("two-classes", np.array([0, 1, 1]), normal(seed + 19, 3, 2), from_logits=True),
    ]


def smoothing_cases(seed, **base):
    return [
        Case("label-smoothing", labels(seed, 4, 5), simplex(seed + 1, 5, 4), {**base, "label_smoothing": 0.2}),
        Case(
            "label-smoothing-weights",
            labels(seed + 2, 3, 2, 4),
            normal(seed + 3, 2, 4, 3),
            {**base, "label_smoothing": 0.4, "class_weight": (0.5, 2.0, 1.0), "from_logits": True},
        ),
    ]


def smoothed(y, amount):
    return [(1 - amount) * value + amount / len(y) for value in y]
