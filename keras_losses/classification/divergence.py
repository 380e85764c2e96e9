"""Divergences between two distributions."""

from keras import ops

from keras_losses import math
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import onehot, simplex


class KLDivergence(Loss):
    """Kullback-Leibler divergence of the prediction from the target distribution.

    Formula: `sum_c y_c log(y_c / max(p_c, 1e-7))`, terms with `y_c = 0` are 0. The gradient with respect to the prediction is
    `-y_c / max(p_c, 1e-7)`.

    Shapes:
        `y_true`, `y_pred`: `(B, ..., C)` probabilities.

    Returns:
        One value a distribution, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.KLDivergence()(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]])))
    0.0

    Reference: S. Kullback, R. A. Leibler, On information and sufficiency, 1951.
    """

    y_true = onehot("B *S C")
    y_pred = simplex("B *S C")

    def call(self, y_true, y_pred):
        return ops.sum(y_true * (math.safe_log(y_true) - math.log_probability(y_pred)), axis=-1)


kl_divergence = function_of(KLDivergence)
