"""What the ranking losses share: lists without their padding, and lists that each loss must cope with.

One convention for all: `y_true` holds relevances `(B, L)`; a negative one (any) is padding, and neither it nor its score takes
part. There is one value per list. A list counts where two of its items differ in relevance; where none do (padding alone, one
item, nothing relevant, all equally relevant) there is no order to learn. Tied relevances are not a pair.
"""

import dataclasses

import numpy as np

from ._case import Case, normal


def per_list(function, y_true, y_pred, counts=None):
    """`function(relevances, scores)` of the items of each list, and whether the list counts: by default `differ`."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, np.float64)
    counts = differ if counts is None else counts
    values, valid = np.zeros(len(y_true)), np.zeros(len(y_true), bool)
    for b in range(len(y_true)):
        relevances, scores = items(y_true[b], y_pred[b])
        if counts(relevances):
            values[b], valid[b] = function(relevances, scores), True
    return values, valid


def items(relevances, scores):
    """The relevances and the scores of what is not padding."""
    kept = [i for i in range(len(relevances)) if relevances[i] >= 0]
    return [relevances[i].item() for i in kept], [float(scores[i]) for i in kept]


def differ(relevances):
    return any(a > b for a in relevances for b in relevances)


def gains(relevances):
    return [2.0**y - 1 for y in relevances]


def sigmoid(x):
    return 1 / (1 + np.exp(-x)) if x >= 0 else np.exp(x) / (1 + np.exp(x))


GRADED = np.array([[2, 0, 1, 0, 3], [0, 1, 0, 2, 1]])
BINARY = np.array([[1, 0, 0, 1, 0], [0, 0, 1, 0, 0]])
DISTINCT = np.array([[2, 0, 3, 1, 4], [0, 4, 1, 3, 2]])
PADDED = np.array([[2, 0, 1, -1, -1], [-1, 1, 0, -3, 0], [0, 1, 2, 0, 1], [1, 0, -1, -1, -1], [-1, -1, -1, -1, 2]])


def scores(seed, y_true, scale=1.0):
    return normal(seed, *y_true.shape, scale=scale)


def usual(smooth_ties=True, **config):
    """Lists of every kind, in the same words for each loss. `smooth_ties`: it has no kink where two scores are equal."""
    fractional = np.array([[0.25, 0.0, 1.5, 0.75], [2.0, 0.5, 0.0, 0.0]])
    # Padding by -0.5, with scores that would decide everything if they counted.
    marked, distracting = np.where(PADDED < 0, -0.5, PADDED), np.where(PADDED < 0, 500.0, scores(904, PADDED))
    # A level of one item, of three, of two, twice.
    levels = np.array([[1, 2, 0, 1, 1, 0], [1, 2, 0, 1, 1, 0]])
    # Two groups of tied scores in a list, and one group alone. Then two lists whose halves are equal, relevances and all.
    tied = np.array([[0.5, 0.5, -1.0, 0.5, -1.0], [0.75, 0.75, 0.75, 0.75, 0.75]])
    return [
        Case("graded", GRADED, scores(900, GRADED), config),
        Case("binary-int32", BINARY.astype(np.int32), scores(901, BINARY), config),
        Case("fractional", fractional, scores(902, fractional), config),
        Case("padding", PADDED, scores(903, PADDED), config),
        Case("padding-distracting", marked, distracting, config),
        Case("tied-relevances", levels, scores(905, levels), config),
        Case("tied-scores", GRADED, tied, config, smooth=smooth_ties),
        Case("duplicates", np.tile(DISTINCT[:, :3], 2), np.tile(scores(906, DISTINCT[:, :3]), 2), config, smooth=smooth_ties),
        Case("large-scores", GRADED, scores(907, GRADED, 100.0), config),
    ]


def nothing_to_learn(**config):
    """Lists that never count, 0 without a gradient: nothing relevant, all of one relevance, one item, padding alone."""
    lists = np.array([[0, 0, 0, 0], [2, 2, 2, 2], [-1, 3, -1, -1], [-1, -1, -1, -1]])
    one = np.array([[3], [0]])
    return [
        Case("nothing-to-learn", lists, scores(910, lists), config, expect=np.zeros(4)),
        Case("one-item", one, scores(911, one), config, expect=np.zeros(2)),
    ]


def named(suffix, cases):
    return [dataclasses.replace(case, id=f"{case.id}-{suffix}") for case in cases]
