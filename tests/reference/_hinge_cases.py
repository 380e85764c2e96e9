"""The cases of the hinge losses."""

import numpy as np

from ._case import Case, array, binary, normal, one_hot, random_one_hot, simplex, uniform

_X = array([0.3, -2.0, 5.0], [-0.7, 0.1, 1.5])
_Y = array([1, 0, 1], [0, 1, 1])


def _hinges(by_hand):
    """Cases of both hinges, where ``by_hand`` is the sum of three terms."""
    return [
        Case("zero-one", binary(1700, 5, 3), normal(1701, 5, 3)),
        Case("signed", 2 * binary(1702, 5, 3) - 1, normal(1703, 5, 3)),
        Case("rank-3", binary(1704, 2, 4, 3), normal(1705, 2, 4, 3)),
        Case("rank-4", binary(1706, 2, 2, 3, 2), normal(1707, 2, 2, 3, 2)),
        Case("one-output", binary(1708, 6, 1), normal(1709, 6, 1)),
        Case("same-as-signed", _Y, _X),
        Case("signed-from-zero-one", 2 * _Y - 1, _X),
        Case(
            "zeros-beside-minus-ones",
            array([0, -1, 1]),
            array([0.5, 0.5, 0.5]),
            expect=array(by_hand(1.5, 1.5, 0.5) / 3),
        ),
        Case(
            "all-zeros",
            np.zeros((1, 3)),
            array([-0.25, 0.0, 2.0]),
            expect=array(by_hand(0.75, 1.0, 3.0) / 3),
        ),
        Case(
            "beyond-the-margin",
            _Y,
            100 * (2 * _Y - 1),
            expect=np.zeros(2),
        ),
        Case(
            "at-the-margin",
            _Y,
            2 * _Y - 1,
            smooth=False,
            expect=np.zeros(2),
        ),
        Case(
            "all-wrong",
            _Y,
            1e4 * (1 - 2 * _Y),
            expect=np.full(2, by_hand(10001, 10001, 10001) / 3),
        ),
    ]


_CATEGORICAL = [
    Case("rank-2", random_one_hot(2800, 5, 3), normal(2801, 5, 3)),
    Case("rank-3", random_one_hot(2802, 2, 4, 3), normal(2803, 2, 4, 3)),
    Case("rank-4", random_one_hot(2804, 2, 2, 3, 4), normal(2805, 2, 2, 3, 4)),
    Case("two-classes", random_one_hot(2806, 5, 2), uniform(2807, 5, 2)),
    Case("soft-truth", simplex(2808, 5, 3), normal(2809, 5, 3)),
    Case(
        "by-hand",
        one_hot([0, 1], 3),
        array([0.5, 0.2, 0.75], [3.0, 1.0, -2.0]),
        expect=array(1 + 0.75 - 0.5, 1 + 3 - 1),
    ),
    # The true class enters the maximum as a zero.
    Case(
        "negative-others",
        one_hot([0, 1], 3),
        array([0.5, -0.2, -0.75], [-3.0, -1.0, -2.0]),
        expect=array(1 + 0 - 0.5, 1 + 0 + 1),
    ),
    Case(
        "perfect",
        one_hot([0, 1], 3),
        one_hot([0, 1], 3),
        smooth=False,
        expect=np.zeros(2),
    ),
    Case(
        "beyond-the-margin",
        one_hot([0, 1], 3),
        array([9.0, 2.0, 1.0], [-3.0, 5.0, 0.5]),
        expect=np.zeros(2),
    ),
    Case(
        "all-wrong",
        one_hot([0, 1], 3),
        array([-1e4, 1e4, 0.0], [1e4, -1e4, 0.0]),
        expect=np.full(2, 1 + 2e4),
    ),
    Case(
        "tie",
        one_hot([0], 3),
        array([0.5, 0.75, 0.75]),
        smooth=False,
        expect=array(1 + 0.75 - 0.5),
    ),
]

CASES = {
    "Hinge": _hinges(lambda a, b, c: a + b + c),
    "SquaredHinge": _hinges(lambda a, b, c: a**2 + b**2 + c**2),
    "CategoricalHinge": _CATEGORICAL,
}
