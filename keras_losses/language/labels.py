"""What labels ask of the logits of a language model.

Of a token with the logits z the value is `(1 - e) w_y (L - z_y) + e / V sum_c w_c (L - z_c) + l L^2` with `L =
logsumexp(z)`, the label y, smoothing e, class weights w, and the weight l of the z-loss. Its slope with respect to z is
`a softmax(z) - (1 - e) w_y [c = y] - e / V w_c` with `a = (1 - e) w_y + e / V sum_c w_c + 2 l L`.
"""

import dataclasses
from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.language.sweep import Head, exponentials


@dataclasses.dataclass
class LabelHead(Head):
    """The cross-entropy of integer labels.

    Attributes:
        label_smoothing, z_loss: numbers >= 0.
        class_weight: `(V,)` or None.
    """

    label_smoothing: float = 0.0
    z_loss: float = 0.0
    class_weight: Any = None

    def _rate(self, labels):
        """What a label weighs: a number, or one for each token."""
        own = 1 - self.label_smoothing
        return own if self.class_weight is None else own * ops.take(self.class_weight, labels)

    @property
    def _spread(self):
        """What smoothing makes every class weigh: a number, or one for each class; None without it."""
        if not self.label_smoothing:
            return None
        return self.label_smoothing / self.classes * (1.0 if self.class_weight is None else self.class_weight)

    @property
    def _spread_total(self):
        spread = self._spread
        if spread is None:
            return 0.0
        return ops.sum(spread) if self.class_weight is not None else spread * self.classes

    def measure(self, targets, z, weights=None):
        e, total, normalizer = exponentials(z)
        values = self._values(targets, z, e, normalizer)
        return values, None if weights is None else self._slope(targets, weights, e, total, normalizer)

    def _values(self, labels, z, e, normalizer):
        own, share = (math.at_label(x, labels) for x in (z, e))
        normalizer = ops.squeeze(normalizer, -1)
        value = self._rate(labels) * (normalizer - own)
        if self.label_smoothing:
            value = value + self._spread_total * normalizer - ops.sum(self._spread * z, axis=-1)
        if self.z_loss:
            value = value + self.z_loss * ops.square(normalizer)
        return ops.stack([value, ops.cast(share >= 1, z.dtype)])

    def _slope(self, labels, weights, e, total, normalizer):
        """The slope of the weighted values with respect to the logits."""
        weights, place = ops.expand_dims(weights, -1), ops.expand_dims(labels, -1)
        rate = self._rate(place)
        slope = e * (weights * (rate + self._spread_total + 2 * self.z_loss * normalizer) / total)
        if self.label_smoothing:
            slope = slope - weights * self._spread
        where = ops.stack([ops.cast(ops.arange(math.length(labels)), labels.dtype), labels], axis=-1)
        return ops.scatter_update(slope, where, -ops.squeeze(weights * rate, -1), reduction="add")
