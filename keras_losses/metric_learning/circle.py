"""Circle loss: every pair is weighed by how far its similarity is from its optimum."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.metric_learning.pairs import PairLoss, both, only, share


class Circle(PairLoss, kw_only=False):
    """Circle loss of each embedding of a batch against all others.

    Formula: for the cosine similarity s of a pair, at most 1, per anchor
    `softplus(logsumexp_positives(-gamma a_p (s - 1 + margin)) + logsumexp_negatives(gamma a_n (s - margin)))` with
    `a_p = max(1 + margin - s, 0)` and `a_n = max(s + margin, 0)`. These self-paced weights are constants in the gradient,
    as in the paper.

    Args:
        gamma: scale, > 0.
        margin: relaxation margin, >= 0.
        remove_diagonal: an embedding is no positive of itself.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings of length 1. When called directly,
        `ref_labels` `(M,)` and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives or without negatives does not count. A masked
        embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> float(kl.Circle(gamma=1.0)(np.array([0, 0, 1, 1]), x)) < float(kl.Circle(gamma=1.0)(np.array([0, 1, 0, 1]), x))
    True

    Reference: Y. Sun et al., Circle loss: a unified perspective of pair similarity optimization, 2020, arXiv:2002.10857.
    """

    gamma: Positive = 80.0
    margin: NonNegative = 0.4
    remove_diagonal: bool = True

    normalize = False
    by_design = dict.fromkeys(
        ("gradient-wrong", "contract-second-derivatives"),
        "the self-paced weights are constants in the gradient, as in the paper: its differences are not its derivative",
    )

    @property
    def leaves_itself_out(self):
        return self.remove_diagonal

    def rows(self, d, same, different):
        # Of unit vectors only rounding makes a similarity larger than 1: it must not decide whether there is a slope.
        distance = math.floor(1 + d, 0.0)
        paced = ops.stop_gradient(distance)
        weight_p = self.margin + paced
        weight_n = math.positive_part(1 + self.margin - paced)
        pull = math.masked_logsumexp(-self.gamma * weight_p * (self.margin - distance), same)
        push = math.masked_logsumexp(self.gamma * weight_n * (1 - self.margin - distance), different)
        valid = both(same, different)
        return math.softplus(only(valid, pull + push)), valid

    def slope(self, d, same, different):
        distance = math.floor(1 + d, 0.0)
        rate_p = self.gamma * (self.margin + distance)
        rate_n = self.gamma * math.positive_part(1 + self.margin - distance)
        pull, push = -rate_p * (self.margin - distance), rate_n * (1 - self.margin - distance)
        total_p, total_n = (math.masked_logsumexp(z, mask, keepdims=True) for z, mask in ((pull, same), (push, different)))
        valid = ops.expand_dims(both(same, different), 1)
        outer = ops.sigmoid(only(valid, total_p + total_n))
        return only(valid, outer * (rate_p * share(pull, same, total_p) - rate_n * share(push, different, total_n)))


circle = function_of(Circle, positional=("ref_labels", "ref_embeddings", "remove_diagonal", "gamma", "margin"))
