"""`python -m benchmarks`: a table on the terminal, and JSON with what it was measured on."""

from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import statistics
from typing import Any

import keras
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import measure
from benchmarks.cases import Case, cases
from keras_losses.cli.doctor import facts

SIZES = {"wide": (4096, 1000), "small": (32, 10)}


def one(case: Case, mode: str, rounds: int, bandwidth: float) -> dict[str, Any]:
    """The measurements of one loss: seconds, ratios, the ratio of ours against itself, and the limit of the memory."""
    steps = {name: measure.step(f, case.y_true, case.y_pred, mode) for name, f in {"ours": case.ours, **case.peers}.items()}
    steps["again"] = measure.step(case.ours, case.y_true, case.y_pred, mode)
    times = measure.interleaved(steps, rounds)
    return {
        "loss": case.name,
        "mode": mode,
        "milliseconds": {name: 1e3 * statistics.median(t) for name, t in times.items() if name != "again"},
        "limit": 1e3 * case.least_bytes / bandwidth,
        "ratios": {name: measure.ratio(times["ours"], times[name]) for name in case.peers},
        "same": measure.ratio(times["again"], times["ours"]),
    }


def table(rows: list[dict[str, Any]], title: str) -> Table:
    """The rows for a terminal."""
    made = Table(title=title)
    for heading in ("loss", "mode", "ours, ms", "limit, ms", "against keras", "against native", "against itself"):
        made.add_column(heading, justify="left" if heading in ("loss", "mode") else "right")
    for row in rows:
        ratios = [f"{row['ratios'][name]:.2f}" if name in row["ratios"] else "" for name in ("keras", "native")]
        numbers = [f"{row['milliseconds']['ours']:.3f}", f"{row['limit']:.3f}", *ratios, f"{row['same']:.2f}"]
        made.add_row(row["loss"], row["mode"], *numbers)
    for mode in dict.fromkeys(row["mode"] for row in rows):
        every = [row for row in rows if row["mode"] == mode and "CTC" not in row["loss"]]
        made.add_section()
        for what, pick in (("geometric mean", _geometric), ("worst", max)):
            cells = []
            for name in ("keras", "native"):
                found = [row["ratios"][name] for row in every if name in row["ratios"]]
                cells.append(f"{pick(found):.2f}" if found else "")
            made.add_row(what, mode, "", "", *cells, "", style="bold")
    return made


def _geometric(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Losses against their peers, in ratios.")
    parser.add_argument("losses", nargs="*", help="parts of names; all by default")
    parser.add_argument("--size", choices=SIZES, action="append", help="wide (4096 x 1000), small (32 x 10); both by default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--mode", action="append", help="eager or compile, on PyTorch")
    parser.add_argument("--json", metavar="FILE", help="write the measurements there")
    arguments = parser.parse_args()
    backend = keras.backend.backend()
    modes = [m for m in measure.MODES[backend] if not arguments.mode or m in arguments.mode]
    console, bandwidth, found = Console(), measure.copy_bandwidth(), {}
    for size in arguments.size or SIZES:
        batch, width = SIZES[size]
        work = [(case, mode) for case in cases(batch, width, arguments.losses) for mode in modes]
        rows = [one(case, mode, arguments.rounds, bandwidth) for case, mode in track(work, size, console=console)]
        console.print(table(rows, f"{backend}, {batch} x {width}: value and gradient, medians of {arguments.rounds} rounds"))
        found[size] = rows
    if arguments.json:
        about = facts() | {"cpus": os.cpu_count(), "copy bandwidth, GB/s": bandwidth / 1e9}
        pathlib.Path(arguments.json).write_text(json.dumps({"environment": about, "sizes": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
