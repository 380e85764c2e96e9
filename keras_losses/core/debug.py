"""`debugging()`: inside it, inputs that break a contract raise, with the loss, the tensor, the index and the value."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_losses.core.private import is_inferring_shapes
from keras_losses.core.spec import Spec


class _State:
    """A plain attribute for the whole process: `torch.compile` cannot trace a context variable."""

    active = os.environ.get("KERAS_LOSSES_DEBUG", "0").lower() not in ("", "0", "false")


_warned: set[str] = set()


@contextlib.contextmanager
def debugging(active: bool = True) -> Iterator[None]:
    """Check what reaches a loss: labels out of range, NaN or infinity, probabilities outside [0, 1], rows that do not sum to 1.

    Such an input raises `ValueError` with the loss's name, the offending index and the value, wherever values exist:
    in a direct call, and in `fit` with `run_eagerly=True`. In a compiled step there are none; a warning says so once.
    The environment variable `KERAS_LOSSES_DEBUG=1` switches it on for a whole program.

    Args:
        active: False switches the checks off inside the block.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> with kl.debugging():
    ...     kl.BinaryCrossentropy()(np.array([[1.0]]), np.array([[1.5]]))
    Traceback (most recent call last):
    ...
    ValueError: binary_crossentropy: y_pred[0, 0] is 1.5, expected probabilities in [0, 1]. Logits? Use from_logits=True.
    """
    before, _State.active = _State.active, active
    try:
        yield
    finally:
        _State.active = before


def is_active() -> bool:
    return _State.active


def check_input(
    who: str, which: str, x: Any, spec: Spec, keep: Any, rounding: float, classes: int | None = None, ignore: Any = None
) -> None:
    """Raise if an entry of `x` that counts is outside its contract. Runs only inside `debugging()`.

    `rounding` is that of the dtype in which the caller passed `x`: 1 + eps comes out of a half-precision softmax.
    """
    array = _concrete(who, x)
    if array is None:
        return
    counts = np.ones(array.shape, bool)
    if keep is not None and (known := _concrete(who, keep)) is not None:
        counts &= known.reshape(known.shape + (1,) * (array.ndim - known.ndim))
    kind = spec.kind.name
    if array.dtype.kind not in "iub":
        _report(who, which, array, counts & ~np.isfinite(array), "finite numbers")
    if kind == "label":
        if ignore is not None:
            counts &= array != ignore
        wrong = (array < 0) | (array != np.floor(array)) | (array >= classes if classes is not None else False)
        _report(who, which, array, counts & wrong, f"integer labels from 0 to {'C - 1' if classes is None else classes - 1}")
    if kind == "position" and classes is not None:
        _report(who, which, array, counts & ((array < 0) | (array > classes - 1)), f"positions from 0 to {classes - 1}")
    if kind in ("prob", "simplex", "binary", "onehot"):
        hint = " Logits? Use from_logits=True." if kind in ("prob", "simplex") else ""
        eps = 4 * rounding
        _report(who, which, array, counts & ((array < -eps) | (array > 1 + eps)), spec.kind.text + "." + hint, end="")
    if kind in ("positive", "count"):
        _report(who, which, array, counts & (array < 0 if kind == "count" else array <= 0), spec.kind.text)
    if kind in ("simplex", "onehot"):
        total = array.sum(axis=-1)
        wrong = np.abs(total - 1) > 4 * rounding * array.shape[-1]
        _report(who, f"the sum of {which}", total, counts.all(axis=-1) & wrong, "1: these are no probabilities")


def epsilon(dtype: str) -> float:
    """The rounding of a dtype."""
    return {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float64": 2.0**-52}.get(dtype, 2.0**-23)


def _report(who, which, array, wrong, expected, end="."):
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f"{which}[{', '.join(map(str, index))}]"
        raise ValueError(f"{who}: {place} is {array[index]:.6g}, expected {expected}{end}")


def _concrete(who, x):
    """`x` as an array, or None in a trace, where no value exists."""
    if is_inferring_shapes():
        return None
    # Eager differentiation of JAX wraps values; inside the wrapping there is one, unless the step is compiled.
    while hasattr(x, "primal"):
        x = x.primal
    # Tracing of torch.compile turns NumPy calls into tensor operations: there the conversion below would not fail.
    torch = sys.modules.get("torch")
    tracing = torch is not None and keras.backend.backend() == "torch" and torch.compiler.is_compiling()
    if not tracing:
        try:
            array = keras.ops.convert_to_numpy(x)
            return array if array.dtype.kind in "iub" else array.astype("float64")
        except Exception:  # each backend has its own error for a tensor without a value
            pass
    _warn_once(who)
    return None


def _warn_once(who: str) -> None:
    if who not in _warned:
        _warned.add(who)
        warnings.warn(
            f"{who}: keras_losses.debugging() sees no values in a compiled step; use compile(run_eagerly=True).",
            stacklevel=2,
        )


# torch.compile cannot trace a warning; with this mark (that of `torch.compiler.assume_constant_result`) it calls the
# function while it compiles, which is once.
_warn_once._dynamo_marked_constant = True
