"""The command line: what it prints, its exit status, and one sentence for what cannot work."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_losses as kl
from keras_losses.__main__ import main
from keras_losses.cli import curve

THREE_LINES = """
from keras import ops
import keras_losses as kl
class Mine(kl.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)
def scalar(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true))
number = 3
layer = kl.layers
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a module of losses and a batch, from which commands run."""
    name = f"losses_of_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(THREE_LINES)
    (tmp_path / "spoilt.py").write_text("import keras\nimport no_such_module\n")
    np.savez(tmp_path / "batch.npz", y_true=np.zeros((4, 1)), y_pred=np.ones((4, 1)))
    np.savez(tmp_path / "labels.npz", y_true=np.array([1, 2, 3]), y_pred=np.full((3, 3), 1 / 3))
    np.savez(tmp_path / "other.npz", inputs=np.zeros(3))
    np.savez(tmp_path / "pickled.npz", y_true=np.array([{}], object), y_pred=np.zeros(1))
    np.save(tmp_path / "plain.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("no arrays")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    return name


def run(capsys, *arguments):
    status = main([str(a) for a in arguments])
    return status, capsys.readouterr().out


def test_list(capsys):
    status, out = run(capsys, "list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert status == 0
    assert rows["Huber"]["family"] == "regression"
    assert rows["Huber"]["summary"].startswith("Quadratic for small errors")
    assert set(rows) == {n for n, x in kl.core.registry.public().items() if isinstance(x, type) and n != "Sum"}
    _, out = run(capsys, "list", "--family", "segmentation")
    assert "Dice" in out
    assert "Huber" not in out


@pytest.mark.parametrize("name", ["Huber", "huber", "mse", "BinaryCrossentropy", "kl_divergence", "hinge", "Poisson"])
def test_show(name, capsys):
    status, out = run(capsys, "show", name)
    assert status == 0
    for part in ("y_true", "y_pred", "Formula", "*", "---"):
        assert part in out, part


def test_show_without_a_curve(capsys):
    status, out = run(capsys, "show", "circle")
    assert status == 0
    assert "arXiv:2002.10857" in out


def test_show_as_json(capsys):
    story = json.loads(run(capsys, "show", "huber", "--json")[1])
    assert story["signature"].startswith("Huber(delta=1.0, *, reduction=")
    assert story["y_true"] == "real numbers, axes (B *S D)"


def test_the_curve_is_the_loss():
    drawn = curve.of(kl.Huber(delta=1.0))
    x, values, slopes = drawn.lines["target 0"]
    np.testing.assert_allclose(values, np.where(np.abs(x) <= 1, x**2 / 2, np.abs(x) - 0.5), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slopes, np.clip(x, -1, 1), rtol=1e-5, atol=1e-6)
    x, values, _ = curve.of(kl.SparseCategoricalCrossentropy()).lines["right class"]
    np.testing.assert_allclose(values, -np.log(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("arguments", [("plot", "huber", "-o"), ("show", "huber", "--png")])
def test_pictures(arguments, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.png"
    assert run(capsys, *arguments, path)[0] == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_check(folder, capsys):
    assert run(capsys, "check", f"{folder}:Mine")[0] == 0
    status, out = run(capsys, "check", f"{folder}:scalar", "--backends", "current", "--json")
    assert status == 1
    assert "scalar-output" in [finding["id"] for finding in json.loads(out)["findings"]]
    status, out = run(capsys, "check", f"{folder}.py:scalar")
    assert status == 1
    assert "scalar-output" in out


def test_diagnose(folder, capsys):
    assert run(capsys, "diagnose", f"{folder}:Mine", "batch.npz")[0] == 0
    status, out = run(capsys, "diagnose", "SparseCategoricalCrossentropy", "labels.npz", "--json")
    assert status == 1
    assert json.loads(out)["findings"][0]["id"] == "labels-start-at-one"


def test_doctor(capsys):
    found = json.loads(run(capsys, "doctor", "--json")[1])
    assert found["backend"] == keras.backend.backend()
    assert found["keras"] == keras.__version__
    assert found["keras_losses"] == kl.__version__
    assert found["device"]
    assert keras.__version__ in run(capsys, "doctor")[1]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["check", "no_such:thing"], "there is no module 'no_such' here"),
        (
            ["check", "spoilt:thing"],
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_module' (spoilt.py:2)",
        ),
        (["check", "missing.py:thing"], "there is no file 'missing.py'"),
        (["check", "MODULE:skalar"], "has no 'skalar'. Did you mean: scalar"),
        (["check", "MODULE:number"], "is no loss but int"),
        (["check", "MODULE:layer"], "is no loss but module"),
        (["check", "Hubber"], "no loss is named 'Hubber'. Did you mean: Huber, huber?"),
        (["check", "MODULE:Mine", "--backends", "theano"], "the backend 'theano' is not installed"),
        (["diagnose", "mse", "nowhere.npz"], "there is no file 'nowhere.npz'"),
        (["diagnose", "mse", "plain.npy"], "is no npz file of plain arrays"),
        (["diagnose", "mse", "text.npz"], "is no npz file of plain arrays"),
        (["diagnose", "mse", "pickled.npz"], "is no npz file of plain arrays"),
        (
            ["diagnose", "mse", "other.npz"],
            "must hold y_true and y_pred, and may hold sample_weight and mask. It holds: inputs",
        ),
        (["show", "Hubber"], "no loss is named 'Hubber'"),
        (["plot", "Circle"], "has no curve over one prediction"),
        (["plot", "Huber", "-o", "no/such/x.png"], "there is no folder"),
        (["plot", "Huber", "-o", "x.nonsense"], "is no picture that can be written"),
        (["list", "--family", "none"], "there is no family 'none': classification,"),
        (["nonsense"], "invalid choice: 'nonsense'"),
    ],
)
def test_one_sentence_for_what_cannot_work(arguments, problem, folder, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([a.replace("MODULE", folder) for a in arguments])
    assert exit_.value.code == 2
    shown = capsys.readouterr()
    assert problem in shown.err
    assert shown.err.count("\n") == 1
    assert not shown.out


def test_as_a_process(folder):
    command = [sys.executable, "-m", "keras_losses", "check", f"{folder}:scalar", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False
