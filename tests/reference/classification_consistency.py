"""Jensen-Shannon consistency of several views: Hendrycks et al. 2020 (AugMix), arXiv:1912.02781."""

import numpy as np

from ._case import EPSILON, Case, array, log_sum_exp, normal, random_labels, simplex
from ._categorical_cases import IGNORED, WEIGHT
from .classification import _class_logs

_LOGITS = {"from_logits": True}
_LOG_EPS = np.log(EPSILON)


def jensen_shannon_consistency(
    y_true, y_pred, from_logits=False, alpha=12.0, label_smoothing=0.0, class_weight=None, ignore_class=None
):
    """Crossentropy of the first view + alpha mean over views of KL(p_v, mean of the p)."""
    views = np.moveaxis(np.asarray(y_pred, np.float64), 1, -2)

    def one(y, stacked):
        number, classes = stacked.shape
        log_p = [_class_logs(vector, from_logits) for vector in stacked]
        total = 0.0
        for c in range(classes):
            w = 1.0 if class_weight is None else class_weight[c]
            total -= w * (y[c] * (1 - label_smoothing) + label_smoothing / classes) * log_p[0][c]
            p = [np.exp(log_p[v][c]) if from_logits else stacked[v][c] / sum(stacked[v]) for v in range(number)]
            if from_logits:
                mixture = log_sum_exp([log_p[v][c] for v in range(number)]) - np.log(number)
            else:
                mixture = np.log(max(sum(p) / number, EPSILON))
            for v in range(number):
                total += alpha / number * p[v] * (log_p[v][c] - mixture)
        return total

    labels = np.asarray(y_true).reshape(views.shape[:-2])
    values = np.zeros(labels.shape)
    valid = np.ones(labels.shape, bool)
    classes = views.shape[-1]
    for index in np.ndindex(labels.shape):
        label = int(labels[index])
        if ignore_class is not None and label == ignore_class:
            valid[index] = False
        elif 0 <= label < classes:
            values[index] = one([float(c == label) for c in range(classes)], views[index])
        else:
            values[index] = np.nan
    return values if ignore_class is None else (values, valid)


def _views(name, seed, *shape, **config):
    """Labels of a shape without the views and the classes."""
    return [
        Case(name, random_labels(seed, shape[0], *shape[2:]), simplex(seed + 1, *shape), config),
        Case(
            name + "-logits",
            random_labels(seed + 2, shape[0], *shape[2:]),
            normal(seed + 3, *shape, scale=2.0),
            {**config, **_LOGITS},
        ),
    ]


_ONE_VIEW = normal(5690, 4, 1, 3)

CASES = {
    "JensenShannonConsistency": [
        *_views("three-views", 5600, 4, 3, 3),
        *_views("two-views", 5605, 4, 2, 3),
        *_views("rank-4", 5610, 2, 3, 5, 4),
        *_views("rank-5", 5615, 2, 2, 3, 2, 3),
        *_views("alpha", 5620, 4, 3, 3, alpha=0.5),
        *_views("alpha-zero", 5625, 4, 3, 3, alpha=0.0),
        *_views("smoothing", 5630, 4, 3, 3, label_smoothing=0.2),
        *_views("class-weight", 5635, 4, 2, 3, **WEIGHT),
        *_views("everything", 5640, 4, 3, 3, alpha=2.0, label_smoothing=0.1, **WEIGHT),
        Case("ignore", IGNORED, simplex(5650, 2, 3, 3, 3), {"ignore_class": 255}),
        Case("ignore-logits", IGNORED, normal(5651, 2, 4, 3, 3), {"ignore_class": 255, **_LOGITS}),
        Case("one-view", np.array([0, 1, 2, 0]), _ONE_VIEW, _LOGITS),
        Case(
            "equal-views",
            np.array([0, 1, 2, 0]),
            np.repeat(_ONE_VIEW, 3, axis=1),
            {"alpha": 100.0, **_LOGITS},
            expect=array(*[log_sum_exp(list(_ONE_VIEW[i, 0])) - _ONE_VIEW[i, 0, c] for i, c in enumerate([0, 1, 2, 0])]),
        ),
        # Two views that exclude each other: each is log 2 from their mean.
        Case(
            "opposite-views",
            np.array([0, 1]),
            np.array([[[1e4, -1e4], [-1e4, 1e4]], [[1e4, -1e4], [-1e4, 1e4]]]),
            _LOGITS,
            expect=array(0.0, 2e4) + 12 * np.log(2),
        ),
        Case(
            "opposite-probabilities",
            np.array([0, 1]),
            np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]),
            smooth=False,
            expect=array(0.0, -_LOG_EPS) + 12 * np.log(2),
        ),
        Case(
            "out-of-range",
            np.array([3, -1]),
            normal(5660, 2, 2, 3),
            {"alpha": 0.0, **_LOGITS},
            smooth=False,
            expect=np.full(2, np.nan),
        ),
    ]
}
