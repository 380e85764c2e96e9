"""Gradients and compiled functions on the backend at hand. The one module that may import a backend.

Keras has no public gradient, so each backend's own is called; the import stands in the function that needs it.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops


def value_and_gradient(function: Callable[[Any], Any], x: Any, dtype: str = "float32") -> tuple[np.ndarray, np.ndarray]:
    """Value of a scalar function of one array, and its gradient.

    Args:
        function: takes a tensor, returns a scalar tensor.
        x: the array.
        dtype: the dtype in which `x` is passed.

    Returns:
        The value and the gradient as NumPy arrays. A function that does not depend on `x` has gradient 0.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return _jax(function, x, dtype)
    if backend == "torch":
        return _torch(function, x, dtype)
    if backend == "tensorflow":
        return _tensorflow(function, x, dtype)
    raise RuntimeError(f"The {backend} backend has no gradients: use jax, torch or tensorflow.")


def gradient(function: Callable[[Any], Any], x: Any, dtype: str = "float32") -> np.ndarray:
    """The gradient of a scalar function of one array."""
    return value_and_gradient(function, x, dtype)[1]


def second_derivative(function: Callable[[Any], Any], x: Any, v: Any, dtype: str = "float32") -> np.ndarray:
    """The product of the second derivatives of a scalar function with the vector `v`: the gradient of `<gradient, v>`."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        with _x64(dtype):
            v = _asarray(v, dtype)
            inner = jax.grad(lambda t: _scalar(function(t)))
            return np.asarray(jax.jit(jax.grad(lambda t: (inner(t) * v).sum()))(_asarray(x, dtype)))
    if backend == "torch":
        import torch

        x = ops.convert_to_tensor(np.asarray(x), dtype=dtype).detach().requires_grad_(True)
        v = ops.convert_to_tensor(np.asarray(v), dtype=dtype)
        (first,) = torch.autograd.grad(_scalar(function(x)), x, create_graph=True, allow_unused=True, materialize_grads=True)
        if first.grad_fn is None:
            return np.zeros(x.shape)
        (second,) = torch.autograd.grad((first * v).sum(), x, allow_unused=True, materialize_grads=True)
        return ops.convert_to_numpy(second)
    import tensorflow as tf

    x = tf.convert_to_tensor(np.asarray(x), dtype=dtype)
    v = tf.convert_to_tensor(np.asarray(v), dtype=dtype)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = function(x)
        first = inner.gradient(value, x, unconnected_gradients="zero")
        product = tf.reduce_sum(first * v)
    return np.asarray(outer.gradient(product, x, unconnected_gradients="zero"))


def compiled(function: Callable[..., Any], unknown_batch: bool = True, torch_backend: str = "aot_eager") -> Callable[..., Any]:
    """The function as the backend compiles it: `jax.jit`, `tf.function` with XLA, `torch.compile` without graph breaks.

    Args:
        function: takes and returns tensors.
        unknown_batch: on TensorFlow, trace with an unknown first axis.
        torch_backend: what `torch.compile` builds with; `"aot_eager"` captures and differentiates, `"inductor"` generates code.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "torch":
        import torch

        torch._dynamo.reset()
        return torch.compile(function, fullgraph=True, dynamic=True, backend=torch_backend)
    import tensorflow as tf

    def call(*arrays):
        def unknown(a):
            return tf.TensorSpec((None, *a.shape[1:]) if unknown_batch and a.shape.rank else a.shape, a.dtype)

        arrays = [tf.convert_to_tensor(a) for a in arrays]
        traced = tf.function(function, jit_compile=True, input_signature=[unknown(a) for a in arrays])
        return traced(*arrays)

    return call


def _scalar(value):
    return value if len(value.shape) == 0 else ops.sum(value)


def _x64(dtype):
    import contextlib

    import jax

    return jax.enable_x64(True) if dtype == "float64" else contextlib.nullcontext()


def _asarray(x, dtype):
    import jax.numpy as jnp

    return jnp.asarray(np.asarray(x), dtype=dtype)


def _jax(function, x, dtype):
    import jax

    with _x64(dtype):
        value, slope = jax.jit(jax.value_and_grad(lambda t: _scalar(function(t))))(_asarray(x, dtype))
        return np.asarray(value), np.asarray(slope)


def _torch(function, x, dtype):
    import torch

    x = ops.convert_to_tensor(np.asarray(x), dtype=dtype).detach().requires_grad_(True)
    value = _scalar(function(x))
    if value.grad_fn is None:
        return ops.convert_to_numpy(value), np.zeros(x.shape)
    (slope,) = torch.autograd.grad(value, x, allow_unused=True, materialize_grads=True)
    return ops.convert_to_numpy(value), ops.convert_to_numpy(slope)


def _tensorflow(function, x, dtype):
    import tensorflow as tf

    x = tf.convert_to_tensor(np.asarray(x), dtype=dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = _scalar(function(x))
    return np.asarray(value), np.asarray(tape.gradient(value, x, unconnected_gradients="zero"))
