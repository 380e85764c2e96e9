"""Bootstrapping: the label is mixed with what the model believes."""

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import log_probabilities
from keras_losses.core.fields import Fraction
from keras_losses.core.function import function_of
from keras_losses.noisy_labels.labelled import LabelLoss, probabilities


class Bootstrapping(LabelLoss):
    """Cross-entropy whose target is part label, part prediction.

    Formula: `-w_y sum_c (beta y_c + (1 - beta) t_c) log p_c` with `t = p` (soft), or the one-hot vector of the most probable
    class (`hard`). From logits `log p` is `log_softmax(z)`; probabilities are divided by their sum, and `log p` is
    `log(max(p, 1e-7))` with the gradient `1 / max(p, 1e-7)`.

    The gradient passes through the soft target, as the paper's reading of it as minimum entropy regularization asks, and as
    programs have it. The hard target is constant where it does not jump; classes that tie share the gradient.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        beta: share of the label, in [0, 1]; None: that of the paper, 0.95 for the soft target and 0.8 for the hard one.
        hard: the target holds the most probable class, not the probabilities.
        ignore_class: integer label whose entries do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None: of the label's class.

    Shapes:
        `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, p = np.array([0]), np.array([[0.25, 0.75]])
    >>> round(float(kl.Bootstrapping(beta=1.0)(y, p)), 4), round(float(kl.Bootstrapping(beta=0.5, hard=True)(y, p)), 4)
    (1.3863, 0.837)

    Reference: S. Reed et al., Training deep neural networks on noisy labels with bootstrapping, 2014, arXiv:1412.6596.
    """

    beta: Fraction | None = None
    hard: bool = False

    def validate(self):
        if self.beta is None:
            self.beta = 0.8 if self.hard else 0.95

    def of_classes(self, y_pred):
        log_p = log_probabilities(self, y_pred)
        believed = math.largest(log_p) if self.hard else ops.sum(probabilities(self, y_pred) * log_p, axis=-1)
        beta = self.beta or 0.0
        return -beta * log_p - (1 - beta) * ops.expand_dims(believed, -1)


bootstrapping = function_of(Bootstrapping)
