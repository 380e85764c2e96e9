"""Losses by name. Keras's own lookup reads a private table, so names of this package are found here."""

import difflib
from typing import Any

import keras

from keras_losses.core.config import check_buildable, load_loss
from keras_losses.core.fields import shorten

ALIASES = {
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
    "logcosh": "log_cosh",
}
ALIASES |= {name.upper(): target for name, target in ALIASES.items() if len(name) < 5}


def public() -> dict[str, Any]:
    """`{name: class or function}` of every loss that the package exports."""
    import keras_losses

    found = {name: getattr(keras_losses, name) for name in keras_losses.__all__}
    return {name: x for name, x in found.items() if (_is_loss_class(x) and name != "Loss") or hasattr(x, "loss_class")}


def get(identifier: Any, **config: Any) -> Any:
    """A loss by name, config or itself.

    Args:
        identifier: a name, `"focal_tversky"` or `"FocalTversky"`, a Keras alias such as `"mse"`, the registered name of a
            user's class, with or without its package (`"mypackage>MyLoss"`); a config dict; a loss; a class; a function; None.
        **config: arguments of the constructor.

    Returns:
        For a snake_case name without arguments the function, as in Keras; otherwise an instance. A callable that is no
        class comes back as it is, None as None.

    Raises:
        ValueError: nothing has that name; the message lists close matches.

    Example:

    >>> import keras_losses as kl
    >>> kl.get("huber", delta=2.0)
    Huber(weights=None, delta=2.0)
    >>> kl.get("hubber")
    Traceback (most recent call last):
    ...
    ValueError: keras_losses.get: no loss is named 'hubber'. Did you mean: huber, Huber?
    """
    if identifier is None:
        return None
    found: Any = identifier
    if isinstance(identifier, str):
        found = _by_name(identifier)
    elif isinstance(identifier, dict):
        found = deserialize(identifier)
    if hasattr(found, "loss_class") and config:
        found = found.loss_class
    if isinstance(found, type):
        return found(**config)
    if not callable(found) or config:
        why = "takes no arguments, it is built already" if callable(found) else "is no loss"
        raise ValueError(f"keras_losses.get: {shorten(identifier)} {why}.")
    return found


def serialize(loss: Any) -> Any:
    """The config of a loss instance or function, from which `deserialize` builds it again."""
    return keras.losses.serialize(loss)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that a config describes.

    Args:
        config: what `serialize` returned, `{"class_name": ..., "config": {...}}`, or the name of a loss.
        custom_objects: `{name: class or function}` looked up first.

    Raises:
        ValueError: the config names anything but a loss, or a field is unknown or wrong.
    """
    with keras.saving.custom_object_scope(custom_objects or {}):
        name = config
        if isinstance(config, dict) and config.get("class_name") == "function":
            name = config.get("registered_name")
            name = config.get("config") if name in (None, "function") else name
            if not isinstance(name, str):
                raise ValueError(
                    f"keras_losses.deserialize: the name of a function must be a string. Received: {shorten(name)}"
                )
        if not isinstance(name, str):
            return load_loss(config, "keras_losses.deserialize")
        found = _by_name(name)
        return found() if isinstance(found, type) else found


def _is_loss_class(x):
    return isinstance(x, type) and issubclass(x, keras.losses.Loss)


def _by_name(name: str) -> Any:
    custom = keras.saving.get_registered_object(name)
    if isinstance(custom, type) and _is_loss_class(custom):
        check_buildable(custom, "keras_losses.get")
        return custom
    if callable(custom) and not isinstance(custom, type):
        return custom
    table = public()
    found = table.get(ALIASES.get(name, name))
    if found is not None:
        return found
    registered = {}
    for full, x in keras.saving.get_custom_objects().items():
        if _is_loss_class(x) and not x.__module__.startswith("keras_losses."):
            registered[full.split(">")[-1]] = registered[full] = x
    if name in registered:
        return registered[name]
    # A name that is too long to be meant takes long to compare.
    name = name if len(name) <= 100 else shorten(name)
    close = difflib.get_close_matches(name, [*table, *ALIASES, *registered], n=4, cutoff=0.6)
    more = difflib.get_close_matches(name.lower(), [t.lower() for t in table], n=4, cutoff=0.6) if not close else []
    close += [t for t in table if t.lower() in more]
    hint = f" Did you mean: {', '.join(dict.fromkeys(close))}?" if close else ""
    raise ValueError(f"keras_losses.get: no loss is named {shorten(name)}.{hint}")
