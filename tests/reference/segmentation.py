"""Overlap losses.

Dice: Milletari et al. 2016 (V-Net), with sums or squares in the denominator.
Jaccard: one minus the ratio of intersection and union.
Tversky: Salehi et al. 2017, "Tversky loss function for image segmentation".
FocalTversky: Abraham & Khan 2018, "A novel focal Tversky loss function". The
paper's alpha weighs misses, ours false alarms; the paper sums over classes.
Soft labels: Wang et al. 2023, "Dice semimetric losses", where the overlap of
soft sets is (|y| + |p| - |y - p|) / 2 in the L1 norm.
"""

import numpy as np

from ._case import Case, array, labels, one_hot, simplex, uniform


def region_mean(loss, y_true, y_pred, axis=None, class_axis=-1, class_weight=None, empty="count", include_background=True):
    """Weighted mean of ``loss(y, p, class)`` over the groups of each sample.

    A group is what is summed together: one class over the spatial axes, or,
    with ``axis``, one position on the axes that are neither batch nor summed.
    """
    y_true = np.asarray(y_true, np.float64)
    y_pred = np.asarray(y_pred, np.float64)
    rank = y_pred.ndim
    class_axis %= rank
    classes = np.arange(y_pred.shape[class_axis])
    if not include_background:
        classes = classes[1:]
        y_true, y_pred = (np.take(x, classes, class_axis) for x in (y_true, y_pred))
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
            name = classes[group[kept.index(class_axis)]] if class_axis in kept else None
            weight = 1.0 if class_weight is None else class_weight[name]
            total += weight * loss(y, p, name)
            total_weight += weight
        if total_weight:
            values[sample], valid[sample] = total / total_weight, True
    return (values, valid) if empty == "skip" else values


def shared_and_own(y, p, soft_label):
    """What two sets share, and what only the prediction and only the target has."""
    both = (sum(abs(y)) + sum(abs(p)) - sum(abs(y - p))) / 2 if soft_label else sum(y * p)
    return both, sum(p) - both, sum(y) - both


def ratio(top, bottom):
    """Nothing against nothing is a full overlap."""
    return top / bottom if bottom else 1.0


def dice(y_true, y_pred, smooth=1e-7, squared=False, soft_label=False, **region):
    """1 - (2 I + smooth) / (sum y + sum p + smooth), or with sums of squares."""

    def loss(y, p, _):
        both, only_p, only_y = shared_and_own(y, p, soft_label)
        if squared:
            return 1 - ratio(2 * sum(y * p) + smooth, sum(y**2) + sum(p**2) + smooth)
        return 1 - ratio(2 * both + smooth, 2 * both + only_p + only_y + smooth)

    return region_mean(loss, y_true, y_pred, **region)


def jaccard(y_true, y_pred, smooth=1e-7, squared=False, soft_label=False, **region):
    """1 - (I + smooth) / (U + smooth) with U = sum y + sum p - I."""

    def loss(y, p, _):
        both, only_p, only_y = shared_and_own(y, p, soft_label)
        if squared:
            both = sum(y * p)
            return 1 - ratio(both + smooth, sum(y**2) + sum(p**2) - both + smooth)
        return 1 - ratio(both + smooth, both + only_p + only_y + smooth)

    return region_mean(loss, y_true, y_pred, **region)


def tversky_index(y, p, alpha, beta, smooth, soft_label):
    if soft_label:
        tp, fp, fn = shared_and_own(y, p, True)
    else:
        tp, fp, fn = sum(y * p), sum((1 - y) * p), sum(y * (1 - p))
    return ratio(tp + smooth, tp + alpha * fp + beta * fn + smooth)


def tversky(y_true, y_pred, alpha=0.5, beta=0.5, smooth=1e-7, soft_label=False, **region):
    """1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)."""

    def loss(y, p, _):
        return 1 - tversky_index(y, p, alpha, beta, smooth, soft_label)

    return region_mean(loss, y_true, y_pred, **region)


def continued_power(x, exponent, low=1e-7):
    """x ** exponent, below ``low`` the line to it from 0: the slope of a root at 0 is infinite."""
    return x**exponent if x > low else max(x, 0.0) / low * low**exponent


def focal_tversky(y_true, y_pred, alpha=0.3, beta=0.7, gamma=4 / 3, smooth=1e-7, soft_label=False, **region):
    """The mean over classes of (1 - TI) ** (1 / gamma)."""

    def loss(y, p, _):
        return continued_power(1 - tversky_index(y, p, alpha, beta, smooth, soft_label), 1 / gamma)

    return region_mean(loss, y_true, y_pred, **region)


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


def _common(seed, prefix="", base=None, root=False):
    """The cases that all share; ``root``: of a loss with a kink at a perfect prediction."""

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
        case("no-background", image(28, 3, 4), {"include_background": False}),
        case("no-background-weight", first(30), {"class_axis": 1, "include_background": False, **weight}),
        case("no-background-skip", absent, {"include_background": False, **skip, **weight}),
        case("no-background-axis", image(32, 2, 3, 4), {"include_background": False, "axis": (2, -1)}),
        case("soft-label", soft, {"soft_label": True}),
        case("soft-label-axis", soft, {"soft_label": True, "axis": (1, 2)}),
        case("soft-label-is-right", (soft[0], soft[0].copy()), {"soft_label": True}, smooth=False, expect=np.zeros(2)),
        case("hard-soft-label", image(34, 3, 4), {"soft_label": True, "smooth": 1.0}),
        case("perfect", (_HARD, _HARD.copy()), smooth=not root, expect=np.zeros(1)),
        case(
            "perfect-absent",
            (_FIRST_ONLY, _FIRST_ONLY.copy()),
            smooth=False,
            expect=np.zeros(1),
        ),
        case("nothing", nothing, smooth=False, expect=np.zeros(2)),
    ]


def _squares(seed):
    soft = (simplex(seed, 2, 5, 3), simplex(seed + 1, 2, 5, 3))
    return [
        Case("squared", *soft, {"squared": True}),
        Case("squared-soft-label", *soft, {"squared": True, "soft_label": True, "smooth": 0.0}),
        Case("squared-right", soft[0], soft[0].copy(), {"squared": True}, expect=np.zeros(2)),
        Case("squared-absent", _ABSENT, _P_ABSENT, {"squared": True, "smooth": 1.0, "class_weight": _WEIGHTS}),
    ]


CASES = {
    "Dice": [
        *_common(1000),
        *_squares(1050),
        # I = 0.75, sum y^2 = 1, sum p^2 = 0.5625 + 0.25.
        Case("by-hand-squared", _Y1, _P1, {"squared": True}, expect=array(1 - (1.5 + 1e-7) / (1 + 0.8125 + 1e-7))),
        # The soft overlap of 0.4 and 0.6 is 0.4.
        Case("by-hand-soft", array([[0.4]]), array([[0.6]]), {"soft_label": True, "smooth": 0.0}, expect=array(1 - 0.8 / 1.0)),
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
    "Jaccard": [
        *_common(1400),
        *_squares(1450),
        Case("by-hand", _Y1, _P1, {"smooth": 2.0}, expect=array(1 - (0.75 + 2) / (1 + 1.25 - 0.75 + 2))),
        Case("by-hand-squared", _Y1, _P1, {"squared": True, "smooth": 0.0}, expect=array(1 - 0.75 / (1 + 0.8125 - 0.75))),
        Case("all-wrong", _HARD, _OTHER, {"smooth": 0.0}, expect=np.ones(1)),
    ],
    "FocalTversky": [
        *_common(1500, root=True),
        Case("alpha", *_image(1550, 3, 5), {"alpha": 0.9}),
        Case("beta", *_image(1552, 3, 5), {"beta": 0.2, "gamma": 2.0}),
        Case("gamma-one", *_image(1554, 3, 5), {"gamma": 1.0}),
        Case("gamma-below-one", *_image(1556, 3, 5), {"gamma": 0.4}),
        Case("by-hand", _Y1, _P1, {"alpha": 0.2, "beta": 0.6, "gamma": 2.0, "smooth": 0.0}, expect=array((0.25 / 1.0) ** 0.5)),
        Case("all-wrong", _HARD, _OTHER, {"smooth": 0.0}, expect=np.ones(1)),
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
