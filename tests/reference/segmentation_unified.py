"""The Unified focal loss and its parts.

Yeung et al. 2021, "Unified Focal loss: Generalising Dice and cross
entropy-based losses to handle class imbalanced medical image segmentation".
Class 0 is the background, all others are foreground. As in the authors' code
delta weighs misses, and gamma is the focal exponent of both forms (the text
has 1 - gamma in its symmetric ones, the same at its 0.5); the weight (lambda)
is on the focal part as in the text, where the code has it on the Tversky part.
"""

import numpy as np

from ._case import EPSILON, Case, array, one_hot, random_one_hot, simplex, uniform
from .segmentation import continued_power, region_mean


def _classes_last(y_true, y_pred, class_axis):
    """Classes on the last axis; a single one is the foreground."""
    y, p = (np.moveaxis(np.asarray(x, np.float64), class_axis, -1) for x in (y_true, y_pred))
    if p.shape[-1] == 1:
        y, p = np.concatenate([1 - y, y], -1), np.concatenate([1 - p, p], -1)
    return y, p


def _pixel(y, p, delta, gamma, asymmetric=True, class_weight=None, first=0):
    """-(1 - delta) (1 - p_0)^gamma y_0 log p_0 - delta sum_c y_c log p_c."""
    total = 0.0
    for c in range(first, len(p)):
        weight = 1.0 if class_weight is None else class_weight[c]
        entropy = -y[c] * np.log(max(p[c], EPSILON))
        modulation = (1 - p[c]) ** gamma if c == 0 or not asymmetric else 1.0
        total += weight * (1 - delta if c == 0 else delta) * modulation * entropy
    return total


def asymmetric_focal(y_true, y_pred, delta=0.7, gamma=2.0, class_axis=-1, class_weight=None):
    y, p = _classes_last(y_true, y_pred, class_axis)
    values = np.zeros(p.shape[:-1])
    for i in np.ndindex(values.shape):
        values[i] = _pixel(y[i], p[i], delta, gamma, class_weight=class_weight)
    return values


def asymmetric_focal_tversky(
    y_true, y_pred, delta=0.7, gamma=0.75, smooth=1e-7, soft_label=False, asymmetric=True, class_axis=-1, **region
):
    """(1 - TI_c)^(1 - gamma), without the exponent for class 0, averaged over the classes."""
    y, p = _classes_last(y_true, y_pred, class_axis)

    def index(y, p):
        both = sum(np.minimum(y, p)) if soft_label else sum(y * p)
        misses, alarms = sum(y) - both, sum(p) - both
        return (both + smooth) / (both + delta * misses + (1 - delta) * alarms + smooth)

    def loss(y, p, c):
        x = 1 - index(y, p)
        return x if c == 0 and asymmetric else continued_power(x, 1 - gamma)

    return region_mean(loss, y, p, **region)


def unified_focal(
    y_true, y_pred, weight=0.5, delta=0.6, gamma=0.5, asymmetric=True, smooth=1e-7, soft_label=False, class_axis=-1, **region
):
    """weight times the mean of the focal part over the pixels, plus 1 - weight times the Tversky part."""
    part = asymmetric_focal_tversky(y_true, y_pred, delta, gamma, smooth, soft_label, asymmetric, class_axis, **region)
    y, p = _classes_last(y_true, y_pred, class_axis)
    first = 0 if region.get("include_background", True) else 1
    focal = np.zeros(len(p))
    for sample in range(len(p)):
        pixels = list(np.ndindex(p.shape[1:-1]))
        for i in pixels:
            focal[sample] += _pixel(
                y[sample][i], p[sample][i], delta, gamma, asymmetric, region.get("class_weight"), first
            ) / len(pixels)
    values, valid = part if isinstance(part, tuple) else (part, None)
    values = weight * focal + (1 - weight) * values
    return values if valid is None else (values, valid)


def _image(seed, *shape, class_axis=-1):
    return random_one_hot(seed, *shape, axis=class_axis), simplex(seed + 1, *shape, axis=class_axis)


_WEIGHTS = (0.5, 3.0, 1.5)
_HARD = one_hot([[0, 1, 2, 1]], 3)
_WRONG = one_hot([[1, 2, 0, 0]], 3)
_BACKGROUND = (one_hot([[0, 0, 0, 0]], 3), simplex(600, 1, 4, 3))
_SOFT = (simplex(601, 2, 5, 3), simplex(602, 2, 5, 3))
_SINGLE = (np.random.default_rng(603).integers(0, 2, (3, 5, 1)).astype(float), uniform(604, 3, 5, 1))
_WITHOUT = (np.zeros((2, 4, 3)), uniform(605, 2, 4, 3))
_LOG = -np.log(EPSILON)


def _shared(seed, **base):
    def case(name, data, config=None, smooth=True, expect=None):
        return Case(name, *data, {**base, **(config or {})}, smooth, expect)

    return [
        case("rank-2", _image(seed, 4, 3)),
        case("rank-3", _image(seed + 2, 3, 5, 3)),
        case("rank-4", _image(seed + 4, 2, 3, 3, 4)),
        case("rank-5", _image(seed + 6, 2, 2, 2, 2, 2)),
        case("single-channel", _SINGLE),
        case("soft-truth", _SOFT),
        case("delta", _image(seed + 8, 3, 5, 3), {"delta": 0.2}),
        case("delta-one", _image(seed + 10, 3, 5, 3), {"delta": 1.0}),
        case("gamma", _image(seed + 12, 3, 5, 3), {"gamma": 0.9}),
        case("gamma-zero", _image(seed + 14, 3, 5, 3), {"gamma": 0.0}),
        case("weights", _image(seed + 16, 3, 5, 3), {"class_weight": _WEIGHTS}),
        case("class-axis", _image(seed + 18, 2, 3, 4, class_axis=1), {"class_axis": 1, "class_weight": _WEIGHTS}),
        case("no-foreground", _BACKGROUND),
        case("perfect", (_HARD, _HARD.copy()), smooth=False),
    ]


def _regions(seed, **base):
    return [
        *_shared(seed, **base),
        Case("smooth", *_image(seed + 20, 3, 5, 3), {"smooth": 1.0}),
        Case("soft-label", *_SOFT, {"soft_label": True}),
        Case("no-background", *_image(seed + 22, 3, 5, 3), {"include_background": False, "class_weight": _WEIGHTS}),
        Case("skip", *_BACKGROUND, {"empty": "skip", "class_weight": _WEIGHTS}),
        Case("skip-foreground", *_BACKGROUND, {"empty": "skip", "include_background": False}, expect=np.zeros(1)),
        Case("without-truth-skip", *_WITHOUT, {"empty": "skip"}, expect=np.zeros(2)),
    ]


CASES = {
    "AsymmetricFocal": [
        *_shared(610),
        Case("gamma-large", *_image(640, 3, 5, 3), {"gamma": 20.0}),
        Case("by-hand", array([1, 0, 0], [0, 0, 1]), array([0.5, 0.3, 0.2], [0.5, 0.3, 0.2]), {"delta": 0.6, "gamma": 3.0},
             expect=array(-0.4 * 0.5**3 * np.log(0.5), -0.6 * np.log(0.2))),
        Case("all-wrong", _HARD, _WRONG, {"delta": 0.6}, smooth=False, expect=_LOG * array([0.4, 0.6, 0.6, 0.6])),
    ],
    "AsymmetricFocalTversky": [
        *_regions(650),
        # TI of the background is 0.5 / (0.5 + delta 0.5), of the foreground 0.5 / (0.5 + (1 - delta) 0.5), in one pixel each.
        Case("by-hand", array([[1, 0], [0, 1]]), array([[0.5, 0.5], [0.0, 1.0]]), {"delta": 0.6, "gamma": 0.5, "smooth": 0.0},
             expect=array(((1 - 0.5 / (0.5 + 0.6 * 0.5)) + (1 - 1 / (1 + 0.4 * 0.5)) ** 0.5) / 2)),
        Case("all-wrong", _HARD, _WRONG, {"smooth": 0.0}, expect=np.ones(1)),
    ],
    "UnifiedFocal": [
        *_regions(690),
        Case("weight", *_image(720, 3, 5, 3), {"weight": 0.1}),
        Case("weight-one", *_image(722, 3, 5, 3), {"weight": 1.0}),
        Case("weight-zero", *_image(724, 3, 5, 3), {"weight": 0.0}),
        Case("symmetric", *_image(726, 3, 5, 3), {"asymmetric": False, "gamma": 0.3}),
        Case("symmetric-weights", *_image(728, 3, 5, 3), {"asymmetric": False, "class_weight": _WEIGHTS}),
        Case("symmetric-no-background", *_image(730, 3, 5, 3), {"asymmetric": False, "include_background": False}),
        Case("all-wrong", _HARD, _WRONG, {"smooth": 0.0}, smooth=False,
             expect=array(0.5 * _LOG * (0.4 + 3 * 0.6) / 4 + 0.5)),
    ],
}  # fmt: skip
