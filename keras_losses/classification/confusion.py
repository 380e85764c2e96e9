"""Scores of a confusion matrix as losses: F1 and Cohen's kappa, with probabilities in the place of decisions.

Both compare sums over the batch. Their losses are split into what each sample adds, so that weights, masks and reductions
apply to samples, and the mean over the samples is the loss of the batch.
"""

from typing import Annotated, Any, Literal

from keras import ops

from keras_losses import math
from keras_losses.core.align import pad_rank, reduce_rank
from keras_losses.core.fields import ClassWeight, NonNegative, Positive, Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, onehot, prob, simplex
from keras_losses.core.weighting import class_weights


class SoftF1(Loss):
    """One minus the F1 score, counted in probabilities.

    Formula: `1 - F1 = (FP + FN) / (2 TP + FP + FN + smooth)` with the sums `TP = sum y p`, `FP = sum (1 - y) p` and
    `FN = sum y (1 - p)`; the denominator is `sum y + sum p + smooth`. What is summed, `average` says. Since `FP + FN` is a
    sum over samples, a sample's value is its part of the mistakes times the number of samples: their mean is the loss. A
    class without a positive has loss 1 whatever is predicted, nearly without a gradient, unless nothing is: raise `smooth`.

    Args:
        average: `"macro"`: over the samples of the batch, for each class, then the mean over the classes; `"micro"`: over
            samples and classes at once; `"samples"`: over the classes of each sample, which makes samples independent.
        smooth: number >= 0 added to the denominator, and to the numerator of F1: nothing predicted of nothing is right.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None: in the mean over the classes, or in the
            sums over them.

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A mask may be as fine as both.

    Returns:
        One value a sample, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, p = np.array([[1.0], [0.0]]), np.array([[0.75], [0.5]])
    >>> round(float(kl.SoftF1()(y, p)), 4), round(1 - 2 * 0.75 / (2 * 0.75 + 0.5 + 0.25), 4)
    (0.3333, 0.3333)

    Reference: G. Bénédict et al., sigmoidF1: a smooth F1 score surrogate loss for multilabel classification, 2021,
    arXiv:2108.10566.
    """

    average: Literal["macro", "micro", "samples"] = "macro"
    smooth: NonNegative = math.EPSILON
    class_weight: ClassWeight = None

    y_true = binary("B *S C")
    y_pred = prob("B *S C")

    @property
    def couples_batch(self):
        return self.average != "samples"

    def call(self, y_true, y_pred, mask=None):
        if mask is not None:
            inside = ops.cast(pad_rank(mask, len(y_pred.shape)), y_pred.dtype)
            y_true, y_pred = y_true * inside, y_pred * inside
        mistakes = y_true + (1 - 2 * y_true) * y_pred
        rows = _rows(y_pred, mask)
        number = ops.sum(ops.cast(rows, y_pred.dtype))
        weight = class_weights(self, y_pred)
        if self.average == "macro":
            batch = tuple(range(len(y_pred.shape) - 1))
            total = ops.sum(y_true, axis=batch) + ops.sum(y_pred, axis=batch) + self.smooth
            weight = weight * ops.ones_like(total)
            share = number * math.safe_divide(weight, total)
            return math.safe_divide(ops.sum(mistakes * share, axis=-1), ops.sum(weight)), rows
        mistakes, size = ops.sum(mistakes * weight, axis=-1), ops.sum((y_true + y_pred) * weight, axis=-1)
        if self.average == "samples":
            return math.safe_divide(mistakes, size + self.smooth)
        return math.safe_divide(number * mistakes, ops.sum(size) + self.smooth + ops.zeros_like(size)), rows


class WeightedKappa(Loss):
    """Logarithm of one minus Cohen's weighted kappa: disagreement with ordered classes, against that of chance.

    Formula: `log(1 - kappa + epsilon)` with `1 - kappa = x = sum_ij w_ij O_ij / sum_ij w_ij E_ij`, where `O = sum y_i p_j` over
    the batch, `E = (sum y_i)(sum p_j) / N`, and `w = ((i - j) / (C - 1))^2`, or its root. As x is the mean over the samples
    of `x_n = N sum_ij w_ij y_ni p_nj / sum_ij w_ij E_ij`, a sample's value is the tangent of the logarithm at x, taken at x_n:
    `log(x + epsilon) + (x_n - x) / (x + epsilon)`. The mean of these is the loss, with its gradient, and the largest are of
    the samples that disagree most.

    Kappa is a statistic of a batch, and the larger the batch, the better. Where all labels are of one class, kappa is 0
    whatever is predicted, and the gradient zero.

    Args:
        num_classes: how many classes there are, at least 2.
        weightage: how disagreement grows with the distance of the classes: `"quadratic"` or `"linear"`.
        epsilon: number > 0 that bounds the logarithm.

    Shapes:
        `y_true`: `(B, ..., C)` one-hot, the classes in their order; `y_pred`: the same, probabilities.

    Returns:
        One value a sample, `(B, ...)`, reduced; nothing counts where kappa is 0 / 0, since labels and predictions are all of
        one class. A masked sample, or one of weight 0, is in none of the sums.

    Raises:
        ValueError: an argument is out of range, the shapes differ, or there are not `num_classes` classes.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, near, far = np.eye(3), np.eye(3)[[0, 1, 1]], np.eye(3)[[0, 1, 0]]
    >>> loss = kl.WeightedKappa(num_classes=3)
    >>> round(float(loss(y, near)), 4), round(float(loss(y, far)), 4)
    (-1.0986, 0.0)

    Reference: J. de la Torre, D. Puig, A. Valls, Weighted kappa loss function for multi-class classification of ordinal data
    in deep learning, 2018.
    """

    num_classes: Annotated[int, Range(ge=2)]
    weightage: Literal["quadratic", "linear"] = "quadratic"
    epsilon: Positive = 1e-6

    y_true = onehot("B *S C")
    y_pred = simplex("B *S C")
    couples_batch = True

    @classmethod
    def example_arguments(cls, classes):
        return {"num_classes": classes}

    def call(self, y_true, y_pred, mask=None):
        if y_pred.shape[-1] != self.num_classes:
            raise ValueError(
                f"{self.name}: `num_classes` is {self.num_classes}, y_pred with shape {tuple(y_pred.shape)} has "
                f"{y_pred.shape[-1]} classes."
            )
        rows = _rows(y_pred, mask)
        if mask is not None:
            inside = ops.expand_dims(ops.cast(rows, y_pred.dtype), -1)
            y_true, y_pred = y_true * inside, y_pred * inside
        ids = ops.arange(self.num_classes, dtype=y_pred.dtype) / (self.num_classes - 1)
        distance = ops.expand_dims(ids, 1) - ops.expand_dims(ids, 0)
        cost = ops.square(distance) if self.weightage == "quadratic" else math.absolute(distance)

        batch = tuple(range(len(y_pred.shape) - 1))
        true, pred = (ops.expand_dims(ops.sum(x, axis=batch), 0) for x in (y_true, y_pred))
        # Chance gives sum_ij w_ij E_ij; N times a sample's own disagreement is compared with it.
        chance = ops.sum((true @ cost) * pred)
        number = ops.sum(ops.cast(rows, y_pred.dtype))
        own = ops.sum((y_true @ cost) * y_pred, axis=-1)
        part = math.safe_divide(own * ops.square(number), chance + ops.zeros_like(own))
        x = math.safe_divide(ops.sum(own) * number, chance)
        value = ops.log(x + self.epsilon) + (part - x) / (x + self.epsilon)
        return value, ops.logical_and(rows, chance > 0)


def _rows(y_pred: Any, mask: Any) -> Any:
    """Which rows of classes count: of which something is not masked."""
    rows = ops.ones_like(y_pred[..., 0], dtype="bool")
    if mask is None:
        return rows
    return ops.logical_and(rows, pad_rank(reduce_rank(mask, len(rows.shape)), len(rows.shape)))


soft_f1 = function_of(SoftF1)
weighted_kappa = function_of(WeightedKappa)
