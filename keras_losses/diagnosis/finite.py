"""NaN and infinity: where they come in, and why."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.diagnosis.batch import first


def inputs(b):
    """NaN or infinity in what the loss is given."""
    for name, x in (("y_pred", b.y_pred), ("y_true", b.y_true), ("sample_weight", b.weight)):
        if x is None or x.dtype.kind not in "fV":
            continue
        bad = ~np.isfinite(x.astype("float32"))
        if bad.any():
            at = first(bad)
            fix = {
                "y_pred": "diagnose(model, x, y)  # names the layer; lower the learning rate, clip gradients",
                "y_true": "keep = np.isfinite(y_true)  # or the weight 0 for those samples, in a loss of keras_losses",
                "sample_weight": "np.nan_to_num(sample_weight)",
            }[name]
            yield Finding(
                "not-finite-input",
                f"`{name}` holds NaN or infinity before any loss is computed.",
                {"first at": at, "value": x[at], "how many": int(bad.sum()), "of": x.size},
                fix,
            )


def results(b):
    """A value or gradient that is NaN or infinite for finite inputs."""
    if b.values is None or not all(np.isfinite(x.astype("float32")).all() for x in (b.y_pred, b.y_true) if x.dtype.kind == "f"):
        return
    for what, x in (("value", b.values), ("gradient", b.slope)):
        if x is None:
            continue
        bad = ~np.isfinite(x)
        if bad.any():
            at = first(bad)
            sample = _sample(b, at)
            per_class = what == "value" and x.shape == (b.classes,) != b.y_pred.shape[:1]
            cause, fix = _why(b, sample, at[0] if per_class else None)
            yield Finding(
                f"not-finite-{what}",
                f"The {what} is NaN or infinite for finite inputs: {cause}.",
                {
                    "first at": at,
                    "sample": sample,
                    "y_true there": b.y_true[sample],
                    "y_pred there": b.y_pred[sample],
                    what: x[at],
                },
                fix,
            )
            return


def _sample(b, at):
    """The first sample to blame: of values that are not one a sample, only the gradient says which."""
    if at and b.values.shape[:1] == b.y_pred.shape[:1]:
        return at[0]
    bad = np.zeros(0, bool) if b.slope is None else ~np.isfinite(b.slope)
    return first(bad)[0] if bad.any() else 0


def _why(b, sample, column):
    """The likeliest reason, from the inputs of the first sample that fails, or of the class where values are one a class."""
    true, pred = b.y_true[sample], b.y_pred[sample].astype("float32")
    if b.y_pred.dtype.itemsize == 2 and np.abs(pred).max(initial=0) > 255:
        return "half precision ends at 65504, and a square is beyond it", "y_pred = keras.ops.cast(y_pred, 'float32')"
    if b.kind[0] in ("binary", "onehot") and column is not None and not b.rows(b.y_true)[..., column].any():
        return f"division by an empty class, no target of class {column} is positive", "keras_losses.math.safe_divide(a, b)"
    negative = "log of a negative number, logits where probabilities are expected", "keras.ops.sigmoid(y_pred)  # or softmax"
    outside = ((pred < 0) | (pred > 1)).any()
    if b.kind[1] in ("prob", "simplex") and outside:
        return negative
    if b.kind[1] in ("prob", "simplex") and ((pred <= 0) | (pred >= 1)).any():
        return (
            "log of 0, a probability is exactly 0 or 1",
            "keras_losses.math.safe_log(p), or give logits with from_logits=True",
        )
    if b.kind[0] in ("binary", "onehot") and not np.any(true):
        return "division by an empty class, no target is positive", "keras_losses.math.safe_divide(a, b)"
    # What such a loss takes was guessed from these predictions; NaN says that it is something else.
    if b.stated is None and b.kind[0] in ("binary", "onehot", "label") and outside and np.abs(pred).max() <= 80:
        return negative
    if not np.any(pred):
        return "a division by the norm of zeros", "keras_losses.math.normalize(x), keras_losses.math.safe_divide(a, b)"
    if np.shape(true) == np.shape(pred) and np.allclose(true, pred):
        return "a root or norm at 0, the prediction is right", "keras_losses.math.safe_sqrt(x)"
    if np.abs(pred).max() > 80:
        return "exp of a large number overflows", "keras.ops.softplus(x), keras.ops.logsumexp(x, axis=-1)"
    return "log, root or division outside its domain", "keras_losses.math: safe_log, safe_sqrt, safe_divide"


def raised(b):
    """What the loss raises."""
    if isinstance(b.outcome, Exception):
        lines = [line for line in str(b.outcome).splitlines() if line.strip()]
        yield Finding(
            "loss-raises",
            "The loss cannot be computed on this batch.",
            {"error": f"{type(b.outcome).__name__}: {lines[0] if lines else ''}", "shapes": (b.y_true.shape, b.y_pred.shape)},
            "keras_losses.testing.check_loss(loss, y_true, y_pred)  # names the line, if it is the code of the loss",
        )
