"""Users' own losses: their constructors, configs and saving, in each style in which one may be written."""

import copy
import json
import pathlib
import pickle
import re
from typing import Annotated, Any

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.core import fields

COPIES = {
    "config": lambda loss: type(loss).from_config(loss.get_config()),
    "json": lambda loss: type(loss).from_config(json.loads(json.dumps(loss.get_config()))),
    "keras": lambda loss: keras.losses.deserialize(json.loads(json.dumps(keras.losses.serialize(loss)))),
    "own": lambda loss: kl.deserialize(json.loads(json.dumps(kl.serialize(loss)))),
    "get": lambda loss: kl.get(json.loads(json.dumps(kl.serialize(loss)))),
    "pickle": lambda loss: pickle.loads(pickle.dumps(loss)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


class Scaled(kl.Loss):
    scale: float = 1.0
    power: Annotated[float, fields.Range(gt=0)] = 2.0

    def call(self, y_true, y_pred):
        return self.scale * ops.mean(ops.abs(y_pred - y_true) ** self.power, axis=-1)


class Shifted(Scaled):
    shift: float = 0.5

    def call(self, y_true, y_pred):
        return super().call(y_true + self.shift, y_pred)


class WeightedDice(kl.Dice):
    factor: float = 2.0

    def call(self, y_true, y_pred, mask=None):
        return self.factor * super().call(y_true, y_pred, mask)


class Positional(kl.Loss):
    """In Keras's style, with the base's arguments by position."""

    def __init__(self, scale, reduction="sum_over_batch_size", name="positional"):
        super().__init__(name, reduction)
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * ops.mean(ops.square(y_pred - y_true), axis=-1)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


class Derived(Positional):
    """A subclass of a class in Keras's style."""

    def __init__(self, scale=1.0, bonus=0.0, **kwargs):
        super().__init__(scale, **kwargs)
        self.bonus = bonus

    def call(self, y_true, y_pred):
        return super().call(y_true, y_pred) + self.bonus

    def get_config(self):
        return {**super().get_config(), "bonus": self.bonus}


class Renamed(Positional):
    """Inherits the constructor."""

    def call(self, y_true, y_pred):
        return -super().call(y_true, y_pred)


class AnyKeyword(kl.Loss):
    def __init__(self, **kwargs):
        self.factor = kwargs.pop("factor", 1.0)
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        return self.factor * ops.mean(ops.square(y_pred - y_true), axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Forgetful(kl.Loss):
    def __init__(self, scale, name=None):
        super().__init__(name=name)
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * ops.mean(ops.square(y_pred - y_true), axis=-1)


class NothingToSave(kl.Loss):
    def __init__(self, name="nothing", reduction="sum", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


USERS = {
    "record": Scaled(scale=3.0, power=1.5, reduction="sum", name="mine", dtype="float16"),
    "record-child": Shifted(shift=0.25, scale=2.0),
    "child-of-dice": WeightedDice(factor=3.0, smooth=0.5, class_weight={1: 2.0}),
    "keras-style": Positional(3.0, "sum"),
    "keras-style-child": Derived(2.0, bonus=1.5, reduction="sum", name="d"),
    "keras-style-inherited": Renamed(2.0),
    "any-keyword": AnyKeyword(factor=2.0, reduction="sum", name="k"),
    "base-arguments-only": NothingToSave(name="other", dtype="float16"),
}


def evaluate_pair(loss):
    x = np.linspace(0.1, 0.9, 16).reshape(4, 2, 2)
    return ops.convert_to_numpy(ops.cast(loss(x[::-1].copy(), x), "float32"))


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("which", USERS)
def test_a_users_loss_survives(which, how):
    loss = USERS[which]
    again = COPIES[how](loss)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    np.testing.assert_array_equal(evaluate_pair(again), evaluate_pair(loss))


@pytest.mark.parametrize("which", USERS)
def test_a_users_loss_survives_in_a_saved_model(which, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=USERS[which])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").loss
    assert type(again) is type(USERS[which])
    np.testing.assert_array_equal(evaluate_pair(again), evaluate_pair(USERS[which]))


@pytest.mark.parametrize("which", USERS)
def test_a_users_loss_survives_as_a_term(which):
    loss = 0.5 * USERS[which] + kl.MeanSquaredError(reduction=USERS[which].reduction)
    again = COPIES["keras"](loss)
    assert type(again.terms[0]) is type(USERS[which])
    np.testing.assert_array_equal(evaluate_pair(again), evaluate_pair(loss))


def test_a_loss_that_would_come_back_with_another_value_is_not_saved(tmp_path):
    loss = Forgetful(2.0)
    assert evaluate_pair(loss) > 0
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=loss)
    for save in (loss.get_config, lambda: kl.serialize(loss), (loss + loss).get_config):
        with pytest.raises(
            NotImplementedError, match=r"Forgetful writes its own __init__ with the argument `scale` and no get_conf"
        ):
            save()
    assert copy.deepcopy(loss).scale == pickle.loads(pickle.dumps(loss)).scale == 2.0


def test_a_field_beside_an_inherited_constructor_is_refused():
    with pytest.raises(TypeError, match="adds the field `extra` to a loss that writes its own __init__"):

        class Extra(Positional):
            extra: float = 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scaled(2.0), "positional argument"),
        (lambda: Scaled("sum"), "positional argument"),
        (lambda: Shifted(1.0, 2.0), "positional argument"),
        (lambda: WeightedDice(2.0), "positional argument"),
        (lambda: Scaled(scael=2.0), "scael"),
        (lambda: WeightedDice(facto=2.0), "facto"),
    ],
)
def test_a_misplaced_argument_is_a_type_error(make, message):
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scaled(scale="2"), "Scaled: `scale` must be a finite float. Received: scale='2' of type str."),
        (lambda: Shifted(power=0), "Shifted: `power` must be a finite float > 0. Received: power=0 of type int."),
        (lambda: WeightedDice(factor=[1]), "WeightedDice: `factor` must be a finite float. Received: factor=[1] of type list."),
        (
            lambda: WeightedDice(smooth=-1),
            "WeightedDice: `smooth` must be a finite float >= 0. Received: smooth=-1 of type int.",
        ),
    ],
)
def test_a_wrong_value_of_a_users_field_is_a_value_error(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_a_field_of_an_open_type_is_refused():
    class Callback(kl.Loss):
        then: Any = None

    class Path(kl.Loss):
        where: pathlib.Path = pathlib.Path()

    for cls in (Callback, Path):
        with pytest.raises(TypeError, match="cannot be the type of a hyperparameter"):
            cls()
