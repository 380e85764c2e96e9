"""A model in half precision. Losses compute in float32, and logits keep what a probability in float16 has lost."""

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_losses as kl

keras.config.set_dtype_policy("mixed_float16")
keras.utils.set_random_seed(0)
images, digits = load_digits(return_X_y=True)
x, y = images.astype("float32"), (digits == 8).astype("int32")[:, None]

loss = kl.BinaryCrossentropy(from_logits=True)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.003), loss=loss)  # scales the loss, so that small gradients survive float16
history = model.fit(x, y, batch_size=128, epochs=5, verbose=0).history["loss"]

logits = model.predict(x, verbose=0)
value = loss(y, logits)
kind = keras.backend.standardize_dtype(value.dtype)
print(f"logits are {logits.dtype}, the loss is {kind}: {history[0]:.4f} at the start, {history[-1]:.4f} at the end")

# A confident mistake: its probability in float16 is exactly 1, its logit still says how wrong it is.
wrong, logit = np.array([[0.0]]), np.array([[20.0]], "float16")
probability = keras.ops.sigmoid(logit)
from_logit, from_probability = float(loss(wrong, logit)), float(kl.BinaryCrossentropy()(wrong, probability))
print(f"a logit of 20 against label 0 costs {from_logit:.2f}")
print(f"its probability, {float(probability[0, 0])} in float16, costs {from_probability:.2f}")
assert np.all(np.isfinite(history))
assert history[-1] < history[0]
assert from_logit == 20.0
