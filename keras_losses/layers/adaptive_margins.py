"""Logits whose margin follows the training: the course of the cosines, or the lengths of the embeddings."""

from typing import Any

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.fields import Fraction, NonNegative
from keras_losses.layers.class_weights import ClassWeights, at, counted, follow
from keras_losses.layers.margins import Angle, AngularMargin, sine


@keras.saving.register_keras_serializable(package="keras_losses")
class CurricularFace(AngularMargin):
    """ArcFace that weighs hard negatives little at first, and more as the embeddings come near their classes.

    Formula: at the class of an embedding the logit T of `ArcFace`. At another class j, `cos(x, w_j)`, and where that exceeds T
    `cos(x, w_j) (t + cos(x, w_j))`; all over `temperature`. `t` is a running mean of the cosines between embeddings and their
    classes, and a constant in the gradient.

    `t` is a variable, `layer.t`, that starts from 0: saved with the model, and no part of what an optimizer trains. A training
    step uses it, and then moves it: `t = momentum t + (1 - momentum) mean`, over the embeddings that have a class.

    Args:
        classes: number of classes.
        margin: angle in radians, in [0, pi].
        temperature: divides the cosines, > 0; the usual scale of 64 is 1/64.
        momentum: in [0, 1], how much of `t` stays at each step.
        ignore_class: integer label that is no class: its embeddings get no margin.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, of any length.
        y_true: `(B, ...)` integer labels, an input of the model; None: plain cosines, for a model that predicts.

    Returns:
        `(B, ..., classes)` logits, in float32 at least, for a cross-entropy with `from_logits=True`. The row of a label out of
        range is NaN, with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x, y = keras.Input((2,)), keras.Input((), dtype="int32")
    >>> layer = kl.layers.CurricularFace(2)
    >>> model = keras.Model([x, y], layer(x, y))
    >>> layer.set_weights([np.eye(2), np.zeros(())])
    >>> model.compile("sgd", kl.SparseCategoricalCrossentropy(from_logits=True))
    >>> labels = np.array([0, 1])
    >>> history = model.fit([np.eye(2), labels], labels, verbose=0)
    >>> round(float(layer.t), 4)
    0.01

    Reference: Y. Huang et al., CurricularFace: adaptive curriculum learning loss for deep face recognition, 2020,
    arXiv:2004.00288.
    """

    arguments = AngularMargin.arguments | {"momentum": Fraction}
    momentum: float

    def __init__(
        self,
        classes: int,
        margin: float = 0.5,
        temperature: float = 1 / 64,
        momentum: float = 0.99,
        ignore_class: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(classes, margin, temperature, ignore_class, momentum=momentum, **kwargs)

    def build(self, embeddings_shape: Any) -> None:
        super().build(embeddings_shape)
        self.t: Any = self.add_state("t")

    def margined(self, similarities: Any, own: Any, x: Any, training: Any) -> Any:
        cosine, t = at(own, similarities), ops.cast(ops.convert_to_tensor(self.t), similarities.dtype)
        target = self.penalized(cosine, x)
        # Without a class there is no target, and nothing is harder than it.
        hard = ops.logical_and(similarities > target, ops.any(own, axis=-1, keepdims=True))
        others = ops.where(hard, similarities * (t + similarities), similarities)
        if training:  # last: on one backend a variable is changed in place
            some = counted(own, cosine)
            follow(self.t, math.masked_mean(cosine, some, axis=_all_axes(cosine)), ops.any(some), self.momentum)
        return ops.where(own, target, others)


@keras.saving.register_keras_serializable(package="keras_losses")
class AdaFace(ClassWeights):
    """Logits with a margin that depends on the length of the embedding, which stands for the quality of an image.

    Formula: with `z = (|x| - mean) / std * h`, kept in [-1, 1] and constant in the gradient, and the angle theta between an
    embedding and its class, `(cos(theta - margin z) - margin (1 + z)) / temperature` at that class, where the angle is kept in
    [0, pi], as in the authors' code; `cos(x, w_j) / temperature` at the others.

    The mean and the standard deviation of the lengths are variables, `layer.mean` and `layer.std`, that start from 20 and 100:
    saved with the model, and no part of what an optimizer trains. A training step first moves them to those of its batch, over
    the embeddings that have a class: `mean = momentum mean + (1 - momentum) batch mean`.
    A replica of `tf.distribute` uses those of its own part, as batch normalisation does, and the variables are their mean.

    Args:
        classes: number of classes.
        margin: angle in radians, in [0, pi].
        h: how far from the mean the margin still changes: `1 / h` standard deviations, >= 0.
        temperature: divides the cosines, > 0; the usual scale of 64 is 1/64.
        momentum: in [0, 1], how much of the statistics stays at each step.
        ignore_class: integer label that is no class: its embeddings get no margin.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, as they are: their lengths count.
        y_true: `(B, ...)` integer labels, an input of the model; None: logits without margin, for a model that predicts.

    Returns:
        `(B, ..., classes)` logits, in float32 at least, for a cross-entropy with `from_logits=True`. The row of a label out of
        range is NaN, with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> layer = kl.layers.AdaFace(2, margin=0.25, temperature=0.5)
    >>> layer.build((None, 2))
    >>> layer.set_weights([np.array([[1.0, 0.0], [0.0, 3.0]]), np.array(2.0), np.array(1.0)])
    >>> keras.ops.convert_to_numpy(layer(np.array([[2.0, 0.0]]), np.array([0]))).tolist()  # of the mean length: as CosFace
    [[1.5, 0.0]]

    Reference: M. Kim, A. Jain, X. Liu, AdaFace: quality adaptive margin for face recognition, 2022, arXiv:2204.00964.
    """

    arguments = ClassWeights.arguments | {"margin": Angle, "h": NonNegative, "momentum": Fraction}
    margin: float
    h: float
    momentum: float

    def __init__(
        self,
        classes: int,
        margin: float = 0.4,
        h: float = 0.333,
        temperature: float = 1 / 64,
        momentum: float = 0.99,
        ignore_class: int | None = None,
        **kwargs: Any,
    ):
        own = {"margin": margin, "h": h, "momentum": momentum}
        super().__init__(classes=classes, temperature=temperature, ignore_class=ignore_class, **own, **kwargs)

    def build(self, embeddings_shape: Any) -> None:
        super().build(embeddings_shape)
        self.mean: Any = self.add_state("mean", 20.0)
        self.std: Any = self.add_state("std", 100.0)

    def margined(self, similarities: Any, own: Any, x: Any, training: Any) -> Any:
        if training:
            length = math.safe_norm(x, keepdims=True)
            some = counted(own, length)
            mean = math.masked_mean(length, some, axis=_all_axes(length))
            variance = math.masked_mean(ops.square(length - mean), some, axis=_all_axes(length))
            follow(self.mean, mean, ops.any(some), self.momentum)
            follow(self.std, math.safe_sqrt(variance), ops.any(some), self.momentum)
        return super().margined(similarities, own, x, training)

    def penalized(self, own: Any, x: Any) -> Any:
        mean, std = (ops.cast(ops.convert_to_tensor(v), x.dtype) for v in (self.mean, self.std))
        length = math.safe_norm(ops.stop_gradient(x), keepdims=True)
        z = math.clip(self.h * math.safe_divide(length - mean, std + ops.zeros_like(length)), -1.0, 1.0)
        angle = -self.margin * z
        cos, sin = math.cos(angle), math.sin(angle)
        turned = cos * own - sin * sine(own)
        turned = ops.where(ops.logical_and(angle < 0, own > cos), ops.ones_like(own), turned)  # below 0
        turned = ops.where(ops.logical_and(angle > 0, own < -cos), -ops.ones_like(own), turned)  # above pi
        return turned - self.margin * (1 + z)


def _all_axes(x):
    return tuple(range(len(x.shape)))
