"""Logits with a fixed margin at the class of an embedding: the cosine family of softmax losses."""

import math as numbers
from typing import Annotated, Any

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Range
from keras_losses.layers.class_weights import ClassWeights, Count

Angle = Annotated[float, Range(ge=0, le=numbers.pi)]


@keras.saving.register_keras_serializable(package="keras_losses")
class NormalizedSoftmax(ClassWeights):
    """Logits that are the cosines between embeddings and the vector of each class, without a margin.

    Formula: `cos(x, w_j) / temperature` for each class j.

    Args:
        classes: number of classes.
        temperature: divides the cosines, > 0.
        ignore_class: integer label that is no class.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, of any length.
        y_true: `(B, ...)` integer labels, or None. Without a margin they only matter where they are out of range.

    Returns:
        `(B, ..., classes)` logits, in float32 at least, for a cross-entropy with `from_logits=True`. The row of a label out of
        range is NaN, with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> layer = kl.layers.NormalizedSoftmax(2, temperature=0.5)
    >>> layer.build((None, 2))
    >>> layer.set_weights([np.array([[1.0, 0.0], [0.0, 3.0]])])
    >>> keras.ops.convert_to_numpy(layer(np.array([[2.0, 0.0]]))).tolist()
    [[2.0, 0.0]]

    Reference: A. Zhai, H.-Y. Wu, Classification is a strong baseline for deep metric learning, 2019, arXiv:1811.12649.
    """

    def __init__(self, classes: int, temperature: float = 0.05, ignore_class: int | None = None, **kwargs: Any):
        super().__init__(classes=classes, temperature=temperature, ignore_class=ignore_class, **kwargs)


@keras.saving.register_keras_serializable(package="keras_losses")
class CosFace(ClassWeights):
    """Logits that are cosines to the classes, lowered by a margin at the own one (CosFace, additive margin softmax).

    Formula: `(cos(x, w_y) - margin) / temperature` at the class y of an embedding x, `cos(x, w_j) / temperature` at the others.

    Args:
        classes: number of classes.
        margin: taken from the cosine, >= 0.
        temperature: divides the cosines, > 0; the usual scale of 64 is 1/64.
        ignore_class: integer label that is no class: its embeddings get no margin.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, of any length.
        y_true: `(B, ...)` integer labels, an input of the model; None: logits without margin, for a model that predicts.

    Returns:
        `(B, ..., classes)` logits, in float32 at least, for a cross-entropy with `from_logits=True`. The row of a label out of
        range is NaN, with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> layer = kl.layers.CosFace(2, margin=0.25, temperature=0.5)
    >>> layer.build((None, 2))
    >>> layer.set_weights([np.array([[1.0, 0.0], [0.0, 3.0]])])
    >>> keras.ops.convert_to_numpy(layer(np.array([[2.0, 0.0]]), np.array([0]))).tolist()
    [[1.5, 0.0]]

    Reference: H. Wang et al., CosFace: large margin cosine loss for deep face recognition, 2018, arXiv:1801.09414.
    """

    arguments = ClassWeights.arguments | {"margin": NonNegative}
    margin: float

    def __init__(
        self,
        classes: int,
        margin: float = 0.35,
        temperature: float = 1 / 64,
        ignore_class: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(classes=classes, margin=margin, temperature=temperature, ignore_class=ignore_class, **kwargs)

    def penalized(self, own: Any, x: Any) -> Any:
        return own - self.margin


class AngularMargin(ClassWeights):
    """Base of the layers that add a margin to the angle between an embedding and its class."""

    arguments = ClassWeights.arguments | {"margin": Angle}
    margin: float

    def __init__(
        self,
        classes: int,
        margin: float = 0.5,
        temperature: float = 1 / 64,
        ignore_class: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(classes=classes, margin=margin, temperature=temperature, ignore_class=ignore_class, **kwargs)

    def penalized(self, own: Any, x: Any) -> Any:
        cos, sin = numbers.cos(self.margin), numbers.sin(self.margin)
        # Beyond pi the cosine of the sum would rise again: there it is a line that goes on falling.
        return ops.where(own > -cos, cos * own - sin * sine(own), own - self.margin * sin)


@keras.saving.register_keras_serializable(package="keras_losses")
class ArcFace(AngularMargin):
    """Logits that are cosines to the classes, with a margin added to the angle at the own one.

    Formula: with the angle theta between an embedding and its class `cos(theta + margin) / temperature` at that class, where
    `theta + margin` reaches pi `(cos(theta) - margin sin(margin)) / temperature`; `cos(x, w_j) / temperature` at the others.

    Args:
        classes: number of classes.
        margin: angle in radians, in [0, pi]; 0.5 is 28.6 degrees.
        temperature: divides the cosines, > 0; the usual scale of 64 is 1/64.
        ignore_class: integer label that is no class: its embeddings get no margin.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, of any length.
        y_true: `(B, ...)` integer labels, an input of the model; None: logits without margin, for a model that predicts.

    Returns:
        `(B, ..., classes)` logits, in float32 at least, for a cross-entropy with `from_logits=True`. The row of a label out of
        range is NaN, with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x, y = keras.Input((4,)), keras.Input((), dtype="int32")
    >>> embeddings, arc = keras.layers.Dense(3)(x), kl.layers.ArcFace(5)
    >>> training = keras.Model([x, y], arc(embeddings, y))
    >>> training.compile("sgd", kl.SparseCategoricalCrossentropy(from_logits=True))
    >>> data = np.random.default_rng(0).normal(size=(10, 4)), np.arange(10) % 5
    >>> history = training.fit(data, data[1], verbose=0)
    >>> predicting = keras.Model(x, arc(embeddings))
    >>> predicting.predict(data[0], verbose=0).shape
    (10, 5)

    Reference: J. Deng et al., ArcFace: additive angular margin loss for deep face recognition, 2018, arXiv:1801.07698.
    """


@keras.saving.register_keras_serializable(package="keras_losses")
class SubCenterArcFace(AngularMargin):
    """ArcFace with several vectors a class, of which the nearest counts: noisy samples gather around the others.

    Formula: that of `ArcFace`, with the largest of the cosines between an embedding and the vectors of a class in place of the
    cosine.

    Args:
        classes: number of classes.
        margin: angle in radians, in [0, pi].
        temperature: divides the cosines, > 0; the usual scale of 64 is 1/64.
        centers: number of vectors of each class. Those of one class lie side by side in `layer.kernel`,
            `(D, classes * centers)`.
        ignore_class: integer label that is no class: its embeddings get no margin.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, of any length.
        y_true: `(B, ...)` integer labels, an input of the model; None: logits without margin, for a model that predicts.

    Returns:
        `(B, ..., classes)` logits, in float32 at least, for a cross-entropy with `from_logits=True`. The row of a label out of
        range is NaN, with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> layer = kl.layers.SubCenterArcFace(2, temperature=0.5, centers=2)
    >>> layer.build((None, 2))
    >>> layer.set_weights([np.array([[1.0, 0.0, 0.0, -1.0], [0.0, 1.0, -1.0, 0.0]])])
    >>> keras.ops.convert_to_numpy(layer(np.array([[0.0, 2.0]]))).tolist()
    [[2.0, 0.0]]

    Reference: J. Deng et al., Sub-center ArcFace: boosting face recognition by large-scale noisy web faces, 2020.
    """

    arguments = AngularMargin.arguments | {"centers": Count}

    def __init__(
        self,
        classes: int,
        margin: float = 0.5,
        temperature: float = 1 / 64,
        centers: int = 3,
        ignore_class: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(classes, margin, temperature, ignore_class, centers=centers, **kwargs)

    def similarities(self, x: Any, kernel: Any) -> Any:
        return math.largest(self.by_center(x, kernel))


@keras.saving.register_keras_serializable(package="keras_losses")
class SphereFace(ClassWeights):
    """Logits that are projections on the classes, with the angle to the own one multiplied (SphereFace, A-softmax).

    Formula: with the angle theta between an embedding x and its class, and the whole number k of times that `pi / margin` fits
    into it, `|x| ((-1)^k cos(margin theta) - 2k) / temperature` at that class, which falls from 0 to pi;
    `|x| cos(x, w_j) / temperature` at the others.

    Args:
        classes: number of classes.
        margin: by what the angle is multiplied, an integer from 1 to 16.
        temperature: divides the logits, > 0.
        ignore_class: integer label that is no class: its embeddings get no margin.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, whose lengths count.
        y_true: `(B, ...)` integer labels, an input of the model; None: logits without margin, for a model that predicts.

    Returns:
        `(B, ..., classes)` logits, in float32 at least, for a cross-entropy with `from_logits=True`. The row of a label out of
        range is NaN, with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> layer = kl.layers.SphereFace(2, margin=2)
    >>> layer.build((None, 2))
    >>> layer.set_weights([np.array([[1.0, 0.0], [0.0, 3.0]])])
    >>> keras.ops.convert_to_numpy(layer(np.array([[2.0, 0.0]]), np.array([1]))).tolist()
    [[2.0, -2.0]]

    Reference: W. Liu et al., SphereFace: deep hypersphere embedding for face recognition, 2017, arXiv:1704.08063.
    """

    arguments = ClassWeights.arguments | {"margin": Annotated[int, Range(ge=1, le=16)]}
    margin: int

    def __init__(
        self,
        classes: int,
        margin: int = 4,
        temperature: float = 1.0,
        ignore_class: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(classes=classes, margin=margin, temperature=temperature, ignore_class=ignore_class, **kwargs)

    def similarities(self, x: Any, kernel: Any) -> Any:
        return x @ math.normalize(kernel, axis=0)

    def penalized(self, own: Any, x: Any) -> Any:
        length = math.safe_norm(x, keepdims=True)
        cosine = math.safe_divide(own, length)
        # cos(m theta) is a polynomial of cos(theta), that of Chebyshev.
        before, multiple = ops.ones_like(cosine), cosine
        for _ in range(self.margin - 1):
            before, multiple = multiple, 2 * cosine * multiple - before
        sign, folds = ops.ones_like(cosine), ops.zeros_like(cosine)
        for k in range(1, self.margin):
            beyond = cosine < numbers.cos(k * numbers.pi / self.margin)
            sign, folds = ops.where(beyond, -sign, sign), folds + ops.cast(beyond, folds.dtype)
        return length * (sign * multiple - 2 * folds)


def sine(cosine: Any) -> Any:
    """The sine of an angle in [0, pi], from its cosine; its slope is 0 where it would be infinite."""
    return math.safe_sqrt((1 - cosine) * (1 + cosine))
