"""Losses of distances to the border of a region.

Boundary: Kervadec et al. 2019, "Boundary loss for highly unbalanced
segmentation": the mean of p times the signed distance of a pixel to the border.
On a grid the border lies between pixels; as in the authors' code (and in
MONAI), an outer pixel has its distance to the nearest inner one, an inner pixel
1 minus its distance to the nearest outer one. With other pixel sizes the
authors subtract 1 all the same, which makes inner pixels positive where a pixel
is smaller than 1; here it is the smallest pixel size, so that none is. The authors' code gives a class
that fills the image the distances of scipy for a mask without a zero, which
mean nothing: here, as in MONAI, such a map is 0.

HausdorffDistance: Karimi and Salcudean 2019, the mean of
(p - y)^2 (d_p^alpha + d_y^alpha), where d is the unsigned distance to the
border of the thresholded map: the distance of every pixel to the nearest one on
the other side. MONAI does the same. The authors of the boundary loss measure
the inside only, which the paper does not.
"""

import numpy as np

from ._case import Case, array, uniform
from ._maps import DOT, common, over_classes, several


def nearest(pixel, others, sampling):
    """Distance to the nearest of some pixels."""
    return min(np.sqrt(sum((s * (a - b)) ** 2 for s, a, b in zip(sampling, pixel, other, strict=True))) for other in others)


def to_other_side(region, sampling):
    """The distance of each pixel to the nearest one on the other side; 0 where there is no other side."""
    sampling = (1.0,) * region.ndim if sampling is None else sampling
    inside = [pixel for pixel in np.ndindex(region.shape) if region[pixel]]
    outside = [pixel for pixel in np.ndindex(region.shape) if not region[pixel]]
    distance = np.zeros(region.shape)
    if inside and outside:
        for pixel in np.ndindex(region.shape):
            distance[pixel] = nearest(pixel, outside if region[pixel] else inside, sampling)
    return distance


def boundary(y_true, y_pred, sampling=None, **config):
    def compare(y, p):
        region = y > 0.5
        if region.all() or not region.any():
            return 0.0
        distance = to_other_side(region, sampling)
        signed = np.where(region, min(sampling or (1.0,)) - distance, distance)
        return sum(p[pixel] * signed[pixel] for pixel in np.ndindex(p.shape)) / p.size

    return over_classes(compare, y_true, y_pred, **config)


def hausdorff_distance(y_true, y_pred, alpha=2.0, sampling=None, **config):
    def compare(y, p):
        of_p, of_y = to_other_side(p > 0.5, sampling), to_other_side(y > 0.5, sampling)
        terms = [(p[i] - y[i]) ** 2 * (of_p[i] ** alpha + of_y[i] ** alpha) for i in np.ndindex(p.shape)]
        return sum(terms) / p.size

    return over_classes(compare, y_true, y_pred, **config)


def _case(name, data, config=None, smooth=True, expect=None):
    return Case(name, *data, config or {}, smooth, expect)


# One pixel of nine, and two of six.
_EVEN = np.full(DOT.shape, 0.25)
_LINE = array([1, 1, 0, 0, 0, 0]).reshape(1, 6, 1)
_FULL, _NONE = np.ones((1, 4, 4, 1)), np.zeros((1, 4, 4, 1))
_HIGH, _LOW = uniform(3000, 1, 4, 4, 1, low=0.6), uniform(3001, 1, 4, 4, 1, high=0.4)
_SAMPLING = {"sampling": (0.5, 2.0)}
_IMAGE = several(3002, 2, 5, 4, 2)

CASES = {
    "Boundary": [
        *common(_case, 3100),
        _case("sampling", _IMAGE, _SAMPLING),
        _case("sampling-3d", several(3004, 2, 3, 3, 4, 1), {"sampling": (3.0, 1.0, 0.25)}),
        # Beside the pixel 1, at the corners sqrt(2), inside 1 - 1.
        _case("dot", (DOT, _EVEN), expect=array(0.25 * (4 + 4 * np.sqrt(2)) / 9)),
        # Inside -1 and 0, outside 1 to 4.
        _case("line", (_LINE, _LINE), expect=array(-1 / 6)),
        _case("line-ones", (_LINE, np.ones((1, 6, 1))), expect=array((-1 + 0 + 1 + 2 + 3 + 4) / 6)),
        _case("full", (_FULL, _HIGH), expect=np.zeros(1)),
        _case("empty", (_NONE, _HIGH), expect=np.zeros(1)),
    ],
    "HausdorffDistance": [
        *common(_case, 3200),
        _case("alpha-1", _IMAGE, {"alpha": 1.0}),
        _case("alpha-half", _IMAGE, {"alpha": 0.5}),
        _case("alpha-4", _IMAGE, {"alpha": 4.0}),
        _case("alpha-odd", _IMAGE, {"alpha": 2.7}),
        _case("sampling", _IMAGE, _SAMPLING),
        _case("sampling-alpha", several(3004, 2, 3, 3, 4, 1), {"sampling": (3.0, 1.0, 0.25), "alpha": 1.5}),
        # Nothing is predicted: only the distances of the target count, squared 1 (the pixel and its 4 neighbours) and 2.
        _case("dot", (DOT, _EVEN), expect=array((0.75**2 + 0.25**2 * (4 * 1 + 4 * 2)) / 9)),
        # All is predicted: again only those of the target, 2, 1, 1, 2, 3, 4, squared, where y is 0.
        _case("line-ones", (_LINE, np.ones((1, 6, 1))), expect=array((1 + 4 + 9 + 16) / 6)),
        # Both maps the same: twice the distances.
        _case("line", (_LINE, 0.2 + 0.6 * _LINE), expect=array(0.04 * 2 * (4 + 1 + 1 + 4 + 9 + 16) / 6)),
        _case("perfect", (_LINE, _LINE), expect=np.zeros(1)),
        _case("full-and-full", (_FULL, _HIGH), expect=np.zeros(1)),
        _case("empty-and-empty", (_NONE, _LOW), expect=np.zeros(1)),
        # Neither map has a border.
        _case("full-and-empty", (_FULL, _LOW), expect=np.zeros(1)),
    ],
}
