"""SoftTriple: several vectors a class, weighed by how near they are, and drawn together."""

from typing import Any

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.layers.class_weights import ClassWeights, Count


class _Merging(keras.regularizers.Regularizer):
    """The distances between the vectors of a class, so that those that are not needed fall together."""

    def __init__(self, layer: "SoftTriple"):
        self.weight, self.classes, self.centers = layer.merging, layer.classes, layer.centers

    def __call__(self, x: Any) -> Any:
        kernel = ops.convert_to_tensor(x)
        unit = ops.reshape(math.normalize(kernel, axis=0), (kernel.shape[0], self.classes, self.centers))
        vectors = ops.transpose(unit, (1, 2, 0))
        # Each pair twice, and each vector with itself, which costs nothing.
        gram = vectors @ ops.transpose(vectors, (0, 2, 1))
        itself = math.diagonal(gram[0])
        distance = math.safe_sqrt(ops.where(itself, ops.zeros_like(gram), 2 - 2 * gram))
        return self.weight / (2 * self.classes * self.centers * (self.centers - 1)) * ops.sum(distance)

    def get_config(self) -> dict[str, Any]:
        return {"weight": self.weight, "classes": self.classes, "centers": self.centers}


@keras.saving.register_keras_serializable(package="keras_losses")
class SoftTriple(ClassWeights):
    """Logits of classes with several vectors each, of which the near ones count most; it adds a loss that draws them together.

    Formula: with the cosines `s_k` between an embedding and the K vectors of a class, the similarity to the class is `S =
    sum_k softmax(s / center_temperature)_k s_k`. The logits are `(S - margin) / temperature` at the class of the embedding,
    `S / temperature` at the others. Added to what `fit` minimises, as the regularizer of the kernel: `merging / (C K (K - 1))`
    times the sum of the distances between the vectors of a class, divided by their lengths.

    Args:
        classes: number of classes.
        margin: taken from the similarity, >= 0.
        temperature: divides the similarities, > 0: 1 over the paper's lambda.
        centers: number of vectors of each class, the paper's K. Those of one class lie side by side in `layer.kernel`,
            `(D, classes * centers)`.
        center_temperature: > 0: the smaller, the more the nearest vector counts; the paper's gamma.
        merging: weight of the added loss, >= 0; the paper's tau. 0 adds none.
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
    >>> layer = kl.layers.SoftTriple(1, centers=2)
    >>> layer.build((None, 2))
    >>> layer.set_weights([np.array([[1.0, 0.0], [0.0, 3.0]])])
    >>> [round(float(keras.ops.convert_to_numpy(x)), 4) for x in layer.losses]  # 0.2 * sqrt(2) / 2
    [0.1414]

    Reference: Q. Qian et al., SoftTriple loss: deep metric learning without triplet sampling, 2019, arXiv:1909.05235.
    """

    arguments = ClassWeights.arguments | {
        "margin": NonNegative,
        "centers": Count,
        "center_temperature": Positive,
        "merging": NonNegative,
    }
    margin: float
    center_temperature: float
    merging: float

    def __init__(
        self,
        classes: int,
        margin: float = 0.01,
        temperature: float = 0.05,
        centers: int = 10,
        center_temperature: float = 0.1,
        merging: float = 0.2,
        ignore_class: int | None = None,
        **kwargs: Any,
    ):
        own = {"margin": margin, "centers": centers, "center_temperature": center_temperature, "merging": merging}
        super().__init__(classes=classes, temperature=temperature, ignore_class=ignore_class, **own, **kwargs)

    def build(self, embeddings_shape: Any) -> None:
        super().build(embeddings_shape)
        if self.merging > 0 and self.centers > 1:
            self.kernel.regularizer = _Merging(self)

    def similarities(self, x: Any, kernel: Any) -> Any:
        cosines = self.by_center(x, kernel)
        share = math.masked_softmax(cosines / self.center_temperature, ops.ones_like(cosines, dtype="bool"))
        return ops.sum(share * cosines, axis=-1)

    def penalized(self, own: Any, x: Any) -> Any:
        return own - self.margin
