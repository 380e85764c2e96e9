"""Independent NumPy references: what each loss should give, sample by sample.

``REFERENCES`` maps the class name of a loss to ``(function, cases)``. The
function takes ``(y_true, y_pred, **config)`` and returns the unreduced values
in float64, or ``(values, valid)`` where some entries do not count.
"""

import importlib
import pkgutil
import re

from ._case import Case

__all__ = ["DIFFERENTIATED", "REFERENCES", "Case", "snake_case"]

# A file a family, or, where that grows long, a file an idea: `segmentation_distance.py`. Helpers begin with `_`.
_FAMILIES = [
    importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
    if not module.name.startswith("_")
]


def snake_case(name):
    """``KLDivergence`` -> ``kl_divergence``, ``FocalEIoU`` -> ``focal_eiou``."""
    boundary = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    return re.sub(boundary, "_", name.replace("IoU", "IOU")).lower()


REFERENCES = {name: (getattr(family, snake_case(name)), cases) for family in _FAMILIES for name, cases in family.CASES.items()}

DIFFERENTIATED = {name: make for family in _FAMILIES for name, make in getattr(family, "DIFFERENTIATED", {}).items()}
