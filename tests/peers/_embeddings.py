"""How losses over embeddings are called: peers so that their values are those of anchors, and ours with two sets."""

import numpy as np

from tests.peers import _lazy
from tests.peers._lazy import F, torch
from tests.peers._row import Peer

PML = "pytorch_metric_learning."


def given_two_sets(loss, y_true, y_pred):
    return loss(y_true, y_pred[:, 0], ref_labels=y_true, ref_embeddings=y_pred[:, 1])


def terms(peer, *args, **kwargs):
    """The terms that pytorch-metric-learning would reduce, and the anchors they belong to."""
    peer.reducer = _lazy.load(PML + "reducers.DoNothingReducer")()
    found = [part for part in peer(*args, **kwargs).values() if torch.is_tensor(part["losses"])]
    anchors = [part["indices"][0] if isinstance(part["indices"], (tuple, list)) else part["indices"] for part in found]
    return torch.cat([part["losses"].flatten() for part in found]), torch.cat(anchors)


def mean_of_anchors(values, anchors, like):
    total = torch.zeros(len(like), dtype=values.dtype).index_add(0, anchors, values)
    count = torch.zeros(len(like), dtype=values.dtype).index_add(0, anchors, torch.ones_like(values))
    return total / count.clamp(min=1)


def by_anchor(peer, y_true, y_pred):
    """The mean of an anchor's terms."""
    return mean_of_anchors(*terms(peer, y_pred, y_true), y_pred)


def by_squared(peer, y_true, y_pred):
    values, anchors = terms(peer, y_pred, y_true)
    return mean_of_anchors(values**2 / 2, anchors, y_pred)


def by_anchor_of_two_sets(peer, y_true, y_pred):
    x, ref = y_pred[:, 0], y_pred[:, 1]
    return mean_of_anchors(*terms(peer, x, y_true, ref_emb=ref, ref_labels=y_true.clone()), x)


def half_of_two_sets(peer, y_true, y_pred):
    """Its terms are sums of a pair's with a positive and one with a negative, of which there are as many."""
    return by_anchor_of_two_sets(peer, y_true, y_pred) / 2


def first_and_second(peer, y_true, y_pred):
    """The two sets as one batch, of which the peer takes the pair of each class."""
    ids = torch.cat([y_true, y_true])
    return mean_of_anchors(*terms(peer, torch.cat([y_pred[:, 0], y_pred[:, 1]]), ids), y_pred)


def of_unit_vectors(peer, y_true, y_pred):
    return by_anchor(peer, y_true, F.normalize(y_pred))


def our_unit_vectors(loss, y_true, y_pred):
    from keras_losses import math

    return loss(y_true, math.normalize(y_pred))


def of_views(peer, y_true, y_pred):
    """Every view an embedding of its own, with the id of its sample."""
    batch, count = y_pred.shape[:2]
    flat = y_pred.flatten(0, 1)
    return by_anchor(peer, torch.arange(batch).repeat_interleave(count), flat).reshape(batch, count)


def mined(miner, **settings):
    """With the triplets that a miner of the peer chooses."""

    def call(peer, y_true, y_pred):
        chosen = Peer(f"{PML}miners.{miner}", settings | {"distance": peer.distance}).load()(y_pred, y_true)
        return mean_of_anchors(*terms(peer, y_pred, y_true, indices_tuple=chosen), y_pred)

    return call


def triplets(ids, chosen=None):
    """Anchor, positive and negative of each triplet: all, or those of which `chosen(anchor, positive)` gives the negative."""
    count = range(len(ids))
    pairs = [(a, p) for a in count for p in count if a != p and ids[a] == ids[p]]
    if chosen:
        return [(a, p, chosen(a, p)) for a, p in pairs]
    return [(a, p, n) for a, p in pairs for n in count if ids[n] != ids[a]]


def given_triplets(peer, y_true, y_pred):
    """For a peer that takes three sets of embeddings."""
    a, p, n = torch.tensor(triplets(y_true.tolist())).T
    return mean_of_anchors(peer(y_pred[a], y_pred[p], y_pred[n]), a, y_pred)


def semihard(peer, y_true, y_pred):
    """The nearest negative that is farther than the positive, else the farthest."""
    apart, ids = torch.cdist(y_pred, y_pred).tolist(), y_true.tolist()

    def chosen(a, p):
        others = sorted((apart[a][n], n) for n in range(len(ids)) if ids[n] != ids[a])
        return next((n for distance, n in others if distance > apart[a][p]), others[-1][1])

    a, p, n = torch.tensor(triplets(ids, chosen)).T
    return mean_of_anchors(peer(y_pred[a], y_pred[p], y_pred[n]), a, y_pred)


def jax_triplets(peer, y_true, y_pred):
    import jax.numpy as jnp

    a, p, n = np.array(triplets(np.asarray(y_true).tolist())).T
    values = peer(y_pred[a], y_pred[p], y_pred[n])
    return jnp.zeros(len(y_pred)).at[a].add(values) / np.bincount(a, minlength=len(y_pred)).clip(1)


def jax_views(peer, y_true, y_pred):
    import jax.numpy as jnp

    batch, count = y_pred.shape[:2]
    return peer(y_pred.reshape(batch * count, -1), jnp.repeat(jnp.arange(batch), count))
