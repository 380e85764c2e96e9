"""The cases of the losses on class probabilities."""

import numpy as np

from ._case import EPSILON, Case, array, labels, log_softmax, normal, one_hot, random_labels, random_one_hot, simplex, uniform

LOG_EPS = np.log(EPSILON)
WEIGHT = {"class_weight": (0.5, 2.0, 3.5)}


def both(name, seed, truth, *shape, axis=-1, **config):
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


def shapes(seed, truth):
    """Shapes, axis, smoothing and weights."""

    def of(name, offset, *shape, **config):
        return both(name, seed + offset, truth, *shape, **config)

    return [
        *of("rank-2", 0, 5, 3),
        *of("rank-3", 10, 2, 5, 4),
        *of("rank-4", 20, 2, 3, 2, 3),
        *of("two-classes", 30, 5, 2),
        *of("axis-1", 40, 2, 3, 4, axis=1),
        *of("axis-1-rank-4", 50, 2, 3, 2, 4, axis=1),
        *of("smoothing", 60, 4, 5, label_smoothing=0.2),
        *of("class-weight", 70, 6, 3, **WEIGHT),
        *of("class-weight-axis-1", 80, 2, 3, 4, axis=1, **WEIGHT),
        *of(
            "class-weight-smoothing",
            90,
            2,
            4,
            3,
            label_smoothing=0.1,
            **WEIGHT,
        ),
    ]


SATURATED_CLASSES = array([1e4, -1e4, 0.0], [-1e4, 1e4, 1e4])
UNNORMALISED = array([2.0, 1.0, 1.0], [0.3, 0.3, 0.4], [0.02, 0.05, 0.03])
CORNERS = array([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])


def _corners(sparse):
    """Corner cases shared by the two crossentropies."""

    def truth(*ids):
        return np.array(ids) if sparse else one_hot(ids, 3)

    smoothed = {"from_logits": True, "label_smoothing": 0.3}
    return [
        Case(
            "unnormalised",
            truth(0, 2, 1),
            UNNORMALISED,
            expect=-np.log(array(0.5, 0.4, 0.5)),
        ),
        Case(
            "weight-by-hand",
            truth(0, 2, 1),
            UNNORMALISED,
            {"class_weight": (2.0, 0.0, 5.0)},
            expect=-array(2.0, 5.0, 0.0) * np.log(array(0.5, 0.4, 0.5)),
        ),
        Case(
            "right-and-wrong",
            truth(0, 0),
            CORNERS,
            smooth=False,
            expect=array(0.0, -LOG_EPS),
        ),
        Case(
            "saturated-logits",
            truth(0, 0),
            SATURATED_CLASSES,
            {"from_logits": True},
            expect=array(0.0, 2e4 + np.log(2)),
        ),
        Case(
            "saturated-logits-smoothing",
            truth(0, 0),
            SATURATED_CLASSES,
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


IGNORED = np.array([[0, 255, 1], [255, 2, 0]])
_MINUS = np.array([-1, 2, 1, -1])
X43 = normal(2150, 4, 3, scale=2.0)
LOG_P43 = np.array([log_softmax(row) for row in X43])

_SPARSE = [
    *shapes(2000, random_labels),
    *_corners(sparse=True),
    Case("column", labels(2200, 3, 5, 1), simplex(2201, 5, 3)),
    Case(
        "column-logits",
        labels(2202, 3, 5, 1),
        normal(2203, 5, 3),
        {"from_logits": True, "class_weight": (0.5, 2.0, 3.5)},
    ),
    Case("int32", labels(2204, 3, 5).astype(np.int32), simplex(2205, 5, 3)),
    Case("ignore", IGNORED, simplex(2206, 2, 3, 3), {"ignore_class": 255}),
    Case(
        "ignore-uint8",
        IGNORED.astype(np.uint8),
        normal(2207, 2, 3, 3),
        {"ignore_class": 255, "from_logits": True},
    ),
    Case(
        "ignore-negative",
        _MINUS,
        X43,
        {"ignore_class": -1, "from_logits": True},
        expect=-array(0.0, LOG_P43[1, 2], LOG_P43[2, 1], 0.0),
    ),
    Case(
        "ignore-a-class",
        np.array([0, 2, 1, 0]),
        X43,
        {"ignore_class": 0, "from_logits": True},
        expect=-array(0.0, LOG_P43[1, 2], LOG_P43[2, 1], 0.0),
    ),
    Case(
        "ignore-axis-1",
        IGNORED,
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
        X43,
        {"ignore_class": -1, "from_logits": True},
        expect=np.zeros(4),
    ),
    Case(
        "out-of-range-logits",
        np.array([-1, 2, 3, 1]),
        X43,
        {"from_logits": True},
        smooth=False,
        expect=-array(np.nan, LOG_P43[1, 2], np.nan, LOG_P43[3, 1]),
    ),
    Case(
        "out-of-range",
        np.array([3, -1, 1]),
        UNNORMALISED,
        smooth=False,
        expect=array(np.nan, np.nan, np.log(2)),
    ),
    Case(
        "out-of-range-and-ignored",
        np.array([-1, -2, 3, 1]),
        X43,
        {"ignore_class": -1, "from_logits": True},
        smooth=False,
        expect=-array(0.0, np.nan, np.nan, LOG_P43[3, 1]),
    ),
]


def _padded_one_hot(seed, *shape, axis=-1):
    """One-hot rows, the first and some others all zeros: what one-hot encoding makes of an id that is no class."""
    rows = np.moveaxis(random_one_hot(seed, *shape, axis=axis), axis, -1)
    rows = rows * (uniform(seed + 5, *rows.shape[:-1], 1) > 0.35)
    rows[0] = 0
    return np.moveaxis(rows, -1, axis)


def ignored_rows(seed):
    """One-hot rows that do not count."""

    def of(name, offset, *shape, truth=_padded_one_hot, **config):
        return both(name, seed + offset, truth, *shape, **config)

    return [
        *of("ignore-zeros", 0, 5, 3, ignore_class=-1),
        *of("ignore-zeros-rank-3", 10, 2, 5, 3, ignore_class=255),
        *of("ignore-zeros-axis-1", 20, 2, 4, 3, ignore_class=255, axis=1),
        *of("ignore-zeros-smoothing", 30, 5, 3, ignore_class=3, label_smoothing=0.2, **WEIGHT),
        *of("ignore-a-class", 40, 6, 3, truth=random_one_hot, ignore_class=1),
        *of("ignore-a-class-soft", 50, 4, 3, truth=simplex, ignore_class=1),
        Case("ignore-everything", np.zeros((4, 3)), X43, {"ignore_class": -1, "from_logits": True}, expect=np.zeros(4)),
    ]


_CATEGORICAL = [
    *shapes(1800, random_one_hot),
    *ignored_rows(1900),
    Case(
        "ignore-by-hand",
        array([0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]),
        X43,
        {"ignore_class": 0, "from_logits": True},
        expect=-array(LOG_P43[0] @ [0, 0, 0], LOG_P43[1, 2], LOG_P43[2, 1], 0.0),
    ),
    *_corners(sparse=False),
    Case("soft-truth", simplex(1990, 4, 3), simplex(1991, 4, 3)),
    Case(
        "soft-truth-logits",
        simplex(1992, 4, 3),
        normal(1993, 4, 3, scale=3.0),
        {"from_logits": True, "label_smoothing": 0.1, **WEIGHT},
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
        expect=array(0.0, -LOG_EPS, 0.0),
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
    "KLDivergence": _KL,
}
