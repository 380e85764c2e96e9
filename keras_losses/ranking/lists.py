"""The base of losses over lists of items: padding, masks, which lists count, and the order of a list."""

import math as numbers
from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.inputs import shape_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import real, relevance

LOG2 = numbers.log(2)


class ListLoss(Loss):
    """Base of losses of one value a list: a subclass writes `per_list(y_true, y_pred, item, weight)`.

    Items of negative relevance are padding; neither they nor masked items take part. A list counts where `counts` says so:
    by default where two items differ in relevance, since otherwise there is no order to learn. A relevance that is NaN or
    infinite gives its list NaN, with gradient zero.

    A `sample_weight` of `(B,)` weighs lists, one of `(B, N)` items: the value of a list is a sum over its items, and an item's
    weight multiplies its part. A pair is of its more relevant item; a step of tied items is of them all, so weighed by their
    mean; where the loss is one minus a metric, it is the gain that is weighed, in the best order too. The number that a mean
    over pairs or items is divided by stays. An item of weight 0 still stands in the list, as what others are compared with:
    a mask or a negative relevance takes it out. `item_weight=` of a direct call weighs items beside a `sample_weight` of lists.
    """

    y_true = relevance("B N")
    y_pred = real("B N")

    def per_list(self, y_true: Any, y_pred: Any, item: Any, weight: Any) -> Any:
        """`(B,)`, finite for any list, from relevances, scores and weights of items `(B, N)` that are 0 where `item` is false.

        Without weights of items `weight` is None.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `per_list(self, y_true, y_pred, item, weight)`.")

    def counts(self, y_true: Any, item: Any) -> Any:
        """Which lists count, `(B,)`."""
        if 0 in tuple(y_true.shape):
            return ops.any(item, axis=-1)
        low = ops.amin(ops.where(item, y_true, ops.full_like(y_true, float("inf"))), axis=-1)
        return ops.amax(ops.where(item, y_true, -ops.ones_like(y_true)), axis=-1) > low

    def call(self, y_true, y_pred, mask=None, item_weight=None):
        return self.evaluate(y_true, y_pred, mask, item_weight)

    def evaluate(self, y_true: Any, y_pred: Any, mask: Any, weight: Any, **extra: Any) -> tuple[Any, Any]:
        """Values and which of them count; `extra` is what `per_list` takes besides."""
        if weight is not None:
            self._check_weight(tuple(weight.shape), tuple(y_pred.shape))
        padding = y_true < 0
        usable = ops.isfinite(y_true)
        wrong = ops.any(ops.logical_not(padding | usable), axis=-1)
        item = ops.logical_and(ops.logical_not(padding), usable)
        if mask is not None:
            item = ops.logical_and(item, mask if len(mask.shape) == 2 else ops.expand_dims(mask, -1))
        if weight is not None:
            weight = ops.where(item, ops.cast(weight, y_pred.dtype), ops.zeros_like(y_pred))
        y_true, y_pred = (ops.where(item, x, ops.zeros_like(x)) for x in (y_true, y_pred))
        value = self.per_list(y_true, y_pred, item, weight, **extra)
        counted = self.counts(y_true, item) | wrong
        if mask is not None:
            # A list that is taken out whole is for the base: a mask leaves it out, a weight of 0 leaves it in the number that
            # a mean is divided by.
            counted = counted | ops.logical_not(ops.any(mask, axis=1) if len(mask.shape) == 2 else mask)
        return ops.where(wrong, ops.full_like(value, float("nan")), value), counted

    def _values(self, y_true, y_pred, sample_weight, mask, extra, dtype):
        shape = shape_of(y_pred)
        if len(shape) == 1:
            # Elsewhere (N,) counts as (N, 1): here, as lists of one item, of which none has an order.
            raise ValueError(
                f"{self.name}: y_pred with shape {shape} holds no lists. Expected: y_true {self.y_true}, y_pred {self.y_pred}; "
                "a single list needs a batch axis: y_true[None], y_pred[None]."
            )
        if sample_weight is not None and len(shape_of(sample_weight)) == 2 and shape_of(sample_weight)[1] != 1:
            if extra.get("item_weight") is not None:
                raise ValueError(f"{self.name}: sample_weight of items and item_weight: give one. Received both.")
            extra, sample_weight = {**extra, "item_weight": sample_weight}, None
        return super()._values(y_true, y_pred, sample_weight, mask, extra, dtype)

    def _check_weight(self, given, shape):
        if len(given) != 2 or any(None not in pair and pair[0] != pair[1] for pair in zip(given, shape, strict=True)):
            raise ValueError(
                f"{self.name}: sample_weight with shape {given} does not fit y_pred with shape {shape}. Expected: (B,) "
                "for lists, or (B, N) for items, which may also be item_weight."
            )


def weighted(x: Any, weight: Any, axis: int | None = None) -> Any:
    """`x` times the weights of items, if there are any, with an axis added to them."""
    if weight is None:
        return x
    return x * (weight if axis is None else ops.expand_dims(weight, axis))


def gaps(x: Any) -> Any:
    """`x_j - x_i` at `[..., i, j]`."""
    return ops.expand_dims(x, -2) - ops.expand_dims(x, -1)


def above(x: Any, item: Any) -> Any:
    """Whether item i is above item j, at `[..., i, j]`: `x` is >= 0, and 0 where there is no item."""
    return ops.logical_and(ops.expand_dims(x, -1) > ops.expand_dims(x, -2), ops.expand_dims(item, -2))


def level(x: Any, item: Any) -> Any:
    """Whether items i and j tie, at `[..., i, j]`; an item ties with itself."""
    same = ops.equal(ops.expand_dims(x, -1), ops.expand_dims(x, -2))
    return ops.logical_and(same, ops.logical_and(ops.expand_dims(item, -1), ops.expand_dims(item, -2)))


def count(x: Any, like: Any) -> Any:
    """How many of the last axis are true, as numbers of the dtype of `like`."""
    return ops.sum(ops.cast(x, like.dtype), axis=-1)


def positions(x: Any) -> Any:
    """1, 2, ... N for the last axis of `x`, `(N,)`, in its dtype, for any size, known or not."""
    # `ops.arange` of an unknown size does not compile on one backend; see `math.diagonal`.
    ones = ops.sum(ops.zeros_like(x), axis=tuple(range(len(x.shape) - 1))) + 1
    return ops.sum(ops.tril(ops.expand_dims(ones, 0) * ops.expand_dims(ones, 1)), axis=-1)


def places(x: Any, item: Any) -> tuple[Any, Any]:
    """The share of item i in place p of the falling order of `x`, `(B, N, N)`, and how many items tie with i, `(B, N)`.

    Tied items share the places that they take up. What is no item has none.
    """
    higher = ops.logical_and(ops.expand_dims(x, -1) < ops.expand_dims(x, -2), ops.expand_dims(item, -2))
    before, tied = count(higher, x), count(level(x, item), x)
    offset = positions(x) - ops.expand_dims(before, -1)
    size = ops.expand_dims(tied, -1)
    inside = ops.logical_and(offset >= 1, offset <= size)
    return ops.where(inside, 1 / math.maximum(size, 1.0), ops.zeros_like(offset)), tied
