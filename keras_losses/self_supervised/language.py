"""Losses of matched images and texts: CLIP, SigLIP."""

from typing import Any

from keras import ops

from keras_losses import math
from keras_losses.core.batch_loss import BatchLoss
from keras_losses.core.fields import Positive
from keras_losses.core.function import function_of
from keras_losses.core.spec import real, unused
from keras_losses.metric_learning.pairs import PairLoss, only, some
from keras_losses.metric_learning.softmax import SupervisedContrastive
from keras_losses.self_supervised.views import of_batch, which_count


class Matched(BatchLoss):
    """Base of losses of B images, view 0, and their B texts, view 1: a subclass writes `call` of the two, and their ids."""

    temperature: Positive = 0.07

    y_true = unused("B")
    y_pred = real("B 2 D")
    log_temperature = real("1")

    def sides(self, y_pred: Any, log_temperature: Any) -> tuple[Any, Any, Any]:
        """Images, texts and their ids: the inner product of two is their cosine, divided by the temperature."""
        image, text = math.normalize(y_pred[:, 0]), math.normalize(y_pred[:, 1])
        image = image / self.temperature if log_temperature is None else image * ops.exp(-log_temperature)
        return image, text, math.row_numbers(y_pred)

    def call(self, y_true, y_pred, log_temperature=None, mask=None):
        raise NotImplementedError


class _Softmax(SupervisedContrastive):
    """The cross-entropy of the one positive of each anchor among all partners, by inner products."""

    normalize = False


class _Sigmoid(PairLoss):
    """The sum over all partners of the binary cross-entropy of being the positive, by inner products."""

    normalize = False

    def rows(self, d, same, different):
        # The positive apart: XLA would make one sum of all entries, in which the many of 1e-5 get lost beside those of ten.
        own, positive = ops.sum(only(same, d), axis=1), some(same)
        return only(positive, math.softplus(own)) + ops.sum(only(different, math.softplus(-d)), axis=1), positive

    def slope(self, d, same, different):
        return ops.where(same, ops.sigmoid(d), only(different, -ops.sigmoid(-d)))


_SOFTMAX, _SIGMOID = _Softmax(temperature=1.0), _Sigmoid()


class CLIP(Matched):
    """Cross-entropy of each image with its own text among all texts, and the reverse.

    Formula: with the cosine similarities s of images i and texts j, divided by `temperature`, `(log sum_j exp(s_ij) - s_ii +
    log sum_j exp(s_ji) - s_ii) / 2`. `layers.AddCLIP` learns the temperature.

    Args:
        temperature: > 0, divides similarities; 0.07 is where the paper's begins.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, 2, D)` embeddings of images and of texts, normalised
        here. When called directly, a tensor `log_temperature` takes the place of `temperature`.

    Returns:
        One value a sample, `(B,)`, reduced. A masked sample, or one of weight 0, is no negative of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> pairs = np.stack([np.eye(2), np.eye(2)], axis=1)  # log(1 + exp(-1 / temperature))
    >>> round(float(kl.CLIP(temperature=0.5)(np.zeros(2), pairs)), 4)
    0.1269

    Reference: A. Radford et al., Learning transferable visual models from natural language supervision, 2021,
    arXiv:2103.00020.
    """

    def call(self, y_true, y_pred, log_temperature=None, mask=None):
        counts = which_count(self, y_pred, mask)
        if y_pred.shape[0] == 0:
            return of_batch(0.0, y_pred), counts
        image, text, ids = self.sides(y_pred, log_temperature)
        of_image, _ = _SOFTMAX.compare(image, ids, text, ids, counts, counts)
        of_text, _ = _SOFTMAX.compare(text, ids, image, ids, counts, counts)
        return (of_image + of_text) / 2, counts


clip = function_of(CLIP)


class SigLIP(Matched):
    """Binary cross-entropy of every image and text: do they belong together?

    Formula: with the logits `z_ij = s_ij / temperature + bias` of the cosine similarity of image i and text j, `softplus(-z_ii)
    + sum_{j != i} softplus(z_ij)`: a sum over the texts, as in the paper. `layers.AddSigLIP` learns temperature and bias.

    Args:
        temperature: > 0, divides similarities; 0.1 is where the paper's begins.
        bias: added to the logits; -10 is where the paper's begins.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, 2, D)` embeddings of images and of texts, normalised
        here. When called directly, tensors `log_temperature` and `bias` take the place of the arguments.

    Returns:
        One value a sample, `(B,)`, reduced. A masked sample, or one of weight 0, is no negative of others either.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> pairs = np.stack([np.eye(2), np.eye(2)], axis=1)  # log(1 + exp(-1)) + log(1 + exp(-1))
    >>> round(float(kl.SigLIP(temperature=0.5, bias=-1.0)(np.zeros(2), pairs)), 4)
    0.6265

    Reference: X. Zhai et al., Sigmoid loss for language image pre-training, 2023, arXiv:2303.15343.
    """

    temperature: Positive = 0.1
    bias: float = -10.0

    def call(self, y_true, y_pred, log_temperature=None, bias=None, mask=None):
        counts = which_count(self, y_pred, mask)
        image, text, ids = self.sides(y_pred, log_temperature)
        # The bias as one more feature, so that its gradient is one of an embedding.
        one = ops.ones_like(image[:, :1])
        bias = one * (self.bias if bias is None else ops.cast(bias, image.dtype))
        image, text = ops.concatenate([image, one], axis=1), ops.concatenate([text, bias], axis=1)
        return _SIGMOID.compare(image, ids, text, ids, counts, counts)[0], counts


sig_lip = function_of(SigLIP)
