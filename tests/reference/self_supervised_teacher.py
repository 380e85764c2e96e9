"""Self-supervised losses with a side that is held constant: NegativeCosine, DINO, IBOT, SwAV.

On axis 1 what learns comes first and what is held constant comes last. One value a sample, `(B,)`. `held_at` gives the
`y_pred` from which the constant side is taken, by default `y_pred`.

NegativeCosine: SimSiam (Chen & He 2020) and, up to 2 + 2 x the value of each direction, BYOL (Grill et al. 2020), which
differ only in where the targets come from: one class. `y_pred` is (B, 2 h, D): h predictions, then h targets, of the same
views in the same order. The mean of -cos(prediction v, target w) over all v != w; with h = 1 the one pair there is, whose
two sides the caller takes from two views. A cosine with a zero vector is 0. No arguments.

DINO: Caron et al. 2021. `y_pred` is (B, S + T, K): logits of the student for all S views, then of the teacher for the
first T = `teacher_views` of these views, 2 by default. The mean over pairs (teacher view t, student view s), s != t, of
-sum softmax((teacher - center) / teacher_temperature) log softmax(student / student_temperature); with S = T = 1 the one
pair there is. `center` has one number a logit, or is None for 0; the loss only uses it, whoever owns it keeps its average.
`student_temperature` is 0.1, `teacher_temperature` 0.04, where the paper's begins.

IBOT: Zhou et al. 2021, the loss of masked patches. `y_pred` is (B, 2, N, K): the student's and the teacher's logits of the
N patches of one view; views are more samples. `y_true` is the mask (B, N), nonzero where a patch was hidden from the
student: the one loss here that looks at `y_true`. The mean of DINO's cross-entropy over the hidden patches of a sample. A
sample without any does not count (the authors count it as 0). Arguments are DINO's.

SwAV: Caron et al. 2020. `y_pred` is (B, V, K): scores against the prototypes. The first `code_views` (2) views yield codes:
exp(scores / sinkhorn_epsilon) over the batch, scaled `sinkhorn_iterations` (3) times so that first each prototype has the
share 1 / K, then each sample the share 1 / B; a code is B times its row. Codes are constants. The mean over code views v,
and over all other views w, of the cross-entropy of code v and softmax(scores w / temperature). `temperature` is 0.1 and
`sinkhorn_epsilon` 0.05, as in the paper. What a sample's code is depends on the whole batch.
"""

import numpy as np

from ._case import Case, array, binary, log_softmax, log_sum_exp, normal, softplus
from ._views import cross_entropy, dot, mean, no_labels, units


def negative_cosine(y_true, y_pred, held_at=None):
    z, fixed = units(y_pred), units(y_pred if held_at is None else held_at)
    half = z.shape[1] // 2
    pairs = [(v, w) for v in range(half) for w in range(half) if v != w or half == 1]
    return np.array([mean(-dot(z[i, v], fixed[i, half + w]) for v, w in pairs) for i in range(len(z))])


def _centred(teacher, center, temperature):
    center = [0.0] * len(teacher) if center is None else center
    return [(teacher[k] - center[k]) / temperature for k in range(len(teacher))]


def dino(y_true, y_pred, center=None, student_temperature=0.1, teacher_temperature=0.04, teacher_views=2, held_at=None):
    z = np.asarray(y_pred, np.float64)
    fixed = z if held_at is None else np.asarray(held_at, np.float64)
    students = z.shape[1] - teacher_views
    values = np.zeros(len(z))
    for i in range(len(z)):
        terms = []
        for t in range(teacher_views):
            teacher = _centred(fixed[i, students + t], center, teacher_temperature)
            for s in range(students):
                if s != t or students == teacher_views == 1:
                    terms.append(cross_entropy(teacher, [x / student_temperature for x in z[i, s]]))
        values[i] = mean(terms)
    return values


def ibot(y_true, y_pred, center=None, student_temperature=0.1, teacher_temperature=0.04, held_at=None):
    z = np.asarray(y_pred, np.float64)
    fixed = z if held_at is None else np.asarray(held_at, np.float64)
    values, valid = np.zeros(len(z)), np.zeros(len(z), bool)
    for i in range(len(z)):
        terms = []
        for n in range(z.shape[2]):
            if y_true[i][n] != 0:
                teacher = _centred(fixed[i, 1, n], center, teacher_temperature)
                terms.append(cross_entropy(teacher, [x / student_temperature for x in z[i, 0, n]]))
        if terms:
            values[i], valid[i] = mean(terms), True
    return values, valid


def _codes(scores, epsilon, iterations):
    """Logarithms of the codes of one view (B, K)."""
    samples, prototypes = scores.shape
    q = [[scores[i, k] / epsilon for k in range(prototypes)] for i in range(samples)]
    for _ in range(iterations):
        for k in range(prototypes):
            share = log_sum_exp([q[i][k] for i in range(samples)]) + np.log(prototypes)
            for i in range(samples):
                q[i][k] -= share
        for i in range(samples):
            share = log_sum_exp(q[i]) + np.log(samples)
            q[i] = [x - share for x in q[i]]
    return [[x + np.log(samples) for x in row] for row in q]


def sw_av(y_true, y_pred, temperature=0.1, sinkhorn_epsilon=0.05, sinkhorn_iterations=3, code_views=2, held_at=None):
    z = np.asarray(y_pred, np.float64)
    fixed = z if held_at is None else np.asarray(held_at, np.float64)
    samples, views, prototypes = z.shape
    values = np.zeros(samples)
    for v in range(code_views):
        codes = _codes(fixed[:, v], sinkhorn_epsilon, sinkhorn_iterations)
        for i in range(samples):
            terms = []
            for w in range(views):
                if w != v:
                    predicted = log_softmax([x / temperature for x in z[i, w]])
                    terms.append(-sum(np.exp(codes[i][k]) * predicted[k] for k in range(prototypes)))
            values[i] += mean(terms) / code_views
    return values


_IDS = np.array([2**24, 2**24 + 1, 2**24, -5, 7], np.int32)
_E = np.eye(3)


def _rows(*views):
    """One sample of the given views."""
    return array(views)


def _binary_entropy(teacher, student):
    """Cross-entropy of two classes with logits (teacher, 0) and (student, 0)."""
    p = 1 / (1 + np.exp(-teacher))
    return p * softplus(-student) + (1 - p) * softplus(student)


_CENTER = (0.5, -0.25, 0.125, 0.0)
_LOGITS = {"student_temperature": 0.5, "teacher_temperature": 0.25}
_PATCHES = normal(6239, 2, 2, 3, 4)
# The first patch of sample 0 is hidden, the second of sample 1, and none of sample 2.
_HIDDEN = array([1, 0], [0, 1], [0, 0])
_BIT = {"temperature": 0.2, "sinkhorn_epsilon": 0.1}
_DIAGONAL = np.stack([np.eye(2), np.eye(2)], axis=1) / 4

CASES = {
    "NegativeCosine": [
        Case("default", no_labels(5), normal(6000, 5, 4, 3)),
        Case("labels-ignored", _IDS, normal(6001, 5, 4, 3)),
        Case("one-pair", no_labels(5), normal(6002, 5, 2, 4)),
        Case("three-views", no_labels(4), normal(6003, 4, 6, 3)),
        Case("single-sample", no_labels(1), normal(6004, 1, 4, 3)),
        Case("long", no_labels(4), normal(6005, 4, 4, 3, scale=1e3)),
        Case("short", no_labels(4), normal(6006, 4, 4, 3, scale=1e-3), smooth=False),
        Case("zero-prediction", no_labels(3), normal(6007, 3, 2, 4) * array([0], [1]), {}, False, np.zeros(3)),
        Case("zero-target", no_labels(3), normal(6008, 3, 2, 4) * array([1], [0]), expect=np.zeros(3)),
        Case("all-zero", no_labels(3), np.zeros((3, 4, 4)), expect=np.zeros(3)),
        Case("all-equal", no_labels(3), np.ones((3, 4, 4)), expect=-np.ones(3)),
        # Predictions agree with the targets of their own view, which are not compared; then with the other's.
        Case("own-view", no_labels(1), _rows(_E[0], _E[1], _E[0], _E[1]), expect=np.zeros(1)),
        Case("other-view", no_labels(1), _rows(_E[0], _E[1], 3 * _E[1], 2 * _E[0]), expect=-np.ones(1)),
        Case("one-pair-angle", no_labels(1), _rows(array(1, 0), array(2, 2)), expect=array(-np.sqrt(1 / 2))),
        Case("opposite", no_labels(1), _rows(array(1, 2), array(-2, -4)), expect=array(1.0)),
        # Of six pairs of three views, only prediction 0 and target 1 agree.
        Case("one-of-six", no_labels(1), _rows(_E[0], _E[1], _E[1], _E[2], _E[0], _E[2]), expect=array(-1 / 6)),
    ],
    "DINO": [
        Case("default", no_labels(4), normal(6100, 4, 4, 5)),
        Case("labels-ignored", _IDS, normal(6101, 5, 4, 3)),
        Case("local-views", no_labels(3), normal(6102, 3, 6, 4)),
        Case("center", no_labels(3), normal(6103, 3, 4, 4), {"center": _CENTER}),
        Case("center-soft", no_labels(3), normal(6104, 3, 5, 4), {"center": _CENTER, **_LOGITS}),
        Case("student-temperature", no_labels(3), normal(6105, 3, 4, 4), {"student_temperature": 1.0}),
        Case("teacher-temperature", no_labels(3), normal(6106, 3, 4, 4), {"teacher_temperature": 0.5}),
        Case("one-teacher-view", no_labels(3), normal(6107, 3, 4, 4), {"teacher_views": 1}),
        Case("one-pair", no_labels(3), normal(6108, 3, 2, 4), {"teacher_views": 1}),
        Case("three-teacher-views", no_labels(3), normal(6109, 3, 6, 4), {"teacher_views": 3}),
        Case("single-sample", no_labels(1), normal(6110, 1, 4, 4)),
        Case("all-equal", no_labels(3), np.ones((3, 4, 4)), expect=np.full(3, np.log(4))),
        # A teacher that is its centre knows nothing: the mean of the student's log-probabilities.
        Case(
            "teacher-is-center",
            no_labels(1),
            _rows([0, 0, 0, 0.3], [0, 0, 0, 0.3], _CENTER, _CENTER),
            {"center": _CENTER},
            expect=array(np.log(3 + np.exp(3.0)) - 3 / 4),
        ),
        # Teacher 0 knows something, teacher 1 nothing; the students of the other views answer.
        Case(
            "two-logits",
            no_labels(1),
            _rows([0.3, 0], [-0.2, 0], [0.5, 0], [0, 0]),
            _LOGITS,
            expect=array((_binary_entropy(0.5 / 0.25, -0.2 / 0.5) + _binary_entropy(0, 0.3 / 0.5)) / 2),
        ),
        # Four pairs: each teacher with the global view of the other, and with the local view.
        Case(
            "two-logits-local",
            no_labels(1),
            _rows([0, 0], [0, 0], [0.3, 0], [0.5, 0], [0, 0]),
            _LOGITS,
            expect=array((2 * np.log(2) + _binary_entropy(0.5 / 0.25, 0.3 / 0.5) + _binary_entropy(0, 0.3 / 0.5)) / 4),
        ),
        Case("certain", no_labels(1), _rows([-9, 0], [-9, 0], [9, 0], [9, 0]), expect=array(9 / 0.1)),
    ],
    "IBOT": [
        Case("default", binary(6200, 4, 6), normal(6201, 4, 2, 6, 3)),
        Case("int32", np.array([[0, 1, 1], [1, 0, 0]], np.int32), normal(6202, 2, 2, 3, 4)),
        Case("center", binary(6203, 3, 5), normal(6204, 3, 2, 5, 4), {"center": _CENTER}),
        Case("center-soft", binary(6205, 3, 5), normal(6206, 3, 2, 5, 4), {"center": _CENTER, **_LOGITS}),
        Case("student-temperature", binary(6207, 3, 5), normal(6208, 3, 2, 5, 4), {"student_temperature": 1.0}),
        Case("teacher-temperature", binary(6209, 3, 5), normal(6210, 3, 2, 5, 4), {"teacher_temperature": 0.5}),
        Case("all-hidden", np.ones((2, 3)), _PATCHES),
        Case("none-hidden", np.zeros((2, 3)), _PATCHES, expect=np.zeros(2)),
        Case("some-without", array([1, 1, 0], [0, 0, 0]), _PATCHES),
        Case("one-patch", np.ones((3, 1)), normal(6211, 3, 2, 1, 4)),
        Case("single-sample", np.ones((1, 4)), normal(6212, 1, 2, 4, 3)),
        Case("all-equal", binary(6213, 3, 4), np.ones((3, 2, 4, 5)), expect=np.log(5) * (binary(6213, 3, 4).sum(1) > 0)),
        Case(
            "two-logits",
            _HIDDEN,
            np.concatenate([_rows([[0.3, 0], [9, 0]], [[0.5, 0], [0, 9]])] * 3),
            _LOGITS,
            expect=array(_binary_entropy(0.5 / 0.25, 0.3 / 0.5), softplus(9 / 0.5), 0),
        ),
        Case(
            "mean-of-hidden",
            np.ones((1, 2)),
            _rows([[0.3, 0], [-0.2, 0]], [[0.5, 0], [0, 0]]),
            _LOGITS,
            expect=array((_binary_entropy(0.5 / 0.25, 0.3 / 0.5) + _binary_entropy(0, -0.2 / 0.5)) / 2),
        ),
    ],
    "SwAV": [
        Case("default", no_labels(6), normal(6300, 6, 2, 4, scale=0.3)),
        Case("labels-ignored", _IDS, normal(6301, 5, 2, 3, scale=0.3)),
        Case("local-views", no_labels(4), normal(6302, 4, 5, 3, scale=0.3)),
        Case("temperature", no_labels(5), normal(6303, 5, 2, 3, scale=0.3), {"temperature": 1.0}),
        Case("sinkhorn-epsilon", no_labels(5), normal(6304, 5, 2, 3), {"sinkhorn_epsilon": 0.5}),
        Case("one-iteration", no_labels(5), normal(6305, 5, 2, 3, scale=0.3), {"sinkhorn_iterations": 1}),
        Case("many-iterations", no_labels(5), normal(6306, 5, 2, 3, scale=0.3), {"sinkhorn_iterations": 20}),
        Case("one-code-view", no_labels(4), normal(6307, 4, 3, 3, scale=0.3), {"code_views": 1}),
        Case("three-code-views", no_labels(4), normal(6308, 4, 3, 3, scale=0.3), {"code_views": 3}),
        Case("more-prototypes", no_labels(2), normal(6309, 2, 2, 5, scale=0.3)),
        Case("duplicates", no_labels(4), normal(6310, 4, 2, 3, scale=0.3)[[0, 1, 0, 2]]),
        Case("all-equal", no_labels(3), np.ones((3, 2, 4)), expect=np.full(3, np.log(4))),
        # One sample has to be shared by all prototypes alike.
        Case(
            "single-sample",
            no_labels(1),
            _rows([0.5, 0], [-0.1, 0]),
            {"temperature": 0.2},
            expect=array((_binary_entropy(0, 0.5 / 0.2) + _binary_entropy(0, -0.1 / 0.2)) / 2),
        ),
        # Balanced from the start: the codes are the softmax of the scores.
        Case("balanced", no_labels(2), _DIAGONAL, _BIT, expect=np.full(2, _binary_entropy(0.25 / 0.1, 0.25 / 0.2))),
        # exp(40 / 0.05) is beyond any float; the views disagree for certain.
        Case(
            "large-scores",
            no_labels(2),
            np.stack([40 * np.eye(2), 40 * np.eye(2)[::-1]], axis=1),
            expect=np.full(2, 40 / 0.1),
        ),
        # Samples (e, 1) and (1, 1) after the exponential. Of prototype 0 they get e / (e + 1) and 1 / (e + 1), of prototype 1
        # a half each; a code is what a sample got, over its sum.
        Case(
            "one-iteration-by-hand",
            no_labels(2),
            np.stack([array([0.1, 0], [0, 0])] * 2, axis=1),
            {"sinkhorn_iterations": 1, "sinkhorn_epsilon": 0.1, "temperature": 1.0},
            expect=array(
                _binary_entropy(np.log(2 * np.e / (np.e + 1)), 0.1),
                _binary_entropy(np.log(2 / (np.e + 1)), 0.0),
            ),
        ),
    ],
}


def _around(function):
    """For a loss with a constant side: the function whose gradient at `at` the paper means."""
    return lambda y_true, at, **config: lambda y_pred: function(y_true, y_pred, held_at=at, **config)


# Losses whose gradient is not that of their value, because parts of it are constants: the function to differentiate.
DIFFERENTIATED = {
    "NegativeCosine": _around(negative_cosine),
    "DINO": _around(dino),
    "IBOT": _around(ibot),
    "SwAV": _around(sw_av),
}
