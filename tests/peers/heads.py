"""Layers with class weights, at weights set by hand."""

import dataclasses

import numpy as np

from tests.peers import _data as d
from tests.peers._embeddings import PML
from tests.peers._lazy import torch
from tests.peers._row import Peer, Row

CLASSES, DIMENSION, CENTERS = 4, 5, 3
VECTORS = np.random.default_rng(9).normal(size=(DIMENSION, CLASSES * CENTERS))
SIZES = {"num_classes": CLASSES, "embedding_size": DIMENSION}
embeddings = d.pair(d.ids(CLASSES, 8), d.normal(8, DIMENSION))


def with_vectors(peer, y_true, y_pred):
    """The mean over the batch; peers hold the vectors under three names, as columns or as rows."""
    for name in ("W", "fc", "proxies"):
        held = getattr(peer, name, None)
        if held is not None:
            given = torch.tensor(VECTORS)
            held.data = given[:, :CLASSES].T if name == "proxies" else given[:, : held.shape[1]]
    return peer(y_pred, y_true)


@dataclasses.dataclass(frozen=True, eq=False)
class HeadRow(Row):
    """A layer: its logits in a cross-entropy, or the loss that it adds."""

    def evaluate_ours(self, y_true, y_pred, weights):
        import keras_losses as kl
        from keras_losses.testing import value_and_gradient

        layer = getattr(kl.layers, self.loss)(CLASSES, dtype="float64", **self.settings)
        layer.build((None, DIMENSION))
        adds = isinstance(layer, kl.layers.AddLoss)
        (held,) = layer.trainable_weights
        held.assign(VECTORS[:, :CLASSES].T if adds else VECTORS[:, : held.shape[1]])
        entropy = kl.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")

        def value(x):
            return layer.value(x, y_true, None) if adds else entropy(y_true, layer(x, y_true))

        return value_and_gradient(value, y_pred, "float64", weights)


def row(layer, settings, peer, theirs, **rest):
    return HeadRow(layer, settings, Peer(f"{PML}losses.{peer}", SIZES | theirs), embeddings, with_vectors, mean=True, **rest)


DEGREES = 180 / np.pi
ROWS = [
    row("NormalizedSoftmax", {}, "NormalizedSoftmaxLoss", {}),
    row("NormalizedSoftmax", {"temperature": 0.5}, "NormalizedSoftmaxLoss", {"temperature": 0.5}),
    row("CosFace", {}, "CosFaceLoss", {}),
    row("CosFace", {"margin": 0.2, "temperature": 0.25}, "CosFaceLoss", {"margin": 0.2, "scale": 4}),
    row("ArcFace", {}, "ArcFaceLoss", {"margin": 0.5 * DEGREES}, note="its margin is in degrees"),
    row("ArcFace", {"margin": 0.2, "temperature": 0.25}, "ArcFaceLoss", {"margin": 0.2 * DEGREES, "scale": 4}),
    row("SubCenterArcFace", {}, "SubCenterArcFaceLoss", {"margin": 0.5 * DEGREES}),
    row("SphereFace", {}, "SphereFaceLoss", {}),
    row("SphereFace", {"margin": 2, "temperature": 0.5}, "SphereFaceLoss", {"margin": 2, "scale": 2}),
    row("SoftTriple", {"centers": CENTERS, "merging": 0.0}, "SoftTripleLoss", {"centers_per_class": CENTERS}),
    row("ProxyNCA", {"keep_positive": True}, "ProxyNCALoss", {}),
    row("ProxyAnchor", {}, "ProxyAnchorLoss", {}),
    row("ProxyAnchor", {"margin": 0.3, "temperature": 0.25}, "ProxyAnchorLoss", {"margin": 0.3, "alpha": 4}),
]
