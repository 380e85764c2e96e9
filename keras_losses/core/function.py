"""The function handle of a loss class: the same formula, no reduction by default."""

import inspect
import types
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import keras
from keras import ops

from keras_losses.core import inputs
from keras_losses.core.names import snake_case
from keras_losses.core.private import set_mask

P = ParamSpec("P")


def function_of(loss: Callable[P, Any], positional: tuple[str, ...] = ()) -> Callable[Concatenate[Any, Any, P], Any]:
    """The function of a loss class: `tversky = function_of(Tversky)`.

    It takes the tensors, then every argument of the constructor, and returns the unreduced values in the wider of
    float32 and the dtype of `y_pred` (`reduction=` and `dtype=` change that). It is a plain function with name, module,
    docstring and signature, registered so that Keras can save it.

    Args:
        loss: the class.
        positional: names of the arguments that may be given by position after `y_true` and `y_pred`, in order; by default
            those that the constructor takes by position.
    """
    cls: Any = loss
    name = snake_case(cls.__name__)
    signature = _signature(cls, positional)
    order = [p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD][2:]
    extra = cls.call_arguments

    made: dict[tuple, Any] = {}

    def function(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) > len(order):
            raise TypeError(f"{name}() takes {len(order) + 2} positional arguments but {len(args) + 2} were given")
        for key, value in zip(order, args, strict=False):
            if key in kwargs:
                raise TypeError(f"{name}() got multiple values for argument '{key}'")
            kwargs[key] = value
        tensors = {key: kwargs.pop(key) for key in extra if key in kwargs}
        # The type is part of the key, since True == 1.
        arguments = tuple((key, type(kwargs[key]), kwargs[key]) for key in sorted(kwargs))
        try:
            instance = made.get(arguments)
        except TypeError:  # an argument that cannot be hashed: a list, a dict
            instance = arguments = None
        if instance is None:
            instance = cls(**{"reduction": "none", **kwargs})
            if arguments is not None and len(made) < 256:
                made[arguments] = instance
        mask = tensors.pop("mask", None)
        with keras.name_scope(name):
            dtype = instance.dtype if "dtype" in kwargs else _wider(y_pred)
            values = instance._values(y_true, y_pred, None, mask, tensors, dtype)
            result = ops.cast(instance._reduce(values, instance.reduction), dtype)
            if values.valid is not None and instance.reduction in (None, "none"):
                # A bare function in `compile` is averaged by Keras: the mask keeps what does not count out of it.
                result = set_mask(result, values.valid)
            return result

    handle = types.FunctionType(function.__code__, function.__globals__, name, function.__defaults__, function.__closure__)
    handle.__module__, handle.__qualname__ = cls.__module__, name
    handle.__doc__ = _doc(cls)
    handle.__signature__ = signature
    handle.loss_class = cls
    return keras.saving.register_keras_serializable(package=cls.__module__.split(".")[0], name=name)(handle)


def _wider(y_pred):
    first = keras.tree.flatten(y_pred)[0] if isinstance(y_pred, dict) else y_pred
    if isinstance(first, (int, float, list, tuple)):
        return "float32"
    return inputs.at_least_float32(inputs.dtype_of(first))


def _signature(cls, positional):
    kinds = inspect.Parameter
    own = {p.name: p for p in list(inspect.signature(cls.__init__).parameters.values())[1:]}
    own["reduction"] = own["reduction"].replace(default="none")
    call = inspect.signature(cls.call).parameters
    own |= {n: call[n].replace(default=None, kind=kinds.KEYWORD_ONLY) for n in cls.call_arguments if n not in own}
    first = positional or tuple(p.name for p in own.values() if p.kind is kinds.POSITIONAL_OR_KEYWORD)
    tensors = [kinds(n, kinds.POSITIONAL_OR_KEYWORD) for n in ("y_true", "y_pred")]
    before = [own[n].replace(kind=kinds.POSITIONAL_OR_KEYWORD) for n in first]
    after = [p.replace(kind=kinds.KEYWORD_ONLY) for n, p in own.items() if n not in first]
    return inspect.Signature([*tensors, *before, *after])


def _doc(cls):
    title = (inspect.getdoc(cls) or "").split("\n\n")[0]
    return (
        f"{title}\n\nThe function of `{cls.__name__}`, whose documentation gives formula, arguments and reference: the same "
        "arguments, by default unreduced.\n\nReturns:\n    One value an entry, in the wider of float32 and the dtype of "
        "`y_pred`."
    )
