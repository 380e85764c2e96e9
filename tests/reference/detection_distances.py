"""Losses of boxes that measure distances.

MPDIoU: Ma and Xu 2023. Normalized Wasserstein distance: Wang et al. 2021. Bounded IoU: Tychsen-Smith and Petersson 2018.
"""

import numpy as np

from ._boxes import UNIT, cases, centers, draw, overlap, per_box
from ._case import Case, array


def mpdiou(y_true, y_pred, image_size, bounding_box_format="xyxy"):
    """1 - IoU + (d_1^2 + d_2^2) / (W^2 + H^2), d_1 and d_2 in pixels."""
    height, width = image_size
    sx, sy = (width, height) if bounding_box_format.startswith("rel_") else (1.0, 1.0)

    def one(t, p):
        first = (sx * (p[0] - t[0])) ** 2 + (sy * (p[1] - t[1])) ** 2
        second = (sx * (p[2] - t[2])) ** 2 + (sy * (p[3] - t[3])) ** 2
        return 1 - overlap(t, p) + first / (width**2 + height**2) + second / (width**2 + height**2)

    return per_box(one, y_true, y_pred, bounding_box_format)


def normalized_wasserstein(y_true, y_pred, bounding_box_format="xyxy", constant=12.8):
    """1 - exp(-W_2 / C), W_2 the distance of (cx, cy, w / 2, h / 2)."""

    def one(t, p):
        dx, dy = centers(t, p)
        dw, dh = ((p[i + 2] - p[i] - t[i + 2] + t[i]) / 2 for i in (0, 1))
        return 1 - np.exp(-np.sqrt(dx**2 + dy**2 + dw**2 + dh**2) / constant)

    return per_box(one, y_true, y_pred, bounding_box_format)


def bounded_iou(y_true, y_pred, bounding_box_format="xyxy", beta=0.2):
    """The sum over center and size of smooth L1 of one minus the largest IoU that this coordinate alone allows."""

    def smooth(x):
        return x**2 / (2 * beta) if x < beta else x - beta / 2

    def one(t, p):
        total = 0.0
        for i, offset in enumerate(centers(t, p)):
            side_t, side_p = (b[i + 2] - b[i] for b in (t, p))
            # Of boxes of one size, one moved by the offset; two equal points overlap fully.
            far = side_t + 2 * abs(offset)
            total += smooth(1 - (max(0.0, (side_t - 2 * abs(offset)) / far) if far > 0 else 1.0))
            # Of boxes around one center.
            total += smooth(1 - (min(side_t, side_p) / max(side_t, side_p) if max(side_t, side_p) > 0 else 1.0))
        return total

    return per_box(one, y_true, y_pred, bounding_box_format)


_SIZE = {"image_size": (24, 32)}
_PAIR = draw(3100, 5), draw(3101, 5)
_MOVED = UNIT + array([1, 2, 1, 2])

CASES = {
    "MPDIoU": [
        *cases(3200, _SIZE, {"half": 0.5 + 25 / (24**2 + 32**2), "identical": 0, "point-on-point": 1}),
        Case("image-size", *_PAIR, {"image_size": (480.0, 640.0)}),
        Case(
            "relative-yxyx-by-hand",
            array([0.25, 0.25, 0.5, 0.5]),
            array([0.5, 0.5, 0.75, 1.0]),
            {"image_size": (100, 200), "bounding_box_format": "rel_yxyx"},
            False,
            array(1 + (25**2 + 50**2 + 25**2 + 100**2) / (100**2 + 200**2)),
        ),
    ],
    "NormalizedWasserstein": [
        *cases(3300, None, {"half": 1 - np.exp(-np.sqrt(2 * 2.5**2) / 12.8), "identical": 0, "point-on-point": 0}),
        Case("constant", *_PAIR, {"constant": 0.7}),
        Case("moved", UNIT[None], _MOVED, expect=array(1 - np.exp(-np.sqrt(5) / 12.8))),
    ],
    "BoundedIoU": [
        *cases(
            3400,
            None,
            {
                "half": (2 / 3 - 0.1) + (0.5 - 0.1),
                "point": 2 * (1 / 3 - 0.1) + 2 * (1 - 0.1),
                "apart": 2 * (1 - 0.1) + (1 / 3 - 0.1) + (1 / 3 - 0.1),
                "identical": 0,
                "point-on-point": 0,
                "point-off-point": 2 * (1 - 0.1),
            },
        ),
        Case("beta", *_PAIR, {"beta": 1.5}),
        Case("beta-small", *_PAIR, {"beta": 0.01}),
    ],
}
