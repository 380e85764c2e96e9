"""Losses of label noise whose target holds the prediction.

Reed et al. 2014, "Training Deep Neural Networks on Noisy Labels with
Bootstrapping". Englesson & Azizpour 2021, "Generalized Jensen-Shannon
Divergence Loss for Learning with Noisy Labels".
"""

import numpy as np

from ._case import Case, array, labels, normal, one_hot, simplex
from ._labelled import common_cases, distribution, logs, per_label


def bootstrapping(y_true, y_pred, from_logits=False, beta=None, hard=False, ignore_class=None, class_weight=None):
    """-sum_c (beta y_c + (1 - beta) t_c) log p_c, t the prediction, or the one-hot vector of its largest."""
    beta = (0.8 if hard else 0.95) if beta is None else beta

    def one(y, row):
        p, log_p = distribution(row, from_logits), logs(row, from_logits)
        t = np.eye(len(row))[np.argmax(p)] if hard else p
        return -sum((beta * y[c] + (1 - beta) * t[c]) * log_p[c] for c in range(len(row)))

    return per_label(one, y_true, y_pred, ignore_class, class_weight)


def _entropy(p):
    return -sum(x * np.log(x) for x in p if x > 0)


def generalized_jensen_shannon(y_true, y_pred, from_logits=False, weight=0.5, views=1, ignore_class=None, class_weight=None):
    """(H(sum_j w_j p_j) - sum_j w_j H(p_j)) / Z of the label and the views, Z = -(1 - w) log(1 - w)."""

    def one(y, row):
        predictions = [distribution(r, from_logits) for r in np.atleast_2d(row)]
        weights = [weight] + [(1 - weight) / len(predictions)] * len(predictions)
        everything = [np.asarray(y), *predictions]
        mixture = sum(w * p for w, p in zip(weights, everything, strict=True))
        divergence = _entropy(mixture) - sum(w * _entropy(p) for w, p in zip(weights, everything, strict=True))
        return divergence / (-(1 - weight) * np.log(1 - weight))

    return per_label(one, y_true, y_pred, ignore_class, class_weight, views=views > 1)


_LOGITS = {"from_logits": True}
_HALF = array([0.5, 0.5])

CASES = {
    "Bootstrapping": [
        *common_cases(900),
        Case("beta", labels(920, 3, 4), simplex(921, 4, 3), {"beta": 0.3}),
        Case("beta-logits", labels(922, 3, 4), normal(923, 4, 3), {"beta": 0.3, **_LOGITS}),
        Case("beta-zero", np.array([0]), _HALF, {"beta": 0.0}, expect=array(np.log(2))),
        Case("beta-one", np.array([0]), array([0.25, 0.75]), {"beta": 1.0}, expect=array(np.log(4))),
        Case("hard", labels(924, 3, 2, 4), simplex(925, 2, 4, 3), {"hard": True}),
        Case("hard-logits", labels(926, 3, 2, 4), normal(927, 2, 4, 3), {"hard": True, **_LOGITS}),
        Case(
            "hard-beta",
            labels(928, 3, 4),
            normal(929, 4, 3),
            {"hard": True, "beta": 0.3, "class_weight": (1.0, 2.0, 0.5), **_LOGITS},
        ),
        Case("hard-tie", np.array([1]), _HALF, {"hard": True}, smooth=False, expect=array(np.log(2))),
        Case(
            "by-hand",
            np.array([0]),
            array([0.25, 0.75]),
            {"beta": 0.6, "hard": True},
            expect=array(0.6 * np.log(4) + 0.4 * np.log(4 / 3)),
        ),
    ],
    "GeneralizedJensenShannon": [
        *common_cases(1000),
        *(Case(f"weight-{w}", labels(1020, 3, 4), simplex(1021, 4, 3), {"weight": w}) for w in (0.01, 0.1, 0.9, 0.99)),
        *(
            Case(f"weight-{w}-logits", labels(1022, 3, 4), normal(1023, 4, 3), {"weight": w, **_LOGITS})
            for w in (0.01, 0.1, 0.9, 0.99)
        ),
        Case("views", labels(1024, 4, 5), simplex(1025, 5, 2, 4), {"views": 2}),
        Case(
            "views-logits",
            labels(1026, 4, 5),
            normal(1027, 5, 3, 4),
            {"views": 3, "weight": 0.3, "class_weight": (1.0, 2.0, 0.5, 0.0), **_LOGITS},
        ),
        Case("views-rank-4", labels(1030, 3, 2, 4), normal(1031, 2, 2, 4, 3), {"views": 2, **_LOGITS}),
        Case("views-rank-5", labels(1032, 3, 2, 4, 2), simplex(1033, 2, 3, 4, 2, 3), {"views": 3, "ignore_class": 1}),
        Case("views-ignore", np.array([0, -1, 2]), normal(1028, 3, 2, 3), {"views": 2, "ignore_class": -1, **_LOGITS}),
        Case(
            "views-that-differ",
            np.array([0]),
            one_hot([[0, 1]], 2),
            {"views": 2},
            smooth=False,
            expect=array(2 * (0.75 * np.log2(4 / 3) + 0.25 * np.log2(4))),
        ),
        # Opposite: H(w, 1 - w) / Z.
        Case("worst", np.array([0]), array([0.0, 1.0]), smooth=False, expect=array(2.0)),
        Case("worst-logits", np.array([0]), array([-100.0, 100.0]), _LOGITS, smooth=False, expect=array(2.0)),
        Case("perfect", np.array([0]), array([1.0, 0.0]), expect=array(0.0), smooth=False),
    ],
}
