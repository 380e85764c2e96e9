"""`docs/parity.md` is what `docs/parity.py` writes from the tables; the peers themselves are not needed for that."""

import importlib.util
import pathlib

from tests.peers import FAULTS, ROWS
from tests.peers._row import TOLERANCE

DOCS = pathlib.Path(__file__).parent.parent / "docs"
spec = importlib.util.spec_from_file_location("parity", DOCS / "parity.py")
parity = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parity)
LINES = [line for line in (DOCS / "parity.md").read_text().splitlines() if line.startswith("| `")]


def test_the_page_has_the_rows_of_the_tables_and_no_others():
    starts = [*map(parity.start, ROWS), *map(parity.fault_start, FAULTS)]
    assert len(LINES) == len(starts)
    for line, start in zip(LINES, starts, strict=True):
        assert line.startswith(start)


def test_every_difference_on_the_page_is_small():
    for line in LINES[: len(ROWS)]:
        numbers = [float(cell.strip("< |")) for cell in line.split(" | ")[-2:]]
        assert max(numbers) <= TOLERANCE, line


def test_a_row_is_there_once():
    names = [(*map(str, (row.ours, row.peer)),) for row in ROWS]
    assert len(set(names)) == len(names)
