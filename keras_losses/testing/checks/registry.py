"""The table of checks."""

from collections.abc import Callable, Iterator
from typing import Any

from keras_losses.core.report import Finding

Check = Callable[[Any], Iterator[Finding]]
CHECKS: dict[str, tuple[Check, ...]] = {}


class Skip(Exception):
    """Raised by a check that has nothing to look at in this loss; the text says why."""


def check(*ids: str) -> Callable[[Check], Check]:
    """Register a check under the ids of what it may find; more than one may find the same."""

    def mark(function: Check) -> Check:
        for name in ids:
            CHECKS[name] = (*CHECKS.get(name, ()), function)
        return function

    return mark
