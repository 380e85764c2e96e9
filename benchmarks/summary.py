"""What the measurements say in all: geometric means, the worst, and a table of them."""

from __future__ import annotations

import math
import statistics
from typing import Any

from rich.table import Table

SIZES = {"wide": (4096, 1000), "small": (32, 10)}
PEERS = ("keras", "native", "third")
# Shown, not counted: a dynamic program, whose peers differ in kind. Right where Keras is wrong: docs/differences-from-keras.md.
NOT_COUNTED = ("CTC",)


def ratios(rows: list[dict[str, Any]], peer: str) -> dict[str, float]:
    """`{loss: ratio}` of the rows that count."""
    counted = (row for row in rows if not row["loss"].startswith(NOT_COUNTED))
    return {row["loss"]: row["ratios"][peer] for row in counted if peer in row["ratios"]}


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
