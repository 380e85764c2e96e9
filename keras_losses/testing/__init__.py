"""What tests of losses need: `check_loss`, data that fits a contract, gradients, and compiled forms of a function."""

from keras_losses.testing.check import check_loss, parametrize_with_checks
from keras_losses.testing.gradients import compiled, gradient, second_derivative, value_and_gradient
from keras_losses.testing.sampler import sample

__all__ = [
    "check_loss",
    "compiled",
    "gradient",
    "parametrize_with_checks",
    "sample",
    "second_derivative",
    "value_and_gradient",
]
