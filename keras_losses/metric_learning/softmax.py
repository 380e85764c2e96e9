"""Losses that are a cross-entropy: a positive of an anchor is to be found among all others, or among the negatives."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.core.spec import real
from keras_losses.metric_learning.pairs import PairLoss, both, some


class PositivesAgainstNegatives(PairLoss):
    """Base of the losses that are, for each positive, the cross-entropy of finding it among the negatives."""

    temperature = 1.0

    def rows(self, d, same, different):
        logits = -d / self.temperature
        push = math.masked_logsumexp(logits, different, keepdims=True)
        return math.masked_mean(math.softplus(push - logits), same), both(same, different)

    def distances(self, x, y):
        raise NotImplementedError
