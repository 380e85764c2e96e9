"""Two replicas under `tf.distribute` equal one device."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import pytest

import keras_losses
from tests.defects._fit import STOCK

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="replicas are those of tf.distribute")

SCRIPT = """
import json, sys
import numpy as np, tensorflow as tf
cpu, half = tf.config.list_physical_devices("CPU")[0], tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
import keras, keras_losses as kl
from keras import ops

class OneNumber(kl.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true))

class StockOneNumber(keras.losses.Loss):
    call = OneNumber.call

LOSSES = {
    "MeanSquaredError": kl.MeanSquaredError,
    "Dice": kl.Dice,
    "OneNumber": OneNumber,
    "Sum": lambda: kl.Dice() + 2 * kl.MeanSquaredError(),
    "MeanOfWeights": lambda: kl.MeanSquaredError(reduction="mean_with_sample_weight"),
    "SumReduction": lambda: kl.MeanSquaredError(reduction="sum"),
    "stock": StockOneNumber,
}

def train(loss, strategy):
    with strategy.scope():
        x = keras.Input((2, 1))
        dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        model = keras.Model(x, dense(x))
        model.compile(keras.optimizers.SGD(0.25), loss=loss)
    p = np.array([[[0.5], [1.0]]] * 4, "float32")
    history = model.fit(p, np.ones_like(p), batch_size=4, verbose=0).history
    return history["loss"][0], float(dense.get_weights()[0][0, 0])

def train_in_a_layer(strategy):
    with strategy.scope():
        x, y = keras.Input((2, 1)), keras.Input((2, 1))
        dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        model = keras.Model([x, y], kl.layers.AddLoss(kl.MeanSquaredError(), name="layer")(dense(x), y))
        model.compile(keras.optimizers.SGD(0.25))
    p = np.linspace(0, 1, 8).reshape(4, 2, 1).astype("float32")
    history = model.fit([p, np.ones_like(p)], batch_size=4, verbose=0).history
    return history["loss"][0], float(dense.get_weights()[0][0, 0])

one, two = tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert two.num_replicas_in_sync == 2
results = {name: [train(make(), s) for s in (one, two)] for name, make in LOSSES.items()}
print(json.dumps(results | {"layer": [train_in_a_layer(s) for s in (one, two)]}))
"""


def train_in_a_process_of_its_own(folder):
    """{loss: [[logged loss, weight after a step] on one device, the same on two replicas]}."""
    home = str(pathlib.Path(keras_losses.__file__).parents[1])
    path = folder / "script.py"
    path.write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))}
    done = subprocess.run([sys.executable, str(path)], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_replicas_equal_one(tmp_path):
    """tensorflow#55321, keras#16285, #19891, PR#20609: the logged loss and the step, for one number a batch too."""
    results = train_in_a_process_of_its_own(tmp_path)
    for name in ("MeanSquaredError", "Dice", "OneNumber", "Sum", "MeanOfWeights", "layer"):
        one, two = results[name]
        assert two == pytest.approx(one, rel=1e-5), name
    # A sum adds what each replica sums: the step is that of one device.
    (_, weight), (_, weight_of_two) = results["SumReduction"]
    assert weight_of_two == pytest.approx(weight, rel=1e-5)
    # What this is about: the same formula as a subclass of keras.losses.Loss takes a step of twice the length.
    (_, weight), (_, weight_of_two) = results["stock"]
    if STOCK:
        assert weight_of_two - 1 == pytest.approx(2 * (weight - 1), rel=1e-4)
