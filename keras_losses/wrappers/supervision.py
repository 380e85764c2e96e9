"""Deep supervision: one loss at several depths of a model."""

from typing import Any

from keras import ops

from keras_losses.core.fields import NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.private import get_mask, set_mask
from keras_losses.core.reduction import combine_masks
from keras_losses.core.spec import Spec
from keras_losses.regression.elementwise import MeanSquaredError
from keras_losses.wrappers.wrapper import Wrapper, class_axis


class DeepSupervision(Wrapper):
    """One loss on the outputs of a model at several depths, each against the target at its resolution.

    Formula: `sum_h weights[h] mean_i loss(y_true_h, y_pred_h)_i` for each sample, over what counts of it; `y_true_h` is the
    target at the resolution of output h: of each axis that is longer, the entries nearest to the centres of the output's.

    Args:
        loss: the loss of one output; its own reduction is not used.
        weights: one number >= 0 for each output, the finest first; None: `1, 1/2, 1/4, ...`, divided by their sum.

    Shapes:
        `y_true`: as of `loss`, at full resolution. `y_pred`: the outputs at one resolution, stacked on axis 1,
        `(B, outputs, ...)`, which passes through `compile`; or, when called directly or in `layers.AddLoss`, a list of them at
        any resolutions, none finer than the target. Masks and weights that are finer than samples follow the target.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: there are not as many outputs as weights, an output is finer than the target, or shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y = np.array([0.0, 0.0, 1.0, 1.0]).reshape(1, 4, 1)
    >>> loss = kl.DeepSupervision(loss=kl.MeanAbsoluteError(), weights=(1.0, 0.5))
    >>> float(loss(y, [np.zeros((1, 4, 1)), np.zeros((1, 2, 1))]))
    0.75

    Reference: C.-Y. Lee et al., Deeply-supervised nets, 2015, arXiv:1409.5185.
    """

    weights: tuple[NonNegative, ...] | None = None

    @classmethod
    def example_arguments(cls, classes):
        return {"loss": MeanSquaredError()}

    @property
    def y_pred(self) -> Any:
        inner = super().y_pred
        return inner and Spec(inner.kind, (inner.axes[0], "H", *inner.axes[1:]), inner.classes, inner.parts)

    def around(self, y_true, y_pred, sample_weight, mask, extra, dtype):
        if isinstance(y_pred, (list, tuple)) and all(hasattr(head, "shape") for head in y_pred):
            heads = list(y_pred)
        else:
            stacked = ops.convert_to_tensor(y_pred)
            if len(stacked.shape) < 2 or stacked.shape[1] is None:
                raise ValueError("y_pred must hold the outputs on axis 1, (B, outputs, ...), or be a list of them.")
            heads = [stacked[:, i] for i in range(stacked.shape[1])]
            found = get_mask(y_pred)
            if found is not None and len(found.shape) > 1:  # of samples and outputs, and perhaps of places
                heads = [set_mask(head, found[:, i]) for i, head in enumerate(heads)]
            else:
                mask = combine_masks(str(self.name), mask, found)
        shares = self._shares(len(heads))
        y_true = ops.convert_to_tensor(y_true)
        parts = []
        for share, head in zip(shares, heads, strict=True):
            targets = self._resolution(head)
            true, weight, keep = (self._nearest(x, targets) for x in (y_true, sample_weight, mask))
            parts.append((share, self.inner(true, head, weight, keep, extra, dtype)))
        return self.added(parts, sample_weight)

    def _shares(self, number):
        if self.weights is None:
            shares = [0.5**i for i in range(number)]
            return [share / sum(shares) for share in shares]
        if len(self.weights) != number:
            raise ValueError(f"{len(self.weights)} `weights` for {number} outputs.")
        return self.weights

    def _resolution(self, head):
        """The sizes of an output without batch and classes."""
        sizes = list(head.shape)
        del sizes[class_axis(self.loss) % len(sizes)]
        return sizes[1:]

    def _nearest(self, x, sizes):
        """A target, mask or weights at the resolution `sizes`."""
        if x is None or len(x.shape) < 2:
            return x
        axis = class_axis(self.loss)
        axes = [a for a in range(1, len(x.shape)) if len(x.shape) == len(sizes) + 1 or a != axis % len(x.shape)]
        for a, size in zip(axes, sizes, strict=False):
            full = x.shape[a]
            if full in (None, size, 1) or size is None:
                continue
            if size > full:
                raise ValueError(f"an output has {size} entries on axis {a}, the target {full}.")
            nearest = [(2 * i + 1) * full // (2 * size) for i in range(size)]
            x = ops.take(x, ops.convert_to_tensor(nearest, dtype="int32"), axis=a)
        return x


deep_supervision = function_of(DeepSupervision)
