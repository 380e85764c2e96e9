"""Sample weights, masks and reductions."""

import keras
import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks.registry import Skip, check
from keras_losses.testing.subject import BATCH

_FIX = (
    "class MyLoss(keras_losses.Loss):  # weighs, masks and reduces what `call` returns\n"
    "    def call(self, y_true, y_pred):\n"
    "        return ops.mean(ops.square(y_pred - y_true), axis=-1)  # one value a sample"
)
_KEEP = np.array([True, False, True, True])


@check("weight-axis")
def weights_meet_the_batch(s):
    """`(N,)` weighs samples, also where another axis has size N."""
    star = s.form.y_pred.star is not None and s.arrays is None
    for spatial in ((BATCH,), (BATCH, BATCH)) if star else (None,):
        y_true, y_pred = s.batch(spatial=spatial)
        try:
            values = s.value(y_true, y_pred)
        except Exception:
            continue
        if values.ndim == 0 or values.shape[0] != BATCH:
            raise Skip("there is no value a sample to weigh")
        weights = np.array([1.0, 0.0, 2.0, 5.0])
        expected = values * weights.reshape(-1, *[1] * (values.ndim - 1))
        try:
            seen = s.trained(y_true, y_pred, sample_weight=weights, reduction="none")
        except Exception as error:
            seen = f"{type(error).__name__}"
        if isinstance(seen, str) or (not _close(seen, expected) and not (s.couples_batch and np.allclose(seen[1], 0))):
            yield Finding(
                "weight-axis",
                "Weights of shape (N,) are matched with the last axis of the values, not with the samples.",
                {
                    "values": values.shape,
                    "sample_weight": weights,
                    "weighted": seen if isinstance(seen, str) else seen.mean(),
                    "right": expected.mean(),
                },
                f"{_FIX}\n# or pass weights of the shape {(BATCH, *[1] * (values.ndim - 1))}",
            )
        return  # more axes are for losses that want more


@check("zero-weight-counts")
def weight_zero_does_not_count(s):
    """A sample of weight 0 has no effect, whatever it holds."""
    y_true, y_pred = s.batch()
    weights = _KEEP.astype(float)
    base = s.trained(y_true, y_pred, sample_weight=weights)
    for what, other in _replaced(s, y_pred):
        seen = s.trained(y_true, other, sample_weight=weights)
        if not _close(seen, base):
            yield Finding(
                "zero-weight-counts",
                "A sample of weight 0 changes the loss: what was to be left out trains the model.",
                {"sample 1 of weight 0": base, f"the same, {what}": seen},
                _FIX,
            )
            return


@check("mask-ignored", "mask-not-renormalised")
def masks_count(s):
    """A masked sample has no effect, and a mean is one over the samples that are left."""
    y_true, y_pred = s.batch()
    base = s.trained(y_true, y_pred, mask=_KEEP)
    for what, other in _replaced(s, y_pred):
        seen = s.trained(y_true, other, mask=_KEEP)
        if not _close(seen, base):
            yield Finding(
                "mask-ignored",
                "The Keras mask, from Masking or Embedding(mask_zero=True), has no effect: padding is trained.",
                {"sample 1 masked": base, f"the same, {what}": seen},
                _FIX,
            )
            return
    if s.loss.reduction not in ("sum_over_batch_size", "mean") or s.couples_batch:
        return
    values = s.value(y_true, y_pred)
    if values.ndim and values.shape[0] == BATCH and not _close(base, values[_KEEP].mean()):
        yield Finding(
            "mask-not-renormalised",
            "The mean is divided by the masked samples too: the more padding, the smaller the loss and the step.",
            {"sample 1 masked": base, "mean over the others": values[_KEEP].mean()},
            _FIX,
        )


@check("nothing-counts")
def nothing_counts(s):
    """Where all weights are 0, or all is masked, the loss is 0."""
    y_true, y_pred = s.batch()
    for what, given in (("all weights 0", {"sample_weight": np.zeros(BATCH)}), ("all masked", {"mask": np.zeros(BATCH, bool)})):
        seen = s.trained(y_true, y_pred, **given)
        if not (seen == 0).all():
            yield Finding(
                "nothing-counts",
                "A batch in which no sample counts must be worth 0; otherwise one such batch moves, or destroys, the model.",
                {what: seen},
                f"{_FIX}\n# dividing yourself: ops.divide_no_nan(total, count)",
            )
            return


@check("reductions")
def reductions_hold(s):
    """`reduction` does what it says."""
    if s.function is not None:
        return
    y_true, y_pred = s.batch()
    values = s.value(y_true, y_pred)
    if values.ndim == 0 and s.loss.reduction not in (None, "none") and not _overrides_call(s):
        raise Skip("the loss returns one number")
    for reduction, expected in (("sum", values.sum()), ("sum_over_batch_size", values.mean()), ("none", values)):
        seen = s.trained(y_true, y_pred, reduction=reduction)
        scalar = values.ndim == 0 and reduction == "none"
        if scalar or not _close(seen, expected):
            yield Finding(
                "reductions",
                "The argument `reduction` is ignored: the caller, and distributed training, rely on it.",
                {f"reduction={reduction!r}": seen, "expected": "one value a sample" if scalar else expected},
                f"{_FIX}\n# do not override `__call__`",
            )
            return


def _overrides_call(s):
    return type(s.loss).__call__ is not keras.losses.Loss.__call__ and not s.ours


def _replaced(s, y_pred):
    """Predictions with other numbers for sample 1; NaN too where the base promises that they do not matter."""
    other = y_pred.copy()
    other[1] = s.batch(seed=1)[1][1]
    yield "with another prediction", other
    if s.ours or s.stock:
        broken = y_pred.copy()
        broken[1] = np.nan
        yield "with NaN as prediction", broken


def _close(a, b):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-4, atol=1e-6)
