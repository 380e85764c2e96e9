"""Losses of the covariance of features over the batch, without negatives: BarlowTwins, VICReg."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.self_supervised.views import Views, centred, how_many, of_batch


def _mean_over_pairs(function, views):
    pairs = [function(v, w) for w in range(views) for v in range(w)]
    return sum(pairs) / len(pairs)


def _off_diagonal(x):
    """The sum of the squares beside the diagonal."""
    return ops.sum(ops.where(math.diagonal(x), ops.zeros_like(x), ops.square(x)))


class BarlowTwins(Views):
    """Makes the cross-correlation of the features of two views the identity.

    Formula: `sum_d (1 - c_dd)^2 + lambda_param sum_{d != e} c_de^2` with `c_de = mean_i x_id y_ie` of two views, each feature
    centred and divided by `sqrt(variance + epsilon)` of the batch, as batch normalisation does. With more views: the mean
    over the pairs. The value is that of the batch, the same for every sample.

    Args:
        lambda_param: weight >= 0 of the correlations of different features.
        epsilon: > 0, added to the variance: a constant feature has correlation 0.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, V, D)` embeddings, V >= 2.

    Returns:
        One value a sample, `(B,)`, reduced. A single sample does not count. A masked sample, or one of weight 0, is in no
        mean.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])  # uncorrelated features
    >>> round(float(kl.BarlowTwins()(np.zeros(4), np.stack([x, x], axis=1))), 4)
    0.0

    Reference: J. Zbontar et al., Barlow twins: self-supervised learning via redundancy reduction, 2021, arXiv:2103.03230.
    """

    lambda_param: NonNegative = 5e-3
    epsilon: Positive = 1e-5

    least_samples = 2
    least_views = 2

    def values(self, y_pred, counts):
        x = centred(y_pred, counts)
        count = math.maximum(how_many(counts, x), 1.0)
        x = x * ops.rsqrt(ops.sum(ops.square(x), axis=0) / count + self.epsilon)

        def loss(v, w):
            c = ops.transpose(x[:, v]) @ x[:, w] / count
            agree = ops.sum(ops.where(math.diagonal(c), ops.square(1 - c), ops.zeros_like(c)))
            return agree + self.lambda_param * _off_diagonal(c)

        return of_batch(_mean_over_pairs(loss, x.shape[1]), y_pred)


barlow_twins = function_of(BarlowTwins)


class VICReg(Views):
    """Variance, invariance and covariance: views agree, features vary, and no two of them say the same.

    Formula: for two views x and y `lambda_param mean_d (x_d - y_d)^2` of the sample `+ mu_param (v(x) + v(y)) / 2 + nu_param
    (c(x) + c(y))` of the batch, with `v = mean_d max(0, 1 - sqrt(var_d + epsilon))` and `c = sum_{d != e} cov_de^2 / D`, both
    over B - 1. With more views: the mean over the pairs. This is the authors' code, to which the weights belong; the paper's
    text sums over d in the first term and has no half in the second.

    Args:
        lambda_param: weight >= 0 of the invariance.
        mu_param: weight >= 0 of the variance.
        nu_param: weight >= 0 of the covariance.
        epsilon: > 0, added to the variance.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, V, D)` embeddings, V >= 2.

    Returns:
        One value a sample, `(B,)`, reduced. A single sample does not count. A masked sample, or one of weight 0, is in no
        variance.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = 2 * np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])  # uncorrelated, deviations above 1
    >>> float(kl.VICReg()(np.zeros(4), np.stack([x, x], axis=1)))
    0.0

    Reference: A. Bardes et al., VICReg: variance-invariance-covariance regularization for self-supervised learning, 2022,
    arXiv:2105.04906.
    """

    lambda_param: NonNegative = 25.0
    mu_param: NonNegative = 25.0
    nu_param: NonNegative = 1.0
    epsilon: Positive = 1e-4

    least_samples = 2
    least_views = 2

    def values(self, y_pred, counts):
        x, views = centred(y_pred, counts), y_pred.shape[1]
        count = math.maximum(how_many(counts, x) - 1, 1.0)
        near = _mean_over_pairs(lambda v, w: math.mean(ops.square(y_pred[:, v] - y_pred[:, w])), views)
        deviation = ops.sqrt(ops.sum(ops.square(x), axis=0) / count + self.epsilon)
        # Each view is in as many pairs as the others.
        variance = math.mean(math.positive_part(1 - deviation), axis=(0, 1))
        redundancy = sum(_off_diagonal(ops.transpose(x[:, v]) @ x[:, v] / count) for v in range(views))
        redundancy = redundancy * (2 / views) / ops.cast(ops.shape(x)[-1], x.dtype)
        return self.lambda_param * near + self.mu_param * variance + self.nu_param * redundancy


vic_reg = function_of(VICReg)
