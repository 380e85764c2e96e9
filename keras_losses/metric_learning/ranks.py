"""Average precision of the list that an anchor makes of the others, made smooth."""

from typing import Annotated

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive, Range
from keras_losses.core.function import function_of
from keras_losses.metric_learning.pairs import PairLoss, only, some


class FastAP(PairLoss):
    """FastAP: one minus the average precision of an anchor, from soft histograms of distances.

    Formula: `1 - sum_z h+(z) H+(z) / H(z) / N+` per anchor. A squared distance `2 - 2 s`, with the cosine s, gives
    `max(0, 1 - |distance - z| / step)` to each of the num_bins + 1 points z = 0, step, ..., 4: h+ counts the N+ positives so,
    H+ and H are the sums up to z of positives and of all. Time grows with the number of points, memory does not.

    Args:
        num_bins: steps between 0 and 4, >= 1.

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
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> round(float(kl.FastAP()(np.array([0, 0, 1]), x)), 4)
    0.5

    Reference: F. Cakir et al., Deep metric learning to rank, 2019.
    """

    num_bins: Annotated[int, Range(ge=1)] = 10

    def rows(self, d, same, different):
        place = math.clip(0.5 * (1 + d) * self.num_bins, 0.0, self.num_bins)
        total = found = seen = 0 * ops.sum(d, axis=1)
        for point in range(self.num_bins + 1):
            share = math.positive_part(1 - math.absolute(place - point))
            here = ops.sum(only(same, share), axis=1)
            found = found + here
            seen = seen + here + ops.sum(only(different, share), axis=1)
            total = total + here * math.safe_divide(found, seen)
        valid = some(same)
        count = ops.sum(ops.cast(same, d.dtype), axis=1)
        return 1 - math.safe_divide(total, count), valid


class SmoothAP(PairLoss):
    """Smooth-AP: one minus the average precision of an anchor, with ranks that are sums of sigmoids.

    Formula: per anchor one minus the mean over its positives p of `R+ / R`, with `R = 1 + sum_j g(s_j - s_p)` over all others
    j but p, R+ the same over the positives, the cosines s, and `g(x) = 1 / (1 + exp(-x / temperature))`. The anchor is not in
    its own list. O(N^3) time.

    Args:
        temperature: divides the differences of cosines, > 0.

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
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> round(float(kl.SmoothAP()(np.array([0, 0, 1]), x)), 4)
    0.5

    Reference: A. Brown et al., Smooth-AP: smoothing the path towards large-scale image retrieval, 2020, arXiv:2007.12163.
    """

    temperature: Positive = 0.01

    def rows(self, d, same, different):
        ahead = ops.sigmoid((ops.expand_dims(d, 2) - ops.expand_dims(d, 1)) / self.temperature)
        # The positive itself ties with itself: 1/2 of its own rank of 1 is in the sum.
        among = 0.5 + ops.sum(only(ops.expand_dims(same, 1), ahead), axis=2)
        behind = ops.sum(only(ops.expand_dims(different, 1), ahead), axis=2)
        return 1 - math.masked_mean(among / (among + behind), same), some(same)


fast_ap = function_of(FastAP)
smooth_ap = function_of(SmoothAP)
