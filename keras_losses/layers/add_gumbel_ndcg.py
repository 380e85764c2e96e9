"""GumbelApproxNDCG with noise that is drawn anew in each training step."""

from typing import Annotated, Any

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.config import holder_arguments
from keras_losses.core.fields import Positive, Range, shorten
from keras_losses.core.record import checked
from keras_losses.layers.add_loss import AddLoss
from keras_losses.ranking.approximate import GumbelApproxNDCG

_FIELDS = {"samples": Annotated[int, Range(ge=1)], "scale": Positive, "seed": int | None}


@keras.saving.register_keras_serializable(package="keras_losses")
class AddGumbelNDCG(AddLoss):
    """Adds a GumbelApproxNDCG loss to what `fit` minimises, draws its noise, and passes the scores on.

    The layer owns the state of its random numbers, a variable, so that a compiled step draws other noise each time; as that of
    Keras's Dropout, it begins anew in a loaded model. Validation and prediction add no noise: there the loss is `ApproxNDCG`.

    Args:
        loss: a `keras_losses.GumbelApproxNDCG` that reduces to one number; its `noise` is not used.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        samples: how many times noise is drawn for each list, >= 1. Memory grows with it.
        scale: multiplies the noise, > 0: the larger, the further from the present order.
        seed: integer for the same noise in each run, or None.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        y_pred: scores `(B, N)`, which are passed on, unchanged.
        y_true: relevances `(B, N)`, an input of the model. None: nothing is added, for a model that predicts.
        sample_weight: weights, as of any loss.

    Returns:
        `y_pred`.

    Raises:
        ValueError: `loss` is no GumbelApproxNDCG, or does not reduce to one number, or an argument is out of range.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x, y = keras.Input((4,)), keras.Input((3,))
    >>> ndcg = kl.layers.AddGumbelNDCG(kl.GumbelApproxNDCG(), samples=4, seed=0, name="ndcg")
    >>> model = keras.Model([x, y], ndcg(keras.layers.Dense(3)(x), y))
    >>> model.compile("sgd")
    >>> sorted(model.fit([np.ones((2, 4)), np.array([[1, 0, 2], [0, 1, -1]])], verbose=0).history)
    ['loss', 'ndcg']

    Reference: S. Bruch et al., A stochastic treatment of learning to rank scoring functions, 2020.
    """

    def __init__(
        self,
        loss: GumbelApproxNDCG,
        weight: float = 1.0,
        samples: int = 8,
        scale: float = 1.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        # Not cast to the compute dtype of the layer: relevances that are fractions would be rounded.
        super().__init__(loss, weight, autocast=False, **kwargs)
        if not isinstance(loss, GumbelApproxNDCG):
            raise ValueError(f"{self.name}: `loss` must be a keras_losses.GumbelApproxNDCG. Received: {shorten(loss)}")
        for field, value in (("samples", samples), ("scale", scale), ("seed", seed)):
            setattr(self, field, checked(type(self), field, value, _FIELDS[field]))
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, y_pred: Any, y_true: Any = None, sample_weight: Any = None, training: bool | None = None) -> Any:
        if y_true is None:
            return y_pred
        lists, size = (known if known is not None else ops.shape(y_pred)[i] for i, known in enumerate(y_pred.shape[:2]))
        noise = self.draw((lists, self.samples, size)) if training else ops.zeros((1, 1, size))
        loss: Any = self.loss
        return self.include(loss(y_true, y_pred, sample_weight=sample_weight, noise=noise), y_pred)

    def draw(self, shape: Any) -> Any:
        """Noise of the Gumbel distribution, times `scale`."""
        # An exact 0 or 1 would be infinite noise.
        uniform = math.clip(keras.random.uniform(shape, dtype="float32", seed=self.generator), 1e-7, 1 - 1e-7)
        return -self.scale * ops.log(-ops.log(uniform))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{field: getattr(self, field) for field in _FIELDS}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AddGumbelNDCG":
        return cls(**holder_arguments(cls, config, weight=float, trainable=bool, **_FIELDS))
