"""Lovász losses: the convex extension of the Jaccard loss of the pixels that are wrong to errors that are numbers."""

from math import prod
from typing import Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import ClassWeight
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit, simplex
from keras_losses.core.weighting import class_weights
from keras_losses.segmentation.region import RegionMean, counts, weighted_mean


class LovaszHinge(RegionMean):
    """The Jaccard loss of a yes/no region, extended to hinge errors of logits.

    Formula: `sum_i max(m_i, 0) g_i` per sample and class, averaged over the classes, with the errors `m = 1 - s z` (`s` is 1
    in the region, -1 outside) in falling order and `g_i` what pixel i adds to the Jaccard loss `|M| / |region or M|` of
    the set M of the pixels before it. The weights `g` depend on the order alone and are constants in the gradient; errors
    that tie are taken in the order of the pixels, which changes nothing of the value. O(N log N) for N pixels.

    Where a target is empty the loss is the largest error.

    Args:
        class_axis: the axis of the classes, each a region on its own.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 (a soft label counts as 1 from 1/2 on); `y_pred`: the same, logits, never
        probabilities. A mask may be as fine as `(B, ...)`: what it takes out does not count.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or no class is left.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, z = np.array([[[1.0], [0.0]]]), np.array([[[0.5], [0.2]]])
    >>> round(float(kl.LovaszHinge()(y, z)), 4)
    0.85

    Reference: M. Berman, A. R. Triki, M. B. Blaschko, The Lovász-softmax loss, 2018, arXiv:1705.08790; the hinge:
    J. Yu, M. B. Blaschko, 2015, arXiv:1512.07797.
    """

    y_pred = logit("B *S C")

    def compare(self, y_true, y_pred, inside, weight):
        return super().compare(ops.cast(y_true >= 0.5, y_pred.dtype), y_pred, inside, weight)

    def region(self, y_true, y_pred, inside):
        errors, truth = 1 - (2 * y_true - 1) * y_pred, y_true > 0
        if inside is not None:
            errors, truth = _only(errors, truth, inside > 0)
        value = extension(_pixels_last(errors), _pixels_last(truth))
        return ops.expand_dims(value, axis=self.summed(len(y_pred.shape)))


class LovaszSoftmax(Loss):
    """The Jaccard loss of every class, extended to the errors of its probabilities.

    Formula: `sum_i m_i g_i` per sample and class, averaged over the classes, with the errors `m = 1 - p_c` of pixels of
    class c and `p_c` of others in falling order, and `g` as in `LovaszHinge`. O(C N log N) for N pixels. A softmax that is
    sure of the wrong class has hardly a slope: start from, or add, a cross-entropy.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        classes: the classes that are averaged: those that a sample has (`"present"`), `"all"`, or a tuple of classes. A class
            without pixels has its largest probability as loss.
        class_axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        ignore_class: integer label whose pixels do not count: in no sum, no order, and no mean. A sample of nothing else
            does not count.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `class_axis`. A mask may be as fine as
        `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced. A sample with a label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, the shapes do not meet, or `classes` names a class that is not there.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> p = np.array([[[0.7, 0.3], [0.4, 0.6], [0.9, 0.1]]])
    >>> round(float(kl.LovaszSoftmax(ignore_class=255)(np.array([[0, 1, 255]]), p)), 4)
    0.375

    Reference: M. Berman, A. R. Triki, M. B. Blaschko, The Lovász-softmax loss, 2018, arXiv:1705.08790.
    """

    by_design = dict.fromkeys(
        ("gradient-dead", "contract-alive"), "the loss is linear in probabilities, and a softmax that is sure has no slope"
    )

    from_logits: bool = False
    classes: Literal["present", "all"] | tuple[int, ...] = "present"
    class_axis: int = -1
    class_weight: ClassWeight = None
    ignore_class: int | None = None

    y_true = label("B *S")
    last_axis = "class_axis"

    @property
    def y_pred(self):
        return logit("B *S C") if self.from_logits else simplex("B *S C")

    def validate(self):
        if self.classes == ():
            raise ValueError("LovaszSoftmax: `classes` must name a class. Received: classes=()")

    def call(self, y_true, y_pred, mask=None):
        weight = self._weights(y_pred)
        scores, count = _pixels_last(y_pred), y_pred.shape[-1]
        p = ops.softmax(scores, axis=1) if self.from_logits else scores
        classes = ops.expand_dims(ops.arange(count, dtype=y_true.dtype), 1)
        truth = ops.equal(_pixels_last(ops.expand_dims(y_true, -1)), classes)
        here = ops.cast(truth, p.dtype)
        errors = here + (1 - 2 * here) * p
        if mask is not None:
            counted = ops.logical_and(pad_rank(mask, len(y_true.shape)), ops.ones_like(y_true, dtype="bool"))
            errors, truth = _only(errors, truth, _pixels_last(ops.expand_dims(counted, -1)))
        value = extension(errors, truth)
        weight = weight * ops.ones_like(value)
        if self.classes == "present":
            weight = weight * ops.cast(ops.any(truth, axis=-1), weight.dtype)
        value, some = weighted_mean(value, weight)
        return value, counts(some, mask)

    def _weights(self, y_pred) -> Any:
        weight, count = class_weights(self, y_pred), y_pred.shape[-1]
        if isinstance(self.classes, str):
            return weight
        outside = [c for c in self.classes if not 0 <= c < count]
        if outside:
            raise ValueError(f"{self.name}: `classes` names the class {outside[0]}, there are {count} classes.")
        chosen = [float(c in self.classes) for c in range(count)]
        return weight * ops.convert_to_tensor(chosen, dtype=y_pred.dtype)


def _only(errors, truth, inside):
    """Errors and labels of pixels outside a mask such that they come last, change no count and add nothing."""
    return ops.where(inside, errors, ops.full_like(errors, math.lowest(errors))), ops.logical_and(truth, inside)


def extension(errors: Any, truth: Any) -> Any:
    """The Lovász extension of the Jaccard loss, with errors below 0 counting as 0.

    Args:
        errors: `(B, C, N)`.
        truth: the same, boolean: which pixels each region has.

    Returns:
        `(B, C)`.
    """
    order = ops.argsort(ops.stop_gradient(-errors), axis=-1)
    # Error and label in one number, so that one gather brings both into order. Of errors that count as 0 the label is lost:
    # they come last, and weigh nothing.
    sign = 2 * ops.cast(truth, errors.dtype) - 1
    signed = ops.take_along_axis(sign * math.positive_part(errors), order, axis=-1)
    inside = signed > 0
    # Counts are integers until here: a sum of many ones would be rounded, and so would a difference of two Jaccard losses.
    place = ops.cumsum(ops.ones_like(inside[:1, :1], dtype="int32"), axis=-1)
    left = ops.sum(ops.cast(truth, "int32"), axis=-1, keepdims=True) - ops.cumsum(ops.cast(inside, "int32"), axis=-1)
    left, union = ops.cast(left, errors.dtype), ops.cast(left + place, errors.dtype)
    # A pixel of the region takes one from the intersection, and |M| / union grows by 1 / union. Another adds one to the
    # union: it grows by left / (union (union - 1)), and from 0 to 1 where it is the first of a union that was empty.
    first = ops.cast(ops.logical_or(inside, union < 1.5), errors.dtype)
    weight = (first + (1 - first) * left / (union - 1 + first)) / union
    return ops.sum(math.absolute(signed) * ops.stop_gradient(weight), axis=-1)


def _pixels_last(x):
    """`(B, ..., C)` as `(B, C, N)`."""
    sizes = tuple(x.shape[1:-1])
    pixels = -1 if None in sizes else prod(sizes)  # no -1 in an empty batch
    return ops.transpose(ops.reshape(x, (ops.shape(x)[0], pixels, x.shape[-1])), (0, 2, 1))


lovasz_hinge = function_of(LovaszHinge)
lovasz_softmax = function_of(LovaszSoftmax)
