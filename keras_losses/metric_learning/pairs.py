"""What the losses over pairs share: who is a partner of whom, and how far they are from each other."""

from typing import Any, ClassVar

from keras import ops

from keras_losses import math
from keras_losses.core.batch_loss import BatchLoss
from keras_losses.core.spec import label, real
from keras_losses.math.vectors import Distance
from keras_losses.metric_learning import blocks


class PairLoss(BatchLoss):
    """Base of the losses of each embedding of a batch, the anchor, against all others, or against a second set.

    A subclass writes `rows`, a formula on rows of the matrix of distances. A positive of an anchor is another embedding of
    its id, a negative is one of another id; what is masked, or of weight 0, is neither, and no anchor.
    """

    y_true = label("B", classes=None)
    y_pred = real("B D")
    ref_labels = label("M", classes=None)
    ref_embeddings = real("M D")

    #: How far two embeddings are from each other; `"dot"` of vectors of length 1 is minus the cosine.
    distance: ClassVar[Any] = "dot"
    #: Embeddings are divided by their lengths first.
    normalize: ClassVar[Any] = True
    #: An embedding is no positive of itself.
    leaves_itself_out: ClassVar[Any] = True
    #: `slope(self, d, same, different)`, the derivative of the values of `rows` with respect to `d`, is what a large batch is
    #: walked in blocks with; without it the matrix of all pairs is held.
    slope: ClassVar[Any] = None
    #: Whether `rows` takes a cube of triplets, `(N, M, M)`: see `triplets.py`.
    takes_triplets: ClassVar[Any] = False

    def rows(self, d: Any, same: Any, different: Any) -> tuple[Any, Any]:
        """The values of anchors and which of them count.

        Args:
            d: `(N, M)`, the distances of the anchors to all others.
            same, different: `(N, M)`, which of these are positives and negatives.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `rows(self, d, same, different)`.")

    def distances(self, x: Any, y: Any) -> Any:
        """`(N, M)`, the distances of the rows of `x` to those of `y`."""
        if self.normalize and self.distance != "cosine":
            one = math.normalize(x)
            x, y = one, one if y is x else math.normalize(y)
        return math.pairwise_distance(x, y, self.distance)

    def call(self, y_true, y_pred, ref_labels=None, ref_embeddings=None, mask=None):
        if mask is not None:
            mask = ops.logical_and(mask, ops.ones_like(y_true, dtype="bool"))  # one for all becomes one for each
        if ref_labels is None and ref_embeddings is None:
            return self.compare(y_pred, y_true, y_pred, y_true, mask, mask, self.leaves_itself_out)
        others = y_pred if ref_embeddings is None else ref_embeddings
        ids = y_true if ref_labels is None else ops.reshape(ref_labels, (-1,))
        sizes = {ids.shape[0], others.shape[0]} - {None}
        if len(others.shape) != 2 or others.shape[1] != y_pred.shape[1] or len(sizes) > 1:
            raise ValueError(
                f"{self.name}: ref_labels with shape {tuple(ids.shape)} and ref_embeddings with shape {tuple(others.shape)} "
                f"must be (M,) and (M, {y_pred.shape[1]})."
            )
        return self.compare(y_pred, y_true, others, ids, mask)

    def compare(self, x, x_ids, y, y_ids, anchors=None, partners=None, one_set=False) -> tuple[Any, Any]:
        """The values of the anchors `x` against the partners `y`, and which of them count.

        Args:
            x, y: `(N, D)` and `(M, D)`, embeddings.
            x_ids, y_ids: `(N,)` and `(M,)`, their ids.
            anchors, partners: `(N,)` and `(M,)`, which of them count; None: all.
            one_set: `y` is `x`, or begins with it, and an embedding is no partner of itself.
        """
        if blocks.are_needed(self, x, y):
            return blocks.compare(self, x, x_ids, y, y_ids, anchors, partners, one_set)
        same, different = self.relations(x_ids, y_ids, anchors, partners, one_set)
        return self.rows(self.distances(x, y), same, different)

    def relations(self, x_ids, y_ids, anchors=None, partners=None, one_set=False) -> tuple[Any, Any]:
        """`(N, M)` each: which partners are positives, and which are negatives."""
        same = ops.equal(ops.expand_dims(x_ids, 1), ops.expand_dims(y_ids, 0))
        different = ops.logical_not(same)
        if one_set:
            same = ops.logical_and(same, ops.logical_not(math.diagonal(same)))
        for counts, axis in ((anchors, 1), (partners, 0)):
            if counts is not None:
                same, different = (ops.logical_and(x, ops.expand_dims(counts, axis)) for x in (same, different))
        return same, different


class DistanceLoss(PairLoss):
    """Base of the losses that leave the distance to the user.

    Args:
        distance: `"euclidean"`, `"squared_euclidean"`, `"cosine"` (1 - cosine) or `"dot"` (minus the inner product).
        normalize: embeddings are divided by their lengths first; cosine always does.
    """

    distance: Distance = "euclidean"
    normalize: bool = False


def some(same: Any) -> Any:
    """Which rows have a true entry."""
    return ops.any(same, axis=1)


def both(same: Any, different: Any) -> Any:
    """Which anchors have a positive and a negative."""
    return ops.logical_and(some(same), some(different))


def count(mask: Any, like: Any) -> Any:
    """How many entries of each row are true, `(N, 1)`, of the dtype of `like`."""
    return ops.sum(ops.cast(mask, like.dtype), axis=1, keepdims=True)


def only(valid: Any, x: Any) -> Any:
    """`x` where an anchor counts; 0 elsewhere, where stand-ins for missing partners would make it huge."""
    return ops.where(valid, x, ops.zeros_like(x))


def mean_of_pairs(near: Any, apart: Any, same: Any, different: Any) -> tuple[Any, Any]:
    """The mean over all partners of an anchor, `near` of positives and `apart` of negatives, and which anchors have any."""
    partners = count(same, near) + count(different, near)
    total = ops.sum(only(same, near), axis=1, keepdims=True) + ops.sum(only(different, apart), axis=1, keepdims=True)
    return ops.squeeze(math.safe_divide(total, partners), 1), ops.squeeze(partners > 0, 1)


def slope_of_pairs(near: Any, apart: Any, same: Any, different: Any) -> Any:
    """The slope of `mean_of_pairs`, from the slopes of its terms."""
    return math.safe_divide(ops.where(same, near, only(different, apart)), count(ops.logical_or(same, different), near))


def share(logits: Any, mask: Any, total: Any) -> Any:
    """`exp(logits - total)` of what `mask` lets through: what is the slope of a logsumexp `total`, 0 elsewhere."""
    return ops.where(mask, ops.exp(ops.where(mask, logits - total, ops.zeros_like(logits))), ops.zeros_like(logits))
