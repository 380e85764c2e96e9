"""Saving and loading: the loss that comes back is the one that went."""

import functools
import inspect
import json

import keras
import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks import blame
from keras_losses.testing.checks.registry import Skip, check

_BASE = {"self", "name", "reduction", "dtype", "fn"}
_OTHERS = {
    bool: [lambda x: not x],
    int: [lambda x: x + 1, lambda x: x * 2],
    float: [lambda x: 0.5 * x + 0.2, lambda x: 2 * x + 1],
}
_AS_CLASS = (
    "@keras.saving.register_keras_serializable(package='mine')\n"
    "class MyLoss(keras.losses.Loss):  # or keras_losses.Loss, which saves and registers itself\n"
    "    def __init__(self, weight=1.0, **kwargs): ...\n"
    "    def get_config(self): return {**super().get_config(), 'weight': self.weight}"
)


def arguments(s):
    """`{name: value}` of the arguments of the constructor, as far as they can be read from the instance."""
    found = {}
    for p in list(inspect.signature(type(s.loss).__init__).parameters.values())[1:]:
        if p.name in _BASE or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        inside = vars(s.loss)
        for name in (p.name, f"_{p.name}"):
            if name in inside:
                found[p.name] = inside[name]
                break
        else:
            stored = inside.get("_fn_kwargs", {})
            found[p.name] = stored.get(p.name, None if p.default is p.empty else p.default)
    return found


@check("config-incomplete")
def config_is_complete(s):
    """Every argument of the constructor comes back from the config."""
    if s.function is not None:
        return
    known = arguments(s)
    y_true, y_pred = s.batch()
    for name, value in known.items():
        for other, loss in _varied(type(s.loss), known, name, value):
            try:
                again = type(s.loss).from_config(_json(loss.get_config()))
            except Exception as error:
                yield _incomplete(name, {"from_config": blame.first_line(error)})
                return
            before, after = (_value(x, y_true, y_pred) for x in (loss, again))
            lost = name in vars(loss) and not _same(vars(loss)[name], vars(again).get(name, value))
            if not np.allclose(before, after, rtol=1e-5, atol=1e-7, equal_nan=True) or lost:
                yield _incomplete(name, {f"loss with {name}={other!r}": before, "after saving and loading": after})
                return


def _incomplete(name, evidence):
    return Finding(
        "config-incomplete",
        f"The argument `{name}` is not in the config: a saved model comes back with another loss.",
        evidence,
        f"def get_config(self):\n    return {{**super().get_config(), {name!r}: self.{name}}}\n"
        f"# or declare `{name}` as a field of a keras_losses.Loss",
    )


def _varied(cls, known, name, value):
    """The loss with another value of one argument, and that value; the first that the constructor takes."""
    tries = [change(value) for change in _OTHERS.get(type(value), [])] if value is not None else [0.3, 2]
    for other in tries:
        try:
            yield other, cls(**{**known, name: other})
        except Exception:
            continue
        return


def _json(config):
    return json.loads(json.dumps(keras.saving.serialize_keras_object(config))) if not _plain(config) else config


def _plain(config):
    try:
        json.dumps(config)
    except TypeError:
        return False
    return True


def _value(loss, y_true, y_pred):
    try:
        return np.asarray(keras.ops.convert_to_numpy(loss(y_true, y_pred)))
    except Exception:
        return np.asarray(np.nan)


def _same(a, b):
    try:
        return bool(np.all(a == b))
    except Exception:
        return True


@check("not-loadable", "not-registered")
def can_be_loaded(s):
    """A saved model finds its loss again."""
    what = s.written
    inner = getattr(what, "fn", what) if isinstance(what, keras.losses.Loss) else what
    named = type(what) if isinstance(what, keras.losses.Loss) else inner
    kind = (
        "a functools.partial" if isinstance(inner, functools.partial)
        else "a lambda" if getattr(inner, "__name__", "") == "<lambda>"
        else "a closure" if getattr(inner, "__closure__", None) and not hasattr(inner, "loss_class")
        else "an object without a name" if not hasattr(named, "__name__")
        else None
    )  # fmt: skip
    if kind:
        yield Finding(
            "not-loadable",
            f"{kind.capitalize()} cannot be found again by its name: `load_model` fails, or needs `compile=False`.",
            {"loss": repr(inner)[:200]},
            _AS_CLASS,
        )
        return
    try:
        config = json.loads(json.dumps(keras.losses.serialize(what)))
    except Exception as error:
        yield Finding("not-loadable", "The loss cannot be saved.", {"error": blame.first_line(error)}, _AS_CLASS)
        return
    try:
        _load(config)
    except Exception as error:
        if isinstance(what, keras.losses.Loss) and _registered(named):
            return  # the constructor fails: told as config-incomplete
        yield Finding(
            "not-registered",
            "Keras does not know the name in the config: `load_model` fails unless it is given `custom_objects`.",
            {
                "saved as": config if isinstance(config, str) else config.get("registered_name"),
                "error": blame.first_line(error),
            },
            "@keras.saving.register_keras_serializable(package='mine')  # above the class or function\n"
            "# a keras_losses.Loss registers itself",
        )


def _load(config):
    if isinstance(config, dict) and (config.get("module") or "").split(".")[0] == "keras_losses":
        import keras_losses

        return keras_losses.deserialize(config)
    found = keras.losses.deserialize(config)
    if not callable(found):
        raise ValueError(f"{config} is no loss")
    return found


def _registered(cls):
    return keras.saving.get_registered_name(cls) != cls.__name__


@check("argument-unchecked")
def arguments_are_checked(s):
    """A label smoothing of 2 is refused."""
    target = s.written if s.function is not None else type(s.loss).__init__
    target = getattr(target, "func", target)
    try:
        takes = inspect.signature(target).parameters
    except (TypeError, ValueError) as error:
        raise Skip("the signature cannot be read") from error
    if "label_smoothing" not in takes:
        return
    y_true, y_pred = s.batch()
    try:
        if s.function is not None:
            seen = s.written(s.tensor(y_true), s.tensor(y_pred), label_smoothing=2.0)
        else:
            seen = type(s.loss)(**{**arguments(s), "label_smoothing": 2.0})(y_true, y_pred)
    except Exception:
        return
    yield Finding(
        "argument-unchecked",
        "A value that makes no sense is accepted and trains: the target of smoothing 2 is the wrong class.",
        {"label_smoothing": 2.0, "value": np.asarray(keras.ops.convert_to_numpy(keras.ops.mean(seen)))},
        "if not 0 <= label_smoothing <= 1: raise ValueError(...)\n"
        "# in a keras_losses.Loss: label_smoothing: Annotated[float, Range(0, 1)] = 0.0",
    )
