"""The cases of the focal losses on class probabilities."""

import numpy as np

from ._case import Case, array, normal, one_hot, random_labels, random_one_hot, simplex
from ._categorical_cases import (
    CORNERS,
    IGNORED,
    LOG_EPS,
    LOG_P43,
    SATURATED_CLASSES,
    UNNORMALISED,
    WEIGHT,
    X43,
    both,
    ignored_rows,
    shapes,
)


def _focal_both(name, seed, truth=random_one_hot, **config):
    return both(name, seed, truth, 4, 3, **config)


_FIRST = one_hot([0, 0], 3)
_ALPHA = (0.1, 0.5, 0.9)

_FOCAL = [
    *shapes(2400, random_one_hot),
    *ignored_rows(2500),
    *_focal_both("gamma-tuple", 2690, gamma=(0.0, 0.5, 3.0)),
    *_focal_both("alpha", 2600, alpha=0.8),
    *_focal_both("alpha-tuple", 2610, alpha=_ALPHA),
    *_focal_both("alpha-tuple-and-weight", 2620, alpha=_ALPHA, **WEIGHT),
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
        **WEIGHT,
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
        UNNORMALISED,
        expect=-0.25 * array(0.5, 0.6, 0.5) ** 2 * np.log(array(0.5, 0.4, 0.5)),
    ),
    *[
        Case(
            f"right-and-wrong-gamma-{gamma}",
            _FIRST,
            CORNERS,
            {"gamma": gamma},
            smooth=False,
            expect=array(0.0, -0.25 * LOG_EPS),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
    *[
        Case(
            f"saturated-logits-gamma-{gamma}",
            _FIRST,
            SATURATED_CLASSES,
            {"gamma": gamma, "from_logits": True},
            expect=array(0.0, 0.25 * (2e4 + np.log(2))),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
    Case(
        "saturated-logits-smoothing",
        _FIRST,
        SATURATED_CLASSES,
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


def _sparse_focal_both(name, seed, **config):
    return both(name, seed, random_labels, 4, 3, **config)


_SPARSE_FOCAL = [
    *shapes(2700, random_labels),
    *_sparse_focal_both("alpha", 2850, alpha=0.8),
    *_sparse_focal_both("alpha-tuple", 2855, alpha=_ALPHA),
    *_sparse_focal_both("gamma-zero", 2860, gamma=0.0),
    *_sparse_focal_both("gamma-half", 2865, gamma=0.5),
    *_sparse_focal_both("gamma-tuple", 2870, gamma=(0.0, 0.5, 3.0)),
    *_sparse_focal_both("everything", 2875, alpha=_ALPHA, gamma=(0.5, 1.5, 4.0), label_smoothing=0.2, **WEIGHT),
    Case("ignore", IGNORED, simplex(2880, 2, 3, 3), {"ignore_class": 255}),
    Case("ignore-axis-1", IGNORED, normal(2881, 2, 4, 3), {"ignore_class": 255, "axis": 1, "from_logits": True}),
    Case("ignore-a-class", np.array([0, 2, 1, 0]), X43, {"ignore_class": 0, "from_logits": True}),
    Case("ignore-everything", np.full((4,), -1), X43, {"ignore_class": -1, "from_logits": True}, expect=np.zeros(4)),
    Case(
        "out-of-range-and-ignored",
        np.array([-1, -2, 3, 1]),
        X43,
        {"ignore_class": -1, "from_logits": True, "gamma": 0.0, "alpha": 1.0},
        smooth=False,
        expect=-array(0.0, np.nan, np.nan, LOG_P43[3, 1]),
    ),
    Case(
        "by-hand",
        np.array([0, 2, 1]),
        UNNORMALISED,
        {"alpha": (1.0, 2.0, 3.0), "gamma": (1.0, 0.0, 2.0)},
        expect=-array(0.5, 3 * 0.6**2, 2.0) * np.log(array(0.5, 0.4, 0.5)),
    ),
    *[
        Case(
            f"saturated-logits-gamma-{gamma}",
            np.array([0, 0]),
            SATURATED_CLASSES,
            {"gamma": gamma, "from_logits": True},
            expect=array(0.0, 0.25 * (2e4 + np.log(2))),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
]

CASES = {
    "CategoricalFocalCrossentropy": _FOCAL,
    "SparseCategoricalFocalCrossentropy": _SPARSE_FOCAL,
}
