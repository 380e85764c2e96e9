"""`check_loss`: what is wrong with a loss, before training shows it."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from keras_losses.core.report import Finding, Report
from keras_losses.testing.checks import CHECKS, Skip, blame
from keras_losses.testing.subject import Subject

# What can be looked at in a loss that gives no value.
_WITHOUT_VALUES = {"not-loadable"}


@dataclasses.dataclass
class Outcome:
    """What one check came to: findings; whether it ran; if it should have and could not, why."""

    findings: list[Finding] = dataclasses.field(default_factory=list)
    ran: bool = True
    skipped: str | None = None


def check_loss(
    loss: Any, y_true: Any = None, y_pred: Any = None, *, backends: str | Iterable[str] | None = None, full: bool = False
) -> Report:
    """Run a loss through every check, and report what was found, why it matters and how to mend it.

    Args:
        loss: whatever `compile` takes: a loss of ours or of Keras, an instance, class or name; a function of
            `(y_true, y_pred)`; a subclass of `keras_losses.Loss` or `keras.losses.Loss`.
        y_true: targets of a few samples. Without them, data are drawn from the contract of the loss; a loss that states none
            has its kind guessed, and the report says as what.
        y_pred: predictions for `y_true`.
        backends: other backends to run the loss on and compare: names, or `"all"` for those installed. Each runs in its own
            process, so the loss must be importable by name, or savable.
        full: on PyTorch, also generate code with inductor, which takes a minute.

    Returns:
        A `Report`: `.ok`, `.findings`, `.raise_for_failures()`, `.to_json()`, `.to_markdown()`; it prints as a table.

    Raises:
        TypeError: `loss` is no loss, or a class that needs arguments.
        ValueError: only one of `y_true` and `y_pred`, or arrays of different numbers of samples.

    Example:

    >>> from keras import ops
    >>> from keras_losses.testing import check_loss
    >>> def loss(y_true, y_pred):
    ...     return ops.mean(ops.square(y_pred - y_true))
    >>> "scalar-output" in [finding.id for finding in check_loss(loss).findings]
    True
    """
    subject = Subject(loss, y_true, y_pred)
    subject.full = full
    findings: dict[str, Finding] = {}
    skipped: dict[str, str] = {}
    ran: set[str] = set()
    elsewhere: list[Finding] = []
    for ids, outcome in run_all(subject):
        for finding in outcome.findings:
            findings.setdefault(finding.id, finding)
        if outcome.ran:
            ran.update(ids)
        elif outcome.skipped:
            skipped |= dict.fromkeys(ids, outcome.skipped)
    if backends is not None and "the loss gives no value" not in skipped.values():
        from keras_losses.testing.elsewhere import NotNamed, compare

        try:
            elsewhere = list(compare(subject, backends))  # one a backend
            ran.update(() if elsewhere else ("backend-differs",))
        except NotNamed as error:
            skipped["backend-differs"] = str(error)
    found = (*(findings[name] for name in CHECKS if name in findings), *elsewhere)
    passed = tuple(name for name in (*CHECKS, "backend-differs") if name in ran and name not in {*findings, *skipped})
    skipped = {name: why for name, why in skipped.items() if name not in findings}
    return Report(f"check_loss: {subject.name} on {keras.backend.backend()}", found, tuple(subject.notes), passed, skipped)


def run_all(subject: Subject) -> Iterable[tuple[list[str], Outcome]]:
    """Every check once, with the ids that it may find."""
    fatal = False
    for function in dict.fromkeys(itertools.chain(*CHECKS.values())):
        ids = [name for name, functions in CHECKS.items() if function in functions]
        if fatal and not _WITHOUT_VALUES & set(ids):
            promise = all(name.startswith("contract-") for name in ids)
            yield ids, Outcome(ran=False, skipped=None if promise else "the loss gives no value")
            continue
        outcome = run_check(function, subject)
        yield ids, outcome
        fatal = fatal or ("raises" in ids and bool(outcome.findings))


def run_check(function: Any, subject: Subject) -> Outcome:
    """One check on one loss. What the code of the user raises in it is a finding, if it names the line."""
    outcome = Outcome()
    # Checks feed what nobody should, on purpose: a warning about it says nothing about the loss.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _collect(function, subject, outcome)
    return outcome


def _collect(function, subject, outcome):
    try:
        for finding in function(subject):
            outcome.findings.append(dataclasses.replace(finding, by_design=_by_design(subject, finding.id)))
    except Skip:
        outcome.ran = False
    except Exception as error:
        found = blame.finding(error, f"in the check {function.__name__}")
        if found.id != "not-compilable" and found.where:
            outcome.findings.append(found)
        else:
            outcome.ran, outcome.skipped = False, f"it raised {blame.first_line(error)}"


def _by_design(subject, name):
    for loss in (subject.loss, subject.counterpart if not subject.stock else None):
        reason = getattr(loss, "by_design", {}).get(name)
        if reason:
            return reason
    function = subject.function.func if isinstance(subject.function, functools.partial) else subject.function
    if hasattr(function, "loss_class") and name in _BARE:
        return f"{_BARE[name]}; {function.loss_class.__name__}() has it"
    return None


# What a bare function cannot have: Keras casts, weighs and reduces around it.
_BARE = dict.fromkeys(
    ("weight-axis", "zero-weight-counts", "mask-ignored", "mask-not-renormalised", "nothing-counts", "labels-damaged"),
    "Keras wraps a function, and its wrapper casts and weighs",
)


def parametrize_with_checks(
    losses: Iterable[Any] | Mapping[str, Any], *, expected_failures: Mapping[str, Any] | None = None
) -> Any:
    """A pytest decorator: one test for each loss and check, for a test function with the argument `check`.

    Args:
        losses: what `check_loss` takes; a `(loss, y_true, y_pred)` tuple gives data with it. A dict names them; otherwise
            the names of the functions and classes are taken.
        expected_failures: `{check: reason}` for every loss, or `{loss name: {check: reason}}`: those tests must fail.

    Returns:
        The decorator. The test calls its argument: `check()` raises AssertionError with what was found.

    Example:

        @parametrize_with_checks([MyLoss(), other_loss], expected_failures={"second-derivative": "not needed"})
        def test_loss(check):
            check()
    """
    import pytest

    named = losses.items() if isinstance(losses, Mapping) else [(_name(loss), loss) for loss in losses]
    cases = []
    for loss_name, given in named:
        lazy = _Lazy(loss_name, given if isinstance(given, tuple) else (given,))
        expected = expected_failures or {}
        expected = expected.get(loss_name, expected)
        for name in CHECKS:
            reason = expected.get(name)
            marks = [pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True)] if isinstance(reason, str) else []
            cases.append(pytest.param(Case(lazy, name), id=f"{loss_name}-{name}", marks=marks))
    return pytest.mark.parametrize("check", cases)


def _name(given):
    loss = given[0] if isinstance(given, tuple) else given
    return loss if isinstance(loss, str) else getattr(loss, "__name__", None) or type(loss).__name__


class _Lazy:
    """A loss that becomes a subject when its first test runs, with the outcomes of its checks."""

    def __init__(self, name, given):
        self.name, self.given = name, given
        self.made: dict[Any, Outcome] = {}

    @functools.cached_property
    def subject(self) -> Subject:
        return Subject(*self.given)

    def outcomes(self, name):
        for function in CHECKS[name]:
            if function not in self.made:
                self.made[function] = run_check(function, self.subject)
            yield self.made[function]


@dataclasses.dataclass
class Case:
    """One check of one loss, to be called by a test."""

    lazy: _Lazy
    id: str

    @property
    def loss(self) -> str:
        """The name of the loss."""
        return self.lazy.name

    @property
    def kept(self) -> Mapping[str, np.ndarray]:
        """Numbers that the checks so far have kept for a comparison across backends."""
        return self.lazy.subject.kept

    def __call__(self) -> None:
        """Raises AssertionError if the check finds something that is not by design, or could not run."""
        outcomes = list(self.lazy.outcomes(self.id))
        found = [f for outcome in outcomes for f in outcome.findings if f.id == self.id and not f.by_design]
        if found:
            Report(f"{self.loss}: {self.id}", tuple(found)).raise_for_failures()
        for outcome in outcomes:
            if outcome.skipped and not outcome.findings:
                raise AssertionError(f"{self.loss}: the check {self.id} could not run: {outcome.skipped}")
