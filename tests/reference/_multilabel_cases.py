"""The cases of the losses in ``classification_multilabel.py``."""

import numpy as np

from ._case import EPSILON, Case, array, binary, normal, random_labels, simplex, uniform

_LOGITS = {"from_logits": True}
_WEIGHTS = (0.5, 2.0, 0.0)
# Right and wrong logits of +-1e4 for the labels 1 and 0.
_Y = array([1, 0], [1, 0])
_SATURATED = array([1e4, -1e4], [-1e4, 1e4])


def _both(name, seed, *shape, truth=binary, **config):
    """The same configuration on probabilities and on logits."""
    return [
        Case(name, truth(seed, *shape), uniform(seed + 1, *shape), config),
        Case(f"{name}-logits", truth(seed + 2, *shape), normal(seed + 3, *shape, scale=3.0), {**config, **_LOGITS}),
    ]


_ASYMMETRIC = [
    *_both("default", 2000, 4, 3),
    *_both("rank-3", 2010, 2, 4, 3),
    *_both("rank-4", 2020, 2, 3, 2, 3),
    *_both("one-label", 2030, 5, 1),
    *_both("soft-truth", 2040, 4, 3, truth=uniform),
    *_both("axis-1", 2050, 2, 3, 4, axis=1),
    *_both("class-weight", 2060, 4, 3, class_weight=_WEIGHTS),
    *_both("class-weight-axis-1", 2070, 2, 3, 4, class_weight=_WEIGHTS, axis=1),
    *_both("gamma-pos", 2080, 4, 3, gamma_pos=1.0),
    *_both("gammas-below-one", 2090, 4, 3, gamma_pos=0.4, gamma_neg=0.3),
    *_both("gamma-neg-zero", 2100, 4, 3, gamma_neg=0.0),
    *_both("gammas-large", 2110, 4, 3, gamma_pos=30.0, gamma_neg=50.0),
    *_both("no-clip", 2120, 4, 3, clip=0.0, gamma_pos=2.0, gamma_neg=3.0),
    *_both("no-clip-below-one", 2130, 4, 3, clip=0.0, gamma_pos=0.5, gamma_neg=0.5),
    *_both("clip-large", 2140, 4, 3, clip=0.6),
    *_both("clip-tiny", 2150, 4, 3, clip=1e-6),
    *_both("clip-one", 2160, 4, 3, clip=1.0),
    # Without focus and shift it is binary cross-entropy.
    Case(
        "plain",
        array([1, 0]),
        array([0.8, 0.4]),
        {"gamma_pos": 0.0, "gamma_neg": 0.0, "clip": 0.0},
        expect=array(-(np.log(0.8) + np.log(0.6)) / 2),
    ),
    Case(
        "by-hand",
        array([1, 0, 0]),
        array([0.8, 0.45, 0.04]),
        {"gamma_pos": 1.0, "gamma_neg": 2.0},
        expect=array(-(0.2 * np.log(0.8) + 0.4**2 * np.log(0.6)) / 3),
    ),
    # A negative of probability 1 is worth -(1 - m)^g log m at most, and has no gradient: the paper's hard threshold.
    Case(
        "saturated",
        _Y,
        _SATURATED,
        _LOGITS,
        expect=array(0.0, (1e4 - 0.95**4 * np.log(0.05)) / 2),
    ),
    Case("saturated-no-clip", _Y, _SATURATED, {**_LOGITS, "clip": 0.0}, expect=array(0.0, 1e4)),
    Case(
        "corners",
        _Y,
        array([1.0, 0.0], [0.0, 1.0]),
        smooth=False,
        expect=array(0.0, -(np.log(EPSILON) + 0.95**4 * np.log(0.05)) / 2),
    ),
    Case("at-the-threshold", array([0.0, 0.0]), array([0.05, 0.05]), smooth=False, expect=array(0.0)),
]

_SOFT_MARGIN = [
    Case("default", binary(2200, 4, 3), normal(2201, 4, 3)),
    Case("rank-3", binary(2202, 2, 4, 3), normal(2203, 2, 4, 3)),
    Case("rank-4", binary(2204, 2, 2, 3, 2), normal(2205, 2, 2, 3, 2)),
    Case("one-label", binary(2206, 5, 1), normal(2207, 5, 1)),
    Case("soft-truth", uniform(2208, 4, 3), normal(2209, 4, 3)),
    Case("class-weight", binary(2210, 4, 3), normal(2211, 4, 3), {"class_weight": _WEIGHTS}),
    Case(
        "class-weight-axis-1",
        binary(2212, 2, 3, 4),
        normal(2213, 2, 3, 4),
        {"class_weight": _WEIGHTS, "axis": 1},
    ),
    Case("zero-logits", array([1, 0]), np.zeros((1, 2)), expect=array(np.log(2))),
    Case("saturated", _Y, _SATURATED, expect=array(0.0, 1e4)),
]

_ZLPR = [
    *_both("default", 2300, 4, 3),
    *_both("rank-3", 2310, 2, 4, 3),
    *_both("rank-4", 2320, 2, 3, 2, 3),
    *_both("one-label", 2330, 5, 1),
    *_both("soft-truth", 2340, 4, 3, truth=uniform),
    *_both("axis-1", 2350, 2, 3, 4, axis=1),
    # With all scores 0: one positive and C - 1 negatives.
    Case("zeros", array([0, 1, 0, 0]), np.zeros((1, 4)), _LOGITS, expect=array(np.log(2) + np.log(4))),
    Case("halves", array([0, 1, 0, 0]), np.full((1, 4), 0.5), expect=array(np.log(2) + np.log(4))),
    Case("no-positive", array([0, 0]), array([1.0, 3.0]), _LOGITS, expect=array(np.log(1 + np.exp(1) + np.exp(3)))),
    Case("only-positive", array([1, 1]), array([1.0, 3.0]), _LOGITS, expect=array(np.log(1 + np.exp(-1) + np.exp(-3)))),
    Case("saturated", _Y, _SATURATED, _LOGITS, expect=array(0.0, 2e4)),
    Case(
        "corners",
        _Y,
        array([1.0, 0.0], [0.0, 1.0]),
        smooth=False,
        expect=2 * np.log1p(array(EPSILON, 1 / EPSILON)),
    ),
]

# Sample 2 has no label, class 3 no sample, sample 3 all labels.
_PRESENT = array([1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 1])
_ABSENT = np.concatenate([_PRESENT[:3], np.zeros((3, 1))], axis=1)
_TEMPERATURES = {"positive_temperature": 2.5, "negative_temperature": 0.7}

_TWO_WAY = [
    Case("default", binary(2400, 5, 4), normal(2401, 5, 4)),
    Case("temperatures", binary(2402, 5, 4), normal(2403, 5, 4), _TEMPERATURES),
    Case("cold", binary(2404, 4, 3), normal(2405, 4, 3), {"positive_temperature": 0.05, "negative_temperature": 0.05}),
    Case("hot", binary(2406, 4, 3), normal(2407, 4, 3), {"positive_temperature": 50.0, "negative_temperature": 50.0}),
    Case("sample-without-labels", _PRESENT, normal(2408, 4, 3)),
    Case("class-without-samples", _ABSENT, normal(2409, 3, 4), _TEMPERATURES),
    Case("soft-truth", uniform(2410, 4, 3) * binary(2411, 4, 3), normal(2412, 4, 3)),
    Case("no-positive", np.zeros((3, 2)), normal(2413, 3, 2), expect=np.zeros(3)),
    Case("only-positives", np.ones((3, 2)), normal(2414, 3, 2), expect=np.zeros(3)),
    # One positive against one negative: the temperatures cancel in the sample's term, and a class of one sample has no
    # negative.
    Case("one-sample", array([1, 0]), array([0.5, 2.0]), _TEMPERATURES, expect=array(np.logaddexp(0, 1.5))),
    # Of the two samples each has the other class: all four terms are softplus(-2).
    Case("two-samples", np.eye(2), 2 * np.eye(2), expect=np.full(2, 2 * np.logaddexp(0, -2.0))),
    Case("saturated", np.eye(2), 1e4 * (1 - 2 * np.eye(2)), expect=np.full(2, 4e4)),
]


def _labelled(name, seed, *shape, **config):
    axis = config.get("axis", -1)
    return [
        Case(name, random_labels(seed, *shape, axis=axis), simplex(seed + 1, *shape, axis=axis), config),
        Case(
            f"{name}-logits",
            random_labels(seed + 2, *shape, axis=axis),
            normal(seed + 3, *shape, scale=2.0),
            {**config, **_LOGITS},
        ),
    ]


_SINGLE = [
    *_labelled("default", 2500, 4, 3),
    *_labelled("rank-3", 2510, 2, 4, 3),
    *_labelled("rank-4", 2520, 2, 3, 2, 3),
    *_labelled("axis-1", 2530, 2, 3, 4, axis=1),
    *_labelled("class-weight", 2540, 5, 3, class_weight=_WEIGHTS),
    *_labelled("no-smoothing", 2550, 4, 3, label_smoothing=0.0, gamma_pos=1.5),
    *_labelled("gamma-pos", 2560, 4, 3, gamma_pos=2.0),
    *_labelled("gammas-below-one", 2570, 4, 3, gamma_pos=0.4, gamma_neg=0.3, label_smoothing=0.3),
    *_labelled("gammas-large", 2580, 4, 3, gamma_pos=30.0, gamma_neg=50.0),
    *_labelled("smoothing-one", 2590, 4, 3, label_smoothing=1.0, gamma_pos=1.0, gamma_neg=1.0),
    *_labelled("ignore", 2600, 6, 3, ignore_class=1),
    Case("ignore-outside", np.array([0, -1, 2]), normal(2610, 3, 3), {"ignore_class": -1, **_LOGITS}),
    Case("out-of-range", np.array([0, 3, -1]), normal(2611, 3, 3), _LOGITS, smooth=False),
    # Without smoothing gamma_neg has nothing to weigh: cross-entropy.
    Case(
        "crossentropy",
        np.array([0, 1]),
        array([0.7, 0.3], [0.9, 0.1]),
        {"label_smoothing": 0.0},
        expect=-np.log(array(0.7, 0.1)),
    ),
    Case(
        "by-hand",
        np.array([0]),
        array([0.75, 0.25]),
        {"label_smoothing": 0.2, "gamma_pos": 1.0, "gamma_neg": 2.0},
        expect=-array(0.9 * 0.25 * np.log(0.75) + 0.1 * 0.25**2 * np.log(0.25)),
    ),
    # The other class has p = 0: its focal weight is exp(-4e4).
    Case("saturated", np.array([0, 1]), array([1e4, 0.0], [1e4, 0.0]), _LOGITS, expect=array(0.0, 0.95 * 1e4)),
    Case("corners", np.array([0, 1]), array([1.0, 0.0], [1.0, 0.0]), smooth=False),
]


def _scored(name, seed, *shape, **config):
    return Case(name, random_labels(seed, *shape, axis=config.get("axis", -1)), normal(seed + 1, *shape), config)


_MARGIN = [
    _scored("default", 2700, 4, 3),
    _scored("rank-3", 2702, 2, 4, 3),
    _scored("rank-4", 2704, 2, 3, 2, 3),
    _scored("squared", 2706, 4, 3, p=2),
    _scored("margin", 2708, 4, 3, margin=0.25),
    _scored("margin-zero-squared", 2710, 4, 3, margin=0.0, p=2),
    _scored("axis-1", 2712, 2, 3, 4, axis=1),
    _scored("class-weight", 2714, 5, 3, class_weight=_WEIGHTS),
    _scored("class-weight-squared-axis-1", 2716, 2, 3, 4, class_weight=_WEIGHTS, p=2, axis=1),
    _scored("one-class", 2718, 4, 1),
    _scored("ignore", 2720, 6, 3, ignore_class=0),
    Case("out-of-range", np.array([0, 3, -1]), normal(2722, 3, 3), smooth=False),
    Case("by-hand", np.array([1]), array([0.5, 1.0, -1.0]), expect=array(0.5 / 3)),
    Case("by-hand-squared", np.array([0]), array([0.5, 1.0, -1.0]), {"p": 2}, expect=array(1.5**2 / 3)),
    Case("ties", np.array([0, 1]), np.zeros((2, 4)), expect=np.full(2, 0.75)),
    Case("at-the-margin", np.array([0]), array([2.0, 1.0, 1.0]), smooth=False, expect=array(0.0)),
    Case("large", np.array([0, 1]), array([1e4, -1e4], [1e4, -1e4]), expect=array(0.0, (1 + 2e4) / 2)),
]

CASES = {
    "AsymmetricMultilabel": _ASYMMETRIC,
    "MultilabelSoftMargin": _SOFT_MARGIN,
    "ZLPR": _ZLPR,
    "TwoWay": _TWO_WAY,
    "AsymmetricSingleLabel": _SINGLE,
    "MultiMargin": _MARGIN,
}
