"""Cross-entropy both ways: the label under the prediction, and the prediction under the label."""

from typing import Annotated

from keras_losses.classification.categorical import log_probabilities
from keras_losses.core.fields import NonNegative, Range
from keras_losses.core.function import function_of
from keras_losses.noisy_labels.labelled import BOUNDED, LabelLoss, probabilities

LogZero = Annotated[float, Range(lt=0)]


class ReverseCrossentropy(LabelLoss):
    """Cross-entropy of the prediction under the label, with a number in the place of log 0.

    Formula: `-w_y sum_c p_c log y_c` with `log 0 = log_zero`, which is `-w_y log_zero (1 - p_y)`: a multiple of the
    absolute error.

    Args:
        from_logits: `y_pred` holds logits, not probabilities, which are divided by their sum.
        log_zero: number < 0, called A in the paper. Programs that clip the labels at 1e-4 instead, as the authors' does,
            have the natural logarithm of it, -9.21.
        ignore_class: integer label whose entries do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.ReverseCrossentropy()(np.array([0]), np.array([[0.75, 0.25]])))
    1.0

    Reference: Y. Wang et al., Symmetric cross entropy for robust learning with noisy labels, 2019, arXiv:1908.06112.
    """

    log_zero: LogZero = -4.0

    by_design = BOUNDED

    def of_classes(self, y_pred):
        return -self.log_zero * (1 - probabilities(self, y_pred))


class SymmetricCrossentropy(ReverseCrossentropy):
    """Cross-entropy, which learns, plus reverse cross-entropy, which forgives.

    Formula: `w_y (-alpha log p_y - beta log_zero (1 - p_y))`. From logits `log p` is `log_softmax(z)`; probabilities are
    divided by their sum, and `log p` is `log(max(p, 1e-7))` with the gradient `1 / max(p, 1e-7)`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        alpha: weight >= 0 of the cross-entropy: the larger, the better hard classes are fitted, wrong labels too.
        beta: weight >= 0 of the reverse cross-entropy.
        log_zero: number < 0 in the place of log 0, called A in the paper. Programs that clip the labels at 1e-4 instead,
            as the authors' does, have the natural logarithm of it, -9.21.
        ignore_class: integer label whose entries do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.SymmetricCrossentropy(alpha=1.0, beta=0.5)
    >>> round(float(loss(np.array([0]), np.array([[0.5, 0.5]]))), 4)
    1.6931

    Reference: Y. Wang et al., Symmetric cross entropy for robust learning with noisy labels, 2019, arXiv:1908.06112
    (`alpha=0.1, beta=1` for CIFAR-10, `alpha=6, beta=0.1` for CIFAR-100).
    """

    alpha: NonNegative = 0.1
    beta: NonNegative = 1.0

    by_design = {}

    def of_classes(self, y_pred):
        return self.beta * super().of_classes(y_pred) - self.alpha * log_probabilities(self, y_pred)


reverse_crossentropy = function_of(ReverseCrossentropy)
symmetric_crossentropy = function_of(SymmetricCrossentropy)
