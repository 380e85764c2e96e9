"""The cases of the losses on class probabilities."""

import numpy as np

from ._case import EPSILON, Case, array, labels, log_softmax, normal, one_hot, random_labels, random_one_hot, simplex, uniform

_LOG_EPS = np.log(EPSILON)
_WEIGHT = {"class_weight": (0.5, 2.0, 3.5)}


def _both(name, seed, truth, *shape, axis=-1, **config):
    """The same configuration on probabilities and on logits.

    ``truth(seed, *shape, axis)`` draws the labels.
    """
    if axis != -1:
        config["axis"] = axis
    return [
        Case(
            name,
            truth(seed, *shape, axis=axis),
            simplex(seed + 1, *shape, axis=axis),
            config,
        ),
        Case(
            name + "-logits",
            truth(seed + 2, *shape, axis=axis),
            normal(seed + 3, *shape, scale=2.5),
            {**config, "from_logits": True},
        ),
    ]


def _shapes(seed, truth):
    """Shapes, axis, smoothing and weights."""

    def both(name, offset, *shape, **config):
        return _both(name, seed + offset, truth, *shape, **config)

    return [
        *both("rank-2", 0, 5, 3),
        *both("rank-3", 10, 2, 5, 4),
        *both("rank-4", 20, 2, 3, 2, 3),
        *both("two-classes", 30, 5, 2),
        *both("axis-1", 40, 2, 3, 4, axis=1),
        *both("axis-1-rank-4", 50, 2, 3, 2, 4, axis=1),
        *both("smoothing", 60, 4, 5, label_smoothing=0.2),
        *both("class-weight", 70, 6, 3, **_WEIGHT),
        *both("class-weight-axis-1", 80, 2, 3, 4, axis=1, **_WEIGHT),
        *both(
            "class-weight-smoothing",
            90,
            2,
            4,
            3,
            label_smoothing=0.1,
            **_WEIGHT,
        ),
    ]


_SATURATED_CLASSES = array([1e4, -1e4, 0.0], [-1e4, 1e4, 1e4])
_UNNORMALISED = array([2.0, 1.0, 1.0], [0.3, 0.3, 0.4], [0.02, 0.05, 0.03])
_CORNERS = array([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])


def _corners(sparse):
    """Corner cases shared by the two crossentropies."""

    def truth(*ids):
        return np.array(ids) if sparse else one_hot(ids, 3)

    smoothed = {"from_logits": True, "label_smoothing": 0.3}
    return [
        Case(
            "unnormalised",
            truth(0, 2, 1),
            _UNNORMALISED,
            expect=-np.log(array(0.5, 0.4, 0.5)),
        ),
        Case(
            "weight-by-hand",
            truth(0, 2, 1),
            _UNNORMALISED,
            {"class_weight": (2.0, 0.0, 5.0)},
            expect=-array(2.0, 5.0, 0.0) * np.log(array(0.5, 0.4, 0.5)),
        ),
        Case(
            "right-and-wrong",
            truth(0, 0),
            _CORNERS,
            smooth=False,
            expect=array(0.0, -_LOG_EPS),
        ),
        Case(
            "saturated-logits",
            truth(0, 0),
            _SATURATED_CLASSES,
            {"from_logits": True},
            expect=array(0.0, 2e4 + np.log(2)),
        ),
        Case(
            "saturated-logits-smoothing",
            truth(0, 0),
            _SATURATED_CLASSES,
            smoothed,
            expect=array(0.1 * (2e4 + 1e4), 0.8 * 2e4 + np.log(2)),
        ),
        Case(
            "equal-logits",
            truth(2, 1),
            np.full((2, 3), 7.0),
            {"from_logits": True},
            expect=np.full(2, np.log(3)),
        ),
    ]


_IGNORED = np.array([[0, 255, 1], [255, 2, 0]])
_MINUS = np.array([-1, 2, 1, -1])
_X43 = normal(2150, 4, 3, scale=2.0)
_LOG_P43 = np.array([log_softmax(row) for row in _X43])

_SPARSE = [
    *_shapes(2000, random_labels),
    *_corners(sparse=True),
    Case("column", labels(2200, 3, 5, 1), simplex(2201, 5, 3)),
    Case(
        "column-logits",
        labels(2202, 3, 5, 1),
        normal(2203, 5, 3),
        {"from_logits": True, "class_weight": (0.5, 2.0, 3.5)},
    ),
    Case("int32", labels(2204, 3, 5).astype(np.int32), simplex(2205, 5, 3)),
    Case("ignore", _IGNORED, simplex(2206, 2, 3, 3), {"ignore_class": 255}),
    Case(
        "ignore-uint8",
        _IGNORED.astype(np.uint8),
        normal(2207, 2, 3, 3),
        {"ignore_class": 255, "from_logits": True},
    ),
    Case(
        "ignore-negative",
        _MINUS,
        _X43,
        {"ignore_class": -1, "from_logits": True},
        expect=-array(0.0, _LOG_P43[1, 2], _LOG_P43[2, 1], 0.0),
    ),
    Case(
        "ignore-a-class",
        np.array([0, 2, 1, 0]),
        _X43,
        {"ignore_class": 0, "from_logits": True},
        expect=-array(0.0, _LOG_P43[1, 2], _LOG_P43[2, 1], 0.0),
    ),
    Case(
        "ignore-axis-1",
        _IGNORED,
        simplex(2208, 2, 4, 3, axis=1),
        {"ignore_class": 255, "axis": 1},
    ),
    Case(
        "ignore-weight-smoothing",
        _MINUS,
        simplex(2209, 4, 3),
        {
            "ignore_class": -1,
            "class_weight": (0.5, 2.0, 3.5),
            "label_smoothing": 0.2,
        },
    ),
    Case(
        "ignore-everything",
        np.full((4,), -1),
        _X43,
        {"ignore_class": -1, "from_logits": True},
        expect=np.zeros(4),
    ),
    Case(
        "out-of-range-logits",
        np.array([-1, 2, 3, 1]),
        _X43,
        {"from_logits": True},
        smooth=False,
        expect=-array(np.nan, _LOG_P43[1, 2], np.nan, _LOG_P43[3, 1]),
    ),
    Case(
        "out-of-range",
        np.array([3, -1, 1]),
        _UNNORMALISED,
        smooth=False,
        expect=array(np.nan, np.nan, np.log(2)),
    ),
    Case(
        "out-of-range-and-ignored",
        np.array([-1, -2, 3, 1]),
        _X43,
        {"ignore_class": -1, "from_logits": True},
        smooth=False,
        expect=-array(0.0, np.nan, np.nan, _LOG_P43[3, 1]),
    ),
]


_CATEGORICAL = [
    *_shapes(1800, random_one_hot),
    *_corners(sparse=False),
    Case("soft-truth", simplex(1990, 4, 3), simplex(1991, 4, 3)),
    Case(
        "soft-truth-logits",
        simplex(1992, 4, 3),
        normal(1993, 4, 3, scale=3.0),
        {"from_logits": True, "label_smoothing": 0.1, **_WEIGHT},
    ),
]


def _focal_both(name, seed, truth=random_one_hot, **config):
    return _both(name, seed, truth, 4, 3, **config)


_FIRST = one_hot([0, 0], 3)
_ALPHA = (0.1, 0.5, 0.9)

_FOCAL = [
    *_shapes(2400, random_one_hot),
    *_focal_both("alpha", 2600, alpha=0.8),
    *_focal_both("alpha-tuple", 2610, alpha=_ALPHA),
    *_focal_both("alpha-tuple-and-weight", 2620, alpha=_ALPHA, **_WEIGHT),
    *_focal_both("gamma-zero", 2630, gamma=0.0),
    *_focal_both("gamma-half", 2640, gamma=0.5),
    *_focal_both("gamma-3", 2650, gamma=3.0),
    *_focal_both("soft-truth", 2660, simplex, gamma=1.5),
    *_focal_both(
        "everything",
        2670,
        alpha=_ALPHA,
        gamma=0.5,
        label_smoothing=0.2,
        **_WEIGHT,
    ),
    Case(
        "alpha-tuple-axis-1",
        random_one_hot(2680, 2, 3, 4, axis=1),
        simplex(2681, 2, 3, 4, axis=1),
        {"alpha": _ALPHA, "axis": 1},
    ),
    Case(
        "unnormalised",
        one_hot([0, 2, 1], 3),
        _UNNORMALISED,
        expect=-0.25 * array(0.5, 0.6, 0.5) ** 2 * np.log(array(0.5, 0.4, 0.5)),
    ),
    *[
        Case(
            f"right-and-wrong-gamma-{gamma}",
            _FIRST,
            _CORNERS,
            {"gamma": gamma},
            smooth=False,
            expect=array(0.0, -0.25 * _LOG_EPS),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
    *[
        Case(
            f"saturated-logits-gamma-{gamma}",
            _FIRST,
            _SATURATED_CLASSES,
            {"gamma": gamma, "from_logits": True},
            expect=array(0.0, 0.25 * (2e4 + np.log(2))),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
    Case(
        "saturated-logits-smoothing",
        _FIRST,
        _SATURATED_CLASSES,
        {"from_logits": True, "label_smoothing": 0.3},
        expect=0.25
        * array(
            0.1 * (2e4 + 1e4),
            0.8 * (2e4 + np.log(2)) + 0.2 * 0.5**2 * np.log(2),
        ),
    ),
    Case(
        "confident-logits",
        _FIRST,
        array([40.0, 0.0, 1.0], [25.0, -30.0, 2.0]),
        {"from_logits": True, "gamma": 0.5},
    ),
]

_KL = [
    Case("rank-2", simplex(2900, 5, 3), simplex(2901, 5, 3)),
    Case("rank-3", simplex(2902, 2, 4, 3), simplex(2903, 2, 4, 3)),
    Case("rank-4", simplex(2904, 2, 2, 3, 4), simplex(2905, 2, 2, 3, 4)),
    Case("unnormalised", uniform(2906, 4, 3), uniform(2907, 4, 3)),
    Case(
        "equal",
        simplex(2908, 4, 3),
        simplex(2908, 4, 3),
        expect=np.zeros(4),
    ),
    Case(
        "by-hand",
        array([0.5, 0.25, 0.25]),
        array([0.25, 0.25, 0.5]),
        expect=array(0.5 * np.log(2) - 0.25 * np.log(2)),
    ),
    Case(
        "zero-truth",
        array([0.0, 1.0, 0.0], [0.5, 0.5, 0.0]),
        array([0.2, 0.5, 0.3], [0.25, 0.25, 0.5]),
        expect=array(np.log(2), np.log(2)),
    ),
    Case(
        "zeros",
        array([0.0, 1.0], [1.0, 0.0], [0.0, 0.0]),
        array([0.0, 1.0], [0.0, 1.0], [0.0, 0.0]),
        smooth=False,
        expect=array(0.0, -_LOG_EPS, 0.0),
    ),
    Case(
        "tiny-truth",
        array([1e-12, 1.0]),
        array([0.5, 0.5]),
        expect=array(1e-12 * np.log(2e-12) + np.log(2)),
    ),
]

CASES = {
    "CategoricalCrossentropy": _CATEGORICAL,
    "SparseCategoricalCrossentropy": _SPARSE,
    "CategoricalFocalCrossentropy": _FOCAL,
    "KLDivergence": _KL,
}
