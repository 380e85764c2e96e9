"""Shapes that do not meet."""

from keras_losses.core.report import Finding
from keras_losses.diagnosis.batch import rows_sum_to_one
from keras_losses.testing import forms


def shapes(b):
    """Which axis does not meet which."""
    true, pred = b.y_true.shape, b.y_pred.shape
    seen = {"y_true": true, "y_pred": pred}
    if not true or not pred:
        yield Finding(
            "no-batch-axis", "A loss takes a batch: the first axis is the samples.", seen, "y_true[None], y_pred[None]"
        )
        return
    if true[0] != pred[0]:
        yield Finding(
            "batch-sizes-differ",
            "Targets and predictions differ in their number of samples: axis 0 is the batch.",
            seen,
            "model.predict(x) and y of the same samples, in the same order",
        )
        return
    if not b.y_pred.size:
        yield Finding(
            "empty-batch",
            f"Axis {pred.index(0)} of the predictions has size 0: there is nothing to compare, and a mean over nothing is NaN.",
            seen,
            "keep = len(x) > 0  # a generator that gives an empty last batch? a filter that drops every sample?",
        )
        return
    if not b.dense:
        return
    if b.kind[0] == "label":
        yield from _labels(b, true, pred, seen)
    elif b.form.y_true.axes == b.form.y_pred.axes:
        yield from _same(b, true, pred, seen)


def _labels(b, true, pred, seen):
    if true in (pred[:-1], (*pred[:-1], 1)):
        return
    if true == pred and pred[-1] > 1 and rows_sum_to_one(b.y_true).all():
        yield Finding(
            "onehot-for-integer-loss",
            f"{b.name} takes integer class ids, and gets one-hot rows.",
            seen,
            "y_true.argmax(-1)  # or CategoricalCrossentropy, which takes one-hot rows",
        )
        return
    yield Finding(
        "shapes-do-not-meet",
        "Integer labels have the shape of the predictions without the class axis, which is the last.",
        seen | {"expected y_true": pred[:-1]},
        f"# the model gives {pred[-1]} classes for each of {pred[:-1]}; check its last layer, or squeeze the labels",
    )


def _same(b, true, pred, seen):
    if true == pred:
        return
    column = {len(true), len(pred)} == {len(min(true, pred, key=len)), len(min(true, pred, key=len)) + 1}
    longer, shorter = (true, pred) if len(true) > len(pred) else (pred, true)
    if column and longer[:-1] == shorter and longer[-1] == 1:
        if not b.ours and not forms.is_stock(b.written):
            yield Finding(
                "column-against-vector",
                "(N,) against (N, 1) broadcasts to (N, N), each target against each prediction: in a loss class and in a loop "
                "of your own; `compile` mends it for a function only.",
                seen,
                f"y_true.reshape({pred})",
            )
        return
    classes = b.kind[0] in ("onehot", "binary") and pred[-1] > 1
    if classes and true in (pred[:-1], (*pred[:-1], 1)):
        yield Finding(
            "integer-labels-for-onehot-loss",
            f"{b.name} takes one row of {pred[-1]} targets a sample, and gets class ids: their shape has no class axis.",
            seen,
            f"keras.ops.one_hot(y_true, {pred[-1]})  # or SparseCategoricalCrossentropy, which takes integer ids",
        )
        return
    if len(true) != len(pred):
        message, axis = f"Targets have {len(true)} axes and predictions {len(pred)}.", "rank"
    else:
        at = next(i for i, pair in enumerate(zip(true, pred, strict=True)) if pair[0] != pair[1])
        message, axis = f"Axis {at} does not meet: {true[at]} against {pred[at]}.", at
    yield Finding(
        "shapes-do-not-meet", message, seen | {"axis": axis}, "# targets and predictions of one shape: see the last layer"
    )
