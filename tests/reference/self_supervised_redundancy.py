"""Self-supervised losses without negatives: BarlowTwins, VICReg, TotalCodingRate, MaximumManifoldCapacity.

Views are stacked on axis 1, `y_pred` is (B, V, D), and labels are ignored. One value a sample, `(B,)`, whose mean is the
paper's loss: what belongs to the whole batch is the same in every sample's value. With more than two views, losses of a
pair of views are the mean over the pairs.

BarlowTwins: Zbontar et al. 2021. sum_d (1 - c_dd)^2 + lambda sum_{d != e} c_de^2 with the cross-correlation c of two views
over the batch: centred, divided by sqrt(variance + epsilon), and averaged. Variances are those of the batch (over B), as in
the paper's equation and in the batch normalisation of the authors' code, whose `epsilon` is 1e-5: it makes the correlations
of a constant feature 0. (The paper's pseudocode mixes a deviation over B - 1 with a mean over B.) `lambda_param` is 5e-3,
the paper's. The whole value is of the batch. A batch of one sample has no correlation: it does not count.

VICReg: Bardes et al. 2021, as in the authors' code, to which its weights 25, 25, 1 belong:
lambda mean_d (x_d - y_d)^2 of the sample + mu (v(x) + v(y)) / 2 + nu (c(x) + c(y)),
v = mean_d max(0, 1 - sqrt(var_d + epsilon)), c = sum_{d != e} cov_de^2 / D, both over B - 1; `epsilon` is 1e-4. (The
paper's text sums the squared differences over d and has no half in front of the variances.) One sample does not count.

TotalCodingRate: EMP-SSL, Tong et al. 2023. Vectors are normalised; for each view the rate
R = log det(I + D / (B distortion) Z' Z) / 2 is to be large, and each vector near the mean of its sample's views:
-mean_v R(Z_v) - lambda mean_v cos(z_v, mean of z). `distortion` is the paper's epsilon^2, 0.2, and `lambda_param` 200.
(lightly adds the rate instead of subtracting it.) A cosine with a zero vector is 0. One sample counts.

MaximumManifoldCapacity: Yerxa et al. 2023. Vectors are normalised; lambda |Z_i|_* - |C|_* with the nuclear norms of the
sample's views (V, D) and of the samples' means over their views (B, D). `lambda_param` is 0, as in the authors' code.
(lightly has 5e-3 and does not normalise.) One sample counts.
"""

import numpy as np

from ._case import Case, array, normal, unit_rows
from ._views import dot, mean, no_labels, unit, units


def _pairs(views):
    return [(v, w) for w in range(views) for v in range(w)]


def _centred(z, v, d):
    """Feature d of view v of all samples, minus its mean."""
    column = [z[i, v, d] for i in range(len(z))]
    middle = mean(column)
    return [x - middle for x in column]


def barlow_twins(y_true, y_pred, lambda_param=5e-3, epsilon=1e-5):
    z = np.asarray(y_pred, np.float64)
    samples, views, features = z.shape
    if samples < 2:
        return np.zeros(samples), np.zeros(samples, bool)

    def standard(v, d):
        column = _centred(z, v, d)
        deviation = np.sqrt(mean(x * x for x in column) + epsilon)
        return [x / deviation for x in column]

    def loss(v, w):
        total = 0.0
        for d in range(features):
            for e in range(features):
                x, y = standard(v, d), standard(w, e)
                correlation = mean(x[i] * y[i] for i in range(samples))
                total += (1 - correlation) ** 2 if d == e else lambda_param * correlation**2
        return total

    return np.full(samples, mean(loss(v, w) for v, w in _pairs(views))), np.ones(samples, bool)


def vic_reg(y_true, y_pred, lambda_param=25.0, mu_param=25.0, nu_param=1.0, epsilon=1e-4):
    z = np.asarray(y_pred, np.float64)
    samples, views, features = z.shape
    if samples < 2:
        return np.zeros(samples), np.zeros(samples, bool)

    def covariance(v, d, e):
        x, y = _centred(z, v, d), _centred(z, v, e)
        return sum(x[i] * y[i] for i in range(samples)) / (samples - 1)

    def variance_term(v):
        return mean(max(0.0, 1 - np.sqrt(covariance(v, d, d) + epsilon)) for d in range(features))

    def covariance_term(v):
        return sum(covariance(v, d, e) ** 2 for d in range(features) for e in range(features) if d != e) / features

    def invariance(i, v, w):
        return mean((z[i, v, d] - z[i, w, d]) ** 2 for d in range(features))

    pairs = _pairs(views)
    variance = mean((variance_term(v) + variance_term(w)) / 2 for v, w in pairs)
    redundancy = mean(covariance_term(v) + covariance_term(w) for v, w in pairs)
    values = np.zeros(samples)
    for i in range(samples):
        near = mean(invariance(i, v, w) for v, w in pairs)
        values[i] = lambda_param * near + mu_param * variance + nu_param * redundancy
    return values, np.ones(samples, bool)


def _middle(vectors):
    return np.array([mean(vector[d] for vector in vectors) for d in range(len(vectors[0]))])


def total_coding_rate(y_true, y_pred, distortion=0.2, lambda_param=200.0):
    z = units(y_pred)
    samples, views, features = z.shape

    def rate(v):
        matrix = np.empty((features, features))
        for d in range(features):
            for e in range(features):
                product = sum(z[i, v, d] * z[i, v, e] for i in range(samples))
                matrix[d, e] = (d == e) + features / (samples * distortion) * product
        return sum(np.log(np.linalg.eigvalsh(matrix))) / 2

    spread = mean(rate(v) for v in range(views))
    values = np.zeros(samples)
    for i in range(samples):
        middle = unit(_middle(z[i]))
        values[i] = -spread - lambda_param * mean(dot(z[i, v], middle) for v in range(views))
    return values


def maximum_manifold_capacity(y_true, y_pred, lambda_param=0.0):
    z = units(y_pred)
    middles = np.array([_middle(views) for views in z])
    capacity = sum(np.linalg.svd(middles, compute_uv=False))
    return np.array([lambda_param * sum(np.linalg.svd(views, compute_uv=False)) - capacity for views in z])


def _twice(x, views=2):
    """The same embeddings in every view."""
    return np.stack([x] * views, axis=1)


_IDS = np.array([2**24, 2**24 + 1, 2**24, -5, 7], np.int32)
_E = np.eye(2)
# Two features that always agree, and two that are uncorrelated; all of variance 1 over the batch.
_AGREE = array([1, 1], [-1, -1])
_CROSS = array([1, 1], [1, -1], [-1, 1], [-1, -1])
_TWINS = normal(5513, 5, 2, 3)[[0, 1, 0, 2, 1]]
_CONSTANT = normal(5514, 5, 2, 4) * array(1, 0, 1, 1) + array(0, 0.1, 0, 0)


def _common(seed):
    return [
        Case("default", no_labels(6), normal(seed, 6, 2, 4)),
        Case("labels-ignored", _IDS, normal(seed + 1, 5, 2, 3)),
        Case("three-views", no_labels(5), normal(seed + 2, 5, 3, 4)),
        Case("more-features", no_labels(3), normal(seed + 3, 3, 2, 7)),
        Case("lambda", no_labels(5), normal(seed + 4, 5, 2, 3), {"lambda_param": 0.5}),
        Case("duplicates", no_labels(5), _TWINS),
        Case("constant-feature", no_labels(5), _CONSTANT),
    ]


_C = 1 / (1 + 1e-5)
_HALF = {"lambda_param": 0.5}
_WEIGHTS = {"lambda_param": 2.0, "mu_param": 3.0, "nu_param": 0.5}
# Features (x, x) with x = 1/2 and -1/2: variance and covariance 1/2 over B - 1, so v = 1 - sqrt(1/2 + epsilon), c = 1/4.
_V = 1 - np.sqrt(0.5 + 1e-4)

CASES = {
    "BarlowTwins": [
        *_common(5500),
        Case("epsilon", no_labels(5), normal(5520, 5, 2, 3), {"epsilon": 0.1}),
        Case("long", no_labels(5), normal(5521, 5, 2, 3, scale=100.0)),
        Case("short", no_labels(5), normal(5522, 5, 2, 3, scale=0.01)),
        Case("single-sample", no_labels(1), normal(5523, 1, 2, 3), expect=np.zeros(1)),
        Case("all-equal", no_labels(3), np.ones((3, 2, 4)), expect=np.full(3, 4.0)),
        Case("all-zero", no_labels(3), np.zeros((3, 2, 4)), expect=np.full(3, 4.0)),
        Case("agree", no_labels(2), _twice(_AGREE), _HALF, expect=np.full(2, 2 * (1 - _C) ** 2 + 0.5 * 2 * _C**2)),
        Case(
            "opposite",
            no_labels(2),
            np.stack([_AGREE, -_AGREE], axis=1),
            _HALF,
            expect=np.full(2, 2 * (1 + _C) ** 2 + 0.5 * 2 * _C**2),
        ),
        Case("uncorrelated", no_labels(4), _twice(_CROSS) + 3, expect=np.full(4, 2 * (1 - _C) ** 2)),
        # Of the three pairs of views, one agrees and two are opposite.
        Case(
            "three-views-signs",
            no_labels(4),
            np.stack([_CROSS, _CROSS, -_CROSS], axis=1),
            expect=np.full(4, 2 * ((1 - _C) ** 2 + 2 * (1 + _C) ** 2) / 3),
        ),
    ],
    "VICReg": [
        *_common(5600),
        Case("small-variance", no_labels(5), normal(5620, 5, 2, 4, scale=0.1)),
        Case("large-variance", no_labels(5), normal(5621, 5, 2, 4, scale=5.0)),
        Case("mu", no_labels(5), normal(5622, 5, 2, 3, scale=0.5), {"mu_param": 2.0}),
        Case("nu", no_labels(5), normal(5623, 5, 2, 3), {"nu_param": 30.0}),
        Case("epsilon", no_labels(5), normal(5624, 5, 2, 3, scale=0.3), {"epsilon": 0.01}),
        Case("single-sample", no_labels(1), normal(5625, 1, 2, 3), expect=np.zeros(1)),
        Case("all-equal", no_labels(3), np.ones((3, 2, 4)), expect=np.full(3, 25 * (1 - np.sqrt(1e-4)))),
        Case(
            "all-zero",
            no_labels(3),
            np.zeros((3, 2, 4)),
            {"mu_param": 2.0, "epsilon": 0.04},
            expect=np.full(3, 2 * (1 - 0.2)),
        ),
        Case("agree", no_labels(2), _twice(_AGREE / 2), _WEIGHTS, expect=np.full(2, 3 * _V + 0.5 * 2 * 0.25)),
        # Both features are 1 apart in each sample: the mean of their squares is 1, their sum would be 2.
        Case(
            "opposite",
            no_labels(2),
            np.stack([_AGREE / 2, -_AGREE / 2], axis=1),
            _WEIGHTS,
            expect=np.full(2, 2 * 1 + 3 * _V + 0.5 * 2 * 0.25),
        ),
        # Views that differ by 3 in one feature of two, in every sample: a shift has no variance.
        Case(
            "shifted",
            no_labels(2),
            np.stack([_AGREE / 2, _AGREE / 2 + array(3, 0)], axis=1),
            _WEIGHTS,
            expect=np.full(2, 2 * 4.5 + 3 * _V + 0.5 * 2 * 0.25),
        ),
        # Standard deviations above 1, no covariance, equal views.
        Case("spread", no_labels(4), _twice(2 * _CROSS), expect=np.zeros(4)),
        Case("three-views-spread", no_labels(4), _twice(2 * _CROSS, 3), expect=np.zeros(4)),
    ],
    "TotalCodingRate": [
        *_common(5700),
        Case("unit", no_labels(5), unit_rows(5720, 5, 2, 3)),
        Case("distortion", no_labels(5), normal(5721, 5, 2, 3), {"distortion": 1.5}),
        Case("distortion-small", no_labels(3), normal(5722, 3, 2, 5), {"distortion": 1e-3}),
        Case("one-view", no_labels(4), normal(5723, 4, 1, 3)),
        Case("long", no_labels(5), normal(5724, 5, 2, 3, scale=1e3)),
        Case("short", no_labels(5), normal(5725, 5, 2, 3, scale=1e-3), smooth=False),
        Case("single-sample", no_labels(1), np.ones((1, 2, 4)), expect=array(-np.log(1 + 4 / 0.2) / 2 - 200)),
        # The sum of the vectors' outer products has the one eigenvalue B, or is the identity.
        Case("all-equal", no_labels(3), np.ones((3, 2, 4)), _HALF, expect=np.full(3, -np.log(1 + 4 / 0.2) / 2 - 0.5)),
        Case("orthogonal", no_labels(2), _twice(_E), _HALF, expect=np.full(2, -np.log(1 + 1 / 0.2) - 0.5)),
        Case("all-zero", no_labels(3), np.zeros((3, 2, 4)), {}, False, np.zeros(3)),
        # The views of each sample are orthogonal: both are at 45 degrees from their mean.
        Case(
            "orthogonal-views",
            no_labels(2),
            np.stack([_E, _E[::-1]], axis=1),
            _HALF,
            expect=np.full(2, -np.log(1 + 1 / 0.2) - 0.5 / np.sqrt(2)),
        ),
        Case("opposite-views", no_labels(2), np.stack([_E, -_E], axis=1), {}, False, np.full(2, -np.log(1 + 1 / 0.2))),
    ],
    "MaximumManifoldCapacity": [
        *_common(5800),
        Case("unit", no_labels(5), unit_rows(5820, 5, 2, 3)),
        Case("lambda-small", no_labels(5), normal(5821, 5, 2, 3), {"lambda_param": 5e-3}),
        Case("single-sample", no_labels(1), normal(5822, 1, 2, 4)),
        Case("long", no_labels(5), normal(5823, 5, 2, 3, scale=1e3)),
        Case("short", no_labels(5), normal(5824, 5, 2, 3, scale=1e-3), smooth=False),
        # Means of rank 1, and views of rank 1: of length sqrt(B) and sqrt(V).
        Case("all-equal", no_labels(3), np.ones((3, 2, 4)), _HALF, False, np.full(3, 0.5 * np.sqrt(2) - np.sqrt(3))),
        Case("orthogonal", no_labels(2), _twice(_E), _HALF, False, np.full(2, 0.5 * np.sqrt(2) - 2)),
        # Equal singular values, where an SVD has no derivative and the norm has.
        Case("equal-singular-values", no_labels(2), _twice(_E), expect=np.full(2, -2.0)),
        Case("all-zero", no_labels(3), np.zeros((3, 2, 4)), {}, False, np.zeros(3)),
        # Orthogonal views: nuclear norm 2 for each sample; both means are (1/2, 1/2), a matrix of norm 1.
        Case(
            "orthogonal-views",
            no_labels(2),
            np.stack([_E, _E[::-1]], axis=1),
            _HALF,
            False,
            np.full(2, 0.5 * 2 - 1),
        ),
    ],
}
