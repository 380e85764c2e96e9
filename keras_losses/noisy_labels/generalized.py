"""Generalized cross-entropy: the Box-Cox transform of the probability of the label."""

from dataclasses import KW_ONLY

from keras import ops

from keras_losses import math
from keras_losses.core.fields import ClassWeight, OpenFraction
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, simplex
from keras_losses.core.weighting import label_weights


class CategoricalGeneralizedCrossEntropy(Loss, kw_only=False):
    """Generalized cross-entropy for noisy labels, between cross-entropy (q to 0) and absolute error (q to 1).

    Formula: `w_y (1 - p_y^q) / q` for the predicted probability of the label. Below p = 1e-7 the power is continued as a
    line through 0, so that the gradient stays finite.

    Args:
        q: in (0, 1): the larger, the more robust against wrong labels, the slower to train.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)` probabilities.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN.

    Raises:
        ValueError: `q` is outside (0, 1), or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.CategoricalGeneralizedCrossEntropy(q=0.5)(np.array([0]), np.array([[0.25, 0.75]])))
    1.0

    Reference: Z. Zhang, M. R. Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy
    labels, 2018, arXiv:1805.07836.
    """

    q: OpenFraction = 0.5
    _: KW_ONLY
    class_weight: ClassWeight = None

    y_true = label("B *S")
    y_pred = simplex("B *S C")

    def call(self, y_true, y_pred):
        p = ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(y_true, -1), axis=-1), -1)
        value = (1 - math.power(p, self.q)) / self.q
        return value * label_weights(self, y_true, y_pred)


categorical_generalized_cross_entropy = function_of(CategoricalGeneralizedCrossEntropy)
