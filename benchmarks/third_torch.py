"""The same losses in packages for PyTorch: a function a package, named after it, that gives `{name of ours: function}`."""

import importlib
import itertools
import sys

import numpy as np

from tests.peers._lazy import load, open_bare

MMDET = "mmdet.models.losses."


def _plain(loss):
    """The order that PyTorch's losses have."""
    return lambda t, p: loss(p, t)


def _channels_first(loss):
    return lambda t, p: loss(p.movedim(-1, 1), t.movedim(-1, 1))


def _boxes(loss, **settings):
    return lambda t, p: loss(p.reshape(-1, 4), t.reshape(-1, 4), reduction="mean", **settings)


def _of_views(loss):
    """The mean over the pairs of views."""

    def mean(_, p):
        pairs = list(itertools.combinations(range(p.shape[1]), 2))
        return sum(loss(p[:, v], p[:, w]) for v, w in pairs) / len(pairs)

    return mean


def _of_width(make):
    """A loss that is made for a number of classes."""
    made = {}

    def mean(t, p):
        classes = p.shape[-1]
        made[classes] = made.get(classes) or make(classes)
        return made[classes](p, t)

    return mean


def _module(path):
    """A module of a package; where the package itself does not import, such as one built for another torch, without it."""
    top = path.split(".")[0]
    try:
        return importlib.import_module(path)
    except (ImportError, RuntimeError):
        for name in [name for name in sys.modules if name.split(".")[0] == top]:
            del sys.modules[name]
        open_bare(top)
        return importlib.import_module(path)


def _counts(classes):
    """The counts of the examples of our losses."""
    return [1000 / (c + 1) for c in range(classes)]


def torchvision():
    ops = _module("torchvision.ops")
    return {
        "BinaryFocalCrossentropy-logits": lambda t, p: ops.sigmoid_focal_loss(p, t, alpha=-1, gamma=2, reduction="mean"),
        "GIoU": _boxes(ops.generalized_box_iou_loss),
        "DIoU": _boxes(ops.distance_box_iou_loss),
        "CIoU": _boxes(ops.complete_box_iou_loss),
    }


def timm():
    loss = _module("timm.loss")

    def balanced(classes):
        counts = [2 - c / classes for c in range(classes)]
        return loss.DistributionBalancedLoss(class_counts=counts, num_samples=10)

    views = loss.JsdCrossEntropy(num_splits=4, alpha=12, smoothing=0)
    return {
        "AsymmetricMultilabel-logits": _plain(loss.AsymmetricLossMultiLabel(gamma_pos=0)),
        "AsymmetricSingleLabel-logits": _plain(loss.AsymmetricLossSingleLabel(gamma_pos=0)),
        "DistributionBalanced-logits": _of_width(balanced),
        "JensenShannonConsistency-logits": lambda t, p: views(p.movedim(1, 0).flatten(0, 1), t.repeat(p.shape[1])),
        "PolyCrossentropy-logits": _plain(loss.PolyCrossEntropy(epsilon=2.0)),
        "PolyFocalCrossentropy-logits": _plain(loss.PolyBinaryCrossEntropy(epsilon=1.0, gamma=2.0, alpha=None)),
        "TwoWay": _plain(loss.TwoWayLoss()),
        "ZLPR-logits": _plain(loss.ZlprLoss()),
    }


def monai():
    from monai import losses

    wasserstein = losses.GeneralizedWassersteinDiceLoss(1 - np.eye(2))
    return {
        "Dice": _channels_first(losses.DiceLoss()),
        "Jaccard": _channels_first(losses.DiceLoss(jaccard=True)),
        "Tversky": _channels_first(losses.TverskyLoss()),
        "GeneralizedDice": _channels_first(losses.GeneralizedDiceLoss()),
        "CategoricalFocalCrossentropy-logits": _plain(losses.FocalLoss(use_softmax=True, gamma=2.0)),
        "BinaryFocalCrossentropy-logits": _plain(losses.FocalLoss(gamma=2.0)),
        "GeneralizedWassersteinDice-logits": lambda t, p: wasserstein(p.movedim(-1, 1), t.unsqueeze(1)),
        "MatthewsCorrelation": _channels_first(losses.MCCLoss()),
        "BarlowTwins": _of_views(losses.BarlowTwinsLoss(lambd=5e-3)),
    }


def kornia():
    from kornia import losses

    def image(loss):  # an image of one row
        return lambda t, p: loss(p.permute(0, 2, 1).unsqueeze(2), t.permute(0, 2, 1)[:, 0].unsqueeze(1))

    return {
        "LovaszHinge": image(losses.lovasz_hinge_loss),
        "LovaszSoftmax-logits": lambda t, p: losses.lovasz_softmax_loss(p.movedim(-1, 1).unsqueeze(2), t.unsqueeze(1)),
        "SparseCategoricalFocalCrossentropy-logits": lambda t, p: losses.focal_loss(p, t, None, 2.0, "mean"),
    }


def mmdet():
    loss = lambda path: load(MMDET + path)  # noqa: E731
    harmonized, ones = loss("ghm_loss.GHMC")(bins=30), {}

    def ghm(t, p):
        ones[p.shape] = ones.get(p.shape, p.detach() * 0 + 1)
        return harmonized(p, t, ones[p.shape])

    def seesaw(classes):
        import torch

        settings = {"label_weights": None, "num_classes": classes, "p": 0.8, "q": 2.0, "eps": 1e-2, "reduction": "mean"}
        counts = torch.tensor(_counts(classes))
        return lambda p, t: loss("seesaw_loss.seesaw_ce_loss")(p, t, cum_samples=counts, **settings)

    return {
        "BalancedL1": _plain(loss("balanced_l1_loss.balanced_l1_loss")),
        "BoundedIoU": _boxes(loss("iou_loss.bounded_iou_loss")),
        "DistributionFocal-logits": lambda t, p: loss("gfocal_loss.distribution_focal_loss")(p, t, reduction="mean"),
        "GaussianFocal": _plain(loss("gaussian_focal_loss.gaussian_focal_loss")),
        "GradientHarmonized-logits": ghm,
        "IoU": _boxes(loss("iou_loss.iou_loss")),
        "QualityFocal-logits": _plain(loss("gfocal_loss.quality_focal_loss_tensor_target")),
        "SIoU": _boxes(loss("iou_loss.siou_loss"), neg_gamma=True),
        "Seesaw-logits": _of_width(seesaw),
        "Varifocal-logits": _plain(loss("varifocal_loss.varifocal_loss")),
    }


def holocron():
    from holocron.nn import functional

    return {"ComplementCrossentropy-logits": _plain(functional.complement_cross_entropy)}


def balanced_loss():
    from balanced_loss import Loss

    settings = {"loss_type": "cross_entropy", "beta": 0.999, "class_balanced": True}
    return {
        "ClassBalancedCrossentropy-logits": _of_width(lambda classes: Loss(samples_per_class=_counts(classes), **settings)),
    }


def pytorch_optimizer():
    from pytorch_optimizer.loss import bi_tempered, ldam

    return {
        "BiTemperedLogistic": lambda t, p: bi_tempered.bi_tempered_logistic_loss(p, t, t1=0.8, t2=1.4).mean(),
        "LDAM": _of_width(lambda classes: ldam.LDAMLoss(num_class_list=_counts(classes))),
    }


def pytorch_toolbelt():
    return {
        "BalancedBinaryCrossentropy-logits": _plain(load("pytorch_toolbelt.losses.balanced_bce.BalancedBCEWithLogitsLoss")()),
        "SoftF1": _plain(load("pytorch_toolbelt.losses.soft_f1.soft_micro_f1")),
        "Wing": _plain(load("pytorch_toolbelt.losses.wing_loss.WingLoss")(width=10.0, curvature=2.0)),
    }


def pytorch_metric_learning():
    from pytorch_metric_learning import distances, losses

    as_they_are = {"distance": distances.LpDistance(normalize_embeddings=False)}
    squared = {"distance": distances.LpDistance(normalize_embeddings=False, power=2)}
    redundancy = losses.VICRegLoss()
    return {
        "Circle": _plain(losses.CircleLoss()),
        "Contrastive": _plain(losses.ContrastiveLoss(**as_they_are)),
        "GeneralizedLiftedStructure": _plain(losses.GeneralizedLiftedStructureLoss(**as_they_are)),
        "MultiSimilarity": _plain(losses.MultiSimilarityLoss(base=0.5)),
        "NeighborhoodComponents": _plain(losses.NCALoss(**squared)),
        "SoftNearestNeighbor": _plain(losses.NCALoss(softmax_scale=1, **squared)),
        "SupervisedContrastive": _plain(losses.SupConLoss()),
        "VICReg": _of_views(lambda v, w: redundancy(v, ref_emb=w)),
    }


PACKAGES = (
    torchvision,
    timm,
    monai,
    kornia,
    mmdet,
    holocron,
    balanced_loss,
    pytorch_optimizer,
    pytorch_toolbelt,
    pytorch_metric_learning,
)
