"""Swapped assignments: the code of one view, shared out evenly over the batch, is what the other views are to predict."""

from typing import Annotated

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive, Range
from keras_losses.core.function import function_of
from keras_losses.core.spec import real
from keras_losses.self_supervised.teacher import CONSTANT
from keras_losses.self_supervised.views import Views, check_views, mean_over_other_views


class SwAV(Views):
    """Cross-entropy of each view's scores with the balanced codes of the other views.

    Formula: the mean over code views v, and over all other views w, of `-sum_k q_vk log softmax(scores_w / temperature)_k`.
    The codes q are `exp(scores / sinkhorn_epsilon)` over the batch, scaled in turns so that every prototype has the same
    share and every sample the same share, in log space. They are constants in the gradient.

    Args:
        temperature: > 0, divides the scores that predict.
        sinkhorn_epsilon: > 0, divides the scores that become codes.
        sinkhorn_iterations: how often the shares are made even, >= 1.
        code_views: how many of the first views yield codes, >= 1.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, V, K)` scores against the prototypes, V >= 2.

    Returns:
        One value a sample, `(B,)`, reduced. A masked sample, or one of weight 0, has no share.

    Raises:
        ValueError: an argument is out of range, there are fewer views than code views, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.SwAV()(np.zeros(2), np.zeros((2, 2, 3)))), 4)  # log(3)
    1.0986

    Reference: M. Caron et al., Unsupervised learning of visual features by contrasting cluster assignments, 2020,
    arXiv:2006.09882.
    """

    temperature: Positive = 0.1
    sinkhorn_epsilon: Positive = 0.05
    sinkhorn_iterations: Annotated[int, Range(ge=1)] = 3
    code_views: Annotated[int, Range(ge=1)] = 2

    y_pred = real("B V K")
    least_views = 2
    by_design = CONSTANT

    def values(self, y_pred, counts):
        check_views(self, y_pred, self.code_views)
        codes = self._codes(y_pred[:, : self.code_views], counts)
        predicted = math.log_softmax(y_pred / self.temperature)
        return -mean_over_other_views(codes @ ops.swapaxes(predicted, 1, 2))

    def _codes(self, scores, counts):
        log_q = ops.stop_gradient(scores) / self.sinkhorn_epsilon
        keep = ops.logical_and(ops.reshape(counts, (-1, 1, 1)), ops.ones_like(log_q, dtype="bool"))
        for _ in range(self.sinkhorn_iterations):
            log_q = log_q - math.masked_logsumexp(log_q, keep, axis=0, keepdims=True)
            log_q = math.log_softmax(log_q)
        return ops.exp(log_q)


sw_av = function_of(SwAV)
