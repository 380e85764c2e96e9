"""Value and gradient where predictions are perfect, tied, empty, zero, or huge."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks.gradients import behind_where
from keras_losses.testing.checks.registry import check

_STORIES = {
    "nan-at-perfect": ("a perfect prediction, which is where training leads,", "sqrt and norm have an infinite slope at 0"),
    "nan-at-ties": (
        "equal predictions, as a fresh or collapsed model gives,",
        "distances and angles of equal vectors are at 0",
    ),
    "nan-at-empty": ("a batch without one of the classes", "a count or an area to divide by is 0"),
    "nan-at-zero": (
        "predictions of exactly 0 or 1, as a saturated or dead unit gives,",
        "log, division and norm are infinite at 0",
    ),
    "value-not-finite": ("a large error, as the first steps give,", "exp, cosh and powers overflow float32"),
}
_BOTH_ZERO = "target and prediction 0"
_FIX = (
    "from keras_losses import math\n"
    "math.safe_sqrt(x); math.safe_log(x); math.safe_divide(a, b)  # finite values and gradients at 0\n"
    "ops.softplus(x); ops.logsumexp(x, axis=-1)                   # instead of log(1 + exp(x)), log(sum(exp(x)))"
)


def edges(s):
    """`(id, what, y_true, y_pred)` of every edge that the kinds of the loss have."""
    y_true, y_pred = s.batch()
    true_kind, pred_kind = s.kind
    zeros, ones = np.zeros_like(y_pred), np.ones_like(y_pred)
    for what, (true, pred) in s.perfect().items():
        yield "nan-at-perfect", what, true, pred
    yield "nan-at-ties", "all predictions 0.5", y_true, 0.5 * ones / (y_pred.shape[-1] if pred_kind == "simplex" else 1)
    yield "nan-at-ties", "all samples predicted alike", y_true, np.repeat(y_pred[:1], len(y_pred), axis=0)
    if true_kind in ("binary", "onehot", "label"):
        empty = np.zeros_like(y_true)
        yield "nan-at-empty", "no positive target", empty, y_pred
        if true_kind == "binary":
            yield "nan-at-empty", "only positive targets", np.ones_like(y_true), y_pred
        if pred_kind == "prob":
            yield "nan-at-empty", "no positive target, predictions 0", empty, zeros
    if pred_kind in ("real", "prob", "logit", "count", "positive", "boxes", "rotated", "keypoints"):
        yield "nan-at-zero", "predictions 0", y_true, zeros
    if pred_kind == "prob":
        yield "nan-at-zero", "predictions 1", y_true, ones
    if pred_kind == "simplex":
        corner = np.zeros_like(y_pred)
        corner[..., 0] = 1
        yield "nan-at-zero", "probability 1 for class 0", y_true, corner
        if s.stock or s.ours:
            yield "nan-at-zero", "probabilities 0", y_true, zeros
    if pred_kind in ("real", "logit"):
        if true_kind == "real":
            yield "nan-at-zero", _BOTH_ZERO, np.zeros_like(y_true), zeros
        for scale in (100.0, -100.0, 1e4, -1e4):
            yield "value-not-finite", f"predictions {scale:g}", y_true, np.full_like(y_pred, scale)


@check("nan-at-perfect", "nan-at-ties", "nan-at-empty", "nan-at-zero", "value-not-finite", "nan-behind-where")
def finite_at_edges(s):
    """Value and gradient are finite at every edge."""
    told = set()
    for name, what, y_true, y_pred in edges(s):
        values, slope = s.slopes(y_true, y_pred)
        # A zero target predicted right is a perfect prediction too, and told as one.
        again = what == _BOTH_ZERO and "nan-at-perfect" in told
        if name in told or again or (np.isfinite(values).all() and np.isfinite(slope).all()):
            continue
        told.add(name)
        where, why = _STORIES[name]
        yield behind_where(s, values, slope, y_pred) or Finding(
            name,
            f"The loss or its gradient is NaN or infinite at {where} and one such step destroys the model: {why}.",
            {"at": what, "values": values, "gradient": slope},
            _FIX,
        )
