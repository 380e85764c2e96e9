"""What the losses that look at the map of each class have in common: the mean over the classes."""

import numpy as np

from ._case import binary, labels, one_hot, simplex, uniform


def over_classes(compare, y_true, y_pred, class_axis=-1, include_background=True, class_weight=None, empty="count"):
    """Weighted mean over the classes of ``compare(map of y, map of p)``."""
    y_true = np.moveaxis(np.asarray(y_true, np.float64), class_axis, -1)
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), class_axis, -1)
    classes = y_pred.shape[-1]
    values = np.zeros(len(y_pred))
    valid = np.zeros(len(y_pred), bool)
    for sample in range(len(y_pred)):
        total = total_weight = 0.0
        for c in range(0 if include_background else 1, classes):
            y, p = y_true[sample, ..., c], y_pred[sample, ..., c]
            if empty == "skip" and y.sum() == 0:
                continue
            weight = 1.0 if class_weight is None else class_weight[c]
            total += weight * compare(y, p)
            total_weight += weight
            valid[sample] = True
        if total_weight > 0:
            values[sample] = total / total_weight
    return (values, valid) if empty == "skip" else values


def image(seed, *shape, classes=3, class_axis=-1):
    """One-hot truth and probabilities of shape (B, *S, C)."""
    truth = one_hot(labels(seed, classes, *shape), classes)
    return np.moveaxis(truth, -1, class_axis), np.moveaxis(simplex(seed + 1, *shape, classes), -1, class_axis)


def several(seed, *shape):
    """Independent maps of 0 and 1, and probabilities on both sides of 1/2."""
    return binary(seed, *shape), uniform(seed + 1, *shape)


def common(case, seed):
    """The cases that every such loss has; ``case(id, data, config, smooth, expect)`` makes one."""
    y, p = several(seed + 40, 3, 4, 3, 3)
    y[0, ..., 1], y[1, ..., 1], y[2] = 0, 1, 0
    absent = (y, p)
    weight = {"class_weight": (0.5, 3.0, 1.5)}
    return [
        case("rank-3", several(seed, 3, 7, 2)),
        case("rank-4", several(seed + 2, 2, 5, 4, 2)),
        case("rank-5", several(seed + 4, 2, 3, 4, 3, 2)),
        case("simplex", image(seed + 6, 2, 5, 5)),
        case("one-class", several(seed + 8, 3, 5, 4, 1)),
        case("class-axis", image(seed + 10, 2, 4, 5, class_axis=1), {"class_axis": 1}),
        case("background", image(seed + 12, 2, 5, 4), {"include_background": False}),
        case("background-weight", image(seed + 14, 2, 5, 4), {"include_background": False, **weight}),
        case("weight", image(seed + 16, 2, 4, 4), weight),
        case("weight-zero", image(seed + 18, 2, 4, 4), {"class_weight": (0.0, 1.0, 4.0)}),
        case("absent", absent),
        case("absent-skip", absent, {"empty": "skip"}),
        case("absent-skip-weight", absent, {"empty": "skip", **weight}),
        case("soft-truth", (uniform(seed + 20, 2, 5, 4, 2), uniform(seed + 21, 2, 5, 4, 2))),
        case("one-pixel", several(seed + 22, 2, 1, 1, 2)),
        case("thin", several(seed + 24, 2, 6, 1, 2)),
    ]


DOT = np.array([[[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]])[..., None]
