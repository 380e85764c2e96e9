"""Cross-entropy of a language model's last layer, with and without its logits: one fresh process each.

`python -m benchmarks.language WHO REDUCTION TOKENS FEATURES CLASSES` prints seconds, and megabytes above inputs and gradients.
`WHO` is `ours` or `full`, which multiplies first and then takes `sparse_categorical_crossentropy`.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import keras
import numpy as np
from keras import ops

import keras_losses as kl
from benchmarks import memory

SIZES = {"small": (2048, 256, 32768), "large": (8192, 512, 131072)}


def loss(who: str, reduction: str) -> Any:
    """A function of `(labels, hidden, kernel)` that gives one number, whose gradient differs from token to token."""

    def function(labels, hidden, kernel):
        if who == "ours":
            value = kl.linear_cross_entropy(labels, hidden, kernel, reduction=reduction)
        else:
            logits = hidden @ kernel
            value = kl.sparse_categorical_crossentropy(labels, logits, from_logits=True, reduction=reduction)
        if reduction != "none":
            return value
        return ops.mean(value * ops.convert_to_tensor(np.linspace(0.5, 1.5, labels.shape[0]), dtype="float32"))

    return function


def step(function: Any, labels: np.ndarray, hidden: np.ndarray, kernel: np.ndarray) -> Any:
    """A call that computes the value and both gradients, and returns when all are there."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        both = jax.jit(jax.value_and_grad(function, argnums=(1, 2)))
        given = tuple(map(jax.numpy.asarray, (labels, hidden, kernel)))
        return lambda: jax.block_until_ready(both(*given))
    if backend == "torch":
        import torch

        y, h, w = torch.from_numpy(labels), *(torch.from_numpy(x).requires_grad_(True) for x in (hidden, kernel))

        def run():
            h.grad = w.grad = None
            value = function(y, h, w)
            value.backward()
            return value.detach(), h.grad

        return run
    import tensorflow as tf

    given = tuple(map(tf.constant, (labels, hidden, kernel)))

    @tf.function(jit_compile=True, autograph=False)
    def both(y, h, w):
        with tf.GradientTape() as tape:
            tape.watch((h, w))
            value = function(y, h, w)
        return value, tape.gradient(value, (h, w))

    def wait():
        value, (slope, _) = both(*given)
        return value.numpy(), slope[:1].numpy()

    return wait


def main() -> None:
    """Measure one and print it."""
    who, reduction, tokens, features, classes = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])

    def at(tokens, features, classes):
        rng = np.random.default_rng(0)
        labels = rng.integers(0, classes, tokens).astype("int64" if keras.backend.backend() == "torch" else "int32")
        hidden = rng.normal(size=(tokens, features)).astype("float32")
        kernel = (rng.normal(size=(features, classes)) / features**0.5).astype("float32")
        return step(loss(who, reduction), labels, hidden, kernel), hidden.nbytes + kernel.nbytes

    run, gradients = at(tokens, features, classes)
    megabytes = max(0.0, memory.peak(run, at(16, 8, 32)[0]) - gradients / 2**20)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    print(sorted(times)[1], megabytes)


if __name__ == "__main__":
    main()
