"""Labels out of range, ids beyond what a float holds, class weights of dense targets, label smoothing."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from tests.defects._fit import STOCK, close, evaluate, number, train

LOGITS = np.log(np.array([[0.7, 0.2, 0.1], [0.2, 0.2, 0.6]], "float32"))
PROBABILITIES = np.exp(LOGITS)
SPARSE = {
    "logits": (kl.SparseCategoricalCrossentropy(from_logits=True, reduction="none"), LOGITS),
    "probabilities": (kl.SparseCategoricalCrossentropy(reduction="none"), PROBABILITIES),
    "generalized": (kl.CategoricalGeneralizedCrossEntropy(reduction="none"), PROBABILITIES),
}


@pytest.mark.parametrize("kind", sorted(SPARSE))
@pytest.mark.parametrize("label", [-1, 3, -100, 2**31 - 1, 0.5, np.nan, np.inf])
def test_label_out_of_range(kind, label):
    """keras PR#2450, yolov5_in_tf2#5, pytorch#193794: NaN with gradient 0 in its own entry; never 0, never a crash."""
    loss, p = SPARSE[kind]
    labels = np.array([label, 2], "int32" if isinstance(label, int) else "float32")
    value, gradient = value_and_gradient(lambda t: loss(labels, t), p)
    assert np.isnan(value[0])
    assert np.isfinite(value[1])
    assert (gradient[0] == 0).all()
    assert np.isfinite(gradient[1]).all()
    assert (gradient[1] != 0).any()
    if STOCK and keras.backend.backend() == "jax" and kind == "logits" and label == 3:
        stock = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
        assert number(stock(labels, p))[0] == 0


@pytest.mark.parametrize("jit_compile", [False, "auto"])
def test_label_out_of_range_in_fit(jit_compile):
    """keras PR#2450: the logged loss is NaN on every backend, and the entry moves nothing."""
    loss = kl.SparseCategoricalCrossentropy(from_logits=True)
    value, gradient = train(loss, np.array([3, 2]), LOGITS, jit_compile=jit_compile)
    assert np.isnan(value)
    close(gradient, np.array([0.2, 0.2, 0.6 - 1]) / 2)


def test_label_out_of_range_while_debugging():
    """keras PR#2450: `debugging()` names the loss, the index and the value."""
    with kl.debugging(), pytest.raises(ValueError, match=r"sparse_categorical_crossentropy: y_true\[1\] is 3"):
        kl.SparseCategoricalCrossentropy(from_logits=True)(np.array([0, 3]), LOGITS)


def test_one_unit_and_integer_labels():
    """keras PR#2450 (family): one sigmoid unit with a sparse loss warns, and label 1 of 1 class is out of range."""
    p = np.array([[0.3], [0.9]], "float32")
    with pytest.warns(SyntaxWarning, match="one class"):
        value = number(kl.SparseCategoricalCrossentropy(reduction="none")(np.array([0, 1]), p))
    assert value[0] == 0
    assert np.isnan(value[1])


class Gather(kl.Loss):
    """A user's loss that indexes with its integer labels."""

    def call(self, y_true, y_pred):
        return -ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(y_true, -1), axis=-1), -1)


class Take(kl.Loss):
    """A user's loss that looks its labels up in a table."""

    def call(self, y_true, y_pred):
        return ops.take(ops.convert_to_tensor([1.0, 2.0, 4.0]), y_true, axis=0) * ops.sum(y_pred, axis=-1)


def test_labels_stay_integers_in_a_users_loss():
    """keras#15012, #15014, #20060, tensorflow#50964: labels index without a cast, on every backend."""
    ids, p = np.array([2, 0]), np.array([[1.0, 2, 3], [4, 5, 6]], "float32")
    for loss, expected in ((Gather(), -(3 + 4) / 2), (Take(), (4 * 6 + 1 * 15) / 2)):
        close(loss(ids, p), expected)
        assert evaluate(loss, ids, p) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_class_ids_survive_the_dtype_of_the_loss(dtype):
    """keras#15012, #15014: class 257 became 256 in bfloat16, class 2049 became 2048 in float16."""
    logits = np.zeros((1, 2060), "float32")
    for label in (257, 2049):
        p = logits.copy()
        p[0, label] = 40
        loss = kl.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
        assert number(loss(np.array([label]), p)) == 0
        if STOCK and dtype == "bfloat16":
            stock = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
            assert number(stock(np.array([label]), p)) > 30


def test_class_ids_survive_in_fit():
    """keras#15012: the same through `compile`."""
    logits = np.zeros((1, 300), "float32")
    logits[0, 257] = 40
    loss = kl.SparseCategoricalCrossentropy(from_logits=True, dtype="bfloat16")
    assert evaluate(loss, np.array([257]), logits) == 0


IDS = np.array([2**24, 2**24, 2**24 + 1, 2**24 + 1])
EMBEDDINGS = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.6, 0.8]], "float32")


def test_ids_beyond_float32():
    """keras#15012, tensorflow#50964: 2**24 and 2**24 + 1 are two identities."""
    close(kl.Circle()(IDS, EMBEDDINGS), number(kl.Circle()(IDS - 2**24, EMBEDDINGS)))
    assert evaluate(kl.Circle(), IDS, EMBEDDINGS) == pytest.approx(number(kl.Circle()(IDS, EMBEDDINGS)), rel=1e-5)
    if STOCK:
        stock = keras.losses.Circle()
        assert number(stock(IDS, EMBEDDINGS)) != pytest.approx(number(stock(IDS - 2**24, EMBEDDINGS)))


def test_one_hot_labels_of_circle_raise():
    """Found with keras 3.15.1: Circle did not check that labels are ids."""
    with pytest.raises(ValueError, match="does not meet"):
        kl.Circle()(np.eye(2)[[0, 0, 1, 1]], EMBEDDINGS)


def test_class_weight_of_pixels():
    """keras#14126, #3653, #1624, #16674, #7112, #11735, #6826, tensorflow#41448: an argument of the loss, for any rank."""
    labels = np.array([[[0, 1], [2, 0]]])
    p = np.tile(np.array([0.7, 0.2, 0.1], "float32"), (1, 2, 2, 1))
    w = {0: 1.0, 1: 2.0, 2: 5.0}
    expected = -(2 * np.log(0.7) + 2 * np.log(0.2) + 5 * np.log(0.1)) / 4
    dense = np.eye(3, dtype="float32")[labels]
    for loss, y in (
        (kl.SparseCategoricalCrossentropy(class_weight=w), labels),
        (kl.CategoricalCrossentropy(class_weight=w), dense),
        (kl.CategoricalFocalCrossentropy(class_weight=w, alpha=1.0, gamma=0.0), dense),
    ):
        close(loss(y, p), expected)
        assert evaluate(loss, y, p) == pytest.approx(expected, rel=1e-5)


def test_class_weight_of_several_outputs():
    """keras#3653, #7112: each output has its own."""
    x = keras.Input((1,))
    model = keras.Model(x, {"a": keras.layers.Activation("sigmoid")(x), "b": keras.layers.Identity()(x)})
    model.compile(loss={"a": kl.BinaryCrossentropy(class_weight=(1.0, 3.0)), "b": kl.MeanSquaredError()})
    y = {"a": np.array([[1.0], [0.0]], "float32"), "b": np.ones((2, 1), "float32")}
    logs = model.evaluate(np.zeros((2, 1), "float32"), y, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx((3 + 1) / 2 * np.log(2) + 1, rel=1e-5)


def test_labels_outside_the_unit_interval():
    """keras#20920: one formula on every backend, and an error while debugging."""
    y, p = np.array([[2.0]], "float32"), np.array([[0.5]], "float32")
    value, gradient = value_and_gradient(lambda t: kl.BinaryCrossentropy()(y, t), p)
    close(value, -(2 * np.log(0.5) - np.log(0.5)))
    close(gradient, [[-2 / 0.5 - 1 / 0.5]])
    with kl.debugging(), pytest.raises(ValueError, match=r"y_true\[0, 0\] is 2"):
        kl.BinaryCrossentropy()(y, p)
    assert evaluate(kl.BinaryCrossentropy(), y, p) == pytest.approx(np.log(2), rel=1e-5)


def test_nan_prediction():
    """keras#20920: NaN gives NaN on every backend, and an error while debugging."""
    p = np.array([[np.nan]], "float32")
    value, gradient = value_and_gradient(lambda t: kl.BinaryCrossentropy()(np.ones((1, 1), "float32"), t), p)
    assert np.isnan(value)
    assert np.isnan(gradient).all()
    with kl.debugging(), pytest.raises(ValueError, match="nan"):
        kl.BinaryCrossentropy()(np.ones((1, 1), "float32"), p)


SMOOTHED = [
    kl.CategoricalCrossentropy,
    kl.CategoricalFocalCrossentropy,
    kl.SparseCategoricalCrossentropy,
]


@pytest.mark.parametrize("cls", SMOOTHED, ids=lambda c: c.__name__)
@pytest.mark.parametrize("from_logits", [False, True])
def test_label_smoothing_follows_the_axis(cls, from_logits):
    """keras#23451, PR#23437, tensorflow#39329, #127249: classes on axis 1 equal classes moved there from the end."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=(2, 4, 5))
    p = rng.uniform(0.1, 1, size=(2, 4, 5, 3)).astype("float32")
    p = np.log(p) if from_logits else p / p.sum(-1, keepdims=True)
    y = labels if cls is kl.SparseCategoricalCrossentropy else np.eye(3, dtype="float32")[labels]
    moved = y if y.ndim == 3 else np.moveaxis(y, -1, 1)
    last = cls(label_smoothing=0.1, from_logits=from_logits)
    first = cls(label_smoothing=0.1, from_logits=from_logits, axis=1)
    close(first(moved, np.moveaxis(p, -1, 1)), number(last(y, p)))
    if not from_logits:
        assert evaluate(first, moved, np.moveaxis(p, -1, 1)) == pytest.approx(number(last(y, p)), rel=1e-5)
    if STOCK and cls is kl.CategoricalCrossentropy:
        stock = {a: keras.losses.CategoricalCrossentropy(label_smoothing=0.1, from_logits=from_logits, axis=a) for a in (-1, 1)}
        assert number(stock[1](moved, np.moveaxis(p, -1, 1))) != pytest.approx(number(stock[-1](y, p)), rel=1e-3)


def test_label_smoothing_by_its_formula():
    """keras#23451: mass 0.1 spread over the three classes of axis 1."""
    p = np.array([[0.7, 0.2, 0.1]], "float32").reshape(1, 3, 1)
    y = np.array([[1.0, 0, 0]], "float32").reshape(1, 3, 1)
    expected = -0.9 * np.log(0.7) - 0.1 / 3 * np.log([0.7, 0.2, 0.1]).sum()
    close(kl.CategoricalCrossentropy(label_smoothing=0.1, axis=1)(y, p), expected)
    close(kl.SparseCategoricalCrossentropy(label_smoothing=0.1, axis=1)(np.array([[0]]), p), expected)


@pytest.mark.parametrize("amount", [2, -1, np.nan])
@pytest.mark.parametrize("cls", [kl.BinaryCrossentropy, kl.BinaryFocalCrossentropy, *SMOOTHED], ids=lambda c: c.__name__)
def test_label_smoothing_is_a_fraction(cls, amount):
    """keras PR#23504, tensorflow#122714: 2 and -1 raise, in the class and in the function."""
    from keras_losses.core.names import snake_case

    with pytest.raises(ValueError, match="label_smoothing"):
        cls(label_smoothing=amount)
    with pytest.raises(ValueError, match="label_smoothing"):
        getattr(kl, snake_case(cls.__name__))(LOGITS[:, :1], LOGITS[:, :1], label_smoothing=amount)
    if STOCK and cls is kl.BinaryCrossentropy and amount == 2:
        assert keras.losses.BinaryCrossentropy(label_smoothing=2)


def test_hinge_labels_each_on_its_own():
    """Found with keras 3.15.1: whether 0 counts as -1 was decided from the whole batch, so a padded sample changed others."""
    p = np.array([[0.5], [-0.5], [0.0]], "float32")
    for cls, power in ((kl.Hinge, 1), (kl.SquaredHinge, 2)):
        loss = cls(reduction="none")
        expected = np.array([1 - 0.5, 1 - 0.5, 1]) ** power
        close(loss(np.array([[1.0], [0.0], [-1.0]], "float32"), p), expected)
        close(loss(np.array([[1.0], [0.0]], "float32"), p[:2]), expected[:2])
        y = np.array([[1.0], [0.0], [-1.0]], "float32")
        assert evaluate(cls(), y, p) == pytest.approx(expected.mean())
    if STOCK:
        stock = keras.losses.Hinge(reduction="none")
        assert number(stock(np.array([[1.0], [0.0]], "float32"), p[:2]))[1] == 0.5
        assert number(stock(np.array([[1.0], [0.0], [-1.0]], "float32"), p))[1] == 1.0
