"""Metric learning: embeddings and their ids."""

import numpy as np

from tests.peers import _data as d
from tests.peers import _embeddings as e
from tests.peers._embeddings import PML
from tests.peers._lazy import F, torch
from tests.peers._row import Peer, rows

LOSS = PML + "losses."


def lp(power=1, normalize=False):
    return Peer(PML + "distances.LpDistance", {"normalize_embeddings": normalize, "power": power})


DOT = Peer(PML + "distances.DotProductSimilarity", {"normalize_embeddings": False})
RATIO = Peer(PML + "distances.SNRDistance", {"normalize_embeddings": False})
COSINE = Peer(PML + "distances.CosineSimilarity", {})
EUCLIDEAN, SQUARED, CHORD = lp(), lp(power=2), lp(normalize=True)

embeddings = d.pair(d.ids(3, 9), d.normal(9, 5, scale=0.8))
uneven = d.pair(lambda rng: rng.permutation([0, 0, 0, 0, 1, 1, 1, 2, 2]), d.normal(9, 5, scale=0.8))
two_a_class = d.pair(d.ids(4, 8), d.normal(8, 5))
# Two sets of embeddings, side by side on axis 1, with the same ids: half of them positives of any anchor.
two_sets = d.pair(d.ids(2, 6), d.normal(6, 2, 5, scale=0.8))
matched = d.pair(lambda rng: np.arange(6), d.normal(6, 2, 5))
views = d.pair(lambda rng: np.arange(4), d.normal(4, 3, 5))


def cosines(x, y):
    return F.normalize(x, dim=-1) @ F.normalize(y, dim=-1).T


def info_nce(y_true, y_pred, temperature):
    """He et al. 2020, equation 1, over the batch: the mean over the later views."""
    own = torch.arange(len(y_pred))
    later = range(1, y_pred.shape[1])
    return sum(F.cross_entropy(cosines(y_pred[:, 0], y_pred[:, v]) / temperature, own, reduction="none") for v in later) / len(
        later
    )


def multiple_negatives(y_true, y_pred, scale):
    """Henderson et al. 2017, with hard negatives as further candidates."""
    candidates = torch.cat([y_pred[:, v] for v in range(1, y_pred.shape[1])])
    return F.cross_entropy(scale * cosines(y_pred[:, 0], candidates), torch.arange(len(y_pred)), reduction="none")


def smooth_ap(y_true, y_pred, temperature):
    """Brown et al. 2020, query by query, the query left out of its list."""
    near, values = cosines(y_pred, y_pred), []
    for i in range(len(y_pred)):
        others = [j for j in range(len(y_pred)) if j != i]
        positives = [j for j in others if y_true[j] == y_true[i]]

        def rank(p, among):
            return 1 + sum(torch.sigmoid((near[i, j] - near[i, p]) / temperature) for j in among if j != p)

        values.append(1 - sum(rank(p, positives) / rank(p, others) for p in positives) / len(positives))
    return torch.stack(values)


def n_pairs(y_true, y_pred):
    """Sohn 2016, for each positive of an anchor."""
    near = (y_pred @ y_pred.T).exp()
    same = y_true[:, None] == y_true[None, :]
    others = (near * ~same).sum(1, keepdim=True)
    positive = same & ~torch.eye(len(same), dtype=torch.bool)
    return ((1 + others / near).log() * positive).sum(1) / positive.sum(1)


PAIRS = [
    *rows(
        "Contrastive",
        LOSS + "ContrastiveLoss",
        embeddings,
        ({}, {"distance": EUCLIDEAN}),
        ({"margin": 2.0, "normalize": True}, {"neg_margin": 2.0, "distance": CHORD}),
        ({"margin": 0.7, "distance": "cosine"}, {"pos_margin": 1, "neg_margin": 0.3, "distance": COSINE}),
        call=e.by_squared,
        note="its terms are not squared, against the paper; here they are squared and halved. Its reducer leaves out zeros",
    ),
    *rows(
        "Margin",
        LOSS + "MarginLoss",
        two_sets,
        ({}, {"distance": EUCLIDEAN}),
        ({"margin": 0.3, "beta": 0.9, "normalize": True}, {"margin": 0.3, "beta": 0.9, "distance": CHORD}),
        call=e.half_of_two_sets,
        our_call=e.given_two_sets,
        note="means over triplets, a term of each sum of two: twice the mean over pairs where there are as many of both kinds, "
        "as in two sets of two classes. Its reducer divides by the terms that are not 0",
    ),
    *rows(
        "MultiSimilarity",
        LOSS + "MultiSimilarityLoss",
        uneven,
        ({"base": 0.5}, {}),
        ({"alpha": 1.0, "beta": 20.0}, {"alpha": 1, "beta": 20, "base": 1}),
        call=e.by_anchor,
    ),
    *rows(
        "Circle",
        LOSS + "CircleLoss",
        uneven,
        ({}, {}),
        ({"gamma": 20.0, "margin": 0.25}, {"gamma": 20, "m": 0.25}),
        call=e.by_anchor,
        our_call=e.our_unit_vectors,
        note="normalises the embeddings, which ours expects to be of length 1",
    ),
    *rows(
        "SignalToNoiseRatio",
        LOSS + "SignalToNoiseRatioContrastiveLoss",
        uneven,
        ({}, {"distance": RATIO}),
        ({"margin": 3.0}, {"neg_margin": 3, "distance": RATIO}),
        call=e.by_anchor,
        note="its default normalises the embeddings, which the paper does not",
    ),
]

TRIPLETS = [
    *rows(
        "TripletMargin",
        LOSS + "TripletMarginLoss",
        uneven,
        ({}, {"margin": 1, "distance": EUCLIDEAN}),
        ({"margin": 0.2, "distance": "cosine"}, {"margin": 0.2, "distance": COSINE}),
        (
            {"margin": 0.2, "distance": "squared_euclidean", "normalize": True},
            {"margin": 0.2, "distance": lp(2, normalize=True)},
        ),
        ({"soft": True}, {"margin": 0, "smooth_loss": True, "distance": EUCLIDEAN}),
        call=e.by_anchor,
        note="keeps the margin in its soft form; its reducer leaves out zeros",
    ),
    *rows(
        "TripletMargin",
        LOSS + "TripletMarginLoss",
        uneven,
        ({"mining": "hard"}, {"margin": 1, "distance": EUCLIDEAN}),
        ({"mining": "hard", "margin": 0.3, "distance": "cosine"}, {"margin": 0.3, "distance": COSINE}),
        ({"mining": "hard", "soft": True}, {"margin": 0, "smooth_loss": True, "distance": EUCLIDEAN}),
        call=e.mined("BatchHardMiner"),
        note="`mining='hard'` is its `BatchHardMiner`, `'easy'` its `BatchEasyHardMiner('easy', 'hard')`",
    ),
    *rows(
        "TripletMargin",
        LOSS + "TripletMarginLoss",
        uneven,
        ({"mining": "easy"}, {"margin": 1, "distance": EUCLIDEAN}),
        call=e.mined("BatchEasyHardMiner", pos_strategy="easy", neg_strategy="hard"),
    ),
    *rows(
        "TripletMargin",
        "torch.nn.TripletMarginLoss",
        uneven,
        ({}, {"eps": 1e-12, "reduction": "none"}),
        ({"margin": 0.4}, {"margin": 0.4, "eps": 1e-12, "reduction": "none"}),
        call=e.given_triplets,
    ),
    *rows(
        "TripletMargin",
        "torch.nn.TripletMarginLoss",
        uneven,
        ({"mining": "semihard"}, {"eps": 1e-12, "reduction": "none"}),
        ({"mining": "semihard", "margin": 0.1}, {"margin": 0.1, "eps": 1e-12, "reduction": "none"}),
        call=e.semihard,
        note="takes triplets; the rows of `mining='semihard'` hand it those of Schroff et al. 2015",
    ),
    *rows(
        "TripletMargin",
        "optax.losses.triplet_margin_loss",
        uneven,
        ({}, {"eps": 0.0}),
        ({"margin": 0.5}, {"margin": 0.5, "eps": 0.0}),
        call=e.jax_triplets,
    ),
    *rows(
        "LiftedStructure",
        LOSS + "LiftedStructureLoss",
        uneven,
        ({}, {"distance": EUCLIDEAN}),
        ({"margin": 2.0, "normalize": True}, {"neg_margin": 2, "distance": CHORD}),
        call=e.by_anchor,
    ),
    *rows(
        "GeneralizedLiftedStructure",
        LOSS + "GeneralizedLiftedStructureLoss",
        uneven,
        ({}, {"distance": EUCLIDEAN}),
        ({"margin": 0.5, "normalize": True}, {"neg_margin": 0.5, "distance": CHORD}),
        call=e.by_anchor,
    ),
    *rows(
        "Angular",
        LOSS + "AngularLoss",
        uneven,
        ({}, {}),
        ({"alpha": 55.0}, {"alpha": 55}),
        call=e.of_unit_vectors,
        note="does not normalise the negatives; here it is given embeddings of length 1",
    ),
]

SOFTMAX = [
    *rows(
        "NPairs",
        LOSS + "NPairsLoss",
        matched,
        ({}, {"distance": DOT}),
        call=e.first_and_second,
        our_call=e.given_two_sets,
        note="takes one pair of each class: ours with the second ones as the second set. Its default normalises the embeddings",
    ),
    *rows("NPairs", ("formula (Sohn 2016)", n_pairs), uneven, ({}, {})),
    *rows(
        "SupervisedContrastive",
        LOSS + "SupConLoss",
        uneven,
        ({}, {}),
        ({"temperature": 0.5}, {"temperature": 0.5}),
        call=e.by_anchor,
    ),
    *rows(
        "NTXent",
        LOSS + "NTXentLoss",
        uneven,
        ({}, {"temperature": 0.1}),
        ({"temperature": 0.5}, {"temperature": 0.5}),
        call=e.by_anchor,
    ),
    *rows("NTXent", LOSS + "NTXentLoss", views, ({"temperature": 0.07}, {}), call=e.of_views),
    *rows("NTXent", "optax.losses.ntxent", embeddings, ({"temperature": 0.07}, {}), mean=True),
    *rows("NTXent", "optax.losses.ntxent", views, ({"temperature": 0.3}, {"temperature": 0.3}), call=e.jax_views, mean=True),
    *rows(
        "InfoNCE",
        LOSS + "NTXentLoss",
        matched,
        ({}, {}),
        ({"temperature": 0.5}, {"temperature": 0.5}),
        call=e.by_anchor_of_two_sets,
        note="with the later view as its `ref_emb`",
    ),
    *rows("InfoNCE", ("formula (He 2020)", info_nce), views, ({"temperature": 0.2}, {"temperature": 0.2})),
    *rows(
        "MultipleNegativesRanking",
        ("formula (Henderson 2017)", multiple_negatives),
        views,
        ({}, {"scale": 20.0}),
        ({"temperature": 0.5}, {"scale": 2.0}),
    ),
    *rows(
        "NeighborhoodComponents",
        LOSS + "NCALoss",
        uneven,
        ({}, {"distance": SQUARED}),
        ({"normalize": True}, {}),
        ({"distance": "cosine"}, {"distance": COSINE}),
        call=e.by_anchor,
    ),
    *rows(
        "SoftNearestNeighbor",
        LOSS + "NCALoss",
        uneven,
        ({"temperature": 2.0}, {"softmax_scale": 0.5, "distance": SQUARED}),
        call=e.by_anchor,
        note="is it with the squared euclidean distance and the scale 1 / temperature",
    ),
]

RANKS = [
    *rows("FastAP", LOSS + "FastAPLoss", uneven, ({}, {}), ({"num_bins": 5}, {"num_bins": 5}), call=e.by_anchor),
    *rows(
        "SmoothAP",
        ("formula (Brown 2020)", smooth_ap),
        uneven,
        ({}, {"temperature": 0.01}),
        ({"temperature": 0.2}, {"temperature": 0.2}),
    ),
    *rows(
        "Histogram",
        LOSS + "HistogramLoss",
        embeddings,
        ({}, {}),
        ({"num_bins": 20}, {"n_bins": 20}),
        mean=True,
        note="one histogram of all negatives: the mean of ours where all anchors have as many",
    ),
]

ROWS = [*PAIRS, *TRIPLETS, *SOFTMAX, *RANKS]
