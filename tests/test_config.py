"""Constructors, configs and saving of every exported loss, from its signature."""

import copy
import inspect
import itertools
import json
import pathlib
import pickle
import re
import subprocess
import sys
import types
from typing import Annotated, Literal, Union, get_args, get_origin

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.core import fields
from keras_losses.core.record import field_types
from keras_losses.core.registry import public

LOSSES = {name: x for name, x in public().items() if isinstance(x, type)}
FUNCTIONS = {name: x for name, x in public().items() if not isinstance(x, type)}
# A loss that is held by another may have to take class ids.
HELD = (kl.SparseCategoricalCrossentropy(class_weight=(2.0, 1.0)),)
TERMS = (kl.MeanSquaredError(weights=(2.0, 1.0)), 2 * kl.Huber(delta=0.5) + kl.LogCosh(), keras.losses.MeanAbsoluteError())


# -- arguments away from their defaults, and data to tell them apart --------------------------------------------------------


def others(hint, default):
    """Values that a type admits and that are not the default. Data of two classes and two outputs fits them."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        ranges = [a for a in args[1:] if isinstance(a, fields.Range)]
        above = [float(b) + 0.5 for a in ranges for b in (a.gt, a.ge) if b]  # where the usual numbers are too small
        return [v for v in [*others(args[0], default), *above] if all(v in a for a in ranges)]
    if origin in (Union, types.UnionType):
        return [v for a in args for v in others(a, default)]
    if origin is Literal:
        return [v for v in args if v != default]
    if isinstance(hint, type) and issubclass(hint, keras.losses.Loss):
        return [term for term in (*TERMS, *HELD) if isinstance(term, kl.Loss)]
    if origin is tuple:
        if fields.takes_loss(hint):
            return [TERMS]
        if get_origin(args[0]) is tuple:  # a matrix, or matrices
            matrix = ((0.0, 0.5), (0.5, 0.0))
            return [(matrix,) if get_origin(get_args(args[0])[0]) is tuple else matrix]
        whole = int in (args[0], *get_args(args[0]))
        return [(2,), (1, 0)] if whole else [(2.0, 0.5, 1.5), (2.0, 0.5), (0.3, 0.7)]
    if origin is dict:
        return [{1: 3.0}]
    values = {bool: [True, False], int: [1, 2, -2], float: [0.3, 0.7, 1.5, -0.7], str: ["other"], type(None): [None]}.get(
        hint, []
    )
    return [v for v in values if type(v) is not type(default) or v != default]


def required(cls):
    return {"terms": TERMS} if cls is kl.Sum else cls.example_arguments(2)


def build(cls, **arguments):
    """An instance, or None where the arguments do not go together or with the data."""
    try:
        loss = cls(**{**required(cls), **arguments})
        if not arguments.keys() <= {"reduction", "name", "dtype"}:
            evaluate(loss)
    except ValueError:
        return None
    return loss


def data(loss):
    """Targets and predictions of a loss: every axis that is free has 2 entries, and of views, which may have to be more, 4."""
    rng = np.random.default_rng(0)
    if loss.y_true is None or loss.y_pred is None:  # of losses, or of one that states no contract
        return rng.uniform(0.1, 0.9, (4, 2, 2)), rng.uniform(0.1, 0.9, (4, 2, 2))

    def draw(spec):
        axes = spec.names(spec.fixed + (spec.star is not None))
        shape = tuple(int(a) if a.isdecimal() else 4 if a in "BV" else 2 for a in axes)
        if spec.kind.integer:
            return np.arange(np.prod(shape)).reshape(shape) % 2 if len(shape) == 1 or spec.classes else np.ones(shape, int)
        if spec.kind.name in ("binary", "onehot", "sign"):
            return np.broadcast_to(np.eye(2)[np.arange(4) % 2].reshape((4, *(1,) * (len(shape) - 2), 2)), shape)
        x = rng.uniform(0.1, 0.9, shape)
        return x / x.sum(axis=-1, keepdims=True) if spec.kind.name == "simplex" else x

    return draw(loss.y_true), draw(loss.y_pred)


def evaluate(loss):
    y_true, y_pred = data(loss)
    return np.asarray(ops.convert_to_numpy(ops.cast(loss(y_true, y_pred), "float32")))


def same(loss, again, value=True):
    assert type(again) is type(loss)
    assert json.dumps(again.get_config()) == json.dumps(loss.get_config())
    assert repr(again) == repr(loss) or "<" in repr(loss)  # a stock term has its address there
    assert again.dtype == loss.dtype
    if value:
        np.testing.assert_array_equal(evaluate(again), evaluate(loss))


def variations(cls):
    """One loss for each value of each argument that is not its default, with the argument's name."""
    for name, hint in field_types(cls).items():
        default = inspect.signature(cls.__init__).parameters[name].default
        values = ["float16", "float32", keras.DTypePolicy("mixed_bfloat16")] if name == "dtype" else others(hint, default)
        found = [loss for loss in (build(cls, **{name: value}) for value in values) if loss is not None]
        assert found, f"{cls.__name__}: no value of `{name}` other than {default!r} was found"
        yield from ((name, loss) for loss in found)


def all_at_once(cls):
    """A loss with no argument at its default."""
    names = [n for n in field_types(cls) if n != "dtype"]
    defaults = {n: inspect.signature(cls.__init__).parameters[n].default for n in names}
    choices = [[v for v in others(field_types(cls)[n], defaults[n]) if v is not None] for n in names]
    for values in itertools.product(*choices):
        loss = build(cls, **dict(zip(names, values, strict=True)), dtype=keras.DTypePolicy("mixed_float16"))
        if loss is not None:
            return loss
    raise AssertionError(f"{cls.__name__}: its arguments do not go together")


def through_json(loss):
    return type(loss).from_config(json.loads(json.dumps(loss.get_config())))


def through_keras(loss):
    return keras.losses.deserialize(json.loads(json.dumps(keras.losses.serialize(loss))))


COPIES = {
    "config": lambda loss: type(loss).from_config(loss.get_config()),
    "json": through_json,
    "keras": through_keras,
    "own": lambda loss: kl.deserialize(json.loads(json.dumps(kl.serialize(loss)))),
    "get": lambda loss: kl.get(json.loads(json.dumps(kl.serialize(loss)))),
    "pickle": lambda loss: pickle.loads(pickle.dumps(loss)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_argument_survives(name):
    seen = set()
    for argument, loss in variations(LOSSES[name]):
        seen.add(argument)
        for how, again in COPIES.items():
            if not (how == "pickle" and name == "Sum"):  # Keras pickles its own losses in its own way
                same(loss, again(loss), value=how == "json")
    assert seen == set(inspect.signature(LOSSES[name].__init__).parameters) - {"self"}


@pytest.mark.parametrize("name", LOSSES)
def test_all_arguments_survive_in_a_saved_model(name, tmp_path):
    loss = all_at_once(LOSSES[name])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    same(loss, loaded.loss)


def test_a_saved_model_loads_in_a_program_that_imports_the_package_alone(tmp_path):
    expected = {}
    for name, cls in LOSSES.items():
        loss = all_at_once(cls)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        model.compile("sgd", loss=loss)
        model.save(tmp_path / f"{name}.keras")
        expected[name] = json.loads(json.dumps(loss.get_config()))
    code = (
        "import sys, json, pathlib, keras_losses, keras\n"
        "load = lambda p: keras.saving.load_model(p, safe_mode=True).loss.get_config()\n"
        "print(json.dumps({p.stem: load(p) for p in pathlib.Path(sys.argv[1]).glob('*.keras')}))"
    )
    home = str(pathlib.Path(kl.__file__).parents[1])
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=home, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert json.loads(run.stdout.splitlines()[-1]) == expected


@pytest.mark.parametrize("name", LOSSES)
def test_constructor(name):
    """Keras's positional arguments, everything else by keyword; a wrong one names class, field, received, expected."""
    cls = LOSSES[name]
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        if parameter.name in ("reduction", "name", "dtype"):
            assert parameter.kind is parameter.KEYWORD_ONLY
    positional = [p for p in inspect.signature(cls).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    with pytest.raises(TypeError, match="positional argument"):
        cls(*(p.default for p in positional), "sum")
    with pytest.raises(TypeError, match="no_such_argument"):
        cls(no_such_argument=1)
    for field in inspect.signature(cls).parameters:
        with pytest.raises(ValueError, match=rf"^{name}: `{field}` must be .*Received: {field}=<object object at") as caught:
            cls(**{**required(cls), field: object()})
        assert len(str(caught.value)) <= 600


@pytest.mark.parametrize("name", sorted(n for n, x in LOSSES.items() if hasattr(keras.losses, n)))
def test_keras_positional_order_and_defaults(name):
    stock = list(inspect.signature(getattr(keras.losses, name)).parameters.values())
    ours = inspect.signature(LOSSES[name]).parameters
    base = ("reduction", "name", "dtype")
    positional = [p.name for p in ours.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == [p.name for p in stock if p.name not in base][: len(positional)]
    for p in stock:
        if p.name not in ("name", "axis"):  # a name is None until the class gives it; None of Dice means its own axes
            assert ours[p.name].default == p.default, p.name
    assert LOSSES[name](**required(LOSSES[name])).name == getattr(keras.losses, name)().name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kl.Huber(delta=0), "Huber: `delta` must be a finite float > 0. Received: delta=0 of type int."),
        (lambda: kl.Huber(delta="1"), "Huber: `delta` must be a finite float > 0. Received: delta='1' of type str."),
        (lambda: kl.Tversky(alpha=-1), "Tversky: `alpha` must be a finite float >= 0. Received: alpha=-1 of type int."),
        (
            lambda: kl.BinaryCrossentropy(label_smoothing=2),
            "BinaryCrossentropy: `label_smoothing` must be a finite float in [0, 1]. Received: label_smoothing=2 of type int.",
        ),
        (
            lambda: kl.CategoricalGeneralizedCrossEntropy(q=1),
            "CategoricalGeneralizedCrossEntropy: `q` must be a finite float in (0, 1). Received: q=1 of type int.",
        ),
        (lambda: kl.CTC(zero_infinity=1), "CTC: `zero_infinity` must be a bool. Received: zero_infinity=1 of type int."),
        (
            lambda: kl.Dice(reduction="avg"),
            (
                "Dice: `reduction` must be one of 'sum_over_batch_size', 'sum', 'mean', 'mean_with_sample_weight', 'none' "
                "or None. Received: reduction='avg' of type str."
            ),
        ),
        (
            lambda: kl.Dice(dtype="int32"),
            (
                "Dice: `dtype` must be None, one of float16, bfloat16, float32, float64, or a keras.DTypePolicy. "
                "Received: dtype='int32'"
            ),
        ),
    ],
)
def test_messages(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


# -- dtype ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ("float16", "float16"),
        ("bfloat16", "bfloat16"),
        ("mixed_float16", "float16"),
        (keras.DTypePolicy("mixed_bfloat16"), "bfloat16"),
        (keras.DTypePolicy("float64"), "float64"),
        (np.float16, "float16"),
        (np.dtype("float64"), "float64"),
        (None, "float32"),
    ],
    ids=str,
)
def test_dtype_survives(given, dtype):
    loss = kl.Dice(dtype=given)
    again = through_json(loss)
    assert loss.dtype == again.dtype == dtype
    assert isinstance(again._dtype_given, keras.DTypePolicy) == isinstance(loss._dtype_given, keras.DTypePolicy)


def test_a_policy_that_is_no_floating_point_one_is_refused():
    with pytest.raises(ValueError, match="Dice: `dtype` must be"):
        kl.Dice(dtype=keras.dtype_policies.QuantizedDTypePolicy("int8", "float32"))
