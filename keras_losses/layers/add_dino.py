"""DINO and iBOT around a moving average of the teacher's logits."""

from typing import Any

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.config import holder_arguments
from keras_losses.core.fields import Fraction, shorten
from keras_losses.core.loss import Loss
from keras_losses.core.private import get_mask
from keras_losses.core.record import checked
from keras_losses.core.spec import real, unused
from keras_losses.layers.add_loss import AddLoss
from keras_losses.self_supervised.teacher import DINO, IBOT


@keras.saving.register_keras_serializable(package="keras_losses")
class AddDINO(AddLoss):
    """Adds a DINO or IBOT loss to what `fit` minimises, keeps its center, and passes the logits on.

    The center is a variable, `layer.center`: saved with the model, and no part of what an optimizer trains. A training step
    uses it, and then moves it: `center = momentum center + (1 - momentum) mean`, the mean of the teacher's logits over the
    samples that count (not masked, of a weight other than 0), their views and patches; on several replicas of
    `tf.distribute` the mean over these. Validation and prediction leave it as it is, and so does a batch in which nothing
    counts.

    Args:
        loss: a `keras_losses.DINO` or `keras_losses.IBOT` that reduces to one number. The center starts from its `center`.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        momentum: in [0, 1], how much of the center stays at each step.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        y_pred: logits of student and teacher, as the loss takes them; passed on, unchanged.
        y_true: for IBOT, which patches were hidden. None: nothing is added or moved, for a model that predicts. DINO does not
            look at it.
        sample_weight: weights, as of any loss.

    Returns:
        `y_pred`.

    Raises:
        ValueError: `loss` is another loss, or does not reduce to one number; `momentum` is out of range.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x = keras.Input((4, 2))  # of two students and two teachers
    >>> dino = kl.layers.AddDINO(kl.DINO(), name="dino")
    >>> model = keras.Model(x, dino(keras.layers.Dense(2, kernel_initializer="identity")(x)))
    >>> model.compile("sgd")
    >>> history = model.fit(np.ones((8, 4, 2)), verbose=0)
    >>> [round(float(x), 4) for x in keras.ops.convert_to_numpy(dino.center)]
    [0.1, 0.1]

    Reference: M. Caron et al., Emerging properties in self-supervised vision transformers, 2021, arXiv:2104.14294.
    """

    def __init__(self, loss: DINO | IBOT, weight: float = 1.0, momentum: float = 0.9, **kwargs: Any):
        super().__init__(loss, weight, **kwargs)
        if not isinstance(loss, (DINO, IBOT)):
            raise ValueError(f"{self.name}: `loss` must be a keras_losses.DINO or IBOT. Received: {shorten(loss)}")
        self.momentum = checked(type(self), "momentum", momentum, Fraction)
        self._teacher_mean = _TeacherMean()
        self.center: Any = None
        self.built = False  # the number of logits is not known yet

    def build(self, y_pred_shape: Any) -> None:
        loss: Any = self.loss
        start = [0.0] * y_pred_shape[-1] if loss.center is None else list(loss.center)
        self.center = self.add_weight(
            shape=(y_pred_shape[-1],),
            initializer=keras.initializers.Constant(start),  # pyright: ignore[reportArgumentType]
            trainable=False,
            name="center",
            dtype="float32",
            autocast=False,
            aggregation="mean",
        )
        self.built = True

    def call(self, y_pred: Any, y_true: Any = None, sample_weight: Any = None, training: bool | None = None) -> Any:
        loss: Any = self.loss
        if y_true is None and isinstance(loss, IBOT):
            return y_pred
        center = ops.convert_to_tensor(self.center)
        value = loss(y_true, y_pred, sample_weight=sample_weight, center=center)
        if training:
            mean, some = self._teacher_mean.of(loss, y_pred, sample_weight)
            self.center.assign(ops.where(some, self.momentum * center + (1 - self.momentum) * mean, center))
        return self.include(value, y_pred)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AddDINO":
        return cls(**holder_arguments(cls, config, weight=float, momentum=Fraction, trainable=bool))


class _TeacherMean(Loss):
    """The teacher's logits, averaged within a sample, and a 1. The base leaves of them what counts, as it does of any loss."""

    y_true = unused("B")
    y_pred = real("B T K")

    def call(self, y_true, y_pred):
        mean = math.mean(y_pred, axis=1)
        return ops.concatenate([mean, ops.ones_like(mean[:, :1])], axis=-1)

    def of(self, loss: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any]:
        """The mean over the samples that count, and whether there are any."""
        logits = ops.stop_gradient(loss.teacher(y_pred))
        total = ops.sum(self._values(None, logits, sample_weight, get_mask(y_pred), {}, "float32").value, axis=0)
        return math.safe_divide(total[:-1], total[-1] + ops.zeros_like(total[:-1])), total[-1] > 0
