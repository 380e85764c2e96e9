"""What losses of several views of each sample share: which samples count, and the values of a whole batch."""

from typing import Any, ClassVar

from keras import ops

from keras_losses import math
from keras_losses.core.batch_loss import BatchLoss
from keras_losses.core.spec import real, unused


class Views(BatchLoss):
    """Base of losses of views that are compared over the batch: a subclass writes `values(y_pred, counts)`.

    The views of a sample are stacked on axis 1, and the target is not looked at. A sample that is masked, or of weight 0,
    is as if it were not in the batch: `counts` `(B,)` says which are, and the predictions of the others are 0.
    """

    #: How many samples the batch, and how many views a sample needs.
    least_samples: ClassVar[int] = 1
    least_views: ClassVar[int] = 1

    y_true = unused("B")
    y_pred = real("B V D")

    def call(self, y_true, y_pred, mask=None):
        check_views(self, y_pred, self.least_views)
        counts = which_count(self, y_pred, mask)
        if y_pred.shape[0] == 0:
            return of_batch(0.0, y_pred), counts
        enough = how_many(counts, y_pred) >= self.least_samples
        values = self.values(y_pred, counts)
        return values, ops.logical_and(counts, enough)

    def values(self, y_pred: Any, counts: Any) -> Any:
        """One value a sample, `(B,)`, finite also where fewer than `least_samples` count."""
        raise NotImplementedError


def check_views(loss: Any, y_pred: Any, least: int, even: bool = False) -> int:
    """The number of views, axis 1, or an error that says what is wrong with it."""
    views = y_pred.shape[1]
    if views is None or views < least or (even and views % 2):
        needs = f"at least {least}" + (", and an even number" if even else "")
        raise ValueError(f"{loss.name}: y_pred with shape {tuple(y_pred.shape)} has {views} views on axis 1, needs {needs}.")
    return views


def mean_over_other_views(x: Any) -> Any:
    """The mean of `(B, V, W)` over the pairs of different views v and w; of one of each, the one pair there is."""
    rows, columns = x.shape[1:]
    pairs = [x[:, v, w] for v in range(rows) for w in range(columns) if v != w or rows == columns == 1]
    return sum(pairs) / len(pairs)


def mean_of_others(x: Any) -> Any:
    """For each view of `(B, V, ...)` the mean of the others; a single one itself."""
    views = x.shape[1]
    return x if views == 1 else (ops.sum(x, axis=1, keepdims=True) - x) / (views - 1)


def which_count(loss: Any, y_pred: Any, mask: Any) -> Any:
    """`(B,)` booleans: the samples that are in the batch."""
    every = ops.ones_like(y_pred[(slice(None), *(0,) * (len(y_pred.shape) - 1))], dtype="bool")
    if mask is None:
        return every
    if len(mask.shape) > 1:
        raise ValueError(f"{loss.name}: a mask has one entry a sample, not a view. Received a mask of {len(mask.shape)} axes.")
    return ops.logical_and(every, mask)


def how_many(counts: Any, like: Any) -> Any:
    """The number of samples that count, of the dtype of `like`."""
    return ops.sum(ops.cast(counts, like.dtype))


def of_batch(value: Any, y_pred: Any) -> Any:
    """A number of the whole batch as the value of each of its samples."""
    return value + ops.zeros_like(y_pred[(slice(None), *(0,) * (len(y_pred.shape) - 1))])


def centred(x: Any, counts: Any) -> Any:
    """`x` minus its mean over the samples that count, and 0 for the others."""
    keep = ops.reshape(counts, (-1, *[1] * (len(x.shape) - 1)))
    return ops.where(keep, x - math.masked_mean(x, keep, axis=0), ops.zeros_like(x))
