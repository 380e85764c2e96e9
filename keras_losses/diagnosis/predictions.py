"""Predictions that are not what the loss takes: logits, probabilities, activations, scales."""

import keras
import numpy as np

from keras_losses.core.report import Finding
from keras_losses.diagnosis.batch import first, rows_sum_to_one

_RANGES = {
    "sigmoid": (0, 1),
    "hard_sigmoid": (0, 1),
    "softmax": (0, 1),
    "tanh": (-1, 1),
    "relu": (0, np.inf),
    "softplus": (0, np.inf),
}
# The activations that give each kind of prediction, the usual one first.
_NOT_NEGATIVE = ("softplus", "exponential", "relu", "relu6", "sigmoid", "hard_sigmoid", "softmax")
_FITTING = {
    "prob": ("sigmoid", "hard_sigmoid", "softmax"),
    "simplex": ("softmax",),
    "logit": ("linear", "log_softmax"),
    "count": _NOT_NEGATIVE,
    "positive": _NOT_NEGATIVE,
}


def _finite(b):
    return b.y_pred.size and np.isfinite(b.y_pred.astype("float32")).all()


def one_class(b):
    """A loss over classes that exclude each other, and one class."""
    if b.stated is not None and b.kind[0] in ("label", "onehot") and b.y_pred.ndim > 1 and b.classes == 1:
        yield Finding(
            "one-unit-for-several-classes",
            f"{b.name} compares classes and gets one: its probability is always 1, whatever the model says.",
            {"y_pred": b.y_pred.shape, "classes": 1},
            "Dense(K)  # a unit a class; or BinaryCrossentropy() for one unit that says yes or no",
        )


def logits_and_probabilities(b):
    """The one given where the other is expected."""
    if b.stated is None or not _finite(b):
        return
    pred, kind = b.y_pred.astype("float32"), b.kind[1]
    outside = (pred < 0) | (pred > 1.0001)
    several, by_class = b.classes > 1, b.rows(pred)
    if kind in ("prob", "simplex") and outside.any():
        at = first(outside)
        one = "softmax" if kind == "simplex" else "sigmoid"
        fix = f"{type(b.stated).__name__}(from_logits=True)  # or" if b.has_from_logits else "#"
        yield Finding(
            "logits-for-probabilities",
            "The loss takes probabilities and gets numbers outside [0, 1]: they are clipped, and the gradient is lost.",
            {"first at": at, "value": pred[at], "outside": f"{outside.mean():.0%}"},
            f"{fix} activation='{one}' in the last layer",
        )
    elif kind == "simplex" and several and not rows_sum_to_one(by_class).all():
        at = first(~rows_sum_to_one(by_class))
        yield Finding(
            "rows-do-not-sum-to-one",
            "The loss takes a distribution over the classes, and rows do not sum to 1: a sigmoid where a softmax should be?",
            {"first at": at, "row": by_class[at], "sum": by_class[at].sum()},
            "Dense(K, activation='softmax')  # or BinaryCrossentropy for classes that do not exclude each other",
        )
    elif kind == "logit" and not outside.any() and pred.size >= 8 and b.activation != "linear":
        rows = several and rows_sum_to_one(by_class).all()
        if rows or (b.kind[0] == "binary" and np.ptp(pred) > 0.2):
            yield Finding(
                "probabilities-for-logits",
                "from_logits=True, and the predictions look like probabilities: squashed twice, they keep it from falling.",
                {"smallest": pred.min(), "largest": pred.max(), "rows sum to 1": bool(rows)},
                f"{type(b.stated).__name__}(from_logits=False)  # or no activation in the last layer",
            )
    elif kind in ("count", "positive") and (pred < 0).any():
        at = first(pred < 0)
        yield Finding(
            "negative-predictions",
            f"{b.name} takes predictions that are not negative.",
            {"first at": at, "value": pred[at]},
            "Dense(1, activation='softplus')  # or exp; Poisson(log_input=True) takes the logarithm",
        )


def activations(b):
    """An activation that cannot give what the loss takes, or reach the targets."""
    if b.activation is None:
        return
    # Of an activation of the user's own, the name says nothing.
    known = hasattr(keras.activations, b.activation)
    kind, units = b.kind[1], b.y_pred.shape[-1] if b.y_pred.ndim > 1 else 1
    if b.activation == "softmax" and units == 1:
        yield Finding(
            "softmax-of-one-unit",
            "The softmax of one number is always 1: the model predicts the same for every sample.",
            {"activation": "softmax", "y_pred": b.y_pred.shape},
            "Dense(1, activation='sigmoid')",
        )
    elif b.stated is not None and known and kind in _FITTING and b.activation not in _FITTING[kind]:
        right = _FITTING[kind][0]
        yield Finding(
            "activation-does-not-fit",
            f"{b.name} takes {b.form.y_pred.kind.text}, and the last layer ends in {b.activation!r}.",
            {"activation": b.activation, "smallest": b.y_pred.min(), "largest": b.y_pred.max()},
            f"Dense({units}, activation={right!r})"
            + ("  # or from_logits=True" if b.has_from_logits and b.activation == "linear" else ""),
        )
    elif kind == "real" and b.activation in _RANGES and b.y_true.size:
        low, high = _RANGES[b.activation]
        outside = (b.y_true < low) | (b.y_true > high)
        if outside.any():
            at = first(outside)
            yield Finding(
                "activation-does-not-fit",
                f"The last layer ends in {b.activation!r}, which gives {low} to {high}, and targets lie outside.",
                {"first at": at, "target": b.y_true[at], "outside": f"{outside.mean():.0%}"},
                "Dense(1)  # no activation for regression",
            )


def scales(b):
    """Targets and predictions of another order of magnitude."""
    if b.kind != ("real", "real") or not _finite(b) or b.y_true.shape != b.y_pred.shape or b.y_true.size < 2:
        return
    true, pred = np.abs(b.y_true.astype(float)).mean(), np.abs(b.y_pred.astype(float)).mean()
    low, high = sorted((true, pred))
    # A fresh model predicts about 0, which is right for targets of the order of 1.
    far = true > 100 * max(pred, 1) or pred > 100 * max(true, 1e-6)
    if far and high > 1e-3:
        yield Finding(
            "scales-differ",
            "Targets and predictions differ by orders of magnitude: the first steps are huge, or nothing seems to move.",
            {"mean |y_true|": true, "mean |y_pred|": pred, "ratio": high / max(low, 1e-12)},
            "y = (y - y.mean()) / y.std()  # train on standardized targets, and undo it in predict",
        )
