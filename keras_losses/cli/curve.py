"""A loss over one prediction: value and gradient, for each target."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from keras_losses.core.config import with_reduction
from keras_losses.testing.gradients import value_and_gradient

POINTS = 61
_GRIDS = {
    "prob": (0.0, 1.0, "predicted probability"),
    "simplex": (0.01, 0.99, "predicted probability of the right class, the others equal"),
    "count": (0.05, 6.0, "prediction"),
    "positive": (0.05, 6.0, "prediction"),
    "logit": (-6.0, 6.0, "logit"),
    "real": (-4.0, 4.0, "prediction"),
}
_TARGETS = {"binary": (1.0, 0.0), "sign": (1.0, -1.0), "count": (2.0,), "positive": (2.0,), "real": (0.0,)}


@dataclasses.dataclass(frozen=True)
class Curve:
    """The lines of a plot: `{label: (predictions, values, gradients)}`."""

    name: str
    axis: str
    lines: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def of(loss: Any) -> Curve | None:
    """The curve of a loss over its prediction; None for a loss that has no single one."""
    true, pred = loss.y_true, loss.y_pred
    if true is None or pred is None or pred.axes not in (("B", "*S", "C"), ("B", "*S", "D")) or pred.kind.name not in _GRIDS:
        return None
    low, high, axis = _GRIDS[pred.kind.name]
    x = np.linspace(low, high, POINTS)
    unreduced = with_reduction(loss, "none")
    lines = {}
    if true.kind.name in ("label", "onehot", "position"):
        rows = _rows(x, pred.kind.name)
        target = np.eye(3)[np.zeros(POINTS, int)] if true.kind.name == "onehot" else np.zeros(POINTS, "int64")
        values, slopes = value_and_gradient(lambda p: unreduced(target, p), rows)
        lines["right class"] = (x, values, slopes[:, 0])
    else:
        for given in _TARGETS.get(true.kind.name, (0.0,)):
            target = np.full((POINTS, 1), given)
            values, slopes = value_and_gradient(lambda p, t=target: unreduced(t, p), x[:, None])
            lines[f"target {given:g}"] = (x, values.reshape(POINTS, -1).mean(1), slopes[:, 0])
    return Curve(type(loss).__name__, axis, lines)


def _rows(x, kind):
    if kind == "simplex":
        return np.stack([x, (1 - x) / 2, (1 - x) / 2], axis=-1)
    return np.stack([x, np.zeros_like(x), np.zeros_like(x)], axis=-1)


def text(curve: Curve, height: int = 12) -> str:
    """The values as characters for a terminal, one mark a target."""
    finite = np.concatenate([values[np.isfinite(values)] for _, values, _ in curve.lines.values()])
    # A value at the edge may dwarf the rest.
    low, high = float(finite.min()), float(np.quantile(finite, 0.97))
    high = high if high > low else low + 1
    rows = [[" "] * POINTS for _ in range(height)]
    for mark, (_, values, _) in zip("*o+x", curve.lines.values(), strict=False):
        for i, value in enumerate(values):
            if np.isfinite(value) and value <= high:
                rows[height - 1 - round((value - low) / (high - low) * (height - 1))][i] = mark
    labels = [f"{high:8.3g} ", *[" " * 9] * (height - 2), f"{low:8.3g} "]
    x = next(iter(curve.lines.values()))[0]
    lines = [label + "|" + "".join(row) for label, row in zip(labels, rows, strict=True)]
    lines.append(" " * 9 + "+" + "-" * POINTS)
    lines.append(" " * 10 + f"{x[0]:<8.3g}{curve.axis:^{POINTS - 16}.{POINTS - 16}}{x[-1]:>8.3g}")
    lines.append(" " * 10 + "   ".join(f"{mark} {label}" for mark, label in zip("*o+x", curve.lines, strict=False)))
    return "\n".join(lines)
