"""What a check or a diagnosis found: for a terminal, a pull request, a program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a loss, or with what it was given.

    Args:
        id: what it is, as in `"scalar-output"`: stable, to be named in a test or a list of expected failures.
        message: why it matters, in one sentence.
        evidence: the numbers seen, by what they are.
        fix: code that mends it.
        where: the line of the user's code, `"file.py:12: return float(x)"`, if one is to blame.
        by_design: why it is meant to be so; None if it is not.
    """

    id: str
    message: str
    evidence: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fix: str = ""
    where: str | None = None
    by_design: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data; arrays become lists, and numbers that JSON lacks become text."""
        return dataclasses.asdict(self) | {"evidence": {k: _plain(v) for k, v in self.evidence.items()}}

    @property
    def shown(self) -> str:
        """The evidence in one line."""
        return "; ".join(f"{name}: {_short(value)}" for name, value in self.evidence.items())


@dataclasses.dataclass(frozen=True)
class Report:
    """The findings about one loss. Prints as a table on a terminal, and as Markdown in a notebook.

    Args:
        title: what was looked at.
        findings: the findings, the most important first.
        notes: what was assumed, such as a guessed kind of loss.
        passed: ids of the checks that found nothing.
        skipped: ids of the checks that could not run, and why.
    """

    title: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    skipped: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing was found but what is by design."""
        return all(finding.by_design for finding in self.findings)

    def raise_for_failures(self) -> None:
        """Raises AssertionError with every finding that is not by design."""
        if not self.ok:
            raise AssertionError(str(dataclasses.replace(self, findings=[f for f in self.findings if not f.by_design])))

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "title": self.title,
            "ok": self.ok,
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": list(self.notes),
            "passed": list(self.passed),
            "skipped": dict(self.skipped),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """The report as JSON."""
        return json.dumps(self.to_dict(), indent=indent)

    def to_markdown(self) -> str:
        """The report as Markdown."""
        lines = [f"### {self.title}", "", self._verdict(), ""]
        lines += [f"- {note}" for note in self.notes] + [""] * bool(self.notes)
        for finding in self.findings:
            lines += [f"**`{finding.id}`** {finding.message}", ""]
            lines += [f"- by design: {finding.by_design}"] * bool(finding.by_design)
            lines += [f"- at `{finding.where}`"] * bool(finding.where)
            lines += [f"- seen: {finding.shown}"] * bool(finding.evidence)
            lines += ["", "```python", finding.fix, "```"] * bool(finding.fix) + [""]
        lines += [f"- not run: {', '.join(f'`{name}`' for name in names)}: {why}" for why, names in self._untold()]
        return "\n".join(lines).rstrip() + "\n"

    _repr_markdown_ = to_markdown

    def __str__(self) -> str:
        lines = [f"{self.title}: {self._verdict()}", *(f"  {note}" for note in self.notes)]
        for finding in self.findings:
            design = f" (by design: {finding.by_design})" if finding.by_design else ""
            lines.append(f"[{finding.id}] {finding.message}{design}")
            lines += [f"    at: {finding.where}"] * bool(finding.where)
            lines += [f"    seen: {finding.shown}"] * bool(finding.evidence)
            lines += [f"    fix: {line}" if not i else f"         {line}" for i, line in enumerate(finding.fix.splitlines())]
        lines += [f"not run: {', '.join(names)}: {why}" for why, names in self._untold()]
        return "\n".join(lines)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.table import Table
        from rich.text import Text

        yield Text(f"{self.title}: {self._verdict()}", style="bold")
        for note in self.notes:
            yield Text(note, style="dim")
        if self.findings:
            table = Table(show_lines=True, expand=True)
            for heading in ("finding, why it matters, what was seen", "fix"):
                table.add_column(heading, ratio=1, overflow="fold")
            for finding in self.findings:
                story = Text(finding.id, style="bold green" if finding.by_design else "bold red")
                story.append(f"\n{finding.message}", style="not bold default")
                for label, text in (("by design", finding.by_design), ("at", finding.where), ("seen", finding.shown)):
                    if text:
                        story.append(f"\n{label}: {text}", style="not bold default dim")
                table.add_row(story, Text(finding.fix))
            yield table
        for why, names in self._untold():
            yield Text(f"not run: {', '.join(names)}: {why}", style="dim")

    def _untold(self) -> list[tuple[str, list[str]]]:
        reasons = dict.fromkeys(self.skipped.values())
        return [(why, [name for name, other in self.skipped.items() if other == why]) for why in reasons]

    def _verdict(self) -> str:
        meant = sum(bool(finding.by_design) for finding in self.findings)
        number = len(self.findings) - meant
        told = "nothing found" if not number else "1 finding" if number == 1 else f"{number} findings"
        return (
            told
            + (f", {meant} by design" if meant else "")
            + (f" in {len(self.passed) + number} checks" if self.passed else "")
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value if isinstance(value, (bool, int, float, type(None))) else str(value)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, (np.ndarray, list, tuple)) and np.size(np.asarray(value, object)) > 24:
        shape = np.shape(value)
        return f"{_short(np.asarray(value).ravel()[:8])[:-1]}, ...] of shape {shape}"
    if isinstance(value, (np.ndarray, list)):
        return "[" + ", ".join(_short(v) for v in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(_short(v) for v in value) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    return str(value)
