"""Inputs on which a peer is wrong: losses over embeddings, views and lists."""

import math

import numpy as np

from tests.peers import _data as d
from tests.peers._embeddings import by_anchor, jax_triplets
from tests.peers._lazy import load
from tests.peers._row import fault, plain
from tests.peers.metric_learning import LOSS, RATIO, SQUARED
from tests.peers.ranking import KERAS, per_list
from tests.peers.segmentation import in_float32

# Two of an id and one of another, all of length 1.
IDS = [0, 0, 1]
FAN = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]
ACROSS = [[1.0, 0.0], [-0.6, 0.8], [0.8, 0.6]]
ONE_DIMENSION = [[0.0], [1.0], [-1.5]]
# Three near the x axis and three near the y axis: each is nearest to those of its id.
SPLIT = [[1.0, 0.0], [0.96, 0.28], [0.936, 0.352], [0.0, 1.0], [0.28, 0.96], [0.352, 0.936]]
HALF = math.log(1 + math.exp(-1)) + 0.5


def slope_of_circle(gamma, margin):
    """The slope of the sum over the two anchors of `FAN` with a positive, the weights of the pairs constants."""
    x, total = np.array(FAN), np.zeros((3, 2))
    for anchor, positive, negative in ((0, 1, 2), (1, 0, 2)):
        near, far = x[anchor] @ x[positive], x[anchor] @ x[negative]
        pull, push = gamma * (1 + margin - near), gamma * (far + margin)
        outer = 1 / (1 + math.exp(pull * (near - 1 + margin) - push * (far - margin)))
        for other, rate in ((positive, -outer * pull), (negative, outer * push)):
            total[anchor] += rate * x[other]
            total[other] += rate * x[anchor]
    return total


def of_two_parts(peer, y_true, y_pred):
    return peer(y_pred[:, 0], ref_emb=y_pred[:, 1])


def of_ndcg(peer, y_true, y_pred):
    return 1 + per_list(peer(load("rax.ndcg_metric")), y_true, y_pred)


FAULTS = [
    fault(
        "NTXent",
        LOSS + "NTXentLoss",
        {"temperature": 0.01},
        {"temperature": 0.01},
        "saturates in float32: what costs more than 87.3 costs that, and has no gradient",
        (IDS, ACROSS),
        right=(140 + 60) / 2,
        mean=True,
        call=in_float32(plain),
    ),
    fault(
        "NTXent",
        "optax.losses.ntxent",
        {},
        {},
        "NaN where no two ids are equal",
        ([0, 1, 2], FAN),
        right=0.0,
        slope=np.zeros((3, 2)),
        mean=True,
    ),
    fault(
        "NeighborhoodComponents",
        LOSS + "NCALoss",
        {},
        {"distance": SQUARED},
        "NaN where no two ids are equal",
        ([0, 1, 2], FAN),
        right=0.0,
        slope=np.zeros((3, 2)),
        mean=True,
    ),
    fault(
        "NeighborhoodComponents",
        LOSS + "NCALoss",
        {},
        {"distance": SQUARED},
        "drops the anchors that are most wrong, whose probability underflows: 1600 - 1 for the first",
        (IDS, [[0.0], [40.0], [1.0]]),
        right=(1599 + 79) / 2,
        mean=True,
    ),
    fault(
        "SupervisedContrastive",
        LOSS + "SupConLoss",
        {"temperature": 1.0},
        {"temperature": 1.0},
        "0, without a gradient, where all are of one id",
        ([0, 0, 0], [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]),
        right=(2 * HALF + math.log(2)) / 3,
        mean=True,
    ),
    fault(
        "Angular",
        LOSS + "AngularLoss",
        {"alpha": 45.0},
        {"alpha": 45},
        "normalises anchors and positives, and not the negatives",
        (IDS, [[1.0, 0.0], [1.0, 0.0], [3.0, 4.0]]),
        right=math.log(1 + math.exp(0.8)),
        mean=True,
    ),
    fault(
        "SmoothAP",
        LOSS + "SmoothAPLoss",
        {},
        {},
        "takes the number of ids for the number of samples of each: a perfect order costs, unless the two are equal",
        ([0, 0, 0, 1, 1, 1], SPLIT),
        right=0.0,
        mean=True,
    ),
    fault(
        "SmoothAP",
        LOSS + "SmoothAPLoss",
        {},
        {},
        "takes neighbours in the batch for samples of one id",
        ([0, 1, 0, 1], [[1.0, 0.0], [0.0, 1.0], [0.96, 0.28], [0.28, 0.96]]),
        right=0.0,
        mean=True,
    ),
    fault(
        "Histogram",
        LOSS + "HistogramLoss",
        {},
        {},
        "a cosine of 1 is beyond its last bin",
        (IDS, [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
        right=0.0,
        mean=True,
    ),
    fault(
        "SignalToNoiseRatio",
        LOSS + "SignalToNoiseRatioContrastiveLoss",
        {},
        {"distance": RATIO},
        "divides by the variance of an embedding whose features are all equal",
        (IDS, [[1.0, 1.0], [1.0, 2.0], [2.0, 0.0]]),
        right=np.array([0.0, 0.5, 0.0]),
        call=by_anchor,
    ),
    fault(
        "TripletMargin",
        LOSS + "TripletMarginLoss",
        {"margin": 0.05, "normalize": True},
        {},
        "the length of a zero vector has a gradient of 1e12, which is the end of the model",
        (IDS, [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
        slope=np.zeros((3, 2)),
        call=by_anchor,
    ),
    fault(
        "TripletMargin",
        "optax.losses.triplet_margin_loss",
        {},
        {"norm_degree": 1},
        "takes powers of the difference and not of its absolute value: the distance 1 counts as -1",
        (IDS, ONE_DIMENSION),
        right=np.array([0.5, 0.0, 0.0]),
        call=jax_triplets,
    ),
    fault(
        "TripletMargin",
        "optax.losses.triplet_margin_loss",
        {},
        {"norm_degree": 3},
        "NaN for the root of a power of a negative difference",
        (IDS, ONE_DIMENSION),
        right=np.array([0.5, 0.0, 0.0]),
        call=jax_triplets,
    ),
    fault(
        "Circle",
        "keras.losses.Circle",
        {"gamma": 2.0},
        KERAS | {"gamma": 2.0},
        "the gradient goes through the weights of the pairs, which are constants in the paper",
        (IDS, FAN),
        slope=slope_of_circle(2.0, 0.4),
        call=d.keras_style,
    ),
    fault(
        "VICReg",
        LOSS + "VICRegLoss",
        {},
        {},
        "NaN for a batch of one sample",
        ([0], [[[1.0, 0.5], [2.0, 1.0]]]),
        right=0.0,
        slope=np.zeros((1, 2, 2)),
        call=of_two_parts,
        mean=True,
    ),
    fault(
        "ListMLE",
        "keras_rs.losses.ListMLELoss",
        {},
        KERAS,
        "adds 1e-10 within the logarithm: a clear, right order costs 27, and its items are drawn together",
        ([[1.0, 0.0]], [[50.0, 0.0]]),
        right=np.zeros(1),
        slope=np.zeros((1, 2)),
        call=d.keras_style,
    ),
    fault(
        "ListMLE",
        "keras_rs.losses.ListMLELoss",
        {},
        KERAS,
        "items of one relevance are to keep the order in which they come",
        ([[1.0, 1.0]], [[0.0, 2.0]]),
        right=np.zeros(1),
        slope=np.zeros((1, 2)),
        call=d.keras_style,
    ),
    fault(
        "PairwiseLogistic",
        "keras_rs.losses.PairwiseLogisticLoss",
        {},
        KERAS,
        "equal scores have gradient 0: a model that starts at a constant learns nothing",
        ([[1.0, 0.0]], [[0.0, 0.0]]),
        right=np.array([math.log(2)]),
        slope=np.array([[-0.5, 0.5]]),
        call=lambda peer, y_true, y_pred: peer(y_true, y_pred).sum(-1),
    ),
    fault(
        "PairwiseLogistic",
        "keras_rs.losses.PairwiseLogisticLoss",
        {},
        KERAS,
        "NaN for padding with a score of minus infinity",
        ([[1.0, 0.0, -1.0]], [[0.0, 0.0, -math.inf]]),
        right=np.array([math.log(2)]),
        slope=np.array([[-0.5, 0.5, 0.0]]),
        call=lambda peer, y_true, y_pred: peer(y_true, y_pred).sum(-1),
    ),
    fault(
        "PairwiseLogistic",
        "rax.pairwise_logistic_loss",
        {},
        {},
        "NaN gradients for padding with a score of minus infinity",
        ([[1.0, 0.0, -1.0]], [[0.0, 0.0, -math.inf]]),
        right=np.array([math.log(2)]),
        slope=np.array([[-0.5, 0.5, 0.0]]),
        call=per_list,
    ),
    fault(
        "ApproxNDCG",
        "rax.approx_t12n",
        {"temperature": 1.0},
        {"temperature": 1.0},
        "needs `jax.util`, which JAX no longer has",
        ([[1.0, 0.0]], [[0.0, 0.0]]),
        right=np.array([1 - 1 / math.log2(2.5)]),
        call=of_ndcg,
    ),
]
