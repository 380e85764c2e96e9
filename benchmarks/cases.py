"""What is measured: every loss that the package exports, with its data, and its peers where there are any."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

import keras_losses as kl
from benchmarks import native, third
from keras_losses.core.registry import public
from keras_losses.testing import sample

SWITCHES = {"from_logits": "logits", "log_input": "log_input"}


@dataclasses.dataclass(frozen=True)
class Case:
    """One loss, what stands against it, and its data.

    Args:
        name: of the class, with `-logits` if it is from logits.
        ours: the loss.
        peers: `{"keras": ..., "native": ..., "third": ...}`, functions of `(y_true, y_pred)`.
        y_true: targets, float32 or int32.
        y_pred: predictions, float32.
    """

    name: str
    ours: Any
    peers: dict[str, Any]
    y_true: np.ndarray
    y_pred: np.ndarray

    @property
    def least_bytes(self) -> int:
        """What must move: targets and predictions are read, the gradient is written."""
        return self.y_true.nbytes + 2 * self.y_pred.nbytes


def cases(batch: int, width: int, only: list[str] | None = None) -> list[Case]:
    """The cases at one size.

    Args:
        batch: samples.
        width: classes or outputs.
        only: names, or parts of names.
    """
    by_hand, elsewhere = native.table(keras.backend.backend()), third.table(keras.backend.backend())
    found = []
    for name, cls in public().items():
        if not isinstance(cls, type) or cls is kl.Sum:
            continue
        for switch in (None, *(f.name for f in dataclasses.fields(cls) if f.name in SWITCHES)):
            title = f"{name}-{SWITCHES[switch]}" if switch else name
            if only and not any(part in title for part in only):
                continue
            arguments = {switch: True} if switch else {}
            family = cls.__module__.split(".")[1]
            # The items of a list are compared in pairs: a list is shorter than a row of outputs.
            size = min(width, 32) if family == "ranking" else width
            # An overlap is one of regions: as many places as others have outputs, of one class where that makes sense.
            region = family == "segmentation"
            if region:
                size = 1 if cls.example(2, **arguments).y_true.kind.name == "binary" else 2
            ours, peers = cls.example(size, **arguments), {}
            if hasattr(keras.losses, name) and switch != "log_input":
                peers["keras"] = getattr(keras.losses, name)(**arguments)
            if title in by_hand:
                peers["native"] = by_hand[title]
            if title in elsewhere:
                peers["third"] = elsewhere[title]
            sizes: Any = {"spatial": (width,), "C": size} if region else {"C": width, "D": width, "N": size}
            if getattr(ours.y_pred, "kind", None) and ours.y_pred.kind.name in ("boxes", "rotated"):
                sizes |= {"spatial": (max(1, width // 4),)}  # as many numbers as others have
            y_true, y_pred = sample(ours, batch=batch, **sizes)
            y_true = y_true.astype("int32" if y_true.dtype.kind == "i" else "float32")
            found.append(Case(title, ours, peers, y_true, y_pred.astype("float32")))
    return found
