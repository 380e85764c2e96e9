"""A saved model is untrusted input too: its config is altered inside the file, and loaded in safe mode."""

import json
import zipfile

import keras
import pytest

import keras_losses as kl
from tests import _hostile as hostile
from tests._hostile import ENVELOPES

NAMES = ("keras_losses", "AddLoss", "TermMetric", *hostile.classes())


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A saved model with a sum of losses, its metrics, and an endpoint layer."""
    loss = 0.5 * kl.MeanSquaredError() + 0.5 * kl.Huber(delta=2.0) + keras.losses.LogCosh()
    x = keras.Input((2,))
    y = kl.layers.AddLoss(kl.MeanAbsoluteError(), name="endpoint")(keras.layers.Dense(2)(x))
    model = keras.Model(x, y)
    model.compile("sgd", loss=loss, metrics=loss.metrics())
    path = tmp_path_factory.mktemp("model") / "model.keras"
    model.save(path)
    return path


def altered(path, change, to):
    """A copy of the file in which `change` has edited the compile config and the config of the layer."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(to, "w") as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename == "config.json":
                config = json.loads(data)
                (layer,) = [each for each in config["config"]["layers"] if each["class_name"] == "AddLoss"]
                change(config["compile_config"], layer["config"])
                data = json.dumps(config).encode()
            target.writestr(item, data)
    return to


def put(where, key, value):
    def change(compiled, layer):
        place = {"loss": compiled["loss"]["config"], "layer": layer, "metric": compiled["metrics"][0]["config"]}[where]
        place[key] = value

    return change


def put_term(value):
    def change(compiled, layer):
        compiled["loss"]["config"]["terms"][1] = value

    return change


def put_in_term(key, value):
    def change(compiled, layer):
        compiled["loss"]["config"]["terms"][1]["config"][key] = value

    return change


TERMS = """set_floatx dense lambda-layer lambda-inner model os.system eval registered-layer registered-function base
    own-elementwise tensor long-name path stock-fn stock-inf empty"""
FILES = {
    **{f"term-{name}": put_term(ENVELOPES[name]) for name in TERMS.split()},
    "term-deep": put_term(hostile.nested_sum(60)),
    "term-none": put_term(None),
    "term-number": put_term(1),
    "term-name": put_term("mse"),
    "terms-wide": put("loss", "terms", hostile.wide_sum(10**4)["config"]["terms"]),
    "terms-missing": lambda compiled, layer: compiled["loss"]["config"].pop("terms"),
    "terms-string": put("loss", "terms", "mse"),
    "weights-inf": put("loss", "weights", [1.0, float("inf"), 1.0]),
    "weights-string": put("loss", "weights", "111"),
    "weights-few": put("loss", "weights", [1.0]),
    "name-number": put("loss", "name", 7),
    "name-path": put("loss", "name", "../../x"),
    "name-long": put("loss", "name", "x" * 10**6),
    "dtype-string": put("loss", "dtype", "system"),
    "unknown": put("loss", "fn", "eval"),
    "delta-nan": put_in_term("delta", float("nan")),
    "delta-huge": put_in_term("delta", 10**4000),
    "delta-string": put_in_term("delta", "2"),
    "delta-bool": put_in_term("delta", True),
    "delta-list": put_in_term("delta", [2.0]),
    "reduction": put_in_term("reduction", "eval"),
    "layer-loss": put("layer", "loss", ENVELOPES["set_floatx"]),
    "layer-loss-lambda": put("layer", "loss", ENVELOPES["lambda-layer"]),
    "layer-loss-none": put("layer", "loss", None),
    "layer-loss-missing": lambda compiled, layer: layer.pop("loss"),
    "layer-weight-inf": put("layer", "weight", float("inf")),
    "layer-weight-huge": put("layer", "weight", 10**4000),
    "layer-weight-string": put("layer", "weight", "1"),
    "layer-unknown": put("layer", "activity_regularizer", "l2"),
    "metric-loss": put("metric", "loss", ENVELOPES["dense"]),
    "metric-loss-missing": lambda compiled, layer: compiled["metrics"][0]["config"].pop("loss"),
    "metric-unknown": put("metric", "fn", "eval"),
}


def load(path):
    """Loads as a user does, and returns the events that are not Keras's reading of the file itself."""
    with hostile.watching() as events:
        try:
            keras.saving.load_model(path, safe_mode=True)
            error = None
        except Exception as caught:
            error = caught
    # Keras opens the archive, unpacks the weights into a temporary folder beside it, and removes them again.
    reading = ("open", "os.listdir", "os.mkdir", "os.remove", "os.rmdir", "os.scandir", "shutil.rmtree", "os.putenv")
    return error, [event for event in events if not event[0].startswith(reading)]


@pytest.mark.parametrize("change", FILES)
def test_hostile_file(change, archive, tmp_path):
    hostile.CALLED.clear()
    error, _ = load(archive)  # warms up what loading imports
    assert error is None
    path = altered(archive, FILES[change], tmp_path / "altered.keras")
    floatx = keras.config.floatx()
    error, events = load(path)
    assert not events
    assert not hostile.CALLED
    assert keras.config.floatx() == floatx
    assert isinstance(error, (ValueError, TypeError)), repr(error)[:300]
    # One line of ours. Keras itself puts the whole config of a functional model's layer around it.
    assert len(str(error)) <= 600, str(error)[:600]
    assert any(name in str(error) for name in NAMES), str(error)


def test_the_unaltered_file_loads(archive, tmp_path):
    path = altered(archive, lambda compiled, layer: None, tmp_path / "same.keras")
    model = keras.saving.load_model(path, safe_mode=True)
    assert [type(t).__module__.split(".")[0] for t in model.loss.terms] == ["keras_losses", "keras_losses", "keras"]
