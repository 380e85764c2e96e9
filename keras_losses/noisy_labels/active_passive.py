"""Active and passive losses: one raises the probability of the label, the other lowers those of the other classes."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.classification.categorical import log_probabilities
from keras_losses.core.compose import check_size
from keras_losses.core.fields import NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.noisy_labels.labelled import BOUNDED, LabelLoss, SmoothedLabelLoss, probabilities
from keras_losses.noisy_labels.symmetric import ReverseCrossentropy


class NormalizedCrossentropy(SmoothedLabelLoss):
    """Cross-entropy of the label as its share of the cross-entropies of all classes: the active loss of a pair.

    Formula: `w_y log p_y / sum_c log p_c`, in [0, 1], smoothed over the classes with `label_smoothing`. From logits `log p`
    is `log_softmax(z)`; probabilities are divided by their sum, and `log p` is `log(max(p, 1e-7))` with the gradient
    `1 / max(p, 1e-7)`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        label_smoothing: in [0, 1].
        ignore_class: integer label whose entries do not count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None: of the label's class, and not in the sum.

    Shapes:
        `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.NormalizedCrossentropy()(np.array([0]), np.array([[0.25, 0.25, 0.25, 0.25]])))
    0.25

    Reference: X. Ma et al., Normalized loss functions for deep learning with noisy labels, 2020, arXiv:2006.13554.
    """

    by_design = {"contract-alive": BOUNDED["contract-alive"]}  # it fades like 1 / distance^2, and does not vanish

    def of_classes(self, y_pred):
        log_p = log_probabilities(self, y_pred)
        return math.safe_divide(log_p, ops.sum(log_p, axis=-1, keepdims=True))


class ProbabilityAbsoluteError(LabelLoss):
    """Absolute error of the probabilities against the label, summed over the classes: a passive loss.

    Formula: `w_y sum_c |y_c - p_c| = 2 w_y (1 - p_y)`. It does not change its minimum under symmetric label noise, but
    trains slowly alone. Programs often leave out the factor 2.

    Args:
        from_logits: `y_pred` holds logits, not probabilities, which are divided by their sum.
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
    >>> float(kl.ProbabilityAbsoluteError()(np.array([0]), np.array([[0.75, 0.25]])))
    0.5

    Reference: A. Ghosh, H. Kumar, P. S. Sastry, Robust loss functions under label noise for deep neural networks, 2017,
    arXiv:1712.09482.
    """

    by_design = BOUNDED

    def of_classes(self, y_pred):
        return 2 * (1 - probabilities(self, y_pred))


class ActivePassive(Loss):
    """A weighted pair of an active and a passive loss: the one learns, the other is robust, neither does both.

    Formula: `alpha active(y_true, y_pred) + beta passive(y_true, y_pred)`, label by label.

    Args:
        active: a loss of this package.
        passive: a loss of this package that takes the same data: logits or probabilities, one `ignore_class`, the classes
            on the last axis. The reductions and dtypes of the two do not matter, those of the pair do.
        alpha: weight >= 0 of the active loss.
        beta: weight >= 0 of the passive loss. The paper: the more classes, the larger `alpha` against `beta` (1 and 1 for
            10, 10 and 0.1 for 100).

    Shapes:
        Those of the two losses; by default `y_true`: `(B, ...)` integer class ids; `y_pred`: `(B, ..., C)` probabilities.

    Returns:
        One value a label, `(B, ...)`, reduced. Weights, masks and ignored labels count for both losses.

    Raises:
        ValueError: an argument is out of range, the two losses do not take the same data, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> active, passive = kl.NormalizedCrossentropy(from_logits=True), kl.ProbabilityAbsoluteError(from_logits=True)
    >>> loss = kl.ActivePassive(active=active, passive=passive, beta=0.5)
    >>> float(loss(np.array([0]), np.array([[0.0, 0.0]])))
    1.0

    Reference: X. Ma et al., Normalized loss functions for deep learning with noisy labels, 2020, arXiv:2006.13554.
    """

    active: Loss = NormalizedCrossentropy()
    passive: Loss = ReverseCrossentropy()
    alpha: NonNegative = 1.0
    beta: NonNegative = 1.0

    @property
    def y_true(self):
        # Where one of them takes integer labels only, so does the pair.
        return self.passive.y_true if self.active.y_true.dense else self.active.y_true

    @property
    def y_pred(self):
        return self.active.y_pred

    @property
    def ignore_class(self):
        return getattr(self.active, "ignore_class", None)

    def validate(self):
        check_size(self)
        for name, term in (("active", self.active), ("passive", self.passive)):
            moved = term.last_axis is not None and getattr(term, term.last_axis) != -1
            if term.y_true is None or term.y_pred is None or term.call_arguments or moved:
                raise ValueError(
                    f"ActivePassive: `{name}` must be a loss that states what it takes, with the classes last, and has a "
                    f"value for each label. Received: {term.name}"
                )
        active, passive = _data(self.active), _data(self.passive)
        if active != passive:
            raise ValueError(f"ActivePassive: `active` takes {active}, `passive` takes {passive}: both must take the same.")

    def call(self, y_true, y_pred):
        return self.alpha * self.active.call(y_true, y_pred) + self.beta * self.passive.call(y_true, y_pred)


def _data(loss: Any) -> str:
    return f"{loss.y_true} and {loss.y_pred} with ignore_class={getattr(loss, 'ignore_class', None)}"


active_passive = function_of(ActivePassive)
normalized_crossentropy = function_of(NormalizedCrossentropy)
probability_absolute_error = function_of(ProbabilityAbsoluteError)
