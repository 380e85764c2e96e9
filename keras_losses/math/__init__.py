"""Stable primitives that `keras.ops` lacks, shared by the losses and public for users' own.

Every function has a finite value and a finite gradient wherever that makes sense, and the same one on every backend.
"""

from keras_losses.math.chain import chain_logsumexp
from keras_losses.math.elementary import (
    EPSILON,
    absolute,
    clip,
    floor,
    focal_weight,
    log1mexp,
    log_cosh,
    log_probability,
    logaddexp,
    maximum,
    minimum,
    positive_part,
    power,
    safe_divide,
    safe_log,
    safe_sqrt,
    softplus,
    tiny,
    xlogy,
)
from keras_losses.math.grid import cross, distance_transform, shifts, window_max
from keras_losses.math.reductions import (
    constant_max,
    diagonal,
    largest,
    log1m_softmax,
    logcumsumexp,
    lowest,
    masked_logsumexp,
    masked_mean,
    masked_softmax,
    mean,
)
from keras_losses.math.special import digamma, lgamma
from keras_losses.math.vectors import normalize, pairwise_distance, safe_norm

__all__ = [
    "EPSILON",
    "absolute",
    "chain_logsumexp",
    "clip",
    "constant_max",
    "cross",
    "diagonal",
    "digamma",
    "distance_transform",
    "floor",
    "focal_weight",
    "largest",
    "lgamma",
    "log1m_softmax",
    "log1mexp",
    "log_cosh",
    "log_probability",
    "logaddexp",
    "logcumsumexp",
    "lowest",
    "masked_logsumexp",
    "masked_mean",
    "masked_softmax",
    "maximum",
    "mean",
    "minimum",
    "normalize",
    "pairwise_distance",
    "positive_part",
    "power",
    "safe_divide",
    "safe_log",
    "safe_norm",
    "safe_sqrt",
    "shifts",
    "softplus",
    "tiny",
    "window_max",
    "xlogy",
]
