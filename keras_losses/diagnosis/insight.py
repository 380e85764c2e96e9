"""Which samples a loss is made of."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_losses.core import private
from keras_losses.core.config import with_reduction
from keras_losses.core.fields import shorten
from keras_losses.core.registry import get

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class PerSample:
    """The loss of each sample.

    Args:
        values: the unreduced values, the samples first; a dense loss has more axes.
        labels: the targets, in the same order.
        name: the name of the loss.
    """

    values: np.ndarray
    labels: np.ndarray
    name: str = "loss"

    @property
    def losses(self) -> np.ndarray:
        """One number a sample, `(N,)`: the mean over the other axes."""
        return self.values.reshape(len(self.values), -1).mean(axis=1)

    def hardest(self, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Indices and losses of the `k` samples that cost most, the worst first; NaN is worse than anything."""
        order = np.argsort(-np.nan_to_num(self.losses, nan=np.inf), kind="stable")[:k]
        return order, self.losses[order]

    def by_class(self) -> dict[int, dict[str, float]]:
        """`{class: {"count", "mean", "share"}}`: how many samples, their mean loss, and their share of the whole loss.

        Raises:
            ValueError: the targets are no classes: integers `(N,)` or `(N, 1)`, 0 and 1, or one-hot rows.
        """
        classes = self._classes()
        total = self.losses.sum()
        found = {}
        for each in np.unique(classes):
            own = self.losses[classes == each]
            share = own.sum() / total if total else np.nan
            found[int(each)] = {"count": len(own), "mean": float(own.mean()), "share": float(share)}
        return found

    def _classes(self) -> np.ndarray:
        labels = self.labels
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        if labels.ndim == 2 and np.isin(labels, (0, 1)).all() and (labels.sum(-1) == 1).all():
            return labels.argmax(-1)
        if labels.ndim == 1 and labels.size and np.isfinite(labels.astype(float)).all() and (labels == np.round(labels)).all():
            return labels.astype(int)
        raise ValueError(
            "by_class: the targets must be one class a sample: integers, 0 and 1, or one-hot rows. "
            f"Received: {labels.dtype} of shape {self.labels.shape}"
        )

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """The distribution of the losses, and which share of the samples makes which share of the loss.

        Args:
            path: a file to write the picture to; its ending is its format.

        Returns:
            The Matplotlib figure. Needs Matplotlib: `pip install "keras-losses[demo]"`.
        """
        from keras_losses import plot

        figure = plot.per_sample(self)
        if path is not None:
            plot.write(figure, path)
        return figure

    def __str__(self) -> str:
        losses = self.losses
        worst = ", ".join(f"{i} ({x:.4g})" for i, x in zip(*self.hardest(3), strict=True))
        quantiles = ", ".join(f"{q:.0%} {x:.4g}" for q, x in zip((0.5, 0.95), np.quantile(losses, (0.5, 0.95)), strict=True))
        return f"{self.name} of {len(losses)} samples: mean {losses.mean():.4g}; {quantiles}; hardest: {worst}"


def per_sample(
    loss: Any,
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    batch_size: int = 32,
    verbose: str | int = "auto",
) -> PerSample:
    """The loss of every sample of a dataset, unreduced, with the model as in `predict`.

    Args:
        loss: whatever `compile` takes; None for the loss that the model is compiled with.
        model: a model with one output.
        x: inputs: an array, or a list or dict of them; or a dataset of `(x, y)` or `(x, y, sample_weight)` batches: a
            `tf.data.Dataset`, a `keras.utils.PyDataset`, a loader of PyTorch, any iterable.
        y: targets; None with a dataset.
        sample_weight: one weight a sample: its loss is multiplied.
        batch_size: of the arrays. A loss that compares the samples of a batch does so within these.
        verbose: 0 for no progress bar.

    Returns:
        A `PerSample`: `.values`, `.losses`, `.hardest(k)`, `.by_class()`, `.plot()`.

    Raises:
        ValueError: the loss returns one number for a batch, nothing says which loss or targets, or there is no sample.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Rescaling(1.0)])
    >>> found = kl.per_sample(kl.MeanSquaredError(), model, np.array([[1.0], [5.0]]), np.array([[1.0], [2.0]]), verbose=0)
    >>> found.losses.tolist()
    [0.0, 9.0]
    """
    unreduced, name = _unreduced(loss, model)
    batches = list_of_batches(x, y, sample_weight, batch_size)
    bar = keras.utils.Progbar(_length(batches), verbose=0 if verbose == 0 else 1)
    values, labels = [], []
    for i, (inputs, target, weight) in enumerate(batches):
        value = values_of(unreduced, name, target, model.predict_on_batch(inputs), weight)
        values.append(value)
        labels.append(np.asarray(ops.convert_to_numpy(target)))
        bar.update(i + 1)
    if not values:
        raise ValueError("per_sample: the dataset has no sample.")
    return PerSample(np.concatenate(values), np.concatenate(labels), name)


def _unreduced(loss, model):
    loss = getattr(model, "loss", None) if loss is None else loss
    if loss is None:
        raise ValueError(f"per_sample: give a loss, or compile the model {model.name!r} with one.")
    return unreduced(loss, "per_sample")


def unreduced(loss: Any, who: str) -> tuple[keras.losses.Loss, str]:
    """A loss of whatever kind without its reduction, and its name."""
    loss = get(loss) if isinstance(loss, str) else loss
    loss = loss() if isinstance(loss, type) and issubclass(loss, keras.losses.Loss) else loss
    if isinstance(loss, (dict, list, tuple)) or not callable(loss):
        raise ValueError(f"{who}: expected one loss, for one output. Received: {shorten(loss)}")
    name = str(getattr(loss, "name", None) or getattr(loss, "__name__", "loss"))
    return with_reduction(loss if isinstance(loss, keras.losses.Loss) else private.wrapped(loss, name), "none"), name


def values_of(loss: keras.losses.Loss, name: str, y_true: Any, y_pred: Any, sample_weight: Any = None) -> np.ndarray:
    """The values of one batch as an array, the samples first."""
    if isinstance(y_pred, (dict, list, tuple)):
        raise ValueError(f"{name}: the model has several outputs: take a model of the one that the loss is for.")
    value = loss(y_true, ops.convert_to_tensor(y_pred), sample_weight=sample_weight)
    value = np.asarray(ops.convert_to_numpy(value))
    if value.ndim == 0 or len(value) != len(y_pred):
        raise ValueError(
            f"{name}: the loss returns values of shape {value.shape} for a batch of {len(y_pred)}, so a sample has none of its "
            "own. Return one value a sample: ops.mean(..., axis=-1)."
        )
    return value


def list_of_batches(x: Any, y: Any, sample_weight: Any, batch_size: int) -> Any:
    """Batches `(x, y, sample_weight)` of arrays or of a dataset."""
    if y is None:
        if sample_weight is not None:
            raise ValueError("A dataset holds its sample weights itself: (x, y, sample_weight).")
        if hasattr(x, "shape") or isinstance(x, dict):
            raise ValueError("Give `y`, or a dataset of (x, y) batches as `x`.")
        return _Dataset(x)
    number = len(keras.tree.flatten(x)[0])
    if len(y) != number or (sample_weight is not None and len(sample_weight) != number):
        raise ValueError(f"x, y and sample_weight must be of one number of samples. Received: {number} and {len(y)}")
    parts = [slice(i, i + batch_size) for i in range(0, number, batch_size)]
    return [
        (
            keras.tree.map_structure(lambda a, p=part: np.asarray(a)[p], x),
            np.asarray(y)[part],
            None if sample_weight is None else np.asarray(sample_weight)[part],
        )
        for part in parts
    ]


class _Dataset:
    """The batches of a dataset, with None for weights that it does not give."""

    def __init__(self, batches: Any):
        self.batches = batches

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        given: Any = self.batches
        indexed = isinstance(given, keras.utils.PyDataset)
        for batch in (given[i] for i in range(given.num_batches or 0)) if indexed else given:
            if not isinstance(batch, (tuple, list)) or not 2 <= len(batch) <= 3:
                raise ValueError(f"A dataset must give (x, y) or (x, y, sample_weight). Received: {type(batch).__name__}")
            yield batch[0], batch[1], batch[2] if len(batch) == 3 else None


def _length(batches):
    return len(batches) if isinstance(batches, list) else None
