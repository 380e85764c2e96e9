"""What the references of metric learning share: distances of two vectors, partners of an anchor, batches at the edge.

Conventions. Cosine: of vectors divided by their lengths, a zero vector stays zero, so its similarity to anything is 0 and its
distance 1. The other distances take the vectors as they are, unless `normalize`. A positive of an anchor is another embedding
of its id, never itself; a negative is one of another id. An anchor's value is the mean over its pairs or triplets, zeros
included.
"""

import numpy as np

from ._case import Case, array, normal


def dot(x, y):
    return sum(float(a) * float(b) for a, b in zip(x, y, strict=True))


def unit(x):
    length = np.sqrt(dot(x, x))
    return np.array([a / length if length > 0 else 0.0 for a in x])


def cosine(x, y):
    return dot(unit(x), unit(y))


def distance(x, y, kind, normalize=False):
    """How far two vectors are from each other; "dot" is minus their inner product, which may be negative."""
    if normalize:
        x, y = unit(x), unit(y)
    if kind == "cosine":
        return 1 - cosine(x, y)
    if kind == "dot":
        return -dot(x, y)
    squared = sum((float(a) - float(b)) ** 2 for a, b in zip(x, y, strict=True))
    return {"squared_euclidean": squared, "euclidean": np.sqrt(squared)}[kind]


def partners(ids, i):
    """The positions of the positives and of the negatives of anchor `i`."""
    positives = [j for j in range(len(ids)) if ids[j] == ids[i] and j != i]
    negatives = [j for j in range(len(ids)) if ids[j] != ids[i]]
    return positives, negatives


def per_anchor(y_true, y_pred, value):
    """`value(x, i, positives, negatives)` of every anchor, None where the anchor does not count."""
    ids, x = [int(v) for v in np.asarray(y_true).ravel()], np.asarray(y_pred, np.float64)
    values, valid = np.zeros(len(ids)), np.zeros(len(ids), bool)
    for i in range(len(ids)):
        result = value(x, i, *partners(ids, i))
        if result is not None:
            values[i], valid[i] = result, True
    return values, valid


def average(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


# Hand-made batches. On the axes: lengths 1, cosine 1 within a direction and 0 across. On a line: distances 1, 3, 7; 2, 6; 4.
AXES = array([1, 0], [1, 0], [0, 1], [0, 1])
PAIRS, CROSSED = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
THREE_ONE = np.array([0, 0, 0, 1])
LINE = array([0, 0], [1, 0], [3, 0], [7, 0])
# Distances 1, 3, 5, 9; 2, 4, 8; 2, 6; 4.
FIVE = array([0, 0], [1, 0], [3, 0], [5, 0], [9, 0])
THREE_TWO = np.array([0, 0, 0, 1, 1])
SAME = array([0.5, 1], [0.5, 1], [0.5, 1], [0.5, 1])
EQUAL_IDS = np.array([5, 5, 5, 5])
OTHER_IDS = np.array([4, 2, 9, 0])
TRIPLES = np.array([0, 0, 1, 1, 0, 1])
MIXED = np.array([3, 7, 3, 3, 7, 7, 3])
BIG = 2**24


def edges(seed, config=None, scale=1.0, expect=None, kinks=()):
    """Batches that every loss must survive.

    `expect` has closed forms by the name of the case, `kinks` the cases where the loss has no slope. Everything equal or zero
    is made of numbers that are exact in float32, so that ties are ties however a distance is computed.
    """
    batches = {
        "unequal-classes": (MIXED.astype(np.int32), normal(seed, 7, 5, scale=scale)),
        "neighbouring-large-ids": (np.array([BIG, BIG + 1, BIG, BIG + 1, 7, 7]), normal(seed + 2, 6, 3, scale=scale)),
        "singleton-class": (np.array([0, -1, 0, 2, 2]), normal(seed + 3, 5, 3, scale=scale)),
        "no-positives": (OTHER_IDS, normal(seed + 4, 4, 3, scale=scale)),
        "no-negatives": (np.array([5, 5, 5]), normal(seed + 5, 3, 3, scale=scale)),
        "one-sample": (np.array([5]), normal(seed + 6, 1, 3, scale=scale)),
        "all-the-same": (PAIRS, SAME),
        "duplicates": (TRIPLES, array([0.5, 1], [0.5, 1], [-1, 0.25], [0.5, 1], [-1, 0.25], [0.25, -1])),
        "zero-vectors": (TRIPLES, array([0, 0], [1, 0.5], [0.5, -1], [0, 0], [0, 0], [-0.25, 1])),
    }
    expect = {"one-sample": np.zeros(1), **(expect or {})}
    return [
        Case(name, *batch, config or {}, smooth=name not in kinks, expect=expect.get(name)) for name, batch in batches.items()
    ]
