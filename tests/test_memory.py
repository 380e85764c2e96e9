"""CrossBatchMemory: any loss over pairs, with the embeddings of earlier batches as further partners."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.core.private import set_mask
from keras_losses.metric_learning import blocks
from keras_losses.metric_learning.pairs import PairLoss
from keras_losses.testing import value_and_gradient
from tests import _hostile as hostile
from tests.reference._embeddings import average, cosine, distance

RNG = np.random.default_rng(0)
D = 3
LOSSES = {
    name: getattr(kl, name)()
    for name in kl.__all__
    if isinstance(cls := getattr(kl, name), type) and issubclass(cls, PairLoss) and "ref_labels" in cls.call_arguments
}
LOSSES |= {f"TripletMargin-{m}": kl.TripletMargin(mining=m) for m in ("semihard", "hard", "easy")}
# Their value at one anchor depends on the other anchors by definition: in the memory there are none.
OF_ANCHORS = ("LiftedStructure", "Histogram")
LOSSES |= {"Circle-diagonal": kl.Circle(remove_diagonal=False)}


def array(x):
    return ops.convert_to_numpy(ops.convert_to_tensor(x))


def batch(seed, n):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, D)).astype("float32"), rng.integers(0, 3, n)


class Queue:
    """The memory of the paper, as lists, newest first."""

    def __init__(self, size):
        self.size, self.x, self.ids, self.counts = size, [], [], []

    def push(self, x, ids, counts=None):
        counts = np.ones(len(x), bool) if counts is None else counts
        for name, new in (("x", x), ("ids", ids), ("counts", counts)):
            setattr(self, name, [*new, *getattr(self, name)][: self.size])

    @property
    def held(self):
        return [(x, i) for x, i, c in zip(self.x, self.ids, self.counts, strict=True) if c]


def partners(x, ids, counts, queue, i):
    """`(embedding, whether of the same id)` of every partner of the anchor `i`."""
    own = [(x[j], ids[j] == ids[i]) for j in range(len(x)) if j != i and counts[j]]
    return own + [(y, k == ids[i]) for y, k in queue.held]


def contrastive(x, ids, queue, counts=None, margin=1.0):
    """Per anchor, and which of them count."""
    counts = np.ones(len(x), bool) if counts is None else counts
    values, valid = np.zeros(len(x)), np.zeros(len(x), bool)
    for i in range(len(x)):
        costs = []
        for y, same in partners(x, ids, counts, queue, i):
            d = distance(x[i], y, "euclidean")
            costs.append(d**2 / 2 if same else max(margin - d, 0) ** 2 / 2)
        valid[i] = counts[i] and bool(costs)
        values[i] = average(costs) if valid[i] else 0.0
    return values, valid


def nt_xent(x, ids, queue, temperature=0.1):
    values, valid = np.zeros(len(x)), np.zeros(len(x), bool)
    for i in range(len(x)):
        others = partners(x, ids, np.ones(len(x), bool), queue, i)
        near = [cosine(x[i], y) / temperature for y, same in others if same]
        far = [cosine(x[i], y) / temperature for y, same in others if not same]
        valid[i] = bool(near and far)
        if valid[i]:
            values[i] = average(np.log(1 + sum(np.exp(n - p) for n in far)) for p in near)
    return values, valid


def mean(values, valid):
    return values.sum() / max(valid.sum(), 1)


@pytest.mark.parametrize("loss", ["Contrastive", "NTXent"])
def test_batches_of_any_size_meet_the_memory(loss):
    """Smaller batches, one larger than the memory, and a memory that is not full yet."""
    reference = contrastive if loss == "Contrastive" else nt_xent
    layer, queue = kl.layers.CrossBatchMemory(LOSSES[loss], size=7), Queue(7)
    for step, n in enumerate((3, 1, 4, 2, 9, 3, 7, 5)):
        x, ids = batch(step, n)
        out = layer(x, ids, training=True)
        np.testing.assert_array_equal(array(out), x)
        (value,) = layer.losses
        np.testing.assert_allclose(array(value), mean(*reference(x, ids, queue)), rtol=1e-4, atol=1e-6)
        queue.push(x, ids)
        held = len(queue.ids)
        np.testing.assert_array_equal(array(layer.filled), np.arange(7) < held)
        np.testing.assert_array_equal(array(layer.ids)[:held], queue.ids)
        np.testing.assert_allclose(array(layer.memory)[:held], np.array(queue.x), rtol=1e-6)
        layer(x)  # a model that predicts, and one that evaluates
        layer(x, ids)
        np.testing.assert_allclose(array(sum(layer.losses)), mean(*reference(x, ids, queue)), rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(array(layer.ids)[:held], queue.ids)


def filled(loss, memory, ids, size=None, **kwargs):
    layer = kl.layers.CrossBatchMemory(loss, size=len(ids) if size is None else size, **kwargs)
    layer.build((None, D))
    layer(memory, ids, training=True)
    return layer


@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_sees_the_memory_as_it_would_see_a_larger_batch(name, in_blocks, monkeypatch):
    if in_blocks:
        monkeypatch.setattr(blocks, "WHOLE", 0)
        monkeypatch.setattr(blocks, "BLOCK", 25)
    loss, (x, ids), (old, old_ids) = LOSSES[name], batch(1, 5), batch(2, 6)
    layer = filled(loss, old, old_ids, size=9)  # three places are empty

    def added(p):
        return layer.stateless_call([], state, p, ids, return_losses=True)[2][0]

    state = [v.value for v in layer.non_trainable_variables]
    value, slope = value_and_gradient(added, x)
    # The anchors of the memory do not count: they are left out of the mean, and are constants.
    config = {**loss.get_config(), "reduction": "none"}
    both, all_ids = ops.convert_to_tensor(old), np.concatenate([ids, old_ids])

    def whole(p):
        if name in OF_ANCHORS:
            same = all_ids == ids[:, None]
            itself = np.arange(11) == np.arange(5)[:, None]
            d = loss.distances(p, ops.concatenate([p, both], axis=0))
            values, valid = loss.rows(d, *(ops.convert_to_tensor(m) for m in (same & ~itself, ~same)))
        else:
            of_all = (
                type(loss).from_config(config)._values(all_ids, ops.concatenate([p, both], axis=0), None, None, {}, "float32")
            )
            values, valid = of_all.value[:5], of_all.valid[:5]
        return ops.sum(values) / ops.sum(ops.cast(valid, "float32"))

    right, right_slope = value_and_gradient(whole, x)
    np.testing.assert_allclose(value, right, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(slope, right_slope, rtol=1e-3, atol=1e-4)
    assert np.abs(slope).max() > 0
    alone = value_and_gradient(lambda p: loss(ids, p), x)[0]
    assert abs(float(value) - float(alone)) > 1e-4


def test_what_does_not_count_is_no_partner_then_and_later():
    (x, ids), (later, later_ids) = batch(1, 6), batch(2, 4)
    counts = np.array([True, False, True, True, False, True])
    broken = np.where(counts[:, None], x, np.nan).astype("float32")
    for way in ("weight", "mask"):
        layer, queue = kl.layers.CrossBatchMemory(kl.Contrastive(), size=8), Queue(8)
        if way == "weight":
            weight = np.where(counts, 2.0, 0.0).astype("float32")
            layer(broken, ids, weight, training=True)
            right = 2 * mean(*contrastive(x, ids, queue, counts))
        else:
            layer(set_mask(ops.convert_to_tensor(broken), ops.convert_to_tensor(counts)), ids, training=True)
            right = mean(*contrastive(x, ids, queue, counts))
        np.testing.assert_allclose(array(sum(layer.losses)), right, rtol=1e-4)
        alone = kl.Contrastive()(ids, x, weight if way == "weight" else counts.astype("float32"))
        np.testing.assert_allclose(array(sum(layer.losses)), array(alone), rtol=1e-4)
        assert np.isfinite(array(layer.memory)).all()
        queue.push(x, ids, counts)
        np.testing.assert_array_equal(array(layer.filled), [*counts, 0, 0])
        layer(later, later_ids)
        np.testing.assert_allclose(array(sum(layer.losses)), mean(*contrastive(later, later_ids, queue)), rtol=1e-4)


def test_what_is_not_finite_does_not_stay():
    x, ids = batch(1, 4)
    x[2] = np.inf  # as half precision overflows now and then
    layer = filled(kl.Contrastive(), x, ids)
    assert np.isfinite(array(layer.memory)).all()
    np.testing.assert_array_equal(array(layer.filled), [1, 1, 0, 1])
    layer(*batch(2, 3))
    assert np.isfinite(array(sum(layer.losses)))


def test_nothing_to_compare_with_is_no_loss():
    x, ids = batch(1, 1)
    for loss in LOSSES.values():
        if loss.leaves_itself_out:
            layer = kl.layers.CrossBatchMemory(loss, size=2)
            state = [ops.zeros(v.shape, dtype=v.dtype) for v in layer_state(layer)]

            def added(p, layer=layer, state=state):
                return layer.stateless_call([], state, p, ids, return_losses=True)[2][0]

            value, slope = value_and_gradient(added, x)
            assert value == 0
            assert not slope.any()


def layer_state(layer):
    layer.build((None, D))
    return layer.non_trainable_variables


def test_large_ids_stay_what_they_are():
    big, (x, _) = 2**24, batch(1, 4)
    layer, queue = kl.layers.CrossBatchMemory(kl.Contrastive(), size=4), Queue(4)
    ids = np.array([big, big + 1, big, big + 1])
    for dtype in ("int32", "int64"):
        layer(x, ids.astype(dtype), training=True)
        queue.push(x, ids)
        np.testing.assert_array_equal(array(layer.ids), ids)
    layer(x[:2] + 0.1, ids[:2])
    np.testing.assert_allclose(array(sum(layer.losses)), mean(*contrastive(x[:2] + 0.1, ids[:2], queue)), rtol=1e-4)
    # Ids that are no integers have no loss.
    layer(x, np.array([0.0, 0.5, 0.0, 1.0], "float32"))
    assert np.isnan(array(sum(layer.losses)))


def test_a_column_of_ids():
    layer, (x, ids) = kl.layers.CrossBatchMemory(kl.Contrastive(), size=4), batch(1, 5)
    layer(x, ids[:, None], training=True)
    np.testing.assert_allclose(array(sum(layer.losses)), mean(*contrastive(x, ids, Queue(4))), rtol=1e-4)
    np.testing.assert_array_equal(array(layer.ids), ids[:4])


def model_of(loss, dtype=None, size=50):
    x, y = keras.Input((6,)), keras.Input((), dtype="int32")
    embedding = keras.layers.Dense(D, dtype=dtype)(x)
    layer = kl.layers.CrossBatchMemory(loss, size=size, name="memory", dtype=dtype, weight=0.5)
    model = keras.Model([x, y], layer(embedding, y))
    model.compile(keras.optimizers.SGD(0.02))
    return model, keras.Model(x, layer(embedding)), layer


@pytest.mark.parametrize("dtype", [None, "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", ["Contrastive", "TripletMargin", "NTXent", "MultiSimilarity"])
def test_fit_saves_and_loads(name, dtype, tmp_path):
    model, predicting, layer = model_of(LOSSES[name], dtype)
    rng, y = np.random.default_rng(3), (np.arange(38) % 5).astype("int32")
    x = (rng.normal(size=(5, 6))[y] + 0.1 * rng.normal(size=(38, 6))).astype("float32")
    history = model.fit([x, y], batch_size=16, epochs=6, shuffle=False, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    np.testing.assert_allclose(history["loss"], 0.5 * np.array(history["memory"]), rtol=1e-3)
    ids, memory = array(layer.ids), array(layer.memory)
    # The last batch has 6 samples: it lies in front, and those before it behind.
    np.testing.assert_array_equal(ids, np.concatenate([y[32:], y[16:32], y[:16], y[32:], y[16:22]]))
    assert array(layer.filled).all()
    assert not layer.trainable_variables
    value = model.evaluate([x, y], batch_size=38, verbose=0)
    np.testing.assert_array_equal(array(layer.memory), memory)
    model.predict([x, y], verbose=0)
    predicting.predict(x, verbose=0)
    np.testing.assert_array_equal(array(layer.memory), memory)
    if dtype is not None:
        return
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    found = again.get_layer("memory")
    assert found.get_config() == layer.get_config()
    for a, b in zip(layer.variables[:4], found.variables[:4], strict=True):
        np.testing.assert_array_equal(array(a), array(b))
    np.testing.assert_array_equal(array(found.memory), memory)
    np.testing.assert_array_equal(array(found.ids), ids)
    np.testing.assert_allclose(again.evaluate([x, y], batch_size=38, verbose=0), value, rtol=1e-5)


def test_the_memory_of_fit_is_what_the_batches_were():
    """One epoch at learning rate 0: each step sees the embeddings of those before it."""
    model, predicting, _ = model_of(kl.Contrastive(), size=20)
    model.compile(keras.optimizers.SGD(0.0))
    x, y = RNG.normal(size=(27, 6)).astype("float32"), RNG.integers(0, 3, 27).astype("int32")
    history = model.fit([x, y], batch_size=8, shuffle=False, verbose=0).history
    z, queue, total = predicting.predict(x, verbose=0), Queue(20), 0.0
    for start in range(0, 27, 8):
        part = slice(start, start + 8)
        total += mean(*contrastive(z[part], y[part], queue)) * len(y[part])
        queue.push(z[part], y[part])
    np.testing.assert_allclose(history["memory"][0], total / 27, rtol=1e-4)


@pytest.mark.parametrize("wrong", [kl.Huber(), kl.InfoNCE(), kl.Contrastive(reduction="none"), kl.Contrastive, "contrastive"])
def test_other_losses_are_refused(wrong):
    with pytest.raises(ValueError, match="`loss` must be a"):
        kl.layers.CrossBatchMemory(wrong, size=4)


def test_other_arguments_are_refused():
    for size in (0, 1.5, "4"):
        with pytest.raises(ValueError, match="`size` must be an int >= 1"):
            kl.layers.CrossBatchMemory(kl.Contrastive(), size=size)
    with pytest.raises(ValueError, match=r"embeddings must be \(B, D\)"):
        kl.layers.CrossBatchMemory(kl.NTXent(), size=4)(np.zeros((2, 2, D), "float32"), np.zeros(2, int))


def test_hostile_configs_are_refused():
    cls = kl.layers.CrossBatchMemory
    good = json.loads(json.dumps(cls(kl.Contrastive(), size=4).get_config()))
    hostile.check_sound(cls.from_config(good))
    for field in {*good, "activity_regularizer", "fn"}:
        for value in hostile.VALUES.values():
            made = hostile.attempt(lambda config={**good, field: value}: cls.from_config(config), cls.__name__, field)
            assert made is None or isinstance(made, cls)
    for missing in ("size", "loss"):
        config = {k: v for k, v in good.items() if k != missing}
        assert hostile.attempt(lambda config=config: cls.from_config(config), missing) is None
    other = {**good, "loss": json.loads(json.dumps(keras.losses.serialize(kl.Dice())))}
    assert hostile.attempt(lambda: cls.from_config(other), "loss") is None
