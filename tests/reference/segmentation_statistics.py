"""Losses from the statistics of regions.

GeneralizedDice: Sudre et al. 2017, "Generalised Dice overlap".
MatthewsCorrelation: Abhishek & Hamarneh 2021, "Matthews correlation
coefficient loss for deep convolutional networks".
SensitivitySpecificity: Brosch et al. 2015, "Deep convolutional encoder
networks for multiple sclerosis lesion segmentation".
ExponentialLogarithmic: Wong et al. 2018, "3D segmentation with exponential
logarithmic loss for highly unbalanced object sizes".
"""

import numpy as np

from ._case import EPSILON, Case, array, one_hot, random_one_hot, simplex, uniform
from .segmentation import continued_power, region_mean, shared_and_own


def _samples(y_true, y_pred, class_axis):
    """``{class: (y, p)}`` of each sample."""
    y, p = (np.moveaxis(np.asarray(x, np.float64), class_axis, -1) for x in (y_true, y_pred))
    for i in range(len(p)):
        yield {c: (np.ravel(y[i, ..., c]), np.ravel(p[i, ..., c])) for c in range(p.shape[-1])}


def generalized_dice(
    y_true, y_pred, weight_type="square", smooth=1e-7, soft_label=False, class_axis=-1, class_weight=None, empty="count",
    include_background=True,
):  # fmt: skip
    """1 - 2 sum_c w_c I_c / sum_c w_c (Y_c + P_c), with w_c = 1 / Y_c^2 relative to the largest of the sample.

    A class that is absent weighs as much as the smallest that is present, or nothing.
    """
    exponent = {"square": 2, "simple": 1, "uniform": 0}[weight_type]
    values, valid = [], []
    for classes in _samples(y_true, y_pred, class_axis):
        sizes = {c: sum(y) for c, (y, p) in classes.items() if c > 0 or include_background}
        smallest = min((size for size in sizes.values() if size > 0), default=1.0)
        top = bottom = weights = 0.0
        for c, size in sizes.items():
            weight = (smallest / size) ** exponent if size > 0 else 1.0 if empty == "count" else 0.0
            weight *= 1.0 if class_weight is None else class_weight[c]
            both, only_p, only_y = shared_and_own(*classes[c], soft_label)
            top += weight * 2 * both
            bottom += weight * (2 * both + only_p + only_y)
            weights += weight
        values.append(1 - (top + smooth) / (bottom + smooth) if bottom + smooth else 0.0)
        valid.append(weights > 0)
    values = np.where(valid, values, 0.0)
    return (values, np.array(valid)) if empty == "skip" else values


def matthews_correlation(y_true, y_pred, smooth=1e-7, **region):
    """1 - (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)), smooth added to TP and TN."""

    def loss(y, p, _):
        tp, tn = sum(y * p) + smooth, sum((1 - y) * (1 - p)) + smooth
        fp, fn = sum((1 - y) * p), sum(y * (1 - p))
        if fp == fn == 0:
            return 0.0
        product = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
        return 1 - (tp * tn - fp * fn) / product if product else 1.0

    return region_mean(loss, y_true, y_pred, **region)


def sensitivity_specificity(y_true, y_pred, sensitivity_weight=0.05, **region):
    """r times the mean squared error in the region, 1 - r times that outside."""

    def loss(y, p, _):
        sensitivity = sum(y * (y - p) ** 2) / sum(y) if sum(y) else 0.0
        specificity = sum((1 - y) * (y - p) ** 2) / sum(1 - y) if sum(1 - y) else 0.0
        return sensitivity_weight * sensitivity + (1 - sensitivity_weight) * specificity

    return region_mean(loss, y_true, y_pred, **region)


def exponential_logarithmic(
    y_true, y_pred, dice_weight=0.8, crossentropy_weight=0.2, gamma=0.3, smooth=1.0, soft_label=False, class_axis=-1,
    class_weight=None, **region,
):  # fmt: skip
    """w_D mean_c (-log D_c)^gamma + w_C mean_x w_l (-log p_l)^gamma; a single channel is the foreground."""
    y, p = (np.moveaxis(np.asarray(x, np.float64), class_axis, -1) for x in (y_true, y_pred))
    if p.shape[-1] == 1:
        y, p = np.concatenate([1 - y, y], -1), np.concatenate([1 - p, p], -1)

    def loss(y, p, _):
        both, only_p, only_y = shared_and_own(y, p, soft_label)
        top = 2 * both + smooth
        if top < EPSILON:  # where the logarithm has no end
            top = EPSILON
        return continued_power(np.log((top + only_p + only_y) / top), gamma)

    part = region_mean(loss, y, p, **region)
    dice, valid = part if isinstance(part, tuple) else (part, None)
    entropy = np.zeros(len(p))
    for sample in range(len(p)):
        pixels = list(np.ndindex(p.shape[1:-1]))
        for i in pixels:
            for c in range(0 if region.get("include_background", True) else 1, p.shape[-1]):
                weight = 1.0 if class_weight is None else class_weight[c]
                surprise = continued_power(-np.log(max(p[sample][i][c], EPSILON)), gamma)
                entropy[sample] += weight * y[sample][i][c] * surprise / len(pixels)
    values = dice_weight * dice + crossentropy_weight * entropy
    return values if valid is None else (values, valid)


def _image(seed, *shape, class_axis=-1):
    return random_one_hot(seed, *shape, axis=class_axis), simplex(seed + 1, *shape, axis=class_axis)


_WEIGHTS = (0.5, 3.0, 1.5)
_HARD = one_hot([[0, 1, 2, 1]], 3)
_WRONG = one_hot([[1, 2, 0, 0]], 3)
_FEW = (one_hot([[0, 0, 2, 0], [1, 1, 1, 1]], 3), simplex(801, 2, 4, 3))
_SOFT = (simplex(802, 2, 5, 3), simplex(803, 2, 5, 3))
_SINGLE = (np.random.default_rng(804).integers(0, 2, (3, 5, 1)).astype(float), uniform(805, 3, 5, 1))
_NOTHING = (np.zeros((2, 4, 3)), uniform(806, 2, 4, 3))
_BITS = np.random.default_rng(807).integers(0, 2, (2, 4, 6, 1)).astype(float)


def _common(seed, perfect=True):
    return [
        Case("rank-2", *_image(seed, 4, 3)),
        Case("rank-3", *_image(seed + 2, 3, 5, 3)),
        Case("rank-4", *_image(seed + 4, 2, 3, 3, 4)),
        Case("rank-5", *_image(seed + 6, 2, 2, 2, 2, 2)),
        Case("single-channel", *_SINGLE),
        Case("soft-truth", *_SOFT),
        Case("weights", *_image(seed + 8, 3, 5, 3), {"class_weight": _WEIGHTS}),
        Case("class-axis", *_image(seed + 10, 2, 3, 4, class_axis=1), {"class_axis": 1, "class_weight": _WEIGHTS}),
        Case("few", *_FEW),
        Case("few-skip", *_FEW, {"empty": "skip", "class_weight": _WEIGHTS}),
        Case("no-background", *_image(seed + 12, 3, 5, 3), {"include_background": False, "class_weight": _WEIGHTS}),
        Case("no-background-skip", *_FEW, {"include_background": False, "empty": "skip"}),
        Case("nothing-true", *_NOTHING),
        Case("nothing-true-skip", *_NOTHING, {"empty": "skip"}, expect=np.zeros(2)),
        Case("perfect", _HARD, _HARD.copy(), smooth=False, expect=np.zeros(1)),
        Case("perfect-few", _FEW[0], _FEW[0].copy(), smooth=False, expect=np.zeros(2)),
    ]


CASES = {
    "GeneralizedDice": [
        *_common(810),
        Case("simple", *_image(830, 3, 5, 3), {"weight_type": "simple"}),
        Case("uniform", *_image(832, 3, 5, 3), {"weight_type": "uniform", "smooth": 1.0}),
        Case("simple-few", *_FEW, {"weight_type": "simple", "class_weight": _WEIGHTS}),
        Case("soft-label", *_SOFT, {"soft_label": True, "smooth": 0.0}),
        Case("soft-label-right", _SOFT[0], _SOFT[0].copy(), {"soft_label": True}, smooth=False, expect=np.zeros(2)),
        # Sizes 1, 2, 1: weights 1, 1/4, 1; every pixel misses by 1 in two classes.
        Case("all-wrong", _HARD, _WRONG, {"smooth": 0.0}, expect=np.ones(1)),
        # One region of 3 pixels and one of 1, weights 1/9 and 1, half of each seen.
        Case("by-hand", one_hot([[0, 0, 0, 1]], 2), np.full((1, 4, 2), 0.5), {"smooth": 0.0},
             expect=array(1 - 2 * (1.5 / 9 + 0.5) / ((3 + 2) / 9 + (1 + 2)))),
    ],
    "MatthewsCorrelation": [
        *_common(840),
        Case("smooth", *_image(860, 3, 5, 3), {"smooth": 1.0}),
        Case("smooth-zero", *_SOFT, {"smooth": 0.0}),
        # Between two sets of bits it is Pearson's correlation.
        Case("bits", _BITS[:1], _BITS[1:], {"smooth": 0.0},
             expect=array(1 - np.corrcoef(_BITS[0].ravel(), _BITS[1].ravel())[0, 1])),
        Case("inverted", _BITS, 1 - _BITS, {"smooth": 0.0}, expect=np.full(2, 2.0)),
        Case("all-seen", _BITS, np.ones_like(_BITS), {"smooth": 0.0}, smooth=False, expect=np.ones(2)),
        Case("none-seen", _BITS, np.zeros_like(_BITS), {"smooth": 0.0}, smooth=False, expect=np.ones(2)),
        Case("full", np.ones((1, 4, 1)), uniform(862, 1, 4, 1)),
        Case("perfect-without-smooth", _FEW[0], _FEW[0].copy(), {"smooth": 0.0}, smooth=False, expect=np.zeros(2)),
    ],
    "SensitivitySpecificity": [
        *_common(870),
        Case("weight", *_image(890, 3, 5, 3), {"sensitivity_weight": 0.7}),
        Case("weight-zero", *_image(892, 3, 5, 3), {"sensitivity_weight": 0.0}),
        Case("weight-one", *_image(894, 3, 5, 3), {"sensitivity_weight": 1.0}),
        Case("misses", np.ones((1, 4, 1)), np.full((1, 4, 1), 0.5), expect=array(0.05 * 0.25)),
        Case("alarms", np.zeros((1, 4, 1)), np.full((1, 4, 1), 0.5), expect=array(0.95 * 0.25)),
        Case("all-wrong", _BITS, 1 - _BITS, expect=np.ones(2)),
    ],
    "ExponentialLogarithmic": [
        *_common(900),
        Case("weights-of-parts", *_image(920, 3, 5, 3), {"dice_weight": 0.3, "crossentropy_weight": 2.0}),
        Case("dice-alone", *_image(922, 3, 5, 3), {"crossentropy_weight": 0.0, "class_weight": _WEIGHTS}),
        Case("entropy-alone", *_image(924, 3, 5, 3), {"dice_weight": 0.0, "class_weight": _WEIGHTS}),
        Case("gamma-one", *_image(926, 3, 5, 3), {"gamma": 1.0}),
        Case("gamma-two", *_image(928, 3, 5, 3), {"gamma": 2.0}),
        Case("smooth-zero", *_image(930, 3, 5, 3), {"smooth": 1e-3}),
        Case("soft-label", *_SOFT, {"soft_label": True}),
        Case("all-wrong", _HARD, _WRONG, {"gamma": 1.0}, smooth=False,
             expect=array(0.8 * np.log((1 + 3) * (1 + 3) * (1 + 2)) / 3 - 0.2 * np.log(EPSILON))),
        Case("no-overlap", _HARD, _WRONG, {"gamma": 1.0, "smooth": 0.0, "crossentropy_weight": 0.0}, smooth=False),
    ],
}  # fmt: skip
