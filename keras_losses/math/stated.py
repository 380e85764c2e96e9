"""A function whose gradient is stated, not derived."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def with_gradient(value: Callable[..., Any], slopes: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors that gives `value(*tensors)`, and whose gradients `slopes(upstream, *tensors)` states.

    Args:
        value: takes tensors, returns a tensor.
        slopes: takes the gradient with respect to the value, and the tensors; returns one gradient a tensor, or a single one.
            One that is seldom asked for, such as that of labels, may be a function without arguments. It may use its
            arguments only: tensors of the forward pass are detached on one backend, and second derivatives would be wrong.
    """
    if keras.backend.backend() == "numpy":  # values only, and it warns at every custom gradient
        return value

    @ops.custom_gradient
    def stated(*given):
        def grad(*args, upstream=None):
            # One backend passes the tensors and `upstream=`, the others the upstream gradient alone.
            tensors, upstream = (given, args[0]) if upstream is None else (args, upstream)
            found = slopes(upstream, *tensors)
            return tuple(map(_asked, found, tensors)) if isinstance(found, tuple) else found

        return value(*given), grad

    return stated


def unfused() -> bool:
    """Whether every operation is a pass over memory of its own: on PyTorch, which compiles only if it is told to.

    There a stated gradient saves most of the passes. Compilers fuse what they derive, and derive it in forward mode too.
    """
    return keras.backend.backend() == "torch"


def _asked(slope, x):
    if not callable(slope):
        return slope
    return slope() if getattr(x, "requires_grad", True) else None
