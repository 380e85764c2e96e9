"""Targets that are not what the loss takes."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.diagnosis.batch import first, rows_sum_to_one


def targets(b):
    """Labels out of range, off by one, not whole; targets of another coding."""
    y_true = b.y_true
    if y_true.size == 0 or not np.isfinite(y_true.astype("float64")).all():
        return
    kind = b.kind[0]
    if kind == "label" and y_true.shape != b.y_pred.shape:
        yield from _ids(b, y_true)
    elif kind in ("binary", "onehot") and y_true.shape == b.y_pred.shape:
        yield from _coded(b, y_true)
    elif kind == "sign":
        odd = ~np.isin(y_true, (-1, 0, 1))
        if odd.any():
            yield _outside(b, odd, "Hinge losses take -1 and 1 (or 0 and 1)", "y_true = np.where(positive, 1, -1)")
    elif kind in ("count", "positive") and (y_true < 0).any():
        yield _outside(
            b, y_true < 0, f"{b.name} takes numbers that are not negative", "# counts and rates; log-transformed targets?"
        )


def _ids(b, labels):
    classes = b.classes
    known = np.ones(labels.shape, bool) if b.ignored is None else ~b.ignored
    whole = labels == np.round(labels)
    if not whole.all():
        yield _outside(
            b, ~whole, "Class ids must be whole numbers", "labels.astype('int32')  # soft targets: a loss of one-hot rows"
        )
        return
    wrong = known & ((labels < 0) | (labels >= classes))
    if not wrong.any():
        return
    seen = {"smallest": labels[known].min(), "largest": labels[known].max(), "classes of y_pred": classes}
    if labels[known].min() == 1 and labels[known].max() == classes:
        yield Finding(
            "labels-start-at-one", f"Class ids go from 0 to {classes - 1}, these from 1.", seen, "y_true = y_true - 1"
        )
        return
    at = first(wrong)
    yield Finding(
        "labels-out-of-range",
        f"A class id is not in 0 to {classes - 1}: by backend that is an error, NaN, or silently a loss of 0.",
        seen | {"first at": at, "label": labels[at], "how many": int(wrong.sum())},
        f"Dense({int(labels[known].max()) + 1})  # as many units as classes\n"
        "SparseCategoricalCrossentropy(ignore_class=-1)  # if that label is padding",
    )


def _coded(b, y_true):
    if b.ignored is not None and b.ignored.shape == y_true.shape:
        y_true = np.where(b.ignored, 0, y_true)
    if set(np.unique(y_true)) == {-1.0, 1.0}:
        yield Finding(
            "sign-labels-for-binary-loss",
            f"{b.name} takes 0 and 1, and gets -1 and 1.",
            {"values": (-1, 1)},
            "y_true = (y_true + 1) / 2  # or a hinge loss",
        )
        return
    outside = (y_true < 0) | (y_true > 1)
    if outside.any():
        fix = "keras.ops.one_hot(y_true, K)  # class ids? images: y_true / 255"
        yield _outside(b, outside, f"{b.name} takes targets in [0, 1]", fix)
        return
    if b.kind[0] == "onehot" and b.classes > 1 and b.kind[1] != "real":
        y_true = b.rows(y_true)
        rows = rows_sum_to_one(y_true) if b.ignored is None else rows_sum_to_one(y_true) | b.ignored
        if not rows.all():
            at = first(~rows)
            yield Finding(
                "targets-are-multi-label",
                f"{b.name} takes one class a sample, and there are rows of targets that do not sum to 1.",
                {"first at": at, "row": y_true[at], "sum": y_true[at].sum(), "how many": int((~rows).sum())},
                "BinaryCrossentropy(), with a sigmoid or from_logits=True: several classes, or none, may be there",
            )


def _outside(b, where, message, fix):
    at = first(where)
    return Finding(
        "targets-out-of-range",
        f"{message}.",
        {"first at": at, "value": b.y_true[at], "how many": int(where.sum()), "of": b.y_true.size},
        fix,
    )


def absent(b):
    """Classes that the batch does not have."""
    kind, shape = b.kind[0], b.y_pred.shape
    if not b.dense or b.y_true.size == 0 or kind not in ("label", "onehot", "binary"):
        return
    if kind == "label" and b.y_true.shape != shape:
        classes = set(range(shape[-1])) - set(np.unique(b.y_true).tolist())
    elif b.y_true.shape == shape:
        positive = b.y_true.reshape(-1, shape[-1]).any(0)
        classes = {int(i) for i in np.flatnonzero(~positive)}
    else:
        return
    # Fewer samples than classes leave some out.
    if classes and b.y_true.shape[0] >= 5 * shape[-1]:
        yield Finding(
            "classes-absent",
            "Classes have no sample in this batch: nothing pulls their predictions up, and a loss per class divides by 0.",
            {"classes": sorted(classes)[:20], "samples": b.y_true.shape[0]},
            "# stratify or shuffle the batches; weigh rare classes: class_weight=...",
        )
