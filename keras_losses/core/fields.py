"""What a hyperparameter may be: a closed list of types, checked when a loss is built.

A saved config is untrusted input. Whatever reaches a field has passed `coerce`, so a field is a bool, an int, a
finite float, a short string, one of a few literals, a tuple or dict of these, or a loss: never a callable, never a path.
"""

import dataclasses
import numbers
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import keras
import numpy as np

_MAX_ITEMS = 2**20
_MAX_STRING = 200
# Losses are computed in float32 at least: a number beyond its range would be an infinity inside the formula.
_MAX_FLOAT = 3.4028234663852886e38
_MAX_INT = 2**63 - 1


@dataclasses.dataclass(frozen=True)
class Range:
    """Bounds of a number, put beside its type: `Annotated[float, Range(gt=0)]`."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def __contains__(self, value: float) -> bool:
        return (
            (self.gt is None or value > self.gt)
            and (self.ge is None or value >= self.ge)
            and (self.lt is None or value < self.lt)
            and (self.le is None or value <= self.le)
        )

    def __str__(self) -> str:
        if (self.gt is None and self.ge is None) or (self.lt is None and self.le is None):
            signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
            return " and ".join(f"{sign} {getattr(self, k):g}" for k, sign in signs.items() if getattr(self, k) is not None)
        low = f"[{self.ge:g}" if self.ge is not None else f"({self.gt:g}"
        high = f"{self.le:g}]" if self.le is not None else f"{self.lt:g})"
        return f"in {low}, {high}"


Positive = Annotated[float, Range(gt=0)]
NonNegative = Annotated[float, Range(ge=0)]
Fraction = Annotated[float, Range(ge=0, le=1)]
OpenFraction = Annotated[float, Range(gt=0, lt=1)]
PerOutput = tuple[NonNegative, ...] | None
"""One weight for each output, in order; None weighs all alike."""
ClassWeight = tuple[NonNegative, ...] | dict[int, NonNegative] | None
"""One weight for each class, in order, or `{class: weight}` with 1 for the classes that are not named."""


ClassCounts = tuple[NonNegative, ...]
"""How many training samples each class has, in order."""


class Mismatch(Exception):
    """A value that a type does not admit; the message is what was expected."""


def describe(hint: Any) -> str:
    """The type of a field, in words."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        bounds = " ".join(str(a) for a in args[1:] if isinstance(a, Range))
        return f"{describe(args[0])} {bounds}".rstrip()
    if origin in (Union, types.UnionType):
        return " or ".join(describe(a) for a in args)
    if origin is Literal:
        return "one of " + ", ".join(repr(a) for a in args)
    if origin is tuple:
        return f"a tuple of {describe(args[0])}" if len(args) == 2 and args[1] is Ellipsis else f"a tuple of {len(args)}"
    if origin is dict:
        return f"a dict of {describe(args[0])} to {describe(args[1])}"
    if isinstance(hint, type) and issubclass(hint, keras.losses.Loss):
        return f"a {'keras.losses' if hint is keras.losses.Loss else hint.__module__.split('.')[0]}.{hint.__name__} instance"
    words = {bool: "a bool", int: "an int", float: "a finite float", str: "a string", type(None): "None"}
    return words.get(hint, str(hint))


def coerce(value: Any, hint: Any) -> Any:
    """`value` as the type `hint` holds it, or `Mismatch`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        try:
            result = coerce(value, args[0])
        except Mismatch:
            raise Mismatch(describe(hint)) from None
        if any(isinstance(a, Range) and result not in a for a in args[1:]):
            raise Mismatch(describe(hint))
        return result
    if origin in (Union, types.UnionType):
        for option in args:
            try:
                return coerce(value, option)
            except Mismatch:
                continue
        raise Mismatch(describe(hint))
    if origin is Literal:
        for option in args:
            # type first: True == 1, and an array compares element by element
            if type(value) is type(option) and value == option:
                return option
        raise Mismatch(describe(hint))
    if origin is tuple:
        return _tuple(value, hint, args)
    if origin is dict:
        return _dict(value, hint, args)
    if isinstance(hint, type) and issubclass(hint, keras.losses.Loss):
        if isinstance(value, hint):
            return value
        raise Mismatch(describe(hint))
    if hint in _SCALARS:
        return _SCALARS[hint](value)
    raise TypeError(
        f"{hint!r} cannot be the type of a hyperparameter: a config holds bool, int, float, str, Literal, None, "
        "tuples and dicts of these, and losses."
    )


def _bool(value):
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise Mismatch(describe(bool))


def _int(value):
    if isinstance(value, numbers.Integral) and not isinstance(value, bool) and abs(int(value)) <= _MAX_INT:
        return int(value)
    raise Mismatch(describe(int))


def _float(value):
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # Compared before the conversion, which overflows for a huge int. False for NaN.
        if abs(value) <= _MAX_FLOAT:
            return float(value)
    raise Mismatch(describe(float))


def _str(value):
    if isinstance(value, str) and 0 < len(value) <= _MAX_STRING and not set(value) & set("/\\\0"):
        return str(value)
    raise Mismatch(f"{describe(str)} of 1 to {_MAX_STRING} characters without / or \\")


def _none(value):
    if value is None:
        return None
    raise Mismatch("None")


_SCALARS = {bool: _bool, int: _int, float: _float, str: _str, type(None): _none}


def _tuple(value, hint, args):
    if isinstance(value, np.ndarray) and value.ndim > 0:
        value = list(value)
    if not isinstance(value, (list, tuple)) or len(value) > _MAX_ITEMS:
        raise Mismatch(describe(hint))
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(coerce(v, args[0]) for v in value)
    if len(value) != len(args):
        raise Mismatch(describe(hint))
    return tuple(coerce(v, a) for v, a in zip(value, args, strict=True))


def _dict(value, hint, args):
    if not isinstance(value, dict) or len(value) > _MAX_ITEMS:
        raise Mismatch(describe(hint))
    result = {}
    for key, item in value.items():
        # JSON turns the int keys of a dict into strings
        if args[0] is int and isinstance(key, str) and len(key) < 20 and key.removeprefix("-").isdecimal():
            key = int(key) if str(int(key)) == key else key
        result[coerce(key, args[0])] = coerce(item, args[1])
    if len(result) < len(value):  # 1 and "1"
        raise Mismatch(f"{describe(hint)}, each key once")
    return result


def takes_loss(hint: Any) -> bool:
    """Whether a value of this type is a loss or holds losses."""
    if isinstance(hint, type) and issubclass(hint, keras.losses.Loss):
        return True
    return any(takes_loss(a) for a in get_args(hint))


def shorten(value: Any, limit: int = 80) -> str:
    """`repr` for an error message, bounded whatever the value is."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an int of {value.bit_length()} bits"
    if isinstance(value, (list, tuple, dict, set)) and len(value) > 16:
        return f"a {type(value).__name__} of {len(value)} items"
    try:
        text = repr(value)
    except Exception as error:  # a hostile or broken __repr__ must not hide the message it is part of
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= limit else text[: limit - 3] + "..."
