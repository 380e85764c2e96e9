"""Broken losses, and mended ones: what a compiled step cannot run, batches, saving."""

import random

import keras
import numpy as np
from keras import ops

import keras_losses as kl
from keras_losses import math
from tests._broken_numerics import safe_binary_crossentropy


# ---------------------------------------------------------------- compilation
def huber_with_if(y_true, y_pred):
    error = math.absolute(y_pred - y_true)
    if ops.mean(error) > 1.0:
        return ops.mean(error, axis=-1)
    return ops.mean(ops.square(error), axis=-1)


def huber_with_where(y_true, y_pred):
    error = math.absolute(y_pred - y_true)
    return ops.mean(ops.where(error > 1.0, error - 0.5, 0.5 * ops.square(error)), axis=-1)


def larger_of_two(y_true, y_pred):
    return max(ops.mean(ops.square(y_pred - y_true)), ops.mean(math.absolute(y_pred - y_true)))


def numpy_mean(y_true, y_pred):
    return np.mean(np.square(y_pred - y_true), axis=-1)


def float_scale(y_true, y_pred):
    scale = float(ops.max(y_true))
    return ops.mean(ops.square(y_pred - y_true), axis=-1) / (1.0 + abs(scale))


def item_scale(y_true, y_pred):
    scale = ops.max(y_true).item()
    return ops.mean(ops.square(y_pred - y_true), axis=-1) / (1.0 + abs(scale))


def picks_positives(y_true, y_pred):
    return ops.mean(ops.square(1 - y_pred[y_true > 0]))


def loops_over_batch(y_true, y_pred):
    return ops.stack([ops.mean(ops.square(y_pred[i] - y_true[i])) for i in range(y_pred.shape[0])])


def divides_by_batch(y_true, y_pred):
    return ops.sum(ops.square(y_pred - y_true), axis=-1) / (1.0 * y_pred.shape[0]) * y_pred.shape[0]


def calls_numpy_method(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true), axis=-1) * y_pred.numpy().size


def random_scale(y_true, y_pred):
    return random.uniform(0.5, 1.5) * ops.mean(ops.square(y_pred - y_true), axis=-1)


class Annealed(keras.losses.Loss):
    def __init__(self):
        super().__init__()
        self.weight = 1.0

    def call(self, y_true, y_pred):
        self.weight *= 0.9
        return self.weight * ops.mean(ops.square(y_pred - y_true), axis=-1)


CALLS = {"number": 0}


def counts_calls(y_true, y_pred):
    CALLS["number"] += 1
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


# ---------------------------------------------------------------- batches
class DifferenceOfNeighbours(keras.losses.Loss):
    def call(self, y_true, y_pred):
        change = ops.concatenate([y_pred[1:] - y_pred[:-1], ops.zeros_like(y_pred[:1])], axis=0)
        return ops.mean(ops.square(y_pred - y_true), axis=-1) + ops.mean(ops.square(change), axis=-1)


class NormalizedByBatch(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1) / (1.0 + ops.mean(ops.square(y_true)))


class ContrastsByDesign(kl.Loss):
    couples_batch = True

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1) / (1.0 + ops.mean(ops.square(y_true)))


# ---------------------------------------------------------------- saving
class ForgetsPower(keras.losses.Loss):
    def __init__(self, power=2.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true, y_pred):
        return ops.mean((math.absolute(y_pred - y_true) + 1e-6) ** self.power, axis=-1)


class ForgetsLambda(keras.losses.Loss):
    def __init__(self, weight=1.0, offset=0.0, name="forgets_lambda", **kwargs):
        super().__init__(name=name, **kwargs)
        self.weight, self.offset = weight, offset

    def call(self, y_true, y_pred):
        return self.weight * ops.mean(ops.square(y_pred - y_true), axis=-1) + self.offset

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


class KeepsPower(kl.Loss):
    power: float = 2.0

    def call(self, y_true, y_pred):
        return ops.mean((math.absolute(y_pred - y_true) + 1e-6) ** self.power, axis=-1)


def weighted(weight):
    def loss(y_true, y_pred):
        return weight * ops.mean(ops.square(y_pred - y_true), axis=-1)

    return loss


def powered(y_true, y_pred, power=2.0):
    return ops.mean((math.absolute(y_pred - y_true) + 1e-6) ** power, axis=-1)


class Unregistered(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


@keras.saving.register_keras_serializable(package="tests")
class Registered(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


@keras.saving.register_keras_serializable(package="tests")
def registered_function(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


class SmoothsAnything(keras.losses.Loss):
    def __init__(self, label_smoothing=0.0, **kwargs):
        super().__init__(**kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        y_true = y_true * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        return safe_binary_crossentropy(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
