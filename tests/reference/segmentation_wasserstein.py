"""Generalised Wasserstein Dice: Fidon et al. 2017.

The error of a pixel is the Wasserstein distance of its predicted distribution to
its label, which for one label y is sum_c M[y, c] p_c, with M divided by its
largest entry. True positives are 1 minus the error, counted over the pixels of
all classes but the background, class 0. The loss is
1 - 2 TP / (2 TP + E), E the sum of all errors. The paper writes M[y, 0] minus
the error where MONAI writes 1; both are the same if every class is as far from
the background as can be, which is how the paper chooses M. This is MONAI's.
"""

import numpy as np

from ._case import Case, array, labels, log_softmax, normal, random_labels, simplex


def generalized_wasserstein_dice(
    y_true,
    y_pred,
    distance_matrix,
    from_logits=False,
    class_axis=-1,
    class_weight=None,
    smooth=1e-7,
    ignore_class=None,
):
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), class_axis, -1)
    matrix = np.asarray(distance_matrix, float)
    matrix = matrix / matrix.max()
    values = np.zeros(len(y_pred))
    valid = np.zeros(len(y_pred), bool)
    for sample in range(len(y_pred)):
        overlap = errors = 0.0
        for pixel in np.ndindex(y_true.shape[1:]):
            label = y_true[sample][pixel]
            if label == ignore_class:
                continue
            valid[sample] = True
            row = y_pred[sample][pixel]
            p = np.exp(log_softmax(row)) if from_logits else row / (row.sum() or 1.0)
            error = sum(matrix[label, c] * p[c] for c in range(len(p)))
            weight = 1.0 if class_weight is None else class_weight[label]
            errors += weight * error
            overlap += 0.0 if label == 0 else weight * (1 - error)
        whole = 2 * overlap + errors + smooth
        values[sample] = 1 - (2 * overlap + smooth) / whole if whole else 0.0
    return values if ignore_class is None else (values, valid)


TREE = ((0.0, 1.0, 1.0), (1.0, 0.0, 0.5), (1.0, 0.5, 0.0))
UNEVEN = ((0.0, 1.0, 4.0), (2.0, 0.0, 1.0), (3.0, 0.5, 0.0))
FLAT = ((0.0, 1.0), (1.0, 0.0))


def _case(name, shape, config=None, seed=3700, logits=False, axis=-1, matrix=TREE):
    pred = normal(seed + 1, *shape, scale=2.0) if logits else simplex(seed + 1, *shape, axis=axis)
    config = {"distance_matrix": matrix, **({"from_logits": True} if logits else {}), **(config or {})}
    return Case(name, random_labels(seed, *shape, axis=axis), pred, config)


def _with_ignored(name, logits):
    case = _case(name, (3, 5, 4, 3), {"ignore_class": -1}, 3720, logits)
    case.y_true[:2, 1:3] = -1
    case.y_true[2] = -1
    return case


_FOUR = np.array([[1, 1, 0, 0]])
_HALVES = np.full((1, 4, 2), 0.5)

CASES = {
    "GeneralizedWassersteinDice": [
        _case("rank-2", (4, 3)),
        _case("rank-3", (3, 6, 3)),
        _case("rank-4", (2, 4, 3, 3)),
        _case("rank-5", (2, 2, 3, 2, 3)),
        _case("logits", (2, 4, 3, 3), logits=True),
        _case("uneven", (2, 4, 3, 3), matrix=UNEVEN),
        _case("uneven-logits", (2, 4, 3, 3), matrix=UNEVEN, logits=True),
        _case("weight", (2, 4, 3, 3), {"class_weight": (0.5, 3.0, 1.5)}),
        _case("weight-zero", (2, 4, 3, 3), {"class_weight": (0.0, 1.0, 4.0)}),
        _case("smooth", (2, 4, 3, 3), {"smooth": 2.0}),
        _case("smooth-zero", (2, 4, 3, 3), {"smooth": 0.0}),
        _case("class-axis", (2, 3, 4, 5), {"class_axis": 1}, axis=1),
        _with_ignored("ignored", False),
        _with_ignored("ignored-logits", True),
        Case("unscaled-rows", labels(3730, 3, 2, 5), 3.0 * simplex(3731, 2, 5, 3), {"distance_matrix": TREE}),
        # Two classes: E = 4 / 2, TP = 2 / 2 of the two pixels of class 1.
        Case(
            "halves",
            _FOUR,
            _HALVES,
            {"distance_matrix": FLAT},
            expect=array(1 - (2 * 1 + 1e-7) / (2 * 1 + 2 + 1e-7)),
        ),
        # The same, with distances that are all ten times as large.
        Case(
            "scaled",
            _FOUR,
            _HALVES,
            {"distance_matrix": ((0.0, 10.0), (10.0, 0.0)), "smooth": 0.0},
            expect=array(0.5),
        ),
        # Class 2 taken for class 1, which is half as bad as background: W = 1/2 in each of two pixels, TP = 2 - 1.
        Case(
            "kin",
            np.array([[2, 2]]),
            np.array([[[0.0, 1, 0], [0, 1, 0]]]),
            {"distance_matrix": TREE, "smooth": 0.0},
            expect=array(1 - 2 / (2 + 1)),
        ),
        Case("perfect", _FOUR, np.eye(2)[_FOUR], {"distance_matrix": FLAT}, expect=np.zeros(1)),
        Case("only-background", _FOUR * 0, np.eye(2)[_FOUR * 0], {"distance_matrix": FLAT}, smooth=False, expect=np.zeros(1)),
    ],
}
