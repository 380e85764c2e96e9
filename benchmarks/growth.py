"""How time grows with what a loss sorts or pairs: seconds at several sizes, and the exponent of their growth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import keras_losses as kl
from benchmarks import measure

RNG = np.random.default_rng(0)


def _pixels(n):
    return RNG.integers(0, 2, (1, n, 1)).astype("float32"), RNG.normal(size=(1, n, 1)).astype("float32")


def _classes(n):
    return RNG.integers(0, 4, (1, n)).astype("int32"), RNG.normal(size=(1, n, 4)).astype("float32")


def _scores(n):
    return RNG.integers(0, 2, (n, 1)).astype("float32"), RNG.normal(size=(n, 1)).astype("float32")


def _embeddings(n):
    x = RNG.normal(size=(n, 32))
    return RNG.integers(0, n // 4, n).astype("int32"), (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")


# name -> (loss, data of a size, sizes)
CASES: dict[str, tuple[Any, Callable[[int], tuple[np.ndarray, np.ndarray]], tuple[int, ...]]] = {
    "LovaszHinge, pixels": (kl.LovaszHinge(), _pixels, (2**14, 2**16, 2**18, 2**20)),
    "LovaszSoftmax, pixels": (kl.LovaszSoftmax(from_logits=True), _classes, (2**14, 2**16, 2**18)),
    "HardestK, entries": (kl.HardestK(loss=kl.BinaryCrossentropy(from_logits=True)), _scores, (2**14, 2**16, 2**18, 2**20)),
    "GradientHarmonized, entries": (kl.GradientHarmonized(from_logits=True), _scores, (2**14, 2**16, 2**18, 2**20)),
    "Circle, embeddings": (kl.Circle(), _embeddings, (2**9, 2**10, 2**11, 2**12)),
}


def growth(mode: str, rounds: int = 3) -> list[dict[str, Any]]:
    """One row a case: sizes, seconds, and the exponent that a straight line through their logarithms has."""
    rows = []
    for name, (loss, data, sizes) in CASES.items():
        seconds = []
        for size in sizes:
            times = measure.interleaved({"ours": measure.step(loss, *data(size), mode)}, rounds)
            seconds.append(measure.middle(times["ours"]))
        exponent = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
        rows.append({"loss": name, "mode": mode, "sizes": list(sizes), "seconds": seconds, "exponent": exponent})
    return rows
