"""`python -m benchmarks`: a table on the terminal, JSON with what it was measured on, and the page of all backends."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
from typing import Any

import keras
from rich.console import Console
from rich.progress import track

from benchmarks import growth, language, measure, memory, page
from benchmarks.cases import Case, cases
from benchmarks.summary import SIZES, table
from keras_losses.cli.doctor import facts


def one(case: Case, mode: str, rounds: int, bandwidth: float) -> dict[str, Any]:
    """The measurements of one loss: seconds, ratios, the ratio of ours against itself, and the limit of the memory.

    A peer that raises, as some do when they are compiled, has no ratio.
    """
    steps = {name: measure.step(f, case.y_true, case.y_pred, mode) for name, f in {"ours": case.ours, **case.peers}.items()}
    raising = [name for name in case.peers if measure.raises(steps[name])]
    steps = {name: step for name, step in steps.items() if name not in raising}
    steps["again"] = measure.step(case.ours, case.y_true, case.y_pred, mode)
    compiled = measure.first(steps["ours"])
    times = measure.interleaved(steps, rounds)
    return {
        "loss": case.name,
        "mode": mode,
        "first": compiled,
        "milliseconds": {name: 1e3 * measure.middle(t) for name, t in times.items() if name != "again"},
        "limit": 1e3 * case.least_bytes / bandwidth,
        "ratios": {name: measure.ratio(times["ours"], times[name]) for name in case.peers if name not in raising},
        "raising": raising,
        "same": measure.ratio(times["again"], times["ours"]),
    }


def peaks(modes: list[str], only: list[str], console: Console) -> list[dict[str, Any]]:
    """Peak memory of one step of each loss that has a native peer, in fresh processes."""
    batch, width = SIZES["wide"]
    work = [(c, mode) for mode in modes for c in cases(batch, width, only) if "native" in c.peers]
    rows = []
    for case, mode in track(work, "memory", console=console):
        found = {
            who: memory.fresh("benchmarks.memory", case.name, who, mode, batch, width)[0]
            for who in ("ours", *(name for name in case.peers if name != "third"))
        }
        rows.append({"loss": case.name, "mode": mode, "megabytes": found})
    return rows


def heads(sizes: list[str], console: Console) -> list[dict[str, Any]]:
    """Time and memory of the linear cross-entropy, in fresh processes."""
    work = [(size, reduction, who) for size in sizes for reduction in ("mean", "none") for who in ("full", "ours")]
    rows = []
    for size, reduction, who in track(work, "language", console=console):
        seconds, megabytes = memory.fresh("benchmarks.language", who, reduction, *language.SIZES[size])
        rows.append({"size": size, "reduction": reduction, "who": who, "seconds": seconds, "megabytes": megabytes})
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Losses against their peers, in ratios.")
    parser.add_argument("losses", nargs="*", help="parts of names; all by default")
    parser.add_argument("--size", choices=SIZES, action="append", help="wide (4096 x 1000), small (32 x 10); both by default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--mode", action="append", help="eager or compile, on PyTorch")
    parser.add_argument("--peers", action="store_true", help="only losses that have a peer")
    parser.add_argument("--memory", action="store_true", help="peak memory too, in fresh processes")
    parser.add_argument("--growth", action="store_true", help="growth with the size too")
    parser.add_argument("--language", choices=language.SIZES, action="append", help="the linear cross-entropy too")
    parser.add_argument("--json", metavar="FILE", help="write the measurements there, beside what it holds of other kinds")
    parser.add_argument("--page", nargs="+", metavar="FILE", help="write docs/performance.md from such files, and stop")
    arguments = parser.parse_args()
    if arguments.page:
        files = [json.loads(pathlib.Path(name).read_text()) for name in arguments.page]
        page.write([one for found in files for one in (found if isinstance(found, list) else [found])])
        return
    backend = keras.backend.backend()
    modes = [m for m in measure.MODES[backend] if not arguments.mode or m in arguments.mode]
    console, bandwidth = Console(), measure.copy_bandwidth()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found: dict[str, Any] = {"environment": facts() | {"cores": cores, "copy bandwidth, GB/s": bandwidth / 1e9}}
    for size in arguments.size or SIZES:
        batch, width = SIZES[size]
        every = [c for c in cases(batch, width, arguments.losses) if c.peers or not arguments.peers]
        work = [(case, mode) for case in every for mode in modes]
        rows = [one(case, mode, arguments.rounds, bandwidth) for case, mode in track(work, size, console=console)]
        console.print(table(rows, f"{backend}, {batch} x {width}: value and gradient, medians of {arguments.rounds} rounds"))
        found[size] = rows
    if arguments.growth:
        found["growth"] = [row for mode in modes for row in growth.growth(mode)]
    if arguments.memory:
        found["memory"] = peaks(modes, arguments.losses, console)
    if arguments.language:
        found["language"] = heads(arguments.language, console)
    for kind in ("growth", "memory", "language"):
        if kind in found:
            console.print_json(data=found[kind])
    if arguments.json:
        path = pathlib.Path(arguments.json)
        before = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(before | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
