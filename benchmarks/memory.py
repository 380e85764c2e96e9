"""Peak memory of one step in a fresh process.

`python -m benchmarks.memory LOSS WHO MODE BATCH WIDTH` prints the megabytes besides inputs and results.
"""

from __future__ import annotations

import gc
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

STATUS = pathlib.Path("/proc/self/status")


def resident(what: str) -> float:
    """Megabytes that this process holds (`VmRSS`), or held at most since the last reset (`VmHWM`)."""
    found = re.search(rf"{what}:\s+(\d+) kB", STATUS.read_text())
    assert found, what
    return int(found[1]) / 1024


def peak(run: Callable[[], Any], small: Callable[[], Any] | None = None) -> float:
    """Megabytes that `run` needs besides what is there before its first call, while its second call runs.

    The first call compiles. What it keeps for the second counts: some backends hold on to memory that they had once.

    Args:
        run: the step.
        small: the same step on small inputs: called first, it loads what a process loads once.
    """
    if small is not None:
        small()
    gc.collect()
    before = resident("VmRSS")
    run()
    gc.collect()
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    run()
    return max(0.0, resident("VmHWM") - before)


def fresh(module: str, *arguments: Any) -> list[float]:
    """The numbers that `python -m module arguments` prints on its last line."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    # What is freed goes back to the system at once.
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=1800, env=env)
    return [float(number) for number in done.stdout.strip().splitlines()[-1].split()]


def main() -> None:
    """Measure one and print it."""
    from benchmarks import measure
    from benchmarks.cases import cases

    name, who, mode, batch, width = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])

    def at(samples):
        (case,) = (case for case in cases(samples, width, [name]) if case.name == name)
        function = case.ours if who == "ours" else case.peers[who]
        return measure.step(function, case.y_true, case.y_pred, mode), case.y_pred.nbytes

    run, gradient = at(batch)
    print(max(0.0, peak(run, at(8)[0]) - gradient / 2**20))


if __name__ == "__main__":
    main()
