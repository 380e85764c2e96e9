"""Outputs that do not count alike: weights on the last axis of a regression loss.

Twenty men did three exercises. One score, made of those, stands for their weight, waist and pulse at once (each in
standard deviations): it cannot please all three, so the weights decide which of them it follows.
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
    exercises = keras.Input((3,))
    score = keras.layers.Dense(1, kernel_initializer="zeros")(exercises)
    model = keras.Model(exercises, keras.layers.Concatenate()([score, score, score]))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), loss=loss)
    model.fit(x, y, batch_size=20, epochs=30, verbose=0)
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
