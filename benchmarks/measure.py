"""Times of value and gradient, as `fit` would run them: ratios of runs that alternate in one process."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

MODES = {"jax": ("jit",), "tensorflow": ("xla",), "torch": ("eager", "compile")}


def step(function: Callable[[Any, Any], Any], y_true: np.ndarray, y_pred: np.ndarray, mode: str) -> Callable[[], Any]:
    """A call that computes value and gradient of a mean loss, and returns when both are there."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        true, pred = jax.numpy.asarray(y_true), jax.numpy.asarray(y_pred)
        both = jax.jit(jax.value_and_grad(lambda p, t: function(t, p)))
        return lambda: jax.block_until_ready(both(pred, true))
    if backend == "torch":
        import torch

        true = torch.from_numpy(y_true.astype("int64") if y_true.dtype.kind == "i" else y_true)
        pred = torch.from_numpy(y_pred).requires_grad_(True)
        if mode == "compile":
            torch._dynamo.reset()
            function = torch.compile(function)

        def run():
            pred.grad = None
            value = function(true, pred)
            value.backward()
            return value, pred.grad

        return run
    import tensorflow as tf

    true, pred = tf.constant(y_true), tf.constant(y_pred)

    @tf.function(jit_compile=True, autograph=False)
    def both(t, p):
        with tf.GradientTape() as tape:
            tape.watch(p)
            value = function(t, p)
        return value, tape.gradient(value, p)

    def wait():
        value, slope = both(true, pred)
        return value.numpy(), slope[:1].numpy()

    return wait


def first(run: Callable[[], Any]) -> float:
    """Seconds of the first call, which compiles where the mode does."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def raises(run: Callable[[], Any]) -> bool:
    """Whether a call raises, whatever it is."""
    try:
        run()
    except Exception:
        return True
    return False


def interleaved(
    steps: dict[str, Callable[[], Any]], rounds: int, least: float = 0.02, most: float = 10.0
) -> dict[str, list[float]]:
    """Seconds of one call of each, in every round.

    Args:
        steps: what is timed, by name.
        rounds: how many rounds; in each, all take their turn.
        least: seconds that one turn lasts at least, so that the clock is fine enough.
        most: seconds that all rounds last; three are made however long they take.
    """
    calls, whole = {}, 0.0
    for name, run in steps.items():
        run()  # compiled, and warm
        start = time.perf_counter()
        run()
        one = max(time.perf_counter() - start, 1e-7)
        calls[name] = max(1, int(least / one))
        whole += one * calls[name]
    rounds = min(rounds, max(3, int(most / whole)))
    gc.collect()
    gc.disable()
    try:
        times: dict[str, list[float]] = {name: [] for name in steps}
        for i in range(rounds):
            # The other way round every second time: what runs first has the colder cache.
            for name in list(steps)[:: 1 if i % 2 else -1]:
                start = time.perf_counter()
                for _ in range(calls[name]):
                    steps[name]()
                times[name].append((time.perf_counter() - start) / calls[name])
    finally:
        gc.enable()
    return times


def middle(times: list[float]) -> float:
    """The median."""
    return statistics.median(times)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds of ours against theirs."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def copy_bandwidth(megabytes: int = 64) -> float:
    """Bytes a second that a copy in memory moves, read and written, the best of several."""
    source = np.zeros(megabytes * 2**20, "uint8")
    target = np.empty_like(source)
    best = float("inf")
    for _ in range(7):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best
