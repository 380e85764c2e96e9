"""What losses of a linear layer's logits share: arguments, what counts, and the sweep over the tokens."""

from typing import Annotated, Any

from keras import ops

from keras_losses.core import inputs
from keras_losses.core.fields import Positive, Range
from keras_losses.core.loss import Loss
from keras_losses.core.private import get_mask
from keras_losses.core.reduction import collect, combine_masks, finish, reduce
from keras_losses.language.sweep import Head, each, total
from keras_losses.math import safe_divide


class Projected(Loss):
    """Base of losses of the logits of a linear layer, given what goes into the layer. They need a kernel: none is a loss by
    itself.

    Args:
        soft_cap: logits become `soft_cap * tanh(z / soft_cap)`; None: they stay.
        recompute: compute the gradients on the way back.
        block_size: tokens in a block; None: a number that fits.
    """

    soft_cap: Positive | None = None
    recompute: bool = False
    block_size: Annotated[int, Range(ge=1)] | None = None

    def given(self, y_true: Any, hidden: Any, sample_weight: Any, mask: Any) -> tuple[inputs.Prepared, Any, Any]:
        """Targets and hidden states as a formula takes them, with weights and mask."""
        compute = inputs.at_least_float32(self.dtype)
        mask = combine_masks(str(self.name), None if mask is None else ops.cast(mask, "bool"), get_mask(hidden))
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=compute)
        return inputs.prepare(self, y_true, hidden, weight, mask, {}, compute), weight, mask

    def swept(
        self, head: Head, targets: Any, hidden: Any, layer: tuple, weight: Any, mask: Any, valid: Any = None, wrong: Any = None
    ) -> tuple[Any, Any]:
        """The loss, and the share of the tokens, by weight, whose largest logit is the right one.

        Args:
            head: what the logits are measured by.
            targets: `(N, ...)`.
            hidden: `(B, ..., D)`, N tokens in all.
            layer: kernel, and bias or None.
            weight, mask: what the caller gave.
            valid: which tokens count besides, or None.
            wrong: which tokens have a label out of range, or None: their value is NaN, their gradient zero.
        """
        who, tokens, flat = str(self.name), ops.zeros_like(hidden[..., 0]), ops.reshape(hidden, (-1, hidden.shape[-1]))
        counted = collect(who, tokens, weight, mask, (valid,))
        factor = ops.ones_like(counted.value)
        factor = factor if counted.weight is None else factor * counted.weight
        factor = factor if counted.valid is None else factor * ops.cast(counted.valid, factor.dtype)
        sound = ops.reshape(factor if wrong is None else ops.where(wrong, ops.zeros_like(factor), factor), (-1,))
        if self.recompute or self.reduction in (None, "none"):
            found = each(head, targets, flat, *layer)
            right = ops.sum(ops.stop_gradient(found[1] * sound))
            value = ops.reshape(found[0], ops.shape(tokens))
            loss = reduce(collect(who, value, weight, mask, (valid,), wrong), self.reduction)
        else:
            sums = total(head, targets, sound, flat, *layer)
            right, loss = ops.stop_gradient(sums[1]), sums[0]
            if wrong is not None:
                lost = ops.any(ops.logical_and(wrong, ops.not_equal(factor, 0)))
                loss = ops.where(lost, ops.full_like(loss, float("nan")), loss)
            loss = finish(loss, counted, self.reduction)
        return ops.cast(loss, self.dtype), ops.cast(safe_divide(right, ops.stop_gradient(ops.sum(factor))), self.dtype)


def plain_tensor(x: Any) -> Any:
    """Not a variable, which one backend keeps as it is, and whose gradient in eager code it wants from the custom one."""
    if x is None:
        return None
    x = ops.convert_to_tensor(x)
    return ops.cast(x, x.dtype)


def count_classes(who: str, hidden: Any, kernel: Any, bias: Any, transposed: bool, prefix: str = "") -> int:
    """The number of classes of a kernel that fits; `prefix` is that of its argument, as in `teacher_kernel`."""
    shape, order = tuple(kernel.shape), "(classes, features)" if transposed else "(features, classes)"
    if len(shape) != 2 or shape[1 if transposed else 0] != hidden.shape[-1]:
        raise ValueError(
            f"{who}: `{prefix}kernel` must have shape {order} with {hidden.shape[-1]} features, as `{prefix}hidden` has. "
            f"Received: {shape}"
        )
    classes = shape[0 if transposed else 1]
    if bias is not None and tuple(bias.shape) != (classes,):
        raise ValueError(f"{who}: `{prefix}bias` must have shape ({classes},). Received: {tuple(bias.shape)}")
    return classes
