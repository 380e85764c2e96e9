"""One test case of a loss, and the deterministic data the cases draw on."""

import dataclasses

import numpy as np

EPSILON = 1e-7


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """Inputs and constructor arguments on which a loss is evaluated.

    Attributes:
        id: short, unique within the loss.
        y_true: integer dtype for class labels, float64 otherwise.
        y_pred: float64.
        config: constructor arguments besides reduction, name and dtype.
        smooth: False where the point lies on a kink or a clamp (or is too
            large or small for an absolute step), so that central differences
            say nothing about the gradient.
        expect: closed-form values per sample, where there is a short formula.
    """

    id: str
    y_true: np.ndarray
    y_pred: np.ndarray
    config: dict = dataclasses.field(default_factory=dict)
    smooth: bool = True
    expect: np.ndarray | None = None


def array(*rows):
    return np.array(rows, dtype=np.float64)


def normal(seed, *shape, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=shape)


def uniform(seed, *shape, low=0.05, high=0.95):
    return np.random.default_rng(seed).uniform(low, high, size=shape)


def binary(seed, *shape):
    """Zeros and ones as floats."""
    return np.random.default_rng(seed).integers(0, 2, size=shape).astype(float)


def labels(seed, classes, *shape):
    return np.random.default_rng(seed).integers(0, classes, size=shape)


def one_hot(ids, classes, axis=-1):
    return np.moveaxis(np.eye(classes)[np.asarray(ids)], -1, axis)


def random_labels(seed, *shape, axis=-1):
    """Integer labels for predictions of ``shape`` with classes on ``axis``."""
    return labels(seed, shape[axis], *np.delete(shape, axis))


def random_one_hot(seed, *shape, axis=-1):
    return one_hot(random_labels(seed, *shape, axis=axis), shape[axis], axis)


def simplex(seed, *shape, axis=-1):
    """Positive numbers that sum to one along ``axis``."""
    draws = uniform(seed, *shape)
    return draws / draws.sum(axis=axis, keepdims=True)


def unit_rows(seed, *shape):
    """Rows of Euclidean length one."""
    draws = normal(seed, *shape)
    return draws / np.sqrt((draws**2).sum(axis=-1, keepdims=True))


def per_vector(function, y_true, y_pred, axis=-1):
    """``function(true, predicted)`` on each pair of vectors along ``axis``."""
    y_true = np.moveaxis(np.asarray(y_true, np.float64), axis, -1)
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), axis, -1)
    values = np.empty(y_pred.shape[:-1])
    for index in np.ndindex(values.shape):
        values[index] = function(y_true[index], y_pred[index])
    return values


def log_sum_exp(numbers):
    """log(sum(exp(numbers))) without overflow; -inf for no numbers."""
    largest = max(numbers, default=-np.inf)
    if largest == -np.inf:
        return -np.inf
    return largest + np.log(sum(np.exp(x - largest) for x in numbers))


def softplus(x):
    """log(1 + exp(x)) without overflow."""
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))


def log_softmax(vector):
    total = log_sum_exp(list(vector))
    return np.array([x - total for x in vector])
