"""The command line: `python -m keras_losses`, installed as `keras-losses`."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from keras_losses import demo
from keras_losses.cli import Problem, catalogue, doctor, verify

# A command is a module with `add_command(commands)`, which adds parsers and sets their `run(arguments)`: the exit status.
COMMANDS = (catalogue, verify, doctor, demo)
# What a command imports only when it runs, and the extra that brings it.
EXTRAS = {"matplotlib": "demo", "rich": "demo", "sklearn": "demo"}


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence: the usage, which would hide it, is in `--help`."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that `argv` names, the arguments of the process by default. Returns the exit status."""
    parser = Parser(prog="keras-losses", description="Losses for Keras 3 on JAX, PyTorch and TensorFlow.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_command(commands)
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments) or 0
    except Problem as problem:
        parser.error(str(problem))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        parser.error(f'this needs {package}: pip install "keras-losses[{EXTRAS[package]}]"')
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
