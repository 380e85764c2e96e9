"""Data that fits a contract: the declaration of a loss is enough to draw a batch for it."""

from typing import Any

import numpy as np

from keras_losses.core.spec import Spec, real

SIZES = {"B": 4, "C": 3, "D": 3, "T": 6, "L": 2, "M": 5, "V": 4, "K": 4, "H": 2, "X": 5, "N": 3}


def sample(loss: Any, batch: int = 4, spatial: tuple[int, ...] = (), seed: int = 0, **sizes: int) -> tuple[Any, Any]:
    """A batch for a loss, drawn from its contract.

    Args:
        loss: an instance.
        batch: size of the batch axis.
        spatial: the axes that `*S` stands for, if the contract has one.
        seed: of the random numbers.
        **sizes: sizes of other named axes, such as `C=10`.

    Returns:
        `(y_true, y_pred)`: NumPy arrays, integers for labels and ids, float64 otherwise, the class axis where the loss
        expects it.
    """
    rng = np.random.default_rng(seed)
    sizes = SIZES | {"B": batch} | sizes
    pred = loss.y_pred or real("B *S D")
    true = loss.y_true or real(" ".join(pred.axes))
    y_true, y_pred = (draw(spec, _shape(spec, spatial, sizes), rng, sizes) for spec in (true, pred))
    axis = getattr(loss, loss.last_axis) if loss.last_axis else -1
    if axis != -1:
        y_true = np.moveaxis(y_true, -1, axis) if y_true.ndim == y_pred.ndim else y_true
        y_pred = np.moveaxis(y_pred, -1, axis)
    return y_true, y_pred


def draw(spec: Spec, shape: tuple[int, ...], rng: np.random.Generator, sizes: dict[str, int]) -> np.ndarray:
    """An array of one kind."""
    kind = spec.kind.name
    if kind == "label":
        return rng.integers(0, sizes[spec.classes or "C"], shape)
    if kind == "position":
        return rng.uniform(0, sizes[spec.classes or "C"] - 1, shape)
    if kind == "id":
        # Each id occurs, and occurs again, wherever there are four or more.
        return np.arange(int(np.prod(shape))).reshape(shape) % 2 + 1
    if kind == "onehot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if kind == "binary":
        x = rng.integers(0, 2, shape).astype(float)
        if shape[-1:] > (1,):  # with room for it, every row has a positive: a sample without any may not count
            x[..., 0] = np.where(x.any(axis=-1), x[..., 0], 1)
        return x
    if kind == "sign":
        return 2.0 * rng.integers(0, 2, shape) - 1
    if kind == "count":
        return rng.integers(0, 5, shape) + 0.5
    if kind == "relevance":
        x = rng.integers(0, 4, shape).astype(float)
        if shape[-1:] > (1,):  # an item that is relevant and one that is not: a list without an order does not count
            x[..., 0], x[..., 1] = np.where(x[..., 0] > 0, x[..., 0], 1), 0
        return x
    if kind == "prob":
        return rng.uniform(0.05, 0.95, shape)
    if kind == "simplex":
        p = rng.uniform(0.1, 1, shape)
        return p / p.sum(axis=-1, keepdims=True)
    if kind == "positive":
        return rng.uniform(0.2, 3, shape)
    if kind == "boxes":
        start, size = rng.uniform(0, 5, (*shape[:-1], 2)), rng.uniform(1, 4, (*shape[:-1], 2))
        return np.concatenate([start, start + size], axis=-1)
    if kind == "rotated":
        parts = rng.uniform(0, 5, (*shape[:-1], 2)), rng.uniform(1, 4, (*shape[:-1], 2)), rng.uniform(-2, 2, (*shape[:-1], 1))
        return np.concatenate(parts, axis=-1)
    if kind == "keypoints":
        return _keypoints(shape, rng)
    if kind == "parts":
        inner = shape[:-1]
        return np.stack([draw(Spec(k, spec.axes[:-1]), inner, rng, sizes) for _, k in spec.parts], axis=-1)
    return rng.normal(size=shape)


def _keypoints(shape, rng):
    """Points scattered a little around one figure, so that a target and a prediction are near; the first are labelled."""
    count = shape[-2]
    figure = np.stack([np.arange(count) % 4, np.arange(count) // 4], axis=-1)
    visible = rng.integers(0, 3, (*shape[:-1], 1))
    visible[..., :3, :] = 2
    area = rng.uniform(4, 9, (*shape[:-2], 1, 1)) * np.ones((count, 1))
    return np.concatenate([figure + rng.uniform(0, 0.5, (*shape[:-1], 2)), visible, area], axis=-1)[..., : shape[-1]]


def _shape(spec, spatial, sizes):
    shape = []
    for axis in spec.axes:
        if axis.startswith("*"):
            shape.extend(spatial)
        else:
            shape.append(int(axis) if axis.isdecimal() else sizes[axis])
    return tuple(shape)
