"""Losses by name, and losses that come back from a config or a file as they were."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from tests.defects._fit import STOCK, close, number

CLASSES = {name: getattr(kl, name) for name, c in vars(keras.losses).items() if isinstance(c, type) and name != "Loss"}


class Powered(kl.Loss):
    """A user's loss with a hyperparameter."""

    power: float = 2.0

    def call(self, y_true, y_pred):
        return ops.mean(kl.math.absolute(y_pred - y_true) ** self.power, axis=-1)


class Forgetful(kl.Loss):
    """A loss in Keras's style that forgot its get_config."""

    def __init__(self, k=1.0, name="forgetful", reduction="sum_over_batch_size"):
        super().__init__(name, reduction)
        self.k = k

    def call(self, y_true, y_pred):
        return self.k * ops.mean(ops.square(y_pred - y_true), axis=-1)


def saved_and_loaded(loss, path):
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Identity()(x))
    model.compile("sgd", loss)
    model.save(path / "model.keras")
    return model, keras.saving.load_model(path / "model.keras")


@pytest.mark.parametrize("name", ["Powered", f"{__name__}>Powered"])
def test_registered_loss_by_name(name):
    """keras#20112: a user's class is found by name, with and without its package; Keras 3 finds neither."""
    assert kl.get(name, power=3.0).power == 3
    assert isinstance(kl.get({"class_name": f"{__name__}>Powered", "config": {"power": 3.0}}), Powered)
    if STOCK:
        with pytest.raises(ValueError, match="Could not interpret"):
            keras.losses.get(name)


def test_loss_by_name_in_compile():
    """keras#20112: `get` gives `compile` an instance."""
    x = keras.Input((1,))
    model = keras.Model(x, keras.layers.Identity()(x))
    model.compile(loss=kl.get("Powered", power=3.0))
    assert model.evaluate(np.full((2, 1), 2, "float32"), np.zeros((2, 1), "float32"), verbose=0) == pytest.approx(8)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_loss_by_name(name):
    """keras#20112: CategoricalGeneralizedCrossEntropy was missing from Keras's table."""
    from keras_losses.core.names import snake_case

    assert type(kl.get(name)) is CLASSES[name]
    assert kl.get(snake_case(name)) is getattr(kl, snake_case(name))
    if STOCK and name == "CategoricalGeneralizedCrossEntropy":
        with pytest.raises(ValueError, match="Could not interpret"):
            keras.losses.get(name)


def test_close_match():
    """keras#20112: a misspelt name says what is near."""
    with pytest.raises(ValueError, match=r"Did you mean: .*focal"):
        kl.get("binary_focal_crossentrophy")


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_config_holds_every_argument(name):
    """keras PR#23286, #8056, #20806, tensorflow#36259, #32348: Keras dropped `delta`, `axis` and every `dtype`."""
    loss = CLASSES[name](reduction="sum", name="mine", dtype="bfloat16")
    config = loss.get_config()
    assert set(config) == set(inspect.signature(CLASSES[name]).parameters)
    assert config["dtype"] == "bfloat16"
    again = CLASSES[name].from_config(config)
    assert again.get_config() == config
    assert again.dtype == "bfloat16"


@pytest.mark.parametrize(
    ("loss", "stock"),
    [
        (kl.Huber(delta=0.1), lambda: keras.losses.Huber(delta=0.1)),
        (kl.CosineSimilarity(axis=1), None),
        (Powered(power=3.0), None),
        (0.5 * kl.Huber(delta=0.1) + kl.LogCosh(weights=(1, 2, 3)), None),
        (kl.MeanSquaredError(dtype="bfloat16"), None),
    ],
    ids=lambda x: type(x).__name__,
)
def test_reloaded_model_has_the_same_loss(loss, stock, tmp_path):
    """keras PR#23286, #8056, #20806: evaluate before and after saving, without custom_objects."""
    y, p = np.zeros((2, 3), "float32"), np.array([[3.0, 1, 2], [0.5, 4, 1]], "float32")
    model, again = saved_and_loaded(loss, tmp_path)
    before = model.evaluate(p, y, verbose=0)
    assert before == pytest.approx(number(loss(y, p)), rel=1e-2 if loss.dtype == "bfloat16" else 1e-5)
    assert again.evaluate(p, y, verbose=0) == before
    assert again.loss.get_config() == loss.get_config()
    if STOCK and stock is not None:
        model, again = saved_and_loaded(stock(), tmp_path)
        assert model.evaluate(p, y, verbose=0) != pytest.approx(again.evaluate(p, y, verbose=0))


def test_loss_without_get_config_does_not_save(tmp_path):
    """keras#8056 (family): saved with k=5, it came back as k=1; here saving raises."""
    close(Forgetful(5.0)(np.zeros((1, 3)), np.ones((1, 3))), 5)
    with pytest.raises(NotImplementedError, match="argument `k` and no get_config"):
        saved_and_loaded(Forgetful(5.0), tmp_path)


def test_functions_save_too(tmp_path):
    """keras#20806 (family): a function of the package in `compile` comes back by its name."""
    _, again = saved_and_loaded(kl.log_cosh, tmp_path)
    assert again.loss is kl.log_cosh


@pytest.mark.parametrize("name", sorted(name for name in CLASSES if hasattr(keras.losses, name)))
def test_keyword_only(name):
    """Found with keras 3.15.1: the arguments that may be given by position are those of Keras, in Keras's order."""
    ours = inspect.signature(CLASSES[name]).parameters.values()
    positional = [p.name for p in ours if p.kind is not p.KEYWORD_ONLY]
    theirs = [p for p in inspect.signature(getattr(keras.losses, name)).parameters if p not in ("reduction", "name", "dtype")]
    assert positional == theirs[: len(positional)]
    with pytest.raises(TypeError):
        CLASSES[name](*(p.default for p in ours if p.name in positional), "sum")


def test_names_are_fixed():
    """Found with keras 3.15.1: the name of a user's loss counted its instances."""
    assert [Powered().name, Powered().name] == ["powered", "powered"]
    assert kl.Huber().name == keras.losses.Huber().name
    if STOCK:
        stock = type("Named", (keras.losses.Loss,), {})
        assert stock().name != stock().name


def test_dtype_can_be_assigned():
    """Found with keras 3.15.1: an attribute like the others, checked like them."""
    loss = kl.MeanSquaredError()
    loss.dtype = "bfloat16"
    assert loss.get_config()["dtype"] == "bfloat16"
    assert keras.backend.standardize_dtype(loss(np.zeros((1, 1)), np.ones((1, 1))).dtype) == "bfloat16"
    with pytest.raises(ValueError, match="`dtype` must be"):
        loss.dtype = "int32"


@pytest.mark.parametrize("name", ["set_floatx", "Dense", "Sequential"])
def test_config_builds_losses_only(name):
    """keras PR#23654: what a config names must be a loss."""
    with pytest.raises(ValueError, match=name):
        kl.deserialize({"class_name": name, "config": {}, "module": "keras.layers", "registered_name": None})
    with pytest.raises(ValueError, match="unknown field"):
        kl.deserialize({"class_name": "keras_losses>Huber", "config": {"command": "x"}})
