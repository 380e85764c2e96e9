"""Decoupled contrastive learning: views of one sample attract, all other samples repel, and neither weakens the other."""

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.self_supervised.views import Views, how_many


class DecoupledContrastive(Views):
    """Contrastive loss of views without the positive pair in the denominator.

    Formula: for view v of sample i, with the cosine similarity s, `mean_{u != v} -w s(iv, iu) / temperature + log
    sum_{j != i, u} exp(s(iv, ju) / temperature)`, then the mean over the views. The weight w is 1, or with `sigma`, s_j =
    s(jv, ju) and the mean over the batch `2 - exp(s_i / sigma) / mean_j exp(s_j / sigma)`, which carries a gradient.

    Args:
        temperature: > 0, divides similarities.
        sigma: > 0, 0.5 in the paper: hard positives weigh more (DCLW). None: all weigh 1.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, V, D)` embeddings, V >= 2, normalised here.

    Returns:
        One value a sample, `(B,)`, reduced. A single sample does not count. A masked sample, or one of weight 0, is no
        negative of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> views = np.stack([np.eye(2), np.eye(2)], axis=1)  # log(2) - 1 / temperature
    >>> round(float(kl.DecoupledContrastive(temperature=0.5)(np.zeros(2), views)), 4)
    -1.3069

    Reference: C.-H. Yeh et al., Decoupled contrastive learning, 2022, arXiv:2110.06848.
    """

    temperature: Positive = 0.1
    sigma: Positive | None = None

    least_samples = 2
    least_views = 2

    def values(self, y_pred, counts):
        z = [math.normalize(y_pred[:, v]) for v in range(y_pred.shape[1])]
        total = 0.0
        for v, anchor in enumerate(z):
            pull = [self._pull(ops.sum(anchor * other, axis=-1), counts) for w, other in enumerate(z) if w != v]
            near = [anchor @ ops.transpose(other) for other in z]
            negative = ops.logical_and(ops.logical_not(math.diagonal(near[0])), ops.expand_dims(counts, 0))
            push = ops.concatenate(near, axis=1) / self.temperature
            push = math.masked_logsumexp(push, ops.concatenate([negative] * len(z), axis=1))
            total = total + sum(pull) / len(pull) + push
        return total / len(z)

    def _pull(self, similarity, counts):
        if self.sigma is None:
            return -similarity / self.temperature
        logit = similarity / self.sigma
        share = ops.exp(logit - math.masked_logsumexp(logit, counts, axis=0))
        return (how_many(counts, share) * share - 2) * similarity / self.temperature


decoupled_contrastive = function_of(DecoupledContrastive)
