"""Self-supervised losses that push samples apart: DecoupledContrastive, AlignmentUniformity, KoLeo.

Views are stacked on axis 1, `y_pred` is (B, V, D), and labels are ignored. One value a sample, `(B,)`: the mean over the
views, or pairs of views, of that sample. Embeddings are normalised inside; a zero vector stays zero. A batch of one sample
has nothing to push apart: it does not count.

DecoupledContrastive: Yeh et al. 2021, "Decoupled Contrastive Learning", equation 6. For view v of sample i

    -w s(i v, i w) / temperature + log sum exp(s(i v, j u) / temperature)

with the mean of the first term over the other views w of the sample, and the sum over all views u of all other samples j in
one logarithm. (lightly adds two logarithms, one for each view u, which is not the paper's.) w is 1, or with `sigma`
(the paper's DCLW, 0.5 there) 2 - exp(s_i / sigma) / mean_j exp(s_j / sigma) with s_j = s(j v, j w). The weights carry a
gradient, as in the authors' code. `temperature` is 0.1 as there.

AlignmentUniformity: Wang & Isola 2020. For two views x and y

    |x_i - y_i|^alpha + lambda (log mean exp(-t |x_j - x_k|^2) + the same of y) / 2

where the mean is over the pairs j < k, and is the same for all samples. With more views: the mean over pairs of views.
alpha = 2 and t = 2 as in the paper (lightly has t = 1), `lambda_param` is 1.

KoLeo: Sablayrolles et al. 2019, "Spreading vectors for similarity search": -log of the Euclidean distance to the nearest
other sample in the same view, plus `epsilon` (1e-8, DINOv2's) so that duplicates have a value. Gradients reach both
points. `y_pred` is (B, D), or (B, V, D). With `normalize=False` embeddings are taken as they are.
"""

import numpy as np

from ._case import Case, array, log_sum_exp, normal, unit_rows
from ._views import dot, mean, no_labels, squared_distance, units


def decoupled_contrastive(y_true, y_pred, temperature=0.1, sigma=None):
    z = units(y_pred)
    samples, views, _ = z.shape

    def weight(i, v, w):
        if sigma is None:
            return 1.0
        own = dot(z[i, v], z[i, w]) / sigma
        total = log_sum_exp([dot(z[j, v], z[j, w]) / sigma for j in range(samples)])
        return 2 - samples * np.exp(own - total)

    values, valid = np.zeros(samples), np.zeros(samples, bool)
    for i in range(samples):
        per_view = []
        for v in range(views):
            pull = [-weight(i, v, w) * dot(z[i, v], z[i, w]) / temperature for w in range(views) if w != v]
            push = [dot(z[i, v], z[j, u]) / temperature for j in range(samples) if j != i for u in range(views)]
            if pull and push:
                per_view.append(mean(pull) + log_sum_exp(push))
        if per_view:
            values[i], valid[i] = mean(per_view), True
    return values, valid


def alignment_uniformity(y_true, y_pred, alpha=2.0, t=2.0, lambda_param=1.0):
    z = units(y_pred)
    samples, views, _ = z.shape
    if samples < 2:
        return np.zeros(samples), np.zeros(samples, bool)

    def uniformity(v):
        exponents = [-t * squared_distance(z[j, v], z[k, v]) for k in range(samples) for j in range(k)]
        return log_sum_exp(exponents) - np.log(len(exponents))

    pairs = [(v, w) for w in range(views) for v in range(w)]
    spread = mean((uniformity(v) + uniformity(w)) / 2 for v, w in pairs)
    values = np.zeros(samples)
    for i in range(samples):
        values[i] = mean(np.sqrt(squared_distance(z[i, v], z[i, w])) ** alpha for v, w in pairs) + lambda_param * spread
    return values, np.ones(samples, bool)


def ko_leo(y_true, y_pred, epsilon=1e-8, normalize=True):
    z = units(y_pred) if normalize else np.asarray(y_pred, np.float64)
    z = z.reshape(len(z), -1, z.shape[-1])
    samples, views, _ = z.shape
    values, valid = np.zeros(samples), np.zeros(samples, bool)
    for i in range(samples):
        others = [j for j in range(samples) if j != i]
        if others:
            nearest = [min(np.sqrt(squared_distance(z[i, v], z[j, v])) for j in others) for v in range(views)]
            values[i], valid[i] = mean(-np.log(distance + epsilon) for distance in nearest), True
    return values, valid


def _twice(x, views=2):
    """The same embeddings in every view."""
    return np.stack([x] * views, axis=1)


_E = np.eye(3)
_IDS = np.array([2**24, 2**24 + 1, 2**24, -5, 7], np.int32)
# Views of sample 0 agree and those of sample 1 are orthogonal; nothing else has a similarity.
_HALF = np.stack([array([1, 0, 0], [0, 1, 0]), array([1, 0, 0], [0, 0, 1])], axis=1)
_OPPOSITE = np.stack([_E[:2], -_E[:2]], axis=1)
_WITH_ZEROS = normal(5012, 4, 2, 3) * array(1, 0, 1, 1).reshape(4, 1, 1)
_TWINS = normal(5013, 5, 2, 3)[[0, 1, 0, 2, 1]]


def _common(seed):
    """Data that every loss here is defined on."""
    return [
        Case("default", no_labels(6), normal(seed, 6, 2, 4)),
        Case("unit", no_labels(5), unit_rows(seed + 1, 5, 2, 3)),
        Case("labels-ignored", _IDS, normal(seed + 2, 5, 2, 3)),
        Case("three-views", no_labels(4), normal(seed + 3, 4, 3, 5)),
        Case("two-samples", no_labels(2), normal(seed + 4, 2, 2, 4)),
        Case("single-sample", no_labels(1), normal(seed + 5, 1, 2, 4), expect=np.zeros(1)),
        Case("long", no_labels(4), normal(seed + 6, 4, 2, 4, scale=1e3)),
        Case("short", no_labels(4), normal(seed + 7, 4, 2, 4, scale=1e-3), smooth=False),
        Case("zero-vectors", no_labels(4), _WITH_ZEROS, smooth=False),
        Case("all-zero", no_labels(3), np.zeros((3, 2, 4)), smooth=False),
    ]


_W0 = 2 - 2 / (1 + np.exp(-1 / 0.5))

CASES = {
    "DecoupledContrastive": [
        *_common(5100),
        Case("temperature", no_labels(5), normal(5120, 5, 2, 4), {"temperature": 0.5}),
        Case("temperature-small", no_labels(5), normal(5121, 5, 2, 4), {"temperature": 0.02}),
        Case("temperature-large", no_labels(5), normal(5122, 5, 2, 4), {"temperature": 50.0}),
        Case("sigma", no_labels(5), normal(5123, 5, 2, 4), {"sigma": 0.5}),
        Case("sigma-temperature", no_labels(4), normal(5124, 4, 3, 4), {"sigma": 2.0, "temperature": 0.3}),
        Case("duplicates", no_labels(5), _TWINS),
        # 2 (B - 1) negatives, all as similar as the positive.
        Case("all-equal", no_labels(3), np.ones((3, 2, 4)), expect=np.full(3, np.log(4))),
        Case("all-equal-sigma", no_labels(3), np.ones((3, 2, 4)), {"sigma": 0.5}, expect=np.full(3, np.log(4))),
        Case("separated", no_labels(2), _twice(_E[:2]), {"temperature": 0.2}, expect=np.full(2, np.log(2) - 1 / 0.2)),
        Case("separated-three-views", no_labels(3), _twice(_E, 3), expect=np.full(3, np.log(6) - 1 / 0.1)),
        # Negatives of view 0 lie at 0 and 0; the positive lies at -1.
        Case("opposite", no_labels(2), _OPPOSITE, {"temperature": 0.5}, expect=np.full(2, np.log(2) + 1 / 0.5)),
        Case(
            "weighted",
            no_labels(2),
            _HALF,
            {"sigma": 0.5, "temperature": 0.25},
            expect=array(np.log(2) - _W0 / 0.25, np.log(2)),
        ),
        Case("unweighted", no_labels(2), _HALF, {"temperature": 0.25}, expect=array(np.log(2) - 1 / 0.25, np.log(2))),
    ],
    "AlignmentUniformity": [
        *_common(5200),
        Case("alpha", no_labels(5), normal(5220, 5, 2, 4), {"alpha": 4.0}),
        Case("alpha-one", no_labels(5), normal(5221, 5, 2, 4), {"alpha": 1.0}),
        Case("alpha-one-equal-views", no_labels(4), _twice(normal(5222, 4, 3)), {"alpha": 1.0}, smooth=False),
        Case("t", no_labels(5), normal(5223, 5, 2, 4), {"t": 1.0}),
        Case("t-large", no_labels(5), normal(5224, 5, 2, 4), {"t": 400.0}),
        Case("lambda", no_labels(4), normal(5225, 4, 3, 4), {"lambda_param": 0.25, "t": 3.0}),
        Case("duplicates", no_labels(5), _TWINS),
        Case("all-equal", no_labels(3), np.ones((3, 2, 4)), expect=np.zeros(3)),
        # Orthogonal vectors have the squared distance 2.
        Case("separated", no_labels(3), _twice(_E), {"t": 3.0, "lambda_param": 0.5}, expect=np.full(3, -2 * 3.0 * 0.5)),
        Case("opposite", no_labels(2), _OPPOSITE, {"alpha": 3.0}, expect=np.full(2, 2**3.0 - 2 * 2.0)),
        # Alignment 0 and sqrt(2); the pair of samples is at squared distance 2 in each view.
        Case("half", no_labels(2), _HALF, {"alpha": 4.0, "t": 1.0}, expect=array(-2.0, np.sqrt(2) ** 4.0 - 2)),
        # Squared distances of the pairs of three samples: 0, 2, 2.
        Case(
            "two-of-three-equal",
            no_labels(3),
            _twice(_E[[0, 0, 1]]),
            {"t": 0.5},
            expect=np.full(3, np.log((1 + 2 * np.exp(-0.5 * 2)) / 3)),
        ),
    ],
    "KoLeo": [
        *_common(5300),
        Case("one-view", no_labels(6), normal(5320, 6, 4)),
        Case("one-view-stacked", no_labels(6), normal(5321, 6, 1, 4)),
        Case("single-sample-one-view", no_labels(1), normal(5322, 1, 4), expect=np.zeros(1)),
        Case("epsilon", no_labels(5), normal(5323, 5, 2, 3), {"epsilon": 0.5}),
        Case("as-they-are", no_labels(5), normal(5324, 5, 2, 3, scale=3.0), {"normalize": False}),
        Case("duplicates", no_labels(5), _TWINS, smooth=False),
        Case("all-equal", no_labels(3), np.ones((3, 2, 4)), {}, False, np.full(3, -np.log(1e-8))),
        Case("all-equal-epsilon", no_labels(3), np.ones((3, 2, 4)), {"epsilon": 0.25}, False, np.full(3, np.log(4))),
        # x and 2 x have one direction.
        Case("one-direction", no_labels(2), array([1, 0], [2, 0]), {}, False, np.full(2, -np.log(1e-8))),
        Case(
            "one-direction-as-they-are",
            no_labels(2),
            array([1, 0], [4, 0]),
            {"normalize": False, "epsilon": 0.0},
            expect=np.full(2, -np.log(3)),
        ),
        Case("separated", no_labels(2), _twice(_E[:2]), expect=np.full(2, -np.log(np.sqrt(2) + 1e-8))),
        # On a line at 0, 1, 4: the nearest are at 1, 1 and 3. In the second view at 0, 2, 8: twice as far.
        Case(
            "line",
            no_labels(3),
            np.stack([array([0], [1], [4]), array([0], [2], [8])], axis=1),
            {"normalize": False, "epsilon": 0.0},
            expect=-np.log(np.sqrt(2) * array(1, 1, 3)),
        ),
    ],
}
