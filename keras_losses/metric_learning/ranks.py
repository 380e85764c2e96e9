"""Average precision of the list that an anchor makes of the others, made smooth."""

from typing import Annotated

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive, Range
from keras_losses.core.function import function_of
from keras_losses.metric_learning import triplets
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
    its own list. O(N^3) time; memory is linear in N per block of anchors, where a batch is large.

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

    takes_triplets = True

    def rows(self, d, same, different, pieces=False):
        return triplets.mean(self, d, same, different, pieces), some(same)

    def slope(self, d, same, different):
        return triplets.slope(self, d, same, different)

    def each(self, near, d, same, different):
        among, behind, _ = self.ranks(near, d, same, different)
        return behind / (among + behind)

    def each_slope(self, near, d, same, different):
        among, behind, ahead = self.ranks(near, d, same, different)
        rate = ahead * (1 - ahead) / self.temperature
        of_each = ops.where(ops.expand_dims(same, 1), -ops.expand_dims(behind, 2), ops.expand_dims(among, 2))
        partner = ops.expand_dims(ops.logical_or(same, different), 1)
        return only(partner, rate * of_each / ops.expand_dims(ops.square(among + behind), 2))

    def ranks(self, near, d, same, different):
        """Of positives at distances `near` `(N, P)`: R+, the negatives ahead of them, and who is, softly, `(N, P, M)`."""
        ahead = ops.sigmoid((ops.expand_dims(near, 2) - ops.expand_dims(d, 1)) / self.temperature)
        # The positive itself ties with itself: 1/2 of its own rank of 1 is in the sum.
        among = 0.5 + ops.sum(only(ops.expand_dims(same, 1), ahead), axis=2)
        return among, ops.sum(only(ops.expand_dims(different, 1), ahead), axis=2), ahead


fast_ap = function_of(FastAP)
smooth_ap = function_of(SmoothAP)
