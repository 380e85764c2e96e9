"""Losses of the room that embeddings fill: TotalCodingRate by a determinant, MaximumManifoldCapacity by singular values."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.self_supervised.views import Views, how_many, of_batch


class TotalCodingRate(Views):
    """Minus the coding rate of the batch, minus how near the views of a sample are to their mean (EMP-SSL).

    Formula: `-mean_v R(Z_v) - lambda_param mean_v cos(z_v, mean_w z_w)` with the rate `R(Z) = log det(I + D / (B distortion)
    Z'Z) / 2` of the B unit vectors of a view, the same in the value of every sample.

    Args:
        distortion: > 0, the squared precision epsilon^2 of the coding.
        lambda_param: weight >= 0 of the similarity to the mean.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, V, D)` embeddings, normalised here.

    Returns:
        One value a sample, `(B,)`, reduced. A masked sample, or one of weight 0, is in no rate.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> views = np.stack([np.eye(2), np.eye(2)], axis=1)  # -log(1 + 1 / distortion) - lambda_param
    >>> round(float(kl.TotalCodingRate(distortion=1.0, lambda_param=1.0)(np.zeros(2), views)), 4)
    -1.6931

    Reference: S. Tong et al., EMP-SSL: towards self-supervised learning in one training epoch, 2023, arXiv:2304.03977.
    """

    distortion: Positive = 0.2
    lambda_param: NonNegative = 200.0

    def values(self, y_pred, counts):
        z = math.normalize(y_pred)
        factor = ops.shape(z)[-1] / (self.distortion * math.maximum(how_many(counts, z), 1.0))
        rate = sum(self._rate(z[:, v], factor) for v in range(z.shape[1])) / z.shape[1]
        middle = math.normalize(math.mean(z, axis=1))
        near = math.mean(_cosine(z, ops.expand_dims(middle, 1)))
        return of_batch(-rate, y_pred) - self.lambda_param * near

    def _rate(self, x, factor):
        samples, features = x.shape
        # Both products have one determinant; the smaller one is rounded less. A sample that does not count is a row of zeros.
        small = None not in (samples, features) and samples < features
        gram = x @ ops.transpose(x) if small else ops.transpose(x) @ x
        return math.log_det(ops.cast(math.diagonal(gram), gram.dtype) + factor * gram) / 2


def _cosine(x, y):
    """`x . y` of vectors of length 1 or 0, by their difference: near 1 its slope is not what two large ones leave."""
    lengths = ops.stop_gradient(ops.sum(ops.square(x), axis=-1) + ops.sum(ops.square(y), axis=-1))
    return (lengths - ops.sum(ops.square(x - y), axis=-1)) / 2


total_coding_rate = function_of(TotalCodingRate)


class MaximumManifoldCapacity(Views):
    """Minus the nuclear norm of the samples' mean vectors, plus that of the views of a sample (MMCR).

    Formula: `lambda_param |Z_i|_* - |C|_*`: the nuclear norm is the sum of the singular values, `Z_i` `(V, D)` holds the
    unit vectors of the views of a sample, `C` `(B, D)` their means, one a sample. The gradient of a norm is `U V'`, taken
    over the singular values above 0, and finite where some are equal or 0.

    Args:
        lambda_param: weight >= 0 of the norm of the views; 0 as in the authors' code.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, V, D)` embeddings, normalised here.

    Returns:
        One value a sample, `(B,)`, reduced. A masked sample, or one of weight 0, is in no norm.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> views = np.stack([np.eye(2), np.eye(2)], axis=1)
    >>> round(float(kl.MaximumManifoldCapacity()(np.zeros(2), views)), 4)
    -2.0

    Reference: T. Yerxa et al., Learning efficient coding of natural images with maximum manifold capacity representations,
    2023, arXiv:2303.03307.
    """

    lambda_param: NonNegative = 0.0

    def values(self, y_pred, counts):
        z = math.normalize(y_pred)  # the rows of samples that do not count are 0, and add no singular value
        values = of_batch(-math.nuclear_norm(math.mean(z, axis=1)), y_pred)
        return values if self.lambda_param == 0 else values + self.lambda_param * math.nuclear_norm(z)


maximum_manifold_capacity = function_of(MaximumManifoldCapacity)
