"""Classification, single- and multi-label."""

import numpy as np

from tests.peers import _data as d
from tests.peers._lazy import torch
from tests.peers._row import plain, rows

W = (0.5, 2.0, 1.0, 0.25, 1.5)
WEIGHT = np.array(W)
LOGITS = {"from_logits": True}
NONE = {"reduction": "none"}
MONAI = NONE | {"use_softmax": True}


def elementwise_jsd(peer, y_true, y_pred):
    """Views (B, V, C) as timm stacks them, the labels of the first repeated."""
    views = y_pred.shape[1]
    return peer(y_pred.movedim(1, 0).flatten(0, 1), y_true.repeat(views))


def log_probabilities(peer, y_true, y_pred):
    return peer(y_pred.log(), y_true).sum(-1)


def optax_kl(peer, y_true, y_pred):
    import jax.numpy as jnp

    return peer(jnp.log(y_pred), y_true)


def kappa(y_true, y_pred, power, epsilon=1e-10):
    """de la Torre, Puig, Valls 2018, equations 8 to 11, and the logarithm of section 3."""
    classes, batch = y_true.shape[-1], y_true.shape[0]
    grade = torch.arange(classes, dtype=y_pred.dtype)
    weight = (grade[:, None] - grade[None, :]).abs() ** power / (classes - 1) ** power
    observed = y_true.T @ y_pred
    expected = y_true.sum(0)[:, None] * y_pred.sum(0)[None, :] / batch
    return ((weight * observed).sum() / (weight * expected).sum() + epsilon).log()


ENTROPIES = [
    *rows(
        "SparseCategoricalCrossentropy",
        "torch.nn.CrossEntropyLoss",
        d.sparse(8, 5),
        (LOGITS, NONE),
        (LOGITS | {"class_weight": W, "label_smoothing": 0.2}, NONE | {"weight": WEIGHT, "label_smoothing": 0.2}),
        (LOGITS | {"class_weight": W, "ignore_class": 2}, NONE | {"weight": WEIGHT, "ignore_index": 2}),
    ),
    *rows(
        "SparseCategoricalCrossentropy",
        "torch.nn.CrossEntropyLoss",
        d.pair(d.ids(5, 2, 3, 4), d.normal(2, 5, 3, 4)),
        (LOGITS | {"axis": 1, "label_smoothing": 0.1}, NONE | {"label_smoothing": 0.1}),
    ),
    *rows(
        "SparseCategoricalCrossentropy",
        "torch.nn.CrossEntropyLoss",
        d.pair(d.ids(5, 8), d.uniform(8, 5)),
        ({}, NONE),
        call=d.log_of(plain),
    ),
    *rows(
        "SparseCategoricalCrossentropy",
        "optax.softmax_cross_entropy_with_integer_labels",
        d.sparse(8, 5),
        (LOGITS, {}),
    ),
    *rows(
        "SparseCategoricalCrossentropy",
        "segmentation_models_pytorch.losses.SoftCrossEntropyLoss",
        d.sparse(2, 3, 4, 5),
        (LOGITS | {"label_smoothing": 0.2}, NONE | {"smooth_factor": 0.2, "ignore_index": None}),
        call=d.channels_first,
    ),
    *rows(
        "SparseCategoricalCrossentropy",
        "timm.loss.LabelSmoothingCrossEntropy",
        d.sparse(8, 5),
        (LOGITS | {"label_smoothing": 0.1}, {"smoothing": 0.1}),
        mean=True,
    ),
    *rows(
        "CategoricalCrossentropy",
        "torch.nn.CrossEntropyLoss",
        d.pair(d.simplex(8, 5), d.normal(8, 5)),
        (LOGITS, NONE),
        (LOGITS | {"class_weight": W, "label_smoothing": 0.3}, NONE | {"weight": WEIGHT, "label_smoothing": 0.3}),
    ),
    *rows(
        "CategoricalCrossentropy",
        "optax.softmax_cross_entropy",
        d.pair(d.simplex(4, 5, 3), d.normal(4, 5, 3)),
        (LOGITS | {"axis": 1}, {"axis": 1}),
    ),
    *rows(
        "CategoricalCrossentropy",
        "timm.loss.SoftTargetCrossEntropy",
        d.pair(d.simplex(8, 5), d.normal(8, 5)),
        (LOGITS, {}),
        mean=True,
    ),
    *rows(
        "BinaryCrossentropy",
        "torch.nn.BCEWithLogitsLoss",
        d.multilabel(6, 3),
        (LOGITS, NONE),
        (LOGITS | {"pos_weight": (2.0, 0.5, 1.0)}, NONE | {"pos_weight": np.array([2.0, 0.5, 1.0])}),
        call=d.over_last,
    ),
    *rows("BinaryCrossentropy", "torch.nn.BCELoss", d.pair(d.bits(6, 3), d.uniform(6, 3)), ({}, NONE), call=d.over_last),
    *rows(
        "BinaryCrossentropy",
        "timm.loss.BinaryCrossEntropy",
        d.multilabel(6, 3),
        (LOGITS | {"label_smoothing": 0.1}, NONE | {"smoothing": 0.1, "smooth_dense": True}),
        call=d.over_last,
        note="with class ids as targets, timm smooths by s/C; with multi-hot ones only with `smooth_dense`",
    ),
    *rows(
        "BinaryCrossentropy",
        "segmentation_models_pytorch.losses.SoftBCEWithLogitsLoss",
        d.multilabel(6, 3),
        (LOGITS | {"label_smoothing": 0.2}, NONE | {"smooth_factor": 0.1}),
        call=d.over_last,
        note="its factor is half of ours: the share that moves to the other label",
    ),
    *rows("KLDivergence", "torch.nn.KLDivLoss", d.pair(d.simplex(6, 4), d.simplex(6, 4)), ({}, NONE), call=log_probabilities),
    *rows("KLDivergence", "optax.kl_divergence", d.pair(d.simplex(6, 4), d.simplex(6, 4)), ({}, {}), call=optax_kl),
]

FOCAL = [
    *rows(
        "BinaryFocalCrossentropy",
        "torchvision.ops.sigmoid_focal_loss",
        d.multilabel(6, 3),
        (LOGITS, NONE | {"alpha": -1, "gamma": 2}),
        (LOGITS | {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5}, NONE | {"alpha": 0.3, "gamma": 1.5}),
        call=d.over_last,
    ),
    *rows(
        "BinaryFocalCrossentropy",
        "optax.sigmoid_focal_loss",
        d.pair(d.uniform(6, 3), d.normal(6, 3, scale=20)),
        (LOGITS, {"gamma": 2.0}),
        (LOGITS | {"apply_class_balancing": True, "alpha": 0.3, "gamma": 0.5}, {"alpha": 0.3, "gamma": 0.5}),
        call=d.over_last,
    ),
    *rows(
        "BinaryFocalCrossentropy",
        "kornia.losses.binary_focal_loss_with_logits",
        d.multilabel(6, 3),
        (LOGITS | {"gamma": 0.7}, NONE | {"alpha": None, "gamma": 0.7}),
        call=d.over_last,
    ),
    *rows(
        "BinaryFocalCrossentropy",
        "monai.losses.FocalLoss",
        d.multilabel(6, 3),
        (LOGITS | {"apply_class_balancing": True}, NONE | {"gamma": 2.0, "alpha": 0.25}),
        call=d.over_last,
    ),
    *rows(
        "SparseCategoricalFocalCrossentropy",
        "kornia.losses.focal_loss",
        d.sparse(2, 3, 4, 5),
        (LOGITS | {"alpha": 1.0}, NONE | {"alpha": None, "gamma": 2.0}),
        (
            LOGITS | {"alpha": 1.0, "gamma": 0.5, "class_weight": W, "ignore_class": 1},
            NONE | {"alpha": None, "gamma": 0.5, "weight": WEIGHT, "ignore_index": 1},
        ),
        call=d.sum_classes,
        note="its mean divides by the number of classes, too: 1/C of the mean over pixels",
    ),
    *rows(
        "SparseCategoricalFocalCrossentropy",
        "kornia.losses.focal_loss",
        d.pair(d.ids(5, 2, 3, 4), d.uniform(2, 3, 4, 5)),
        ({}, NONE | {"alpha": None, "gamma": 2.0, "weight": np.full(5, 0.25)}),
        call=d.log_of(d.sum_classes),
        note="its alpha is 1 - alpha for class 0",
    ),
    *rows(
        "SparseCategoricalFocalCrossentropy",
        "holocron.nn.functional.focal_loss",
        d.sparse(2, 3, 4, 5),
        (LOGITS | {"alpha": 1.0, "gamma": 1.5}, NONE | {"gamma": 1.5}),
        call=d.channels_first,
    ),
    *rows(
        "CategoricalFocalCrossentropy",
        "monai.losses.FocalLoss",
        d.dense(2, 3, 4, 5),
        (LOGITS | {"alpha": 1.0}, MONAI | {"gamma": 2.0}),
        (LOGITS | {"alpha": W, "gamma": 0.5}, MONAI | {"gamma": 0.5, "alpha": list(W)}),
        call=d.sum_classes,
        note="a scalar alpha is 1 - alpha for class 0 there",
    ),
    *rows(
        "PolyCrossentropy",
        "optax.losses.poly_loss_cross_entropy",
        d.dense(8, 5),
        (LOGITS, {"epsilon": 2.0}),
        (LOGITS | {"epsilon": 1.0}, {"epsilon": 1.0}),
    ),
    *rows(
        "PolyCrossentropy",
        "timm.loss.PolyCrossEntropy",
        d.pair(d.simplex(8, 5), d.normal(8, 5)),
        (LOGITS | {"epsilon": -1.0}, NONE | {"epsilon": -1.0}),
    ),
    *rows(
        "PolyFocalCrossentropy",
        "timm.loss.PolyBinaryCrossEntropy",
        d.multilabel(6, 3),
        (LOGITS | {"epsilon": 1.0, "gamma": 2.0, "alpha": 0.25}, NONE | {"epsilon": 1.0, "gamma": 2.0, "alpha": 0.25}),
        (LOGITS | {"epsilon": -0.5, "gamma": 1.5, "alpha": 0.4}, NONE | {"epsilon": -0.5, "gamma": 1.5, "alpha": 0.4}),
        call=d.over_last,
    ),
]

MULTILABEL = [
    *rows(
        "AsymmetricMultilabel",
        "timm.loss.AsymmetricLossMultiLabel",
        d.multilabel(6, 4),
        (LOGITS, NONE | {"gamma_pos": 0}),
        (LOGITS | {"gamma_neg": 2.0, "gamma_pos": 1.0, "clip": 0.2}, NONE | {"gamma_neg": 2.0, "gamma_pos": 1.0, "clip": 0.2}),
        call=d.over_last,
        note="the paper and timm sum over the classes: C times ours",
    ),
    *rows(
        "AsymmetricSingleLabel",
        "timm.loss.AsymmetricLossSingleLabel",
        d.sparse(8, 5),
        (LOGITS | {"gamma_pos": 1.0}, {"reduction": None, "gamma_pos": 1.0}),
        (
            LOGITS | {"gamma_pos": 2.0, "gamma_neg": 3.0, "label_smoothing": 0.2},
            {"reduction": None, "gamma_pos": 2.0, "gamma_neg": 3.0, "eps": 0.2},
        ),
    ),
    *rows(
        "TwoWay",
        "timm.loss.TwoWayLoss",
        d.multilabel(6, 4),
        ({}, {}),
        ({"positive_temperature": 2.0, "negative_temperature": 0.5}, {"tp": 2.0, "tn": 0.5}),
        mean=True,
    ),
    *rows("ZLPR", "timm.loss.ZlprLoss", d.multilabel(6, 4), (LOGITS, {}), mean=True),
    *rows(
        "ZLPR",
        "timm.loss.ZlprLoss",
        d.pair(d.bits(6, 4), d.uniform(6, 4)),
        ({}, {}),
        call=d.logit_of(plain),
        mean=True,
    ),
    *rows(
        "MultilabelSoftMargin",
        "torch.nn.MultiLabelSoftMarginLoss",
        d.multilabel(6, 5),
        ({}, NONE),
        ({"class_weight": W}, NONE | {"weight": WEIGHT}),
    ),
    *rows(
        "MultiMargin",
        "torch.nn.MultiMarginLoss",
        d.sparse(8, 5),
        ({}, NONE),
        ({"p": 2, "margin": 0.5}, NONE | {"p": 2, "margin": 0.5}),
    ),
    *rows(
        "Sparsemax",
        "optax.losses.multiclass_sparsemax_loss",
        d.dense(8, 5, scale=1.0),
        (LOGITS, {}),
        call=lambda peer, y_true, y_pred: peer(y_pred, y_true.argmax(-1)),
    ),
    *rows(
        "Sparsemax",
        "optax.losses.multiclass_sparsemax_loss",
        d.dense(8, 5, scale=1.0),
        (LOGITS | {"class_weight": W}, {}),
        call=lambda peer, y_true, y_pred: peer(y_pred, y_true.argmax(-1)) * (y_true * WEIGHT).sum(-1),
    ),
    *rows(
        "JensenShannonConsistency",
        "timm.loss.JsdCrossEntropy",
        d.pair(d.ids(5, 6), d.normal(6, 3, 5)),
        (LOGITS, {"num_splits": 3, "alpha": 12, "smoothing": 0}),
        (LOGITS | {"alpha": 4.0}, {"num_splits": 3, "alpha": 4, "smoothing": 0}),
        call=elementwise_jsd,
        mean=True,
    ),
    *rows(
        "SoftF1",
        "pytorch_toolbelt.losses.soft_f1.soft_micro_f1",
        d.pair(d.bits(8, 4), d.uniform(8, 4)),
        ({}, {"eps": 1e-7}),
        mean=True,
    ),
    *rows(
        "SoftF1",
        "pytorch_optimizer.loss.f1.SoftF1Loss",
        d.pair(d.bits(8, 4), d.uniform(8, 4)),
        ({"average": "micro"}, {"eps": 1e-12}),
        mean=True,
    ),
    *rows(
        "WeightedKappa",
        ("formula (de la Torre 2018)", kappa),
        d.pair(d.one_hot(8, 5), d.simplex(8, 5)),
        ({"num_classes": 5}, {"power": 2}),
        ({"num_classes": 5, "weightage": "linear"}, {"power": 1}),
        mean=True,
    ),
    *rows(
        "ComplementCrossentropy",
        "holocron.nn.functional.complement_cross_entropy",
        d.sparse(8, 5),
        (LOGITS, NONE),
        (LOGITS | {"gamma": -0.5}, NONE | {"gamma": -0.5}),
    ),
    *rows(
        "Hinge",
        "optax.losses.hinge_loss",
        d.pair(lambda r: 2 * d.bits(6, 3)(r) - 1, d.normal(6, 3)),
        ({}, {}),
        call=d.over_last,
    ),
    *rows(
        "SquaredHinge",
        "keras.losses.SquaredHinge",
        d.pair(lambda r: 2 * d.bits(6, 3)(r) - 1, d.normal(6, 3)),
        ({}, NONE | {"dtype": "float64"}),
        call=d.keras_style,
    ),
    *rows(
        "CategoricalHinge",
        "keras.losses.CategoricalHinge",
        d.dense(8, 5),
        ({}, NONE | {"dtype": "float64"}),
        call=d.keras_style,
    ),
]

ROWS = [*ENTROPIES, *FOCAL, *MULTILABEL]
