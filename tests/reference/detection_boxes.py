"""Losses of boxes on the intersection over union.

IoU: Yu et al. 2016 (UnitBox), the logarithm; linear and square as in later detectors.
GIoU: Rezatofighi et al. 2019. DIoU and CIoU: Zheng et al. 2020.
"""

import numpy as np

from ._boxes import UNIT, cases, center_distance, corners, draw, enclosing, intersection_and_union, overlap, per_box, ratio
from ._case import EPSILON, Case, array, per_vector


def iou(y_true, y_pred, bounding_box_format="xyxy", mode="log"):
    """-log IoU, with the IoU at least epsilon; 1 - IoU; 1 - IoU^2."""

    def one(t, p):
        value = overlap(t, p)
        if mode == "log":
            return -np.log(max(value, EPSILON))
        return 1 - value if mode == "linear" else 1 - value**2

    return per_box(one, y_true, y_pred, bounding_box_format)


def giou(y_true, y_pred, bounding_box_format="xyxy"):
    """1 - IoU + (C - U) / C."""

    def one(t, p):
        width, height = enclosing(t, p)
        union = intersection_and_union(t, p)[1]
        return 1 - overlap(t, p) + ratio(width * height - union, width * height)

    return per_box(one, y_true, y_pred, bounding_box_format)


def diou(y_true, y_pred, bounding_box_format="xyxy"):
    """1 - IoU + rho^2 / c^2."""
    return per_box(lambda t, p: 1 - overlap(t, p) + center_distance(t, p), y_true, y_pred, bounding_box_format)


def _shape(t, p):
    """v = 4 / pi^2 (arctan(w_t / h_t) - arctan(w_p / h_p))^2; a point has no shape to compare."""
    sides = [(b[2] - b[0], b[3] - b[1]) for b in (t, p)]
    if (0.0, 0.0) in sides:
        return 0.0
    first, second = (np.arctan(w / h) if h > 0 else np.pi / 2 for w, h in sides)
    return 4 / np.pi**2 * (first - second) ** 2


def ciou(y_true, y_pred, bounding_box_format="xyxy", weight_at=None):
    """1 - IoU + rho^2 / c^2 + alpha v with alpha = v / (1 - IoU + v).

    The paper's gradient holds alpha a constant: `weight_at` gives the boxes at which it is taken, by default `y_pred`.
    """

    def one(t, both):
        p, fixed = (corners(b, bounding_box_format) for b in (both[:4], both[4:]))
        t = corners(t, bounding_box_format)
        alpha = ratio(_shape(t, fixed), 1 - overlap(t, fixed) + _shape(t, fixed))
        return 1 - overlap(t, p) + center_distance(t, p) + alpha * _shape(t, p)

    fixed = y_pred if weight_at is None else weight_at
    return per_vector(one, np.asarray(y_true, np.float64), np.concatenate([y_pred, fixed], axis=-1))


def _ciou_around(y_true, y_pred, **config):
    return lambda p: ciou(y_true, p, weight_at=y_pred, **config)


# Of two boxes of area 100 and 50, one in the other.
_HALF = {"half": 1 - 0.5}
_GAP = (array(0, 0, 2, 2), array(4, 0, 6, 2))

CASES = {
    "IoU": [
        *cases(2000, {"mode": "linear"}, {**_HALF, "identical": 0, "apart": 1, "point": 1, "point-on-point": 1}),
        Case("log", draw(2100, 5, size=9.0), draw(2101, 5, size=9.0)),
        Case("log-identical", draw(2102, 3), draw(2102, 3), smooth=False, expect=np.zeros(3)),
        Case("log-half", UNIT[None], array([0, 0, 10, 5]), smooth=False, expect=array(np.log(2))),
        Case("log-apart", _GAP[0][None], _GAP[1][None], expect=array(-np.log(1e-7))),
        Case("log-point", UNIT[None], array([3, 3, 3, 3]), smooth=False, expect=array(-np.log(1e-7))),
        Case("quadratic", draw(2103, 5, size=9.0), draw(2104, 5, size=9.0), {"mode": "quadratic"}),
        Case("square", draw(2103, 5, size=9.0), draw(2104, 5, size=9.0), {"mode": "square"}),
        Case("quadratic-half", UNIT[None], array([0, 0, 10, 5]), {"mode": "quadratic"}, False, array(1 - 0.5**2)),
    ],
    "GIoU": [
        *cases(2200, None, {**_HALF, "identical": 0, "point-on-point": 1, "point-off-point": 1 + 1}),
        Case("a-gap", _GAP[0][None], _GAP[1][None], smooth=False, expect=array(1 + (12 - 8) / 12)),
    ],
    "DIoU": [
        *cases(2300, None, {"half": 0.5 + 2.5**2 / 200, "identical": 0, "point-on-point": 1, "point-off-point": 1 + 1}),
        Case("a-gap", _GAP[0][None], _GAP[1][None], smooth=False, expect=array(1 + 4**2 / (6**2 + 2**2))),
    ],
    "CIoU": [
        *cases(2400, None, {"identical": 0, "point-on-point": 1, "padding": 1, "crossing-lines": 1 + 0.5 / 74 + 1 / (1 + 1)}),
        Case("one-shape", UNIT[None], array([2, 3, 6, 7]), expect=array(1 - 0.16 + 1 / 200)),
        Case("zero-height-by-hand", UNIT[None], array([0, 0, 10, 0]), {}, False, array(1 + 25 / 200 + 0.25**2 / (1 + 0.25))),
    ],
}

DIFFERENTIATED = {"CIoU": _ciou_around}
