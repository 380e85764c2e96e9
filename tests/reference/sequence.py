"""Sequence losses.

Graves et al. 2006, "Connectionist Temporal Classification: Labelling
Unsegmented Sequence Data with Recurrent Neural Networks".
"""

import itertools
import math

import numpy as np

from ._case import Case, array, log_softmax, log_sum_exp, normal


def ctc(y_true, y_pred, zero_infinity=False):
    """-log p(labels | logits) with blank 0, by the forward recursion."""
    y_true = np.asarray(y_true)
    y_pred = np.asarray(y_pred, np.float64)
    values = np.empty(len(y_true))
    for sample in range(len(y_true)):
        label = _label(y_true[sample], y_pred.shape[-1])
        if label is None:
            values[sample] = np.nan
            continue
        values[sample] = _forward(label, y_pred[sample])
        if zero_infinity and values[sample] == np.inf:
            values[sample] = 0.0
    return values


def _label(row, classes):
    """The row without its padding; None where it is no label sequence."""
    label = [int(entry) for entry in row[: np.count_nonzero(row)]]
    if any(entry < 1 or entry >= classes for entry in label):
        return None
    return label


def _forward(label, logits):
    log_p = [log_softmax(frame) for frame in logits]
    states = [0]
    for entry in label:
        states += [entry, 0]
    alpha = [-np.inf] * len(states)
    alpha[0] = log_p[0][0]
    if label:
        alpha[1] = log_p[0][label[0]]
    for t in range(1, len(log_p)):
        before = alpha
        alpha = []
        for s, state in enumerate(states):
            paths = [before[s]]
            if s >= 1:
                paths.append(before[s - 1])
            if s >= 2 and state != 0 and state != states[s - 2]:
                paths.append(before[s - 2])
            alpha.append(log_sum_exp(paths) + log_p[t][state])
    return -log_sum_exp(alpha[-2:])


def brute_force(y_true, y_pred):
    """The definition itself: sum over all paths that merge to the label."""
    values = []
    for row, logits in zip(y_true, y_pred, strict=True):
        frames, classes = logits.shape
        wanted = [int(entry) for entry in row if entry != 0]
        p = np.exp([log_softmax(frame) for frame in logits])
        total = 0.0
        for path in itertools.product(range(classes), repeat=frames):
            merged = [symbol for symbol, _ in itertools.groupby(path)]
            if [symbol for symbol in merged if symbol != 0] == wanted:
                total += math.prod(p[t, path[t]] for t in range(frames))
        values.append(-math.log(total) if total else math.inf)
    return np.array(values)


def _uniform_paths(labels, repeats, frames, classes):
    """With equal logits only the number of paths matters."""
    paths = math.comb(frames + labels - repeats, 2 * labels)
    return frames * math.log(classes) - math.log(paths)


def _tiny(id, y_true, seed, frames, classes, **more):
    y_true = np.array(y_true)
    y_pred = normal(seed, len(y_true), frames, classes, scale=1.5)
    return Case(id, y_true, y_pred, expect=brute_force(y_true, y_pred), **more)


def _peaked(symbols, classes, height=1e4):
    """Logits that put everything on one symbol a frame."""
    return height * np.eye(classes)[np.array(symbols)]


_LOGITS = normal(40, 3, 4, 4)

CASES = {
    "CTC": [
        Case(
            "generic",
            np.array([[1, 2, 3], [4, 1, 2], [2, 4, 1]]),
            normal(41, 3, 8, 5),
        ),
        Case(
            "different-lengths",
            np.array([[1, 2, 3, 1], [4, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]),
            normal(42, 4, 9, 5),
        ),
        Case(
            "repeats",
            np.array([[1, 1, 2, 2], [3, 3, 3, 0], [1, 2, 1, 1]]),
            normal(43, 3, 10, 4),
        ),
        Case(
            "int32",
            np.array([[1, 2], [2, 0]], np.int32),
            normal(44, 2, 6, 3),
        ),
        Case(
            "zero-infinity-generic",
            np.array([[1, 2, 3], [2, 2, 0]]),
            normal(45, 2, 7, 4),
            {"zero_infinity": True},
        ),
        _tiny("tiny", [[1, 2], [2, 1], [2, 0]], 46, 4, 3),
        _tiny("tiny-repeats", [[1, 1], [2, 2], [1, 0]], 47, 5, 3),
        _tiny("tiny-three", [[1, 2, 1], [1, 1, 2], [2, 0, 0]], 48, 5, 3),
        _tiny("tiny-one-frame", [[1], [0], [3]], 49, 1, 4),
        _tiny("tiny-exact-fit", [[1, 2, 3], [2, 2, 0]], 50, 3, 4),
        _tiny("tiny-wide", [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], 51, 3, 3),
        _tiny(
            "tiny-infeasible",
            [[1, 2, 1, 2], [1, 1, 2, 0], [1, 2, 0, 0]],
            52,
            3,
            3,
            smooth=False,
        ),
        Case(
            "empty-label",
            np.zeros((2, 3), int),
            _LOGITS[:2],
            expect=array(*[-sum(log_softmax(frame)[0] for frame in logits) for logits in _LOGITS[:2]]),
        ),
        Case(
            "equal-logits",
            np.array([[1, 2, 3], [1, 1, 2], [2, 2, 2], [3, 0, 0]]),
            np.full((4, 6, 4), 0.7),
            expect=array(
                _uniform_paths(3, 0, 6, 4),
                _uniform_paths(3, 1, 6, 4),
                _uniform_paths(3, 2, 6, 4),
                _uniform_paths(1, 0, 6, 4),
            ),
        ),
        Case(
            "infeasible",
            np.array([[1, 2, 3, 1, 2], [2, 2, 2, 0, 0]]),
            _LOGITS[:2],
            smooth=False,
            expect=array(np.inf, np.inf),
        ),
        Case(
            "infeasible-zero-infinity",
            np.array([[1, 2, 3, 1, 2], [2, 2, 2, 0, 0], [0, 0, 0, 0, 0]]),
            np.stack([_LOGITS[0], _LOGITS[1], np.zeros((4, 4))]),
            {"zero_infinity": True},
            expect=array(0.0, 0.0, 4 * math.log(4)),
        ),
        Case(
            "label-negative",
            np.array([[1, -1, 0], [-2, 0, 0], [1, 0, 0]]),
            np.zeros((3, 4, 4)),
            smooth=False,
            expect=array(np.nan, np.nan, _uniform_paths(1, 0, 4, 4)),
        ),
        Case(
            "label-too-large",
            np.array([[4, 0, 0], [1, 7, 2], [3, 0, 0]]),
            np.zeros((3, 4, 4)),
            smooth=False,
            expect=array(np.nan, np.nan, _uniform_paths(1, 0, 4, 4)),
        ),
        Case(
            "zero-before-label",
            np.array([[0, 1, 0], [1, 0, 2], [0, 0, 3], [1, 2, 0]]),
            np.zeros((4, 4, 4)),
            {"zero_infinity": True},
            smooth=False,
            expect=array(np.nan, np.nan, np.nan, _uniform_paths(2, 0, 4, 4)),
        ),
        Case(
            "saturated-right",
            np.array([[1, 2, 0], [1, 1, 0]]),
            np.stack([_peaked([1, 1, 0, 2], 3), _peaked([1, 0, 0, 1], 3)]),
            expect=array(0.0, 0.0),
        ),
        # One frame out of the four must take the label, at -1e4.
        Case(
            "saturated-wrong",
            np.array([[1], [2]]),
            np.stack([_peaked([0, 0, 0, 0], 3), _peaked([0, 0, 0, 0], 3)]),
            expect=np.full(2, 1e4 - math.log(4)),
        ),
        Case(
            "saturated-negative",
            np.array([[0, 0], [1, 0]]),
            np.full((2, 4, 3), -1e4),
            expect=array(4 * math.log(3), _uniform_paths(1, 0, 4, 3)),
        ),
        Case(
            "saturated-random",
            np.array([[1, 2], [2, 2]]),
            1e4 * np.sign(normal(53, 2, 5, 3)),
        ),
    ]
}
