"""Label-distribution-aware margins: the rarer the class, the further its samples are kept from the boundary."""

from keras import ops

from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.core.spec import real
from keras_losses.core.weighting import check_class_counts, per_class
from keras_losses.imbalance.counted import Counted, above_label, crossentropy


class LDAM(Counted):
    """Cross-entropy of scaled cosines, with a margin that is the larger the fewer samples the class has.

    Formula: `-log softmax(scale (x - m_y e_y))_y`: from the cosine of the label's class the margin
    `m_y = max_margin (min n / n_y)^(1/4)` is taken before the softmax.

    The margin means something only for cosines: `y_pred` is the product of normalised features and normalised class vectors,
    between -1 and 1, without activation. In the paper the second part of the training is weighted too (deferred
    re-weighting): `class_weight=kl.effective_number_weights(class_counts, 0.9999)` in a second `compile`.

    Args:
        class_counts: how many training samples each class has, each > 0.
        max_margin: margin >= 0 of the rarest class.
        scale: factor > 0 of the cosines, in place of the lengths of the vectors that the normalisation took.
        ignore_class: integer label whose entries do not count.
        axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ...)` integers; `y_pred`: `(B, ..., C)` cosines, or with the classes on `axis`.

    Returns:
        One value a label, `(B, ...)`, reduced. A label out of range gives NaN with gradient zero.

    Raises:
        ValueError: an argument is out of range, a count is 0, there are not C counts, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.LDAM(class_counts=(16, 1), max_margin=0.5, scale=4.0, reduction="none")
    >>> [round(float(x), 4) for x in loss(np.array([0, 1]), np.zeros((2, 2)))]  # margins of 1/4 and 1/2
    [1.3133, 2.1269]

    Reference: K. Cao et al., Learning imbalanced datasets with label-distribution-aware margin loss, 2019, arXiv:1906.07413.
    """

    max_margin: NonNegative = 0.5
    scale: Positive = 30.0

    y_pred = real("B *S C")

    def validate(self):
        check_class_counts(self)
        least = min(self.class_counts, default=1.0)
        self._margins = tuple(self.max_margin * (least / count) ** 0.25 for count in self.class_counts)

    def call(self, y_true, y_pred):
        margin = ops.take(per_class(self, y_pred, "class_counts", self._margins), y_true, axis=0)
        gap = self.scale * (above_label(y_pred, y_true) + ops.expand_dims(margin, -1))
        return crossentropy(self, y_true, y_pred, gap)


ldam = function_of(LDAM)
