"""Cross-entropies of finding the other views of a sample among those of all samples."""

from keras import ops

from keras_losses import math
from keras_losses.core.align import pad_rank
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.core.spec import real, unused
from keras_losses.metric_learning.softmax import NPairs


class InfoNCE(NPairs):
    """InfoNCE: the later views of a sample are to be found by its first, each among that view of all samples.

    Formula: per sample i the mean over the views v >= 1 of
    `logsumexp_j(cos(x_i0, x_jv) / temperature) - cos(x_i0, x_iv) / temperature`. One direction: the first view is the query,
    and other queries are no candidates.

    Args:
        temperature: divides the cosines, > 0.

    Shapes:
        `y_pred`: `(B, V, D)`, V views of each sample; `y_true`: not looked at, anything with B entries, or None. A
        mask may be as fine as `(B, V)`.

    Returns:
        One value a sample, `(B,)`, reduced. A sample counts if there is another to tell it from. What is masked, or of weight
        0, is no candidate of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> views = np.array([[[1.0, 0.0], [2.0, 0.0]], [[0.0, 1.0], [0.0, 3.0]]])
    >>> round(float(kl.InfoNCE(temperature=0.5)(np.zeros(2, int), views)), 4)
    0.1269

    Reference: A. van den Oord, Y. Li, O. Vinyals, Representation learning with contrastive predictive coding, 2018,
    arXiv:1807.03748; cosine and temperature: K. He et al., Momentum contrast, 2020, arXiv:1911.05722.
    """

    temperature: Positive = 0.07

    y_true = unused("B")
    y_pred = real("B V D")
    normalize = True

    def call(self, y_true, y_pred, mask=None):
        ids, count = math.row_numbers(y_pred), _each_view(mask, y_pred)
        found = [
            self.compare(y_pred[:, 0], ids, y_pred[:, v], ids, count and count[0], count and count[v])
            for v in range(1, y_pred.shape[1])
        ]
        if not found:
            nothing = 0 * y_pred[:, 0, 0]
            return nothing, ops.zeros_like(nothing, dtype="bool")
        values, valid = (ops.stack(each, axis=1) for each in zip(*found, strict=True))
        return math.masked_mean(values, valid), ops.any(valid, axis=1)


class MultipleNegativesRanking(NPairs):
    """Multiple negatives ranking: the positive of each sample is to be found among those of all, and hard negatives.

    Formula: per sample i `logsumexp(cos(x_i0, x_jv) / temperature over all samples j and views v >= 1)
    - cos(x_i0, x_i1) / temperature`: view 0 is the anchor, view 1 its positive, later views its hard negatives.

    Args:
        temperature: divides the cosines, > 0; 0.05 is the scale 20.

    Shapes:
        `y_pred`: `(B, V, D)` with V >= 2; `y_true`: not looked at, anything with B entries, or None. A mask may be as
        fine as `(B, V)`.

    Returns:
        One value a sample, `(B,)`, reduced. A sample counts if there is a candidate besides its positive. What is masked, or
        of weight 0, is no candidate of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> pairs = np.array([[[1.0, 0.0], [2.0, 0.0]], [[0.0, 1.0], [0.0, 3.0]]])
    >>> round(float(kl.MultipleNegativesRanking(temperature=0.5)(np.zeros(2, int), pairs)), 4)
    0.1269

    Reference: M. Henderson et al., Efficient natural language response suggestion for Smart Reply, 2017, arXiv:1705.00652.
    """

    temperature: Positive = 0.05

    y_true = unused("B")
    y_pred = real("B V D")
    normalize = True

    def call(self, y_true, y_pred, mask=None):
        ids, count = math.row_numbers(y_pred), _each_view(mask, y_pred)
        # One view after the other; what is no positive of any sample has an id that no sample has.
        others = [y_pred[:, v] for v in range(1, y_pred.shape[1])]
        if not others:
            raise ValueError(f"{self.name}: y_pred with shape {tuple(y_pred.shape)} needs two views a sample or more.")
        other_ids = ops.concatenate([ids, *(ops.full_like(ids, -1) for _ in others[1:])])
        anchors, partners = (None, None) if count is None else (count[0], ops.concatenate(count[1:]))
        return self.compare(y_pred[:, 0], ids, ops.concatenate(others), other_ids, anchors, partners)


def _each_view(mask, y_pred):
    """What counts of each view, `(B,)` each; None: all."""
    if mask is None:
        return None
    full = ops.logical_and(pad_rank(mask, 2), ops.ones_like(y_pred[..., 0], dtype="bool"))
    return [full[:, v] for v in range(y_pred.shape[1])]


info_nce = function_of(InfoNCE)
multiple_negatives_ranking = function_of(MultipleNegativesRanking)
