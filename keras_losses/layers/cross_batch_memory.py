"""A loss over pairs that sees the embeddings of earlier batches too."""

from typing import Any

import keras
from keras import ops

from keras_losses.core import inputs
from keras_losses.core.config import holder_arguments
from keras_losses.core.fields import shorten
from keras_losses.core.private import get_mask
from keras_losses.core.record import checked
from keras_losses.core.reduction import collect
from keras_losses.layers.add_loss import AddLoss
from keras_losses.layers.class_weights import Count
from keras_losses.metric_learning.pairs import PairLoss


@keras.saving.register_keras_serializable(package="keras_losses")
class CrossBatchMemory(AddLoss):
    """Adds a loss over pairs to what `fit` minimises, with the embeddings of earlier batches as further partners (XBM).

    Each embedding of the batch, the anchor, is compared with the others of its batch and with what the memory holds; as in the
    loss alone, the value is reduced over the anchors of the batch. The memory takes part as a constant.

    The memory are variables: `layer.memory` `(size, D)`, `layer.ids` `(size,)`, and `layer.filled` `(size,)`, which is 1 where
    there is something. They are saved with the model, and no part of what an optimizer trains. A training step first uses the
    memory, and then puts its batch in front, in the order of the batch, and the oldest drop out; of a batch larger than `size`
    the first `size` are kept. What does not count (masked, of weight 0) or is not finite takes a place, and is no partner.
    Validation and prediction leave the memory as it is; validation compares with it. On several replicas of `tf.distribute`
    the memory is that of the first.

    Embeddings in the memory are those of weights some steps ago, which fits where the weights move slowly: begin after a
    warm-up (`layer.weight` is a variable: 0 until then), and normalise, or use a loss that does.

    Args:
        loss: a loss over pairs of embeddings, such as `keras_losses.Contrastive`, `TripletMargin`, `MultiSimilarity` or
            `NTXent`, that reduces to one number.
        size: how many embeddings the memory holds, >= 1.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, D)`, which are passed on, unchanged.
        y_true: `(B,)` integer ids, an input of the model. None: nothing is added or kept, for a model that predicts.
        sample_weight: weights, as of any loss.

    Returns:
        `embeddings`.

    Raises:
        ValueError: `loss` is no loss over pairs of embeddings with ids, or does not reduce to one number; `size` is out of
            range; the embeddings have further axes.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x, y = keras.Input((2,)), keras.Input((), dtype="int32")
    >>> memory = kl.layers.CrossBatchMemory(kl.Contrastive(), size=5, name="memory")
    >>> model = keras.Model([x, y], memory(keras.layers.Dense(2)(x), y))
    >>> model.compile("sgd")
    >>> history = model.fit([np.eye(2), np.array([3, 4])], batch_size=1, epochs=2, shuffle=False, verbose=0)
    >>> keras.ops.convert_to_numpy(memory.ids).tolist(), keras.ops.convert_to_numpy(memory.filled).tolist()
    ([4, 3, 4, 3, 0], [1.0, 1.0, 1.0, 1.0, 0.0])

    Reference: X. Wang et al., Cross-batch memory for embedding learning, 2020, arXiv:1912.06798.
    """

    def __init__(self, loss: PairLoss, size: int, weight: float = 1.0, **kwargs: Any):
        # Not cast to the compute dtype of the layer: float ids, which an input is by default, would not survive it.
        super().__init__(loss, weight, autocast=False, **kwargs)
        if not isinstance(loss, PairLoss) or "ref_embeddings" not in loss.call_arguments:
            raise ValueError(
                f"{self.name}: `loss` must be a loss over pairs of embeddings with ids, such as keras_losses.Contrastive. "
                f"Received: {shorten(loss)}"
            )
        self.size = checked(type(self), "size", size, Count)
        self.memory: Any = None
        self.ids: Any = None
        self.filled: Any = None
        self.built = False

    def build(self, embeddings_shape: Any) -> None:
        if len(embeddings_shape) != 2:
            raise ValueError(f"{self.name}: embeddings must be (B, D). Received: {tuple(embeddings_shape)}")
        integer = "int32" if keras.backend.backend() == "jax" else "int64"  # what ids are there at most
        floating = inputs.at_least_float32(self.variable_dtype)
        self.memory = self._add("memory", floating, embeddings_shape[-1])
        self.ids = self._add("ids", integer)
        self.filled = self._add("filled", "float32")
        self.built = True

    def _add(self, name, dtype, *dimension):
        return self.add_weight(
            shape=(self.size, *dimension),
            initializer="zeros",
            trainable=False,
            name=name,
            dtype=dtype,
            autocast=False,
            aggregation="only_first_replica",
        )

    def call(self, embeddings: Any, y_true: Any = None, sample_weight: Any = None, training: bool | None = None) -> Any:
        if y_true is None:
            return embeddings
        loss: Any = self.loss
        mask, compute = get_mask(embeddings), inputs.at_least_float32(loss.dtype)
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=compute)
        batch = inputs.prepare(loss, y_true, embeddings, weight, mask, {}, compute)
        x, ids = batch.y_pred, ops.cast(batch.y_true, self.ids.dtype)
        counts = ops.ones_like(ids, dtype="bool")
        if batch.extra["mask"] is not None:
            counts = ops.logical_and(counts, batch.extra["mask"])

        memory = ops.stop_gradient(ops.convert_to_tensor(self.memory))
        all_x = ops.concatenate([x, ops.cast(memory, x.dtype)], axis=0)
        all_ids = ops.concatenate([ids, ops.convert_to_tensor(self.ids)], axis=0)
        partners = ops.concatenate([counts, ops.convert_to_tensor(self.filled) > 0], axis=0)
        value, valid = loss.compare(x, ids, all_x, all_ids, counts, partners, loss.leaves_itself_out)
        values = collect(str(loss.name), value, weight, mask, (valid,), batch.wrong, mask_used=True)
        if training:  # before the loss is added, as in CenterLoss
            finite = ops.all(ops.isfinite(x), axis=1)
            kept = ops.where(ops.expand_dims(finite, 1), x, ops.zeros_like(x))
            newest = ops.cast(ops.logical_and(counts, finite), "float32")
            self._push(self.memory, kept)
            self._push(self.ids, ids)
            self._push(self.filled, newest)
        return self.include(ops.cast(loss._reduce(values, loss.reduction), loss.dtype), embeddings)

    def _push(self, variable, x):
        """Put a batch in front of what a variable holds."""
        old = ops.convert_to_tensor(variable)
        new = ops.concatenate([ops.cast(ops.stop_gradient(x), old.dtype), old], axis=0)[: self.size]
        variable.assign(ops.reshape(new, variable.shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "CrossBatchMemory":
        return cls(**holder_arguments(cls, config, weight=float, size=Count, trainable=bool))
