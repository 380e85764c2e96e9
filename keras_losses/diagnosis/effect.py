"""Weights, masks, and which samples make the loss."""

import numpy as np

from keras_losses.core.report import Finding


def weights(b):
    """Weights that cancel, or do not align."""
    w = b.weight
    if w is None or not w.size or not np.isfinite(w).all():
        return
    if w.ndim and b.values is not None and b.values.ndim:
        shape = b.values.shape
        trimmed = w.shape[:-1] if w.ndim > 1 and w.shape[-1] == 1 else w.shape
        if (
            w.ndim > len(shape) + 1
            or any(a not in (1, c) for a, c in zip(trimmed, shape, strict=False))
            or trimmed[:1] != shape[:1]
        ):
            yield Finding(
                "weights-do-not-align",
                "The weights do not match the values, axis by axis from the left.",
                {"sample_weight": w.shape, "values": shape},
                f"# one weight a sample: {shape[:1]}",
            )
            return
    if (w < 0).any():
        at = int(np.flatnonzero(w < 0)[0])
        yield Finding(
            "negative-weights",
            "A negative weight drives the model away from the target, without bound.",
            {"first at": at, "weight": w.ravel()[at], "how many": int((w < 0).sum())},
            "np.maximum(sample_weight, 0)",
        )
    if w.sum() == 0:
        yield Finding(
            "weights-sum-to-zero",
            "The weights of the batch sum to 0: nothing is learned from it, and a weighted mean divides by 0.",
            {"sum": w.sum(), "weights": w},
            "# see how they are made: class_weight of absent classes, a mask used as a weight",
        )


def masked(b):
    """A mask that leaves nothing."""
    if b.mask is not None and b.mask.size and not b.mask.any():
        yield Finding(
            "all-masked",
            "Every entry of the batch is masked: the loss is 0 and nothing is learned.",
            {"mask": b.mask.shape, "True": 0},
            "# is padding 0 where the data are 0 too? Masking(mask_value=...), Embedding(mask_zero=True)",
        )


def dead(b):
    """A loss without a gradient."""
    if b.values is None or not np.isfinite(b.values).all() or not np.isfinite(b.slope).all():
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
    if b.values is None or b.values.ndim == 0 or len(b.values) < 20 or not np.isfinite(b.values).all():
        return
    each = b.values.reshape(len(b.values), -1).mean(1)
    if (each < 0).any() or each.sum() <= 0:
        return
    many = max(1, len(each) // 100)
    worst = np.argsort(-each)[:many]
    share = each[worst].sum() / each.sum()
    if share > 0.5:
        yield Finding(
            "few-samples-dominate",
            f"{many} of {len(each)} samples make {share:.0%} of the loss: wrong labels, outliers, or too steep a loss.",
            {"samples": worst[:10], "their values": each[worst[:10]], "median": np.median(each)},
            "keras_losses.Huber(delta=...)  # bounded slope for outliers; keras_losses.per_sample(...).hardest() shows them",
        )
