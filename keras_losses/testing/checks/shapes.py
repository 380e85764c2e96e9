"""What a loss returns, and which shapes it accepts."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks import blame
from keras_losses.testing.checks.registry import check
from keras_losses.testing.subject import BATCH, tensor

_SUBCLASS = """class MyLoss(keras_losses.Loss):  # aligns and checks shapes before the formula runs
    def call(self, y_true, y_pred):
        ..."""


@check("raises", "wrong-return", "numpy-call")
def returns_a_tensor(s):
    """The loss runs, and gives a tensor with one value a sample or more."""
    y_true, y_pred = s.batch()
    fix = "return ops.mean(ops.square(y_pred - y_true), axis=-1)  # one value a sample"
    try:
        raw = s.value(y_true, y_pred) if s.ours else s.formula(tensor(y_true), tensor(y_pred))
    except Exception as error:
        yield blame.finding(error, f"called on shapes {y_true.shape} and {y_pred.shape}", default="raises")
        return
    if not s.ours and isinstance(raw, (np.ndarray, np.generic)):
        message, instead = blame.STORIES["numpy-call"]
        where = blame.written_line(s.source, r"(?<![\w.])(np|numpy)\.\w")
        yield Finding("numpy-call", message, {"returned": type(raw).__name__}, instead, where)
        return
    if not hasattr(raw, "shape"):
        yield Finding(
            "wrong-return",
            "Keras trains with the tensor that a loss returns: anything else has no gradient, is averaged or dropped.",
            {"returned": type(raw).__name__},
            fix,
        )
        return
    shape = tuple(raw.shape)
    if shape and shape[0] != BATCH and not _is_pairwise(s, shape):
        yield Finding(
            "wrong-return",
            "The first axis of what a loss returns must be the batch: weights and masks go along it.",
            {"returned shape": shape, "y_pred shape": y_pred.shape},
            fix,
        )


def _is_pairwise(s, shape):
    return s.couples_batch and len(shape) == 1


@check("scalar-output")
def one_value_a_sample(s):
    """Values stay apart until they are weighted."""
    y_true, y_pred = s.batch()
    value = s.value(y_true, y_pred)
    if value.ndim:
        return
    first = np.array([1.0] + [0.0] * (BATCH - 1))
    alone = s.value(y_true[:1], y_pred[:1]) / BATCH
    yield Finding(
        "scalar-output",
        "One number for the batch leaves nothing to weigh: sample and class weights, masks and scaling over replicas fail "
        "without a word.",
        {
            "all weights 1": s.trained(y_true, y_pred),
            "only sample 0 weighs": s.trained(y_true, y_pred, sample_weight=first),
            "what it should be": alone,
        },
        "return ops.mean(error, axis=-1)  # the axes of one sample, not of the batch",
    )


@check("broadcasts-column")
def columns_meet(s):
    """`(N,)` and `(N, 1)` are the same, or an error."""
    if not s.same_shape or s.form.y_pred.star is None or s.sizes:
        return
    y_true, y_pred = s.batch(spatial=(), D=1, C=1)
    try:
        expected = s.trained(y_true, y_pred)
    except Exception:
        return
    for true, pred in ((y_true[:, 0], y_pred), (y_true, y_pred[:, 0])):
        value = _accepted(s, true, pred)
        if value is not None and not _close(value, expected):
            yield Finding(
                "broadcasts-column",
                "Targets and predictions of shapes (N,) and (N, 1) become (N, N): every target meets every prediction.",
                {"y_true": true.shape, "y_pred": pred.shape, "value": value, "value of (N, 1) and (N, 1)": expected},
                f"{_SUBCLASS}\n# or, in a function: y_true = ops.reshape(y_true, ops.shape(y_pred))",
            )
            return


@check("broadcasts-classes")
def classes_do_not_broadcast(s):
    """One column against several is an error."""
    if not s.same_shape or len(s.form.y_pred.axes) < 2 or "T" in s.form.y_pred.axes:
        return
    y_true, y_pred = s.batch()
    if y_pred.shape[-1] == 1:
        y_true, y_pred = (np.concatenate([x, x, x], axis=-1) for x in (y_true, y_pred))
    for true, pred in ((y_true[..., :1], y_pred), (y_true, y_pred[..., :1])):
        value = _accepted(s, true, pred)
        if value is not None:
            yield Finding(
                "broadcasts-classes",
                "A last axis of 1 stretches over the other's: labels in a column are compared with every class.",
                {"y_true": true.shape, "y_pred": pred.shape, "value": value},
                f"{_SUBCLASS}\n# or: if y_true.shape[-1] != y_pred.shape[-1]: raise ValueError(...)",
            )
            return


@check("accepts-other-batch")
def batches_meet(s):
    """Targets and predictions of another number of samples are an error."""
    y_true, y_pred = s.batch()
    for true, pred in ((y_true[:1], y_pred), (y_true, y_pred[:1])):
        value = _accepted(s, true, pred)
        if value is not None:
            yield Finding(
                "accepts-other-batch",
                "One target stretches over all predictions, or the reverse: a mistake in the pipeline trains on.",
                {"y_true": true.shape, "y_pred": pred.shape, "value": value},
                f"{_SUBCLASS}\n# or: if y_true.shape[0] != y_pred.shape[0]: raise ValueError(...)",
            )
            return


def _accepted(s, y_true, y_pred):
    """The value, or None where the loss refuses."""
    try:
        return s.trained(y_true, y_pred)
    except Exception:
        return None


def _close(a, b):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True)
