"""Saving and loading. A config is untrusted input: everything it names is checked before it is built."""

import copyreg
import dataclasses
import threading
from typing import Any

import keras

from keras_losses.core.fields import shorten
from keras_losses.core.names import snake_case
from keras_losses.core.record import BASE, field_types, init_parameters

_MAX_DEPTH = 32
_MAX_TERMS = 256
_DTYPES = ("float16", "bfloat16", "float32", "float64")

_building = threading.local()


def default_name(cls: Any) -> str:
    return cls.default_name or snake_case(cls.__name__)


def blank(cls: type) -> Any:
    """A new instance without its constructor: what unpickling fills with the attributes."""
    return copyreg.__newobj__(cls)  # pyright: ignore[reportAttributeAccessIssue]


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
        given = inner.get("name") if given.get("class_name") == "DTypePolicy" and isinstance(inner, dict) else given
        given = keras.DTypePolicy(given) if isinstance(given, str) and _is_policy(given) else given
    if given is None or (isinstance(given, keras.DTypePolicy) and given.compute_dtype in _DTYPES):
        return given
    if isinstance(given, str) and given not in _DTYPES and _is_policy(given):
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
    return name in _DTYPES or name in ("mixed_float16", "mixed_bfloat16")


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
    if not isinstance(config, dict):
        raise ValueError(f"{cls.__name__}: a config must be a dict. Received: {shorten(config)}")
    with _Guard(cls.__name__):
        takes, takes_any = init_parameters(cls)
        unknown = sorted(str(k) for k in config if k not in takes)
        if unknown and not takes_any:
            known = ", ".join(sorted(takes))
            raise ValueError(
                f"{cls.__name__}: the config has the unknown field {shorten(unknown[0])}. Known: {shorten(known, 300)}."
            )
        if not cls._own_init:
            config = {name: _load(cls, name, value) for name, value in config.items()}
        return cls(**config)


def _load(cls, name, value):
    if name in BASE:
        return value
    if isinstance(value, dict) and "class_name" in value:
        return load_loss(value, f"{cls.__name__}.{name}")
    if isinstance(value, (list, tuple)) and len(value) <= _MAX_TERMS:
        return [_load(cls, name, v) if isinstance(v, dict) else v for v in value]
    return value


def load_loss(config: Any, where: str) -> Any:
    """A `keras.losses.Loss` from its saved form: nothing else can be named, built or called."""
    with _Guard(where):
        cls = _find_class(config, where)
        inner = config.get("config")
        if not isinstance(inner, dict) or not all(isinstance(k, str) for k in inner):
            raise ValueError(f"{where}: the config of {cls.__name__} must be a dict. Received: {shorten(inner)}")
        if "from_config" in vars(cls) or not cls.__module__.startswith("keras."):
            return cls.from_config(inner)
        # Keras's own losses forward their config to a deserializer: only plain data of known arguments may pass.
        takes, _ = init_parameters(cls)
        for key, value in inner.items():
            if key not in takes or not (value is None or isinstance(value, (bool, int, float, str))):
                raise ValueError(f"{where}: {cls.__name__} takes no field {shorten(key)} with the value {shorten(value)}.")
        return cls(**inner)


def _find_class(config, where):
    names = {k: config.get(k) for k in ("module", "class_name", "registered_name")} if isinstance(config, dict) else {}
    if not names or not all(v is None or (isinstance(v, str) and len(v) <= 200) for v in names.values()):
        raise ValueError(f"{where}: expected the config of a loss. Received: {shorten(config)}")
    name, registered = names["class_name"], names["registered_name"]
    found = None
    if registered:
        found = keras.saving.get_registered_object(registered)
    if found is None and isinstance(name, str):
        found = keras.saving.get_registered_object(name) or keras.saving.get_registered_object(f"keras_losses>{name}")
    if found is None and isinstance(name, str) and (names["module"] or "keras").split(".")[0] == "keras":
        found = getattr(keras.losses, name, None)
    if not (isinstance(found, type) and issubclass(found, keras.losses.Loss)):
        raise ValueError(
            f"{where}: {shorten(name)} (registered as {shorten(registered)}) is no keras.losses.Loss that is known here. "
            "Import the module that defines it."
        )
    return found


class _Guard:
    """Bounds how deep and how many losses one config builds."""

    def __init__(self, where):
        self.where = where

    def __enter__(self):
        depth = getattr(_building, "depth", 0)
        _building.count = getattr(_building, "count", 0) + 1 if depth else 1
        _building.depth = depth + 1
        if depth >= _MAX_DEPTH or _building.count > _MAX_TERMS:
            _building.depth -= 1
            raise ValueError(f"{self.where}: a config nests at most {_MAX_DEPTH} losses deep and holds at most {_MAX_TERMS}.")

    def __exit__(self, *exc):
        _building.depth -= 1
