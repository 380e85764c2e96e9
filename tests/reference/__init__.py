"""Independent NumPy references: what each loss should give, sample by sample.

``REFERENCES`` maps the class name of a loss to ``(function, cases)``. The
function takes ``(y_true, y_pred, **config)`` and returns the unreduced values
in float64, or ``(values, valid)`` where some entries do not count.
"""

import re

from . import classification, metric_learning, noisy_labels, regression, segmentation, sequence
from ._case import Case

__all__ = ["DIFFERENTIATED", "REFERENCES", "Case", "snake_case"]

_FAMILIES = (
    regression,
    classification,
    noisy_labels,
    segmentation,
    metric_learning,
    sequence,
)


def snake_case(name):
    """``KLDivergence`` -> ``kl_divergence``."""
    boundary = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    return re.sub(boundary, "_", name).lower()


REFERENCES = {name: (getattr(family, snake_case(name)), cases) for family in _FAMILIES for name, cases in family.CASES.items()}

DIFFERENTIATED = {name: make for family in _FAMILIES for name, make in getattr(family, "DIFFERENTIATED", {}).items()}
