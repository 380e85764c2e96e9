"""The angle between two vectors."""

from keras_losses import math
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import real


class CosineSimilarity(Loss, kw_only=False):
    """Minus the cosine of the angle between target and prediction: -1 for the same direction, 1 for opposite ones.

    Formula: `-<y_true, y_pred> / (|y_true| |y_pred|)` along `axis`; 0 with gradient 0 where either vector is zero. Vectors of
    any finite length are right: they are scaled before they are squared.

    Args:
        axis: the axis of the vectors.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., D)` real.

    Returns:
        One value a vector, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ, or `axis` is none of theirs.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.CosineSimilarity()(np.array([[1.0, 0.0]]), np.array([[3.0, 0.0]])))
    -1.0

    Reference: G. Salton, A. Wong, C. S. Yang, A vector space model for automatic indexing, 1975.
    """

    axis: int = -1

    y_true = real("B *S D")
    y_pred = real("B *S D")
    last_axis = "axis"

    def call(self, y_true, y_pred):
        return -math.cosine(y_true, y_pred)


cosine_similarity = function_of(CosineSimilarity)
