"""Broken losses, and mended ones: edges, precision, labels."""

import keras
from keras import ops

import keras_losses as kl
from keras_losses import math, spec


# ---------------------------------------------------------------- edges
def rmse(y_true, y_pred):
    return ops.sqrt(ops.mean(ops.square(y_pred - y_true), axis=-1))


def safe_rmse(y_true, y_pred):
    return math.safe_sqrt(ops.mean(ops.square(y_pred - y_true), axis=-1))


def euclidean_distance(y_true, y_pred):
    return ops.sqrt(ops.sum(ops.square(y_pred - y_true), axis=-1))


class SpreadOfSample(keras.losses.Loss):
    """A penalty on predictions that vary, as for smoothness: the deviation of equal numbers has no slope."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1) + ops.sqrt(ops.var(y_pred, axis=-1))


class VarianceOfSample(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1) + ops.var(y_pred, axis=-1)


def dice_without_smooth(y_true, y_pred):
    return 1 - 2 * ops.sum(y_true * y_pred, axis=-1) / (ops.sum(y_true, axis=-1) + ops.sum(y_pred, axis=-1))


def mean_over_positives(y_true, y_pred):
    return ops.sum(y_true * ops.square(1 - y_pred), axis=-1) / ops.sum(y_true, axis=-1)


def safe_mean_over_positives(y_true, y_pred):
    return math.safe_divide(ops.sum(y_true * ops.square(1 - y_pred), axis=-1), ops.sum(y_true, axis=-1))


def plain_binary_crossentropy(y_true, y_pred):
    return -ops.mean(y_true * ops.log(y_pred) + (1 - y_true) * ops.log(1 - y_pred), axis=-1)


def safe_binary_crossentropy(y_true, y_pred):
    return -ops.mean(y_true * math.safe_log(y_pred) + (1 - y_true) * math.safe_log(1 - y_pred), axis=-1)


def plain_cosine(y_true, y_pred):
    lengths = ops.sqrt(ops.sum(ops.square(y_true), axis=-1)) * ops.sqrt(ops.sum(ops.square(y_pred), axis=-1))
    return 1 - ops.sum(y_true * y_pred, axis=-1) / lengths


def safe_cosine(y_true, y_pred):
    return -ops.sum(math.normalize(y_true) * math.normalize(y_pred), axis=-1)


def log_behind_where(y_true, y_pred):
    return ops.mean(ops.where(y_pred > 0, ops.log(y_pred), 0.0) * y_true + ops.square(y_pred), axis=-1)


def log_before_where(y_true, y_pred):
    safe = ops.where(y_pred > 0, y_pred, 1.0)
    return ops.mean(ops.where(y_pred > 0, ops.log(safe), 0.0) * y_true + ops.square(y_pred), axis=-1)


def mean_behind_where(y_true, y_pred):
    number = ops.sum(y_true, axis=-1)
    return ops.where(number > 0, ops.sum(y_true * ops.square(1 - y_pred), axis=-1) / number, 0.0)


# ---------------------------------------------------------------- precision
def log_of_cosh(y_true, y_pred):
    return ops.mean(ops.log((ops.exp(y_pred - y_true) + ops.exp(y_true - y_pred)) / 2), axis=-1)


def log_of_sigmoid_by_hand(y_true, y_pred):
    return ops.mean(ops.log(1 + ops.exp(y_pred)) - y_true * y_pred, axis=-1)


def log_of_sigmoid(y_true, y_pred):
    return ops.mean(math.softplus(y_pred) - y_true * y_pred, axis=-1)


def tiny_epsilon(y_true, y_pred):
    return -ops.mean(y_true * ops.log(y_pred + 1e-8) + (1 - y_true) * ops.log(1 - y_pred + 1e-8), axis=-1)


class CastsToSingle(keras.losses.Loss):
    def call(self, y_true, y_pred):
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        return safe_binary_crossentropy(y_true, y_pred)


def far_from_zero(y_true, y_pred):
    """A squared difference, expanded: the digits cancel."""
    a, b = y_true + 100.0, y_pred + 100.0
    return ops.mean(a * a - 2 * a * b + b * b, axis=-1)


# ---------------------------------------------------------------- labels
def sparse_by_float(y_true, y_pred):
    labels = ops.cast(ops.cast(y_true, y_pred.dtype), "int32")
    return -ops.sum(ops.one_hot(labels, y_pred.shape[-1]) * math.safe_log(ops.cast(y_pred, "float32")), axis=-1)


def sparse_by_integer(y_true, y_pred):
    labels = ops.cast(y_true, "int32")
    return -ops.sum(ops.one_hot(labels, y_pred.shape[-1]) * math.safe_log(ops.cast(y_pred, "float32")), axis=-1)


class SparseByOneHot(keras.losses.Loss):
    def call(self, y_true, y_pred):
        hot = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1])
        return -ops.sum(hot * math.safe_log(y_pred), axis=-1)


class SparseWithContract(kl.Loss):
    y_true = spec.label("B *S")
    y_pred = spec.simplex("B *S C")

    def call(self, y_true, y_pred):
        return -math.safe_log(ops.sum(ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype) * y_pred, axis=-1))
