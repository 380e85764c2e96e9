"""Weights, masks, and which samples make the loss."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.diagnosis.batch import first


def weights(b):
    """Weights that cancel, or do not align."""
    w = b.weight
    if w is None or not w.size or not np.isfinite(w).all():
        return
    if b.values is not None and b.values.ndim and not _fits(w, b.values.shape):
        yield Finding(
            "weights-do-not-align",
            "The weights do not match the values, axis by axis from the left.",
            {"sample_weight": w.shape, "values": b.values.shape},
            f"# one weight a sample: {b.values.shape[:1]}",
        )
        return
    if (w < 0).any():
        at = first(w < 0)
        yield Finding(
            "negative-weights",
            "A negative weight drives the model away from the target, without bound.",
            {"first at": at, "weight": w[at], "how many": int((w < 0).sum())},
            "np.maximum(sample_weight, 0)",
        )
    if w.sum() == 0:
        yield Finding(
            "weights-sum-to-zero",
            "The weights of the batch sum to 0: nothing is learned from it, and a weighted mean divides by 0.",
            {"sum": w.sum(), "weights": w},
            "# see how they are made: class_weight of absent classes, a mask used as a weight",
        )


def _fits(given, shape):
    """Whether weights or a mask match `shape`, axis by axis from the left."""
    trimmed = given.shape[:-1] if given.ndim > 1 and given.shape[-1] == 1 else given.shape
    return not given.ndim or (
        given.ndim <= len(shape) + 1
        and all(a in (1, c) for a, c in zip(trimmed, shape, strict=False))
        and trimmed[:1] == shape[:1]
    )


def masked(b):
    """A mask that leaves nothing, or does not align."""
    if b.ignored is not None and b.ignored.size and b.ignored.all():
        yield Finding(
            "all-ignored",
            "Every label of the batch is the one to ignore: the loss is 0 and nothing is learned.",
            {"ignore_class": b.stated.ignore_class, "labels": b.ignored.size},
            "# is ignore_class a real class? leave batches of padding out",
        )
    if b.mask is None or not b.mask.size:
        return
    values = None if b.ours else b.values
    shape = b.weighed if values is None else values.shape
    if shape and not _fits(b.mask, shape):
        yield Finding(
            "mask-does-not-align",
            "The mask does not match the values, axis by axis from the left.",
            {"mask": b.mask.shape, "y_pred" if values is None else "values": shape},
            f"# one entry a sample: {shape[:1]}, or a step: {shape[:2]}",
        )
    elif not b.mask.any():
        yield Finding(
            "all-masked",
            "Every entry of the batch is masked: the loss is 0 and nothing is learned.",
            {"mask": b.mask.shape, "True": 0},
            "# is padding 0 where the data are 0 too? Masking(mask_value=...), Embedding(mask_zero=True)",
        )
    elif b.weight is not None and b.weight.any() and b.keep is not None and not b.keep.any():
        yield Finding(
            "all-masked",
            "The mask and the weights leave nothing together: the loss is 0 and nothing is learned.",
            {"mask True": int(b.mask.sum()), "weights not 0": int((b.weight != 0).sum()), "both": 0},
            "# a sample that the mask keeps has the weight 0: is one of the two inverted?",
        )


def dead(b):
    """A loss without a gradient."""
    if b.values is None or b.slope is None or not np.isfinite(b.values).all() or not np.isfinite(b.slope).all():
        return
    if b.slope.size and not b.slope.any() and np.abs(b.values).max() > 1e-6:
        yield Finding(
            "gradient-dead",
            "The loss is not 0, and its gradient with respect to every prediction is: the model cannot learn from this batch.",
            {"loss": b.values.mean(), "largest gradient": 0.0},
            "keras_losses.testing.check_loss(loss)  # saturated probabilities, round, argmax or casts: says which",
        )


def dominated(b):
    """Few samples that make most of the loss."""
    if b.values is None or b.values.shape[:1] != b.samples.shape or not np.isfinite(b.values).all():
        return
    number = int(b.samples.sum())
    if number < 20:
        return
    each = np.where(b.samples, b.values.reshape(len(b.values), -1).mean(1), 0)
    if (each < 0).any() or each.sum() <= 0:
        return
    many = max(1, number // 100)
    worst = np.argsort(-each)[:many]
    share = each[worst].sum() / each.sum()
    if share > 0.5:
        yield Finding(
            "few-samples-dominate",
            f"{many} of {number} samples make {share:.0%} of the loss: wrong labels, outliers, or too steep a loss.",
            {"samples": worst[:10], "their values": each[worst[:10]], "median": np.median(each[b.samples])},
            "keras_losses.Huber(delta=...)  # bounded slope for outliers; keras_losses.per_sample(...).hardest() shows them",
        )
