"""Cross-entropy of maps in which few pixels are positive: edges, cracks, vessels."""

from keras import ops

from keras_losses import math
from keras_losses.classification.binary import cross_entropy_of_shares, label_shares
from keras_losses.core.function import function_of
from keras_losses.imbalance.yes_no import YesNo, counting


class BalancedBinaryCrossentropy(YesNo):
    """Binary cross-entropy in which the positives and the negatives of an image have the same weight in all.

    Formula: `mean -(beta w_1 y log p + (1 - beta) w_0 (1 - y) log(1 - p))` over all entries of a sample, `beta` being the share
    of negatives in that sample. The paper's sum over the pixels of an image is the number of pixels times this mean.

    In a sample with one class only, that formula would be 0 whatever is predicted: an image without edges would teach
    nothing. There beta is 1/2, what it is where both classes are as frequent: the loss is half the cross-entropy.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        class_weight: the weights `(w_0, w_1)` of the two classes, or `{class: weight}`, or None: a further factor.

    Shapes:
        `y_true`: `(B, ...)`, labels 0 or 1 or between; `y_pred`: the same, of any rank: all axes but the first are the entries
        of a sample. A mask may be as fine as the entries.

    Returns:
        One value a sample, `(B,)`, reduced. What is masked is in no sum, number or share.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, p = np.array([[1, 0, 0, 0], [0, 0, 0, 0]]), np.full((2, 4), 0.5)
    >>> [round(float(x), 4) for x in kl.BalancedBinaryCrossentropy(reduction="none")(y, p)]  # 3/8 and 1/2 times log 2
    [0.2599, 0.3466]

    Reference: S. Xie, Z. Tu, Holistically-nested edge detection, 2015, arXiv:1504.06375.
    """

    def call(self, y_true, y_pred, mask=None):
        axes = tuple(range(1, len(y_pred.shape)))

        def mean(x):
            return math.mean(x, axis=axes) if mask is None else math.masked_mean(x, counting(mask, y_pred), axis=axes)

        positive, negative = label_shares(self, y_true)
        beta = mean(1 - y_true)
        beta = ops.where(ops.logical_and(beta > 0, beta < 1), beta, 0.5 * ops.ones_like(beta))
        of_all = ops.reshape(beta, (-1, *[1] * len(axes)))
        return mean(cross_entropy_of_shares(self, of_all * positive, (1 - of_all) * negative, y_pred))


balanced_binary_crossentropy = function_of(BalancedBinaryCrossentropy)
