"""Outputs that do not count alike: weights on the last axis of a regression loss.

Twenty men did three exercises; from those, weight, waist and pulse are predicted, and the pulse counts most.
"""

import keras
import numpy as np
from sklearn.datasets import load_linnerud
from sklearn.preprocessing import scale

import keras_losses as kl

data = load_linnerud()
x, y = scale(data.data).astype("float32"), scale(data.target).astype("float32")


def errors_of(loss):
    """The mean squared error of each output, and the loss, after training with it."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.02), loss=loss)
    model.fit(x, y, batch_size=20, epochs=150, verbose=0)
    y_pred = model.predict(x, verbose=0)
    return np.mean((y_pred - y) ** 2, axis=0), float(loss(y, y_pred))


alike, _ = errors_of(kl.MeanSquaredError())
weighed, value = errors_of(kl.MeanSquaredError(weights=(1, 2, 3)))
for name, first, second in zip(data.target_names, alike, weighed, strict=True):
    print(f"{name:7} squared error {first:.3f}, with weights (1, 2, 3) {second:.3f}")

by_hand = np.mean(weighed * [1, 2, 3])
print(f"weighted loss {value:.4f}, by hand {by_hand:.4f}")
np.testing.assert_allclose(value, by_hand, rtol=1e-5)
assert weighed[2] < alike[2]
