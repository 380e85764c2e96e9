"""Losses of rotated boxes, each seen as a Gaussian: no angle jumps, and no corner case where sides change places."""

import dataclasses
from typing import Annotated, Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import rotated
from keras_losses.detection.boxes import length2, upright


@dataclasses.dataclass
class Ellipse:
    """The ellipse of a rotated box, and where the center of the other one is.

    Attributes:
        axes: half the sides of the box, `(..., 2)`.
        offset: to the center of the other box, along the own axes, `(..., 2)`.
    """

    axes: Any
    offset: Any

    def norm2(self) -> Any:
        """The squared length of the offset in half sides."""
        return length2(self.offset / self.axes)


class RotatedBoxLoss(Loss):
    """Base of losses that compare two rotated boxes: a subclass writes `compare(true, pred, cosine2, sine2)`."""

    y_true = rotated("B *S 5")
    y_pred = rotated("B *S 5")

    def compare(self, true: Ellipse, pred: Ellipse, cosine2: Any, sine2: Any) -> Any:
        """One value a pair; `cosine2` and `sine2` are the squares for the angle between the boxes."""
        raise NotImplementedError(f"{type(self).__name__} must define `compare(self, true, pred, cosine2, sine2)`.")

    def call(self, y_true, y_pred):
        apart = y_pred[..., :2] - y_true[..., :2]
        true, pred = (Ellipse(0.5 * upright(x[..., 2:4])[0], _turned(apart, x[..., 4])) for x in (y_true, y_pred))
        angle = y_pred[..., 4] - y_true[..., 4]
        return self.compare(true, pred, ops.square(math.cos(angle)), ops.square(math.sin(angle)))


def _turned(vector, angle):
    """A vector in the frame of a box that is turned by an angle."""
    x, y, cosine, sine = vector[..., 0], vector[..., 1], math.cos(angle), math.sin(angle)
    return ops.stack([cosine * x + sine * y, cosine * y - sine * x], axis=-1)


def _extended(ellipse):
    """The ellipse with axes of at least 1e-7: the quotients and logarithms of 0 are infinite."""
    return Ellipse(math.floor(ellipse.axes, math.EPSILON), ellipse.offset)


class ProbIoU(RotatedBoxLoss):
    """The Hellinger distance of two rotated boxes, or their Bhattacharyya distance.

    Formula: `sqrt(1 - exp(-B))` or `B = d' S^-1 d / 8 + log(det(S) / sqrt(det(S_t) det(S_p))) / 2` with the offset d of the
    centers, `S = (S_t + S_p) / 2`, and the covariances of points spread evenly over the boxes: along the sides `w^2 / 12` and
    `h^2 / 12`. Computed without differences of nearly equal numbers, so that equal boxes give 0 (Ultralytics, which adds 1e-7
    twice, gives 4e-4). The value `l1` hardly changes where boxes are far apart: begin with `l2`, as the paper does.

    Args:
        mode: `"l1"`: the Hellinger distance, from 0 to 1; `"l2"`: the Bhattacharyya distance.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 5)`: x and y of the center, width, height, and the angle in radians from the x axis to the
        width. Padding is left out by a mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. Sides shorter than 2e-7 count as so long; negative ones lose their sign.

    Raises:
        ValueError: the mode is unknown, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y_true, y_pred = np.array([[0.0, 0.0, 4.0, 2.0, 0.0]]), np.array([[2.0, 0.0, 4.0, 2.0, np.pi]])
    >>> round(float(kl.ProbIoU()(y_true, y_pred)), 4), round(float(kl.ProbIoU(mode="l2")(y_true, y_pred)), 4)
    (0.5592, 0.375)

    Reference: J. Murrugarra-Llerena, L. N. Kirsten, C. R. Jung, Gaussian bounding boxes and probabilistic
    intersection-over-union for object detection, 2021, arXiv:2106.06072.
    """

    mode: Literal["l1", "l2"] = "l1"

    def compare(self, true, pred, cosine2, sine2):
        true, pred = _extended(true), _extended(pred)
        # With logarithms of quotients det(S)^2 / (det(S_t) det(S_p)) is (1 + excess)^2, and the excess a sum of squares.
        # (The difference of two logarithms would not be 0 for equal boxes where a compiler evaluates one of them beforehand.)
        grown = ops.log(true.axes / pred.axes)
        area, aspect = grown[..., 0] + grown[..., 1], grown[..., 0] - grown[..., 1]
        turned = _log_shape(true) + _log_shape(pred)
        excess = _sinh2(area) + cosine2 * _sinh2(aspect) + sine2 * _sinh2(turned)
        # The offset in S^-1 is that in the adjugates of S_t and S_p, each diagonal in its own frame.
        center = ops.exp(area) * true.norm2() + ops.exp(-area) * pred.norm2()
        # A product with the inverse: one backend's slope of a quotient squares the denominator first, and underflows.
        distance = 0.1875 * center * (1 / (1 + excess)) + 0.5 * ops.log1p(excess)
        if self.mode == "l2":
            return distance
        return math.safe_sqrt(math.one_minus_exp(-math.minimum(distance, 80.0)))  # 1 in float32 long before


def _log_shape(ellipse):
    return ops.log(ellipse.axes[..., 0] / ellipse.axes[..., 1])


def _sinh2(x):
    """`sinh(x / 2)^2`, exact near 0."""
    return -0.25 * ops.expm1(x) * ops.expm1(-x)


class GaussianDistanceLoss(RotatedBoxLoss):
    """Base of losses `1 - 1 / (tau + f(distance))`: a subclass writes `distance(true, pred, cosine2, sine2)`.

    Args:
        tau: number >= 1.
        transform: f, `"log"` for log(1 + distance) or `"sqrt"` for its root.
    """

    tau: Annotated[float, Range(ge=1)] = 1.0
    transform: Literal["log", "sqrt"] = "log"

    def distance(self, true: Ellipse, pred: Ellipse, cosine2: Any, sine2: Any) -> Any:
        """The distance of two Gaussians whose standard deviations are the axes of the ellipses."""
        raise NotImplementedError(f"{type(self).__name__} must define `distance(self, true, pred, cosine2, sine2)`.")

    def compare(self, true, pred, cosine2, sine2):
        distance = self.distance(true, pred, cosine2, sine2)
        return 1 - 1 / (self.tau + (ops.log1p(distance) if self.transform == "log" else math.safe_sqrt(distance)))


class GaussianWasserstein(GaussianDistanceLoss):
    """The Wasserstein distance of two rotated boxes, squeezed into [0, 1].

    Formula: `1 - 1 / (tau + f(D))`, `D = |m_t - m_p|^2 + tr(S_t + S_p - 2 (S_t^1/2 S_p S_t^1/2)^1/2)` with the centers m and
    covariances of `w^2 / 4` and `h^2 / 4` along the sides; f is `log(1 + D)` or `sqrt(D)`. D is a squared length: the loss
    depends on the unit of the boxes. Equal boxes give `1 - 1 / tau`. (MMRotate's GDLoss divides the root of D by the size of
    the boxes first.)

    Args:
        tau: number >= 1; the larger, the flatter the loss.
        transform: `"log"` or `"sqrt"`.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 5)`: x and y of the center, width, height, and the angle in radians from the x axis to the
        width. Padding is left out by a mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. Negative sides lose their sign.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y_true, y_pred = np.array([[0.0, 0.0, 4.0, 2.0, 0.0]]), np.array([[3.0, 0.0, 4.0, 2.0, np.pi]])
    >>> round(float(kl.GaussianWasserstein()(y_true, y_pred)), 4)
    0.6972

    Reference: X. Yang et al., Rethinking rotated object detection with Gaussian Wasserstein distance loss, 2021,
    arXiv:2101.11952.
    """

    def distance(self, true, pred, cosine2, sine2):
        a, b = true.axes[..., 0], true.axes[..., 1]
        c, d = pred.axes[..., 0], pred.axes[..., 1]
        # Swap the sides of the prediction, which turns it by a right angle, where only one box is wider than high: then all
        # terms below are positive, and nothing cancels.
        swap = (a - b) * (c - d) < 0
        c, d = ops.where(swap, d, c), ops.where(swap, c, d)
        cosine2, sine2 = ops.where(swap, sine2, cosine2), ops.where(swap, cosine2, sine2)
        aligned, crossed = a * c + b * d, a * d + b * c
        root = math.safe_sqrt(cosine2 * ops.square(aligned) + sine2 * ops.square(crossed))
        turn = math.safe_divide((a - b) * (a + b) * (c - d) * (c + d), aligned + root)
        return length2(true.offset) + ops.square(a - c) + ops.square(b - d) + 2 * sine2 * turn


class GaussianKullbackLeibler(GaussianDistanceLoss):
    """The Kullback-Leibler divergence of two rotated boxes, squeezed into [0, 1].

    Formula: `1 - 1 / (tau + f(D))`, `D = (d' S_t^-1 d + tr(S_t^-1 S_p) + log(det(S_t) / det(S_p))) / 2 - 1`, the divergence of
    the prediction from the target, with the offset d of the centers and covariances of `w^2 / 4` and `h^2 / 4` along the sides;
    f is `log(1 + D)` or `sqrt(D)`. It does not depend on the unit of the boxes. Equal boxes give `1 - 1 / tau`. (MMRotate's
    GDLoss has the divergence of the target from the prediction, and its root.)

    Args:
        tau: number >= 1; the larger, the flatter the loss.
        transform: `"log"` or `"sqrt"`.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., 5)`: x and y of the center, width, height, and the angle in radians from the x axis to the
        width. Padding is left out by a mask or by weights.

    Returns:
        One value a box, `(B, ...)`, reduced. Sides shorter than 2e-7 count as so long; negative ones lose their sign.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y_true, y_pred = np.array([[0.0, 0.0, 4.0, 2.0, 0.0]]), np.array([[3.0, 0.0, 4.0, 2.0, np.pi]])
    >>> round(float(kl.GaussianKullbackLeibler()(y_true, y_pred)), 4)
    0.4298

    Reference: X. Yang et al., Learning high-precision bounding box for rotated object detection via Kullback-Leibler
    divergence, 2021, arXiv:2106.01883.
    """

    def distance(self, true, pred, cosine2, sine2):
        true, pred = _extended(true), _extended(pred)
        aligned = _divergence(true.axes, pred.axes)
        crossed = _divergence(ops.flip(true.axes, axis=-1), pred.axes)
        return 0.5 * (true.norm2() + cosine2 * aligned + sine2 * crossed)


def _divergence(true, pred):
    """Twice the divergence of Gaussians on two common axes, from their deviations."""
    log_ratio = -ops.log(true / pred)
    return ops.sum(ops.expm1(2 * log_ratio) - 2 * log_ratio, axis=-1)


prob_iou = function_of(ProbIoU)
gaussian_wasserstein = function_of(GaussianWasserstein)
gaussian_kullback_leibler = function_of(GaussianKullbackLeibler)
