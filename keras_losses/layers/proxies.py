"""Losses of embeddings against one learned vector a class, its proxy."""

from typing import Any, ClassVar, Self

import keras
from keras import ops

from keras_losses import math
from keras_losses.core.config import layer_arguments
from keras_losses.core.fields import Positive
from keras_losses.core.inputs import at_least_float32
from keras_losses.core.loss import Loss
from keras_losses.core.record import checked, field_types
from keras_losses.core.reduction import Reduction
from keras_losses.core.spec import label, real
from keras_losses.layers.add_loss import AddLoss
from keras_losses.layers.class_weights import Count


class OfClasses(AddLoss):
    """Base of the layers that add a loss of embeddings against the vectors of classes, which `vectors` `(C, D)` holds.

    The arguments of a subclass are the fields of its formula and those of `arguments`.
    """

    formula: ClassVar[type[Loss]]
    fields: ClassVar[tuple[str, ...]]
    arguments: ClassVar[dict[str, Any]] = {"classes": Count}
    classes: int

    def __init__(self, given: dict[str, Any], weight: float, **kwargs: Any):
        own = {name: given.pop(name) for name in self.arguments}
        # Not cast to the compute dtype of the layer: float labels, which an input is by default, would not survive it.
        super().__init__(self.formula(**given), weight, autocast=False, **kwargs)
        for name, hint in self.arguments.items():
            setattr(self, name, checked(type(self), name, own[name], hint))
        loss: Any = self.loss
        loss.dtype = at_least_float32(self.compute_dtype)
        self.vectors: Any = None
        self.built = False

    def add_vectors(self, dimension: int, **kwargs: Any) -> Any:
        return self.add_weight(shape=(self.classes, dimension), autocast=False, **kwargs)

    def call(self, embeddings: Any, y_true: Any = None, sample_weight: Any = None) -> Any:
        return embeddings if y_true is None else self.include(self.value(embeddings, y_true, sample_weight), embeddings)

    def value(self, embeddings: Any, y_true: Any, sample_weight: Any) -> Any:
        """The loss."""
        loss: Any = self.loss
        return loss(y_true, embeddings, sample_weight=sample_weight, vectors=ops.convert_to_tensor(self.vectors))

    def get_config(self) -> dict[str, Any]:
        config, own = super().get_config(), self.loss.get_config()
        del config["loss"]
        return {**config, **{name: own[name] for name in self.fields}, **{name: getattr(self, name) for name in self.arguments}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        types = {name: hint for name, hint in field_types(cls.formula).items() if name in cls.fields}
        return cls(**layer_arguments(cls, config, weight=float, trainable=bool, **cls.arguments, **types))


class _ToClasses(Loss):
    """Base of the formulas."""

    ignore_class: int | None = None

    y_true = label("B *S")
    y_pred = real("B *S D")
    vectors = real("C D")


class _ProxyNCA(_ToClasses):
    temperature: Positive = 1.0
    keep_positive: bool = False

    def call(self, y_true, y_pred, vectors=None):
        # Of vectors of length 1 the squared distance is 2 less twice the cosine; what is equal for all proxies cancels.
        logits = 2 / self.temperature * (math.normalize(y_pred) @ ops.transpose(math.normalize(vectors)))
        own = _own(y_true, logits)
        others = ops.logical_or(ops.logical_not(own), self.keep_positive)
        value = math.masked_logsumexp(logits, others) - ops.sum(ops.where(own, logits, ops.zeros_like(logits)), axis=-1)
        valid = ops.any(others, axis=-1)
        return ops.where(valid, value, ops.zeros_like(value)), valid


class _ProxyAnchor(_ToClasses):
    temperature: Positive = 1 / 32
    margin: float = 0.1

    def call(self, y_true, y_pred, vectors=None):
        """The cosines, and beside them where the class of each embedding is."""
        cosines = math.normalize(y_pred) @ ops.transpose(math.normalize(vectors))
        return ops.concatenate([cosines, ops.cast(_own(y_true, cosines), cosines.dtype)], axis=-1)

    def _reduce(self, values, reduction):
        rows = ops.reshape(values.value, (-1, values.value.shape[-1]))
        classes = rows.shape[-1] // 2
        cosines, own, wrong = rows[:, :classes], rows[:, classes:] > 0.5, ops.isnan(rows[:, -1])
        some = ops.any(own, axis=1, keepdims=True)  # not where an embedding does not count
        log_weight = ops.zeros_like(rows[:, :1])
        if values.weight is not None:
            weight = ops.reshape(values.weight + ops.zeros_like(values.value[..., :1]), (-1, 1))
            own, some = ops.logical_and(own, weight > 0), ops.logical_and(some, weight > 0)
            log_weight = math.safe_log(weight)
        pull = (self.margin - cosines) / self.temperature + log_weight
        push = (self.margin + cosines) / self.temperature + log_weight
        pull = math.softplus(math.masked_logsumexp(pull, own, axis=0))
        push = math.softplus(math.masked_logsumexp(push, ops.logical_and(some, ops.logical_not(own)), axis=0))
        total = math.masked_mean(pull, ops.any(own, axis=0)) + math.mean(push)
        return total + ops.sum(ops.where(wrong, ops.full_like(rows[:, -1], float("nan")), ops.zeros_like(rows[:, -1])))


def _own(y_true, like):
    """Where the class of each embedding is."""
    return math.one_hot(y_true, like.shape[-1], "bool")


class _Proxies(OfClasses):
    """What the two layers share: the proxies, which are trained."""

    def build(self, embeddings_shape: Any) -> None:
        self.proxies: Any = self.add_vectors(embeddings_shape[-1], initializer="glorot_uniform", name="proxies")
        self.vectors = self.proxies
        self.built = True


@keras.saving.register_keras_serializable(package="keras_losses")
class ProxyNCA(_Proxies):
    """Adds the ProxyNCA loss to what `fit` minimises, learns a proxy for each class, and passes the embeddings on.

    Formula: per embedding x of class y, with all vectors divided by their lengths, `d(x, p_y) + log(sum_j exp(-d(x, p_j)))`
    over the other classes j, with `d(x, p) = |x - p|^2 / temperature`. The value may be negative. With `keep_positive` the sum
    is over all classes: the form of ProxyNCA++, whose temperature is 1/9.

    Args:
        classes: number of classes.
        temperature: divides the squared distances, > 0.
        keep_positive: the proxy of the own class stays in the sum.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        ignore_class: integer label whose embeddings do not count.
        reduction: `"sum_over_batch_size"`, `"sum"`, or `"mean_with_sample_weight"`.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, of any length. Passed on, unchanged.
        y_true: `(B, ...)` integer labels, an input of the model. None: nothing is added, for a model that predicts.
        sample_weight: weights, as of any loss.

    Returns:
        `embeddings`.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x, y = keras.Input((4,)), keras.Input((), dtype="int32")
    >>> model = keras.Model([x, y], kl.layers.ProxyNCA(3, name="proxies")(keras.layers.Dense(2)(x), y))
    >>> model.compile("adam")
    >>> sorted(model.fit([np.eye(4), np.array([0, 1, 2, 2])], verbose=0).history)
    ['loss', 'proxies']

    Reference: Y. Movshovitz-Attias et al., No fuss distance metric learning using proxies, 2017, arXiv:1703.07464; E. W. Teh,
    T. DeVries, G. W. Taylor, ProxyNCA++, 2020, arXiv:2004.01113.
    """

    formula = _ProxyNCA
    fields = ("temperature", "keep_positive", "ignore_class", "reduction")

    def __init__(
        self,
        classes: int,
        temperature: float = 1.0,
        keep_positive: bool = False,
        weight: float = 1.0,
        ignore_class: int | None = None,
        reduction: Reduction = "sum_over_batch_size",
        **kwargs: Any,
    ):
        given = {"classes": classes, "temperature": temperature, "keep_positive": keep_positive}
        super().__init__({**given, "ignore_class": ignore_class, "reduction": reduction}, weight, **kwargs)


@keras.saving.register_keras_serializable(package="keras_losses")
class ProxyAnchor(_Proxies):
    """Adds the proxy anchor loss to what `fit` minimises, learns a proxy for each class, and passes the embeddings on.

    Formula: with the cosines s between embeddings and proxies, the mean over the proxies of the classes in the batch of
    `log(1 + sum exp((margin - s) / temperature))` over the embeddings of the class, plus the mean over all proxies of
    `log(1 + sum exp((s + margin) / temperature))` over the embeddings of other classes. One number for the batch: an embedding
    of weight 2 counts as two of them, and an embedding whose label is out of range makes it NaN, with gradient zero.

    Args:
        classes: number of classes.
        margin: the cosine to be exceeded with the own proxy, and to be kept below with the others, with the other sign.
        temperature: divides the cosines, > 0: 1 over the paper's alpha.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        ignore_class: integer label whose embeddings do not count.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        embeddings: `(B, ..., D)`, of any length. Passed on, unchanged.
        y_true: `(B, ...)` integer labels, an input of the model. None: nothing is added, for a model that predicts.
        sample_weight: weights >= 0 of the embeddings.

    Returns:
        `embeddings`.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x, y = keras.Input((4,)), keras.Input((), dtype="int32")
    >>> model = keras.Model([x, y], kl.layers.ProxyAnchor(3, name="proxies")(keras.layers.Dense(2)(x), y))
    >>> model.compile("adam")
    >>> sorted(model.fit([np.eye(4), np.array([0, 1, 2, 2])], verbose=0).history)
    ['loss', 'proxies']

    Reference: S. Kim et al., Proxy anchor loss for deep metric learning, 2020, arXiv:2003.13911.
    """

    formula = _ProxyAnchor
    fields = ("temperature", "margin", "ignore_class")

    def __init__(
        self,
        classes: int,
        margin: float = 0.1,
        temperature: float = 1 / 32,
        weight: float = 1.0,
        ignore_class: int | None = None,
        **kwargs: Any,
    ):
        given = {"classes": classes, "margin": margin, "temperature": temperature, "ignore_class": ignore_class}
        super().__init__(given, weight, **kwargs)
