"""Regression, similarity and sequences."""

import numpy as np

from tests.peers import _data as d
from tests.peers._lazy import F, torch
from tests.peers._row import rows

NONE = {"reduction": "none"}
KERAS = NONE | {"dtype": "float64"}
NUMBERS = d.pair(d.normal(6, 3), d.normal(6, 3))
POSITIVE = d.pair(d.uniform(6, 3, high=4), d.uniform(6, 3, high=4))


def cosine(y_true, y_pred):
    return -F.cosine_similarity(y_true, y_pred, dim=-1)


def sentences(rng):
    """Labels padded with 0, and logits (B, T, C)."""
    labels = rng.integers(1, 5, size=(4, 3))
    labels[1, 2:] = labels[2, 1:] = 0
    return labels, 2 * rng.normal(size=(4, 9, 5))


def ctc(peer, y_true, y_pred):
    """From log-probabilities (T, B, C) and lengths."""
    steps = torch.full((len(y_pred),), y_pred.shape[1])
    return peer(y_pred.log_softmax(-1).movedim(1, 0), y_true, steps, (y_true > 0).sum(-1))


def optax_ctc(peer, y_true, y_pred):
    import jax.numpy as jnp

    return peer(y_pred, jnp.zeros(y_pred.shape[:2]), y_true, (y_true == 0).astype(float))


def circle(y_true, y_pred, gamma, margin):
    """Sun et al. 2020, equations 4 to 8 for each anchor, the weights held constant."""
    similarity, same = y_pred @ y_pred.T, y_true[:, None] == y_true[None, :]
    weight_p, weight_n = (1 + margin - similarity).relu().detach(), (similarity + margin).relu().detach()
    positive = torch.exp(-gamma * weight_p * (similarity - 1 + margin)) * (same & ~torch.eye(len(y_true), dtype=torch.bool))
    negative = torch.exp(gamma * weight_n * (similarity - margin)) * ~same
    return torch.log1p(positive.sum(1) * negative.sum(1))


def embeddings(rng):
    """Three ids, and rows of length 1."""
    y_true, y_pred = d.sparse(9, 3)(rng)
    return y_true, y_pred / np.linalg.norm(y_pred, axis=-1, keepdims=True)


def negative(peer, y_true, y_pred):
    return -peer(y_pred, y_true)


ROWS = [
    *rows("MeanSquaredError", "torch.nn.MSELoss", NUMBERS, ({}, NONE), call=d.over_last),
    *rows("MeanAbsoluteError", "torch.nn.L1Loss", NUMBERS, ({}, NONE), call=d.over_last),
    *rows("Huber", "torch.nn.HuberLoss", NUMBERS, ({}, NONE), ({"delta": 0.5}, NONE | {"delta": 0.5}), call=d.over_last),
    *rows("Huber", "optax.huber_loss", NUMBERS, ({"delta": 2.0}, {"delta": 2.0}), call=d.over_last),
    *rows("LogCosh", "optax.log_cosh", NUMBERS, ({}, {}), call=d.over_last),
    *rows(
        "Poisson",
        "torch.nn.PoissonNLLLoss",
        POSITIVE,
        ({}, NONE | {"log_input": False, "eps": 1e-7}),
        call=d.over_last,
    ),
    *rows("MeanAbsolutePercentageError", "keras.losses.MeanAbsolutePercentageError", POSITIVE, ({}, KERAS), call=d.keras_style),
    *rows("MeanSquaredLogarithmicError", "keras.losses.MeanSquaredLogarithmicError", POSITIVE, ({}, KERAS), call=d.keras_style),
    *rows("CosineSimilarity", "optax.cosine_similarity", NUMBERS, ({}, {}), ({"axis": 0}, {"axis": 0}), call=negative),
    *rows("CosineSimilarity", "torch.nn.CosineSimilarity", NUMBERS, ({}, {"dim": -1}), call=negative),
    *rows(
        "Circle",
        ("formula (Sun 2020)", circle),
        embeddings,
        ({}, {"gamma": 80.0, "margin": 0.4}),
        ({"gamma": 20.0, "margin": 0.2}, {"gamma": 20.0, "margin": 0.2}),
    ),
    *rows("CTC", "torch.nn.CTCLoss", sentences, ({}, NONE), call=ctc),
    *rows("CTC", "optax.ctc_loss", sentences, ({}, {}), call=optax_ctc),
]
