"""Losses of keypoints and landmarks: as coordinates, and as heatmaps."""

import math as scalar
from typing import Annotated, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive, Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, keypoints, real
from keras_losses.regression.elementwise import Elementwise

COCO_SIGMAS = (
    *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072),
    *(0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
)
"""How much annotators of COCO differ on each of its 17 keypoints, relative to the size of a person."""


class ObjectKeypointSimilarity(Loss):
    """One minus the similarity by which COCO compares the keypoints of an object, or minus its logarithm.

    Formula: `1 - OKS` or `-log(OKS)`, where OKS is the mean over the labelled keypoints of `exp(-d^2 / (2 s^2 k^2))` with the
    distance d to the target, the area s^2 of the object and `k = 2 sigma` of the keypoint. The logarithm is taken of the
    sum in log space: it has a gradient however far the keypoints are, where `1 - OKS` has none.

    Args:
        sigmas: one number > 0 for each keypoint, in order; None: those of COCO, for its 17 keypoints.
        area: `"keypoints"`: that of the box around the labelled keypoints of the target; `"target"`: the target holds it. The
            evaluation of COCO takes the area of the segmented object.
        mode: `"linear"`: 1 - OKS; `"log"`: -log(OKS).

    Shapes:
        `y_true`: `(B, ..., K, 3)`: x, y and visibility, as in COCO: a keypoint is labelled where that is above 0. With
        `area="target"` `(B, ..., K, 4)`: the fourth is the area of the object, repeated for each keypoint. `y_pred`:
        `(B, ..., K, 2)`: x and y in the same unit.

    Returns:
        One value an object, `(B, ...)`, reduced. An object without a labelled keypoint does not count, nor one whose area is 0,
        as that of the box around a single keypoint.

    Raises:
        ValueError: a sigma is not positive, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.ObjectKeypointSimilarity(sigmas=(0.1, 0.1), mode="log")
    >>> y_true = np.array([[[0.0, 0.0, 2.0], [5.0, 5.0, 1.0]]])
    >>> round(float(loss(y_true, np.array([[[1.0, 0.0], [5.0, 6.0]]]))), 4)
    0.5

    Reference: D. Maji et al., YOLO-Pose, 2022, arXiv:2204.06806; T.-Y. Lin et al., Microsoft COCO, 2014, arXiv:1405.0312.
    """

    sigmas: tuple[Positive, ...] | None = None
    area: Literal["keypoints", "target"] = "keypoints"
    mode: Literal["linear", "log"] = "linear"

    @property
    def y_true(self):
        return keypoints(f"B *S {len(self.sigmas or COCO_SIGMAS)} {3 if self.area == 'keypoints' else 4}")

    @property
    def y_pred(self):
        return keypoints(f"B *S {len(self.sigmas or COCO_SIGMAS)} 2")

    def validate(self):
        if self.sigmas == ():
            raise ValueError(f"{type(self).__name__}: `sigmas` must hold one number for each keypoint. Received: ()")

    def call(self, y_true, y_pred):
        place, counts = y_true[..., :2], y_true[..., 2] > 0
        area = y_true[..., 3] if self.area == "target" else _spanned(place, counts)
        counts = ops.logical_and(counts, area > 0)
        k = ops.convert_to_tensor([2 * sigma for sigma in self.sigmas or COCO_SIGMAS], dtype=y_pred.dtype)
        apart = ops.where(ops.expand_dims(counts, -1), y_pred - place, ops.zeros_like(y_pred))
        scale = ops.where(counts, 2 * area * ops.square(k), ops.ones_like(area))
        exponent = ops.sum(ops.square(apart), axis=-1) / scale
        if self.mode == "linear":
            value = math.masked_mean(math.one_minus_exp(-exponent), counts)
        else:
            count = ops.sum(ops.cast(counts, exponent.dtype), axis=-1)
            value = math.safe_log(count) - math.masked_logsumexp(-exponent, counts)
        valid = ops.any(counts, axis=-1)
        return ops.where(valid, value, ops.zeros_like(value)), valid


def _spanned(place, counts):
    """The area of the box around the points that count, for each point; 0 around none."""
    counts = ops.expand_dims(counts, -1)
    first = -math.constant_max(ops.where(counts, -place, ops.full_like(place, -1e18)), axis=-2)
    last = math.constant_max(ops.where(counts, place, ops.full_like(place, -1e18)), axis=-2)
    size = math.maximum(last - first, 0.0)
    return size[..., 0] * size[..., 1] + ops.zeros_like(place[..., 0])


class Wing(Elementwise):
    """Logarithmic for small errors, which so keep a gradient, and linear for large ones.

    Formula: `mean_d w_d l(|y_pred_d - y_true_d|)` with `l(x) = width log(1 + x / curvature)` below width, else `x - C` with
    `C = width - width log(1 + width / curvature)`. The slope is largest, `width / curvature`, next to 0, and 0 at 0.

    Args:
        width: where the loss becomes linear, > 0, in the unit of the coordinates (pixels in the paper).
        curvature: epsilon of the paper, > 0.
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced; the paper sums, which is D times as much.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.Wing()(np.zeros((1, 1)), np.array([[2.0]]))), 4)
    6.9315

    Reference: Z.-H. Feng et al., Wing loss for robust facial landmark localisation, 2018, arXiv:1711.06753.
    """

    width: Positive = 10.0
    curvature: Positive = 2.0

    def element(self, y_true, y_pred):
        size = math.absolute(y_pred - y_true)
        near = math.minimum(size, self.width)
        return self.width * ops.log1p(near / self.curvature) + (size - near)


class AdaptiveWing(Elementwise):
    """A wing loss for heatmaps, steep next to a landmark and flat near 0 in the background.

    Formula: `mean_d w_d l(|y_pred_d - y_true_d|)` with `l(x) = omega log(1 + (x / epsilon)^(alpha - y))` below theta, and
    beyond it the line that goes on from there with the same slope. The power goes on as a line below 1e-7, where its second
    derivative grows beyond all bounds.

    Args:
        omega: height > 0.
        theta: where the loss becomes linear, > 0.
        epsilon: width of the flat part, > 0.
        alpha: the exponent is alpha - y; > 1, and above 2 to be smooth at 0 for landmarks too.
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`: `(B, ..., D)`, heatmaps in [0, 1]; `y_pred`: the same, real. The paper's map of weights, 10 around landmarks
        and 1 elsewhere, is a `sample_weight` of shape `(B, ...)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.AdaptiveWing(alpha=3.0)(np.array([[1.0]]), np.array([[0.5]]))), 4)
    3.124

    Reference: X. Wang, L. Bo, L. Fuxin, Adaptive wing loss for robust face alignment via heatmap regression, 2019,
    arXiv:1904.07399.
    """

    omega: Positive = 14.0
    theta: Positive = 0.5
    epsilon: Positive = 1.0
    alpha: Annotated[float, Range(gt=1)] = 2.1

    y_true = binary("B *S D")
    y_pred = real("B *S D")

    def element(self, y_true, y_pred):
        size = math.absolute(y_pred - y_true)
        near = math.minimum(size, self.theta)
        exponent = self.alpha - y_true
        edge = ops.exp(exponent * scalar.log(self.theta / self.epsilon))
        slope = self.omega / self.theta * exponent * edge / (1 + edge)
        return self.omega * ops.log1p(math.power(near / self.epsilon, exponent)) + slope * (size - near)


object_keypoint_similarity = function_of(ObjectKeypointSimilarity)
wing = function_of(Wing)
adaptive_wing = function_of(AdaptiveWing)
