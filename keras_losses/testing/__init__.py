"""What tests of losses need: gradients and compiled forms of a function on the backend at hand."""

from keras_losses.testing.gradients import compiled, gradient, second_derivative, value_and_gradient

__all__ = ["compiled", "gradient", "second_derivative", "value_and_gradient"]
