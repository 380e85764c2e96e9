"""Every row of docs/differences-from-keras.md names a test that exists."""

import pathlib
import re

HERE = pathlib.Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "differences-from-keras.md"
TEST = re.compile(r"([\w/]+\.py)::(test_\w+)")


def test_every_row_names_a_test_that_exists():
    tables = DOCUMENT.read_text().split("\n## ")[1:]
    assert [table.split("\n")[0] for table in tables][-2:] == ["What a bare function in `compile` cannot have", "Not ours"]
    for table in tables:
        rows = [line for line in table.splitlines() if line.startswith("|")][2:]
        assert rows
        for row in rows:
            found = TEST.findall(row)
            assert found or table.startswith("Not ours"), row
            for file, name in found:
                assert f"\ndef {name}(" in (HERE / file).read_text(), f"{file}::{name}"
