"""Segmentation: overlap, surrogates of the Jaccard index, distances."""

import numpy as np

from tests.peers import _data as d
from tests.peers._row import Ours, Peer, rows

NONE = {"reduction": "none"}
LOGITS = {"from_logits": True}
W = (0.5, 2.0, 1.0)
HARD = d.pair(d.one_hot(2, 6, 5, 3), d.uniform(2, 6, 5, 3))
TWO = d.pair(d.one_hot(2, 6, 5, 2), d.simplex(2, 6, 5, 2))
SOFT = d.pair(d.uniform(2, 6, 5, 3), d.uniform(2, 6, 5, 3))
LABELS = d.sparse(2, 6, 5, 3)
VOLUME = d.pair(d.one_hot(2, 4, 5, 3, 3), d.uniform(2, 4, 5, 3, 3))
BINARY = d.pair(d.bits(2, 6, 5, 1), d.uniform(2, 6, 5, 1))
SURFACE = d.pair(d.bits(2, 8, 7, 2), d.uniform(2, 8, 7, 2))
LINES = d.pair(d.bits(2, 12, 11, 2), d.uniform(2, 12, 11, 2))
DICE = Peer("monai.losses.DiceLoss", {"smooth_nr": 1.0, "smooth_dr": 1.0})
MATRIX = ((0.0, 1.0, 1.0), (1.0, 0.0, 0.5), (1.0, 0.5, 0.0))


def smooth(value):
    return NONE | {"smooth_nr": value, "smooth_dr": value}


def summed(value, **rest):
    """MONAI's Jaccard doubles numerator and denominator."""
    return smooth(2 * value) | {"jaccard": True} | rest


def by_sample(peer, y_true, y_pred):
    """A peer that sums the batch, with the classes on axis 1."""
    return d.each(peer, y_pred.movedim(-1, 1), y_true.movedim(-1, 1))


def labels_by_sample(peer, y_true, y_pred):
    return d.each(peer, y_pred.movedim(-1, 1), y_true)


def through_logits(peer, y_true, y_pred):
    """A peer that applies the sigmoid, a sample at a time."""
    return d.each(peer, y_pred.logit(), y_true)


def hinge_maps(peer, y_true, y_pred):
    """Logits (B, 1, H, W) and labels (B, H, W), an image at a time."""
    return d.each(peer, y_pred.movedim(-1, 1), y_true[..., 0])


def in_float32(call):
    """For a peer that mixes its own float32 with what it is given."""
    return lambda peer, y_true, y_pred: call(peer, y_true, y_pred.float())


def erosion(peer, y_true, y_pred):
    """Labels (B, 1, H, W); values (C, B, 1, H, W)."""
    return peer(y_pred.movedim(-1, 1), y_true.argmax(-1)[:, None]).movedim(1, 0).flatten(1).mean(1)


def dice_of(peer, y_true, y_pred):
    return peer(y_pred, y_true)


def unified(peer, y_true, y_pred):
    """Half of its focal part is ours, since it is averaged over the two classes: 3/4 of our loss with a weight of 1/3."""
    return d.each(peer, y_pred.movedim(-1, 1), y_true.movedim(-1, 1)) / 0.75


def of_labels(peer, y_true, y_pred):
    """Class ids, and predictions with the classes on axis 1; a mean over pixels."""
    return peer(y_pred.movedim(-1, 1), y_true.argmax(-1))


def exponential(y_true, y_pred, dice, crossentropy, gamma):
    """Wong et al. 2018, equations 1 to 3, with weights of 1 for the labels."""
    axes = tuple(range(1, y_true.ndim - 1))
    overlap = (2 * (y_true * y_pred).sum(axes) + 1) / (y_true.sum(axes) + y_pred.sum(axes) + 1)
    of_label = (y_true * y_pred).sum(-1)
    return dice * ((-overlap.log()) ** gamma).mean(-1) + crossentropy * ((-of_label.log()) ** gamma).mean(axes)


def sensitivity(y_true, y_pred, weight):
    """Brosch et al. 2015, equation 8."""
    axes, square = tuple(range(1, y_true.ndim - 1)), (y_true - y_pred) ** 2
    inside = (square * y_true).sum(axes) / y_true.sum(axes)
    outside = (square * (1 - y_true)).sum(axes) / (1 - y_true).sum(axes)
    return (weight * inside + (1 - weight) * outside).mean(-1)


def binary_maps(rng):
    y_true = d.bits(2, 6, 5, 1)(rng)
    return y_true, 2 * rng.normal(size=y_true.shape)


ROWS = [
    *rows(
        "Dice",
        "monai.losses.DiceLoss",
        HARD,
        ({"smooth": 1e-5}, smooth(1e-5)),
        ({"smooth": 1.0, "squared": True}, smooth(1.0) | {"squared_pred": True}),
        ({"smooth": 1e-5, "include_background": False}, smooth(1e-5) | {"include_background": False}),
        ({"smooth": 1e-5, "class_weight": W}, smooth(1e-5) | {"weight": np.array(W) / np.mean(W)}),
        call=d.over_classes,
        note="class weights are not divided by their sum there",
    ),
    *rows("Dice", "monai.losses.DiceLoss", VOLUME, ({"smooth": 0.1}, smooth(0.1)), call=d.over_classes),
    *rows(
        "Dice",
        "monai.losses.DiceLoss",
        SOFT,
        ({"smooth": 1e-5, "soft_label": True}, smooth(1e-5) | {"soft_label": True}),
        call=d.over_classes,
    ),
    *rows(
        "Dice",
        "segmentation_models_pytorch.losses.DiceLoss",
        HARD,
        ({"smooth": 1.0}, {"mode": "multilabel", "from_logits": False, "smooth": 0.5}),
        call=by_sample,
        note="sums the batch; its smoothing is half of ours",
    ),
    *rows(
        "Dice",
        "optax.losses.dice_loss",
        d.pair(d.one_hot(2, 6, 5, 3), d.simplex(2, 6, 5, 3)),
        ({"smooth": 2.0}, {"smooth": 1.0, "apply_softmax": False}),
        call=dice_of,
        note="its smoothing is half of ours",
    ),
    *rows(
        "Jaccard",
        "monai.losses.DiceLoss",
        HARD,
        ({"smooth": 1e-5}, summed(1e-5)),
        ({"smooth": 1.0}, summed(1.0)),
        call=d.over_classes,
        note="doubles numerator and denominator, and so the smoothing",
    ),
    *rows(
        "Jaccard",
        "segmentation_models_pytorch.losses.JaccardLoss",
        HARD,
        ({"smooth": 0.5}, {"mode": "multilabel", "from_logits": False, "smooth": 0.5}),
        call=by_sample,
    ),
    *rows(
        "GeneralizedDice",
        "monai.losses.GeneralizedDiceLoss",
        HARD,
        ({}, smooth(1e-7)),
        ({"weight_type": "simple"}, smooth(1e-7) | {"w_type": "simple"}),
        ({"weight_type": "uniform"}, smooth(1e-7) | {"w_type": "uniform"}),
        call=d.over_classes,
    ),
    *rows(
        "Tversky",
        "monai.losses.TverskyLoss",
        HARD,
        ({"smooth": 1e-5}, smooth(1e-5)),
        ({"smooth": 1e-5, "alpha": 0.3, "beta": 0.7}, smooth(1e-5) | {"alpha": 0.3, "beta": 0.7}),
        call=d.over_classes,
    ),
    *rows(
        "Tversky",
        "segmentation_models_pytorch.losses.TverskyLoss",
        HARD,
        (
            {"smooth": 0.1, "alpha": 0.7, "beta": 0.3},
            {"mode": "multilabel", "from_logits": False, "smooth": 0.1, "alpha": 0.7, "beta": 0.3},
        ),
        call=by_sample,
    ),
    *rows(
        "FocalTversky",
        "pytorch_optimizer.loss.focal.FocalTverskyLoss",
        BINARY,
        (
            {"alpha": 0.3, "beta": 0.7, "gamma": 4 / 3, "smooth": 1e-6},
            {"alpha": 0.3, "beta": 0.7, "gamma": 3 / 4, "smooth": 1e-6},
        ),
        (
            {"alpha": 0.6, "beta": 0.4, "gamma": 2.0, "smooth": 1.0},
            {"alpha": 0.6, "beta": 0.4, "gamma": 0.5, "smooth": 1.0},
        ),
        call=through_logits,
        note="its gamma is the exponent, 1 over ours and the paper's",
    ),
    *rows(
        "AsymmetricFocal",
        "monai.losses.unified_focal_loss.AsymmetricFocalLoss",
        TWO,
        ({}, NONE),
        ({"delta": 0.6, "gamma": 0.5}, NONE | {"delta": 0.6, "gamma": 0.5}),
        call=d.sum_classes,
    ),
    *rows(
        "AsymmetricFocal",
        "unified_focal_loss.AsymmetricFocalLoss",
        HARD,
        ({"gamma": 0.75}, {}),
        ({"delta": 0.6, "gamma": 1.5}, {"delta": 0.6, "gamma": 1.5}),
        call=of_labels,
        mean=True,
    ),
    *rows(
        "AsymmetricFocalTversky",
        "monai.losses.unified_focal_loss.AsymmetricFocalTverskyLoss",
        TWO,
        ({}, NONE),
        ({"delta": 0.6, "gamma": 0.5}, NONE | {"delta": 0.6, "gamma": 0.5}),
        call=d.over_classes,
    ),
    *rows(
        "UnifiedFocal",
        "monai.losses.AsymmetricUnifiedFocalLoss",
        TWO,
        ({"weight": 1 / 3, "delta": 0.7}, {}),
        ({"weight": 1 / 3, "gamma": 0.2}, {"delta": 0.6, "gamma": 0.2}),
        call=unified,
        note="its focal part is averaged over the classes, which the paper sums",
    ),
    *rows(
        "UnifiedFocal",
        "unified_focal_loss.SymmetricFocalLoss",
        HARD,
        ({"weight": 1.0, "asymmetric": False, "delta": 0.7, "gamma": 0.75}, {}),
        call=of_labels,
        mean=True,
    ),
    *rows(
        "ExponentialLogarithmic",
        ("formula (Wong 2018)", exponential),
        HARD,
        ({}, {"dice": 0.8, "crossentropy": 0.2, "gamma": 0.3}),
        (
            {"dice_weight": 0.5, "crossentropy_weight": 1.5, "gamma": 1.0},
            {"dice": 0.5, "crossentropy": 1.5, "gamma": 1.0},
        ),
    ),
    *rows(
        "SensitivitySpecificity",
        ("formula (Brosch 2015)", sensitivity),
        HARD,
        ({}, {"weight": 0.05}),
        ({"sensitivity_weight": 0.4}, {"weight": 0.4}),
    ),
    *rows(
        "DeepSupervision",
        "monai.losses.DeepSupervisionLoss",
        d.pair(d.one_hot(2, 6, 5, 3), d.uniform(2, 2, 6, 5, 3)),
        ({"loss": Ours("Dice", {"smooth": 1.0}), "weights": (1.0, 0.5)}, {"loss": DICE, "weights": [1.0, 0.5]}),
        ({"loss": Ours("Dice", {"smooth": 1.0}), "weights": (0.2, 0.8)}, {"loss": DICE, "weights": [0.2, 0.8]}),
        call=lambda peer, y_true, y_pred: peer(list(y_pred.movedim(-1, 2).unbind(1)), y_true.movedim(-1, 1)),
        mean=True,
        note="its default weights are not divided by their sum, and are 1/16 at least",
    ),
    *rows(
        "OnClasses",
        "segmentation_models_pytorch.losses.DiceLoss",
        HARD,
        (
            {"loss": Ours("Dice", {"smooth": 1.0}), "classes": (0, 2)},
            {"mode": "multilabel", "from_logits": False, "smooth": 0.5, "classes": [0, 2]},
        ),
        call=by_sample,
    ),
    *rows(
        "OnClasses",
        "segmentation_models_pytorch.losses.JaccardLoss",
        HARD,
        (
            {"loss": Ours("Jaccard", {"smooth": 1.0}), "classes": (1,)},
            {"mode": "multilabel", "from_logits": False, "smooth": 1.0, "classes": [1]},
        ),
        call=by_sample,
    ),
    *rows("LovaszHinge", "kornia.losses.lovasz_hinge_loss", binary_maps, ({}, {}), call=hinge_maps),
    *rows(
        "LovaszHinge",
        "kornia.losses.lovasz_hinge_loss",
        d.multilabel(2, 1, 6, 5),
        ({"class_axis": 1}, {}),
        call=lambda peer, y_true, y_pred: d.each(peer, y_pred, y_true[:, 0]),
    ),
    *rows(
        "LovaszHinge",
        "segmentation_models_pytorch.losses.LovaszLoss",
        binary_maps,
        ({}, {"mode": "binary", "per_image": True}),
        call=in_float32(hinge_maps),
    ),
    *rows(
        "LovaszSoftmax",
        "segmentation_models_pytorch.losses.LovaszLoss",
        LABELS,
        (LOGITS, {"mode": "multiclass", "per_image": True}),
        call=in_float32(labels_by_sample),
    ),
    *rows(
        "LovaszSoftmax",
        "kornia.losses.lovasz_softmax_loss",
        d.pair(lambda r: r.integers(0, 2, size=(2, 6, 5)), d.normal(2, 6, 5, 3)),
        (LOGITS | {"classes": "all"}, {}),
        call=labels_by_sample,
        note="averages absent classes, too",
    ),
    *rows(
        "Boundary",
        "monai.losses.BoundaryLoss",
        SURFACE,
        ({}, NONE),
        ({"include_background": False}, NONE | {"include_background": False}),
        call=d.over_classes,
    ),
    *rows(
        "HausdorffDistance",
        "monai.losses.HausdorffDTLoss",
        SURFACE,
        ({}, NONE | {"include_background": True}),
        ({"alpha": 1.0}, NONE | {"include_background": True, "alpha": 1.0}),
        call=d.over_classes,
    ),
    *rows(
        "HausdorffErosion",
        "kornia.losses.HausdorffERLoss",
        d.pair(d.one_hot(2, 8, 7, 3), d.simplex(2, 8, 7, 3)),
        ({}, NONE),
        ({"alpha": 1.5, "iterations": 4}, NONE | {"alpha": 1.5, "k": 4}),
        call=erosion,
    ),
    *rows(
        "CenterlineDice",
        "monai.losses.SoftclDiceLoss",
        d.pair(d.bits(2, 12, 11, 1), d.uniform(2, 12, 11, 1)),
        ({"iterations": 3, "smooth": 1.0}, NONE | {"smooth": 1e-12}),
        ({"iterations": 5, "smooth": 0.1}, NONE | {"iter_": 5, "smooth_nr": 0.1, "smooth_dr": 0.1, "smooth": 1e-12}),
        call=d.channels_first,
    ),
    *rows(
        "MatthewsCorrelation",
        "monai.losses.MCCLoss",
        HARD,
        ({}, NONE | {"smooth_dr": 1e-12}),
        ({"include_background": False}, NONE | {"smooth_dr": 1e-12, "include_background": False}),
        call=d.over_classes,
    ),
    *rows(
        "MatthewsCorrelation",
        "segmentation_models_pytorch.losses.MCCLoss",
        BINARY,
        ({}, {"eps": 1e-9}),
        call=by_sample,
    ),
    *rows(
        "GeneralizedWassersteinDice",
        "monai.losses.GeneralizedWassersteinDiceLoss",
        LABELS,
        (LOGITS | {"distance_matrix": MATRIX}, smooth(1e-7) | {"dist_matrix": np.array(MATRIX)}),
        call=d.channels_first,
    ),
    *rows(
        "GeneralizedWassersteinDice",
        "monai.losses.GeneralizedWassersteinDiceLoss",
        d.pair(d.ids(3, 2, 6, 5), d.simplex(2, 6, 5, 3)),
        ({"distance_matrix": MATRIX}, smooth(1e-7) | {"dist_matrix": np.array(MATRIX)}),
        call=d.log_of(d.channels_first),
    ),
    *rows(
        "NeighborAwareCalibration",
        "monai.losses.NACLLoss",
        LABELS,
        (LOGITS, {"classes": 3, "dim": 2}),
        (LOGITS | {"kernel_size": 5, "alpha": 0.5}, {"classes": 3, "dim": 2, "kernel_size": 5, "alpha": 0.5}),
        (LOGITS | {"norm": "l2"}, {"classes": 3, "dim": 2, "distance_type": "l2"}),
        call=d.channels_first,
        mean=True,
    ),
]
