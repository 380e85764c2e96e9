"""Gradients and compiled functions on the backend at hand. The one module that may import a backend.

Keras has no public gradient, so each backend's own is called; the import stands in the function that needs it.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops


def value_and_gradient(
    function: Callable[[Any], Any], x: Any, dtype: str = "float32", weights: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Value of a function of one array, and the gradient of the sum of its entries.

    Args:
        function: takes a tensor, returns a tensor.
        x: the array.
        dtype: the dtype in which `x` is passed.
        weights: numbers by which the entries are multiplied before they are summed; of the shape of the value.

    Returns:
        The value and the gradient as NumPy arrays. A function that does not depend on `x` has gradient 0.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return _jax(function, x, dtype, weights)
    if backend == "torch":
        return _torch(function, x, dtype, weights)
    if backend == "tensorflow":
        return _tensorflow(function, x, dtype, weights)
    raise RuntimeError(f"The {backend} backend has no gradients: use jax, torch or tensorflow.")


def gradient(function: Callable[[Any], Any], x: Any, dtype: str = "float32") -> np.ndarray:
    """The gradient of a scalar function of one array."""
    return value_and_gradient(function, x, dtype)[1]


class Differentiated:
    """Value and gradient of a function of `(y_true, y_pred, ...)` for `y_pred`: compiled once on JAX, not once a call.

    Args:
        function: takes two tensors or more, returns a tensor; the gradient is that of the sum of its entries.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self._compiled: dict[str, Any] = {}

    def __call__(
        self, y_true: np.ndarray, y_pred: np.ndarray, dtype: str = "float32", *more: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Value and gradient as NumPy arrays; `y_pred` and every floating array are passed in `dtype`."""
        if keras.backend.backend() != "jax":
            true, *rest = self._tensors(dtype, y_true, *more)
            return value_and_gradient(lambda p: self.function(true, p, *rest), y_pred, dtype)
        import jax

        def both(p, t, *rest):
            value = self.function(t, p, *rest)
            return _sum(value), value

        return self._on_jax("gradient", jax.value_and_grad(both, has_aux=True), dtype, y_true, y_pred, *more)

    def second(self, y_true: np.ndarray, y_pred: np.ndarray, v: np.ndarray, dtype: str = "float32") -> np.ndarray:
        """The product of the second derivatives with the vector `v`, as `second_derivative` has it."""
        if keras.backend.backend() != "jax":
            (true,) = self._tensors(dtype, y_true)
            return second_derivative(lambda p: self.function(true, p), y_pred, v, dtype)
        import jax

        def along(p, t, v):
            return (jax.grad(lambda q: _sum(self.function(t, q)))(p) * v).sum()

        def curvature(p, t, v):
            return (None, None), jax.grad(along)(p, t, v)

        return self._on_jax("curvature", curvature, dtype, y_true, y_pred, v)[1]

    def _tensors(self, dtype, *arrays):
        return [ops.convert_to_tensor(a, dtype=_passed_as(a, dtype)) for a in arrays]

    def _on_jax(self, what: str, derive: Callable[..., Any], dtype: str, y_true: Any, y_pred: Any, *more: Any) -> Any:
        import jax

        with _x64(dtype):
            pred, true, *rest = (_asarray(a, _passed_as(a, dtype)) for a in (np.asarray(y_pred, dtype), y_true, *more))
            try:
                self._compiled[what] = self._compiled.get(what) or jax.jit(derive)
                (_, value), slope = self._compiled[what](pred, true, *rest)
            except (TypeError, jax.errors.JAXIndexError):  # Python code on values: it may still run op by op
                (_, value), slope = derive(pred, true, *rest)
            return None if value is None else ops.convert_to_numpy(value), np.asarray(slope)


def _passed_as(array, dtype):
    """Floats are passed in `dtype`, labels as int32, masks as they are."""
    return {"f": dtype, "b": "bool"}.get(array.dtype.kind, "int32")


def second_derivative(function: Callable[[Any], Any], x: Any, v: Any, dtype: str = "float32") -> np.ndarray:
    """The product of the second derivatives of a scalar function with the vector `v`: the gradient of `<gradient, v>`."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        with _x64(dtype):
            v = _asarray(v, dtype)
            inner = jax.grad(lambda t: _sum(function(t)))
            return np.asarray(jax.jit(jax.grad(lambda t: (inner(t) * v).sum()))(_asarray(x, dtype)))
    if backend == "torch":
        import torch

        x = ops.convert_to_tensor(np.asarray(x), dtype=dtype).detach().requires_grad_(True)
        v = ops.convert_to_tensor(np.asarray(v), dtype=dtype)
        (first,) = torch.autograd.grad(_sum(function(x)), x, create_graph=True, allow_unused=True, materialize_grads=True)
        if first.grad_fn is None:
            return np.zeros(x.shape)
        (second,) = torch.autograd.grad((first * v).sum(), x, allow_unused=True, materialize_grads=True)
        return ops.convert_to_numpy(torch.zeros_like(x) + second)  # PyTorch's own zeros, as of `abs`, are no array
    import tensorflow as tf

    x = tf.convert_to_tensor(np.asarray(x), dtype=dtype)
    v = tf.convert_to_tensor(np.asarray(v), dtype=dtype)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = function(x)
        first = inner.gradient(value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        product = tf.reduce_sum(first * v)
    return np.asarray(outer.gradient(product, x, unconnected_gradients=tf.UnconnectedGradients.ZERO))


def compiled(function: Callable[..., Any], unknown_batch: bool = True, torch_backend: str = "aot_eager") -> Callable[..., Any]:
    """The function as the backend compiles it: `jax.jit`, `tf.function` with XLA, `torch.compile` without graph breaks.

    Args:
        function: takes and returns tensors.
        unknown_batch: on TensorFlow and PyTorch, trace with an unknown first axis.
        torch_backend: what `torch.compile` builds with; `"aot_eager"` captures and differentiates, `"inductor"` generates code.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "torch":
        import torch

        torch._dynamo.reset()
        built = torch.compile(function, fullgraph=True, backend=torch_backend)

        def run(*tensors):
            for x in tensors:
                if unknown_batch and x.ndim:
                    # Other axes too, by `dynamic=True`, take twice the time and are no promise.
                    torch._dynamo.maybe_mark_dynamic(x, 0)
            return built(*tensors)

        return run
    import tensorflow as tf

    def call(*arrays):
        def unknown(a):
            return tf.TensorSpec((None, *a.shape[1:]) if unknown_batch and a.shape.rank else a.shape, a.dtype)

        arrays = [tf.convert_to_tensor(a) for a in arrays]
        # Without AutoGraph, as in the trainer of Keras: a Python `if` on a tensor fails here as it fails there.
        signature = [unknown(a) for a in arrays]
        traced = tf.function(function, jit_compile=True, input_signature=signature, autograph=False)
        # Called so, TensorFlow does not warn of many traces: each is made once, on purpose.
        return traced.get_concrete_function()(*arrays)

    return call


def _sum(value, weights=None):
    if weights is not None:
        value = value * ops.convert_to_tensor(np.asarray(weights), dtype=value.dtype)
    return value if len(value.shape) == 0 else ops.sum(value)


def _x64(dtype):
    import contextlib

    import jax.experimental

    if dtype != "float64":
        return contextlib.nullcontext()
    # Old releases have it in `jax.experimental`.
    room: Any = jax if hasattr(jax, "enable_x64") else jax.experimental
    return room.enable_x64(True)


def _asarray(x, dtype):
    import jax.numpy as jnp

    return jnp.asarray(np.asarray(x), dtype=dtype)


def _jax(function, x, dtype, weights):
    import jax

    def both(t):
        value = function(t)
        return _sum(value, weights), value

    with _x64(dtype):
        (_, value), slope = jax.jit(jax.value_and_grad(both, has_aux=True))(_asarray(x, dtype))
        return ops.convert_to_numpy(value), np.asarray(slope)


def _torch(function, x, dtype, weights):
    import torch

    x = ops.convert_to_tensor(np.asarray(x), dtype=dtype).detach().requires_grad_(True)
    value = function(x)
    total = _sum(value, weights)
    if total.grad_fn is None:
        return ops.convert_to_numpy(value), np.zeros(x.shape)
    (slope,) = torch.autograd.grad(total, x, allow_unused=True, materialize_grads=True)
    return ops.convert_to_numpy(value), ops.convert_to_numpy(slope)


def _tensorflow(function, x, dtype, weights):
    import tensorflow as tf

    x = tf.convert_to_tensor(np.asarray(x), dtype=dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
        total = _sum(value, weights)
    slope: Any = tape.gradient(total, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return value.numpy(), slope.numpy()  # NumPy's own conversion fails for a bfloat16 scalar


def compiled_value_and_gradient(function: Callable[..., Any], *tensors: Any, wrt: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Value and gradient of a scalar function of tensors, compiled in one piece, with an unknown batch where that exists.

    Args:
        function: takes tensors, returns a number.
        *tensors: its arguments.
        wrt: which of them the gradient belongs to.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        call = compiled(function)
        return value_and_gradient(lambda x: call(*tensors[:wrt], x, *tensors[wrt + 1 :]), ops.convert_to_numpy(tensors[wrt]))
    if backend == "jax":
        import jax

        both = compiled(jax.value_and_grad(function, argnums=wrt))
    else:
        import tensorflow as tf

        def derive(*args):
            with tf.GradientTape() as tape:
                tape.watch(args[wrt])
                value = function(*args)
            return value, tape.gradient(value, args[wrt])

        both = compiled(derive)
    value, slope = both(*tensors)
    return ops.convert_to_numpy(value), ops.convert_to_numpy(slope)
