"""The negative log-likelihood of counts."""

from keras import ops

from keras_losses import math
from keras_losses.core.function import function_of
from keras_losses.core.spec import count, real
from keras_losses.regression.elementwise import Elementwise


class Poisson(Elementwise):
    """Negative log-likelihood of a Poisson distribution, up to a term of the targets alone.

    Formula: `mean_d w_d (y_pred_d - y_true_d log(y_pred_d + 1e-7))`, or with `log_input` `mean_d w_d (exp(s_d) - y_true_d s_d)`
    for the predicted logarithm s. A rate below 0 is no rate: its value is NaN and its gradient zero, on every backend;
    end the model with softplus, or predict the logarithm.

    Args:
        log_input: the prediction is the logarithm of the rate.
        weights: one number >= 0 per output, or None.

    Shapes:
        `y_true`: `(B, ..., D)`, counts >= 0; `y_pred`: the same, rates >= 0 or their logarithms; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over the last axis, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ, or there are not D weights.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.Poisson(log_input=True)(np.array([[2.0]]), np.array([[0.0]])))
    1.0

    Reference: J. A. Nelder, R. W. M. Wedderburn, Generalized linear models, 1972.
    """

    log_input: bool = False

    y_true = count("B *S D")
    by_design = {"value-not-finite": "with `log_input`, a predicted rate above exp(88) is beyond float32"}

    @property
    def y_pred(self):
        return real("B *S D") if self.log_input else count("B *S D")

    def element(self, y_true, y_pred):
        if self.log_input:
            return ops.exp(y_pred) - y_true * y_pred
        negative = y_pred < 0
        rate = ops.where(negative, ops.ones_like(y_pred), y_pred)
        value = rate - y_true * ops.log(rate + math.EPSILON)
        return ops.where(negative, ops.full_like(value, float("nan")), value)


poisson = function_of(Poisson)
