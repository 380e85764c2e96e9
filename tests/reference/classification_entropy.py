"""Cross-entropies with a further term, and the sparsemax loss, from their papers.

Poly-1: Leng et al. 2022, arXiv:2204.12511. There smoothed labels weigh `1 - p_c` as they weigh `log p_c`, and the
alpha-balanced focal form weighs the polynomial term too; some implementations weigh the focal term alone.

Complement cross-entropy: Kim, Lee, Jeon 2021, arXiv:2009.02189: cross-entropy plus gamma (-1) times the entropy of the
other classes over C - 1, so that a larger entropy is better. The code beside the paper subtracts minus the entropy, which
makes it smaller, and divides by C.

Sparsemax: Martins & Astudillo 2016,
arXiv:1602.02068, equations 3 to 6 and 19.
"""

import numpy as np

from ._case import EPSILON, Case, array, binary, log_sum_exp, normal, random_labels, random_one_hot, simplex, softplus, uniform
from ._categorical_cases import IGNORED, UNNORMALISED, WEIGHT, both, ignored_rows
from .classification import _class_logs, binary_mean, per_label, per_vector, without_ignored


def poly_crossentropy(
    y_true, y_pred, from_logits=False, epsilon=2.0, label_smoothing=0.0, axis=-1, class_weight=None, ignore_class=None
):
    """sum_c w_c y_c (-log p_c + epsilon (1 - p_c))."""

    def one(y, vector):
        log_p = _class_logs(vector, from_logits)
        total = 0.0
        for c in range(len(vector)):
            p = np.exp(log_p[c]) if from_logits else vector[c] / sum(vector)
            smoothed = y[c] * (1 - label_smoothing) + label_smoothing / len(vector)
            w = 1.0 if class_weight is None else class_weight[c]
            total += w * smoothed * (-log_p[c] + epsilon * (1 - p))
        return total

    return without_ignored(per_vector(one, y_true, y_pred, axis), y_true, axis, ignore_class)


def poly_focal_crossentropy(
    y_true,
    y_pred,
    from_logits=False,
    epsilon=1.0,
    gamma=2.0,
    alpha=None,
    label_smoothing=0.0,
    axis=-1,
    pos_weight=None,
    class_weight=None,
    ignore_class=None,
):
    """mean of a (1 - p_t)^gamma (crossentropy + epsilon (1 - p_t)), for a label 1 with p_t = p, for 0 with 1 - p."""

    def term(y, x, w0, w1):
        if from_logits:
            p, not_p, log_p, log_not_p = np.exp(-softplus(-x)), np.exp(-softplus(x)), -softplus(-x), -softplus(x)
        else:
            p, not_p, log_p, log_not_p = x, 1 - x, np.log(max(x, EPSILON)), np.log(max(1 - x, EPSILON))
        crossentropy = -(w1 * y * log_p + w0 * (1 - y) * log_not_p)
        polynomial = epsilon * (w1 * y * not_p + w0 * (1 - y) * p)
        a = 1.0 if alpha is None else y * alpha + (1 - y) * (1 - alpha)
        return a * (y * not_p + (1 - y) * p) ** gamma * (crossentropy + polynomial)

    return binary_mean(term, y_true, y_pred, label_smoothing, axis, pos_weight, class_weight, ignore_class)


def complement_crossentropy(y_true, y_pred, from_logits=False, gamma=-1.0, axis=-1, class_weight=None, ignore_class=None):
    """w_y (-log p_y + gamma / (C - 1) entropy of the probabilities of the other classes, divided by their sum)."""

    def one(y, vector):
        classes = len(vector)
        label = y.index(1.0)
        log_p = _class_logs(vector, from_logits)
        scores = list(vector) if from_logits else list(log_p)
        total = log_sum_exp([scores[c] for c in range(classes) if c != label])
        entropy = 0.0
        for c in range(classes):
            if c != label:
                log_share = scores[c] - total
                entropy -= np.exp(log_share) * log_share
        w = 1.0 if class_weight is None else class_weight[label]
        return w * (-log_p[label] + (gamma / (classes - 1) * entropy))

    return per_label(one, y_true, y_pred, axis, ignore_class)


def sparsemax(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1, class_weight=None, ignore_class=None):
    """-q z + 1/2 sum over the support of (z^2 - tau^2) + 1/2 |q|^2; of probabilities, which are scores with tau 0."""

    def one(y, z):
        q = np.array([x * (1 - label_smoothing) + label_smoothing / len(y) for x in y])
        w = 1.0 if class_weight is None else sum(q * np.array(class_weight))
        if not from_logits:
            return w * sum((z - q) ** 2) / 2
        z = z - max(z)
        ordered = sorted(z, reverse=True)
        size = max(k for k in range(1, len(z) + 1) if 1 + k * ordered[k - 1] > sum(ordered[:k]))
        tau = (sum(ordered[:size]) - 1) / size
        inside = [x for x in z if x > tau]
        return w * (-sum(q * z) + sum(x**2 - tau**2 for x in inside) / 2 + sum(q**2) / 2)

    return without_ignored(per_vector(one, y_true, y_pred, axis), y_true, axis, ignore_class)


# ---------------------------------------------------------------- cases
_LOG_EPS = np.log(EPSILON)
_LOGITS = {"from_logits": True}
_ONE_HOT_SATURATED = (array([1, 0, 0], [1, 0, 0]), array([1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]))


def _dense(seed, *more):
    """What every loss on one-hot labels takes."""

    def of(name, offset, *shape, truth=random_one_hot, **config):
        return both(name, seed + offset, truth, *shape, **config)

    cases = [
        *of("rank-2", 0, 5, 3),
        *of("rank-3", 5, 2, 5, 4),
        *of("rank-4", 10, 2, 3, 2, 3),
        *of("two-classes", 15, 5, 2),
        *of("soft-truth", 20, 4, 3, truth=simplex),
        *of("axis-1", 25, 2, 3, 4, axis=1),
        *of("class-weight", 30, 6, 3, **WEIGHT),
        *ignored_rows(seed + 35),
    ]
    return cases + [case for offset, (name, config) in enumerate(more) for case in of(name, 100 + 5 * offset, 5, 3, **config)]


def _sparse(seed, *more):
    """What every loss on integer labels takes."""

    def of(name, offset, *shape, **config):
        return both(name, seed + offset, random_labels, *shape, **config)

    cases = [
        *of("rank-2", 0, 5, 4),
        *of("rank-3", 5, 2, 5, 4),
        *of("rank-4", 10, 2, 3, 2, 3),
        *of("two-classes", 15, 5, 2),
        *of("axis-1", 20, 2, 4, 3, axis=1),
        *of("class-weight", 25, 6, 3, **WEIGHT),
        Case("ignore", IGNORED, simplex(seed + 30, 2, 3, 3), {"ignore_class": 255}),
        Case("ignore-logits", IGNORED, normal(seed + 31, 2, 3, 3), {"ignore_class": 255, **_LOGITS}),
        Case("ignore-everything", np.full((2,), -1), simplex(seed + 32, 2, 3), {"ignore_class": -1}, expect=np.zeros(2)),
    ]
    return cases + [case for offset, (name, config) in enumerate(more) for case in of(name, 100 + 5 * offset, 5, 4, **config)]


_POLY = [
    *_dense(
        5000,
        ("epsilon-minus-1", {"epsilon": -1.0}),
        ("epsilon-zero", {"epsilon": 0.0}),
        ("epsilon-large", {"epsilon": 10.0}),
        ("smoothing", {"label_smoothing": 0.2}),
        ("everything", {"epsilon": 0.5, "label_smoothing": 0.1, **WEIGHT}),
    ),
    Case(
        "by-hand",
        array([1, 0, 0], [0, 0, 1], [0, 1, 0]),
        UNNORMALISED,
        {"epsilon": 3.0},
        expect=array(1.5, 1.8, 1.5) - np.log(array(0.5, 0.4, 0.5)),
    ),
    Case("saturated-logits", *_ONE_HOT_SATURATED, {"epsilon": 3.0, **_LOGITS}, expect=array(0.0, 2e4 + np.log(2) + 3)),
    Case("right-and-wrong", array([1, 0], [1, 0]), array([1, 0], [0, 1]), smooth=False, expect=array(0.0, 2 - _LOG_EPS)),
]


def _poly_focal(name, seed, *shape, truth=binary, **config):
    return [
        Case(name, truth(seed, *shape), uniform(seed + 1, *shape), config),
        Case(name + "-logits", truth(seed + 2, *shape), normal(seed + 3, *shape, scale=3.0), {**config, **_LOGITS}),
    ]


def _sometimes(label):
    def truth(seed, *shape):
        y = np.where(uniform(seed + 5, *shape) < 0.35, label, binary(seed, *shape))
        y[0] = label
        return y

    return truth


_POLY_FOCAL = [
    *_poly_focal("rank-2", 5300, 4, 3),
    *_poly_focal("rank-3", 5305, 2, 4, 3),
    *_poly_focal("rank-4", 5310, 2, 3, 2, 2),
    *_poly_focal("one-output", 5315, 6, 1),
    *_poly_focal("soft-truth", 5320, 4, 3, truth=uniform),
    *_poly_focal("axis-1", 5325, 2, 3, 4, axis=1),
    *_poly_focal("epsilon-minus-1", 5330, 4, 3, epsilon=-1.0),
    *_poly_focal("epsilon-zero", 5335, 4, 3, epsilon=0.0),
    *_poly_focal("gamma-zero", 5340, 4, 3, gamma=0.0),
    *_poly_focal("gamma-half", 5345, 4, 3, gamma=0.5, epsilon=3.0),
    *_poly_focal("alpha", 5350, 4, 3, alpha=0.25),
    *_poly_focal("pos-weight", 5355, 4, 3, pos_weight=(0.5, 2.0, 4.0)),
    *_poly_focal("class-weight", 5360, 4, 3, class_weight=(0.7, 3.0)),
    *_poly_focal("ignore", 5365, 5, 4, truth=_sometimes(-1), ignore_class=-1),
    *_poly_focal(
        "everything",
        5370,
        4,
        3,
        truth=_sometimes(255),
        ignore_class=255,
        epsilon=0.7,
        gamma=1.5,
        alpha=0.6,
        label_smoothing=0.2,
        pos_weight=2.5,
        class_weight=(0.7, 3.0),
    ),
    # The weight of class 1 is 0.3, that of class 0 is 0.7, of both terms.
    Case(
        "by-hand",
        array([1, 0]),
        array([0.8, 0.4]),
        {"alpha": 0.3, "epsilon": 2.0},
        expect=array((0.3 * 0.2**2 * (0.4 - np.log(0.8)) + 0.7 * 0.4**2 * (0.8 - np.log(0.6))) / 2),
    ),
    *[
        Case(
            f"saturated-logits-gamma-{gamma}",
            array([1, 0], [1, 0]),
            array([1e4, -1e4], [-1e4, 1e4]),
            {"gamma": gamma, **_LOGITS},
            expect=array(0.0, 1e4 + 1),
        )
        for gamma in (0.0, 0.5, 2.0)
    ],
    Case("right-and-wrong", array([1, 0], [1, 0]), array([1, 0], [0, 1]), smooth=False, expect=array(0.0, 1 - _LOG_EPS)),
]

_SPREAD = np.array([[0.0, 0.0, 0.0, 0.0], [3.0, 1.0, 1.0, 1.0], [1e4, -1e4, -1e4, -1e4], [-1e4, 1e4, 1e4, 1e4]])

_COMPLEMENT = [
    *_sparse(
        5500,
        ("gamma-zero", {"gamma": 0.0}),
        ("gamma-positive", {"gamma": 0.7}),
        ("gamma-large", {"gamma": -20.0}),
        ("everything", {"gamma": -3.0, "class_weight": (0.5, 2.0, 3.5, 0.1)}),
    ),
    # The other classes are alike: their entropy is that of 3 equal ones, whatever the label has.
    Case(
        "others-alike",
        np.zeros(4, int),
        _SPREAD,
        {"gamma": -2.0, **_LOGITS},
        expect=array(np.log(4), np.log(np.exp(3) + 3 * np.e) - 3, 0, 2e4 + np.log(3)) - 2 / 3 * np.log(3),
    ),
    # One other class has all: no entropy.
    Case(
        "one-other",
        np.array([0, 0, 2]),
        array([0.0, 1e4, -1e4], [1e4, -1e4, 0.0], [0.0, -1e4, -1e4]),
        _LOGITS,
        expect=array(1e4, 0.0, 1e4),
    ),
    Case(
        "right-and-wrong",
        np.array([0, 0]),
        array([1.0, 0.0, 0.0], [0.0, 0.5, 0.5]),
        smooth=False,
        expect=array(0.0, -_LOG_EPS) - np.log(2) / 2,
    ),
    Case(
        "out-of-range",
        np.array([3, -1, 1]),
        UNNORMALISED,
        {"gamma": 0.0},
        smooth=False,
        expect=array(np.nan, np.nan, np.log(2)),
    ),
]


_MARGINS = array([3.0, 0.0], [1.0, 0.0], [0.25, 0.0], [0.0, 0.0], [-0.5, 0.0], [-1.0, 0.0], [-7.0, 0.0], [-2e4, 0.0])

_SPARSEMAX = [
    *_dense(5700, ("smoothing", {"label_smoothing": 0.3})),
    *both("many-classes", 5850, random_one_hot, 4, 20),
    *both("close-scores", 5855, random_one_hot, 4, 20, axis=1),
    Case("spread", random_one_hot(5860, 4, 6), normal(5861, 4, 6, scale=30.0), _LOGITS),
    Case("narrow", random_one_hot(5862, 4, 6), normal(5863, 4, 6, scale=0.05), _LOGITS),
    # Two classes: the paper's formula of the margin t = z_1 - z_2.
    Case(
        "two-classes-by-hand",
        array(*[[1, 0]] * len(_MARGINS)),
        _MARGINS,
        _LOGITS,
        expect=array(0.0, 0.0, 0.75**2 / 4, 1 / 4, 1.5**2 / 4, 1.0, 7.0, 2e4),
    ),
    Case(
        "ties",
        array([1, 0, 0], [0.5, 0.5, 0.0], [0, 0, 1], [0, 1, 0]),
        array([0, 0, 0], [2, 2, 2], [5, 5, 0], [1, 1, 0]),
        _LOGITS,
        # 1/2 |q|^2 - q z + max over p of (p z - 1/2 |p|^2)
        expect=array(1 / 2 - 1 / 6, 1 / 4 - 1 / 6, 1 / 2 + 5 - 1 / 4, 1 / 2 - 1 / 4),
    ),
    Case("saturated-logits", *_ONE_HOT_SATURATED, _LOGITS, expect=array(0.0, 1 / 2 + 2e4 - 1 / 4)),
    Case("right-and-wrong", array([1, 0], [1, 0]), array([1, 0], [0, 1]), expect=array(0.0, 1.0)),
]

CASES = {
    "PolyCrossentropy": _POLY,
    "PolyFocalCrossentropy": _POLY_FOCAL,
    "ComplementCrossentropy": _COMPLEMENT,
    "Sparsemax": _SPARSEMAX,
}
