"""Saving and loading. A config is untrusted input: everything it names is checked before it is built."""

import contextlib
import copyreg
import dataclasses
import inspect
import threading
from typing import Any

import keras

from keras_losses.core.fields import shorten, takes_loss
from keras_losses.core.names import snake_case
from keras_losses.core.record import BASE, checked, field_types, init_parameters

MAX_DEPTH = 32
MAX_LOSSES = 256
_DTYPES = ("float16", "bfloat16", "float32", "float64")

# What an argument of Keras's own losses may be, by the type of its default.
_numbers = int | float | tuple[int | float, ...]
_STOCK = {bool: bool, int: _numbers, float: _numbers, str: str | None, type(None): _numbers | None}


class _Building(threading.local):
    path: tuple[str, ...] = ()  # what is being built, from the outermost
    count = 0


_building = _Building()


def default_name(cls: Any) -> str:
    return cls.default_name or snake_case(cls.__name__)


def blank(cls: type) -> Any:
    """A new instance without its constructor: what unpickling fills with the attributes."""
    return copyreg.__newobj__(cls)  # pyright: ignore[reportAttributeAccessIssue]


def with_reduction(loss: Any, reduction: str | None) -> Any:
    """The same loss with another reduction. Keras would copy a loss by saving it, which not every one survives."""
    other = blank(type(loss))
    vars(other).update(vars(loss))
    other.reduction = reduction
    return other


def result_dtype(given: Any) -> str:
    """The dtype of a loss's result: what was asked for, else floatx; floatx below float32 counts as float32."""
    if given is None:
        return "float64" if keras.config.floatx() == "float64" else "float32"
    return given if isinstance(given, str) else given.compute_dtype


def dtype_argument(cls: type, given: Any) -> Any:
    """A dtype as given, checked: None, a dtype name, a policy name, a `DTypePolicy` or its saved form."""
    if isinstance(given, dict):
        # Only the name is read: a config must not choose a class.
        inner = given.get("config")
        name = inner.get("name") if given.get("class_name") == "DTypePolicy" and isinstance(inner, dict) else None
        given = keras.DTypePolicy(name) if _is_policy(name) else given
    if given is None or (isinstance(given, keras.DTypePolicy) and _is_policy(given.name)):
        return given
    if _is_policy(given) and given not in _DTYPES:
        return keras.DTypePolicy(given)
    try:
        name = given if isinstance(given, str) else keras.backend.standardize_dtype(given)
    except (ValueError, TypeError, AttributeError):
        name = None
    if name not in _DTYPES:
        raise ValueError(
            f"{cls.__name__}: `dtype` must be None, one of {', '.join(_DTYPES)}, or a keras.DTypePolicy. "
            f"Received: dtype={shorten(given)}"
        )
    return name


def _is_policy(name):
    return isinstance(name, str) and name in (*_DTYPES, "mixed_float16", "mixed_bfloat16")


def get_config(loss: Any, base: type) -> dict[str, Any]:
    cls = type(loss)
    values = {
        "name": loss.name,
        "reduction": loss.reduction,
        "dtype": _save_dtype(loss._dtype_given),
    }
    if cls._own_init:
        takes, takes_any = init_parameters(cls)
        fields = {f.name for f in dataclasses.fields(cls)}
        missing = sorted(takes - fields)
        if missing and cls.get_config is base.get_config:
            raise NotImplementedError(
                f"{cls.__name__} writes its own __init__ with the argument `{missing[0]}` and no get_config: saved, it would "
                f"come back with another value. Declare `{missing[0]}` as a field of the class instead of writing __init__, "
                "or add a get_config that returns every argument."
            )
        values = {k: v for k, v in values.items() if k in takes or (takes_any and (k != "dtype" or v is not None))}
        fields &= takes
    else:
        fields = {f.name for f in dataclasses.fields(cls)}
    values |= {name: _save(getattr(loss, name)) for name in field_types(cls) if name in fields and name not in BASE}
    return values


def _save_dtype(given):
    if isinstance(given, keras.DTypePolicy):
        return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": given.name}, "registered_name": None}
    return given


def _save(value):
    if isinstance(value, keras.losses.Loss):
        return keras.losses.serialize(value)
    if isinstance(value, tuple):
        return [_save(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _save(v) for k, v in value.items()}
    return value


def from_config(cls: Any, config: Any) -> Any:
    """A loss of class `cls`; the terms that its config names are built here, under a bound on depth and count."""
    check_buildable(cls, cls.__name__)
    if not isinstance(config, dict):
        raise ValueError(f"{cls.__name__}: a config must be a dict. Received: {shorten(config)}")
    # `load_loss` has counted the loss that it builds here.
    with contextlib.nullcontext() if _building.path else _Guard(cls.__name__):
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        takes, takes_any = init_parameters(cls)
        unknown = [k for k in config if k not in takes]
        if unknown and not takes_any:
            known = ", ".join(sorted(takes))
            raise ValueError(
                f"{cls.__name__}: the config has the unknown field {shorten(unknown[0])}. Known: {shorten(known, 300)}."
            )
        missing = [p.name for p in parameters if p.name in takes and p.name not in config and p.default is p.empty]
        if missing:
            # Not a TypeError: Keras would put the whole config into its message.
            raise ValueError(f"{cls.__name__}: the config lacks the field `{missing[0]}`.")
        if not cls._own_init:
            hints = field_types(cls)
            config = {k: _load(v, f"{cls.__name__}.{k}") if takes_loss(hints[k]) else v for k, v in config.items()}
        return cls(**config)


def layer_arguments(cls: type, config: Any, **hints: Any) -> dict[str, Any]:
    """The arguments of a layer or metric, from its config; `hints` are the types of its own fields."""
    if not isinstance(config, dict):
        raise ValueError(f"{cls.__name__}: a config must be a dict. Received: {shorten(config)}")
    hints = {"name": str | None, "dtype": None} | hints
    for name in config:
        if name not in hints:
            raise ValueError(f"{cls.__name__}: the config has the unknown field {shorten(name)}. Known: {', '.join(hints)}.")
    parameters = inspect.signature(cls.__init__).parameters.values()
    missing = [p.name for p in parameters if p.name in hints and p.name not in config and p.default is p.empty]
    if missing:
        raise ValueError(f"{cls.__name__}: the config lacks the field `{missing[0]}`.")
    result = {k: checked(cls, k, v, hints[k]) for k, v in config.items() if k != "dtype" and hints[k] is not None}
    return result | {"dtype": dtype_argument(cls, config.get("dtype"))}


def holder_arguments(cls: type, config: Any, **hints: Any) -> dict[str, Any]:
    """The arguments of a layer or metric that holds a loss, from its config."""
    result = layer_arguments(cls, config, loss=None, **hints)
    return result | {"loss": load_loss(config["loss"], f"{cls.__name__}.loss")}


def _load(value, where):
    """What a field that takes losses holds: they are built, the rest is left to the check of the field."""
    if isinstance(value, dict):
        return load_loss(value, where)
    if isinstance(value, (list, tuple)) and len(value) <= MAX_LOSSES:
        return [load_loss(v, where) if isinstance(v, dict) else v for v in value]
    return value


def load_loss(config: Any, where: str) -> Any:
    """A `keras.losses.Loss` from its saved form: nothing else can be named, built or called."""
    with _Guard(where):
        cls = _find_class(config, where)
        inner = config.get("config")
        if not isinstance(inner, dict) or not all(isinstance(k, str) for k in inner):
            raise ValueError(f"{where}: the config of {cls.__name__} must be a dict. Received: {shorten(inner)}")
        return cls(**_stock_arguments(cls, inner)) if cls.__module__.startswith("keras.") else cls.from_config(inner)


def _stock_arguments(cls, config):
    """Keras's own losses take what they are given, and forward it to a deserializer: only plain data may pass."""
    parameters = inspect.signature(cls.__init__).parameters
    result = {}
    for name, value in config.items():
        hint = _STOCK.get(type(parameters[name].default)) if name in parameters else None
        if hint is None:
            raise ValueError(f"{cls.__name__}: the config has the unknown field {shorten(name)}.")
        result[name] = dtype_argument(cls, value) if name == "dtype" else checked(cls, name, value, hint)
    return result


def _find_class(config, where):
    names = [config.get(k) for k in ("module", "class_name", "registered_name")] if isinstance(config, dict) else []
    if not names or not all(v is None or (isinstance(v, str) and len(v) <= 200) for v in names):
        raise ValueError(f"{where}: expected the config of a loss. Received: {shorten(config)}")
    module, name, registered = names
    # A stock loss stays one: Keras saves it with its module and without a registered name.
    own = module is None or module.split(".")[0] == "keras_losses"
    found = None
    for key in (registered, name, f"keras_losses>{name}" if own else None):
        found = keras.saving.get_registered_object(key) if key and found is None else found
    if found is None and name and module in (None, "keras.losses"):
        found = getattr(keras.losses, name, None)
    if not (isinstance(found, type) and issubclass(found, keras.losses.Loss)):
        raise ValueError(
            f"{where}: {shorten(name)} (registered as {shorten(registered)}) is no keras.losses.Loss that is known here. "
            "Import the module that defines it."
        )
    check_buildable(found, where)
    return found


def check_buildable(cls: type, where: str) -> None:
    """Raise for the bases and helpers that losses are made of: only a loss can be named."""
    import keras_losses

    own = cls.__module__.split(".")[0] == "keras_losses"
    if cls in (keras.losses.Loss, keras_losses.Loss) or (own and getattr(keras_losses, cls.__name__, None) is not cls):
        raise ValueError(f"{where}: {cls.__name__} is a part of losses, no loss itself.")


class _Guard:
    """Bounds how deep and how many losses one config builds."""

    def __init__(self, where: str):
        self.where = where

    def __enter__(self):
        _building.count = _building.count + 1 if _building.path else 1
        path = (*_building.path, self.where)
        if len(path) > MAX_DEPTH or _building.count > MAX_LOSSES:
            where = ", ".join(dict.fromkeys(path[1:]))[:300]  # each field once, from the outermost
            raise ValueError(f"{where}: a config nests at most {MAX_DEPTH} losses deep and holds at most {MAX_LOSSES}.")
        _building.path = path

    def __exit__(self, *exc):
        _building.path = _building.path[:-1]
