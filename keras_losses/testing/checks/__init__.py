"""What is checked. A check is a generator function `check(subject)` of findings, in the file of its subject.

`CHECKS` maps the id of a finding to the checks that may find it; several ids may share one. The order of the ids is the
order of a report: what breaks training first. To add a check, write the function under `@check("its-id")`.
"""

from keras_losses.testing.checks import (  # isort: skip
    shapes,
    weights,
    gradients,
    edges,
    precision,
    labels,
    compilation,
    batches,
    saving,
    builtins,
    contract,
)
from keras_losses.testing.checks.registry import CHECKS, Skip

__all__ = [
    "CHECKS",
    "Skip",
    "batches",
    "builtins",
    "compilation",
    "contract",
    "edges",
    "gradients",
    "labels",
    "precision",
    "saving",
    "shapes",
    "weights",
]
