"""What the references of self-supervised losses share: samples with views on axis 1, and no labels."""

import numpy as np

from ._case import log_softmax


def unit(vector):
    """The vector over its Euclidean length; the zero vector stays zero."""
    largest = max((abs(x) for x in vector), default=0.0)
    if largest == 0:
        return np.zeros(len(vector))
    scaled = [x / largest for x in vector]
    length = np.sqrt(sum(x * x for x in scaled))
    return np.array([x / length for x in scaled])


def units(y_pred):
    """Every vector of the last axis at length one."""
    y_pred = np.asarray(y_pred, np.float64)
    result = np.empty(y_pred.shape)
    for index in np.ndindex(y_pred.shape[:-1]):
        result[index] = unit(y_pred[index])
    return result


def dot(x, y):
    return sum(x[d] * y[d] for d in range(len(x)))


def squared_distance(x, y):
    return sum((x[d] - y[d]) ** 2 for d in range(len(x)))


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def cross_entropy(teacher, student):
    """-sum of teacher's probabilities times the logarithms of student's, both from logits."""
    from_teacher, from_student = log_softmax(teacher), log_softmax(student)
    return -sum(np.exp(from_teacher[k]) * from_student[k] for k in range(len(student)))


def no_labels(batch):
    """Labels of losses that look at none."""
    return np.zeros(batch)
