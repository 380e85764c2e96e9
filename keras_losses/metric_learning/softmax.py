"""Losses that are a cross-entropy: a positive of an anchor is to be found among all others, or among the negatives."""

from typing import Any, ClassVar

import numpy as np
from keras import ops

from keras_losses import math
from keras_losses.core import inputs
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.core.spec import real
from keras_losses.metric_learning.pairs import PairLoss, both, count, only, share, some


class NPairs(PairLoss):
    """N-pairs loss: each positive is to be found among the negatives, by inner products.

    Formula: per anchor the mean over its positives p of `log(1 + sum_n exp(a.n - a.p))` over its negatives n. The embeddings
    are taken as they are, without the paper's penalty on their lengths. The paper's batch has one pair a class, and one
    negative of each other class: with the second halves of the pairs as `ref_embeddings` this is that loss.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings. When called directly, `ref_labels` `(M,)`
        and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives or without negatives does not count. A masked
        embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> round(float(kl.NPairs()(np.array([0, 0, 1]), x)), 4)
    0.1269

    Reference: K. Sohn, Improved deep metric learning with multi-class N-pair loss objective, 2016.
    """

    temperature: ClassVar[Any] = 1.0
    normalize = False

    def rows(self, d, same, different):
        logits = -d / self.temperature
        push = math.masked_logsumexp(logits, different, keepdims=True)
        return math.masked_mean(math.softplus(push - logits), same), both(same, different)

    def slope(self, d, same, different):
        logits = -d / self.temperature
        push = math.masked_logsumexp(logits, different, keepdims=True)
        pull = math.safe_divide(only(same, ops.sigmoid(only(same, push - logits))), count(same, d))
        return (pull - ops.sum(pull, axis=1, keepdims=True) * share(logits, different, push)) / self.temperature


class NTXent(NPairs):
    """Normalized temperature-scaled cross-entropy, of SimCLR: each positive is to be found among the negatives, by cosines.

    Formula: per anchor the mean over its positives p of `log(1 + sum_n exp((s_n - s_p) / temperature))`, with the cosines s of
    positives and negatives. Where an anchor has several positives, the others are left out of the sum; with one, as the two
    views of SimCLR are, this is the paper's loss, and `SupervisedContrastive` too.

    Args:
        temperature: divides the cosines, > 0.

    Shapes:
        Either `y_true`: `(B,)` integer ids, compared only, and `y_pred`: `(B, D)` embeddings, of which those of one id are
        positives; called directly, `ref_labels` `(M,)` and `ref_embeddings` `(M, D)` take the place of the other side of the
        pairs. Or `y_pred`: `(B, V, D)`, V views of each sample (or more axes of views): the positives of a view are the other
        views of its sample, its negatives all views of other samples, and `y_true` `(B,)` may hold anything, or be None.

    Returns:
        One value an anchor, `(B,)`, or a view, `(B, V)`, reduced. An anchor without positives or without negatives does not
        count. A masked embedding, or one of weight 0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet, or views come with a second set of embeddings.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> views = np.array([[[1.0, 0.0], [2.0, 0.0]], [[0.0, 1.0], [0.0, 3.0]]])
    >>> round(float(kl.NTXent(temperature=0.5)(np.zeros(2, int), views)), 4)
    0.2395
    >>> round(float(kl.NTXent(temperature=0.5)(np.array([0, 0, 1, 1]), views.reshape(4, 2))), 4)
    0.2395

    Reference: T. Chen et al., A simple framework for contrastive learning of visual representations, 2020, arXiv:2002.05709.
    """

    temperature: Positive = 0.1

    y_pred = real("B *V D")
    normalize = True

    def _values(self, y_true, y_pred, *args):
        if y_true is None and len(np.shape(y_pred)) > 2:
            y_true = inputs.stand_in(self.name, y_true, y_pred, self.y_true, self.y_pred)
        return super()._values(y_true, y_pred, *args)

    def call(self, y_true, y_pred, ref_labels=None, ref_embeddings=None, mask=None):
        if len(y_pred.shape) == 2:
            return super().call(y_true, y_pred, ref_labels, ref_embeddings, mask)
        if ref_labels is not None or ref_embeddings is not None:
            raise ValueError(f"{self.name}: views, of shape {tuple(y_pred.shape)}, are compared with each other alone.")
        like = y_pred[..., 0]
        each = ops.zeros_like(like, dtype="int32")
        owners = each + pad_rank(math.row_numbers(like), len(like.shape))
        if mask is not None:
            mask = ops.reshape(ops.logical_and(pad_rank(mask, len(like.shape)), ops.equal(each, 0)), (-1,))
        x, ids = ops.reshape(y_pred, (-1, y_pred.shape[-1])), ops.reshape(owners, (-1,))
        return tuple(ops.reshape(result, ops.shape(like)) for result in self.compare(x, ids, x, ids, mask, mask, True))


class SupervisedContrastive(PairLoss):
    """Supervised contrastive loss: each positive is to be found among all other embeddings.

    Formula: per anchor the mean over its positives p of `log(sum_k exp(s_k / temperature)) - s_p / temperature`, with the sum
    over all other embeddings k and their cosines s: the paper's form with the mean outside of the logarithm.

    Args:
        temperature: divides the cosines, > 0.

    Shapes:
        `y_true`: `(B,)` integer ids, compared only; `y_pred`: `(B, D)` embeddings of any length. When called directly,
        `ref_labels` `(M,)` and `ref_embeddings` `(M, D)` take the place of the other side of the pairs.

    Returns:
        One value an anchor, `(B,)`, reduced. An anchor without positives does not count. A masked embedding, or one of weight
        0, is no partner of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> x = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    >>> round(float(kl.SupervisedContrastive(temperature=0.5)(np.array([0, 0, 1]), x)), 4)
    0.1269

    Reference: P. Khosla et al., Supervised contrastive learning, 2020, arXiv:2004.11362.
    """

    temperature: Positive = 0.1

    def rows(self, d, same, different):
        logits = -d / self.temperature
        total = math.masked_logsumexp(logits, ops.logical_or(same, different), keepdims=True)
        return math.masked_mean(total - logits, same), some(same)

    def slope(self, d, same, different):
        logits, partner = -d / self.temperature, ops.logical_or(same, different)
        total = math.masked_logsumexp(logits, partner, keepdims=True)
        own = math.safe_divide(ops.cast(same, d.dtype), count(same, d))
        return only(ops.expand_dims(some(same), 1), (own - share(logits, partner, total)) / self.temperature)


n_pairs = function_of(NPairs)
nt_xent = function_of(NTXent)
supervised_contrastive = function_of(SupervisedContrastive)
