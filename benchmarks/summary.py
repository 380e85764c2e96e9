"""What the measurements say in all: geometric means, the worst, and a table of them."""

from __future__ import annotations

import math
import statistics
from typing import Any

from rich.table import Table

from benchmarks.remarks import KERAS_DIFFERS

SIZES = {"wide": (4096, 1000), "small": (32, 10)}
PEERS = ("keras", "native", "third")
# Shown, not counted: a dynamic program, whose peers differ in kind. Right where Keras is wrong: docs/differences-from-keras.md.
NOT_COUNTED = ("CTC",)


def ratios(rows: list[dict[str, Any]], peer: str) -> dict[str, float]:
    """`{loss: ratio}` of the rows that count."""
    left_out = (*NOT_COUNTED, *(KERAS_DIFFERS if peer == "keras" else ()))
    return {row["loss"]: row["ratios"][peer] for row in rows if peer in row["ratios"] and row["loss"] not in left_out}


def middle_of(runs: list[Any]) -> Any:
    """One measurement from several of the same: of each number the median, of the rest what the first says."""
    one = runs[0]
    if isinstance(one, dict):
        return {
            key: middle_of([run[key] for run in runs if key in run])
            for key in dict.fromkeys(key for run in runs for key in run)
        }
    if isinstance(one, list):
        return [middle_of(list(each)) for each in zip(*runs, strict=True)]
    return statistics.median(runs) if isinstance(one, float) else one


def geometric(values: Any) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(math.log(v) for v in values))


def table(rows: list[dict[str, Any]], title: str) -> Table:
    """The rows for a terminal."""
    made = Table(title=title)
    for heading in ("loss", "mode", "ours, ms", "limit, ms", *(f"against {name}" for name in PEERS), "against itself"):
        made.add_column(heading, justify="left" if heading in ("loss", "mode") else "right")
    for row in rows:
        found = [f"{row['ratios'][name]:.2f}" if name in row["ratios"] else "" for name in PEERS]
        numbers = [f"{row['milliseconds']['ours']:.3f}", f"{row['limit']:.3f}", *found, f"{row['same']:.2f}"]
        made.add_row(row["loss"], row["mode"], *numbers)
    for mode in dict.fromkeys(row["mode"] for row in rows):
        made.add_section()
        every = [ratios([row for row in rows if row["mode"] == mode], name) for name in PEERS]
        for what, pick in (("geometric mean", geometric), ("worst", max)):
            made.add_row(what, mode, "", "", *(f"{pick(x.values()):.2f}" if x else "" for x in every), "", style="bold")
    return made
