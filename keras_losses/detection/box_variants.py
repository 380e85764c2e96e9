"""Variants of the IoU loss: sides, angles, powers and weights."""

from typing import Annotated

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive, Range
from keras_losses.core.function import function_of
from keras_losses.detection.boxes import BoxLoss, length2


class EIoU(BoxLoss):
    """Efficient IoU: the IoU, the distance of the centers, and the differences of width and height.

    Formula: `1 - IoU + rho^2 / c^2 + (w_p - w_t)^2 / C_w^2 + (h_p - h_t)^2 / C_h^2` with the distance rho of the centers and
    the width C_w, height C_h and diagonal c of the smallest box around both. (A loss called EIoU in MMDetection is another one,
    the extended IoU of Peng and Yu, 2021.)

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`. In relative formats distances are those of the image made square.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them; two boxes without
        area do not overlap. The sides have a gradient even at a point inside the target.

    Raises:
        ValueError: the format is unknown, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.EIoU()(np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[0.0, 0.0, 10.0, 5.0]]))), 4)
    0.7812

    Reference: Y.-F. Zhang et al., Focal and efficient IOU loss for accurate bounding box regression, 2021, arXiv:2101.08158.
    """

    def compare(self, pair):
        sides = math.safe_divide(ops.square(pair.pred - pair.true), ops.square(pair.hull))
        return 1 - pair.iou() + pair.distance() + ops.sum(sides, axis=-1)


class FocalEIoU(EIoU):
    """Efficient IoU that leaves aside the boxes which hardly overlap.

    Formula: `IoU^gamma` times the loss of `EIoU`. The weight is a constant in the gradient: its own derivative would reward
    less overlap, since the loss is 0 where there is none. Boxes that do not overlap have value and gradient 0.

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`. In relative formats distances are those of the image made square.
        gamma: how little such boxes weigh, >= 0; 0 is `EIoU`.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them. The paper divides the
        sum by that of the weights; here the reduction is as for every loss.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.FocalEIoU()(np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[0.0, 0.0, 10.0, 5.0]]))), 4)
    0.5524

    Reference: Y.-F. Zhang et al., Focal and efficient IOU loss for accurate bounding box regression, 2021, arXiv:2101.08158.
    """

    gamma: NonNegative = 0.5

    by_design = dict.fromkeys(
        ("gradient-wrong", "contract-second-derivatives"),
        "the weight is a constant in the gradient, since its derivative would reward less overlap",
    )

    def compare(self, pair):
        loss = super().compare(pair)
        return loss if self.gamma == 0 else ops.stop_gradient(math.power(pair.iou(), self.gamma)) * loss


class SIoU(BoxLoss):
    """The IoU, the distance of the centers weighed by its direction, and the difference of the shapes.

    Formula: `1 - IoU + (D + S) / 2` with `D = sum_axes 1 - exp(-(2 - L) (offset / hull)^2)`,
    `S = sum_sides (1 - exp(-|s_p - s_t| / max(s_p, s_t)))^theta` and the angle cost `L = 2 |sin cos|` of the direction between
    the centers. That is the paper's `1 - 2 sin^2(arcsin(sin) - pi / 4)` without an arcsine, whose slope is infinite along the
    axes. (MMDetection's default, `neg_gamma=False`, has the exponent of D with the wrong sign: there boxes farther apart
    have a smaller loss.)

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`. In relative formats directions are those of the image made square.
        theta: exponent >= 2 of the shapes; the paper found 4 for its data and names 2 to 6.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them; two boxes without
        area do not overlap.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.SIoU()(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[4.0, 0.0, 6.0, 2.0]]))), 4)
    1.2944

    Reference: Z. Gevorgyan, SIoU loss: more powerful learning for bounding box regression, 2022, arXiv:2205.12740.
    """

    theta: Annotated[float, Range(ge=2)] = 4.0

    def compare(self, pair):
        direction = math.absolute(math.normalize(pair.center))
        angle = 2 * direction[..., :1] * direction[..., 1:]
        offset = ops.square(math.safe_divide(pair.center, pair.hull))
        distance = ops.sum(-ops.expm1((angle - 2) * offset), axis=-1)
        sides = math.safe_divide(math.absolute(pair.pred - pair.true), math.greater(pair.pred, pair.true))
        shape = ops.sum(math.power(-ops.expm1(-sides), self.theta), axis=-1)
        return 1 - pair.iou() + 0.5 * (distance + shape)


class AlphaIoU(BoxLoss):
    """A power of the IoU: above 1 it weighs boxes more the better they overlap.

    Formula: `1 - IoU^alpha`. Below an IoU of 1e-7 the power goes on as a line, so that its slope at 0 is finite. Boxes that do
    not overlap have gradient 0.

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`, which give the same value.
        alpha: exponent > 0.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them; two boxes without
        area do not overlap.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.AlphaIoU()(np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[0.0, 0.0, 10.0, 5.0]])))
    0.875

    Reference: J. He et al., Alpha-IoU: a family of power intersection over union losses, 2021, arXiv:2110.13675.
    """

    alpha: Positive = 3.0

    def compare(self, pair):
        return 1 - math.power(pair.iou(), self.alpha)


class WiseIoU(BoxLoss):
    """Wise-IoU, version 1: the IoU loss, weighed by how far the centers are apart.

    Formula: `exp(rho^2 / c^2) (1 - IoU)` with the distance rho of the centers and the diagonal c of the smallest box around
    both, which is a constant in the gradient. The factor is between 1 and e.

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
    >>> round(float(kl.WiseIoU()(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[4.0, 0.0, 6.0, 2.0]]))), 4)
    1.4918

    Reference: Z. Tong et al., Wise-IoU: bounding box regression loss with dynamic focusing mechanism, 2023, arXiv:2301.10051.
    """

    by_design = dict.fromkeys(
        ("gradient-wrong", "contract-second-derivatives"),
        "the diagonal of the hull is a constant in the gradient, as in the paper: its differences are not its derivative",
    )

    def compare(self, pair):
        diagonal = ops.stop_gradient(length2(pair.hull))
        return ops.exp(math.safe_divide(length2(pair.center), diagonal)) * (1 - pair.iou())


eiou = function_of(EIoU)
focal_eiou = function_of(FocalEIoU)
siou = function_of(SIoU)
alpha_iou = function_of(AlphaIoU)
wise_iou = function_of(WiseIoU)
