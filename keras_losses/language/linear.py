"""Cross-entropy of a linear layer from what goes into it, without ever holding its logits."""

import types
from typing import Any

from keras import ops

from keras_losses.core.fields import ClassWeight, Fraction, NonNegative
from keras_losses.core.reduction import Reduction
from keras_losses.core.spec import label, real
from keras_losses.core.weighting import class_weights
from keras_losses.language.labels import LabelHead
from keras_losses.language.projected import Projected, count_classes, plain_tensor
from keras_losses.language.sweep import block_rows


class ProjectedCrossEntropy(Projected):
    """The arguments of `linear_cross_entropy`, checked, and its computation."""

    ignore_class: int | None = None
    class_weight: ClassWeight = None
    label_smoothing: Fraction = 0.0
    z_loss: NonNegative = 0.0

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
        pair, weight, mask = self.given(y_true, hidden, sample_weight, mask)
        layer = plain_tensor(kernel), plain_tensor(bias)
        classes = count_classes(str(self.name), pair.y_pred, *layer, transposed)
        outside = ops.logical_or(pair.y_true < 0, pair.y_true >= classes)
        wrong = outside if pair.wrong is None else ops.logical_or(outside, pair.wrong)
        labels = ops.cast(ops.where(wrong, ops.zeros_like(pair.y_true), pair.y_true), "int32")
        head = self._head(classes, transposed, pair.y_pred.dtype)
        return self.swept(head, ops.reshape(labels, (-1,)), pair.y_pred, layer, weight, mask, pair.valid, wrong)

    def _head(self, classes, transposed, dtype):
        like: Any = types.SimpleNamespace(shape=(classes,), dtype=dtype)
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
        block_size: tokens in a block; by default so many that their logits take 128 MiB, twice that on TensorFlow.
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
