"""A training loop of one's own in TensorFlow: a loss is a function of tensors, so `GradientTape` sees through it."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import keras_losses as kl

images, digits = load_digits(return_X_y=True)
x, y = (images / 16).astype("float32"), keras.utils.to_categorical(digits)
batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(64)

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10)])
optimizer = keras.optimizers.Adam(0.003)
loss = kl.CategoricalFocalCrossentropy(gamma=2, from_logits=True)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        value = loss(y, model(x, training=True))
    optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)
    return value


means = [float(tf.reduce_mean([step(x, y) for x, y in batches])) for _ in range(10)]
print(f"focal loss per epoch: {means[0]:.4f} at the start, {means[-1]:.4f} at the end")
assert means[-1] < 0.7 * means[0], means
