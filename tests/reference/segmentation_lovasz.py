"""Lovász losses.

Berman, Triki, Blaschko 2018, "The Lovász-softmax loss". The Jaccard loss of a
set M of mispredicted pixels is |M| / |foreground and M together|, 0 for no
mistake; the Lovász extension adds pixels to M in order of falling error and
weighs each error with the loss that its pixel adds.
"""

import numpy as np

from ._case import Case, array, binary, labels, log_softmax, normal, random_labels, simplex


def jaccard_loss(mistakes, foreground):
    union = mistakes | foreground
    return len(mistakes) / len(union) if mistakes else 0.0


def extension(errors, foreground):
    """``errors``: a number for each pixel; ``foreground``: the set of its pixels."""
    total, mistakes = 0.0, set()
    for pixel in sorted(range(len(errors)), key=lambda i: -errors[i]):
        more = mistakes | {pixel}
        total += errors[pixel] * (jaccard_loss(more, foreground) - jaccard_loss(mistakes, foreground))
        mistakes = more
    return total


def lovasz_hinge(y_true, y_pred, class_axis=-1, class_weight=None, empty="count", include_background=True):
    """The extension of the errors max(1 - s z, 0) with s = 1 in the region and -1 outside."""
    y = np.moveaxis(np.asarray(y_true, np.float64), class_axis, -1)
    z = np.moveaxis(np.asarray(y_pred, np.float64), class_axis, -1)
    values, valid = np.zeros(len(y)), np.zeros(len(y), bool)
    for sample in range(len(y)):
        total = weights = 0.0
        for c in range(0 if include_background else 1, y.shape[-1]):
            truth, score = np.ravel(y[sample, ..., c]), np.ravel(z[sample, ..., c])
            foreground = {i for i in range(len(truth)) if truth[i] >= 0.5}
            if empty == "skip" and not foreground:
                continue
            errors = [max(1 - score[i] if i in foreground else 1 + score[i], 0.0) for i in range(len(truth))]
            weight = 1.0 if class_weight is None else class_weight[c]
            total += weight * extension(errors, foreground)
            weights += weight
        if weights:
            values[sample], valid[sample] = total / weights, True
    return (values, valid) if empty == "skip" else values


def lovasz_softmax(y_true, y_pred, from_logits=False, classes="present", class_axis=-1, class_weight=None, ignore_class=None):
    """The extension of the errors 1 - p in a class and p outside, averaged over classes."""
    ids = np.asarray(y_true)
    p = np.moveaxis(np.asarray(y_pred, np.float64), class_axis, -1)
    values, valid = np.zeros(len(p)), np.zeros(len(p), bool)
    for sample in range(len(p)):
        pixels = [i for i in np.ndindex(p.shape[1:-1]) if ids[sample][i] != ignore_class]
        rows = [np.exp(log_softmax(p[sample][i])) if from_logits else p[sample][i] for i in pixels]
        total = weights = 0.0
        for c in range(p.shape[-1]):
            foreground = {k for k, i in enumerate(pixels) if ids[sample][i] == c}
            if (classes == "present" and not foreground) or (isinstance(classes, tuple) and c not in classes) or not pixels:
                continue
            errors = [1 - row[c] if k in foreground else row[c] for k, row in enumerate(rows)]
            weight = 1.0 if class_weight is None else class_weight[c]
            total += weight * extension(errors, foreground)
            weights += weight
        if weights:
            values[sample], valid[sample] = total / weights, True
    return values, valid


_WEIGHTS = (0.5, 3.0, 1.5)
_NO_BACKGROUND = {"include_background": False}
_NONE, _ALL = np.zeros((2, 4, 2)), np.ones((2, 4, 2))
_IGNORED = np.array([[0, 2, 255, 1], [255, 255, 255, 255], [2, 255, 2, 255]])
_FEW = np.array([[0, 0, 2, 0], [1, 1, 1, 1]])

CASES = {
    "LovaszHinge": [
        Case("rank-2", binary(1, 4, 3), normal(2, 4, 3)),
        Case("rank-3", binary(3, 3, 6, 2), normal(4, 3, 6, 2)),
        Case("rank-4", binary(5, 2, 3, 4, 3), normal(6, 2, 3, 4, 3)),
        Case("rank-5", binary(7, 2, 2, 3, 2, 1), normal(8, 2, 2, 3, 2, 1, scale=2.0)),
        Case("class-axis", binary(9, 2, 3, 5), normal(10, 2, 3, 5), {"class_axis": 1, "class_weight": _WEIGHTS}),
        Case("weight-with-zero", binary(11, 2, 5, 3), normal(12, 2, 5, 3), {"class_weight": (0.0, 1.0, 4.0)}),
        Case("no-background", binary(13, 2, 5, 3), normal(14, 2, 5, 3), {"class_weight": _WEIGHTS, **_NO_BACKGROUND}),
        Case("empty-count", _NONE, normal(15, 2, 4, 2)),
        Case("empty-skip", np.stack([_NONE[0], binary(16, 4, 2)]), normal(17, 2, 4, 2), {"empty": "skip"}),
        Case("all-empty-skip", _NONE, normal(18, 2, 4, 2), {"empty": "skip"}, expect=np.zeros(2)),
        Case("full", _ALL, normal(19, 2, 4, 2)),
        Case("large", binary(20, 3, 40, 1), normal(21, 3, 40, 1, scale=5.0)),
        Case("beyond-the-margin", binary(22, 3, 5, 2), 1.5 * (2 * binary(22, 3, 5, 2) - 1), expect=np.zeros(3)),
        Case("confidently-wrong", _ALL, np.full((2, 4, 2), -99.0), smooth=False, expect=np.full(2, 100.0)),
        # Every error is 1, and so is the loss of the set of all pixels.
        Case("zero-logits", binary(23, 3, 5, 2), np.zeros((3, 5, 2)), smooth=False, expect=np.ones(3)),
        # One region pixel with error 0.5, one background pixel with error 1.2: 1.2 (1/2) + 0.5 (2/2 - 1/2).
        Case("by-hand", array([[1.0], [0.0]]), array([[0.5], [0.2]]), expect=array(1.2 * 0.5 + 0.5 * 0.5)),
    ],
    "LovaszSoftmax": [
        Case("rank-2", labels(31, 3, 4), simplex(32, 4, 3)),
        Case("rank-3", labels(33, 3, 3, 6), simplex(34, 3, 6, 3)),
        Case("rank-4", labels(35, 4, 2, 3, 4), simplex(36, 2, 3, 4, 4)),
        Case("rank-5", labels(37, 2, 2, 2, 3, 2), simplex(38, 2, 2, 3, 2, 2)),
        Case("logits", labels(39, 3, 3, 6), normal(40, 3, 6, 3), {"from_logits": True}),
        Case("logits-large", labels(41, 3, 3, 6), normal(42, 3, 6, 3, scale=8.0), {"from_logits": True, "classes": "all"}),
        Case("all", labels(43, 3, 3, 4), simplex(44, 3, 4, 3), {"classes": "all"}),
        Case("some", labels(45, 3, 3, 4), simplex(46, 3, 4, 3), {"classes": (2, 0)}),
        Case("present", _FEW, simplex(47, 2, 4, 3)),
        Case("few-all", _FEW, simplex(48, 2, 4, 3), {"classes": "all"}),
        Case("few-one", _FEW, simplex(49, 2, 4, 3), {"classes": (1,)}),
        Case("weight", labels(50, 3, 3, 6), simplex(51, 3, 6, 3), {"class_weight": _WEIGHTS}),
        Case("weight-present", _FEW, simplex(52, 2, 4, 3), {"class_weight": _WEIGHTS}),
        Case("class-axis", random_labels(53, 2, 3, 4, axis=1), simplex(54, 2, 3, 4, axis=1), {"class_axis": 1}),
        Case("ignore", _IGNORED, simplex(55, 3, 4, 3), {"ignore_class": 255}),
        Case("ignore-all", _IGNORED, simplex(56, 3, 4, 3), {"ignore_class": 255, "classes": "all"}),
        Case("ignore-logits", _IGNORED, normal(57, 3, 4, 3), {"ignore_class": 255, "from_logits": True, "classes": (0, 1)}),
        Case("large", labels(58, 3, 2, 30), simplex(59, 2, 30, 3)),
        Case("perfect", np.array([[0, 1, 2]]), np.eye(3)[None], smooth=False, expect=np.zeros(1)),
        Case("all-wrong", np.array([[0, 1, 2]]), np.eye(3)[None, [1, 2, 0]], smooth=False, expect=np.ones(1)),
        # Class 0 has errors 0.4 and 0.3, class 1 the same: 0.4 (1/2) + 0.3 (1/2), and 0.4 + 0.3 (2/2 - 1/1).
        Case(
            "by-hand",
            np.array([[0, 1]]),
            array([[0.7, 0.3], [0.4, 0.6]]),
            expect=array(((0.4 * 0.5 + 0.3 * 0.5) + 0.4 * 1.0) / 2),
        ),
    ],
}
