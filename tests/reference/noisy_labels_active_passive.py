"""Losses of label noise that pair two terms, and their terms.

Wang et al. 2019, "Symmetric Cross Entropy for Robust Learning with Noisy
Labels". Ma et al. 2020, "Normalized Loss Functions for Deep Learning with
Noisy Labels". Ghosh, Kumar & Sastry 2017, "Robust Loss Functions under Label
Noise for Deep Neural Networks".
"""

import numpy as np

import keras_losses as kl

from ._case import Case, array, labels, normal, simplex
from ._labelled import common_cases, distribution, logs, per_label, smoothed, smoothing_cases


def _crossentropy(y, row, from_logits):
    log_p = logs(row, from_logits)
    return -sum(y[c] * log_p[c] for c in range(len(row)))


def _reverse(y, row, from_logits, log_zero):
    """-sum_c p_c log y_c with log 0 = log_zero and log 1 = 0."""
    p = distribution(row, from_logits)
    return -sum(p[c] * (log_zero if y[c] == 0 else np.log(y[c])) for c in range(len(row)))


def reverse_crossentropy(y_true, y_pred, from_logits=False, log_zero=-4.0, ignore_class=None, class_weight=None):
    def one(y, row):
        return _reverse(y, row, from_logits, log_zero)

    return per_label(one, y_true, y_pred, ignore_class, class_weight)


def symmetric_crossentropy(
    y_true, y_pred, from_logits=False, alpha=0.1, beta=1.0, log_zero=-4.0, ignore_class=None, class_weight=None
):
    """alpha H(y, p) + beta H(p, y)."""

    def one(y, row):
        return alpha * _crossentropy(y, row, from_logits) + beta * _reverse(y, row, from_logits, log_zero)

    return per_label(one, y_true, y_pred, ignore_class, class_weight)


def normalized_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, ignore_class=None, class_weight=None):
    """The cross-entropy of the label over the sum of the cross-entropies of all labels."""

    def one(y, row):
        classes = len(row)
        each = [_crossentropy(np.eye(classes)[j], row, from_logits) for j in range(classes)]
        weight = [1.0] * classes if class_weight is None else class_weight
        share = smoothed(y, label_smoothing)
        return sum(share[c] * weight[c] * each[c] / sum(each) for c in range(classes))

    return per_label(one, y_true, y_pred, ignore_class, class_weight, weigh=False)


def probability_absolute_error(y_true, y_pred, from_logits=False, ignore_class=None, class_weight=None):
    """sum_c |y_c - p_c|."""

    def one(y, row):
        p = distribution(row, from_logits)
        return sum(abs(y[c] - p[c]) for c in range(len(row)))

    return per_label(one, y_true, y_pred, ignore_class, class_weight)


_FORMULAS = {
    "NormalizedCrossentropy": normalized_crossentropy,
    "ReverseCrossentropy": reverse_crossentropy,
    "ProbabilityAbsoluteError": probability_absolute_error,
}


def active_passive(y_true, y_pred, active=None, passive=None, alpha=1.0, beta=1.0):
    """alpha active + beta passive; each term by its own reference, with its own arguments."""
    total = valid = None
    for factor, term, default in (
        (alpha, active, kl.NormalizedCrossentropy()),
        (beta, passive, kl.ReverseCrossentropy()),
    ):
        term = default if term is None else term
        config = {k: v for k, v in term.get_config().items() if k not in ("name", "reduction", "dtype")}
        result = _FORMULAS[type(term).__name__](y_true, y_pred, **config)
        if isinstance(result, tuple):
            result, valid = result
        total = factor * result if total is None else total + factor * result
    return total if valid is None else (total, valid)


_LOGITS = {"from_logits": True}
_HALF = array([0.5, 0.5])


def _pair(active=None, passive=None, **shared):
    return {
        "active": (active or kl.NormalizedCrossentropy)(**shared),
        "passive": (passive or kl.ReverseCrossentropy)(**shared),
    }


CASES = {
    "ReverseCrossentropy": [
        *common_cases(300),
        Case("log-zero", labels(320, 3, 4), simplex(321, 4, 3), {"log_zero": -7.0}),
        Case("by-hand", np.array([0]), array([0.75, 0.25]), expect=array(4 * 0.25)),
        Case("log-zero-by-hand", np.array([1]), array([0.75, 0.25]), {"log_zero": -2.0}, expect=array(2 * 0.75)),
    ],
    "SymmetricCrossentropy": [
        *common_cases(400),
        Case("alpha", labels(420, 3, 4), simplex(421, 4, 3), {"alpha": 6.0}),
        Case("beta", labels(422, 3, 4), simplex(423, 4, 3), {"beta": 0.1}),
        Case("log-zero", labels(424, 3, 4), normal(425, 4, 3), {"log_zero": -1.5, **_LOGITS}),
        Case("alpha-zero", labels(426, 3, 4), normal(427, 4, 3), {"alpha": 0.0, **_LOGITS}),
        Case("beta-zero", np.array([0]), _HALF, {"alpha": 1.0, "beta": 0.0}, expect=array(np.log(2))),
        Case("by-hand", np.array([1]), _HALF, {"alpha": 2.0, "beta": 3.0}, expect=array(2 * np.log(2) + 3 * 4 * 0.5)),
    ],
    "NormalizedCrossentropy": [
        *common_cases(500),
        *smoothing_cases(520),
        # All classes alike: each label has one share of C.
        Case("uniform", np.array([0, 2]), np.full((2, 4), 0.25), expect=np.full(2, 0.25)),
        Case(
            "by-hand",
            np.array([0]),
            np.log(array([0.5, 0.25, 0.25])),
            _LOGITS,
            expect=array(np.log(2) / (np.log(2) + 2 * np.log(4))),
        ),
    ],
    "ProbabilityAbsoluteError": [
        *common_cases(600),
        Case("by-hand", np.array([0, 1]), array([0.75, 0.25], [0.75, 0.25]), expect=array(2 * 0.25, 2 * 0.75)),
    ],
    "ActivePassive": [
        Case("rank-2", labels(700, 4, 5), simplex(701, 5, 4)),
        Case("rank-3", labels(702, 3, 2, 5), simplex(703, 2, 5, 3)),
        Case("rank-4", labels(704, 3, 2, 3, 2), simplex(705, 2, 3, 2, 3)),
        Case("alpha", labels(706, 3, 4), simplex(707, 4, 3), {"alpha": 10.0}),
        Case("beta", labels(708, 3, 4), simplex(709, 4, 3), {"beta": 0.1}),
        Case("logits", labels(710, 3, 2, 4), normal(711, 2, 4, 3), _pair(**_LOGITS)),
        Case("absolute-error", labels(712, 3, 4), simplex(713, 4, 3), {"passive": kl.ProbabilityAbsoluteError(), "beta": 2.0}),
        Case(
            "swapped",
            labels(714, 3, 4),
            simplex(715, 4, 3),
            {"active": kl.ReverseCrossentropy(log_zero=-1.0), "passive": kl.NormalizedCrossentropy(), "alpha": 3.0},
        ),
        Case(
            "ignore-class",
            np.array([[0, -1, 2], [2, 1, -1]]),
            normal(716, 2, 3, 3),
            _pair(ignore_class=-1, class_weight=(1.0, 3.0, 0.5), **_LOGITS),
        ),
        Case("label-out-of-range", np.array([1, -1, 3]), simplex(718, 3, 3), smooth=False),
        Case(
            "weights-of-one-term",
            labels(719, 3, 6),
            simplex(720, 6, 3),
            {"active": kl.NormalizedCrossentropy(class_weight=(1.0, 2.0, 3.0))},
        ),
        Case("by-hand", np.array([0]), _HALF, {"alpha": 2.0, "beta": 3.0}, expect=array(2 * 0.5 + 3 * 4 * 0.5)),
    ],
}
