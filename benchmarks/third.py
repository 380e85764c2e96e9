"""The same losses in other packages, where these are installed: mean losses of `(y_true, y_pred)`, by the name of ours.

They are timed at settings that do the same work; whether they compute the same is the matter of docs/parity.md.
"""

import importlib.util


def table(backend):
    """`{name: function}` of what is installed for a backend."""
    makers = {"jax": (_optax,), "torch": (_torchvision, _monai, _kornia, _pytorch_metric_learning), "tensorflow": ()}[backend]
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
        return lambda t, p: loss(p.permute(0, 2, 1), t.permute(0, 2, 1))

    focal = losses.FocalLoss(use_softmax=True, gamma=2.0)
    return {
        "Dice": first(losses.DiceLoss()),
        "Jaccard": first(losses.DiceLoss(jaccard=True)),
        "Tversky": first(losses.TverskyLoss()),
        "GeneralizedDice": first(losses.GeneralizedDiceLoss()),
        "CategoricalFocalCrossentropy-logits": lambda t, p: focal(p, t),
    }


def _kornia():
    from kornia import losses

    def image(loss):  # an image of one row
        return lambda t, p: loss(p.permute(0, 2, 1).unsqueeze(2), t.permute(0, 2, 1)[:, 0].unsqueeze(1))

    return {"LovaszHinge": image(losses.lovasz_hinge_loss)}


def _pytorch_metric_learning():
    from pytorch_metric_learning import distances, losses

    def of(loss):
        return lambda t, p: loss(p, t)

    return {
        "Circle": of(losses.CircleLoss()),
        "Contrastive": of(losses.ContrastiveLoss(distance=distances.LpDistance(normalize_embeddings=False))),
        "MultiSimilarity": of(losses.MultiSimilarityLoss(base=0.5)),
        "SupervisedContrastive": of(losses.SupConLoss()),
    }
