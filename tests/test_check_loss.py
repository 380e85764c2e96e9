"""`check_loss`, its report, and what other packages' suites use."""

import io
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops
from rich.console import Console

import keras_losses as kl
from keras_losses import spec
from keras_losses.core.report import Finding, Report
from keras_losses.testing import check_loss, parametrize_with_checks
from keras_losses.testing.subject import Subject


def ids(report):
    return [finding.id for finding in report.findings]


class Plain(kl.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)


def scalar(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true))


# ---------------------------------------------------------------- what it takes
@pytest.mark.parametrize("loss", [Plain, Plain(), "mse", "MeanSquaredError", kl.mse, keras.losses.MeanSquaredError(), scalar])
def test_takes_what_compile_takes(loss):
    report = check_loss(loss)
    assert len(report.passed) + len(report.findings) > 30


def test_three_lines_are_enough():
    report = check_loss(Plain)
    assert report.ok, str(report)
    assert not report.skipped
    assert "guessed" in report.notes[0]


@pytest.mark.parametrize("loss", [3, None, keras.layers.Dense(1), "no such loss"])
def test_what_is_no_loss(loss):
    with pytest.raises((TypeError, ValueError), match=r"check_loss: expected a loss|no loss is named"):
        check_loss(loss)


@pytest.mark.parametrize(
    "loss",
    [
        kl.CategoricalCrossentropy(axis=1),
        kl.Huber(reduction="sum"),
        kl.Huber(reduction="none"),
        kl.Huber(dtype="float16"),
        0.5 * kl.MeanSquaredError() + kl.Dice(),
    ],
)
def test_ours_are_clean_with_any_arguments(loss):
    report = check_loss(loss)
    assert report.ok, str(report)
    assert not report.skipped


def test_what_is_no_tensor():
    assert "wrong-return" in ids(check_loss(lambda t, p: "a text"))


def test_a_class_that_needs_arguments():
    class Needs(kl.Loss):
        scale: float

        def call(self, y_true, y_pred):
            return self.scale * ops.mean(y_pred - y_true, axis=-1)

    with pytest.raises(TypeError, match=r"Needs needs the arguments \['scale'\]: give an instance"):
        check_loss(Needs)


@pytest.mark.parametrize(
    "arrays", [(np.zeros((3, 1)), None), (np.zeros((3, 1)), np.zeros((2, 1))), (np.zeros(()), np.zeros(()))]
)
def test_arrays_that_are_no_batch(arrays):
    with pytest.raises(ValueError, match=r"check_loss: (give both|y_true and y_pred must hold)"):
        check_loss(Plain, *arrays)


@pytest.mark.parametrize(
    ("arrays", "kinds"),
    [
        ((np.array([0, 2, 1, 1]), np.full((4, 3), 1 / 3)), ("label", "simplex")),
        ((np.array([0, 2, 1, 1]), np.full((4, 3), -2.0)), ("label", "logit")),
        ((np.eye(3)[[0, 1, 2, 2]], np.full((4, 3), 1 / 3)), ("onehot", "simplex")),
        ((np.ones((4, 3)), np.full((4, 3), 0.9)), ("binary", "prob")),
        ((np.array([[1.0], [-1.0], [1.0], [1.0]]), np.full((4, 1), 2.0)), ("sign", "real")),
        ((np.array([0.5, 2.0, 1.0, 3.0]), np.full(4, 2.0)), ("real", "real")),
    ],
)
def test_kinds_are_read_off_the_arrays(arrays, kinds):
    def loss(y_true, y_pred):
        return ops.sum(y_pred, axis=-1)

    subject = Subject(loss, *arrays)
    assert subject.kind == kinds
    assert "taken from the arrays" in subject.notes[0]
    y_true, y_pred = subject.batch(seed=1)
    assert y_pred.shape == arrays[1].shape
    assert y_true.shape == arrays[0].shape


def test_fewer_than_four_samples_are_repeated():
    y_true, y_pred = Subject(Plain, np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])).batch()
    np.testing.assert_array_equal(y_true, [[1], [2], [1], [2]])
    np.testing.assert_array_equal(y_pred, [[3], [4], [3], [4]])


# ---------------------------------------------------------------- contracts
class WrongAxis(kl.Loss):
    """States a contract and breaks it: the values lose the axis that weights go along."""

    y_true = spec.binary("B *S C")
    y_pred = spec.prob("B *S C")

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1) + ops.mean(y_pred)


def test_a_contract_is_checked():
    found = ids(check_loss(WrongAxis))
    assert "contract-what-does-not-count" in found
    assert "batch-split" in found


def test_by_design_is_told_and_no_failure():
    report = check_loss(kl.Circle)
    assert report.ok
    assert all("constants in the gradient" in finding.by_design for finding in report.findings)
    assert "gradient-wrong" in ids(report)


# ---------------------------------------------------------------- the report
REPORT = Report(
    "a title",
    (
        Finding(
            "first", "It matters.", {"value": np.array([1.5, np.nan]), "shape": (2,)}, "line one\nline two", "file.py:3: x"
        ),
        Finding("second", "Meant.", by_design="so it is"),
    ),
    ("a note",),
    ("third",),
    {"fourth": "no data", "fifth": "no data"},
)


def test_report_as_text_markdown_and_table():
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(REPORT)
    for text in (str(REPORT), REPORT.to_markdown(), console.export_text()):
        for part in ("a title", "1 finding", "a note", "first", "It matters.", "1.5, nan", "line two", "file.py:3", "so it is"):
            assert part in text, (part, text)
        assert text.count("no data") == 1


def test_report_as_json():
    data = json.loads(REPORT.to_json())
    assert data["ok"] is False
    assert data["findings"][0]["evidence"] == {"value": [1.5, "nan"], "shape": [2]}
    assert data["skipped"] == {"fourth": "no data", "fifth": "no data"}


def test_raise_for_failures():
    with pytest.raises(AssertionError, match="It matters") as error:
        REPORT.raise_for_failures()
    assert "second" not in str(error.value)
    check_loss(kl.Circle).raise_for_failures()


# ---------------------------------------------------------------- other suites
def run_pytest(tmp_path, body):
    head = "from keras import ops\nimport keras_losses as kl\nfrom keras_losses.testing import parametrize_with_checks\n"
    loss = "def scalar(y_true, y_pred):\n    return ops.mean(ops.square(y_pred - y_true))\n"
    (tmp_path / "test_theirs.py").write_text(head + loss + body)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfxX", "test_theirs.py"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout


def test_parametrize_with_checks(tmp_path):
    out = run_pytest(
        tmp_path,
        "EXPECTED = {'scalar': {'scalar-output': 'meant', 'nan-at-ties': 'not so'}}\n"
        "@parametrize_with_checks([scalar, kl.Huber()], expected_failures=EXPECTED)\n"
        "def test_loss(check):\n    check()\n",
    )
    assert "XFAIL test_theirs.py::test_loss[scalar-scalar-output]" in out
    assert "FAILED test_theirs.py::test_loss[scalar-zero-weight-counts]" in out
    assert "[XPASS(strict)] not so" in out
    assert "Huber" not in out.split("short test summary")[1]


def test_ids_name_loss_and_check():
    mark = parametrize_with_checks({"mine": (scalar, np.zeros((4, 1)), np.ones((4, 1)))})
    names = [case.id for case in mark.args[1]]
    assert "mine-scalar-output" in names
    assert len(set(names)) == len(names)


# ---------------------------------------------------------------- other backends
def test_an_unknown_backend():
    with pytest.raises(ValueError, match="the backend 'theano' is not installed"):
        check_loss(Plain, backends=["theano"])


def test_no_other_backend_than_this_one():
    assert check_loss(kl.mse, backends=[keras.backend.backend()]).ok is not None


def test_a_loss_that_another_process_cannot_import():
    report = check_loss(lambda t, p: ops.mean(ops.square(p - t), axis=-1), backends="all")
    assert "define it at the top of a module" in report.skipped["backend-differs"]
