"""The hardest entries of a batch or of a sample: online hard example mining, top-k."""

import dataclasses
import fractions
from typing import Annotated, Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import Range
from keras_losses.core.function import function_of
from keras_losses.regression.elementwise import MeanSquaredError
from keras_losses.wrappers.wrapper import Wrapper

Share = Annotated[float, Range(gt=0, le=1)]
Number = Annotated[int, Range(ge=1)]


class HardestK(Wrapper):
    """Only the entries with the largest values of a loss count: online hard example mining (OHEM), top-k loss.

    Formula: with the values v of the loss that count (not masked, not ignored, of weight other than 0) and their n, the mean
    over `{i: v_i >= t}`, where t is the k-th largest of them for an int k, the `ceil(k n)`-th for a share k. Entries that
    tie with the k-th count too, so that the result depends on no order.

    Args:
        loss: the loss, with one value a sample or, better, several; its own reduction is not used.
        k: how many entries, an int >= 1, or which share of them, a float in (0, 1].
        over: among which entries: of the whole `"batch"`, or of each `"sample"` on its own, for losses with several values
            a sample, such as one a pixel.

    Shapes:
        `y_true`, `y_pred`: as of `loss`.

    Returns:
        The values of `loss`, reduced; those that are not among the hardest do not count. Weights multiply the values after
        the choice.

    Raises:
        ValueError: `k` is out of range, or `over="sample"` for a loss with one value a sample.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.HardestK(loss=kl.MeanAbsoluteError(), k=2)
    >>> float(loss(np.zeros((4, 1)), np.array([[1.0], [4.0], [2.0], [3.0]])))
    3.5

    Reference: A. Shrivastava, A. Gupta, R. Girshick, Training region-based object detectors with online hard example mining,
    2016, arXiv:1604.03540; per pixel: Z. Wu, C. Shen, A. van den Hengel, Bridging category-level and instance-level semantic
    image segmentation, 2016, arXiv:1605.06885.
    """

    k: Number | Share = 0.25
    over: Literal["batch", "sample"] = "batch"

    @property
    def couples_batch(self):
        return self.over == "batch" or super().couples_batch

    @classmethod
    def example_arguments(cls, classes):
        # Of all entries, so that the checks find the values that they compare.
        return {"loss": MeanSquaredError(), "k": 1.0}

    def around(self, y_true, y_pred, sample_weight, mask, extra, dtype):
        values = self.inner(y_true, y_pred, sample_weight, mask, extra, dtype)
        value, usable = values.value, values.valid
        if values.weight is not None:
            weighed = ops.not_equal(values.weight, 0)
            usable = weighed if usable is None else ops.logical_and(usable, weighed)
        if self.over == "sample" and len(value.shape) < 2:
            raise ValueError(
                f'{self.loss.name} has one value a sample, so there are no hardest ones within it. Use over="batch".'
            )
        chosen = self._hardest(value, usable)
        return dataclasses.replace(values, value=ops.where(chosen, value, ops.zeros_like(value)), valid=chosen)

    def _hardest(self, value, usable):
        """Which values are among the hardest; a value that is NaN stays, so that nothing hides it."""
        constant = ops.stop_gradient(value)
        candidate = ops.logical_not(ops.isnan(constant))
        if usable is not None:
            usable = ops.broadcast_to(pad_rank(usable, len(value.shape)), ops.shape(value))
            candidate = ops.logical_and(candidate, usable)
        low = ops.where(candidate, constant, ops.full_like(constant, math.lowest(constant)))
        rows = ops.reshape(low, (-1,) if self.over == "batch" else (ops.shape(low)[0], -1))
        number = ops.sum(ops.cast(ops.reshape(candidate, ops.shape(rows)), "int32"), axis=-1, keepdims=True)
        limit = self._limit(rows, self._many(number))
        chosen = ops.logical_and(candidate, constant >= ops.reshape(limit, (-1, *(1,) * (len(value.shape) - 1))))
        broken = ops.isnan(constant)
        return ops.logical_or(chosen, broken if usable is None else ops.logical_and(broken, usable))

    def _many(self, number):
        if isinstance(self.k, int):
            return ops.where(number < self.k, number, ops.full_like(number, self.k))
        # In integers: 0.1 of 10 is 1, which a product of floats misses.
        share = fractions.Fraction(self.k).limit_denominator(10_000)
        p, q = share.numerator, share.denominator
        return number // q * p + (number % q * p + q - 1) // q

    def _limit(self, rows, many):
        if 0 in tuple(rows.shape):
            return ops.zeros_like(ops.sum(rows, axis=-1, keepdims=True))
        size = ops.cast(ops.shape(rows)[-1], "int32")
        index = ops.where(many > 0, size - many, size - ops.ones_like(many))
        return ops.take_along_axis(ops.sort(rows, axis=-1), index, axis=-1)


hardest_k: Any = function_of(HardestK)
