"""Center loss, whose centers follow the embeddings."""

from typing import Any

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.fields import Fraction
from keras_losses.core.inputs import at_least_float32
from keras_losses.core.private import get_mask
from keras_losses.core.reduction import Reduction
from keras_losses.layers.proxies import OfClasses, _ToClasses


class _ToCenter(_ToClasses):
    def call(self, y_true, y_pred, vectors=None):
        center = ops.take(ops.stop_gradient(vectors), y_true, axis=0)
        return 0.5 * ops.sum(ops.square(y_pred - center), axis=-1)


class _Labelled(_ToClasses):
    """The embeddings, and beside them where their class is. The base leaves of them what counts."""

    def call(self, y_true, y_pred, vectors: Any = None):
        own = math.one_hot(y_true, vectors.shape[0], y_pred.dtype)
        return ops.concatenate([own, y_pred], axis=-1)


@keras.saving.register_keras_serializable(package="keras_losses")
class CenterLoss(OfClasses):
    """Adds the distances of embeddings to the centers of their classes to what `fit` minimises, moves these, and passes on.

    Formula: per embedding x of class y `|x - c_y|^2 / 2`, with the gradient of x alone.

    The centers are a variable, `layer.centers`, `(classes, D)`, that starts from zeros: saved with the model, and no part of
    what an optimizer trains. A training step uses them, and then moves each by `alpha (sum_i x_i - n c) / (1 + n)` over the n
    embeddings of its class that count (not masked, not ignored, of a weight other than 0, finite); on several replicas of
    `tf.distribute` by the mean over these. Validation and prediction leave them as they are.

    Args:
        classes: number of classes.
        alpha: how fast the centers follow, in [0, 1].
        weight: number that multiplies the loss, the paper's lambda; a variable, as in `AddLoss`.
        ignore_class: integer label whose embeddings do not count.
        reduction: `"sum_over_batch_size"`, `"sum"` (the paper's), or `"mean_with_sample_weight"`.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`. Passed on, unchanged.
        y_true: `(B, ...)` integer labels, an input of the model. None: nothing is added or moved, for a model that predicts.
        sample_weight: weights, as of any loss.

    Returns:
        `embeddings`.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x, y = keras.Input((2,)), keras.Input((), dtype="int32")
    >>> layer = kl.layers.CenterLoss(2, name="centers")
    >>> model = keras.Model([x, y], layer(keras.layers.Dense(2, kernel_initializer="identity")(x), y))
    >>> model.compile(keras.optimizers.SGD(0.0))
    >>> history = model.fit([np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([0, 0])], verbose=0).history
    >>> history["centers"], keras.ops.convert_to_numpy(layer.centers).tolist()
    ([6.25], [[0.5, 1.0], [0.0, 0.0]])

    Reference: Y. Wen et al., A discriminative feature learning approach for deep face recognition, 2016.
    """

    formula = _ToCenter
    fields = ("ignore_class", "reduction")
    arguments = OfClasses.arguments | {"alpha": Fraction}
    alpha: float

    def __init__(
        self,
        classes: int,
        alpha: float = 0.5,
        weight: float = 1.0,
        ignore_class: int | None = None,
        reduction: Reduction = "sum_over_batch_size",
        **kwargs: Any,
    ):
        given = {"classes": classes, "alpha": alpha, "ignore_class": ignore_class, "reduction": reduction}
        super().__init__(given, weight, **kwargs)
        self._labelled = _Labelled(ignore_class=given["ignore_class"], name=self.loss.name)

    def build(self, embeddings_shape: Any) -> None:
        dtype = at_least_float32(self.variable_dtype)
        self.centers: Any = self.add_vectors(
            embeddings_shape[-1], initializer="zeros", trainable=False, name="centers", dtype=dtype, aggregation="mean"
        )
        self.vectors = self.centers
        self.built = True

    def call(self, embeddings: Any, y_true: Any = None, sample_weight: Any = None, training: bool | None = None) -> Any:
        if y_true is None:
            return embeddings
        value = self.value(embeddings, y_true, sample_weight)
        if training:  # before the loss is added: on replicas of `tf.distribute` one that is added earlier has no gradient
            centers = ops.convert_to_tensor(self.centers)
            self.centers.assign(self.moved(centers, embeddings, y_true, sample_weight))
        return self.include(value, embeddings)

    def moved(self, centers: Any, embeddings: Any, y_true: Any, sample_weight: Any) -> Any:
        """Where the centers are after a step."""
        x = ops.stop_gradient(embeddings)
        extra = {"vectors": centers}
        rows = self._labelled._values(y_true, x, sample_weight, get_mask(embeddings), extra, self.loss.dtype).value
        rows = ops.reshape(rows, (-1, rows.shape[-1]))
        sound = ops.all(ops.isfinite(rows), axis=-1, keepdims=True)  # not where the label is out of range either
        rows = ops.cast(ops.where(sound, rows, ops.zeros_like(rows)), centers.dtype)
        own, x = rows[:, : self.classes], rows[:, self.classes :]
        count = ops.expand_dims(ops.sum(own, axis=0), 1)
        return centers + self.alpha * (ops.transpose(own) @ x - count * centers) / (1 + count)
