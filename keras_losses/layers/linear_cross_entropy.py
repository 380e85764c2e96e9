"""The last layer of a language model and its cross-entropy in one, without the logits."""

import warnings
from typing import Any

import keras
from keras import ops

from keras_losses.core.config import layer_arguments
from keras_losses.core.fields import shorten
from keras_losses.core.record import field_types
from keras_losses.language.linear import ProjectedCrossEntropy
from keras_losses.layers.add_loss import AddLoss
from keras_losses.math import tanh

_ARGUMENTS = ("ignore_class", "class_weight", "label_smoothing", "z_loss", "soft_cap", "block_size", "reduction")


@keras.saving.register_keras_serializable(package="keras_losses")
class LinearCrossEntropy(AddLoss):
    """Adds the cross-entropy of a linear layer to what `fit` minimises, without ever holding the logits.

    It stands where the last layer of a language model would: a model for training gives it the targets, and it passes on
    the hidden states; a model that predicts gives it none, and gets the logits, capped if `soft_cap` is given. The value is
    logged under the name of the layer, the share of right tokens under that name followed by `_accuracy`.
    `linear_cross_entropy` has the formula. In training the gradients are computed along with the value.

    Args:
        projection: a `keras.layers.Dense` without activation, or a `keras.layers.Embedding`, whose table is then used in both
            directions: give the layer that embeds the inputs, to tie them.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        ignore_class: integer label whose tokens do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.
        label_smoothing: in [0, 1].
        z_loss: number >= 0 that multiplies `logsumexp(z)^2`.
        soft_cap: number > 0, or None: logits become `soft_cap * tanh(z / soft_cap)`.
        block_size: tokens in a block; by default so many that their logits take 128 MiB, twice that on TensorFlow.
        reduction: `"sum_over_batch_size"`, `"sum"`, or `"mean_with_sample_weight"`.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        hidden: `(B, ..., D)`.
        y_true: `(B, ...)` integer labels, an input of the model; None: the layer returns logits.
        sample_weight: weights of the tokens, or of the samples.

    Returns:
        `hidden`, or the logits `(B, ..., V)` if there are no targets.

    Raises:
        ValueError: an argument is out of range, or `projection` is neither layer, or has an activation.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> tokens, following = keras.Input((8,), dtype="int32"), keras.Input((8,), dtype="int32")
    >>> embed = keras.layers.Embedding(50, 16)
    >>> head = kl.layers.LinearCrossEntropy(embed, name="head")
    >>> hidden = keras.layers.GRU(16, return_sequences=True)(embed(tokens))
    >>> training = keras.Model([tokens, following], head(hidden, following))
    >>> predicting = keras.Model(tokens, head(hidden))
    >>> training.compile("adam")
    >>> x = np.arange(72).reshape(9, 8) % 50
    >>> sorted(training.fit([x, (x + 1) % 50], verbose=0).history)
    ['head', 'head_accuracy', 'loss']
    >>> predicting.predict(x, verbose=0).shape
    (9, 8, 50)

    Reference: E. Wijmans et al., Cut your losses in large-vocabulary language models, 2024, arXiv:2411.09009.
    """

    def __init__(self, projection: keras.layers.Layer, weight: float = 1.0, **kwargs: Any):
        given = {name: kwargs.pop(name) for name in _ARGUMENTS if name in kwargs}
        loss = ProjectedCrossEntropy(name="linear_cross_entropy", **given)
        # Not cast to the compute dtype of the layer: float labels, which an input is by default, would not survive it.
        super().__init__(loss, weight, autocast=False, **kwargs)
        linear = isinstance(projection, keras.layers.Dense) and projection.activation is keras.activations.linear
        if not (linear or isinstance(projection, keras.layers.Embedding)):
            raise ValueError(
                f"{self.name}: `projection` must be a keras.layers.Dense without activation, or a keras.layers.Embedding. "
                f"Received: {shorten(projection)}"
            )
        self.projection: Any = projection
        self._evaluation = ProjectedCrossEntropy(name="linear_cross_entropy", recompute=True, **given)
        self.accuracy = self.add_logged(f"{self.name}_accuracy", "accuracy_")
        self.built = False

    def build(self, hidden_shape: Any, *args: Any) -> None:
        if not self.projection.built:
            self.projection.build(hidden_shape)
        self.built = True

    @property
    def _tied(self):
        return isinstance(self.projection, keras.layers.Embedding)

    def call(self, hidden: Any, y_true: Any = None, sample_weight: Any = None, training: bool | None = None) -> Any:
        kernel = ops.convert_to_tensor(self.projection.embeddings if self._tied else self.projection.kernel)
        bias = None if self._tied or self.projection.bias is None else ops.convert_to_tensor(self.projection.bias)
        if y_true is None:
            return self._logits(hidden, kernel, bias)
        loss: Any = self.loss if training else self._evaluation
        value, accuracy = loss.of(y_true, hidden, kernel, bias, sample_weight, transposed=self._tied)
        self.log(self.accuracy, accuracy, hidden)
        return self.include(value, hidden)

    def _logits(self, hidden, kernel, bias):
        logits = hidden @ ops.cast(ops.transpose(kernel) if self._tied else kernel, hidden.dtype)
        logits = logits if bias is None else logits + ops.cast(bias, logits.dtype)
        cap = self._evaluation.soft_cap
        return logits if cap is None else cap * tanh(logits / cap)

    def compute_output_shape(self, hidden_shape: Any, y_true_shape: Any = None, *args: Any, **kwargs: Any) -> Any:
        if y_true_shape is not None:
            return hidden_shape
        classes = self.projection.input_dim if self._tied else self.projection.units
        return (*hidden_shape[:-1], classes)

    def get_config(self) -> dict[str, Any]:
        config, own = super().get_config(), self.loss.get_config()
        del config["loss"]
        projection = keras.saving.serialize_keras_object(self.projection)
        return {**config, "projection": projection, **{name: own[name] for name in _ARGUMENTS}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LinearCrossEntropy":
        types = {name: hint for name, hint in field_types(ProjectedCrossEntropy).items() if name in _ARGUMENTS}
        arguments = layer_arguments(cls, config, projection=None, weight=float, trainable=bool, **types)
        projection = config.get("projection")
        kind = projection.get("class_name") if isinstance(projection, dict) else None
        if kind not in ("Dense", "Embedding"):
            raise ValueError(f"{cls.__name__}.projection: must be a Dense or an Embedding. Received: {shorten(projection)}")
        if kind == "Embedding":
            warnings.warn(
                f"{cls.__name__}: a model that is made from a config holds a copy of the Embedding in `projection`, tied to no "
                "other layer. To keep it tied, build the model by its code and load the weights.",
                stacklevel=2,
            )
        return cls(keras.saving.deserialize_keras_object(projection), **arguments)
