"""Broken losses, and mended ones: what they return, their shapes, weights and gradients."""

import keras
from keras import ops

import keras_losses as kl
from keras_losses import math, spec


# ---------------------------------------------------------------- what a loss returns
def mse_scalar(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true))


def dice_scalar(y_true, y_pred):
    both = ops.sum(y_true * y_pred)
    return 1 - (2 * both + 1.0) / (ops.sum(y_true) + ops.sum(y_pred) + 1.0)


class MeanSquared(kl.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


class SoftDice(kl.Loss):
    y_true = spec.binary("B *S C")
    y_pred = spec.prob("B *S C")

    def call(self, y_true, y_pred):
        axes = tuple(range(1, len(y_pred.shape)))
        both = ops.sum(y_true * y_pred, axis=axes)
        return 1 - (2 * both + 1.0) / (ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes) + 1.0)


def forgot_to_return(y_true, y_pred):
    ops.mean(ops.square(y_pred - y_true), axis=-1)


def two_terms(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true), axis=-1), ops.mean(math.absolute(y_pred - y_true), axis=-1)


def mean_over_samples(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true), axis=0)


def misspelled(y_true, y_pred):
    return ops.mean(ops.squared(y_pred - y_true), axis=-1)


class Typo(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - self.target), axis=-1)


def mse_a_sample(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


# ---------------------------------------------------------------- shapes
class ColumnMeetsRow(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


class StretchesOverClasses(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(math.absolute(y_pred - y_true), axis=-1)


def stretches_over_samples(y_true, y_pred):
    return ops.mean(math.softplus(y_pred - y_true), axis=-1)


class Pinball(kl.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(math.positive_part(y_true - y_pred), axis=-1)


# ---------------------------------------------------------------- weights and masks
def elementwise_error(y_true, y_pred):
    return ops.square(y_pred - y_true)


class AveragesItself(keras.losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return ops.mean(ops.square(y_pred - ops.cast(y_true, "float32")))


class LooksAtTheBatch(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(ops.stop_gradient(ops.mean(y_pred)) + y_pred - y_true), axis=-1)


class DividesByTheBatch(keras.losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = getattr(y_pred, "_keras_mask", None)
        mask = kl.core.private.get_mask(y_pred) if mask is None else mask
        values = ops.mean(ops.square(y_pred - ops.cast(y_true, "float32")), axis=-1)
        if sample_weight is not None:
            values = values * sample_weight
        if mask is not None:
            values = values * ops.cast(mask, values.dtype)
        return ops.mean(values) if self.reduction != "none" else values


class DividesByTheWeights(keras.losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        values = ops.mean(ops.square(ops.convert_to_tensor(y_pred) - ops.cast(y_true, "float32")), axis=-1)
        if sample_weight is None:
            return ops.mean(values) if self.reduction != "none" else values
        return ops.sum(values * sample_weight) / ops.sum(sample_weight)


class AlwaysSums(keras.losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return ops.sum(ops.square(y_pred - ops.cast(y_true, "float32")))


# ---------------------------------------------------------------- gradients
def accuracy_loss(y_true, y_pred):
    return 1 - ops.mean(ops.cast(ops.equal(ops.round(y_pred), y_true), "float32"), axis=-1)


def f1_loss(y_true, y_pred):
    hit = ops.cast(y_pred > 0.5, "float32")
    both = ops.sum(hit * y_true, axis=-1)
    return 1 - 2 * both / (ops.sum(hit, axis=-1) + ops.sum(y_true, axis=-1) + 1e-7)


def soft_f1(y_true, y_pred):
    both = ops.sum(y_pred * y_true, axis=-1)
    return 1 - 2 * both / (ops.sum(y_pred, axis=-1) + ops.sum(y_true, axis=-1) + 1e-7)


def argmax_distance(y_true, y_pred):
    return ops.square(ops.cast(ops.argmax(y_pred, axis=-1), "float32") - ops.cast(ops.argmax(y_true, axis=-1), "float32"))


def expected_distance(y_true, y_pred):
    classes = ops.arange(3, dtype="float32")
    return ops.square(ops.sum((y_pred - y_true) * classes, axis=-1))


def bhattacharyya(y_true, y_pred):
    return 1 - ops.mean(ops.sqrt(y_true * y_pred), axis=-1)


def safe_bhattacharyya(y_true, y_pred):
    return 1 - ops.mean(math.safe_sqrt(y_true * y_pred), axis=-1)


def log_of_any(y_true, y_pred):
    return ops.mean(ops.square(ops.log(y_pred) - ops.log(y_true)), axis=-1)


def detached_scale(y_true, y_pred):
    error = y_pred - y_true
    return ops.mean(ops.square(error) * ops.stop_gradient(ops.square(error)), axis=-1)


def fourth_power(y_true, y_pred):
    return ops.mean(ops.square(ops.square(y_pred - y_true)), axis=-1)


def clipped_crossentropy(y_true, y_pred):
    p = ops.clip(y_pred, 1e-3, 1 - 1e-3)
    return -ops.mean(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p), axis=-1)


def focal_by_sigmoid(y_true, y_pred):
    p = ops.clip(ops.sigmoid(y_pred), 1e-7, 1 - 1e-7)
    pt = y_true * p + (1 - y_true) * (1 - p)
    return -ops.mean((1 - pt) ** 2 * ops.log(pt), axis=-1)


def focal_in_log_space(y_true, y_pred):
    z = (2 * y_true - 1) * y_pred
    return ops.mean(ops.square(ops.sigmoid(-z)) * math.softplus(-z), axis=-1)


def between_one_and_two(y_true, y_pred):
    return ops.mean(math.absolute(y_pred - y_true) ** 1.5, axis=-1)
