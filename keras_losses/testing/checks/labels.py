"""Integer labels: kept exact, and checked."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks.registry import Skip, check
from keras_losses.testing.subject import to_numpy


def _needs_labels(s):
    if s.kind[0] != "label" or (s.arrays is not None and s.arrays[0].shape != s.arrays[1].shape[:-1]):
        raise Skip("the loss takes no integer labels")


@check("labels-damaged")
def labels_survive(s):
    """Class 257 stays class 257, whatever the precision of the prediction; ids beyond 2^24 stay apart."""
    if s.kind[0] == "id" and s.couples_batch:
        y_true, y_pred = s.batch()
        small, large = s.value(y_true, y_pred), s.value(y_true + 2**24, y_pred)
        if not np.allclose(small, large, rtol=1e-4, atol=1e-6):
            yield _damaged("2^24 and 2^24 + 1", large, small)
        return
    _needs_labels(s)
    y_true, y_pred = s.batch(C=300)
    y_true = np.full_like(y_true, 257)
    y_pred[..., 257] = y_pred.max() if s.kind[1] != "logit" else y_pred.max() + 5
    try:
        expected = s.value(y_true, y_pred)
    except Exception as error:
        raise Skip("the loss is for another number of classes") from error
    seen = s.half(y_true, y_pred, "bfloat16")[0]
    wrong = s.value(np.full_like(y_true, 256), y_pred)
    if np.abs(seen - wrong).max() < np.abs(seen - expected).max():
        yield _damaged("257 of 300 classes, predictions in bfloat16", seen, expected)


def _damaged(what, seen, expected):
    return Finding(
        "labels-damaged",
        "Labels pass through a float that cannot hold them: another class is trained than the data say.",
        {"label": what, "value": seen, "right": expected},
        "labels = ops.cast(y_true, 'int32')  # never y_pred.dtype\n"
        "# a keras.losses.Loss casts y_true before `call` sees it; keras_losses.Loss leaves integers alone",
    )


@check("labels-unchecked")
def labels_are_checked(s):
    """A label that no class has is an error, or NaN: never a plausible number."""
    _needs_labels(s)
    y_true, y_pred = s.batch()
    for wrong in (y_pred.shape[-1], -1):
        bad = y_true.copy()
        bad[0] = wrong
        try:
            seen = to_numpy(s.unreduced(s.tensor(bad), s.tensor(y_pred)))
        except Exception:
            continue
        if np.isfinite(seen if seen.ndim == 0 else seen[0]).all():
            yield Finding(
                "labels-unchecked",
                "A label out of range gives a plausible number: labels that start at 1, or a padding of -1, train on unseen.",
                {"label": wrong, "classes": y_pred.shape[-1], "value of that sample": seen if seen.ndim == 0 else seen[0]},
                "class MyLoss(keras_losses.Loss):\n"
                "    y_true, y_pred = spec.label('B'), spec.logit('B C')  # labels out of range become NaN",
            )
            return
