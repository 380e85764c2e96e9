"""The same losses in other packages, where these are installed: mean losses of `(y_true, y_pred)`, by the name of ours.

They are timed at settings that do the same work; whether they compute the same is the matter of docs/parity.md. Where two
packages have a loss, one of them is timed. Left out is what cannot be run at 4096 x 1000, or takes more than five seconds a
step: losses over triplets, NTXent (optax too), NPairs, LiftedStructure, Margin, Histogram, FastAP and SignalToNoiseRatio of
pytorch-metric-learning, BoundaryLoss and SoftclDiceLoss of MONAI, and HausdorffERLoss of kornia.
"""

import importlib.util

import numpy as np


def table(backend):
    """`{name: function}` of what is installed for a backend."""
    makers = {
        "jax": (_optax, _rax),
        "torch": (_torchvision, _monai, _kornia, _pytorch_metric_learning),
        "tensorflow": (),
    }[backend]
    found = {}
    for make in makers:
        if importlib.util.find_spec(make.__name__[1:]):
            found |= make()
    return found


def _optax():
    import optax

    def mean(loss, **settings):
        return lambda t, p: loss(p, t, **settings).mean()

    return {
        "Huber": mean(optax.losses.huber_loss),
        "LogCosh": mean(optax.losses.log_cosh),
        "MeanSquaredError": mean(optax.losses.squared_error),
        "CosineSimilarity": mean(optax.losses.cosine_distance, epsilon=1e-7),
        "Hinge": mean(optax.losses.hinge_loss),
        "BinaryCrossentropy-logits": mean(optax.losses.sigmoid_binary_cross_entropy),
        "BinaryFocalCrossentropy-logits": mean(optax.losses.sigmoid_focal_loss, gamma=2.0),
        "CategoricalCrossentropy-logits": mean(optax.losses.softmax_cross_entropy),
        "SparseCategoricalCrossentropy-logits": mean(optax.losses.softmax_cross_entropy_with_integer_labels),
        "PolyCrossentropy-logits": mean(optax.losses.poly_loss_cross_entropy, epsilon=1.0),
    }


def _rax():
    import rax

    def lists(loss):
        return lambda t, p: loss(p, t)

    return {
        "ListMLE": lists(rax.listmle_loss),
        "PairwiseHinge": lists(rax.pairwise_hinge_loss),
        "PairwiseLogistic": lists(rax.pairwise_logistic_loss),
        "PairwiseMeanSquared": lists(rax.pairwise_mse_loss),
        "PairwiseSoftZeroOne": lists(rax.pairwise_soft_zero_one_loss),
        "UniqueSoftmax": lists(rax.unique_softmax_loss),
    }


def _torchvision():
    from torchvision import ops

    def boxes(loss):
        return lambda t, p: loss(p.reshape(-1, 4), t.reshape(-1, 4), reduction="mean")

    return {
        "BinaryFocalCrossentropy-logits": lambda t, p: ops.sigmoid_focal_loss(p, t, alpha=-1, gamma=2, reduction="mean"),
        "GIoU": boxes(ops.generalized_box_iou_loss),
        "DIoU": boxes(ops.distance_box_iou_loss),
        "CIoU": boxes(ops.complete_box_iou_loss),
    }


def _monai():
    from monai import losses

    def first(loss):  # MONAI has the channels before the pixels
        return lambda t, p: loss(p.movedim(-1, 1), t.movedim(-1, 1))

    focal = losses.FocalLoss(use_softmax=True, gamma=2.0)
    binary = losses.FocalLoss(gamma=2.0)
    wasserstein = losses.GeneralizedWassersteinDiceLoss(1 - np.eye(2))
    twins = losses.BarlowTwinsLoss(lambd=5e-3)

    def of_views(_, p):
        pairs = [(v, w) for v in range(p.shape[1]) for w in range(v)]
        return sum(twins(p[:, v], p[:, w]) for v, w in pairs) / len(pairs)

    return {
        "Dice": first(losses.DiceLoss()),
        "Jaccard": first(losses.DiceLoss(jaccard=True)),
        "Tversky": first(losses.TverskyLoss()),
        "GeneralizedDice": first(losses.GeneralizedDiceLoss()),
        "CategoricalFocalCrossentropy-logits": lambda t, p: focal(p, t),
        "BinaryFocalCrossentropy-logits": lambda t, p: binary(p, t),
        "GeneralizedWassersteinDice-logits": lambda t, p: wasserstein(p.movedim(-1, 1), t.unsqueeze(1)),
        "MatthewsCorrelation": first(losses.MCCLoss()),
        "BarlowTwins": of_views,
    }


def _kornia():
    from kornia import losses

    def image(loss):  # an image of one row
        return lambda t, p: loss(p.permute(0, 2, 1).unsqueeze(2), t.permute(0, 2, 1)[:, 0].unsqueeze(1))

    return {
        "LovaszHinge": image(losses.lovasz_hinge_loss),
        "LovaszSoftmax-logits": lambda t, p: losses.lovasz_softmax_loss(p.movedim(-1, 1).unsqueeze(2), t.unsqueeze(1)),
        "SparseCategoricalFocalCrossentropy-logits": lambda t, p: losses.focal_loss(p, t, None, 2.0, "mean"),
    }


def _pytorch_metric_learning():
    from pytorch_metric_learning import distances, losses

    def of(loss):
        return lambda t, p: loss(p, t)

    as_they_are = {"distance": distances.LpDistance(normalize_embeddings=False)}
    return {
        "Circle": of(losses.CircleLoss()),
        "Contrastive": of(losses.ContrastiveLoss(**as_they_are)),
        "GeneralizedLiftedStructure": of(losses.GeneralizedLiftedStructureLoss(**as_they_are)),
        "MultiSimilarity": of(losses.MultiSimilarityLoss(base=0.5)),
        "NeighborhoodComponents": of(losses.NCALoss(distance=distances.LpDistance(normalize_embeddings=False, power=2))),
        "SupervisedContrastive": of(losses.SupConLoss()),
    }
