"""Makers of data, and the ways in which peers are called."""

import numpy as np

from tests.peers._lazy import torch


def normal(*shape, scale=2.0):
    return lambda rng: scale * rng.normal(size=shape)


def uniform(*shape, low=0.05, high=0.95):
    return lambda rng: rng.uniform(low, high, size=shape)


def simplex(*shape):
    def make(rng):
        draws = rng.uniform(0.1, 1, size=shape)
        return draws / draws.sum(-1, keepdims=True)

    return make


def bits(*shape):
    return lambda rng: rng.integers(0, 2, size=shape).astype(float)


def ids(classes, *shape):
    """Every class is present where there is room."""

    def make(rng):
        count = int(np.prod(shape))
        return rng.permutation(np.arange(count) % classes).reshape(shape)

    return make


def one_hot(*shape):
    return lambda rng: np.eye(shape[-1])[ids(shape[-1], *shape[:-1])(rng)]


def pair(y_true, y_pred):
    return lambda rng: (y_true(rng), y_pred(rng))


def sparse(*shape, scale=2.0):
    """Labels and logits of the shape."""
    return pair(ids(shape[-1], *shape[:-1]), normal(*shape, scale=scale))


def dense(*shape, scale=2.0):
    return pair(one_hot(*shape), normal(*shape, scale=scale))


def multilabel(*shape, scale=2.0):
    return pair(bits(*shape), normal(*shape, scale=scale))


def boxes(count, size=10.0):
    """Pairs of boxes xyxy: many overlap, some do not, none is degenerate."""

    def make(rng):
        def draw(center):
            center = center + rng.normal(size=(count, 2)) * size / 4
            half = rng.uniform(0.15, 0.5, size=(count, 2)) * size
            return np.concatenate([center - half, center + half], -1)

        center = rng.uniform(2, 3, size=(count, 2)) * size
        return draw(center), draw(center)

    return make


def each(peer, *tensors):
    """A peer that averages a batch, called on each sample."""
    return torch.stack([peer(*(t[i : i + 1] for t in tensors)) for i in range(len(tensors[0]))])


def per_sample(peer, y_true, y_pred):
    return each(peer, y_pred, y_true)


def channels_first(peer, y_true, y_pred):
    """Predictions, and one-hot labels, with the classes on axis 1."""
    y_true = y_true if y_true.ndim < y_pred.ndim else y_true.movedim(-1, 1)
    return peer(y_pred.movedim(-1, 1), y_true)


def over_last(peer, y_true, y_pred):
    """Element-wise values, averaged over the last axis as Keras's losses are."""
    return peer(y_pred, y_true).mean(-1)


def over_classes(peer, y_true, y_pred):
    """Values (B, C, 1, ...) with the classes on axis 1, averaged over them."""
    return channels_first(peer, y_true, y_pred).flatten(1).mean(1)


def sum_classes(peer, y_true, y_pred):
    return channels_first(peer, y_true, y_pred).sum(1)


def log_of(call):
    """For probabilities, where a peer takes logits: its softmax divides them by their sum, as our losses do."""
    return lambda peer, y_true, y_pred: call(peer, y_true, y_pred.log())


def logit_of(call):
    """The same for independent probabilities."""
    return lambda peer, y_true, y_pred: call(peer, y_true, y_pred.logit())


def keras_style(peer, y_true, y_pred):
    return peer(y_true, y_pred)
