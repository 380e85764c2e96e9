"""The effective number of samples, and cross-entropy weighted by it."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np

from keras_losses import math
from keras_losses.classification.categorical import log_probabilities, warn_of_one_class
from keras_losses.core.fields import Range, shorten
from keras_losses.core.function import function_of
from keras_losses.core.weighting import class_weights, per_class
from keras_losses.imbalance.counted import CountedCrossentropy


def effective_number_weights(class_counts: Sequence[float], beta: float = 0.999) -> tuple[float, ...]:
    """Class weights by the effective number of samples: between none (`beta=0`) and the inverse count (`beta` to 1).

    Formula: `w_c = 1 / E_c` with `E_c = (1 - beta^n_c) / (1 - beta)`, scaled so that the weights of the C classes sum to C. A
    class without samples weighs 0: no sample of it is there to be weighed, and the formula has no value for it.

    Args:
        class_counts: how many training samples each class has; at least one has some.
        beta: in [0, 1). `(N - 1) / N` for data in which about N samples tell all there is to a class.

    Returns:
        A tuple of C numbers, for the argument `class_weight` of any loss here; `dict(enumerate(...))` is what `fit` takes.

    Raises:
        ValueError: the counts are no numbers >= 0, or all 0, or `beta` is outside [0, 1).

    Example:

    >>> import keras_losses as kl
    >>> [round(w, 4) for w in kl.effective_number_weights((1000, 10), beta=0.9)]
    [0.7888, 1.2112]
    >>> loss = kl.SparseCategoricalCrossentropy(class_weight=kl.effective_number_weights((1000, 10)))

    Reference: Y. Cui et al., Class-balanced loss based on effective number of samples, 2019, arXiv:1901.05555.
    """
    counts = np.asarray(class_counts, "float64")
    if counts.ndim != 1 or not (np.isfinite(counts) & (counts >= 0)).all() or not counts.any():
        raise ValueError(
            "effective_number_weights: `class_counts` must be one number >= 0 for each class, not all 0. "
            f"Received: {shorten(class_counts)}"
        )
    if not 0 <= beta < 1:
        raise ValueError(f"effective_number_weights: `beta` must be in [0, 1). Received: {shorten(beta)}")
    present = counts > 0
    # 1 - beta^n would be rounded to 0, or to 1, for a beta close to 1.
    effective = -np.expm1(counts[present] * np.log(beta)) if beta > 0 else np.ones(present.sum())
    weights = np.zeros(len(counts))
    weights[present] = effective.min() / effective
    return tuple((weights * (len(counts) / weights.sum())).tolist())


class ClassBalancedCrossentropy(CountedCrossentropy):
    """Cross-entropy of integer labels, each class weighed by its effective number of samples.

    Formula: `-w_y log p_y`, `w = effective_number_weights(class_counts, beta)`: the inverse of `(1 - beta^n_c) / (1 - beta)`,
    scaled to the sum C. `log p` as in `SparseCategoricalCrossentropy`.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        class_counts: how many training samples each class has. A class without samples weighs 0: its labels, should there be
            any, add nothing.
        beta: in [0, 1): 0 weighs all classes alike; the closer to 1, the closer to the inverse count.
        ignore_class: integer label whose entries do not count.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None: a further factor.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `axis`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, no class has samples, there are not C counts, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.ClassBalancedCrossentropy(class_counts=(2, 1), beta=0.5, reduction="none")
    >>> [round(float(x), 4) for x in loss(np.array([0, 1]), np.full((2, 2), 0.5))]
    [0.5545, 0.8318]

    Reference: Y. Cui et al., Class-balanced loss based on effective number of samples, 2019, arXiv:1901.05555.
    """

    beta: Annotated[float, Range(ge=0, lt=1)] = 0.999

    def validate(self):
        if not any(self.class_counts):
            raise ValueError(
                f"{type(self).__name__}: `class_counts` must hold a number > 0. Received: {shorten(self.class_counts)}"
            )
        self._weights = effective_number_weights(self.class_counts, self.beta)

    def call(self, y_true, y_pred):
        warn_of_one_class(self, y_pred)
        weights = per_class(self, y_pred, "class_counts", self._weights) * class_weights(self, y_pred)
        return -math.at_label(weights * log_probabilities(self, y_pred), y_true)


class_balanced_crossentropy = function_of(ClassBalancedCrossentropy)
