"""`keras-losses doctor`: what an issue report needs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
from typing import Any


def add_command(commands: Any) -> None:
    """Add the parser of `doctor`."""
    doctor = commands.add_parser("doctor", help="versions, backend, device: what an issue report needs")
    doctor.add_argument("--json", action="store_true", help="print as JSON")
    doctor.set_defaults(run=run_doctor)


def facts() -> dict[str, Any]:
    """What is installed, and what Keras runs on."""
    import keras

    import keras_losses

    return {
        "keras_losses": keras_losses.__version__,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "KERAS_BACKEND": os.environ.get("KERAS_BACKEND"),
        "floatx": keras.config.floatx(),
        "dtype policy": keras.config.dtype_policy().name,
        "device": str(getattr(keras.ops.zeros(()), "device", "unknown")),
        **{name: _version(name) for name in ("jax", "torch", "tensorflow", "numpy", "rich", "matplotlib")},
        "python": sys.version.split()[0],
        "platform": platform.platform(),
    }


def _version(name):
    for distribution in (name, f"{name}-cpu"):
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "installed, version unknown" if importlib.util.find_spec(name) else "not installed"


def run_doctor(arguments: Any) -> int:
    """Run `doctor`."""
    found = facts()
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    import rich
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in found.items():
        table.add_row(name, str(value))
    rich.print(table)
    return 0
