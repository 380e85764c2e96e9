"""Connectionist temporal classification: a label sequence without alignment."""

from keras import ops

from keras_losses import math
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import label, logit
from keras_losses.math import floor
from keras_losses.math.chain import chain_logsumexp


class CTC(Loss):
    """Negative log-likelihood of a label sequence, summed over all its alignments with the prediction.

    Formula: `-log sum over alignments of prod_t softmax(z_t)[a_t]`, where an alignment becomes the label sequence when
    repeats are merged and blanks (class 0) are removed.

    Args:
        zero_infinity: a sequence that no alignment fits counts 0 instead of infinity.

    Shapes:
        `y_true`: `(B, L)` integer labels from 1 to C - 1, padded with 0 at the end; `y_pred`: `(B, T, C)` logits. A mask
        `(B, T)` shortens the prediction of a sample: what it hides is skipped.

    Returns:
        One value a sequence, `(B,)`, reduced. A sequence with more labels and repeats than time steps has the value
        infinity with gradient zero; a label out of range, or a 0 before a label, gives NaN.

    Raises:
        ValueError: the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> sure = np.array([[[-50.0, 50.0], [50.0, -50.0]]])
    >>> float(kl.CTC()(np.array([[1]]), sure))
    0.0

    Reference: A. Graves et al., Connectionist temporal classification: labelling unsegmented sequence data with recurrent
    neural networks, 2006.
    """

    zero_infinity: bool = False

    y_true = label("B L", classes=None)
    y_pred = logit("B T C")

    def call(self, y_true, y_pred, mask=None):
        log_p = math.log_softmax(y_pred)
        live = ops.ones_like(log_p[:, :, 0])
        if mask is not None and len(mask.shape) == 2:
            live = ops.cast(mask, live.dtype)
        ids, length, wrong, repeats = _read(y_true, ops.shape(y_pred)[2])
        infeasible = length + repeats > ops.cast(ops.sum(live, axis=1), length.dtype)
        # What has no path gets the empty sequence, which always has one, so that its gradient stays finite.
        states = _interleave(ids)
        ending = ops.where(ops.logical_or(infeasible, wrong), ops.zeros_like(length), length)
        scores = ops.take_along_axis(log_p, _each_time(states, live), axis=-1)
        value = -chain_logsumexp(scores, _skips(states, log_p.dtype), _final(states, ending, log_p.dtype), live)
        value = floor(value, 0.0)  # rounding must not make a likelihood exceed 1
        value = ops.where(infeasible, ops.full_like(value, 0.0 if self.zero_infinity else float("inf")), value)
        return ops.where(wrong, ops.full_like(value, float("nan")), value)


def _read(labels, classes):
    """Labels with those out of range taken out, how many there are, whether any was out of range, how many repeat."""
    length = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=1)
    gap = ops.logical_and(ops.equal(labels, 0), _positions(labels) < ops.expand_dims(length, 1))
    outside = ops.logical_or(labels < 0, labels >= classes)
    wrong = ops.any(ops.logical_or(gap, outside), axis=1)
    labels = ops.where(outside, ops.zeros_like(labels), labels)
    repeat = ops.logical_and(ops.equal(labels[:, 1:], labels[:, :-1]), ops.not_equal(labels[:, 1:], 0))
    return labels, length, wrong, ops.sum(ops.cast(repeat, "int32"), axis=1)


def _positions(x):
    """0, 1, 2, ... along the last axis, as int32."""
    if x.shape[1] is not None:
        return ops.expand_dims(ops.arange(x.shape[1], dtype="int32"), 0)
    return ops.cumsum(ops.ones_like(x, dtype="int32"), axis=1) - 1


def _interleave(labels):
    """`(B, 2 L + 1)`: a blank (0) before, between and after the labels; state 2 k + 1 is label k."""
    blank = ops.zeros_like(labels)
    pairs = ops.reshape(ops.stack([blank, labels], axis=-1), (ops.shape(labels)[0], 2 * ops.shape(labels)[1]))
    return ops.concatenate([pairs, blank[:, :1]], axis=1)


def _each_time(states, live):
    """`(B, T, S)`: the states, repeated for each time."""
    return ops.expand_dims(states, 1) + ops.zeros_like(ops.expand_dims(live, -1), dtype=states.dtype)


def _skips(states, dtype):
    """A label may follow another at once, without a blank between, unless they are equal."""
    differs = ops.logical_and(ops.not_equal(states[:, 2:], 0), ops.not_equal(states[:, 2:], states[:, :-2]))
    return ops.concatenate([ops.zeros_like(states[:, :2], dtype=dtype), ops.cast(differs, dtype)], axis=1)


def _final(states, length, dtype):
    """An alignment ends in the last label or in the blank after it."""
    state, end = _positions(states), ops.expand_dims(2 * length, 1)
    return ops.cast(ops.logical_or(ops.equal(state, end), ops.equal(state, end - 1)), dtype)


ctc = function_of(CTC)
