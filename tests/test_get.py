"""`get` and `deserialize`: losses by name, alias and config. And the function handles, which are saved by name."""

import copy
import inspect
import pickle
import types

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.core.registry import ALIASES, public

FUNCTIONS = {name: x for name, x in public().items() if not isinstance(x, type)}


class Rescaled(kl.Loss):
    scale: float = 1.0

    def call(self, y_true, y_pred):
        return self.scale * ops.mean(ops.square(y_pred - y_true), axis=-1)


class Offset(Rescaled):
    offset: float = 0.5


@pytest.mark.parametrize("name", FUNCTIONS)
def test_get_by_name(name):
    function = FUNCTIONS[name]
    assert kl.get(name) is function
    cls = function.loss_class
    needs = cls.example_arguments(3)
    assert type(kl.get(cls.__name__, **needs)) is cls
    assert kl.get(name, reduction="sum", **needs).reduction == "sum"
    assert type(kl.get(cls.__name__, name="other", **needs)) is cls
    assert type(kl.get(f"keras_losses>{cls.__name__}", **needs)) is cls
    assert kl.get(kl.serialize(function)) is function
    assert kl.deserialize(function.__name__) is function
    if not needs:
        assert type(kl.deserialize(cls.__name__)) is cls


@pytest.mark.parametrize("alias", ALIASES)
def test_get_by_alias(alias):
    assert kl.get(alias) is kl.get(ALIASES[alias])
    assert getattr(kl, alias) is kl.get(alias)


def test_get_of_a_users_class():
    for name in (f"{__name__}>Rescaled", "Rescaled"):
        loss = kl.get(name, scale=2.0)
        assert type(loss) is Rescaled
        assert loss.scale == 2.0
    config = kl.serialize(Rescaled(scale=4.0))
    assert kl.get(config).scale == 4.0
    with keras.saving.custom_object_scope({"Nickname": Offset}):
        assert type(kl.get("Nickname")) is Offset
    assert kl.deserialize({"class_name": "Nickname", "config": {"offset": 2.0}}, {"Nickname": Offset}).offset == 2.0


def test_get_of_what_is_built_already():
    loss = kl.Huber(delta=2.0)
    assert kl.get(None) is None
    assert kl.get(loss) is loss
    assert kl.get(kl.huber) is kl.huber
    assert kl.get(kl.huber, delta=3.0).delta == 3.0
    assert kl.get(kl.Huber, delta=3.0).delta == 3.0
    assert kl.get(type(loss)).delta == 1.0
    stock = keras.losses.Huber()
    assert kl.get(stock) is stock
    with pytest.raises(ValueError, match="takes no arguments, it is built already"):
        kl.get(loss, delta=3.0)
    with pytest.raises(ValueError, match="is no loss"):
        kl.get(3)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("hubber", "huber"),
        ("BinaryCrossEntropy", "BinaryCrossentropy"),
        ("dise", "dice"),
        ("HUBER", "Huber"),
        ("Rescalled", "Rescaled"),
    ],
)
def test_close_matches(name, meant):
    with pytest.raises(ValueError, match=f"no loss is named '{name}'. Did you mean: .*{meant}"):
        kl.get(name)


@pytest.mark.parametrize(
    "name", ["Loss", "Elementwise", "_Stock", "keras_losses>Overlap", "AddLoss", "qqqqqqq", "", "x" * 10**6]
)
def test_no_loss_of_that_name(name):
    with pytest.raises(ValueError, match=r"^keras_losses\.get: ") as caught:
        kl.get(name)
    assert len(str(caught.value)) < 600


# -- functions --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_survives_in_a_saved_model(name, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=FUNCTIONS[name])
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").loss is FUNCTIONS[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_a_plain_one(name):
    function = FUNCTIONS[name]
    assert isinstance(function, types.FunctionType)
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.deepcopy(function) is function
    assert function.__module__ == function.loss_class.__module__
    assert function.__doc__
    parameters = inspect.signature(function).parameters
    assert list(parameters)[:2] == ["y_true", "y_pred"]
    assert set(inspect.signature(function.loss_class).parameters) <= set(parameters)
    assert parameters["reduction"].default == "none"
    with pytest.raises(TypeError, match="no_such_argument"):
        function(np.zeros((2, 2)), np.zeros((2, 2)), no_such_argument=1)
