"""Overlap losses.

Dice: Milletari et al. 2016 (V-Net) with the sums in the denominator.
Tversky: Salehi et al. 2017, "Tversky loss function for image segmentation".
"""

import numpy as np

from ._case import Case, array, labels, one_hot, simplex, uniform


def _overlap(score, y_true, y_pred, axis, class_axis, class_weight, empty):
    """Weighted mean of 1 - score over the groups of each sample.

    A group is what is summed together: one class over the spatial axes, or,
    with ``axis``, one position on the axes that are neither batch nor summed.
    """
    y_true = np.asarray(y_true, np.float64)
    y_pred = np.asarray(y_pred, np.float64)
    rank = y_pred.ndim
    class_axis %= rank
    if axis is None:
        summed = [a for a in range(1, rank) if a != class_axis]
    else:
        summed = [a % rank for a in np.atleast_1d(axis)]
    kept = [a for a in range(1, rank) if a not in summed]

    values = np.zeros(len(y_pred))
    valid = np.zeros(len(y_pred), bool)
    for sample in range(len(y_pred)):
        total = total_weight = 0.0
        for group in np.ndindex(*[y_pred.shape[a] for a in kept]):
            pick = [slice(None)] * rank
            pick[0] = sample
            for a, position in zip(kept, group, strict=True):
                pick[a] = position
            y = np.ravel(y_true[tuple(pick)])
            p = np.ravel(y_pred[tuple(pick)])
            if empty == "skip" and sum(y) == 0:
                continue
            weight = 1.0
            if class_weight is not None:
                weight = class_weight[group[kept.index(class_axis)]]
            total += weight * (1 - score(y, p))
            total_weight += weight
            valid[sample] = True
        if valid[sample]:
            values[sample] = total / total_weight
    return (values, valid) if empty == "skip" else values


def dice(
    y_true,
    y_pred,
    axis=None,
    class_axis=-1,
    smooth=1e-7,
    class_weight=None,
    empty="count",
):
    """1 - (2 I + smooth) / (sum y + sum p + smooth), I = sum y p."""

    def score(y, p):
        intersection = sum(y * p)
        return (2 * intersection + smooth) / (sum(y) + sum(p) + smooth)

    return _overlap(score, y_true, y_pred, axis, class_axis, class_weight, empty)


def tversky(
    y_true,
    y_pred,
    alpha=0.5,
    beta=0.5,
    axis=None,
    class_axis=-1,
    smooth=1e-7,
    class_weight=None,
    empty="count",
):
    """1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)."""

    def score(y, p):
        tp = sum(y * p)
        fp = sum((1 - y) * p)
        fn = sum(y * (1 - p))
        return (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)

    return _overlap(score, y_true, y_pred, axis, class_axis, class_weight, empty)


def _image(seed, *shape, classes=3, class_axis=-1):
    """One-hot truth and probabilities of shape (B, *S, C)."""
    truth = one_hot(labels(seed, classes, *shape), classes)
    predicted = simplex(seed + 1, *shape, classes)
    return (
        np.moveaxis(truth, -1, class_axis),
        np.moveaxis(predicted, -1, class_axis),
    )


# Sample 0 has classes 0 and 2, sample 1 only class 1, sample 2 nothing.
_ABSENT = array(
    [[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 0, 1]],
    [[0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]],
    [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]],
)
_P_ABSENT = uniform(31, 3, 4, 3)
_WEIGHTS = (0.5, 3.0, 1.5)

# One class of two pixels: I = 0.75, sum y = 1, sum p = 1.25.
_Y1 = array([[1.0], [0.0]])
_P1 = array([[0.75], [0.5]])


_HARD = one_hot([[0, 1, 2, 1]], 3)
_OTHER = one_hot([[1, 2, 0, 0]], 3)
_FIRST_ONLY = array([[1, 0], [1, 0], [1, 0]])


def _channels_first(pair):
    return tuple(np.swapaxes(x, 1, 2) for x in pair)


def _common(seed, prefix="", base=None):
    """The cases that Dice and Tversky share."""

    def case(name, data, config=None, smooth=True, expect=None):
        merged = {**(base or {}), **(config or {})}
        return Case(prefix + name, *data, merged, smooth, expect)

    def image(offset, *shape, **kwargs):
        return _image(seed + offset, *shape, **kwargs)

    def first(offset):
        return image(offset, 2, 3, 4, class_axis=1)

    absent = (_ABSENT, _P_ABSENT)
    soft = (simplex(seed + 40, 2, 5, 3), simplex(seed + 41, 2, 5, 3))
    single = (uniform(seed + 42, 3, 5, 1), uniform(seed + 43, 3, 5, 1))
    no_truth = (np.zeros((2, 4, 3)), uniform(seed + 44, 2, 4, 3))
    nothing = (np.zeros((2, 3, 2)), np.zeros((2, 3, 2)))
    weight = {"class_weight": _WEIGHTS}
    skip = {"empty": "skip"}
    return [
        case("rank-2", image(0, 4)),
        case("rank-3", image(2, 3, 5)),
        case("rank-4", image(4, 2, 3, 3)),
        case("rank-5", image(6, 2, 2, 2, 2, classes=2)),
        case("one-class", single),
        case("soft-truth", soft),
        case("smooth-one", image(8, 3, 5), {"smooth": 1.0}),
        case("smooth-zero", soft, {"smooth": 0.0}),
        case("weight", image(10, 3, 5), weight),
        case(
            "weight-with-zero",
            image(12, 2, 3, 3),
            {"class_weight": (0.0, 1.0, 4.0)},
        ),
        case("class-axis-1", first(14), {"class_axis": 1}),
        case("class-axis-1-weight", first(16), {"class_axis": 1, **weight}),
        case(
            "class-axis-1-skip",
            _channels_first(absent),
            {"class_axis": 1, **skip},
        ),
        case("axis-all", image(18, 2, 3, 3), {"axis": (1, 2, 3)}),
        case("axis-spatial", image(20, 2, 3, 3), {"axis": (1, 2)}),
        case("axis-int", image(22, 2, 3, 3), {"axis": 1}),
        case("axis-negative", image(24, 2, 3, 4), {"axis": -1}),
        case("axis-mixed", image(26, 2, 3, 4), {"axis": (2, -1)}),
        case("absent-count", absent),
        case("absent-skip", absent, skip),
        case("absent-skip-weight", absent, {**skip, **weight}),
        case("all-absent-skip", no_truth, skip, expect=np.zeros(2)),
        case("perfect", (_HARD, _HARD.copy()), expect=np.zeros(1)),
        case(
            "perfect-absent",
            (_FIRST_ONLY, _FIRST_ONLY.copy()),
            smooth=False,
            expect=np.zeros(1),
        ),
        case("nothing", nothing, smooth=False, expect=np.zeros(2)),
    ]


CASES = {
    "Dice": [
        *_common(1000),
        Case(
            "by-hand",
            _Y1,
            _P1,
            expect=array(1 - (1.5 + 1e-7) / (1 + 1.25 + 1e-7)),
        ),
        Case(
            "by-hand-smooth",
            _Y1,
            _P1,
            {"smooth": 2.0},
            expect=array(1 - (1.5 + 2) / (1 + 1.25 + 2)),
        ),
        Case(
            "all-wrong",
            _HARD,
            _OTHER,
            expect=array(1 - np.mean([1e-7 / (n + 1e-7) for n in (1 + 2, 2 + 1, 1 + 1)])),
        ),
    ],
    "Tversky": [
        *_common(1100),
        *_common(1200, "unequal-", {"alpha": 0.3, "beta": 0.8}),
        Case("alpha", *_image(1300, 3, 5), {"alpha": 0.9}),
        Case("beta", *_image(1302, 3, 5), {"beta": 0.9}),
        Case("alpha-zero", *_image(1304, 3, 5), {"alpha": 0.0, "beta": 1.0}),
        Case(
            "by-hand",
            _Y1,
            _P1,
            {"alpha": 0.2, "beta": 0.6},
            expect=array(1 - (0.75 + 1e-7) / (0.75 + 0.2 * 0.5 + 0.6 * 0.25 + 1e-7)),
        ),
        Case(
            "by-hand-smooth",
            _Y1,
            _P1,
            {"alpha": 0.2, "beta": 0.6, "smooth": 2.0},
            expect=array(1 - (0.75 + 2) / (0.75 + 0.2 * 0.5 + 0.6 * 0.25 + 2)),
        ),
        Case(
            "all-wrong",
            _HARD,
            _OTHER,
            {"alpha": 0.2, "beta": 0.6},
            expect=array(1 - np.mean([1e-7 / (0.2 * fp + 0.6 * fn + 1e-7) for fp, fn in ((2, 1), (1, 2), (1, 1))])),
        ),
    ],
}
