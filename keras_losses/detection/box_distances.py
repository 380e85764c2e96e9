"""Distances of boxes: of their corners, of the Gaussians that fill them, of single coordinates."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.detection.boxes import BoxLoss, length2
from keras_losses.detection.offsets import smooth


class MPDIoU(BoxLoss):
    """The IoU, and how far the two corners are from those of the target, relative to the image.

    Formula: `1 - IoU + (d_1^2 + d_2^2) / (W^2 + H^2)` with the distances d of the first corners and of the last, in pixels.

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`. Relative boxes are measured in the pixels of `image_size`, and have the value of
            absolute ones.
        image_size: height H and width W of the image that the boxes lie in, > 0.

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
    >>> loss = kl.MPDIoU(image_size=(30, 40))
    >>> round(float(loss(np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[0.0, 0.0, 10.0, 5.0]]))), 4)
    0.51

    Reference: S. Ma, Y. Xu, MPDIoU: a loss for efficient and accurate bounding box regression, 2023, arXiv:2307.07662.
    """

    image_size: tuple[Positive, Positive]

    @classmethod
    def example_arguments(cls, classes):
        return {"image_size": (8.0, 12.0)}

    def compare(self, pair):
        height, width = self.image_size
        low, high = pair.low, pair.high
        if self.bounding_box_format.startswith("rel_"):
            first_is_x = self.bounding_box_format != "rel_yxyx"
            pixels = ops.convert_to_tensor((width, height) if first_is_x else (height, width), dtype=low.dtype)
            low, high = low * pixels, high * pixels
        return 1 - pair.iou() + (length2(low) + length2(high)) / (width**2 + height**2)


class NormalizedWasserstein(BoxLoss):
    """How far two boxes are apart as Gaussians: for tiny objects, whose IoU a pixel decides.

    Formula: `1 - exp(-W / constant)` with `W^2 = (c_x)^2 + (c_y)^2 + (w / 2)^2 + (h / 2)^2` of the differences of center and
    size. It is measured in the unit of the boxes; far beyond the constant its gradient fades.

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`. Relative boxes are measured in parts of the image and need a `constant` in them.
        constant: typical size of the objects, > 0; the default is that of AI-TOD in pixels.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.NormalizedWasserstein(constant=5.0)
    >>> round(float(loss(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[3.0, 4.0, 5.0, 6.0]]))), 4)
    0.6321

    Reference: J. Wang et al., A normalized Gaussian Wasserstein distance for tiny object detection, 2021, arXiv:2110.13389.
    """

    constant: Positive = 12.8

    def compare(self, pair):
        apart = ops.concatenate([pair.center, 0.5 * (pair.pred - pair.true)], axis=-1)
        return math.one_minus_exp(-math.safe_norm(apart) / self.constant)


class BoundedIoU(BoxLoss):
    """Smooth L1 of what each coordinate alone takes from the IoU.

    Formula: the sum over both axes of `s(min(4 |d| / (t + 2 |d|), 1)) + s(1 - min(p / t, t / p))` with the offset d of the
    centers, the sides t of the target and p of the prediction, and `s(x) = x^2 / (2 beta)` below beta, else `x - beta / 2`.
    The arguments of s are one minus the largest IoU that boxes with such an offset, or with such sides, can have.

    Args:
        bounding_box_format: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`,
            `"rel_xywh"`, `"rel_center_xywh"`, which give the same value.
        beta: where s becomes linear, >= 0; 0 is the absolute value.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 4)`, the box of a prediction at the same place as its target. Padding is left out by a
        mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. A box with swapped corners counts as the box between them. A center more than
        half a side away has no gradient along that axis.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.BoundedIoU(beta=0.0)
    >>> round(float(loss(np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[1.0, 0.0, 11.0, 10.0]]))), 4)
    0.3333

    Reference: L. Tychsen-Smith, L. Petersson, Improving object localization with fitness NMS and bounded IoU loss, 2018,
    arXiv:1711.00164.
    """

    beta: NonNegative = 0.2

    def compare(self, pair):
        offset = 2 * math.absolute(pair.center)
        moved = math.minimum(math.safe_divide(2 * offset, pair.true + offset), 1.0)
        resized = math.safe_divide(math.absolute(pair.pred - pair.true), math.greater(pair.pred, pair.true))
        return ops.sum(smooth(moved, self.beta) + smooth(resized, self.beta), axis=-1)


mpdiou = function_of(MPDIoU)
normalized_wasserstein = function_of(NormalizedWasserstein)
bounded_iou = function_of(BoundedIoU)
