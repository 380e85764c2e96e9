"""The cases of the losses on binary outputs."""

import numpy as np

from ._case import EPSILON, Case, array, binary, normal, uniform

_LOG_EPS = np.log(EPSILON)
_SPREAD = (-30.0, -3.0, 0.0, 0.5, 8.0, 40.0)

# Logits of +-1e4: right, wrong.
_SATURATED_Y = array([1, 0], [1, 0])
_SATURATED_X = array([1e4, -1e4], [-1e4, 1e4])
_CORNERS_P = array([1.0, 0.0], [0.0, 1.0])


def _both(name, seed, *shape, truth=binary, **config):
    """The same configuration on probabilities and on logits."""
    logits = normal(seed + 2, *shape, scale=3.0)
    return [
        Case(name, truth(seed, *shape), uniform(seed + 1, *shape), config),
        Case(
            name + "-logits",
            truth(seed + 3, *shape),
            logits,
            {**config, "from_logits": True},
        ),
    ]


def _shapes(seed):
    """Shapes, axis, smoothing and class weights."""
    return [
        *_both("rank-2", seed, 4, 3),
        *_both("rank-3", seed + 10, 2, 4, 3),
        *_both("rank-4", seed + 20, 2, 3, 2, 2),
        *_both("one-output", seed + 30, 6, 1),
        *_both("soft-truth", seed + 40, 4, 3, truth=uniform),
        *_both("axis-1", seed + 50, 2, 3, 4, axis=1),
        *_both("smoothing", seed + 60, 4, 3, label_smoothing=0.2),
        *_both("class-weight", seed + 70, 4, 3, class_weight=(0.7, 3.0)),
        *_both(
            "class-weight-smoothing",
            seed + 80,
            2,
            4,
            3,
            class_weight=(2.0, 0.3),
            label_smoothing=0.1,
        ),
    ]


def _unknown(label):
    """Binary labels of which some, and all of one row, are `label`."""

    def truth(seed, *shape):
        y = np.where(uniform(seed + 5, *shape) < 0.35, label, binary(seed, *shape))
        y[0] = label
        return y

    return truth


def _ignored(seed):
    """Labels that do not count: unknown ones, padding, and one of the two classes."""
    return [
        *_both("ignore", seed, 5, 4, truth=_unknown(-1), ignore_class=-1),
        *_both("ignore-rank-3", seed + 10, 2, 4, 3, truth=_unknown(255), ignore_class=255),
        *_both("ignore-axis-1", seed + 20, 2, 3, 4, truth=_unknown(-1), ignore_class=-1, axis=1),
        *_both("ignore-class-0", seed + 30, 4, 3, ignore_class=0),
        *_both(
            "ignore-weights-smoothing",
            seed + 40,
            4,
            3,
            truth=_unknown(-1),
            ignore_class=-1,
            pos_weight=(0.5, 2.0, 4.0),
            class_weight=(0.7, 3.0),
            label_smoothing=0.2,
        ),
        Case("ignore-everything", np.full((3, 2), -1.0), uniform(seed + 50, 3, 2), {"ignore_class": -1}, expect=np.zeros(3)),
        Case("ignore-one-output", array([1], [-1], [0]), uniform(seed + 51, 3, 1), {"ignore_class": -1}),
    ]


def _positive(seed):
    """Weights of the positive labels."""
    return [
        *_both("pos-weight", seed, 4, 3, pos_weight=2.5),
        *_both("pos-weight-tuple", seed + 10, 4, 3, pos_weight=(0.5, 2.0, 4.0)),
        *_both("pos-weight-rank-3", seed + 20, 2, 4, 2, pos_weight=(0.5, 4.0)),
        *_both("pos-weight-axis-1", seed + 30, 2, 3, 4, pos_weight=(0.5, 2.0, 4.0), axis=1),
    ]


_CROSSENTROPY = [
    *_shapes(1000),
    *_ignored(1100),
    *_positive(1200),
    *_both(
        "all-weights",
        1240,
        4,
        3,
        pos_weight=(0.5, 2.0, 4.0),
        class_weight=(0.7, 3.0),
        label_smoothing=0.2,
    ),
    Case(
        "by-hand",
        array([1, 0]),
        array([0.8, 0.4]),
        {"class_weight": (3.0, 2.0), "pos_weight": 5.0},
        expect=array(-(2 * 5 * np.log(0.8) + 3 * np.log(0.6)) / 2),
    ),
    Case(
        "ignore-by-hand",
        array([1, -1, 0], [-1, -1, 1]),
        array([0.8, 0.1, 0.4], [0.3, 0.2, 0.7]),
        {"ignore_class": -1},
        expect=array(-(np.log(0.8) + np.log(0.6)) / 2, -np.log(0.7)),
    ),
    Case(
        "right-and-wrong",
        _SATURATED_Y,
        _CORNERS_P,
        smooth=False,
        expect=array(0.0, -_LOG_EPS),
    ),
    Case(
        "saturated-logits",
        _SATURATED_Y,
        _SATURATED_X,
        {"from_logits": True},
        expect=array(0.0, 1e4),
    ),
    Case(
        "saturated-logits-smoothing",
        _SATURATED_Y,
        _SATURATED_X,
        {"from_logits": True, "label_smoothing": 0.2},
        expect=array(0.1 * 1e4, 0.9 * 1e4),
    ),
    Case(
        "zero-logits",
        array([1, 0, 1]),
        np.zeros((1, 3)),
        {"from_logits": True},
        expect=array(np.log(2)),
    ),
    Case(
        "spread-logits",
        array([0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0]),
        array(_SPREAD, _SPREAD),
        {"from_logits": True},
    ),
]

_FOCAL = [
    *_shapes(1300),
    *_ignored(1600),
    *_positive(1700),
    *_both("balanced", 1500, 4, 3, apply_class_balancing=True),
    *_both("alpha", 1510, 4, 3, apply_class_balancing=True, alpha=0.8),
    *_both("alpha-unused", 1520, 4, 3, alpha=0.8),
    *_both("gamma-zero", 1530, 4, 3, gamma=0.0),
    *_both("gamma-half", 1540, 4, 3, gamma=0.5),
    *_both("gamma-3", 1550, 4, 3, gamma=3.0),
    *_both(
        "everything",
        1560,
        4,
        3,
        apply_class_balancing=True,
        alpha=0.6,
        gamma=1.5,
        label_smoothing=0.2,
        class_weight=(0.7, 3.0),
        pos_weight=(0.5, 2.0, 4.0),
    ),
    Case(
        "by-hand",
        array([1, 0]),
        array([0.8, 0.4]),
        {"apply_class_balancing": True, "alpha": 0.3},
        expect=array(-(0.3 * 0.2**2 * np.log(0.8) + 0.7 * 0.4**2 * np.log(0.6)) / 2),
    ),
    *[
        Case(
            f"right-and-wrong-gamma-{gamma}",
            _SATURATED_Y,
            _CORNERS_P,
            {"gamma": gamma},
            smooth=False,
            expect=array(0.0, -_LOG_EPS),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
    *[
        Case(
            f"saturated-logits-gamma-{gamma}",
            _SATURATED_Y,
            _SATURATED_X,
            {"gamma": gamma, "from_logits": True},
            expect=array(0.0, 1e4),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
    Case(
        "spread-logits",
        array([0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0]),
        array(_SPREAD, _SPREAD),
        {"from_logits": True},
    ),
]

CASES = {
    "BinaryCrossentropy": _CROSSENTROPY,
    "BinaryFocalCrossentropy": _FOCAL,
}
