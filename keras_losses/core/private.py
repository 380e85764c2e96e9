"""What Keras keeps to itself: the one file that looks into `keras.src`, guarded, with a way out for the day it moves.

The Keras mask of a tensor is an attribute of it on two backends and stands in a private table on JAX. Where `keras.src` does
not give it, a tiny layer, whose `call` Keras hands the mask, is the public way.
"""

from typing import Any

import keras
from keras import ops

from keras_losses.core.names import scope_name

try:
    from keras.src.backend import get_keras_mask as _get
    from keras.src.backend import set_keras_mask as _set
except ImportError:  # pragma: no cover - depends on the Keras version
    _get = _set = None


try:
    from keras.src.backend.common.symbolic_scope import in_symbolic_scope as _in_symbolic_scope
except ImportError:  # pragma: no cover - depends on the Keras version
    _in_symbolic_scope = None


def is_inferring_shapes() -> bool:
    """Whether Keras runs the code on stand-ins, to learn shapes: their values mean nothing."""
    return _in_symbolic_scope is not None and _in_symbolic_scope()


class _Reader(keras.layers.Layer):
    """Returns the mask that Keras hands to the `call` of a layer, as a float tensor."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True
        self.found = None

    def call(self, inputs, mask=None):
        self.found = mask
        return inputs


class _Writer(keras.layers.Layer):
    """Hangs a mask on its input."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True
        self.mask = None

    def call(self, inputs):
        # A new tensor: the mask must not end up on the caller's.
        return ops.multiply(inputs, 1)

    def compute_mask(self, inputs, previous_mask=None):
        return self.mask


def get_mask(x: Any) -> Any:
    """The Keras mask of `x`, or None."""
    if isinstance(x, (dict, list, tuple)) or not hasattr(x, "shape"):
        return None
    if _get is not None:
        return _get(x)
    reader = _Reader()
    reader(x)
    return reader.found


def set_mask(x: Any, mask: Any) -> Any:
    """`x` with a Keras mask, so that Keras's own reduction leaves the masked entries out."""
    if _set is not None:
        _set(x, mask)
        return x
    writer = _Writer()
    writer.mask = mask
    return writer(x)


def wrapped(function: Any, name: str) -> keras.losses.Loss:
    """A function as a loss, as `compile` wraps one: by the base of the losses that Keras makes of its own functions."""
    base: Any = keras.losses.MeanSquaredError.__bases__[0]
    return base(function, name=scope_name(name))  # `<lambda>` is no name for a scope of TensorFlow


def set_dtype(loss: keras.losses.Loss, dtype: str) -> None:
    """Give a stock Keras loss another dtype: Keras takes one in the constructor only, which a subclass may not forward."""
    policy = keras.DTypePolicy(dtype)
    loss._dtype_policy = policy
    loss._dtype = policy.compute_dtype
