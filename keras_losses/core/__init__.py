"""The machinery around a formula. Start with README.md beside this file."""

from keras_losses.core import spec
from keras_losses.core.compose import Sum
from keras_losses.core.debug import debugging
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.registry import deserialize, get, serialize

__all__ = ["Loss", "Sum", "debugging", "deserialize", "function_of", "get", "serialize", "spec"]
