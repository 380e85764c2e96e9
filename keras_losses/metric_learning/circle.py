"""Circle loss: every pair is weighed by how far its similarity is from its optimum."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative, Positive
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, real


class Circle(Loss, kw_only=False):
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

    y_true = label("B", classes=None)
    y_pred = real("B D")
    ref_labels = label("M", classes=None)
    ref_embeddings = real("M D")
    couples_batch = True
    by_design = dict.fromkeys(
        ("gradient-wrong", "contract-second-derivatives"),
        "the self-paced weights are constants in the gradient, as in the paper: its differences are not its derivative",
    )

    def call(self, y_true, y_pred, ref_labels=None, ref_embeddings=None, mask=None):
        others = y_pred if ref_embeddings is None else ref_embeddings
        other_ids = ops.reshape(y_true if ref_labels is None else ref_labels, (1, -1))
        same = ops.equal(ops.expand_dims(y_true, 1), other_ids)
        different = ops.logical_not(same)
        if ref_embeddings is None and ref_labels is None:
            if self.remove_diagonal:
                same = ops.logical_and(same, ops.logical_not(math.diagonal(same)))
            if mask is not None:
                partner = ops.expand_dims(mask, 0)
                same, different = ops.logical_and(same, partner), ops.logical_and(different, partner)

        # Of unit vectors only rounding makes a similarity larger than 1: it must not decide whether there is a slope.
        distance = math.floor(1 - y_pred @ ops.transpose(others), 0.0)
        paced = ops.stop_gradient(distance)
        weight_p = self.margin + paced
        weight_n = math.positive_part(1 + self.margin - paced)
        pull = math.masked_logsumexp(-self.gamma * weight_p * (self.margin - distance), same)
        push = math.masked_logsumexp(self.gamma * weight_n * (1 - self.margin - distance), different)
        valid = ops.logical_and(ops.any(same, axis=1), ops.any(different, axis=1))
        both = ops.where(valid, pull + push, ops.zeros_like(pull))
        return math.softplus(both), valid


circle = function_of(Circle, positional=("ref_labels", "ref_embeddings", "remove_diagonal", "gamma", "margin"))
