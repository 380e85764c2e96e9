"""Losses of imbalanced classes, one class a label.

Effective number: Cui et al. 2019, "Class-Balanced Loss Based on Effective
Number of Samples", equation 4. LDAM: Cao et al. 2019, equations 13 and 14.
Logit adjustment: Menon et al. 2021, equation 10. Balanced softmax: Ren et al.
2020, equation 4. Seesaw: Wang et al. 2021, equations 2 to 6; the published
code of its authors divides by no probability below 0.01 in equation 6, and
counts a class without samples as one sample.
"""

import numpy as np

from ._case import EPSILON, Case, array, labels, log_sum_exp, normal, random_labels, simplex


def _per_label(one, y_true, y_pred, axis, ignore_class, class_weight):
    """``one(label, vector)`` at each label, NaN where it is no class."""
    y_pred = np.moveaxis(np.asarray(y_pred, np.float64), axis, -1)
    y_true = np.asarray(y_true).reshape(y_pred.shape[:-1])
    values, valid = np.zeros(y_true.shape), np.ones(y_true.shape, bool)
    weights = class_weight
    if isinstance(weights, dict):
        weights = [weights.get(c, 1.0) for c in range(y_pred.shape[-1])]
    for index in np.ndindex(y_true.shape):
        y = int(y_true[index])
        if ignore_class is not None and y == ignore_class:
            valid[index] = False
        elif not 0 <= y < y_pred.shape[-1]:
            values[index] = np.nan
        else:
            values[index] = one(y, y_pred[index]) * (1.0 if weights is None else weights[y])
    return values if ignore_class is None else (values, valid)


def _scores(vector, from_logits):
    """Logits: given, or the logarithms of probabilities."""
    if from_logits:
        return list(vector)
    total = sum(vector)
    return [np.log(max(p / (total if total > 0 else 1.0), EPSILON)) for p in vector]


def effective_weights(counts, beta):
    """1 / E_n, E_n = (1 - beta^n) / (1 - beta), scaled to the sum C; 0 for no samples."""
    raw = [(1 - beta) / (1 - beta**n) if n > 0 else 0.0 for n in counts]
    return [w * len(counts) / sum(raw) for w in raw]


def class_balanced_crossentropy(
    y_true, y_pred, class_counts, beta=0.999, from_logits=False, ignore_class=None, axis=-1, class_weight=None
):
    """-w_y log p_y with the weights of the effective number."""
    weights = effective_weights(class_counts, beta)

    def one(y, vector):
        z = _scores(vector, from_logits)
        # Probabilities are those of the crossentropy: cut at EPSILON, not divided by their sum again.
        log_p = z[y] - (log_sum_exp(z) if from_logits else 0.0)
        return -weights[y] * log_p

    return _per_label(one, y_true, y_pred, axis, ignore_class, class_weight)


def ldam(y_true, y_pred, class_counts, max_margin=0.5, scale=30.0, ignore_class=None, axis=-1, class_weight=None):
    """-log of e^{s(x_y - m_y)} over itself and e^{s x_j}, m_j = C / n_j^{1/4}.

    C makes the largest margin `max_margin`.
    """
    raw = [1 / n**0.25 for n in class_counts]
    margins = [max_margin * m / max(raw) for m in raw]

    def one(y, x):
        own = scale * (x[y] - margins[y])
        return log_sum_exp([own] + [scale * v for j, v in enumerate(x) if j != y]) - own

    return _per_label(one, y_true, y_pred, axis, ignore_class, class_weight)


def logit_adjusted_crossentropy(
    y_true, y_pred, class_counts, tau=1.0, from_logits=False, ignore_class=None, axis=-1, class_weight=None
):
    """log(1 + sum_{j != y} (pi_j / pi_y)^tau e^{f_j - f_y})."""
    prior = [n / sum(class_counts) for n in class_counts]

    def one(y, vector):
        f = _scores(vector, from_logits)
        gaps = [tau * (np.log(prior[j]) - np.log(prior[y])) + f[j] - f[y] for j in range(len(f)) if j != y]
        return log_sum_exp([0.0, *gaps])

    return _per_label(one, y_true, y_pred, axis, ignore_class, class_weight)


def balanced_softmax(y_true, y_pred, class_counts, from_logits=False, ignore_class=None, axis=-1, class_weight=None):
    """-log of n_y e^{eta_y} / sum_j n_j e^{eta_j}."""

    def one(y, vector):
        eta = _scores(vector, from_logits)
        share = [n * np.exp(e - max(eta)) for n, e in zip(class_counts, eta, strict=True)]
        return np.log(sum(share)) - np.log(class_counts[y]) - (eta[y] - max(eta))

    return _per_label(one, y_true, y_pred, axis, ignore_class, class_weight)


def seesaw(
    y_true,
    y_pred,
    class_counts,
    p=0.8,
    q=2.0,
    epsilon=0.01,
    from_logits=False,
    ignore_class=None,
    axis=-1,
    class_weight=None,
    weighed_at=None,
):
    """-log of e^{z_i} / (e^{z_i} + sum_{j != i} M_ij C_ij e^{z_j}).

    M_ij = min(1, (N_j / N_i)^p), C_ij = max(1, (s_j / max(s_i, epsilon))^q) for the
    softmax s, a constant in the gradient: `weighed_at` gives the predictions
    at which it is taken.
    """
    n = [c if c > 0 else 1.0 for c in class_counts]
    y_pred = np.asarray(y_pred, np.float64)
    fixed = y_pred if weighed_at is None else np.asarray(weighed_at, np.float64)
    # The two predictions of a label side by side on the class axis.
    both = np.concatenate([y_pred, fixed], axis=axis)

    def one(i, vectors):
        half = len(vectors) // 2
        if not 0 <= i < half:
            return np.nan
        z, held = _scores(vectors[:half], from_logits), _scores(vectors[half:], from_logits)
        log_s = [h - log_sum_exp(held) for h in held]
        log_own = max(log_s[i], np.log(epsilon)) if epsilon > 0 else log_s[i]
        terms = [z[i]]
        for j in range(half):
            if j != i:
                mitigation = min(1.0, (n[j] / n[i]) ** p)
                compensation = max(0.0, q * (log_s[j] - log_own))
                terms.append(z[j] + np.log(mitigation) + compensation)
        return log_sum_exp(terms) - z[i]

    return _per_label(one, y_true, both, axis, ignore_class, class_weight)


def seesaw_around(y_true, at, **config):
    """The function whose gradient at `at` the paper means."""
    return lambda y_pred: seesaw(y_true, y_pred, weighed_at=at, **config)


DIFFERENTIATED = {"Seesaw": seesaw_around}

_COUNTS = (900.0, 60.0, 7.0)
_FOUR = (5000.0, 300.0, 40.0, 2.0)
_EVEN = (10.0, 10.0, 10.0)


def _common(seed, counts=_COUNTS, four=_FOUR, probabilities=True, scale=1.0):
    """The cases that all of them share: ranks, axes, ignored and wrong labels, class weights, both ways to predict."""
    logits = {"from_logits": True} if probabilities else {}

    def case(name, y_true, y_pred, smooth=True, **config):
        config = {"class_counts": counts, **logits, **config}
        return Case(name, y_true, y_pred, config, smooth)

    def draw(offset, *shape, axis=-1):
        return random_labels(seed + offset, *shape, axis=axis), normal(seed + offset + 1, *shape, scale=scale)

    ignored = np.array([0, -1, 2, 1, -1])
    wide = {"class_counts": four}
    cases = [
        case("logits", *draw(0, 6, 3)),
        case("rank-3", *draw(2, 2, 4, 3)),
        case("rank-4", *draw(4, 2, 2, 3, 3)),
        case("four-classes", *draw(6, 5, 4), **wide),
        case("axis-1", *draw(8, 2, 3, 4, axis=1), axis=1),
        case("axis-1-rank-4", *draw(10, 2, 4, 2, 3, axis=1), axis=1, **wide),
        case("int32", labels(seed + 12, 3, 6).astype(np.int32), normal(seed + 13, 6, 3, scale=scale)),
        case("column", labels(seed + 14, 3, 6, 1), normal(seed + 15, 6, 3, scale=scale)),
        case("ignored", ignored, normal(seed + 16, 5, 3, scale=scale), ignore_class=-1),
        case("ignored-is-a-class", *draw(17, 8, 3), ignore_class=1),
        case("out-of-range", np.array([0, 3, -1, 2]), normal(seed + 19, 4, 3, scale=scale)),
        case("class-weight", *draw(20, 6, 3), class_weight=(0.5, 2.0, 4.0)),
        case("class-weight-dict", *draw(22, 6, 3), class_weight={2: 3.0}),
        case("class-weight-zero", *draw(24, 6, 3), class_weight=(0.0, 1.0, 2.0)),
        case("even-counts", *draw(26, 6, 3), class_counts=_EVEN),
        case("integer-counts", *draw(28, 6, 3), class_counts=(900, 60, 7)),
        case("one-class-rare", *draw(30, 6, 3), class_counts=(1e6, 1e6, 1.0)),
    ]
    if probabilities:
        corner = array([1, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [0, 0, 0])
        cases += [
            Case("default", random_labels(seed + 40, 6, 3), simplex(seed + 41, 6, 3), {"class_counts": counts}),
            Case("unscaled", labels(seed + 42, 3, 4), 3 * simplex(seed + 43, 4, 3), {"class_counts": counts}),
            Case("spatial", random_labels(seed + 44, 2, 3, 4), simplex(seed + 45, 2, 3, 4), {"class_counts": four}),
            Case("corners", np.array([0, 0, 2, 1]), corner, {"class_counts": counts}, smooth=False),
        ]
    return cases


_Y3 = np.array([0, 1, 2])
_FLAT = np.zeros((3, 3))
_FAR = array([1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, -1e4, 0])


def _logits(name, y_true, y_pred, smooth=True, expect=None, **config):
    return Case(name, y_true, y_pred, {"from_logits": True, "class_counts": _COUNTS, **config}, smooth, expect)


_LOG = np.log(_COUNTS)
_SUM = np.log(sum(_COUNTS))

CASES = {
    "ClassBalancedCrossentropy": [
        *_common(2000),
        _logits("beta", labels(2100, 3, 6), normal(2101, 6, 3), beta=0.9),
        _logits("beta-zero", labels(2102, 3, 6), normal(2103, 6, 3), beta=0.0),
        _logits("beta-near-one", labels(2104, 3, 6), normal(2105, 6, 3), beta=1 - 1e-6),
        _logits("empty-class", labels(2106, 2, 6), normal(2107, 6, 3), class_counts=(40.0, 3.0, 0.0)),
        # Even counts weigh 1: log C.
        _logits("uniform", _Y3, _FLAT, class_counts=_EVEN, expect=np.full(3, np.log(3))),
        # beta = 0: every class counts as one sample.
        _logits("beta-zero-uniform", _Y3, _FLAT, beta=0.0, expect=np.full(3, np.log(3))),
        # n = 1 and n = 2 have the effective numbers 1 and 1 + beta.
        _logits(
            "by-hand",
            np.array([0, 1]),
            np.zeros((2, 2)),
            class_counts=(1.0, 2.0),
            beta=0.5,
            expect=np.log(2) * 2 * array(1, 1 / 1.5) / (1 + 1 / 1.5),
        ),
        _logits("saturated", _Y3, _FAR, smooth=False),
    ],
    "LDAM": [
        *_common(2200, probabilities=False, scale=0.3),
        Case("max-margin", labels(2300, 3, 6), normal(2301, 6, 3, scale=0.3), {"class_counts": _COUNTS, "max_margin": 0.1}),
        Case("scale", labels(2302, 3, 6), normal(2303, 6, 3, scale=0.3), {"class_counts": _COUNTS, "scale": 4.0}),
        Case(
            "no-margin",
            _Y3,
            _FLAT,
            {"class_counts": _COUNTS, "max_margin": 0.0},
            expect=np.full(3, np.log(3)),
        ),
        # Counts 16 and 1: margins of 1/4 and 1/2.
        Case(
            "by-hand",
            np.array([0, 1]),
            np.zeros((2, 2)),
            {"class_counts": (16.0, 1.0), "scale": 4.0},
            expect=np.log1p(np.exp(array(1.0, 2.0))),
        ),
        Case("perfect", _Y3, np.eye(3), {"class_counts": _COUNTS}),
        Case("opposite", _Y3, -np.eye(3), {"class_counts": _COUNTS}),
        Case("no-cosines", _Y3, _FAR, {"class_counts": _COUNTS}, smooth=False),
    ],
    "LogitAdjustedCrossentropy": [
        *_common(2400),
        _logits("tau", labels(2500, 3, 6), normal(2501, 6, 3), tau=0.5),
        _logits("tau-large", labels(2502, 3, 6), normal(2503, 6, 3), tau=4.0),
        _logits("tau-zero", _Y3, _FLAT, tau=0.0, expect=np.full(3, np.log(3))),
        # Equal logits leave the prior: -log pi_y.
        _logits("prior", _Y3, _FLAT, expect=_SUM - _LOG),
        # The logits of the prior of 1 / tau cancel it.
        _logits("cancelled", _Y3, np.tile(-0.5 * _LOG, (3, 1)), tau=0.5, expect=np.full(3, np.log(3))),
        _logits("saturated", _Y3, _FAR, smooth=False),
    ],
    "BalancedSoftmax": [
        *_common(2600),
        _logits("prior", _Y3, _FLAT, expect=_SUM - _LOG),
        _logits("cancelled", _Y3, np.tile(-_LOG, (3, 1)), expect=np.full(3, np.log(3))),
        _logits("saturated", _Y3, _FAR, smooth=False),
        _logits("tied-far-out", _Y3, np.full((3, 3), 1e4), smooth=False, expect=_SUM - _LOG),
    ],
    "Seesaw": [
        *_common(2800),
        _logits("p", labels(2900, 3, 6), normal(2901, 6, 3), p=0.3),
        _logits("q", labels(2902, 3, 6), normal(2903, 6, 3), q=0.7),
        _logits("only-mitigation", labels(2904, 3, 6), normal(2905, 6, 3), q=0.0),
        _logits("only-compensation", labels(2906, 3, 6), normal(2907, 6, 3), p=0.0),
        _logits("neither", _Y3, _FLAT, p=0.0, q=0.0, expect=np.full(3, np.log(3))),
        _logits("epsilon", labels(2908, 3, 6), normal(2909, 6, 3), epsilon=0.4),
        _logits("epsilon-zero", labels(2910, 3, 6), normal(2911, 6, 3, scale=3), epsilon=0.0),
        _logits("below-epsilon", np.array([1, 1]), array([6, 0, 1], [0, 0, 9]), smooth=False),
        _logits("no-samples-yet", labels(2912, 3, 6), normal(2913, 6, 3), class_counts=(0.0, 0.0, 0.0)),
        _logits("a-class-without-samples", labels(2914, 3, 6), normal(2915, 6, 3), class_counts=(90.0, 0.0, 7.0)),
        # Equal logits are not compensated; class 0 leaves of the others (N_j / N_0)^p, class 2 all.
        _logits(
            "flat",
            _Y3,
            _FLAT,
            smooth=False,
            expect=np.log(
                array(1 + (60 / 900) ** 0.8 + (7 / 900) ** 0.8, 2 + (7 / 60) ** 0.8, 3),
            ),
        ),
        _logits("saturated", _Y3, _FAR, smooth=False),
        _logits("saturated-epsilon-zero", _Y3, _FAR, epsilon=0.0, smooth=False),
    ],
}
