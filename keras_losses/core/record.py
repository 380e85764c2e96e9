"""The one clever part: a class with annotated fields becomes a loss with a constructor. README.md beside this explains it."""

import dataclasses
import inspect
import typing
from typing import Any, ClassVar, dataclass_transform

import keras

from keras_losses.core import fields
from keras_losses.core.names import snake_case

BASE = ("reduction", "name", "dtype")
"""The fields that every loss has."""


@dataclass_transform(kw_only_default=True, eq_default=False)
class Record:
    """Turns the annotated fields of every subclass into a keyword constructor, a config and a repr.

    `class Huber(Loss, kw_only=False)` makes the class's own fields positional too, in their order.
    """

    default_name: ClassVar[str | None] = None
    #: What `call` takes besides `y_true` and `y_pred`.
    call_arguments: ClassVar[tuple[str, ...]] = ()
    _own_init: ClassVar[bool] = False
    _hints: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, *, kw_only: bool = True, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        writes_init = "__init__" in cls.__dict__
        inherits_init = cls._own_init and not writes_init
        before = set(getattr(cls, "__dataclass_fields__", ()))
        # dataclasses never replaces an __init__ that the class itself wrote; an inherited one must be kept too.
        dataclasses.dataclass(cls, eq=False, repr=False, kw_only=kw_only, init=not inherits_init)
        added = sorted(set(getattr(cls, "__dataclass_fields__", ())) - before)
        if inherits_init and added:
            raise TypeError(
                f"{cls.__name__} adds the field `{added[0]}` to a loss that writes its own __init__. "
                f"Write an __init__ for {cls.__name__} too, or declare the base's arguments as fields."
            )
        cls._own_init = writes_init or inherits_init
        if issubclass(cls, keras.losses.Loss):
            # Read once, here: a compiled step must not inspect signatures.
            cls.call_arguments = tuple(inspect.signature(cls.call).parameters)[3:]
            # A module's full name, so that two modules may have a loss of one name; ours keep theirs wherever they move to.
            root = cls.__module__.split(".")[0]
            keras.saving.register_keras_serializable(package=root if root == "keras_losses" else cls.__module__)(cls)

    def __post_init__(self) -> None:
        cls = type(self)
        for name, hint in field_types(cls).items():
            if name != "dtype":
                setattr(self, name, checked(cls, name, getattr(self, name), hint))
        if self.name is None:
            self.name = cls.default_name or snake_case(cls.__name__)
        self.validate()

    def validate(self) -> None:
        """Raise `ValueError` for hyperparameters that are wrong together. Called once, by the constructor."""


def checked(cls: type, name: str, value: Any, hint: Any) -> Any:
    """The value as the field holds it, or an error that names class, field, what was received and expected."""
    try:
        return fields.coerce(value, hint)
    except fields.Mismatch as mismatch:
        raise ValueError(
            f"{cls.__name__}: `{name}` must be {mismatch}. "
            f"Received: {name}={fields.shorten(value)} of type {type(value).__name__}."
        ) from None


def field_types(cls: type) -> dict[str, Any]:
    """`{field: type}` of a record class, base fields included."""
    # Looked up at the first construction, not at the definition: an annotation may name a class defined later.
    if "_hints" not in cls.__dict__:
        resolved = typing.get_type_hints(cls, include_extras=True)
        cls._hints = {f.name: resolved[f.name] for f in dataclasses.fields(cls)}
    return cls.__dict__["_hints"]


def hyperparameters(cls: type) -> list[str]:
    """The fields that are part of the formula of a loss."""
    return [f.name for f in dataclasses.fields(cls) if f.name not in (*BASE, "gather")]


def init_parameters(cls: type) -> tuple[set[str], bool]:
    """Names that the constructor takes, and whether it takes any (`**kwargs`)."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    named = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters)
