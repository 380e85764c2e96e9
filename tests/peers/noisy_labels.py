"""Labels with errors."""

import numpy as np

from tests.peers import _data as d
from tests.peers._lazy import F, torch
from tests.peers._row import Ours, plain, rows

FLOAT64 = {"reduction": "none", "dtype": "float64"}
LOGITS = {"from_logits": True}
BITEMPERED = {"reduction": "none", "num_iters": 40}
SPARSE = d.sparse(8, 5)
SHARES = d.pair(d.ids(5, 8), d.simplex(8, 5))
NCE, RCE = Ours("NormalizedCrossentropy", LOGITS), Ours("ReverseCrossentropy", LOGITS)


def chosen(y_true, y_pred):
    """The probability of the label."""
    return y_pred.softmax(-1).gather(1, y_true[:, None])[:, 0]


def generalized(y_true, y_pred, q):
    """Zhang, Sabuncu 2018, equation 6."""
    return (1 - chosen(y_true, y_pred) ** q) / q


def reverse(y_true, y_pred, log_zero):
    """Wang et al. 2019, equation 6: -sum p log y, where log 0 is a number and log 1 is 0."""
    log_y = log_zero * (1 - F.one_hot(y_true, y_pred.shape[-1]))
    return -(y_pred.softmax(-1) * log_y).sum(-1)


def symmetric(y_true, y_pred, alpha, beta, log_zero):
    return alpha * F.cross_entropy(y_pred, y_true, reduction="none") + beta * reverse(y_true, y_pred, log_zero)


def normalized(y_true, y_pred):
    """Ma et al. 2020, equation 8: the loss of the label over that of every label."""
    classes = y_pred.shape[-1]
    every = [F.cross_entropy(y_pred, torch.full_like(y_true, c), reduction="none") for c in range(classes)]
    return F.cross_entropy(y_pred, y_true, reduction="none") / sum(every)


def absolute(y_true, y_pred):
    """Ghosh, Kumar, Sastry 2017, equation 8."""
    return (F.one_hot(y_true, y_pred.shape[-1]) - y_pred.softmax(-1)).abs().sum(-1)


def active_passive(y_true, y_pred, alpha, beta, log_zero):
    return alpha * normalized(y_true, y_pred) + beta * reverse(y_true, y_pred, log_zero)


def taylor(y_true, y_pred, order):
    """Feng et al. 2020, equation 5."""
    wrong = 1 - chosen(y_true, y_pred)
    return sum(wrong**k / k for k in range(1, order + 1))


def bootstrapping(y_true, y_pred, beta, hard):
    """Reed et al. 2014, equations 6 and 8."""
    p = y_pred.softmax(-1)
    guess = F.one_hot(p.argmax(-1), p.shape[-1]) if hard else p
    target = beta * F.one_hot(y_true, p.shape[-1]) + (1 - beta) * guess
    return -(target * p.log()).sum(-1)


def entropy(p):
    return -torch.special.xlogy(p, p).sum(-1)


def jensen_shannon(y_true, y_pred, weight):
    """Englesson, Azizpour 2021, equations 4 and 7: of the label and every view, over its constant."""
    views = y_pred.softmax(-1)  # (B, V, C)
    label = F.one_hot(y_true, views.shape[-1]).to(views.dtype)
    share = (1 - weight) / views.shape[1]
    mixed = weight * label + share * views.sum(1)
    value = entropy(mixed) - share * entropy(views).sum(1)
    return value / (-(1 - weight) * np.log(1 - weight))


ROWS = [
    *rows(
        "CategoricalGeneralizedCrossEntropy",
        "keras.losses.CategoricalGeneralizedCrossEntropy",
        d.pair(d.ids(4, 6), d.simplex(6, 4)),
        ({}, FLOAT64),
        ({"q": 0.7}, FLOAT64 | {"q": 0.7}),
        call=d.keras_style,
    ),
    *rows(
        "GeneralizedCrossentropy",
        "keras.losses.CategoricalGeneralizedCrossEntropy",
        SPARSE,
        (LOGITS | {"q": 0.5}, FLOAT64),
        (LOGITS, FLOAT64 | {"q": 0.7}),
        call=lambda peer, y_true, y_pred: peer(y_true, y_pred.softmax(-1)),
    ),
    *rows(
        "GeneralizedCrossentropy",
        ("formula (Zhang 2018)", generalized),
        SPARSE,
        (LOGITS, {"q": 0.7}),
        (LOGITS | {"q": 0.2}, {"q": 0.2}),
    ),
    *rows(
        "ReverseCrossentropy",
        ("formula (Wang 2019)", reverse),
        SPARSE,
        (LOGITS | {"log_zero": -4.0}, {"log_zero": -4.0}),
        (LOGITS | {"log_zero": -6.0}, {"log_zero": -6.0}),
    ),
    *rows(
        "SymmetricCrossentropy",
        ("formula (Wang 2019)", symmetric),
        SPARSE,
        (LOGITS | {"alpha": 0.1, "beta": 1.0, "log_zero": -4.0}, {"alpha": 0.1, "beta": 1.0, "log_zero": -4.0}),
        (LOGITS | {"alpha": 6.0, "beta": 0.1, "log_zero": -6.0}, {"alpha": 6.0, "beta": 0.1, "log_zero": -6.0}),
    ),
    *rows("NormalizedCrossentropy", ("formula (Ma 2020)", normalized), SPARSE, (LOGITS, {})),
    *rows("NormalizedCrossentropy", ("formula (Ma 2020)", normalized), SHARES, ({}, {}), call=d.log_of(plain)),
    *rows("ProbabilityAbsoluteError", ("formula (Ghosh 2017)", absolute), SPARSE, (LOGITS, {})),
    *rows("ProbabilityAbsoluteError", ("formula (Ghosh 2017)", absolute), SHARES, ({}, {}), call=d.log_of(plain)),
    *rows(
        "ActivePassive",
        ("formula (Ma 2020)", active_passive),
        SPARSE,
        ({"active": NCE, "passive": RCE}, {"alpha": 1.0, "beta": 1.0, "log_zero": -4.0}),
        (
            {"active": NCE, "passive": RCE, "alpha": 10.0, "beta": 0.1},
            {"alpha": 10.0, "beta": 0.1, "log_zero": -4.0},
        ),
    ),
    *rows(
        "BiTemperedLogistic",
        "pytorch_optimizer.loss.bi_tempered.bi_tempered_logistic_loss",
        d.dense(8, 5),
        ({"t1": 0.8, "t2": 1.4}, BITEMPERED | {"t1": 0.8, "t2": 1.4}),
        ({"t1": 0.2, "t2": 1.2, "label_smoothing": 0.125}, BITEMPERED | {"t1": 0.2, "t2": 1.2, "label_smooth": 0.1}),
        ({"t1": 1.0, "t2": 1.0}, BITEMPERED | {"t1": 1.0, "t2": 1.0}),
        note="its smoothing s goes to the other classes alone: s C / (C - 1) of ours; its default of 5 iterations is 1e-4 off",
    ),
    *rows(
        "TaylorCrossentropy",
        ("formula (Feng 2020)", taylor),
        SPARSE,
        (LOGITS | {"order": 2}, {"order": 2}),
        (LOGITS | {"order": 6}, {"order": 6}),
    ),
    *rows(
        "Bootstrapping",
        ("formula (Reed 2014)", bootstrapping),
        SPARSE,
        (LOGITS | {"beta": 0.95, "hard": False}, {"beta": 0.95, "hard": False}),
        (LOGITS | {"beta": 0.8, "hard": True}, {"beta": 0.8, "hard": True}),
    ),
    *rows(
        "GeneralizedJensenShannon",
        ("formula (Englesson 2021)", jensen_shannon),
        d.pair(d.ids(5, 6), d.normal(6, 3, 5)),
        (LOGITS | {"views": 3}, {"weight": 0.5}),
        (LOGITS | {"views": 3, "weight": 0.3}, {"weight": 0.3}),
    ),
]
