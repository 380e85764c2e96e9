"""One value per sample: to find the images a model gets most wrong, and why a loss must not return a single number."""

import keras
import numpy as np
from keras import ops
from sklearn.datasets import load_digits

import keras_losses as kl

images, digits = load_digits(return_X_y=True)
images = (images / 16).astype("float32")
x, y, x_test, y_test = images[:1200], digits[:1200], images[1200:], digits[1200:]

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10)])
model.compile(keras.optimizers.Adam(0.003), loss=kl.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x, y, batch_size=64, epochs=8, verbose=0)

logits = model.predict(x_test, verbose=0)
values = ops.convert_to_numpy(kl.SparseCategoricalCrossentropy(from_logits=True, reduction="none")(y_test, logits))
assert values.shape == y_test.shape
print(f"{len(values)} values, their mean {values.mean():.4f}, their median {np.median(values):.4f}")
for i in np.argsort(values)[::-1][:3]:
    print(f"image {1200 + i}: a {y_test[i]} taken for a {logits[i].argmax()}, loss {values[i]:.2f}")


class Scalar(kl.Loss):
    """Returns one number for the whole batch."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true))


class PerSample(kl.Loss):
    """Returns one number for each sample, and leaves the mean over samples to `reduction`."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


y_true, y_pred, weights = np.zeros((2, 3)), np.array([[1.0, 1, 1], [3, 3, 3]]), np.array([1.0, 0.0])
print(f"without weights both give {float(Scalar()(y_true, y_pred))} and {float(PerSample()(y_true, y_pred))}")
print(f"the second sample weighed 0, values per sample give {float(PerSample()(y_true, y_pred, weights))}")
try:
    Scalar()(y_true, y_pred, weights)
except ValueError as error:
    print(f"a single number cannot be weighed: {error}")
else:
    raise AssertionError("weights were dropped")
