"""Losses of imbalanced yes/no outputs.

Distribution-balanced: Wu et al. 2020, equations 2, 3, 4, 8 and 10. In equation 8 the
prior shifts the logits by kappa times its own logit; the published code divides
that by lambda as well, which its authors call a mistake (issue 8 there). The focal
factor is that of the published configuration, without its constant factor of 2.
Equalization: Tan et al. 2020, equations 3 to 5. GHM-C: Li et al. 2019, equation 9 with
the unit regions of equation 6, divided, as in the published code, by the number
of regions that are not empty instead of all. HED: Xie and Tu 2015, equation 2.
"""

import numpy as np

from ._case import EPSILON, Case, array, binary, normal, softplus, uniform


def _losses(x, from_logits):
    """-log p and -log(1 - p)."""
    if from_logits:
        return softplus(-x), softplus(x)
    return -np.log(max(x, EPSILON)), -np.log(max(1 - x, EPSILON))


def _sigmoid(x):
    return np.exp(-softplus(-x))


def distribution_balanced(
    y_true,
    y_pred,
    class_counts,
    num_samples,
    alpha=0.1,
    beta=10.0,
    mu=0.2,
    negative_scale=2.0,
    prior_scale=0.05,
    gamma=2.0,
    from_logits=False,
    axis=-1,
    class_weight=None,
):
    """Mean over the classes of r (1 - p_t)^gamma times the negative-tolerant crossentropy."""
    y_true = np.moveaxis(np.asarray(y_true, np.float64), axis, -1)
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), axis, -1)
    w0, w1 = (1.0, 1.0) if class_weight is None else class_weight
    n = [min(max(c, 1.0), num_samples - 1.0) for c in class_counts]
    classes = len(n)
    values = np.zeros(y_pred.shape[:-1])
    for index in np.ndindex(values.shape):
        # How often a sampler of classes draws the instance: for each class, and for all that it has.
        instance = sum(y * 1 / (classes * n[c]) for c, y in enumerate(y_true[index]))
        total = 0.0
        for c in range(classes):
            y, x = y_true[index][c], y_pred[index][c]
            z = x if from_logits else np.log(max(x, EPSILON)) - np.log(max(1 - x, EPSILON))
            ratio = 1 / (classes * n[c]) / instance if instance > 0 else np.inf
            smooth = alpha + 1 / (1 + np.exp(-beta * (ratio - mu))) if ratio < np.inf else alpha + 1
            prior = n[c] / num_samples
            b = -np.log(1 / prior - 1)
            nu = -prior_scale * b
            positive = _sigmoid(-(z - nu)) ** gamma * softplus(-(z - nu))
            negative = _sigmoid(negative_scale * (z - nu)) ** gamma * softplus(negative_scale * (z - nu)) / negative_scale
            total += smooth * (w1 * y * positive + w0 * (1 - y) * negative)
        values[index] = total / classes
    return values


def equalization(y_true, y_pred, class_frequencies, threshold=1.76e-3, beta=1.0, from_logits=False, axis=-1, class_weight=None):
    """Mean over the classes of w_j crossentropy, w_j = 1 - beta E T(f_j) (1 - y_j).

    E is 0 for a row without positives, the background.
    """
    y_true = np.moveaxis(np.asarray(y_true, np.float64), axis, -1)
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), axis, -1)
    w0, w1 = (1.0, 1.0) if class_weight is None else class_weight
    values = np.zeros(y_pred.shape[:-1])
    for index in np.ndindex(values.shape):
        foreground = any(y > 0 for y in y_true[index])
        total = 0.0
        for f, y, x in zip(class_frequencies, y_true[index], y_pred[index], strict=True):
            rare = f < threshold
            weight = 1 - beta * foreground * rare * (1 - y)
            positive, negative = _losses(x, from_logits)
            total += weight * (w1 * y * positive + w0 * (1 - y) * negative)
        values[index] = total / len(class_frequencies)
    return values


def gradient_harmonized(y_true, y_pred, bins=30, from_logits=False, class_weight=None):
    """Mean over the last axis of crossentropy over gradient density."""
    y_true = np.asarray(y_true, np.float64)
    y_pred = np.asarray(y_pred, np.float64)
    if y_pred.ndim == 1:
        return gradient_harmonized(y_true[:, None], y_pred[:, None], bins, from_logits, class_weight)
    w0, w1 = (1.0, 1.0) if class_weight is None else class_weight
    region = {}
    for index in np.ndindex(y_pred.shape):
        p = _sigmoid(y_pred[index]) if from_logits else y_pred[index]
        g = abs(p - y_true[index])
        region[index] = next((k for k in range(bins) if k / bins <= g < (k + 1) / bins), bins - 1)
    used = sorted(set(region.values()))
    terms = np.zeros(y_pred.shape)
    for index, k in region.items():
        inside = sum(other == k for other in region.values())
        positive, negative = _losses(y_pred[index], from_logits)
        y = y_true[index]
        terms[index] = len(region) / (inside * len(used)) * (w1 * y * positive + w0 * (1 - y) * negative)
    return terms.mean(axis=-1)


def balanced_binary_crossentropy(y_true, y_pred, from_logits=False, class_weight=None):
    """Mean over a sample of -beta y log p - (1 - beta)(1 - y) log(1 - p).

    beta is the share of negatives in the sample, 1/2 where it has one class only.
    """
    y_true = np.asarray(y_true, np.float64)
    y_pred = np.asarray(y_pred, np.float64)
    w0, w1 = (1.0, 1.0) if class_weight is None else class_weight
    values = np.zeros(len(y_pred))
    for sample in range(len(y_pred)):
        ys, xs = np.ravel(y_true[sample]), np.ravel(y_pred[sample])
        beta = sum(1 - y for y in ys) / len(ys)
        if beta in (0.0, 1.0):
            beta = 0.5
        for y, x in zip(ys, xs, strict=True):
            positive, negative = _losses(x, from_logits)
            values[sample] += (w1 * beta * y * positive + w0 * (1 - beta) * (1 - y) * negative) / len(ys)
    return values


_COUNTS = (80.0, 12.0, 3.0)
_DB = {"class_counts": _COUNTS, "num_samples": 100}
_NONE = np.zeros((2, 3))
_ALL = np.ones((2, 3))
_ONE = array([1, 0, 0], [0, 0, 1])
_FREQUENCIES = (0.4, 1e-3, 2e-4)


def _soft(seed, *shape):
    return uniform(seed, *shape, low=0.0, high=1.0)


def _db(name, y_true, y_pred, smooth=True, expect=None, **config):
    return Case(name, y_true, y_pred, {**_DB, "from_logits": True, **config}, smooth, expect)


def _eql(name, y_true, y_pred, smooth=True, expect=None, **config):
    return Case(name, y_true, y_pred, {"class_frequencies": _FREQUENCIES, "from_logits": True, **config}, smooth, expect)


def _logits(name, y_true, y_pred, smooth=True, expect=None, **config):
    return Case(name, y_true, y_pred, {"from_logits": True, **config}, smooth, expect)


# Without the prior and the focal factor, and with the negatives as they are, what is left is the weight.
_PLAIN = {"prior_scale": 0.0, "gamma": 0.0, "negative_scale": 1.0}


def _map(ratio):
    return 0.1 + 1 / (1 + np.exp(-10 * (ratio - 0.2)))


def _halves(values):
    return np.log(2) * np.mean(values, axis=-1)


CASES = {
    "DistributionBalanced": [
        Case("default", binary(3000, 5, 3), uniform(3001, 5, 3), _DB),
        Case("probabilities-at-the-ends", binary(3002, 2, 3), array([0, 1, 0.5], [1, 0, 1]), _DB, smooth=False),
        _db("logits", binary(3004, 6, 3), normal(3005, 6, 3, scale=2)),
        _db("rank-3", binary(3006, 2, 4, 3), normal(3007, 2, 4, 3)),
        _db("rank-4", binary(3008, 2, 2, 2, 3), normal(3009, 2, 2, 2, 3)),
        _db("axis-1", binary(3010, 2, 3, 4), normal(3011, 2, 3, 4), axis=1),
        _db("soft", _soft(3012, 4, 3), normal(3013, 4, 3)),
        _db("alpha", binary(3014, 4, 3), normal(3015, 4, 3), alpha=0.7),
        _db("beta", binary(3016, 4, 3), normal(3017, 4, 3), beta=2.0),
        _db("mu", binary(3018, 4, 3), normal(3019, 4, 3), mu=0.5),
        _db("negative-scale", binary(3020, 4, 3), normal(3021, 4, 3), negative_scale=5.0),
        _db("prior-scale", binary(3022, 4, 3), normal(3023, 4, 3), prior_scale=0.4),
        _db("gamma", binary(3024, 4, 3), normal(3025, 4, 3), gamma=0.5),
        _db("gamma-zero", binary(3026, 4, 3), normal(3027, 4, 3), gamma=0.0),
        _db("class-weight", binary(3028, 4, 3), normal(3029, 4, 3), class_weight=(0.5, 3.0)),
        _db("counts-at-the-ends", binary(3030, 4, 3), normal(3031, 4, 3), class_counts=(100.0, 0.0, 50.0)),
        _db("all-positive", _ALL, normal(3032, 2, 3)),
        _db("saturated", _ONE, array([1e4, -1e4, 0], [-1e4, 1e4, 0]), smooth=False),
        # No positive: the ratio has the limit infinity, the weight alpha + 1.
        _db("no-positive", _NONE, _NONE, **_PLAIN, expect=np.full(2, 1.1 * np.log(2))),
        # One positive: the ratio is n_y / n_c, 1 for the class itself.
        _db(
            "by-hand",
            _ONE,
            _NONE,
            **_PLAIN,
            expect=array(
                _halves([_map(1), _map(80 / 12), _map(80 / 3)]),
                _halves([_map(3 / 80), _map(3 / 12), _map(1)]),
            ),
        ),
    ],
    "Equalization": [
        Case("default", binary(3100, 5, 3), uniform(3101, 5, 3), {"class_frequencies": _FREQUENCIES}),
        Case(
            "probabilities-at-the-ends",
            binary(3102, 2, 3),
            array([0, 1, 0.5], [1, 0, 1]),
            {"class_frequencies": _FREQUENCIES},
            smooth=False,
        ),
        _eql("logits", binary(3104, 6, 3), normal(3105, 6, 3)),
        _eql("rank-3", binary(3106, 2, 4, 3), normal(3107, 2, 4, 3)),
        _eql("axis-1", binary(3108, 2, 3, 4), normal(3109, 2, 3, 4), axis=1),
        _eql("rank-4-axis-1", binary(3110, 2, 3, 2, 2), normal(3111, 2, 3, 2, 2), axis=1),
        _eql("threshold", binary(3112, 6, 3), normal(3113, 6, 3), threshold=5e-4),
        _eql("threshold-zero", binary(3114, 6, 3), normal(3115, 6, 3), threshold=0.0),
        _eql("threshold-is-a-frequency", _ONE, _NONE, threshold=1e-3, expect=np.log(2) * array(2 / 3, 1.0)),
        _eql("beta", binary(3116, 6, 3), normal(3117, 6, 3), beta=0.4),
        _eql("beta-zero", _ONE, _NONE, beta=0.0, expect=np.full(2, np.log(2))),
        _eql("soft", _soft(3118, 4, 3), normal(3119, 4, 3)),
        _eql("class-weight", binary(3120, 4, 3), normal(3121, 4, 3), class_weight=(0.5, 3.0)),
        _eql("no-frequency", binary(3122, 4, 3), normal(3123, 4, 3), class_frequencies=(0.0, 0.5, 0.5)),
        # A row of the background is not spared, one of a class is spared the other rare classes.
        _eql("background", _NONE, _NONE, expect=np.full(2, np.log(2))),
        _eql("foreground", _ONE, _NONE, expect=np.log(2) * array(1 / 3, 2 / 3)),
        _eql("saturated", _ONE, array([1e4, -1e4, 0], [-1e4, 1e4, 0]), smooth=False),
    ],
    "GradientHarmonized": [
        Case("default", binary(3200, 8, 3), uniform(3201, 8, 3)),
        Case("probabilities-at-the-ends", binary(3202, 2, 3), array([0, 1, 0.25], [1, 0, 1]), smooth=False),
        _logits("logits", binary(3204, 8, 3), normal(3205, 8, 3, scale=2)),
        _logits("rank-1", binary(3206, 8), normal(3207, 8, scale=2), smooth=True),
        _logits("rank-3", binary(3208, 2, 5, 3), normal(3209, 2, 5, 3)),
        _logits("rank-4", binary(3210, 2, 2, 3, 2), normal(3211, 2, 2, 3, 2)),
        _logits("bins", binary(3212, 8, 3), normal(3213, 8, 3), bins=4),
        _logits("many-bins", binary(3214, 8, 3), normal(3215, 8, 3), bins=1000),
        _logits("one-bin", binary(3216, 4, 3), normal(3217, 4, 3), bins=1),
        _logits("soft", _soft(3218, 6, 3), normal(3219, 6, 3), bins=7),
        _logits("class-weight", binary(3220, 6, 3), normal(3221, 6, 3), bins=5, class_weight=(0.5, 3.0)),
        # All in one region: plain crossentropy.
        _logits("alike", _ONE, _NONE, smooth=False, expect=np.full(2, np.log(2))),
        # Five easy entries and a hard one: each kind makes half of the sum, six entries in all.
        _logits(
            "easy-and-hard",
            array([1, 0, 0], [0, 1, 0]),
            array([4, -4, -4], [-4, 4, 4]),
            expect=array(
                6 / (5 * 2) * softplus(-4.0),
                (2 * 6 / (5 * 2) * softplus(-4.0) + 6 / 2 * softplus(4.0)) / 3,
            ),
        ),
        _logits("saturated", _ONE, array([1e4, -1e4, 1e4], [-1e4, 1e4, 0]), smooth=False),
    ],
    "BalancedBinaryCrossentropy": [
        Case("default", binary(3300, 4, 3), uniform(3301, 4, 3)),
        Case("probabilities-at-the-ends", _ONE, array([0, 1, 0.5], [1, 0, 1]), smooth=False),
        _logits("logits", binary(3302, 4, 6), normal(3303, 4, 6)),
        _logits("image", binary(3304, 2, 4, 5, 1), normal(3305, 2, 4, 5, 1)),
        _logits("image-without-channel", binary(3306, 2, 4, 5), normal(3307, 2, 4, 5)),
        _logits("volume", binary(3308, 2, 2, 3, 2, 1), normal(3309, 2, 2, 3, 2, 1)),
        _logits("soft", _soft(3310, 3, 5), normal(3311, 3, 5)),
        _logits("class-weight", binary(3312, 4, 5), normal(3313, 4, 5), class_weight=(0.5, 3.0)),
        # One class only: half of the crossentropy.
        _logits("no-positive", _NONE, _NONE, expect=np.full(2, 0.5 * np.log(2))),
        _logits("all-positive", _ALL, _NONE, expect=np.full(2, 0.5 * np.log(2))),
        # One positive of three: 2/3 for it, 1/3 for each of the others.
        _logits("by-hand", _ONE, _NONE, expect=np.full(2, np.log(2) * (2 / 3 + 1 / 3 + 1 / 3) / 3)),
        _logits("saturated", _ONE, array([1e4, -1e4, 0], [-1e4, 1e4, 0]), smooth=False),
    ],
}
