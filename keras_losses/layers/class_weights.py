"""The base of the layers that hold vectors of classes and give the logits of embeddings."""

from typing import Annotated, Any, ClassVar, Self

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.config import layer_arguments
from keras_losses.core.fields import Positive, Range
from keras_losses.core.inputs import at_least_float32, widen
from keras_losses.core.names import snake_case
from keras_losses.core.private import get_mask
from keras_losses.core.record import checked
from keras_losses.layers.labels import _LabelRows

Count = Annotated[int, Range(ge=1)]


class ClassWeights(keras.layers.Layer):
    """Base of the layers that yield logits for a cross-entropy: similarities of embeddings and classes over a temperature.

    A subclass says how similar they are (`similarities`), and what becomes of that at the class of an embedding
    (`penalized`, or `margined` where the other classes change too).
    """

    #: The arguments of the constructor and their types.
    arguments: ClassVar[dict[str, Any]] = {"classes": Count, "temperature": Positive, "ignore_class": int | None}
    #: The vectors of each class: they lie side by side in the kernel.
    centers: Any = 1
    classes: int
    temperature: float
    ignore_class: int | None

    def __init__(self, **given: Any):
        own = {name: given.pop(name) for name in self.arguments}
        # Not cast to the compute dtype of the layer: float labels, which an input is by default, would not survive it.
        super().__init__(autocast=False, **given)
        for name, hint in self.arguments.items():
            setattr(self, name, checked(type(self), name, own[name], hint))
        self._label_rows = _LabelRows(ignore_class=self.ignore_class, name=snake_case(type(self).__name__))
        self.kernel: Any = None
        self.supports_masking = True

    def build(self, embeddings_shape: Any) -> None:
        self.kernel = self.add_weight(
            shape=(embeddings_shape[-1], self.classes * self.centers),
            initializer="glorot_uniform",
            name="kernel",
            autocast=False,
        )
        self.built = True

    def add_state(self, name: str, start: float = 0.0) -> Any:
        """A number that follows the batches of training; on several replicas the mean of what they find."""
        return self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(start),
            trainable=False,
            name=name,
            dtype=at_least_float32(self.variable_dtype),
            autocast=False,
            aggregation="mean",
        )

    def similarities(self, x: Any, kernel: Any) -> Any:
        """`(..., C)`: how similar embeddings `(..., D)` are to each class. Here the cosine."""
        return math.normalize(x) @ math.normalize(kernel, axis=0)

    def by_center(self, x: Any, kernel: Any) -> Any:
        """`(..., C, K)`: the cosines between embeddings and the vectors of each class."""
        cosines = ClassWeights.similarities(self, x, kernel)
        return ops.reshape(cosines, (*ops.shape(x)[:-1], self.classes, self.centers))

    def penalized(self, own: Any, x: Any) -> Any:
        """What takes the place of the similarity `own`, `(..., 1)`, of embeddings `x` and their class."""
        return own

    def margined(self, similarities: Any, own: Any, x: Any, training: Any) -> Any:
        """`(..., C)`, with the margin: `own` is true at the class of each embedding, and nowhere if there is none."""
        return ops.where(own, self.penalized(at(own, similarities), x), similarities)

    def call(self, embeddings: Any, y_true: Any = None, training: bool | None = None) -> Any:
        x, mask = widen(embeddings, self.logit_dtype), get_mask(embeddings)
        if mask is not None:  # what is masked must not reach the kernel, even where it is NaN
            x = ops.where(ops.expand_dims(mask, -1), x, ops.zeros_like(x))
        logits = self.similarities(x, ops.cast(ops.convert_to_tensor(self.kernel), x.dtype))
        if y_true is not None:
            own, wrong = self._label_rows.of(y_true, logits, mask=mask)
            logits = self.margined(logits, own, x, training)
            logits = ops.where(wrong, ops.full_like(logits, float("nan")), logits)
        return logits / self.temperature

    @property
    def logit_dtype(self) -> str:
        """At least float32: a logit of 64 would be off by 0.03 in float16, by 0.25 in bfloat16."""
        return at_least_float32(self.compute_dtype)

    def compute_output_shape(self, embeddings_shape: Any, *args: Any, **kwargs: Any) -> Any:
        return (*embeddings_shape[:-1], self.classes)

    def compute_output_spec(self, embeddings: Any, *args: Any, **kwargs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(embeddings.shape), dtype=self.logit_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in self.arguments}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**layer_arguments(cls, config, trainable=bool, **cls.arguments))


def at(own: Any, x: Any) -> Any:
    """`(..., 1)`: the entry of each row where `own` is true; 0 if that is nowhere."""
    return ops.sum(ops.where(own, x, ops.zeros_like(x)), axis=-1, keepdims=True)


def counted(own: Any, x: Any) -> Any:
    """`(..., 1)`: the rows that have a class, and whose number in `x` `(..., 1)` is finite: what may move a state."""
    return ops.logical_and(ops.any(own, axis=-1, keepdims=True), ops.isfinite(x))


def follow(variable: Any, value: Any, some: Any, momentum: float) -> None:
    """Move a state towards what a batch gives, if there is `some` of it."""
    old = ops.convert_to_tensor(variable)
    new = momentum * old + (1 - momentum) * ops.cast(ops.stop_gradient(value), old.dtype)
    variable.assign(ops.where(some, new, old))
