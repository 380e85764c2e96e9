"""Class imbalance and long tails."""

import numpy as np

from tests.peers import _data as d
from tests.peers._lazy import F, torch
from tests.peers._row import Ours, rows

COUNTS = (100, 40, 20, 10, 2)
LOGITS = {"from_logits": True}
COUNTED = LOGITS | {"class_counts": COUNTS}
NONE = {"reduction": "none"}
BALANCED = NONE | {"class_counts": list(COUNTS), "num_samples": 120, "focal_balance": 1.0}
FREQUENCIES = (0.5, 0.2, 0.1, 0.001, 0.0005)
SEESAW = NONE | {"label_weights": None, "cum_samples": np.array(COUNTS, float), "num_classes": 5, "eps": 1e-2}


def accumulated(peer, y_true, y_pred):
    """Its counts grow by those of the batch before they are used."""
    peer.accumulate = torch.tensor(COUNTS, dtype=torch.float64) - torch.bincount(y_true, minlength=5)
    return peer(y_pred, y_true)


def adjusted(y_true, y_pred, tau):
    """Menon et al. 2021, equation 10."""
    counts = torch.tensor(COUNTS, dtype=y_pred.dtype)
    return F.cross_entropy(y_pred + tau * (counts / counts.sum()).log(), y_true, reduction="none")


def balanced_softmax(y_true, y_pred, counts):
    """Ren et al. 2020, equation 4: exp(z) times the count, normalised."""
    unnormalised = torch.tensor(counts, dtype=y_pred.dtype) * y_pred.exp()
    chosen = unnormalised.gather(1, y_true[:, None])[:, 0]
    return -(chosen / unnormalised.sum(1)).log()


def equalized(y_true, y_pred, threshold):
    """Tan et al. 2020, equations 2 to 4, averaged over the classes."""
    foreground = y_true.sum(-1, keepdim=True) > 0
    rare = torch.tensor(FREQUENCIES) < threshold
    weight = 1 - (foreground & rare) * (1 - y_true)
    return (weight * F.binary_cross_entropy_with_logits(y_pred, y_true, reduction="none")).mean(-1)


def some_background(rng):
    y_true, y_pred = d.dense(8, 5)(rng)
    y_true[:2] = 0
    return y_true, y_pred


def both_classes(rng):
    return rng.permuted(np.tile([1.0, 0.0, 0.0, 0.0, 1.0], (6, 1)), axis=1), 2 * rng.normal(size=(6, 5))


def hardest(y_true, y_pred, k):
    """The mean of the k largest."""
    return F.cross_entropy(y_pred.movedim(-1, 1), y_true, reduction="none").flatten().topk(k).values.mean()


def weighed(peer, y_true, y_pred):
    """Element-wise, with the third argument, which of the elements are valid."""
    return peer(y_pred, y_true, torch.ones_like(y_pred)).mean(-1)


ROWS = [
    *rows(
        "ClassBalancedCrossentropy",
        "balanced_loss.Loss",
        d.sparse(8, 5),
        (COUNTED, {"loss_type": "cross_entropy", "beta": 0.999, "samples_per_class": list(COUNTS), "class_balanced": True}),
        (
            COUNTED | {"beta": 0.9},
            {"loss_type": "cross_entropy", "beta": 0.9, "samples_per_class": list(COUNTS), "class_balanced": True},
        ),
        mean=True,
    ),
    *rows(
        "LDAM",
        "pytorch_optimizer.loss.ldam.LDAMLoss",
        d.pair(d.ids(5, 8), d.uniform(8, 5, low=-1, high=1)),
        ({"class_counts": COUNTS}, {"num_class_list": list(COUNTS)}),
        ({"class_counts": COUNTS, "max_margin": 0.3, "scale": 10.0}, {"num_class_list": list(COUNTS), "max_m": 0.3, "s": 10.0}),
        mean=True,
    ),
    *rows(
        "LogitAdjustedCrossentropy",
        ("formula (Menon 2021)", adjusted),
        d.sparse(8, 5),
        (COUNTED, {"tau": 1.0}),
        (COUNTED | {"tau": 2.5}, {"tau": 2.5}),
    ),
    *rows(
        "BalancedSoftmax",
        ("formula (Ren 2020)", balanced_softmax),
        d.sparse(8, 5),
        (COUNTED, {"counts": COUNTS}),
        (LOGITS | {"class_counts": (1, 2, 3, 4, 5)}, {"counts": (1, 2, 3, 4, 5)}),
    ),
    *rows(
        "DistributionBalanced",
        "timm.loss.DistributionBalancedLoss",
        d.multilabel(6, 5),
        (COUNTED | {"num_samples": 120}, BALANCED | {"init_bias": 0.1}),
        (COUNTED | {"num_samples": 120, "prior_scale": 0.025, "gamma": 0.0}, BALANCED | {"focal_gamma": 0.0}),
        call=d.over_last,
        note="doubles its focal form, and divides its prior by `neg_scale`, as the authors' code does by mistake",
    ),
    *rows(
        "Seesaw",
        "mmdet.models.losses.seesaw_loss.seesaw_ce_loss",
        d.sparse(8, 5, scale=1.0),
        (COUNTED, SEESAW | {"p": 0.8, "q": 2.0}),
        (COUNTED | {"p": 0.5, "q": 0.0}, SEESAW | {"p": 0.5, "q": 0.0}),
    ),
    *rows(
        "Seesaw",
        "seesawloss.SeesawLoss",
        d.sparse(8, 5, scale=1.0),
        (COUNTED | {"p": 0.3, "q": 1.0}, {"num_classes": 5, "p": 0.3, "q": 1.0}),
        call=accumulated,
        mean=True,
        note="counts what it has seen, the batch at hand included",
    ),
    *rows(
        "Equalization",
        ("formula (Tan 2020)", equalized),
        some_background,
        (LOGITS | {"class_frequencies": FREQUENCIES, "threshold": 1.76e-3}, {"threshold": 1.76e-3}),
        (LOGITS | {"class_frequencies": FREQUENCIES, "threshold": 0.15}, {"threshold": 0.15}),
    ),
    *rows(
        "GradientHarmonized",
        "mmdet.models.losses.ghm_loss.GHMC",
        d.multilabel(6, 4),
        (LOGITS, NONE | {"bins": 30}),
        (LOGITS | {"bins": 5}, NONE | {"bins": 5}),
        call=weighed,
        note="its mean divides by all elements, as ours does",
    ),
    *rows(
        "BalancedBinaryCrossentropy",
        "pytorch_toolbelt.losses.balanced_bce.BalancedBCEWithLogitsLoss",
        both_classes,
        (LOGITS, {}),
        call=d.per_sample,
    ),
    *rows(
        "BalancedBinaryCrossentropy",
        "pytorch_toolbelt.losses.balanced_bce.BalancedBCEWithLogitsLoss",
        lambda rng: (both_classes(rng)[0], d.uniform(6, 5)(rng)),
        ({}, {}),
        call=d.logit_of(d.per_sample),
    ),
    *rows(
        "HardestK",
        ("formula (Shrivastava 2016)", hardest),
        d.sparse(4, 6, 5),
        ({"loss": Ours("SparseCategoricalCrossentropy", LOGITS), "k": 7}, {"k": 7}),
        ({"loss": Ours("SparseCategoricalCrossentropy", LOGITS), "k": 0.5}, {"k": 12}),
        mean=True,
    ),
]
