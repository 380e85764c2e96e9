"""The Jensen-Shannon divergence of label and predictions."""

import math as numbers
from typing import Annotated, Any

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import rows_of_one
from keras_losses.core.fields import OpenFraction, Range
from keras_losses.core.function import function_of
from keras_losses.core.spec import logit, simplex
from keras_losses.noisy_labels.labelled import BOUNDED, LabelLoss


class GeneralizedJensenShannon(LabelLoss):
    """Divergence of the label and one or more predictions of a sample from their mixture: robust, and consistent.

    Formula: `w_y (H(m) - sum_j pi_j H(p_j)) / Z` with the entropy H, the mixture `m = weight e_y + sum_j pi_j p_j`,
    `pi_j = (1 - weight) / views` and `Z = -(1 - weight) log(1 - weight)`. It goes to cross-entropy for `weight` to 0, and to
    half the absolute error for `weight` to 1. With several views it is the divergence of the label and the mean of the views,
    plus `-1 / log(1 - weight)` times that of the views from their mean, which asks them to agree.

    It is computed from `log p` and `log(1 - p)`: from logits in log space; probabilities are divided by their sum, and
    `log p` is `log(max(p, 1e-7))` with the gradient `1 / max(p, 1e-7)`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        weight: weight of the label in the mixture, called pi_1 in the paper, in (0, 1).
        views: number of predictions for each sample, as of differently augmented images; from 2 on they are stacked on
            axis 1.
        ignore_class: integer label whose entries do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)`, with several views `(B, views, ..., C)`. Weights
        and masks have the axes of `y_true`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, p = np.array([0]), np.array([[[1.0, 0.0], [0.5, 0.5]]])
    >>> round(float(kl.GeneralizedJensenShannon()(y, p[:, 0])), 4), round(float(kl.GeneralizedJensenShannon(views=2)(y, p)), 4)
    (0.0, 0.5871)

    Reference: E. Englesson, H. Azizpour, Generalized Jensen-Shannon divergence loss for learning with noisy labels, 2021,
    arXiv:2105.04522.
    """

    weight: OpenFraction = 0.5
    views: Annotated[int, Range(ge=1)] = 1

    by_design = BOUNDED

    @property
    def y_pred(self):
        axes = "B *S C" if self.views == 1 else f"B {self.views} *S C"
        return logit(axes) if self.from_logits else simplex(axes)

    def of_classes(self, y_pred):
        pi = self.weight
        p, excess, apart = self._from_logits(y_pred) if self.from_logits else self._from_probabilities(y_pred)
        # log m of the class: of its two forms the one that is exact where the other factor is large.
        log_m = ops.log(pi + (1 - pi) * p) if pi < 0.5 else ops.log1p((pi - 1) * (1 - p))
        # pi KL(e_y, m) + (1 - pi) KL(p, m), where the classes other than the label have p / m = 1 / (1 - pi).
        return 1 - p + (pi / (1 - pi) * log_m + p * excess - apart) / numbers.log1p(-pi)

    def _from_logits(self, y_pred) -> tuple[Any, Any, Any]:
        """Of each class as the label: p and log(m / p); and how far the views are apart."""
        log_p, log_rest, apart = math.log_softmax(y_pred), math.log1m_softmax(y_pred), 0
        if self.views > 1:
            each, number = log_p, numbers.log(self.views)
            log_p, log_rest = (ops.logsumexp(x, axis=1) - number for x in (log_p, log_rest))
            apart = _apart(ops.exp(each), each, log_p)
        return ops.exp(log_p), math.softplus(numbers.log(self.weight) + log_rest - log_p), apart

    def _from_probabilities(self, y_pred) -> tuple[Any, Any, Any]:
        p, apart = rows_of_one(y_pred), 0
        if self.views > 1:
            each, p = p, math.mean(p, axis=1)
            apart = _apart(each, math.log_probability(each), math.log_probability(p))
        return p, ops.log1p(self.weight * (1 - p) / math.floor(p, math.EPSILON)), apart


def _apart(p, log_p, log_mean):
    """The mean divergence of the views `(B, V, ..., C)` from their mean, `(B, ..., 1)`."""
    return math.mean(ops.sum(p * (log_p - ops.expand_dims(log_mean, 1)), axis=-1, keepdims=True), axis=1)


generalized_jensen_shannon = function_of(GeneralizedJensenShannon)
