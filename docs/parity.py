"""Writes `parity.md`: the losses of this package beside those of others, from the tables in `tests/peers`.

nox -s peers, or, where the peers are installed: KERAS_BACKEND=torch python docs/parity.py
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.peers import FAMILIES, FAULTS, ROWS  # noqa: E402
from tests.peers._row import SEEDS, TOLERANCE, brief, show  # noqa: E402

PAGE = ROOT / "docs" / "parity.md"
HEAD = """# Parity with other packages

Each row computes a loss of this package and the same loss of another one, at equal settings and on {draws} random batches, and
compares the unreduced values (the peer's mean where it has no others) and the gradient with respect to the predictions. The
last two columns are the worst differences, relative where a number exceeds 1; more than {tolerance:g} fails. Everything is in
float64, except where a peer computes in float32. A row whose peer is a formula was written from the paper, because no package
that installs has the loss. {rows} rows, {packages} of them with a package, over {losses} losses; {faults} defects of peers at
the end. The losses are run on PyTorch; the tests of the package compare its backends.

Written by `docs/parity.py` in `nox -s peers`, from the tables in `tests/peers`, which fails when a row differs and when a
peer's defect is gone.
"""
TITLES = ("| loss | settings | peer | version | value | gradient |", "|---|---|---|---|---|---|")
FAULT_TITLES = ("| loss | peer | version | at | there | right | what is wrong |", "|---|---|---|---|---|---|---|")
FAULT_HEAD = """## Where a peer is wrong

What the peer returns, and what is right by the formula; ours is checked to return that, with a finite gradient.
"""


def cells(*texts):
    return "| " + " | ".join(str(text).replace("|", "\\|") for text in texts) + " |"


def start(row):
    """A row up to what is measured."""
    settings = ", ".join(f"{name}={show(value)}" for name, value in row.settings.items())
    return cells(f"`{row.loss}`", f"`{settings}`" if settings else "default", row.peer, row.peer.version or "-")


def line(row):
    return start(row) + cells(*map(difference, row.compare()))[1:]


def difference(number):
    """Rounding errors of float64 alike, since they differ from machine to machine."""
    return "< 1e-12" if number < 1e-12 else f"{number:.0e}"


def shorten(array):
    text = show(array)
    return text if len(text) <= 60 else f"{text[:56]}..., shape {array.shape}"


def fault_start(fault):
    """A defect up to what is seen."""
    y_true, y_pred = fault.data
    inputs = f"`y_true={shorten(y_true)}`, `y_pred={shorten(y_pred)}`"
    return cells(f"`{fault.loss}`", fault.peer, fault.peer.version, inputs)


def fault_line(fault):
    right = [] if fault.right is None else [brief(fault.right)]
    right += ["finite gradient"] if fault.slope is None else [f"gradient {brief(fault.slope)}"]
    return fault_start(fault) + cells(fault.seen()[0], ", ".join(right), fault.what)[1:]


def notes(rows):
    found = {f"- `{row.peer.path}` for `{row.loss}`: {row.note}." for row in rows if row.note}
    return ["", *sorted(found)] if found else []


def page():
    packages = [row for row in ROWS if not row.peer.formula]
    numbers = {"rows": len(ROWS), "packages": len(packages), "losses": len({row.loss for row in ROWS}), "faults": len(FAULTS)}
    lines = [HEAD.format(draws=len(SEEDS), tolerance=TOLERANCE, **numbers)]
    for family in FAMILIES:
        lines += [f"## {family.__doc__.strip().rstrip('.')}", "", *TITLES]
        lines += [*map(line, family.ROWS), *notes(family.ROWS), ""]
    lines += [FAULT_HEAD, *FAULT_TITLES, *map(fault_line, FAULTS), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
