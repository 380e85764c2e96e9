"""`Loss`: contract, cast, alignment, validity and reduction around a formula."""

from typing import Any, ClassVar

import keras
from keras import ops

from keras_losses.core import config, inputs
from keras_losses.core.fields import shorten
from keras_losses.core.names import scope_name
from keras_losses.core.private import get_mask
from keras_losses.core.record import Record, checked, hyperparameters
from keras_losses.core.reduction import Reduction, Values, collect, combine_masks, reduce


class Loss(Record, keras.losses.Loss):
    """Base of every loss: annotate hyperparameters, state the contract, write the formula.

    A subclass is a record: its annotated attributes become keyword arguments of the constructor, checked for type and
    range, saved and loaded, shown by `repr`. `y_true` and `y_pred` state what the tensors are; the base casts and aligns
    them, handles weights, masks and validity, and reduces.

    Args:
        reduction: how values become the result. `"sum_over_batch_size"` or `"mean"`: the mean over all values that
            count; `"sum"`; `"mean_with_sample_weight"`: the mean weighted by `sample_weight`; `"none"` or `None`: the values.
        name: name of the loss; by default the class name in snake_case.
        dtype: dtype of the result, a string or a `keras.DTypePolicy` (its compute dtype). `None`: `keras.config.floatx()`,
            at least float32. Formulas are computed in float32 at least.

    Calling:
        `loss(y_true, y_pred, sample_weight=None, mask=None)`. `sample_weight` and `mask` are matched with the values from
        the left: `(N,)` weighs samples whatever the rank. An entry that is masked or of weight 0 never counts, even
        where its inputs are NaN or infinite. A Keras mask on `y_pred` counts as a mask.

    To write:
        `call(y_true, y_pred)` in `keras.ops`: the unreduced values, one a sample or more, or `(values, valid)` where a
        boolean `valid` says which values count. If the signature names `mask`, it receives which entries count, or None.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> from keras import ops
    >>> class Scaled(kl.Loss):
    ...     scale: float = 1.0
    ...     def call(self, y_true, y_pred):
    ...         return self.scale * ops.mean(ops.square(y_pred - y_true), axis=-1)
    >>> loss = Scaled(scale=3.0)
    >>> loss
    Scaled(scale=3.0)
    >>> float(loss(np.zeros((2, 1)), np.ones((2, 1))))
    3.0
    """

    reduction: Reduction = "sum_over_batch_size"
    name: str | None = None
    dtype: Any = None

    #: The contracts; None: real tensors of one shape, or integer labels one axis shorter than the prediction.
    y_true: ClassVar[Any] = None
    y_pred: ClassVar[Any] = None
    #: The field that names the axis which contracts put last.
    last_axis: ClassVar[str | None] = None
    #: Whether the value of a sample depends on the others by definition, as in a contrastive loss.
    couples_batch: ClassVar[bool] = False
    #: `{id of a check: why the loss is meant to fail it}`.
    by_design: ClassVar[dict[str, str]] = {}
    _dtype_given: ClassVar[Any] = None

    # The signature of keras.losses.Loss, so that `super().__init__(name, reduction)` of a Keras-style subclass works.
    def __init__(self, name: str | None = None, reduction: Reduction = "sum_over_batch_size", dtype: Any = None):
        self.name = checked(type(self), "name", name, str | None)
        self.reduction = checked(type(self), "reduction", reduction, Reduction)
        self.dtype = dtype
        if self.name is None:
            self.name = config.default_name(type(self))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `call(self, y_true, y_pred)`.")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None, **extra: Any) -> Any:
        with keras.name_scope(scope_name(str(self.name))):
            values = self._values(y_true, y_pred, sample_weight, mask, extra, self.dtype)
            return ops.cast(self._reduce(values, self.reduction), self.dtype)

    def _reduce(self, values: Any, reduction: Reduction) -> Any:
        return reduce(values, reduction)

    def _values(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, extra: dict, dtype: str) -> Values:
        """The formula's values, with what does not count taken out: computed in float32 at least."""
        who, compute = str(self.name), inputs.at_least_float32(dtype)
        mask = None if mask is None else ops.cast(mask, "bool")
        mask = combine_masks(who, mask, get_mask(y_pred))
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=compute)
        pair = inputs.prepare(self, y_true, y_pred, weight, mask, extra, compute)

        result = self.call(pair.y_true, pair.y_pred, **pair.extra)
        value, valid = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
        if valid is not None and inputs.dtype_of(valid) != "bool":
            raise TypeError(
                f"{who}: of a pair that `call` returns, the second says which values count and must be boolean. "
                f"Received: {inputs.dtype_of(valid)}. To add two losses, write `first + second`."
            )
        if value is None or isinstance(value, (tuple, list, dict)):
            raise TypeError(f"{who}: `call` must return a tensor, or (values, valid). Received: {shorten(result)}")
        if pair.added_axis and len(value.shape) == 2 and value.shape[-1] == 1:
            # Both inputs were (N,) and counted as (N, 1): values of an element-wise formula go back to (N,).
            value, valid = (None if x is None else ops.squeeze(x, -1) for x in (value, valid))
        return collect(who, ops.cast(value, compute), weight, mask, (valid, pair.valid), pair.wrong, "mask" in pair.extra)

    @classmethod
    def example_arguments(cls, classes: int) -> dict[str, Any]:
        """What the constructor needs besides its defaults, for data of `classes` classes."""
        return {}

    @classmethod
    def example(cls, classes: int = 3, **config: Any) -> "Loss":
        """A loss of this class for checks, plots and benchmarks, whatever its constructor needs."""
        return cls(**cls.example_arguments(classes) | config)

    def get_config(self) -> dict[str, Any]:
        """Every argument of the constructor, as plain data."""
        return config.get_config(self, Loss)

    @classmethod
    def from_config(cls, config_: dict[str, Any]) -> "Loss":
        """The loss that a config describes; a config is untrusted: unknown or wrong fields raise."""
        return config.from_config(cls, config_)

    def __reduce__(self) -> Any:
        # keras.losses.Loss would be pickled as a whole .keras file.
        return (config.blank, (type(self),), self.__dict__)

    def __repr__(self) -> str:
        shown = [*hyperparameters(type(self))]
        usual = {"reduction": "sum_over_batch_size", "gather": False}
        shown += [name for name, value in usual.items() if getattr(self, name, value) != value]
        if self.name != config.default_name(type(self)):
            shown.append("name")
        inside = [f"{name}={shorten(getattr(self, name), 200)}" for name in shown if hasattr(self, name)]
        if self._dtype_given is not None:
            inside.append(f"dtype={shorten(self._dtype_given)}")
        return f"{type(self).__name__}({', '.join(inside)})"

    # Composition, with numbers and with any keras.losses.Loss on either side.
    def __add__(self, other: keras.losses.Loss) -> "Loss":
        return _sum(self, other)

    def __radd__(self, other: keras.losses.Loss | int) -> "Loss":
        return self if isinstance(other, (int, float)) and other == 0 else _sum(other, self)

    def __mul__(self, factor: float) -> "Loss":
        return _scale(self, factor)

    __rmul__ = __mul__


def _get_dtype(self) -> str:
    """The dtype of the result."""
    return config.result_dtype(self._dtype_given)


def _set_dtype(self, given) -> None:
    self._dtype_given = config.dtype_argument(type(self), given)


# Replaced after the class is made: as a field `dtype` has a default, as an attribute it is what the default means now.
Loss.dtype = property(_get_dtype, _set_dtype)
Loss._own_init = False


def _sum(first, second):
    from keras_losses.core.compose import add

    return add(first, second)


def _scale(loss, factor):
    from keras_losses.core.compose import scale

    return scale(loss, factor)
