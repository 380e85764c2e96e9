"""The base of losses that look at where the pixels of a region lie."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.spec import binary, prob
from keras_losses.segmentation.region import RegionMean


class Maps(RegionMean):
    """Base of losses of maps, which have one spatial axis at least: a subclass writes `region(y_true, y_pred, inside)`."""

    y_true = binary("B X *S C")
    y_pred = prob("B X *S C")

    def mean(self, x: Any, inside: Any) -> Any:
        """The mean over the pixels of each region that the mask lets through, with the summed axes kept as 1."""
        return math.safe_divide(self.total(x, inside), self.total(ops.ones_like(x), inside))
