"""A training loop of one's own in JAX: a loss is a pure function, so `value_and_grad` and `jit` take it as it is."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

import keras_losses as kl

patients, progression = load_diabetes(return_X_y=True, scaled=False)
x, y = scale(patients).astype("float32"), scale(progression).astype("float32")

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(32, "tanh"), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)
loss = kl.Huber(delta=1.0)


def loss_of(trainable, fixed, x, y):
    y_pred, fixed = model.stateless_call(trainable, fixed, x, training=True)
    return loss(y, y_pred), fixed  # (N,) against (N, 1): matched, not broadcast


@jax.jit
def step(state, x, y):
    trainable, fixed, moments = state
    (value, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, fixed, x, y)
    trainable, moments = optimizer.stateless_apply(moments, gradients, trainable)
    return value, (trainable, fixed, moments)


state = tuple(
    [variable.value for variable in variables]
    for variables in (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
)
values = []
for _ in range(100):
    value, state = step(state, x, y)
    values.append(float(value))
print(f"Huber loss: {values[0]:.4f} at the start, {values[-1]:.4f} at the end")
assert values[-1] < 0.7 * values[0], values
