"""From one value an entry to what the caller asked for. Keras's reductions, with weights and validity kept apart."""

import dataclasses
import math
from typing import Any, Literal

import keras
from keras import ops

from keras_losses.core import align
from keras_losses.math.reductions import mean

Reduction = Literal["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"] | None


@dataclasses.dataclass
class Values:
    """What a formula gave: one value an entry, how much each weighs, and which of them count at all.

    Values that do not count, and those of weight 0, are exact zeros; `weight` and `valid` have the rank of `value`.
    """

    value: Any
    weight: Any = None
    valid: Any = None
    #: Each replica has the values of the whole batch, not of its part.
    whole: bool = False

    @property
    def weighted(self) -> Any:
        return self.value if self.weight is None else self.value * self.weight


def collect(
    who: str, value: Any, weight: Any, mask: Any, valids: tuple = (), wrong: Any = None, mask_used: bool = False
) -> Values:
    """The values of a formula with weights, mask and validity aligned to them, and zeros where nothing counts.

    Args:
        who: name of the loss, for errors.
        value: what the formula gave.
        weight, mask: what the caller gave, of any rank that fits.
        valids: further masks of the values, or None.
        wrong: where the labels are out of range: the value there is NaN, its gradient zero.
        mask_used: the formula has consumed a mask that is finer than its values.
    """
    shape = tuple(value.shape)
    for given, what in ((weight, "sample_weight"), (mask, "mask")):
        if not shape and given is not None and len(given.shape) > 0:
            raise ValueError(
                f"{who}: `call` returned one number for the whole batch, so a {what} of shape {tuple(given.shape)} cannot "
                "select samples. Return one value a sample: reduce over the last axes only, such as `axis=-1`."
            )
    if weight is not None:
        weight = align.align_left(who, "sample_weight", weight, shape)
    if mask is not None:
        if mask_used and not align.left_aligned(tuple(mask.shape), shape):
            mask = align.reduce_rank(mask, len(shape))  # a sample of which something counts, counts
        mask = align.align_left(who, "mask", mask, shape)
    for more in valids:
        if more is not None:
            more = align.align_left(who, "valid", ops.cast(align.reduce_rank(more, len(shape)), "bool"), shape)
            if weight is not None and not mask_used:
                # What a formula finds where the weight is 0, in inputs that were replaced, says nothing of the entry.
                more = ops.logical_or(more, ops.equal(weight, 0))
            mask = more if mask is None else ops.logical_and(mask, more)
    if wrong is not None:
        wrong = align.pad_rank(align.reduce_rank(wrong, len(shape)), len(shape))
        value = ops.where(wrong, float("nan"), value)
    keep = mask
    if weight is not None:
        keep = ops.not_equal(weight, 0)
        keep = keep if mask is None else ops.logical_and(mask, keep)
    if keep is not None:
        value = ops.where(keep, value, ops.zeros_like(value))
    return Values(value, weight, mask)


def reduce(values: Values, reduction: Reduction) -> Any:
    """The reduced loss. Nothing valid: 0."""
    if reduction in (None, "none"):
        return values.weighted
    return finish(ops.sum(values.weighted), values, reduction)


def finish(total: Any, values: Values, reduction: Reduction) -> Any:
    """The reduced loss, from the weighted sum of the values."""
    if reduction == "sum":
        return scale_for_replicas(total) if values.whole else total
    return scale_for_replicas(_divide(total, _denominator(values, reduction)))


def per_sample(values: Values) -> Any:
    """The mean over all axes but the first of what counts there: `(B,)`."""
    weighted = values.weighted
    axes = tuple(range(1, len(weighted.shape)))
    if not axes:
        return weighted
    if values.valid is None:
        return mean(weighted, axis=axes)
    count = ops.sum(_full(values.valid, weighted), axis=axes)
    return _divide(ops.sum(weighted, axis=axes), count)


def _denominator(values, reduction):
    if reduction == "mean_with_sample_weight" and values.weight is not None:
        weight = values.weight
        if values.valid is not None:
            weight = weight * ops.cast(values.valid, weight.dtype)
        return ops.sum(_full(weight, values.value))
    if values.valid is not None:
        return ops.sum(_full(values.valid, values.value))
    return size(values.value)


def _full(x, like):
    """`x` broadcast to the shape of `like`: an entry of a row counts as often as the row has values."""
    x = ops.cast(x, like.dtype)
    return x if tuple(x.shape) == tuple(like.shape) and None not in tuple(x.shape) else x + ops.zeros_like(like)


def size(x: Any) -> Any:
    """The number of entries: a Python int where the shape is known, else a float tensor."""
    if None not in tuple(x.shape):
        return math.prod(x.shape)
    return ops.cast(ops.prod(ops.convert_to_tensor(ops.shape(x), dtype="int32")), x.dtype)


def _divide(total, count):
    if isinstance(count, int):
        return total / max(count, 1)
    empty = ops.equal(count, 0)
    return ops.where(empty, ops.zeros_like(total), total / ops.where(empty, ops.ones_like(count), count))


class _ReplicaScale(keras.losses.Loss):
    """Keras's own mean of one value: the value, divided by the number of replicas under `tf.distribute`."""

    def call(self, y_true, y_pred):
        return y_pred


_replica_scales: dict[str, _ReplicaScale] = {}


def scale_for_replicas(loss: Any) -> Any:
    """A mean over the local batch, scaled so that replicas add up to the mean over the whole one (TensorFlow)."""
    if keras.backend.backend() != "tensorflow":
        return loss
    dtype = keras.backend.standardize_dtype(loss.dtype)
    if dtype not in _replica_scales:
        _replica_scales[dtype] = _ReplicaScale(name="replicas", dtype=dtype)
    one = ops.reshape(loss, (1,))
    return _replica_scales[dtype](one, one)


def combine_masks(who: str, first: Any, second: Any) -> Any:
    """Both masks at once, the one of fewer axes aligned from the left to the other."""
    if first is None or second is None:
        return second if first is None else first
    if len(first.shape) < len(second.shape):
        first, second = second, first
    return ops.logical_and(first, align.align_left(who, "mask", second, tuple(first.shape)))
