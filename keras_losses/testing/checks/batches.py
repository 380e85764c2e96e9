"""Order and split of the batch."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks.registry import Skip, check


@check("batch-order")
def order_does_not_matter(s):
    """The samples in another order have the same values."""
    y_true, y_pred = s.batch()
    order = np.array([2, 0, 3, 1])
    values, other = s.value(y_true, y_pred), s.value(y_true[order], y_pred[order])
    expected = values[order] if values.ndim and len(values) == len(order) else values
    if not _close(other, expected):
        yield Finding(
            "batch-order",
            "The loss depends on the order of the samples in the batch, which shuffling makes random.",
            {"values": expected, "the samples in another order": other},
            "# no differences, slices or cumulative sums along axis 0: that axis is the batch",
        )


@check("batch-split")
def split_does_not_matter(s):
    """A sample has its value whichever others are in the batch."""
    if s.couples_batch:
        raise Skip("the loss compares the samples of a batch by definition")
    y_true, y_pred = s.batch()
    values = s.value(y_true, y_pred)
    if values.ndim == 0 or len(values) != len(y_pred):
        raise Skip("there is no value a sample")
    # In one piece, since a backend may compile each operation for the new shape.
    parts = np.concatenate([s.slopes(y_true[half], y_pred[half])[0] for half in (slice(0, 2), slice(2, 4))])
    if not _close(parts, values):
        yield Finding(
            "batch-split",
            "The value of a sample depends on the others: it changes with the batch size, the last batch and the replicas.",
            {"values in a batch of 4": values, "in two batches of 2": parts},
            "# reduce over the axes of one sample only, such as axis=-1\n"
            "couples_batch = True  # in the class of a loss that compares samples, such as a contrastive one",
        )


def _close(a, b):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True)
