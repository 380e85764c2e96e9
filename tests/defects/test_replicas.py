"""Two replicas under `tf.distribute` equal one device."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
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

HEADS = "NormalizedSoftmax ArcFace CosFace SphereFace SubCenterArcFace CurricularFace AdaFace SoftTriple"
HEADS = [*HEADS.split(), "ProxyNCA", "CenterLoss"]

def train_a_head(name, strategy):
    with strategy.scope():
        x, y = keras.Input((4,)), keras.Input((), dtype="int32")
        head = getattr(kl.layers, name)(3, name="head")
        model = keras.Model([x, y], head(x, y))
        own = isinstance(head, kl.layers.AddLoss)
        model.compile(keras.optimizers.SGD(0.1), loss=None if own else kl.SparseCategoricalCrossentropy(from_logits=True))
    head.set_weights([np.cos(np.arange(w.size)).reshape(w.shape) if w.ndim > 1 else w for w in head.get_weights()])
    x, y = np.random.default_rng(0).normal(size=(8, 4)).astype("float32"), np.array([0, 1, 2, 0, 2, 1, 0, 1])
    model.fit([x, y], None if own else y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return {w.name: w.numpy().ravel().tolist() for w in head.weights if w.name not in ("total", "count", "previous")}

one, two = tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert two.num_replicas_in_sync == 2
results = {name: [train(make(), s) for s in (one, two)] for name, make in LOSSES.items()}
results["layer"] = [train_in_a_layer(s) for s in (one, two)]
print(json.dumps(results | {"heads": {name: [train_a_head(name, s) for s in (one, two)] for name in HEADS}}))
"""


def train_in_a_process_of_its_own(folder):
    """{loss: [[logged loss, weight after a step] on one device, the same on two replicas]}."""
    home = str(pathlib.Path(keras_losses.__file__).parents[1])
    path = folder / "script.py"
    path.write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))}
    done = subprocess.run([sys.executable, str(path)], env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return train_in_a_process_of_its_own(tmp_path_factory.mktemp("replicas"))


X, LABELS = np.random.default_rng(0).normal(size=(8, 4)).astype("float32"), np.array([0, 1, 2, 0, 2, 1, 0, 1])


def by_replica():
    """What is of a replica, as told in their pages, after two steps: means of what the rule makes of each half."""
    centers, std = np.cos(np.arange(12.0)).reshape(3, 4), 100.0
    halves = [(X[:4], LABELS[:4]), (X[4:], LABELS[4:])]
    for _ in range(2):
        moved = [centers.copy() for _ in halves]
        for new, (x, labels) in zip(moved, halves, strict=True):
            for k in range(3):
                new[k] -= 0.5 * (centers[k] - x[labels == k]).sum(axis=0) / (1 + (labels == k).sum())
        centers = np.mean(moved, axis=0)
        std = 0.99 * std + 0.01 * np.mean([np.sqrt((x**2).sum(axis=1)).std() for x, _ in halves])
    return {("CenterLoss", "centers"): centers.ravel(), ("AdaFace", "std"): [std]}


def test_heads_of_two_replicas_equal_those_of_one(results):
    """Class weights take the step of one device, and statistics are the mean over the replicas."""
    of_replicas = by_replica()
    for name, (one, two) in results["heads"].items():
        assert one.keys() == two.keys()
        for variable in one.keys() - ({"kernel"} if name == "AdaFace" else set()):
            expected = of_replicas.get((name, variable), one[variable])
            assert two[variable] == pytest.approx(expected, rel=1e-4, abs=1e-5), (name, variable)


def test_two_replicas_equal_one(results):
    """tensorflow#55321, keras#16285, #19891, PR#20609: the logged loss and the step, for one number a batch too."""
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
