"""What tests of losses need: data that fits a contract, gradients, and compiled forms of a function."""

from keras_losses.testing.gradients import compiled, gradient, second_derivative, value_and_gradient
from keras_losses.testing.sampler import sample

__all__ = ["compiled", "gradient", "sample", "second_derivative", "value_and_gradient"]
