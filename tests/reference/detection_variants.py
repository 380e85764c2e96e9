"""Variants of the IoU loss.

EIoU and Focal-EIoU: Zhang et al. 2021. SIoU: Gevorgyan 2022. Alpha-IoU: He et al. 2021. Wise-IoU v1: Tong et al. 2023.
"""

import numpy as np

from ._boxes import UNIT, cases, center_distance, centers, corners, draw, enclosing, overlap, per_box, ratio
from ._case import Case, array, per_vector


def _sides(box):
    return box[2] - box[0], box[3] - box[1]


def _eiou(t, p):
    total = 1 - overlap(t, p) + center_distance(t, p)
    for side_t, side_p, side in zip(_sides(t), _sides(p), enclosing(t, p), strict=True):
        total += ratio((side_p - side_t) ** 2, side**2)
    return total


def eiou(y_true, y_pred, bounding_box_format="xyxy"):
    """1 - IoU + rho^2 / c^2 + (w - w_t)^2 / C_w^2 + (h - h_t)^2 / C_h^2."""
    return per_box(_eiou, y_true, y_pred, bounding_box_format)


def _with_fixed(function, y_true, y_pred, fixed, bounding_box_format):
    """``function(true, predicted, fixed)`` of corners, for formulas that hold a part constant."""

    def one(t, both):
        return function(*(corners(b, bounding_box_format) for b in (t, both[:4], both[4:])))

    fixed = y_pred if fixed is None else fixed
    return per_vector(one, np.asarray(y_true, np.float64), np.concatenate([y_pred, fixed], axis=-1))


def focal_eiou(y_true, y_pred, bounding_box_format="xyxy", gamma=0.5, weight_at=None):
    """IoU^gamma times the EIoU loss. The weight is a constant: `weight_at` gives the boxes at which it is taken."""

    def one(t, p, fixed):
        return overlap(t, fixed) ** gamma * _eiou(t, p)

    return _with_fixed(one, y_true, y_pred, weight_at, bounding_box_format)


def siou(y_true, y_pred, bounding_box_format="xyxy", theta=4.0):
    """1 - IoU + (distance + shape) / 2, with the angle cost of the paper: 1 - 2 sin^2(arcsin(c_h / sigma) - pi / 4)."""

    def one(t, p):
        dx, dy = centers(t, p)
        sigma = np.sqrt(dx**2 + dy**2)
        angle = 1 - 2 * np.sin(np.arcsin(min(1.0, ratio(abs(dy), sigma))) - np.pi / 4) ** 2
        distance = shape = 0.0
        for d, side_t, side_p, side in zip((dx, dy), _sides(t), _sides(p), enclosing(t, p), strict=True):
            distance += 1 - np.exp(-(2 - angle) * ratio(d, side) ** 2)
            shape += (1 - np.exp(-ratio(abs(side_t - side_p), max(side_t, side_p)))) ** theta
        return 1 - overlap(t, p) + (distance + shape) / 2

    return per_box(one, y_true, y_pred, bounding_box_format)


def alpha_iou(y_true, y_pred, bounding_box_format="xyxy", alpha=3.0):
    """1 - IoU^alpha."""
    return per_box(lambda t, p: 1 - overlap(t, p) ** alpha, y_true, y_pred, bounding_box_format)


def wise_iou(y_true, y_pred, bounding_box_format="xyxy", enclosed_at=None):
    """exp(rho^2 / c^2) (1 - IoU), in the gradient with c held constant: `enclosed_at` gives the boxes of which it is."""

    def one(t, p, fixed):
        (dx, dy), (width, height) = centers(t, p), enclosing(t, fixed)
        return np.exp(ratio(dx**2 + dy**2, width**2 + height**2)) * (1 - overlap(t, p))

    return _with_fixed(one, y_true, y_pred, enclosed_at, bounding_box_format)


def _focal_eiou_around(y_true, y_pred, **config):
    return lambda p: focal_eiou(y_true, p, weight_at=y_pred, **config)


def _wise_iou_around(y_true, y_pred, **config):
    return lambda p: wise_iou(y_true, p, enclosed_at=y_pred, **config)


_PAIR = draw(2500, 5), draw(2501, 5)
_HALF = 0.5 + 2.5**2 / 200
# Centers 3 and 4 apart: the sine of the angle is 4 / 5, the cosine 3 / 5.
_ANGLE = 2 * 0.6 * 0.8

CASES = {
    "EIoU": cases(2600, None, {"half": _HALF + 0.25, "identical": 0, "point-on-point": 1, "point-off-point": 1 + 1}),
    "FocalEIoU": [
        *cases(2700, None, {"half": np.sqrt(0.5) * (_HALF + 0.25), "identical": 0, "apart": 0, "point": 0}),
        Case("gamma", *_PAIR, {"gamma": 2.5}),
        Case("gamma-large", *_PAIR, {"gamma": 60.0}),
        Case("gamma-zero", *_PAIR, {"gamma": 0.0}),
        Case("gamma-zero-apart", array([0, 0, 2, 2]), array([4, 0, 6, 2]), {"gamma": 0.0}, False, array(1 + 16 / 40)),
    ],
    "SIoU": [
        *cases(
            2800, None, {"identical": 0, "point-on-point": 1, "half": 0.5 + (1 - np.exp(-0.125) + (1 - np.exp(-0.5)) ** 4) / 2}
        ),
        Case("theta", *_PAIR, {"theta": 2.0}),
        Case("theta-not-whole", *_PAIR, {"theta": 5.5}),
        Case(
            "angle",
            array([0, 0, 2, 2]),
            array([3, 4, 5, 6]),
            expect=array(1 + (2 - np.exp(-(2 - _ANGLE) * (3 / 5) ** 2) - np.exp(-(2 - _ANGLE) * (4 / 6) ** 2)) / 2),
        ),
        Case("along-x", array([0, 0, 2, 2]), array([4, 0, 6, 2]), {}, False, array(1 + (1 - np.exp(-2 * (4 / 6) ** 2)) / 2)),
        Case("along-y", array([0, 0, 2, 2]), array([0, 4, 2, 6]), {}, False, array(1 + (1 - np.exp(-2 * (4 / 6) ** 2)) / 2)),
    ],
    "AlphaIoU": [
        *cases(2900, None, {"identical": 0, "half": 1 - 0.5**3, "apart": 1, "point": 1}),
        Case("alpha-one", *_PAIR, {"alpha": 1.0}),
        Case("alpha-large", draw(2502, 4, size=9.0), draw(2503, 4, size=9.0), {"alpha": 40.0}),
        Case(
            "alpha-small", UNIT + np.zeros((3, 1)), UNIT + array([1, 2, 0, -1], [3, -4, 3, 2], [-2, -2, 2, 3]), {"alpha": 0.3}
        ),
        Case("alpha-small-apart", array([0, 0, 2, 2]), array([4, 0, 6, 2]), {"alpha": 0.3}, False, array(1.0)),
    ],
    "WiseIoU": cases(
        3000, None, {"identical": 0, "half": 0.5 * np.exp(2.5**2 / 200), "point-on-point": 1, "point-off-point": np.e}
    ),
}

DIFFERENTIATED = {"FocalEIoU": _focal_eiou_around, "WiseIoU": _wise_iou_around}
