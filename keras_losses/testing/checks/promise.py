"""Registers what a stated contract promises as checks, for losses that state one."""

from typing import Any

from keras_losses.core.report import Finding
from keras_losses.testing.checks.registry import Skip, check


def promise(applies: Any = None, keeps: bool = False) -> Any:
    """Register a function `name(make)` as the check `contract-name`, for the losses that `applies` holds for.

    `keeps`: it also takes a dict, for numbers that are to be compared across backends.
    """

    def mark(function):
        name = "contract-" + function.__name__.replace("_", "-")

        @check(name)
        def run_promise(s):
            if not s.ours or s.form is not s.loss:
                raise Skip("the loss states no contract")
            if applies and not applies(s.loss):
                raise Skip("it is about other kinds of losses")

            # The data have their classes last, and the checks choose reduction and dtype themselves.
            plain = {"reduction": "sum_over_batch_size", "dtype": None}
            if s.loss.last_axis is not None:
                plain[s.loss.last_axis] = -1

            def make(**config):
                return type(s.loss).from_config({**s.loss.get_config(), **plain, **config})

            try:
                function(make, s.kept) if keeps else function(make)
            except AssertionError as error:
                lines = [line for line in str(error).splitlines() if line.strip()]
                yield Finding(name, str(function.__doc__), {"seen": " | ".join(lines)[:600]})

        return function

    return mark
