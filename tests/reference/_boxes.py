"""What the references of the box losses share: corners, areas, and data."""

import numpy as np

from ._case import Case, array, per_vector

FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


def corners(box, bounding_box_format="xyxy"):
    """(x1, y1, x2, y2) with x1 <= x2 and y1 <= y2 (Rezatofighi et al. 2019, algorithm 2, line 1)."""
    a, b, c, d = (float(v) for v in box)
    kind = bounding_box_format.replace("rel_", "")
    if kind == "xyxy":
        x1, y1, x2, y2 = a, b, c, d
    elif kind == "yxyx":
        x1, y1, x2, y2 = b, a, d, c
    elif kind == "xywh":
        x1, y1, x2, y2 = a, b, a + c, b + d
    elif kind == "center_xywh":
        x1, y1, x2, y2 = a - c / 2, b - d / 2, a + c / 2, b + d / 2
    elif kind == "center_yxhw":
        x1, y1, x2, y2 = b - d / 2, a - c / 2, b + d / 2, a + c / 2
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def encode(xyxy, bounding_box_format):
    """Boxes given by their corners, in another format."""
    x1, y1, x2, y2 = np.moveaxis(np.asarray(xyxy, np.float64), -1, 0)
    w, h, cx, cy = x2 - x1, y2 - y1, (x1 + x2) / 2, (y1 + y2) / 2
    kind = bounding_box_format.replace("rel_", "")
    numbers = {
        "xyxy": (x1, y1, x2, y2),
        "yxyx": (y1, x1, y2, x2),
        "xywh": (x1, y1, w, h),
        "center_xywh": (cx, cy, w, h),
        "center_yxhw": (cy, cx, h, w),
    }[kind]
    return np.stack(numbers, axis=-1)


def intersection_and_union(t, p):
    width = max(0.0, min(t[2], p[2]) - max(t[0], p[0]))
    height = max(0.0, min(t[3], p[3]) - max(t[1], p[1]))
    both = width * height
    return both, (t[2] - t[0]) * (t[3] - t[1]) + (p[2] - p[0]) * (p[3] - p[1]) - both


def overlap(t, p):
    """The IoU; two boxes without area do not overlap."""
    both, union = intersection_and_union(t, p)
    return both / union if union > 0 else 0.0


def enclosing(t, p):
    """Width and height of the smallest box around both."""
    return max(t[2], p[2]) - min(t[0], p[0]), max(t[3], p[3]) - min(t[1], p[1])


def centers(t, p):
    """The vector from the center of the target to that of the prediction."""
    return (p[0] + p[2] - t[0] - t[2]) / 2, (p[1] + p[3] - t[1] - t[3]) / 2


def ratio(x, y):
    """x / y where y is not 0, else 0: what two coinciding points are apart."""
    return x / y if y != 0 else 0.0


def center_distance(t, p):
    """rho^2 / c^2 of Zheng et al. 2020."""
    (dx, dy), (w, h) = centers(t, p), enclosing(t, p)
    return ratio(dx**2 + dy**2, w**2 + h**2)


def per_box(function, y_true, y_pred, bounding_box_format="xyxy"):
    """``function(true, predicted)`` of the corners of each pair."""

    def one(t, p):
        return function(corners(t, bounding_box_format), corners(p, bounding_box_format))

    return per_vector(one, y_true, y_pred)


def draw(seed, *shape, size=4.0):
    """Boxes as corners, numbers of float32."""
    rng = np.random.default_rng(seed)
    start, extent = rng.uniform(0, 5, (*shape, 2)), rng.uniform(1, size, (*shape, 2))
    return np.concatenate([start, start + extent], axis=-1).astype("float32").astype("float64")


UNIT = array(0, 0, 10, 10)

# What a detector meets: the pairs (target, prediction) as corners, many of them on a kink.
EDGES = {
    "identical": (array(1, 2, 5, 8), array(1, 2, 5, 8)),
    "inverted": (UNIT, array(9, 8, 2, 3)),
    "inverted-outside": (UNIT, array(20, 3, 14, 9)),
    "inverted-target": (array(9, 8, 1, 2), array(2, 3, 7, 11)),
    "apart": (array(0, 0, 2, 3), array(5, 7, 8, 9)),
    "far-apart": (array(0, 0, 2, 3), array(9990, 7, 9997, 11)),
    "large-coordinates": (array(10000, 9000, 10008, 9004), array(10002, 9001, 10009, 9007)),
    "inside": (UNIT, array(3, 4, 5, 7)),
    "around": (array(3, 4, 6, 7), UNIT),
    "half": (UNIT, array(0, 0, 10, 5)),
    "touching": (array(0, 0, 2, 2), array(2, 0, 4, 2)),
    "corner-to-corner": (array(0, 0, 2, 2), array(2, 2, 4, 5)),
    "zero-width": (UNIT, array(4, 1, 4, 9)),
    "zero-height": (UNIT, array(0, 0, 10, 0)),
    "point": (UNIT, array(4, 6, 4, 6)),
    "point-in-the-center": (UNIT, array(5, 5, 5, 5)),
    "point-on-point": (array(5, 5, 5, 5), array(5, 5, 5, 5)),
    "point-off-point": (array(5, 5, 5, 5), array(7, 8, 7, 8)),
    "line-on-line": (array(1, 5, 6, 5), array(1, 5, 6, 5)),
    "line-off-line": (array(1, 5, 6, 5), array(3, 5, 9, 5)),
    "crossing-lines": (array(1, 5, 6, 5), array(4, 2, 4, 9)),
    "padding": (array(0, 0, 0, 0), array(0, 0, 0, 0)),
    "tiny": (array(0, 0, 2**-10, 2**-11), array(2**-12, 0, 2**-10, 2**-10)),
}
GENERIC = ("inverted", "inverted-outside", "inverted-target", "apart", "inside", "around")


def cases(seed, config=None, expect=None, edges=True):
    """Ranks, formats and edges; `expect` gives the value of an edge by a formula."""
    config, expect = config or {}, expect or {}
    found = [
        Case("rank-2", draw(seed, 6), draw(seed + 1, 6), config),
        Case("rank-3", draw(seed + 2, 2, 3), draw(seed + 3, 2, 3), config),
        Case("rank-4", draw(seed + 4, 2, 2, 3), draw(seed + 5, 2, 2, 3), config),
        Case("rank-5", draw(seed + 6, 2, 1, 2, 2), draw(seed + 7, 2, 1, 2, 2), config),
        Case("one", draw(seed + 8, 1), draw(seed + 9, 1), config),
    ]
    for i, name in enumerate(FORMATS):
        # Of one scale, since a relative format is half the boxes as large.
        scale = 1 / 16 if name.startswith("rel_") else 1.0
        y_true, y_pred = draw(seed + 20 + i, 3) * scale, draw(seed + 40 + i, 3) * scale
        found.append(
            Case(name, encode(y_true, name), encode(y_pred, name), {**config, "bounding_box_format": name}),
        )
    if edges:
        for name, (y_true, y_pred) in EDGES.items():
            value = None if name not in expect else array(expect[name])
            found.append(Case(name, y_true[None], y_pred[None], config, name in GENERIC, value))
    return found
