"""A loss inside a model, for what `compile` cannot express."""

from typing import Any

import keras
from keras import ops

from keras_losses.core import replicas
from keras_losses.core.config import holder_arguments
from keras_losses.core.fields import shorten
from keras_losses.core.record import checked
from keras_losses.math import safe_divide


class _Logged(keras.metrics.Metric):
    """Shows in the logs what a layer has summed up in its own variables.

    A metric that a layer updates in its `call` does not work with the trainer of JAX: its forward pass carries the
    variables of layers, not those of metrics.
    """

    def __init__(self, total: Any, count: Any, name: str):
        super().__init__(name=name)
        self.previous = self.add_variable(shape=(), initializer="zeros", name="previous")
        # Held in a tuple of functions, so that the metric does not track the variables as its own.
        self._sums = (lambda: total, lambda: count)

    @property
    def total(self) -> Any:
        return self._sums[0]()

    @property
    def count(self) -> Any:
        return self._sums[1]()

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the layer sums up."""

    def result(self) -> Any:
        try:
            return safe_divide(ops.convert_to_tensor(self.total), ops.convert_to_tensor(self.count))
        except TypeError:
            # In a compiled step of JAX the metrics are read where the variables of layers have no value. Only the log of
            # single batches is read there; it shows the mean of the epoch before.
            return ops.convert_to_tensor(self.previous)

    def reset_state(self) -> None:
        self.previous.assign(self.result())
        self.total.assign(0.0)
        self.count.assign(0.0)


@keras.saving.register_keras_serializable(package="keras_losses")
class AddLoss(keras.layers.Layer):
    """Adds a loss between tensors of a model to what `fit` minimises, and passes its first input on.

    For an activity penalty, a loss between two branches, or a loss that needs a further input. The value is logged under
    the name of the layer: the mean over the epoch, each batch weighed by its size; under `tf.distribute`, over what the first
    replica has seen.

    Args:
        loss: a `keras.losses.Loss` that reduces to one number.
        weight: number that multiplies the loss. It is a variable, `layer.weight`: assign to it during training, from a
            callback for instance, and the next step uses the new number.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        y_pred: the tensor that is passed on, unchanged; or a list of tensors, for a loss that takes one.
        y_true: the target, any tensor of the model. None: zeros, a penalty on `y_pred`.
        sample_weight: weights, as of any loss.

    Returns:
        `y_pred`.

    Raises:
        ValueError: `loss` is no loss, or does not reduce to one number.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x = keras.Input((4,))
    >>> code = kl.layers.AddLoss(kl.MeanAbsoluteError(), weight=0.1, name="sparsity")(keras.layers.Dense(3)(x))
    >>> model = keras.Model(x, keras.layers.Dense(1)(code))
    >>> model.compile("sgd", kl.MeanSquaredError())
    >>> sorted(model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0).history)
    ['loss', 'sparsity']
    """

    def __init__(self, loss: keras.losses.Loss, weight: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(loss, keras.losses.Loss) or loss.reduction in (None, "none"):
            raise ValueError(
                f"{self.name}: `loss` must be a keras.losses.Loss that reduces to one number. Received: {shorten(loss)}"
            )
        self.loss = loss
        self._initial_weight = checked(type(self), "weight", weight, float)
        self.weight: Any = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self._initial_weight),
            trainable=False,
            name="weight",
            autocast=False,
        )
        self.metric = self.add_logged(self.name)
        self.supports_masking = True
        self.built = True

    def call(self, y_pred: Any, y_true: Any = None, sample_weight: Any = None) -> Any:
        target = keras.tree.map_structure(ops.zeros_like, y_pred) if y_true is None else y_true
        return self.include(self.loss(target, y_pred, sample_weight=sample_weight), y_pred)

    def include(self, value: Any, y_pred: Any) -> Any:
        """`y_pred`, after the value of the loss has been added to what `fit` minimises, and logged."""
        # The loss has divided by the number of replicas, and Keras does so with what a layer adds.
        value = value * replicas.added_up()
        self.add_loss(ops.cast(self.weight, value.dtype) * value)
        self.log(self.metric, value, y_pred)
        return y_pred

    def log(self, metric: Any, value: Any, y_pred: Any) -> None:
        """Count a value for the batch of `y_pred` among those whose mean a metric of `add_logged` shows."""
        samples = ops.cast(ops.shape(keras.tree.flatten(y_pred)[0])[0], metric.total.dtype)
        metric.total.assign_add(ops.cast(ops.stop_gradient(value), samples.dtype) * samples)
        metric.count.assign_add(samples)

    def add_logged(self, name: str, prefix: str = "") -> Any:
        """A metric of the mean over an epoch, summed up in variables of this layer whose names begin with `prefix`."""
        return _Logged(self.add_sum(f"{prefix}total"), self.add_sum(f"{prefix}count"), name=name)

    def add_sum(self, name: str) -> Any:
        # Not cast to half precision: there a sum would stop growing, and on one backend what is added to the copy is lost.
        # Not added up over replicas: they would take turns here, and Keras loses what layers have added to the loss by then.
        return self.add_weight(shape=(), initializer="zeros", trainable=False, name=name, dtype="float32", autocast=False)

    def compute_output_shape(self, y_pred_shape: Any, *args: Any, **kwargs: Any) -> Any:
        return y_pred_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "loss": keras.losses.serialize(self.loss),
            "weight": self._initial_weight,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AddLoss":
        return cls(**holder_arguments(cls, config, weight=float, trainable=bool))
