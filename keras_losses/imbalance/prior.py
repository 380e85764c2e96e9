"""Cross-entropies that add what a class owes to its frequency to its logit, so that the model need not learn it."""

import numpy as np
from keras import ops

from keras_losses.core.fields import NonNegative
from keras_losses.core.function import function_of
from keras_losses.core.weighting import check_class_counts, per_class
from keras_losses.imbalance.counted import CountedCrossentropy, above_label, crossentropy, logits


class BalancedSoftmax(CountedCrossentropy):
    """Cross-entropy of a softmax in which each class counts as often as it has samples.

    Formula: `-log(n_y exp(z_y) / sum_c n_c exp(z_c))`. Probabilities are taken as `z = log p`, which are logits up to a
    constant. It is `LogitAdjustedCrossentropy` with `tau=1`; in use, the classes are compared by `z` alone.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        class_counts: how many training samples each class has, each > 0; only their ratios matter.
        ignore_class: integer label whose entries do not count.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `axis`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, a count is 0, there are not C counts, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.BalancedSoftmax(class_counts=(3, 1))
    >>> round(float(loss(np.array([1]), np.array([[0.25, 0.75]]))), 4)  # log 2: the odds of 3 to 1 are made up for
    0.6931

    Reference: J. Ren et al., Balanced meta-softmax for long-tailed visual recognition, 2020, arXiv:2007.10740.
    """

    def validate(self):
        check_class_counts(self)
        self._log_counts = tuple(np.log(self.class_counts).tolist())

    def call(self, y_true, y_pred):
        return self._adjusted(y_true, y_pred, 1.0)

    def _adjusted(self, y_true, y_pred, tau):
        # The logarithm of the prior differs from that of the counts by a constant, which the softmax does not see.
        log_n = per_class(self, y_pred, "class_counts", self._log_counts)
        more = log_n - ops.expand_dims(ops.take(log_n, y_true, axis=0), -1)
        return crossentropy(self, y_true, y_pred, above_label(logits(self, y_pred), y_true) + tau * more)


class LogitAdjustedCrossentropy(BalancedSoftmax):
    """Cross-entropy of logits plus the logarithm of the class prior: the logits alone then compare classes as if all were even.

    Formula: `-log softmax(z + tau log pi)_y` with the prior `pi_c = n_c / sum n`. Probabilities are taken as `z = log p`, which
    are logits up to a constant. In use, the classes are compared by `z` alone; the loss of held-out data has the prior of the
    training data in it, the accuracy has not.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        class_counts: how many training samples each class has, each > 0; only their ratios matter.
        tau: scale of the adjustment >= 0; 1 is consistent for the balanced error, 0 is plain cross-entropy.
        ignore_class: integer label whose entries do not count.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)`, or with the classes on `axis`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, a count is 0, there are not C counts, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.LogitAdjustedCrossentropy(class_counts=(3, 1), from_logits=True)
    >>> round(float(loss(np.array([1]), np.array([[0.0, 0.0]]))), 4)  # log 4
    1.3863

    Reference: A. K. Menon et al., Long-tail learning via logit adjustment, 2021, arXiv:2007.07314.
    """

    tau: NonNegative = 1.0

    def call(self, y_true, y_pred):
        return self._adjusted(y_true, y_pred, self.tau)


balanced_softmax = function_of(BalancedSoftmax)
logit_adjusted_crossentropy = function_of(LogitAdjustedCrossentropy)
