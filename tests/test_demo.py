"""The main job: the demo on real data, and its command line."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_losses
from keras_losses import demo
from keras_losses.__main__ import main

pytestmark = pytest.mark.xdist_group("demo")  # one worker, so that the demo is trained once


@pytest.fixture(scope="module")
def results():
    """The demo as users run it. Its histories are kept for tests/parity/test_demo_histories.py."""
    found = demo.run(show=False)
    if folder := os.environ.get("KERAS_LOSSES_PARITY_DIR"):
        path = pathlib.Path(folder, f"{keras.backend.backend()}-demo.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({each.name: each.history for each in found}))
    return found


def test_every_loss_is_trained_and_falls(results):
    assert [each.name for each in results] == list(demo.LOSSES)
    for each in results:
        loss = each.history["loss"]
        assert len(loss) == len(each.history["val_loss"]) == demo.EPOCHS
        assert np.all(np.isfinite([loss, each.history["val_loss"]]))
        assert loss[-1] < loss[0] / 10, each.name


def test_the_digit_is_found(results):
    for each in results:
        chance = each.positive.mean()
        assert each.average_precision > 0.8 > 5 * chance, each.name
        assert each.f1 > 0.7, each.name
        assert 0 < each.log_loss < 0.2, each.name
        assert each.seconds > 0


def test_values_per_image_have_the_held_out_loss_as_mean(results):
    for each in results:
        assert each.values.shape == each.positive.shape
        np.testing.assert_allclose(each.values.mean(), each.history["val_loss"][-1], rtol=1e-4)


def test_the_digit_is_rare():
    x, y, x_test, y_test = demo.load_data(seed=3)
    assert x.shape == (len(y), 64)
    assert x_test.shape == (len(y_test), 64)
    assert 0.02 < y.mean() < 0.04
    assert 0.09 < y_test.mean() < 0.11


def test_the_command_prints_a_table_and_writes_a_picture(tmp_path, capsys):
    path = tmp_path / "demo.png"
    assert main(["demo", "--epochs", "2", "--seed", "1", "--out", str(path)]) == 0
    shown = capsys.readouterr().out
    for word in (*demo.LOSSES, "average precision", "F1", "log loss", "seconds", str(path)):
        assert word in shown
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--out", "missing/demo.png"], "there is no folder 'missing'"),
        (["--out", "demo.txt"], "must end in .png"),
        (["--epochs", "0"], "must be a whole number from 1"),
        (["--epochs", "some"], "must be a whole number from 1"),
        (["--seed", "-1"], "must be a whole number from 0"),
    ],
    ids=["missing folder", "not a picture", "no epoch", "no number", "negative seed"],
)
def test_a_wrong_argument_is_one_sentence_and_status_2(arguments, problem, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        main(["demo", *arguments])
    assert exit_.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert problem in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(("package", "module"), [("sklearn", "sklearn.datasets"), ("matplotlib", "matplotlib.axes")])
def test_a_missing_extra_is_named_before_training(package, module, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "keras_losses.plot", raising=False)
    monkeypatch.delattr(keras_losses, "plot", raising=False)
    monkeypatch.setattr(demo, "train", lambda *_: pytest.fail("trained"))
    with pytest.raises(SystemExit) as exit_:
        main(["demo", "--out", str(tmp_path / "demo.png")])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == f'keras-losses: this needs {package}: pip install "keras-losses[demo]"\n'


def test_the_package_imports_nothing_of_the_demo():
    code = (
        "import sys, keras; before = set(sys.modules); import keras_losses;"
        "print([name for name in set(sys.modules) - before"
        " if name.split('.')[0] in ('matplotlib', 'sklearn', 'rich')"
        " or name in ('keras_losses.demo', 'keras_losses.plot')])"
    )
    home = str(pathlib.Path(keras_losses.__file__).parents[1])
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=home)
    assert found.stdout.strip() == "[]"
