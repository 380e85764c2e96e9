"""Losses of several labels at once: each on its own, or all compared with each other."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.classification.binary import binary_logs
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import ClassWeight, Positive
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, logit, prob
from keras_losses.core.weighting import class_weights


class Multilabel(Loss):
    """Base of losses that are the mean over the labels of a term for each: a subclass writes `terms(y_true, y_pred)`.

    Args:
        axis: the axis of the labels, over which the mean is taken.
        class_weight: one weight for each label, or `{label: weight}`; the mean still divides by the number of labels.
    """

    axis: int = -1
    class_weight: ClassWeight = None

    y_true = binary("B *S D")
    y_pred = logit("B *S D")
    last_axis = "axis"

    def terms(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `terms(self, y_true, y_pred)`.")

    def call(self, y_true, y_pred):
        return math.mean(self.terms(y_true, y_pred) * class_weights(self, y_pred))


class MultilabelSoftMargin(Multilabel):
    """Soft margin of several labels: binary cross-entropy of their logits, with one weight a label.

    Formula: `mean_c w_c (y_c softplus(-z_c) + (1 - y_c) softplus(z_c))`, as `torch.nn.MultiLabelSoftMarginLoss`. Takes
    logits.

    Args:
        axis: the axis of the labels, over which the mean is taken.
        class_weight: one weight >= 0 for each label, or `{label: weight}`, or None.

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or between; `y_pred`: the same, logits; `(B,)` counts as `(B, 1)`.

    Returns:
        The mean over `axis`, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.MultilabelSoftMargin(class_weight=(3.0, 1.0))
    >>> round(float(loss(np.array([[1, 0]]), np.array([[-20.0, 20.0]]))), 4)
    40.0

    Reference: D. R. Cox, The regression analysis of binary sequences, 1958.
    """

    def terms(self, y_true, y_pred):
        return math.binary_cross_entropy(y_pred, y_true)


class ZLPR(Loss):
    """Zero-bounded log-sum-exp and pairwise rank loss: every label above 0, every other class below, in one softmax each.

    Formula: `log(1 + sum_c y_c exp(-z_c)) + log(1 + sum_c (1 - y_c) exp(z_c))` for the logits z; with soft labels it is the
    paper's soft form. Probabilities are turned into `z = log(max(p, 1e-7)) - log(max(1 - p, 1e-7))`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        axis: the axis of the labels.

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or between; `y_pred`: the same; `(B,)` counts as `(B, 1)`.

    Returns:
        One value a set of labels, `(B, ...)`, reduced.

    Raises:
        ValueError: the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.ZLPR(from_logits=True)(np.array([[1, 0, 0]]), np.array([[3.0, -3.0, 2.0]]))), 4)
    2.1814

    Reference: J. Su et al., ZLPR: a novel loss for multi-label classification, 2022, arXiv:2208.02955.
    """

    from_logits: bool = False
    axis: int = -1

    y_true = binary("B *S D")
    last_axis = "axis"

    @property
    def y_pred(self):
        return logit("B *S D") if self.from_logits else prob("B *S D")

    def call(self, y_true, y_pred):
        if not self.from_logits:
            log_p, log_not_p = binary_logs(self, y_pred)
            y_pred = log_p - log_not_p
        return math.log1p_sum_exp(-y_pred, y_true) + math.log1p_sum_exp(y_pred, 1 - y_true)


class TwoWay(Loss):
    """Two-way multi-label loss: each sample ranks its classes, and each class ranks the samples of the batch.

    Formula: for a row or a column of logits with positives P and negatives N,
    `softplus(T_n logsumexp_N(z / T_n) + T_p logsumexp_P(-z / T_p))`: the smallest positive against the largest negative, both
    smoothed; without negatives it is 0. The paper's loss is the mean of the rows with a positive plus the mean of the columns
    with one. A sample's value is the term of its row plus, from each of its classes, an equal share among the samples that
    have the class of the column's term, scaled so that the mean over the samples is the paper's loss. A label above 0 is a
    positive.

    Args:
        positive_temperature: T_p > 0, the smoothing of the smallest positive.
        negative_temperature: T_n > 0, the smoothing of the largest negative.

    Shapes:
        `y_true`: `(B, C)`, 0 or 1; `y_pred`: `(B, C)` logits. A mask may be as fine as `(B, C)`.

    Returns:
        One value a sample, `(B,)`, reduced. A sample without a positive does not count, though it is a negative of all
        classes; a class without a positive has no term. A masked sample, or one of weight 0, is in no column either.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> z = np.array([[2.0, 0.0], [0.0, 2.0]])
    >>> round(float(kl.TwoWay()(np.eye(2), z)), 4), round(float(kl.TwoWay()(1 - np.eye(2), z)), 4)
    (0.2539, 4.2539)

    Reference: T. Kobayashi, Two-way multi-label loss, CVPR 2023.
    """

    positive_temperature: Positive = 4.0
    negative_temperature: Positive = 1.0

    y_true = binary("B C")
    y_pred = logit("B C")
    couples_batch = True

    def call(self, y_true, y_pred, mask=None):
        positive = y_true > 0
        negative = ops.logical_not(positive)
        if mask is not None:
            mask = pad_rank(mask, 2)
            positive, negative = ops.logical_and(positive, mask), ops.logical_and(negative, mask)
        row = self._margin(positive, negative, y_pred, axis=1)
        column = self._margin(positive, negative, y_pred, axis=0)

        valid = ops.any(positive, axis=1)
        belongs = ops.cast(positive, y_pred.dtype)
        members = ops.sum(belongs, axis=0, keepdims=True)
        rows, columns = ops.sum(ops.cast(valid, y_pred.dtype)), ops.sum(ops.cast(members > 0, y_pred.dtype))
        share = math.safe_divide(belongs, members) * math.safe_divide(rows, columns)
        return row + ops.sum(share * ops.expand_dims(column, 0), axis=1), valid

    def _margin(self, positive, negative, logits, axis):
        pull = self.positive_temperature * math.masked_logsumexp(-logits / self.positive_temperature, positive, axis)
        push = self.negative_temperature * math.masked_logsumexp(logits / self.negative_temperature, negative, axis)
        both = ops.logical_and(ops.any(positive, axis=axis), ops.any(negative, axis=axis))
        return ops.where(both, math.softplus(ops.where(both, pull + push, ops.zeros_like(pull))), ops.zeros_like(pull))


multilabel_soft_margin = function_of(MultilabelSoftMargin)
zlpr = function_of(ZLPR)
two_way = function_of(TwoWay)
