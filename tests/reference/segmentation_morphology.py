"""Losses by erosion and dilation.

HausdorffErosion: Karimi and Salcudean 2019, the mean over the pixels of
sum_k k^alpha E_k, where E_0 = (p - y)^2 and E_k is E_(k-1) eroded: convolved
with the cross of 2 d + 1 pixels of equal weight, and soft-thresholded at 1/2.
Taken literally the sum ends there: thresholded values are 1/2 at most, and the
next threshold leaves nothing of them. The code that the field uses (PatRyg99's,
then kornia's) therefore stretches each eroded map to [0, 1] by its own minimum
and maximum, unless it is constant; so does this.

CenterlineDice: Shit et al. 2021, "clDice": 1 minus the harmonic mean of the
share of the skeleton of p that lies in y, and of that of y that lies in p. The
soft skeleton is their algorithm 1: what an opening removes, at each erosion.
Erosion is the minimum over a cross, dilation the maximum over a cube; outside
the image nothing is looked at.
"""

import itertools

import numpy as np

from ._case import Case, array
from ._maps import common, over_classes, several


def neighbours(pixel, shape, cross):
    """The pixels of the image in the cross, or cube, of side 3 around a pixel; itself too."""
    for step in itertools.product((-1, 0, 1), repeat=len(shape)):
        if cross and sum(abs(s) for s in step) > 1:
            continue
        other = tuple(a + s for a, s in zip(pixel, step, strict=True))
        if all(0 <= a < n for a, n in zip(other, shape, strict=True)):
            yield other


def over_window(function, x, cross):
    result = np.zeros(x.shape)
    for pixel in np.ndindex(x.shape):
        result[pixel] = function([x[other] for other in neighbours(pixel, x.shape, cross)])
    return result


def hausdorff_erosion(y_true, y_pred, alpha=2.0, iterations=10, **config):
    def compare(y, p):
        error = (p - y) ** 2
        total = np.zeros(p.shape)
        for k in range(1, iterations + 1):
            error = over_window(sum, error, cross=True) / (2 * p.ndim + 1)
            error = np.where(error > 0.5, error - 0.5, 0.0)
            low, high = error.min(), error.max()
            if high > low:
                error = (error - low) / (high - low)
            total += k**alpha * error
        return total.mean()

    return over_classes(compare, y_true, y_pred, **config)


def skeleton(x, iterations):
    result = np.zeros(x.shape)
    for k in range(iterations + 1):
        eroded = over_window(min, x, cross=True)
        removed = np.maximum(x - over_window(max, eroded, cross=False), 0)
        result = removed if k == 0 else result + (1 - result) * removed
        x = eroded
    return result


def centerline_dice(y_true, y_pred, iterations=3, smooth=1.0, **config):
    def ratio(part, whole):
        return 1.0 if whole + smooth == 0 else (part + smooth) / (whole + smooth)

    def compare(y, p):
        of_p, of_y = skeleton(p, iterations), skeleton(y, iterations)
        precision, sensitivity = ratio((of_p * y).sum(), of_p.sum()), ratio((of_y * p).sum(), of_y.sum())
        if precision + sensitivity == 0:
            return 1.0
        return 1 - 2 * precision * sensitivity / (precision + sensitivity)

    return over_classes(compare, y_true, y_pred, **config)


def _erosion(name, data, config=None, smooth=True, expect=None):
    # Predictions on the wrong side: small errors are gone after one erosion.
    y, p = data
    return Case(name, y, np.where(y < 0.5, 0.5 + 0.5 * p, 0.5 - 0.5 * p), {"iterations": 3, **(config or {})}, smooth, expect)


def _centerline(name, data, config=None, smooth=True, expect=None):
    return Case(name, *data, config or {}, smooth, expect)


_LINE = np.zeros((1, 7, 1))
_ALL = np.ones((1, 7, 1))
_BAR = np.zeros((1, 5, 7, 1))
_BAR[0, 1:4, 1:6] = 1
_MIDDLE = np.zeros((1, 5, 7, 1))  # of the bar, what erosions meet in
_MIDDLE[0, 2, 2:5] = 1
_IMAGE = several(3500, 2, 6, 5, 2)

CASES = {
    "HausdorffErosion": [
        *common(_erosion, 3300),
        _erosion("default", several(3302, 1, 8, 7, 1), {"iterations": 10}),
        _erosion("alpha", _IMAGE, {"alpha": 0.5}),
        _erosion("alpha-zero", _IMAGE, {"alpha": 0.0}),
        _erosion("iterations-one", _IMAGE, {"iterations": 1}),
        Case("perfect", _BAR, _BAR, smooth=False, expect=np.zeros(1)),
        Case("small-error", _BAR, _BAR * 0.5, smooth=False, expect=np.zeros(1)),
        # Wrong everywhere. At the ends the cross holds 2/3, elsewhere 1: less 1/2, stretched to 0 and 1. The next step leaves
        # 2/3 - 1/2 beside the ends and 1/2 further in, stretched to 1/3 and 1; the last 7/9 - 1/2 and, in the middle, 1/2.
        Case(
            "line",
            _LINE,
            _ALL,
            {"iterations": 3, "alpha": 1.0},
            smooth=False,
            expect=array((1 * 5 + 2 * (2 / 3 + 3) + 3 * (2 * (7 / 9 - 1 / 2) / (1 / 2) + 1)) / 7),
        ),
    ],
    "CenterlineDice": [
        *common(_centerline, 3600),
        _centerline("iterations-zero", _IMAGE, {"iterations": 0}),
        _centerline("iterations", _IMAGE, {"iterations": 5}),
        _centerline("smooth", _IMAGE, {"smooth": 0.1}),
        _centerline("smooth-zero", _IMAGE, {"smooth": 0.0}),
        _centerline("perfect-line", (_LINE + 0.0, _LINE + 0.0), smooth=False, expect=np.zeros(1)),
        _centerline("perfect-bar", (_BAR, _BAR), smooth=False, expect=np.zeros(1)),
        # A line is its own skeleton, and that of the bar.
        _centerline("line-of-bar", (_BAR, _MIDDLE), smooth=False, expect=np.zeros(1)),
        _centerline("nothing-predicted", (_BAR, _BAR * 0), {"smooth": 0.0}, smooth=False, expect=np.ones(1)),
        _centerline("nothing-at-all", (_BAR * 0, _BAR * 0), {"smooth": 0.0}, smooth=False, expect=np.zeros(1)),
    ],
}
