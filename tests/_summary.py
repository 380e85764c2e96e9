"""Counts what a run covered and writes it to `$KERAS_LOSSES_SUMMARY_DIR/<backend>.json`, for nox to print.

`tests/conftest.py` imports the hooks: `from tests._summary import *`. Under xdist every report reaches the controller,
which alone writes. Losses, checks and cases are read off the ids: `[<Loss>-<variant>-<check>]` of the checks,
`[<Loss>-<case id>]` elsewhere.
"""

import collections
import json
import os
import pathlib
import re
import time

__all__ = ["pytest_collectreport", "pytest_runtest_logreport", "pytest_sessionfinish"]

FILES = ("conformance.py", "test_reference.py")
IDENTITY = re.compile(r"/(?P<file>\w+\.py)::(?:\w+::)*test_(?P<test>\w+)\[(?P<parameters>.*)\](?:@[^\[\]]*)?$")

started = time.perf_counter()
losses, checks, cases = set(), set(), set()
outcomes = {}  # node id -> (outcome, reason)
durations = []  # of the tests about one loss


def identity(nodeid):
    """(loss, check, case) of a test, None where it is not about one loss. `[Huber-default]` has its test's name as check."""
    match = IDENTITY.search("/" + nodeid)
    if match is None or match["file"] not in FILES:
        return None
    loss, _, rest = match["parameters"].partition("-")
    if not loss.isidentifier() or not rest:
        return None
    variant, _, check = rest.partition("-")
    return (loss, check, variant) if match["test"] == "check" else (loss, match["test"], rest)


def skip_reason(report):
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ").strip() or "no reason given"


def pytest_collectreport(report):
    """A file that fails, or skips itself, while it is imported."""
    if report.failed:
        outcomes[report.nodeid] = ("failed", "")
    elif report.skipped:
        outcomes[report.nodeid] = ("skipped", skip_reason(report))


def pytest_runtest_logreport(report):
    found = identity(report.nodeid)
    if found:
        loss, check, case = found
        losses.add(loss)
        checks.add(check)
        cases.add((loss, case))
        durations.append(report.duration)
    if report.failed:  # in its setup, call or teardown
        outcomes[report.nodeid] = ("failed", "")
    elif report.skipped:
        if hasattr(report, "wasxfail"):
            reason = "expected failure: " + report.wasxfail.removeprefix("reason: ")
        else:
            reason = skip_reason(report)
        outcomes[report.nodeid] = ("skipped", reason)
    elif report.when == "call":
        outcomes.setdefault(report.nodeid, ("passed", ""))


def pytest_sessionfinish(session):
    config = session.config
    target = os.environ.get("KERAS_LOSSES_SUMMARY_DIR")
    if not target or hasattr(config, "workerinput"):
        return
    backend = os.environ.get("KERAS_BACKEND") or "unknown"
    totals = collections.Counter(outcome for outcome, _ in outcomes.values())
    workers = int(getattr(config.option, "numprocesses", None) or 1)
    summary = {
        "backend": backend,
        "losses": len(losses),
        "checks": len(checks),
        "cases": len(cases),
        "passed": totals["passed"],
        "failed": totals["failed"],
        "skipped": collections.Counter(reason for outcome, reason in outcomes.values() if outcome == "skipped"),
        "seconds": round(time.perf_counter() - started, 1),
        # Only the tests about one loss: what a further loss would add to the clock.
        "seconds_per_loss": round(sum(durations) / workers / max(len(losses), 1), 2),
    }
    path = pathlib.Path(target, f"{backend}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary, indent=2) + "\n")
