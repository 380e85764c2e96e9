"""Value and gradient of every loss over a batch, on one device or on several: a script, since devices are set up once.

`python -m tests._replicas FILE one` runs whole batches on one device. `... FILE many [RANK STORE]` runs a half of each on each
of two replicas with `gather=True`: logical devices under `tf.distribute`, or processes of PyTorch, of which this is number
RANK; on JAX a quarter on each of four devices. `{loss: [value, gradient of the weights of a linear model]}` goes to FILE.
"""

import functools
import json
import pathlib
import sys

import keras
import numpy as np
from keras import ops

import keras_losses as kl
from keras_losses.core.batch_loss import BatchLoss
from keras_losses.core.registry import public
from keras_losses.testing import sample

BATCH, DEVICES = 8, 4 if keras.backend.backend() == "jax" else 2
LOSSES = {name: cls for name, cls in public().items() if isinstance(cls, type) and issubclass(cls, BatchLoss)}


def cases():
    """`{name: (loss, y_true, x, sample_weight, mask)}`; the halves differ in how many samples count."""
    rng = np.random.default_rng(0)
    weight = np.array([1.0, 2.0, 0.5, 1.0, 0.0, 1.5, 1.0, 3.0], "float32")
    mask = np.array([True, True, True, False, True, True, True, True])
    found = {}
    for name, cls in LOSSES.items():
        y_true, x = sample(cls.example(), batch=BATCH)
        y_true = rng.integers(0, 3, BATCH) if y_true.dtype.kind == "i" else y_true.astype("float32")
        found[name] = (cls.example(gather=True), y_true, x.astype("float32"), weight, mask)
    loss, *data = found["Contrastive"]
    found["a sum of values"] = (kl.Contrastive(gather=True, reduction="sum"), *data)
    found["a mean of weights"] = (kl.Contrastive(gather=True, reduction="mean_with_sample_weight"), *data)
    found["a sum of losses"] = (0.5 * loss + kl.NPairs(gather=True), *data)
    found["a part of the samples"] = (kl.HardestK(loss=loss, k=0.5, over="batch"), *data)
    return found


def start(x):
    d = x.shape[-1]
    return np.eye(d, dtype="float32") + 0.1 * np.cos(np.arange(d * d, dtype="float32").reshape(d, d))


@functools.cache
def mirrored():
    """One for the process: the collectives of a second one would be taken for those of the first."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def on_tensorflow(data, many):
    import tensorflow as tf

    loss, *arrays = data

    def part(number):
        size = BATCH // DEVICES
        return [tf.constant(a[number * size : (number + 1) * size] if many else a) for a in arrays]

    if not many:
        strategy = tf.distribute.get_strategy()
        inputs = part(0)
    else:
        strategy = mirrored()
        halves = [part(i) for i in range(DEVICES)]
        made = [[half[i] for half in halves] for i in range(len(arrays))]
        inputs = [
            strategy.experimental_distribute_values_from_function(lambda c, each=each: each[c.replica_id_in_sync_group])
            for each in made
        ]
    with strategy.scope():
        w = tf.Variable(start(arrays[1]))

    def step(y, x, weight, mask):
        with tf.GradientTape() as tape:
            value = loss(y, x @ w, sample_weight=weight, mask=mask)
        slope = tape.gradient(value, w)
        together = tf.distribute.get_replica_context()
        # Keras's optimizers add up the gradients of the replicas.
        return [together.all_reduce(tf.distribute.ReduceOp.SUM, each) for each in (value, slope)]

    value, slope = tf.function(lambda *given: strategy.run(step, args=given), autograph=False)(*inputs)
    first = strategy.experimental_local_results
    return first(value)[0].numpy(), first(slope)[0].numpy()


def fitted_on_tensorflow(many, in_layer):
    """The loss that `fit` logs, and the weights after two steps."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(BATCH, 3)).astype("float32"), np.arange(BATCH) % 3
    with (mirrored() if many else tf.distribute.get_strategy()).scope():
        given, ids = keras.Input((3,)), keras.Input((), dtype="int32")
        dense = keras.layers.Dense(2, use_bias=False, kernel_initializer=keras.initializers.Constant(start(x)[:, :2]))
        loss = kl.NTXent(gather=True)
        if in_layer:
            model = keras.Model([given, ids], kl.layers.AddLoss(loss, name="layer")(dense(given), ids))
        else:
            model = keras.Model(given, dense(given))
        model.compile(keras.optimizers.SGD(0.1), loss=None if in_layer else loss)
    data = ([x, y],) if in_layer else (x, y)
    history = model.fit(*data, batch_size=BATCH, epochs=2, shuffle=False, verbose=0).history
    return history["layer" if in_layer else "loss"][-1], dense.get_weights()[0]


def on_torch(data, rank):
    import torch

    loss, *arrays = data
    size = BATCH // DEVICES
    y, x, weight, mask = (torch.tensor(a if rank is None else a[rank * size : (rank + 1) * size]) for a in arrays)
    d = x.shape[-1]
    linear = torch.nn.Linear(d, d, bias=False)
    linear.weight.data[:] = torch.tensor(start(arrays[1])).T
    model = linear if rank is None else torch.nn.parallel.DistributedDataParallel(linear)
    value = loss(y, model(x), sample_weight=weight, mask=mask)
    value.backward()
    return value.detach().numpy(), linear.weight.grad.numpy().T


def on_jax(data, many):
    import jax

    loss, *arrays = data
    w = start(arrays[1])
    if many:
        devices = keras.distribution.list_devices()
        assert len(devices) == DEVICES, devices
        data_parallel = keras.distribution.DataParallel(devices=devices)
        arrays = [
            keras.distribution.distribute_tensor(ops.convert_to_tensor(a), data_parallel.get_data_layout(a.shape))
            for a in arrays
        ]
        assert all(len(a.sharding.device_set) == DEVICES for a in arrays)

    def value(w, y, x, weight, mask):
        return loss(y, x @ w, sample_weight=weight, mask=mask)

    return jax.jit(jax.value_and_grad(value))(w, *arrays)


def main(path, how, rank=None, store=None):
    backend, many = keras.backend.backend(), how == "many"
    if backend == "tensorflow" and many:
        import tensorflow as tf

        half = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [half] * DEVICES)
    if backend == "torch" and many:
        import torch.distributed as dist

        rank = int(rank)
        dist.init_process_group("gloo", init_method=pathlib.Path(store).as_uri(), rank=rank, world_size=DEVICES)
    run = {"tensorflow": on_tensorflow, "jax": on_jax}.get(backend)
    found = {}
    for name, data in cases().items():
        value, slope = run(data, many) if run else on_torch(data, rank)
        found[name] = [float(value), np.asarray(slope).tolist()]
    if backend == "tensorflow":
        for name, in_layer in (("fit", False), ("fit, in a layer", True)):
            value, slope = fitted_on_tensorflow(many, in_layer)
            found[name] = [value, slope.tolist()]
    if backend == "torch" and many:
        try:
            kl.NTXent(gather=True)(np.zeros(rank + 2, int), np.ones((rank + 2, 3), "float32"))
        except ValueError as error:
            found["parts of different size"] = str(error)
    pathlib.Path(path).write_text(json.dumps(found))
    if backend == "torch" and many:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
