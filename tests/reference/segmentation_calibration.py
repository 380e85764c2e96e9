"""Neighbour-aware calibration: Murugesan et al. 2023, "Trust your neighbours".

The cross-entropy of a pixel, plus alpha times the mean over the classes of the
distance of its logits to the shares of the classes among the pixels around it.
Pixels outside the image: in the authors' first code they are of class 0, in
MONAI of no class, and the shares at the border sum to less than 1. This is
MONAI's. A pixel that is ignored is like one outside.
"""

import itertools

import numpy as np

from ._case import Case, array, labels, log_softmax, normal, random_labels, simplex


def shares(label, classes, kernel_size, ignore_class):
    """The share of each class in the cube around each pixel."""
    half = kernel_size // 2
    result = np.zeros((*label.shape, classes))
    for pixel in np.ndindex(label.shape):
        for step in itertools.product(range(-half, half + 1), repeat=label.ndim):
            other = tuple(a + s for a, s in zip(pixel, step, strict=True))
            if all(0 <= a < n for a, n in zip(other, label.shape, strict=True)) and label[other] != ignore_class:
                result[(*pixel, label[other])] += 1 / kernel_size**label.ndim
    return result


def neighbor_aware_calibration(
    y_true,
    y_pred,
    from_logits=False,
    kernel_size=3,
    alpha=0.1,
    norm="l1",
    class_axis=-1,
    class_weight=None,
    ignore_class=None,
):
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), class_axis, -1)
    classes = y_pred.shape[-1]
    values = np.zeros(y_true.shape)
    for sample in range(len(y_true)):
        target = shares(y_true[sample], classes, kernel_size, ignore_class)
        for pixel in np.ndindex(y_true.shape[1:]):
            label = y_true[sample][pixel]
            if label == ignore_class:
                continue
            row = y_pred[sample][pixel]
            if from_logits:
                logits, log_p = row, log_softmax(row)
            else:
                log_p = np.log(np.maximum(row / (row.sum() or 1.0), 1e-7))
                logits = log_p
            weight = 1.0 if class_weight is None else class_weight[label]
            gaps = [abs(target[pixel][c] - logits[c]) ** (1 if norm == "l1" else 2) for c in range(classes)]
            values[(sample, *pixel)] = -weight * log_p[label] + alpha * sum(gaps) / classes
    return values if ignore_class is None else (values, y_true != ignore_class)


def _case(name, shape, config=None, seed=3800, logits=True, axis=-1):
    pred = normal(seed + 1, *shape, scale=2.0) if logits else simplex(seed + 1, *shape, axis=axis)
    return Case(name, random_labels(seed, *shape, axis=axis), pred, {"from_logits": logits, **(config or {})})


def _with_ignored(name, logits):
    case = _case(name, (3, 5, 4, 3), {"ignore_class": 255}, 3820, logits)
    case.y_true[:2, 1:3] = 255
    case.y_true[2] = 255
    return case


_LINE = np.array([[0, 1, 1]])
_ZERO = np.zeros((1, 3, 2))

CASES = {
    "NeighborAwareCalibration": [
        _case("rank-2", (4, 3)),
        _case("rank-3", (3, 6, 3)),
        _case("rank-4", (2, 4, 5, 3)),
        _case("rank-5", (2, 3, 2, 4, 2)),
        _case("probabilities", (2, 4, 5, 3), logits=False),
        _case("probabilities-l2", (2, 4, 5, 3), {"norm": "l2"}, logits=False),
        _case("l2", (2, 4, 5, 3), {"norm": "l2"}),
        _case("alpha", (2, 4, 5, 3), {"alpha": 2.5}),
        _case("alpha-zero", (2, 4, 5, 3), {"alpha": 0.0}),
        _case("kernel-1", (2, 4, 5, 3), {"kernel_size": 1}),
        _case("kernel-5", (2, 4, 7, 3), {"kernel_size": 5}),
        _case("kernel-beyond-image", (2, 3, 2, 3), {"kernel_size": 7}),
        _case("weight", (2, 4, 5, 3), {"class_weight": (0.5, 3.0, 1.5)}),
        _case("class-axis", (2, 3, 4, 5), {"class_axis": 1}, axis=1),
        _with_ignored("ignored", True),
        _with_ignored("ignored-probabilities", False),
        Case("unscaled-rows", labels(3830, 3, 2, 5), 3.0 * simplex(3831, 2, 5, 3)),
        # Logits of 0: log 2, and the sum of the two shares, 2/3 at the ends and 1 inside.
        Case(
            "zero",
            _LINE,
            _ZERO,
            {"from_logits": True},
            smooth=False,
            expect=np.log(2) + 0.1 / 2 * array([2 / 3, 1, 2 / 3]),
        ),
        Case(
            "zero-l2",
            _LINE,
            _ZERO,
            {"from_logits": True, "norm": "l2", "alpha": 1.0},
            expect=np.log(2) + 1 / 2 * array([1 / 9 + 1 / 9, 1 / 9 + 4 / 9, 4 / 9]),
        ),
    ],
}
