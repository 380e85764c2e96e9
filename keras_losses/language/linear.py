"""Cross-entropy of a linear layer from what goes into it, without ever holding its logits."""

import types
from typing import Annotated, Any

from keras import ops

from keras_losses.core import inputs
from keras_losses.core.fields import ClassWeight, Fraction, NonNegative, Positive, Range
from keras_losses.core.loss import Loss
from keras_losses.core.private import get_mask
from keras_losses.core.reduction import Reduction, collect, combine_masks, finish, reduce
from keras_losses.core.spec import label, real
from keras_losses.core.weighting import class_weights
from keras_losses.language.labels import LabelHead
from keras_losses.language.sweep import block_rows, each, total
from keras_losses.math import safe_divide


class ProjectedCrossEntropy(Loss):
    """The arguments of `linear_cross_entropy`, checked, and its computation. It needs a kernel: it is no loss by itself."""

    ignore_class: int | None = None
    class_weight: ClassWeight = None
    label_smoothing: Fraction = 0.0
    z_loss: NonNegative = 0.0
    soft_cap: Positive | None = None
    recompute: bool = False
    block_size: Annotated[int, Range(ge=1)] | None = None

    y_true = label("B *S", classes=None)
    y_pred = real("B *S D")

    def of(
        self,
        y_true: Any,
        hidden: Any,
        kernel: Any,
        bias: Any = None,
        sample_weight: Any = None,
        mask: Any = None,
        transposed: bool = False,
    ) -> tuple[Any, Any]:
        """The loss, and the share of the tokens, by weight, whose label has the largest logit."""
        who, compute = str(self.name), inputs.at_least_float32(self.dtype)
        mask = combine_masks(who, None if mask is None else ops.cast(mask, "bool"), get_mask(hidden))
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=compute)
        kernel, bias = plain_tensor(kernel), None if bias is None else plain_tensor(bias)
        pair = inputs.prepare(self, y_true, hidden, weight, mask, {}, compute)
        classes = count_classes(who, pair.y_pred, kernel, bias, transposed)

        outside = ops.logical_or(pair.y_true < 0, pair.y_true >= classes)
        wrong = outside if pair.wrong is None else ops.logical_or(outside, pair.wrong)
        labels = ops.cast(ops.where(wrong, ops.zeros_like(pair.y_true), pair.y_true), "int32")
        tokens = ops.reshape(labels, (-1,)), ops.reshape(pair.y_pred, (-1, pair.y_pred.shape[-1]))
        counted = collect(who, ops.zeros_like(labels, dtype=compute), weight, mask, (pair.valid,))
        factor = ops.ones_like(counted.value)
        factor = factor if counted.weight is None else factor * counted.weight
        factor = factor if counted.valid is None else factor * ops.cast(counted.valid, compute)
        sound = ops.reshape(ops.where(wrong, ops.zeros_like(factor), factor), (-1,))

        head = self._head(classes, transposed, compute)
        if self.recompute or self.reduction in (None, "none"):
            found = each(head, *tokens, kernel, bias)
            right = ops.sum(ops.stop_gradient(found[1] * sound))
            value = ops.reshape(found[0], ops.shape(labels))
            loss = reduce(collect(who, value, weight, mask, (pair.valid,), wrong), self.reduction)
        else:
            sums = total(head, tokens[0], sound, tokens[1], kernel, bias)
            right = ops.stop_gradient(sums[1])
            lost = ops.any(ops.logical_and(wrong, ops.not_equal(factor, 0)))
            loss = ops.where(lost, ops.full_like(sums[0], float("nan")), sums[0])
            loss = finish(loss, counted, self.reduction)
        return ops.cast(loss, self.dtype), ops.cast(safe_divide(right, ops.stop_gradient(ops.sum(factor))), self.dtype)

    def _head(self, classes, transposed, compute):
        like: Any = types.SimpleNamespace(shape=(classes,), dtype=compute)
        return LabelHead(
            classes=classes,
            rows=self.block_size or block_rows(classes),
            transposed=transposed,
            label_smoothing=self.label_smoothing,
            z_loss=self.z_loss,
            soft_cap=self.soft_cap,
            class_weight=None if self.class_weight is None else class_weights(self, like),
        )


def linear_cross_entropy(
    y_true: Any,
    hidden: Any,
    kernel: Any,
    bias: Any = None,
    *,
    transposed: bool = False,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_class: int | None = None,
    class_weight: Any = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    soft_cap: float | None = None,
    recompute: bool = False,
    block_size: int | None = None,
    with_accuracy: bool = False,
    reduction: Reduction = "none",
    dtype: Any = None,
) -> Any:
    """Cross-entropy between integer labels and the softmax of a linear layer, given what goes into the layer.

    Formula: `SparseCategoricalCrossentropy(from_logits=True)` of `z = hidden @ kernel + bias`, plus `z_loss *
    logsumexp(z)^2`. With `soft_cap` the logits become `soft_cap * tanh(z / soft_cap)` first.

    The logits of a language model, one number for each token and each word, are its largest tensor by far. Here they are
    computed in blocks of tokens and thrown away; so are their gradients. A reduced loss computes its gradients along with
    its value, so it costs no more than the full logits would; `reduction="none"`, and `recompute=True`, compute the logits
    once more on the way back.

    Args:
        y_true: `(B, ...)` integer labels.
        hidden: `(B, ..., D)`, what goes into the layer. Computed in float32 at least.
        kernel: `(D, V)`, as that of a `Dense`.
        bias: `(V,)` or None.
        transposed: `kernel` is `(V, D)`, as that of an `Embedding`.
        sample_weight: weights, matched with the labels from the left.
        mask: which tokens count.
        ignore_class: integer label whose tokens do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
        label_smoothing: in [0, 1].
        z_loss: number >= 0; keeps logsumexp close to 0. PaLM uses 1e-4.
        soft_cap: number > 0 or None.
        recompute: compute the gradients on the way back. Slower by a third, and has second derivatives where loops have
            gradients (not on TensorFlow); for evaluation, where no gradient follows, faster. `torch.compile` leaves what is
            computed along with the value to eager code; with `fullgraph=True` it needs this.
        block_size: tokens in a block; by default so many that their logits take 128 MiB.
        with_accuracy: return `(loss, accuracy)`: the share of the tokens, by weight, whose label has the largest logit.
        reduction: as of any loss.
        dtype: dtype of the result; None: float32, or float64 if `keras.config.floatx()` is.

    Returns:
        One value a token, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.
        NotImplementedError: a second derivative of a reduced loss without `recompute`.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> hidden, kernel = np.eye(2), np.array([[20.0, -20.0], [0.0, 0.0]])
    >>> [round(float(value), 4) for value in kl.linear_cross_entropy(np.array([1, 0]), hidden, kernel)]
    [40.0, 0.6931]

    Reference: E. Wijmans et al., Cut your losses in large-vocabulary language models, 2024, arXiv:2411.09009; z-loss: A.
    Chowdhery et al., PaLM, 2022, arXiv:2204.02311; soft cap: Gemma 2, 2024, arXiv:2408.00118.
    """
    loss = ProjectedCrossEntropy(
        ignore_class=ignore_class,
        class_weight=class_weight,
        label_smoothing=label_smoothing,
        z_loss=z_loss,
        soft_cap=soft_cap,
        recompute=recompute,
        block_size=block_size,
        reduction=reduction,
        dtype=dtype,
        name="linear_cross_entropy",
    )
    both = loss.of(y_true, hidden, kernel, bias, sample_weight, mask, transposed)
    return both if with_accuracy else both[0]


def plain_tensor(x: Any) -> Any:
    """Not a variable, which one backend keeps as it is, and whose gradient in eager code it wants from the custom one."""
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
