"""Pairs of boxes in any of Keras's formats, and the losses on their overlap: IoU, GIoU, DIoU, CIoU."""

import dataclasses
from typing import Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import boxes

Format = Literal["xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"]
"""The names that `keras.utils.bounding_boxes.convert_format` knows."""


@dataclasses.dataclass
class Pair:
    """Two boxes, seen from the first corner of the target: each tensor is `(..., 2)`, along the two axes of the image.

    Differences are taken before anything is added, so that small boxes far from the origin keep their digits.

    Attributes:
        true, pred: sizes of the target and of the prediction, >= 0.
        low, high: from the first and the last corner of the target to that of the prediction.
    """

    true: Any
    pred: Any
    low: Any
    high: Any

    @property
    def center(self) -> Any:
        """From the center of the target to that of the prediction."""
        return 0.5 * (self.low + self.high)

    @property
    def hull(self) -> Any:
        """Size of the smallest box around both."""
        return math.greater(self.true, self.low + self.pred) - math.lesser(ops.zeros_like(self.low), self.low)

    def areas(self) -> tuple[Any, Any]:
        """Areas of the intersection and of the union."""
        sides = math.lesser(self.true, self.low + self.pred) - math.greater(ops.zeros_like(self.low), self.low)
        both = area(_overlap(sides))
        return both, area(self.true) + area(self.pred) - both

    def iou(self) -> Any:
        """Intersection over union; 0 of two boxes without area."""
        return math.safe_divide(*self.areas())

    def distance(self) -> Any:
        """The squared distance of the centers over the squared diagonal of the hull."""
        return math.safe_divide(length2(self.center), length2(self.hull))


def area(size: Any) -> Any:
    """Width times height."""
    return size[..., 0] * size[..., 1]


def length2(x: Any) -> Any:
    """The squared length of vectors."""
    return ops.sum(ops.square(x), axis=-1)


def pair_of(y_true: Any, y_pred: Any, bounding_box_format: str) -> Pair:
    """The pair that two tensors of boxes hold. A box whose corners are swapped is the box between them."""
    kind = bounding_box_format.removeprefix("rel_")
    low = y_pred[..., :2] - y_true[..., :2]
    true, pred = y_true[..., 2:], y_pred[..., 2:]
    if kind in ("xyxy", "yxyx"):
        true, pred = true - y_true[..., :2], pred - y_pred[..., :2]
    elif kind.startswith("center"):
        low = low - 0.5 * (pred - true)
    (true, back_true), (pred, back_pred) = upright(true), upright(pred)
    low = low - back_pred + back_true
    return Pair(true, pred, low, low + pred - true)


def upright(size: Any) -> tuple[Any, Any]:
    """Sizes without their sign, and how far a negative one reaches back. The gradient at 0 is that of a size above 0."""
    back = math.positive_part(-size)
    return size + 2 * back, back


def _overlap(sides):
    """Sides >= 0. The gradient at 0 is that of an overlap about to begin, so that a box without width can grow."""
    if math.unfused():
        return ops.threshold(sides, -math.tiny(sides), 0)
    return ops.where(sides >= 0, sides, ops.zeros_like(sides))


class BoxLoss(Loss):
    """Base of losses that compare a predicted box with its target: a subclass writes `compare(pair)`.

    Args:
        bounding_box_format: what the four numbers are, by Keras's names.
    """

    bounding_box_format: Format = "xyxy"

    y_true = boxes("B *S 4")
    y_pred = boxes("B *S 4")

    def compare(self, pair: Pair) -> Any:
        """One value a pair."""
        raise NotImplementedError(f"{type(self).__name__} must define `compare(self, pair)`.")

    def call(self, y_true, y_pred):
        return self.compare(pair_of(y_true, y_pred, self.bounding_box_format))


class IoU(BoxLoss):
    """Intersection over union, as a logarithm, linear, or squared.

    Formula: `-log(IoU)`, `1 - IoU` or `1 - IoU^2`. The logarithm is that of at least 1e-7: boxes that do not overlap have the
    value 16.1. There the gradient is 0 in every mode, as the IoU is: boxes that start apart need `GIoU` or `DIoU`.

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`, which give the same value.
        mode: `"log"`, `"linear"`, or `"quadratic"` (also called `"square"`).

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them; two boxes without
        area do not overlap.

    Raises:
        ValueError: the format or mode is unknown, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> whole, half = np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[0.0, 0.0, 10.0, 5.0]])
    >>> round(float(kl.IoU()(whole, half)), 4), float(kl.IoU(mode="linear")(whole, half))
    (0.6931, 0.5)

    Reference: J. Yu et al., UnitBox: an advanced object detection network, 2016, arXiv:1608.01471 (the logarithm).
    """

    mode: Literal["log", "linear", "quadratic", "square"] = "log"

    def compare(self, pair):
        iou = pair.iou()
        if self.mode == "log":
            return -math.log_probability(iou)
        return 1 - (iou if self.mode == "linear" else ops.square(iou))


class GIoU(BoxLoss):
    """Generalized IoU: boxes that do not overlap are drawn together through the box around both.

    Formula: `1 - IoU + (C - U) / C` with the areas U of the union and C of the smallest box around both; from 0 to 2.

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`, which give the same value.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them, as in the paper; the
        last term is 0 where there is no area around both.

    Raises:
        ValueError: the format is unknown, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.GIoU(bounding_box_format="xywh")
    >>> round(float(loss(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[4.0, 0.0, 2.0, 2.0]]))), 4)
    1.3333

    Reference: H. Rezatofighi et al., Generalized intersection over union, 2019, arXiv:1902.09630.
    """

    def compare(self, pair):
        both, union = pair.areas()
        around = area(pair.hull)
        return 1 - math.safe_divide(both, union) + math.safe_divide(around - union, around)


class DIoU(BoxLoss):
    """Distance IoU: the IoU, and how far the centers are apart.

    Formula: `1 - IoU + rho^2 / c^2` with the distance rho of the centers and the diagonal c of the smallest box around both.

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`. In relative formats distances are those of the image made square.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them; two boxes without
        area do not overlap.

    Raises:
        ValueError: the format is unknown, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.DIoU()(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[4.0, 0.0, 6.0, 2.0]]))), 4)
    1.4

    Reference: Z. Zheng et al., Distance-IoU loss, 2020, arXiv:1911.08287.
    """

    def compare(self, pair):
        return 1 - pair.iou() + pair.distance()


class CIoU(DIoU):
    """Complete IoU: the distance IoU, and how much the shapes differ.

    Formula: `1 - IoU + rho^2 / c^2 + alpha v` with `v = 4 / pi^2 (arctan(w_t / h_t) - arctan(w_p / h_p))^2` and
    `alpha = v / (1 - IoU + v)`, which is a constant in the gradient. The difference of the angles is taken as one angle, so
    that a width or height of 0 is no division by 0; a point has no shape, and v is 0. The gradient of v grows as one over
    the size of the predicted box. (The journal version has alpha 0 below an IoU of 1/2; most detectors do not, nor does this.)

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`. In relative formats distances and shapes are those of the image made square.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them; two boxes without
        area do not overlap.

    Raises:
        ValueError: the format is unknown, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> whole, flat = np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[0.0, 0.0, 10.0, 0.0]])
    >>> round(float(kl.CIoU()(whole, flat)), 4)
    1.175

    Reference: Z. Zheng et al., Distance-IoU loss, 2020, arXiv:1911.08287.
    """

    by_design = dict.fromkeys(
        ("gradient-wrong", "contract-second-derivatives"),
        "alpha is a constant in the gradient, as in the paper: its differences are not its derivative",
    )

    def compare(self, pair):
        true, pred = math.normalize(pair.true), math.normalize(pair.pred)
        sine = true[..., 0] * pred[..., 1] - true[..., 1] * pred[..., 0]
        cosine = ops.sum(true * pred, axis=-1)
        # The cosine is not negative: half the angle has a tangent without a division by 0, and for a point it is 0.
        angle = 2 * math.arctan(sine / (1 + cosine))
        v = 0.4052847345693511 * ops.square(angle)  # 4 / pi^2
        iou = pair.iou()
        alpha = ops.stop_gradient(math.safe_divide(v, 1 - iou + v))
        return 1 - iou + pair.distance() + alpha * v


iou = function_of(IoU)
giou = function_of(GIoU)
diou = function_of(DIoU)
ciou = function_of(CIoU)
