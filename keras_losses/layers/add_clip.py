"""CLIP and SigLIP whose temperature, and bias, are learned."""

import math as numbers
from typing import Any

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.config import holder_arguments
from keras_losses.core.fields import Positive, shorten
from keras_losses.core.record import checked
from keras_losses.layers.add_loss import AddLoss
from keras_losses.self_supervised.language import CLIP, Matched, SigLIP


class _AtLeast(keras.constraints.Constraint):
    """Keeps a variable at a number or above, after each step of the optimizer."""

    def __init__(self, low: float):
        self.low = low

    def __call__(self, w: Any) -> Any:
        return math.maximum(ops.convert_to_tensor(w), self.low)

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low}


class _AddMatched(AddLoss):
    """What the two layers share: the learned temperature, and inputs that are stacked or two tensors."""

    holds: Any = Matched

    def __init__(self, loss: Any, weight: float, constraint: Any = None, **kwargs: Any):
        super().__init__(loss, weight, **kwargs)
        if not isinstance(loss, self.holds):
            raise ValueError(f"{self.name}: `loss` must be a keras_losses.{self.holds.__name__}. Received: {shorten(loss)}")
        self.log_temperature: Any = self.add_number("log_temperature", numbers.log(loss.temperature), constraint)

    def add_number(self, name: str, start: float, constraint: Any = None) -> Any:
        """A number that is trained, in float32 whatever the policy of the layer."""
        return self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(start),
            name=name,
            dtype="float32",
            autocast=False,
            constraint=constraint,
        )

    @property
    def temperature(self) -> Any:
        """The temperature that has been learned so far."""
        return ops.exp(ops.convert_to_tensor(self.log_temperature))

    def learned(self) -> dict[str, Any]:
        """The arguments of the loss that are variables."""
        return {"log_temperature": ops.convert_to_tensor(self.log_temperature)}

    def call(self, y_pred: Any, sample_weight: Any = None) -> Any:
        views = ops.stack(y_pred, axis=1) if isinstance(y_pred, (list, tuple)) else y_pred
        loss: Any = self.loss
        return self.include(loss(None, views, sample_weight=sample_weight, **self.learned()), y_pred)


@keras.saving.register_keras_serializable(package="keras_losses")
class AddCLIP(_AddMatched):
    """Adds a CLIP loss with a learned temperature to what `fit` minimises, and passes the embeddings on.

    The logarithm of the temperature is a variable, `layer.log_temperature`, which the optimizer trains with the model. After
    each step it is lifted to that of `least_temperature`, as the paper does.

    Args:
        loss: a `keras_losses.CLIP` that reduces to one number. The temperature starts from its `temperature`.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        least_temperature: > 0, where the temperature stops falling.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        y_pred: `(B, 2, D)` embeddings of images and texts, or a list of the two, `(B, D)` each. Passed on, unchanged.
        sample_weight: weights, as of any loss.

    Returns:
        `y_pred`.

    Raises:
        ValueError: `loss` is no CLIP loss, or does not reduce to one number.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> image, text = keras.Input((4,)), keras.Input((3,))
    >>> clip = kl.layers.AddCLIP(kl.CLIP(), name="clip")
    >>> model = keras.Model([image, text], clip([keras.layers.Dense(2)(image), keras.layers.Dense(2)(text)]))
    >>> model.compile("sgd")
    >>> history = model.fit([np.eye(4), np.eye(4)[:, :3]], verbose=0)
    >>> bool(clip.temperature != 0.07)
    True

    Reference: A. Radford et al., Learning transferable visual models from natural language supervision, 2021,
    arXiv:2103.00020.
    """

    holds = CLIP

    def __init__(self, loss: CLIP, weight: float = 1.0, least_temperature: float = 0.01, **kwargs: Any):
        self._least_temperature = checked(type(self), "least_temperature", least_temperature, Positive)
        super().__init__(loss, weight, _AtLeast(numbers.log(self._least_temperature)), **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "least_temperature": self._least_temperature}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AddCLIP":
        return cls(**holder_arguments(cls, config, weight=float, least_temperature=Positive, trainable=bool))


@keras.saving.register_keras_serializable(package="keras_losses")
class AddSigLIP(_AddMatched):
    """Adds a SigLIP loss with a learned temperature and bias to what `fit` minimises, and passes the embeddings on.

    The logarithm of the temperature and the bias are variables, `layer.log_temperature` and `layer.bias`, which the optimizer
    trains with the model.

    Args:
        loss: a `keras_losses.SigLIP` that reduces to one number. The variables start from its `temperature` and `bias`.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        y_pred: `(B, 2, D)` embeddings of images and texts, or a list of the two, `(B, D)` each. Passed on, unchanged.
        sample_weight: weights, as of any loss.

    Returns:
        `y_pred`.

    Raises:
        ValueError: `loss` is no SigLIP loss, or does not reduce to one number.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> image, text = keras.Input((4,)), keras.Input((3,))
    >>> siglip = kl.layers.AddSigLIP(kl.SigLIP(), name="siglip")
    >>> model = keras.Model([image, text], siglip([keras.layers.Dense(2)(image), keras.layers.Dense(2)(text)]))
    >>> model.compile("sgd")
    >>> history = model.fit([np.eye(4), np.eye(4)[:, :3]], verbose=0)
    >>> bool(siglip.bias != -10)
    True

    Reference: X. Zhai et al., Sigmoid loss for language image pre-training, 2023, arXiv:2303.15343.
    """

    holds = SigLIP

    def __init__(self, loss: SigLIP, weight: float = 1.0, **kwargs: Any):
        super().__init__(loss, weight, **kwargs)
        self.bias: Any = self.add_number("bias", loss.bias)

    def learned(self) -> dict[str, Any]:
        return {**super().learned(), "bias": ops.convert_to_tensor(self.bias)}
