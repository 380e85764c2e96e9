"""From `module:object` to the loss, and from a file to the arrays of a batch."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pathlib
import sys
import traceback
from typing import Any

import keras
import numpy as np

from keras_losses.cli import Problem
from keras_losses.core.registry import get, public

FORM = "module:object, path/to/file.py:object, or the name of a loss"


def loss(text: str) -> Any:
    """The loss that a command names.

    Args:
        text: `module:object`, `file.py:object`, or the name of one of our losses.

    Raises:
        Problem: there is no such module, file, object or name, or it is no loss.
    """
    if ":" not in text:
        try:
            return get(text)
        except ValueError as error:
            known = str(error).removeprefix("keras_losses.get: ")
            raise Problem(f"expected {FORM}: {known}") from error
    where, _, name = text.rpartition(":")
    found: Any = _file(where) if where.endswith(".py") else _module(where)
    for part in name.split("."):
        if not hasattr(found, part):
            close = difflib.get_close_matches(part, [n for n in dir(found) if not n.startswith("__")], n=3)
            hint = f" Did you mean: {', '.join(close)}?" if close else ""
            raise Problem(f"{where!r} has no {name!r}.{hint}")
        found = getattr(found, part)
    is_loss = isinstance(found, keras.losses.Loss) or (isinstance(found, type) and issubclass(found, keras.losses.Loss))
    if not is_loss and (isinstance(found, (type, keras.layers.Layer, keras.metrics.Metric)) or not callable(found)):
        raise Problem(
            f"{text!r} is no loss but {type(found).__name__}: expected a loss, its class, or a function of (y_true, y_pred)."
        )
    return found


def _module(name):
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise Problem(f"there is no module {name!r} here: run from its folder, or give the path of its file.") from error
        raise Problem(_failed(name, error)) from error
    except Exception as error:
        raise Problem(_failed(name, error)) from error


def _file(path):
    if not pathlib.Path(path).is_file():
        raise Problem(f"there is no file {path!r}.")
    sys.path.insert(0, str(pathlib.Path(path).resolve().parent))
    spec: Any = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    # Under its name, so that what it defines can be found again by another process.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise Problem(_failed(path, error)) from error
    return module


def _failed(name, error):
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{name!r} cannot be imported: {type(error).__name__}: {error} ({pathlib.PurePath(at.filename).name}:{at.lineno})."


def ours(name: str) -> tuple[str, Any]:
    """The class of one of our losses, by its name or that of its function.

    Raises:
        Problem: nothing has that name.
    """
    table = public()
    found = table.get(name)
    found = getattr(found, "loss_class", found)
    if found is None:
        try:
            found = get(name)
        except ValueError as error:
            raise Problem(str(error).removeprefix("keras_losses.get: ")) from error
        found = getattr(found, "loss_class", found if isinstance(found, type) else type(found))
    return found.__name__, found


def batch(path: str) -> dict[str, np.ndarray]:
    """The arrays of an npz file: y_true, y_pred, and sample_weight and mask where it has them.

    Raises:
        Problem: there is no such file, it is no npz, or it lacks an array.
    """
    if not pathlib.Path(path).is_file():
        raise Problem(f"there is no file {path!r}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:
        raise Problem(
            f"{path!r} is no npz file of plain arrays: np.savez({path!r}, y_true=..., y_pred=...) writes one."
        ) from error
    missing = [name for name in ("y_true", "y_pred") if name not in arrays]
    unknown = [name for name in arrays if name not in ("y_true", "y_pred", "sample_weight", "mask")]
    if missing or unknown:
        raise Problem(
            f"{path!r} must hold y_true and y_pred, and may hold sample_weight and mask. It holds: {', '.join(arrays)}."
        )
    return arrays
