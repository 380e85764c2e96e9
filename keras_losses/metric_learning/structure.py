"""Lifted structure losses: a hinge on the soft maximum over the pairs of an anchor."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import NonNegative
from keras_losses.core.function import function_of
from keras_losses.metric_learning.pairs import DistanceLoss, both, only


class LiftedStructure(DistanceLoss):
    """Lifted structure loss: each positive pair against the negatives of both its ends.

    Formula: per anchor the mean over its positives p of `max(0, J)^2 / 2`, with
    `J = log(sum of exp(margin - D) over the negatives of the anchor and over those of p) + D_p`. With a second set of
    embeddings the negatives of p are the anchors of other ids.

    Args:
        margin: number >= 0.
        distance: `"euclidean"`, `"squared_euclidean"`, `"cosine"` (1 - cosine) or `"dot"` (minus the inner product).
        normalize: embeddings are divided by their lengths first; cosine always does.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives or without negatives does not count. A masked
        embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    >>> round(float(kl.LiftedStructure()(np.array([0, 0, 1]), x)), 4)
    0.0491

    Reference: H. O. Song et al., Deep metric learning via lifted structured feature embedding, 2016, arXiv:1511.06452.
    """

    margin: NonNegative = 1.0

    def rows(self, d, same, different):
        push = self.margin - d
        of_anchor = math.masked_logsumexp(push, different, axis=1, keepdims=True)
        of_partner = math.masked_logsumexp(push, different, axis=0, keepdims=True)
        active = math.positive_part(math.logaddexp(of_anchor, of_partner) + d)
        return math.masked_mean(0.5 * ops.square(active), same), both(same, different)


class GeneralizedLiftedStructure(DistanceLoss):
    """Generalized lifted structure loss: the soft farthest positive is to be nearer than the soft nearest negative.

    Formula: `max(0, log(sum_p exp(D_p)) + log(sum_n exp(margin - D_n)))` per anchor, with the distances D of its positives p
    and negatives n.

    Args:
        margin: number >= 0.
        distance: `"euclidean"`, `"squared_euclidean"`, `"cosine"` (1 - cosine) or `"dot"` (minus the inner product).
        normalize: embeddings are divided by their lengths first; cosine always does.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives or without negatives does not count. A masked
        embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [2.5, 0.0]])
    >>> round(float(kl.GeneralizedLiftedStructure()(np.array([0, 0, 1]), x)), 4)
    0.25

    Reference: A. Hermans, L. Beyer, B. Leibe, In defense of the triplet loss for person re-identification, 2017,
    arXiv:1703.07737.
    """

    margin: NonNegative = 1.0

    def rows(self, d, same, different):
        valid = both(same, different)
        pull = math.masked_logsumexp(d, same)
        push = math.masked_logsumexp(self.margin - d, different)
        return math.positive_part(only(valid, pull + push)), valid


lifted_structure = function_of(LiftedStructure)
generalized_lifted_structure = function_of(GeneralizedLiftedStructure)
