"""The cases of the cross-entropies with a further term, and of the sparsemax loss."""

import numpy as np

from ._case import EPSILON, Case, array, binary, log_sum_exp, normal, random_labels, random_one_hot, simplex, uniform
from ._categorical_cases import IGNORED, UNNORMALISED, WEIGHT, both, ignored_rows

_LOG_EPS = np.log(EPSILON)
_LOGITS = {"from_logits": True}
_ONE_HOT_SATURATED = (array([1, 0, 0], [1, 0, 0]), array([1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]))


def _dense(seed, *more):
    """What every loss on one-hot labels takes."""

    def of(name, offset, *shape, truth=random_one_hot, **config):
        return both(name, seed + offset, truth, *shape, **config)

    cases = [
        *of("rank-2", 0, 5, 3),
        *of("rank-3", 5, 2, 5, 4),
        *of("rank-4", 10, 2, 3, 2, 3),
        *of("two-classes", 15, 5, 2),
        *of("soft-truth", 20, 4, 3, truth=simplex),
        *of("axis-1", 25, 2, 3, 4, axis=1),
        *of("class-weight", 30, 6, 3, **WEIGHT),
        *ignored_rows(seed + 35),
    ]
    return cases + [case for offset, (name, config) in enumerate(more) for case in of(name, 100 + 5 * offset, 5, 3, **config)]


def _sparse(seed, *more):
    """What every loss on integer labels takes."""

    def of(name, offset, *shape, **config):
        return both(name, seed + offset, random_labels, *shape, **config)

    cases = [
        *of("rank-2", 0, 5, 4),
        *of("rank-3", 5, 2, 5, 4),
        *of("rank-4", 10, 2, 3, 2, 3),
        *of("two-classes", 15, 5, 2),
        *of("axis-1", 20, 2, 4, 3, axis=1),
        *of("class-weight", 25, 6, 3, **WEIGHT),
        Case("ignore", IGNORED, simplex(seed + 30, 2, 3, 3), {"ignore_class": 255}),
        Case("ignore-logits", IGNORED, normal(seed + 31, 2, 3, 3), {"ignore_class": 255, **_LOGITS}),
        Case("ignore-everything", np.full((2,), -1), simplex(seed + 32, 2, 3), {"ignore_class": -1}, expect=np.zeros(2)),
    ]
    return cases + [case for offset, (name, config) in enumerate(more) for case in of(name, 100 + 5 * offset, 5, 4, **config)]


_POLY = [
    *_dense(
        5000,
        ("epsilon-minus-1", {"epsilon": -1.0}),
        ("epsilon-zero", {"epsilon": 0.0}),
        ("epsilon-large", {"epsilon": 10.0}),
        ("smoothing", {"label_smoothing": 0.2}),
        ("everything", {"epsilon": 0.5, "label_smoothing": 0.1, **WEIGHT}),
    ),
    Case(
        "by-hand",
        array([1, 0, 0], [0, 0, 1], [0, 1, 0]),
        UNNORMALISED,
        {"epsilon": 3.0},
        expect=array(1.5, 1.8, 1.5) - np.log(array(0.5, 0.4, 0.5)),
    ),
    Case("saturated-logits", *_ONE_HOT_SATURATED, {"epsilon": 3.0, **_LOGITS}, expect=array(0.0, 2e4 + np.log(2) + 3)),
    Case("right-and-wrong", array([1, 0], [1, 0]), array([1, 0], [0, 1]), smooth=False, expect=array(0.0, 2 - _LOG_EPS)),
]


def _poly_focal(name, seed, *shape, truth=binary, **config):
    return [
        Case(name, truth(seed, *shape), uniform(seed + 1, *shape), config),
        Case(name + "-logits", truth(seed + 2, *shape), normal(seed + 3, *shape, scale=3.0), {**config, **_LOGITS}),
    ]


def _sometimes(label):
    def truth(seed, *shape):
        y = np.where(uniform(seed + 5, *shape) < 0.35, label, binary(seed, *shape))
        y[0] = label
        return y

    return truth


_POLY_FOCAL = [
    *_poly_focal("rank-2", 5300, 4, 3),
    *_poly_focal("rank-3", 5305, 2, 4, 3),
    *_poly_focal("rank-4", 5310, 2, 3, 2, 2),
    *_poly_focal("one-output", 5315, 6, 1),
    *_poly_focal("soft-truth", 5320, 4, 3, truth=uniform),
    *_poly_focal("axis-1", 5325, 2, 3, 4, axis=1),
    *_poly_focal("epsilon-minus-1", 5330, 4, 3, epsilon=-1.0),
    *_poly_focal("epsilon-zero", 5335, 4, 3, epsilon=0.0),
    *_poly_focal("gamma-zero", 5340, 4, 3, gamma=0.0),
    *_poly_focal("gamma-half", 5345, 4, 3, gamma=0.5, epsilon=3.0),
    *_poly_focal("alpha", 5350, 4, 3, alpha=0.25),
    *_poly_focal("pos-weight", 5355, 4, 3, pos_weight=(0.5, 2.0, 4.0)),
    *_poly_focal("class-weight", 5360, 4, 3, class_weight=(0.7, 3.0)),
    *_poly_focal("ignore", 5365, 5, 4, truth=_sometimes(-1), ignore_class=-1),
    *_poly_focal(
        "everything",
        5370,
        4,
        3,
        truth=_sometimes(255),
        ignore_class=255,
        epsilon=0.7,
        gamma=1.5,
        alpha=0.6,
        label_smoothing=0.2,
        pos_weight=2.5,
        class_weight=(0.7, 3.0),
    ),
    # The weight of class 1 is 0.3, that of class 0 is 0.7, of both terms.
    Case(
        "by-hand",
        array([1, 0]),
        array([0.8, 0.4]),
        {"alpha": 0.3, "epsilon": 2.0},
        expect=array((0.3 * 0.2**2 * (0.4 - np.log(0.8)) + 0.7 * 0.4**2 * (0.8 - np.log(0.6))) / 2),
    ),
    *[
        Case(
            f"saturated-logits-gamma-{gamma}",
            array([1, 0], [1, 0]),
            array([1e4, -1e4], [-1e4, 1e4]),
            {"gamma": gamma, **_LOGITS},
            expect=array(0.0, 1e4 + 1),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
    Case("right-and-wrong", array([1, 0], [1, 0]), array([1, 0], [0, 1]), smooth=False, expect=array(0.0, 1 - _LOG_EPS)),
]

_SPREAD = np.array([[0.0, 0.0, 0.0, 0.0], [3.0, 1.0, 1.0, 1.0], [1e4, -1e4, -1e4, -1e4], [-1e4, 1e4, 1e4, 1e4]])

_COMPLEMENT = [
    *_sparse(
        5500,
        ("gamma-zero", {"gamma": 0.0}),
        ("gamma-positive", {"gamma": 0.7}),
        ("gamma-large", {"gamma": -20.0}),
        ("everything", {"gamma": -3.0, "class_weight": (0.5, 2.0, 3.5, 0.1)}),
    ),
    # The other classes are alike: their entropy is that of 3 equal ones, whatever the label has.
    Case(
        "others-alike",
        np.zeros(4, int),
        _SPREAD,
        {"gamma": -2.0, **_LOGITS},
        expect=array(np.log(4), np.log(np.exp(3) + 3 * np.e) - 3, 0, 2e4 + np.log(3)) - 2 / 3 * np.log(3),
    ),
    # One other class has all: no entropy.
    Case(
        "one-other",
        np.array([0, 0, 2]),
        array([0.0, 1e4, -1e4], [1e4, -1e4, 0.0], [0.0, -1e4, -1e4]),
        _LOGITS,
        expect=array(1e4, 0.0, 1e4),
    ),
    Case(
        "right-and-wrong",
        np.array([0, 0]),
        array([1.0, 0.0, 0.0], [0.0, 0.5, 0.5]),
        smooth=False,
        expect=array(0.0, -_LOG_EPS) - np.log(2) / 2,
    ),
    Case(
        "out-of-range",
        np.array([3, -1, 1]),
        UNNORMALISED,
        {"gamma": 0.0},
        smooth=False,
        expect=array(np.nan, np.nan, np.log(2)),
    ),
]


def _views(name, seed, *shape, **config):
    """Labels of a shape without the views and the classes."""
    return [
        Case(name, random_labels(seed, shape[0], *shape[2:]), simplex(seed + 1, *shape), config),
        Case(
            name + "-logits",
            random_labels(seed + 2, shape[0], *shape[2:]),
            normal(seed + 3, *shape, scale=2.0),
            {**config, **_LOGITS},
        ),
    ]


_ONE_VIEW = normal(5690, 4, 1, 3)

_CONSISTENCY = [
    *_views("three-views", 5600, 4, 3, 3),
    *_views("two-views", 5605, 4, 2, 3),
    *_views("rank-4", 5610, 2, 3, 5, 4),
    *_views("rank-5", 5615, 2, 2, 3, 2, 3),
    *_views("alpha", 5620, 4, 3, 3, alpha=0.5),
    *_views("alpha-zero", 5625, 4, 3, 3, alpha=0.0),
    *_views("smoothing", 5630, 4, 3, 3, label_smoothing=0.2),
    *_views("class-weight", 5635, 4, 2, 3, **WEIGHT),
    *_views("everything", 5640, 4, 3, 3, alpha=2.0, label_smoothing=0.1, **WEIGHT),
    Case("ignore", IGNORED, simplex(5650, 2, 3, 3, 3), {"ignore_class": 255}),
    Case("ignore-logits", IGNORED, normal(5651, 2, 4, 3, 3), {"ignore_class": 255, **_LOGITS}),
    Case("one-view", np.array([0, 1, 2, 0]), _ONE_VIEW, _LOGITS),
    Case(
        "equal-views",
        np.array([0, 1, 2, 0]),
        np.repeat(_ONE_VIEW, 3, axis=1),
        {"alpha": 100.0, **_LOGITS},
        expect=array(*[log_sum_exp(list(_ONE_VIEW[i, 0])) - _ONE_VIEW[i, 0, c] for i, c in enumerate([0, 1, 2, 0])]),
    ),
    # Two views that exclude each other: each is log 2 from their mean.
    Case(
        "opposite-views",
        np.array([0, 1]),
        np.array([[[1e4, -1e4], [-1e4, 1e4]], [[1e4, -1e4], [-1e4, 1e4]]]),
        _LOGITS,
        expect=array(0.0, 2e4) + 12 * np.log(2),
    ),
    Case(
        "opposite-probabilities",
        np.array([0, 1]),
        np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]),
        smooth=False,
        expect=array(0.0, -_LOG_EPS) + 12 * np.log(2),
    ),
    Case(
        "out-of-range",
        np.array([3, -1]),
        normal(5660, 2, 2, 3),
        {"alpha": 0.0, **_LOGITS},
        smooth=False,
        expect=np.full(2, np.nan),
    ),
]

_MARGINS = array([3.0, 0.0], [1.0, 0.0], [0.25, 0.0], [0.0, 0.0], [-0.5, 0.0], [-1.0, 0.0], [-7.0, 0.0], [-2e4, 0.0])

_SPARSEMAX = [
    *_dense(5700, ("smoothing", {"label_smoothing": 0.3})),
    *both("many-classes", 5850, random_one_hot, 4, 20),
    *both("close-scores", 5855, random_one_hot, 4, 20, axis=1),
    Case("spread", random_one_hot(5860, 4, 6), normal(5861, 4, 6, scale=30.0), _LOGITS),
    Case("narrow", random_one_hot(5862, 4, 6), normal(5863, 4, 6, scale=0.05), _LOGITS),
    # Two classes: the paper's formula of the margin t = z_1 - z_2.
    Case(
        "two-classes-by-hand",
        array(*[[1, 0]] * len(_MARGINS)),
        _MARGINS,
        _LOGITS,
        expect=array(0.0, 0.0, 0.75**2 / 4, 1 / 4, 1.5**2 / 4, 1.0, 7.0, 2e4),
    ),
    Case(
        "ties",
        array([1, 0, 0], [0.5, 0.5, 0.0], [0, 0, 1], [0, 1, 0]),
        array([0, 0, 0], [2, 2, 2], [5, 5, 0], [1, 1, 0]),
        _LOGITS,
        # 1/2 |q|^2 - q z + max over p of (p z - 1/2 |p|^2)
        expect=array(1 / 2 - 1 / 6, 1 / 4 - 1 / 6, 1 / 2 + 5 - 1 / 4, 1 / 2 - 1 / 4),
    ),
    Case("saturated-logits", *_ONE_HOT_SATURATED, _LOGITS, expect=array(0.0, 1 / 2 + 2e4 - 1 / 4)),
    Case("right-and-wrong", array([1, 0], [1, 0]), array([1, 0], [0, 1]), expect=array(0.0, 1.0)),
]

CASES = {
    "PolyCrossentropy": _POLY,
    "PolyFocalCrossentropy": _POLY_FOCAL,
    "ComplementCrossentropy": _COMPLEMENT,
    "JensenShannonConsistency": _CONSISTENCY,
    "Sparsemax": _SPARSEMAX,
}
