"""A saved config is untrusted input: each mutated one is refused in one short sentence, or gives a sound loss.

Nothing that a config names is opened, imported, compiled or called: an audit hook watches each attempt.
"""

import copy
import inspect
import json
import pathlib
import tracemalloc

import keras
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keras_losses as kl
from keras_losses.core import fields
from keras_losses.core.compose import TermMetric
from keras_losses.core.record import field_types
from tests import _hostile as hostile
from tests._hostile import CARRIERS, ENVELOPES, FUNCTIONS, VALUES, attempt, check_sound

LOSSES = sorted(hostile.classes())
NAMES = ("keras_losses", "AddLoss", "TermMetric", *LOSSES)
STOCK = sorted(n for n, x in vars(keras.losses).items() if isinstance(x, type) and x is not keras.losses.Loss)


@pytest.fixture(scope="module", autouse=True)
def warm():
    """What Keras and Python do once (lazy imports, caches of signatures and type hints) is done before anything is watched."""
    for name in LOSSES:
        for carrier in CARRIERS.values():
            carrier(hostile.saved(name))
    for name in STOCK:
        CARRIERS["term"](keras.losses.serialize(getattr(keras.losses, name)()))
    for config in (ENVELOPES["dense"], FUNCTIONS["eval"]):
        for carrier in CARRIERS.values():
            with pytest.raises((ValueError, TypeError)):
                carrier(config)


def parameters(cls):
    return list(inspect.signature(cls.__init__).parameters)[1:]


def ways(name, config):
    """The inner config of a loss, by each way in."""
    cls = hostile.classes()[name]
    envelope = {"class_name": name, "module": None, "registered_name": f"keras_losses>{name}", "config": config}
    yield "from_config", lambda: cls.from_config(copy.copy(config))
    for carrier in ("deserialize", "get", "second-term"):
        yield carrier, lambda carrier=carrier: CARRIERS[carrier](envelope)


# -- a hyperparameter of each loss ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", VALUES, ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_hostile_hyperparameter(name, value):
    for field in parameters(hostile.classes()[name]):
        config = {**hostile.saved(name)["config"], field: VALUES[value]}
        for way, build in ways(name, config):
            assert attempt(build, name, field) is None, f"{way} takes {field}={value}"


def wrong_types(hint):
    """JSON values of another type than the field's."""
    text = fields.describe(hint)
    if "bool" not in text:
        yield True
    if "an int" not in text and "float" not in text:
        yield 1
    if "float" not in text:
        yield 0.5
    if "a string" not in text:
        yield from ("1", "true", "keras.config.set_floatx", "os.system", "mean_squared_error")
    if "None" not in text:
        yield None
    if "a tuple" not in text:
        yield []
    if "a dict" not in text:
        yield {"0": 1.0}
    if ">= 0" in text or "> 0" in text or "in [0" in text or "in (0" in text:
        yield -0.5
        yield -1


@pytest.mark.parametrize("name", LOSSES)
def test_wrong_type_or_sign(name):
    cls = hostile.classes()[name]
    for field, hint in field_types(cls).items():
        for value in wrong_types(hint) if field != "dtype" else (1, 0.5, True, "int32", "string", "", [], {}, ["float32"]):
            for way, build in ways(name, {**hostile.saved(name)["config"], field: value}):
                assert attempt(build, name, field) is None, f"{way} takes {field}={value!r}"


@pytest.mark.parametrize("name", LOSSES)
def test_many_numbers(name):
    """Long lists that some hyperparameters take: a message that shows one is still short."""
    good = hostile.saved(name)["config"]
    for field in parameters(hostile.classes()[name]):
        for value in ([0.5] * 10**4, [0] * 10**4, {str(i): 1.0 for i in range(10**4)}):
            for _, build in ways(name, {**good, field: value}):
                loss = attempt(build, name, field)
                if loss is not None:
                    check_sound(loss)


@pytest.mark.parametrize("name", LOSSES)
def test_unknown_and_missing_fields(name):
    cls = hostile.classes()[name]
    good = hostile.saved(name)["config"]
    for key in ("fn", "gama", "self", "cls", "__class__", "class_name", "", 1, None, b"name", (1,), 10**4000, "k" * 10**6):
        for way, build in ways(name, {**good, key: 1}):
            assert attempt(build, name) is None, f"{way} takes the field {str(key)[:20]}"
    for config in (None, 1, "x", [], ["name"], b"{}", 10**4000, hostile.deep(1000)):
        assert attempt(lambda config=config: cls.from_config(config), name) is None
    for field in parameters(cls):
        loss = attempt(lambda field=field: cls.from_config({k: v for k, v in good.items() if k != field}), name, field)
        assert (loss is None) == (inspect.signature(cls).parameters[field].default is inspect.Parameter.empty)
        if loss is not None:
            given = {k: v for k, v in hostile.required(name).items() if k != field}
            assert loss.get_config() == cls(**given).get_config()


@pytest.mark.parametrize("name", LOSSES)
def test_the_intact_config_still_loads(name):
    expected = hostile.classes()[name](**hostile.required(name)).get_config()
    for way, build in ways(name, hostile.saved(name)["config"]):
        loss = attempt(build)
        assert loss is not None, way
        check_sound(loss)
        assert (loss.terms[1] if way == "second-term" else loss).get_config() == expected


# -- where a loss is expected -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_hostile_object(carrier, envelope):
    config = ENVELOPES[envelope]
    assert attempt(lambda: CARRIERS[carrier](config), *NAMES, "reduction") is None


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_hostile_function(carrier, function):
    config = FUNCTIONS[function]
    assert attempt(lambda: CARRIERS[carrier](config), *NAMES) is None


@pytest.mark.parametrize(
    "config", [None, 1, 1.5, True, [], ["mse"], (), b"mse", "no_such_loss", "x" * 10**6, 10**4000], ids=repr
)
@pytest.mark.parametrize("carrier", [c for c in CARRIERS if c != "get"])
def test_no_config_at_all(carrier, config):
    assert attempt(lambda: CARRIERS[carrier](config), *NAMES) is None


@pytest.mark.parametrize("name", STOCK)
def test_hostile_argument_of_a_stock_loss(name):
    """Keras's own losses check little and forward their config: as terms they get plain values of known arguments."""
    good = keras.losses.serialize(getattr(keras.losses, name)())
    for field in {*good["config"], "fn", "dtype", "name"}:
        for value in VALUES.values():
            config = {**good, "config": {**good["config"], field: value}}
            for carrier in ("term", "deserialize"):
                assert attempt(lambda carrier=carrier, config=config: CARRIERS[carrier](config), name, field) is None, field


@pytest.mark.parametrize("name", STOCK)
def test_a_stock_term_stays_a_stock_loss(name):
    stock = getattr(keras.losses, name)()
    loss = attempt(lambda: CARRIERS["term"](json.loads(json.dumps(keras.losses.serialize(stock)))))
    assert type(loss.terms[0]) is type(stock)
    assert loss.terms[0].get_config() == stock.get_config()


def test_arguments_of_stock_terms_survive():
    terms = (keras.losses.Dice(axis=(1, 2)), keras.losses.CategoricalFocalCrossentropy(alpha=[0.1, 0.2], axis=1))
    loaded = kl.deserialize(json.loads(json.dumps(kl.serialize(kl.Sum(terms=terms)))))
    assert [json.dumps(t.get_config()) for t in loaded.terms] == [json.dumps(t.get_config()) for t in terms]


# -- the holders ------------------------------------------------------------------------------------------------------------

HOLDERS = {"AddLoss": kl.layers.AddLoss, "TermMetric": TermMetric}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("holder", HOLDERS)
def test_hostile_argument_of_a_holder(holder, value):
    good = json.loads(json.dumps(HOLDERS[holder](kl.Dice()).get_config()))
    for field in {*good, "activity_regularizer", "fn"}:
        config = {**good, field: VALUES[value]}
        assert attempt(lambda config=config: HOLDERS[holder].from_config(config), holder, field) is None, field


@pytest.mark.parametrize("holder", HOLDERS)
def test_missing_and_odd_fields_of_a_holder(holder):
    cls = HOLDERS[holder]
    good = json.loads(json.dumps(cls(kl.Dice()).get_config()))
    for config in (
        {},
        {k: v for k, v in good.items() if k != "loss"},
        None,
        [],
        "x",
        10**4000,
        {**good, 1: 1},
        {**good, "k" * 10**6: 1},
    ):
        assert attempt(lambda config=config: cls.from_config(config), holder, "loss") is None
    for field, value in (("weight", "1.0"), ("weight", True), ("trainable", "yes"), ("name", 1), ("name", "x" * 201)):
        if field in good:
            assert attempt(lambda c={**good, field: value}: cls.from_config(c), field) is None, (field, value)
    check_sound(attempt(lambda: cls.from_config(good)))


# -- numbers cost nothing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_a_number_in_a_config_allocates_nothing(name):
    cls = hostile.classes()[name]
    numbers = (2**31 - 1, 2**62, -(2**62), 10**18, 10**4000, 3e38)
    values = [*numbers, *([n] for n in numbers), *({str(n): 1.0} for n in (2**31 - 1, 2**62))]
    good = hostile.saved(name)["config"]
    tracemalloc.start()
    try:
        for field in parameters(cls):
            for value in values:
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                attempt(lambda field=field, value=value: cls.from_config({**good, field: value}), name, field)
                assert tracemalloc.get_traced_memory()[1] - before < 2**20, f"{field}={str(value)[:40]}"
    finally:
        tracemalloc.stop()


# -- any place of any config ------------------------------------------------------------------------------------------------

_everything = [
    *VALUES.values(),
    *ENVELOPES.values(),
    0,
    1,
    -1,
    0.5,
    -0.5,
    "",
    "x",
    "1",
    None,
    True,
    False,
    [],
    {},
    [1, 2],
    (0.5,),
]


def places(tree, path=()):
    """The paths to every value inside dicts and short lists, not too deep."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) and len(tree) < 10 else ()
    for key, value in items if len(path) < 12 else ():
        yield (*path, key)
        yield from places(value, (*path, key))


def fresh(tree, depth=0):
    """A copy as deep as `places` looks, so that a mutation stays in its config."""
    if isinstance(tree, dict) and depth < 13:
        return {key: fresh(value, depth + 1) for key, value in tree.items()}
    if isinstance(tree, list) and depth < 13 and len(tree) < 10:
        return [fresh(value, depth + 1) for value in tree]
    return tree


@st.composite
def mutated(draw):
    name = draw(st.sampled_from([*LOSSES, "Sum", "Sum", "Sum"]))
    config = hostile.saved(name)
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(config))
        if not found:
            break
        *path, last = draw(st.sampled_from(found))
        place = config
        for key in path:
            place = place[key]
        action = draw(st.sampled_from(["replace", "replace", "replace", "remove", "rename"]))
        if action == "replace":
            place[last] = fresh(draw(st.sampled_from(_everything)))
        elif action == "remove":
            del place[last]
        elif isinstance(place, dict):
            place[draw(st.text(max_size=5))] = place.pop(last)
    return config


@settings(max_examples=400, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=mutated(), carrier=st.sampled_from(sorted(CARRIERS)))
def test_random_mutations(config, carrier):
    loss = attempt(lambda: CARRIERS[carrier](config), *NAMES)
    if loss is not None:
        check_sound(loss)


def test_there_are_at_least_300_mutated_configs():
    fields_ = sum(len(parameters(cls)) for cls in hostile.classes().values())
    assert fields_ * len(VALUES) + len(CARRIERS) * (len(ENVELOPES) + len(FUNCTIONS)) + 400 > 300


@pytest.mark.parametrize("code", ["open", "import", "exec", "compile", "subprocess"])
def test_the_hook_sees_what_runs(code, tmp_path):
    """The watch itself works: otherwise nothing above says anything."""
    runs = {
        "open": lambda: pathlib.Path(__file__).read_bytes(),
        "import": lambda: __import__("this_module_does_not_exist"),
        "exec": lambda: exec("pass"),
        "compile": lambda: compile("1", "", "eval"),
        "subprocess": lambda: __import__("subprocess").Popen([str(tmp_path / "nothing")]),
    }
    with pytest.raises(AssertionError, match="this ran"):
        attempt(runs[code], "")
