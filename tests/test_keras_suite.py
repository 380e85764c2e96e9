"""Keras's own tests of its losses, with their imports pointed at this package.

The two files ship with Keras. Each test that may fail is listed, with the row of docs/differences-from-keras.md that says
why; every other test passes, and every listed one fails today. What Keras skips on a backend runs here.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET

import keras
import pytest

import keras_losses

pytestmark = pytest.mark.skipif(not keras.__version__.startswith("3.15."), reason="the list is that of the tests of Keras 3.15")

DOCUMENT = pathlib.Path(__file__).parents[1] / "docs" / "differences-from-keras.md"
HOME = pathlib.Path(keras_losses.__file__).parents[1]

# `squeeze_or_expand_to_same_rank` and `backend.set_keras_mask` are internals of Keras that have no public counterpart
# here: their import stays as it is.
IMPORTS = {
    "losses_test.py": {"from keras.src.losses import losses\n": "import keras_losses as losses\n"},
    "loss_test.py": {
        "from keras.src import losses as losses_module\n": "import keras_losses as losses_module\n",
        "from keras.src.losses.loss import Loss\n": "from keras_losses import Loss\n",
    },
}

# `Class::test`: the text of the first column of the row that says why.
EXCLUDED = {
    "LossTest::test_reduction": "Error texts",
    "HingeTest::test_unweighted": "Error texts",
    "SquaredHingeTest::test_unweighted": "Error texts",
    "CategoricalHingeTest::test_unweighted": "Error texts",
    "BinaryCrossentropyTest::test_shape_mismatch": "Error texts",
    "CategoricalCrossentropyTest::test_shape_mismatch": "Error texts",
    "CosineSimilarityTest::test_config": "A config holds every argument",
    "HuberLossTest::test_config": "A config holds every argument",
    "LogCoshTest::test_config": "A config holds every argument",
    "BinaryCrossentropyTest::test_unweighted": "No upper clip of probabilities",
    "BinaryCrossentropyTest::test_scalar_weighted": "No upper clip of probabilities",
    "BinaryCrossentropyTest::test_sample_weighted": "No upper clip of probabilities",
    "CTCTest::test_correctness": "CTC labels out of range are NaN",
    "DiceTest::test_correctness": "Dice and Tversky: one value a sample",
    "DiceTest::test_binary_segmentation": "Dice and Tversky: one value a sample",
    "TverskyTest::test_correctness": "Dice and Tversky: one value a sample",
    "TverskyTest::test_binary_segmentation": "Dice and Tversky: one value a sample",
    "TverskyTest::test_correctness_custom_coefficients": "Tversky: alpha weighs false positives",
    "TverskyTest::test_binary_segmentation_custom_coefficients": "Tversky: alpha weighs false positives",
    "TverskyTest::test_binary_segmentation_custom_coefficients_with_axis": "Tversky: alpha weighs false positives",
    "LossTest::test_dtype_arg": "`dtype` can be assigned",
    "LossTest::test_default_dtype": "Half precision is computed in float32",
}
if keras.backend.backend() != "torch":  # there Keras takes the classes on any axis, and the tests compare numbers
    EXCLUDED |= {
        "SparseCategoricalCrossentropyTest::test_binary_segmentation_different_axis": "Sparse labels and `axis`",
        "SparseCategoricalCrossentropyTest::test_multi_class_segmentation_different_axis": "Sparse labels and `axis`",
    }

# Where only the text of an error differs, the rest of the test must hold: the same tests with these texts.
TEXTS = {
    '"Invalid value for argument"': '"must be one of"',
    '"must have the same shape"': '"does not meet"',
}

CONFTEST = """
def pytest_collection_modifyitems(items):
    for item in items:
        item.own_markers = [mark for mark in item.own_markers if mark.name != "skipif"]
"""


def write_copies(folder, texts):
    source = pathlib.Path(importlib.util.find_spec("keras.src.losses").origin).parent
    for name, imports in IMPORTS.items():
        code = (source / name).read_text()
        for theirs, ours in {**imports, **texts}.items():
            assert theirs in code or theirs in texts, f"{name} no longer has {theirs!r}"
            code = code.replace(theirs, ours)
        (folder / name).write_text(code)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")


def run(folder, *arguments):
    """{`Class::test`: "passed", "failed" or "skipped"} of what pytest ran there."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))}
    for name in [name for name in env if name.startswith("PYTEST_")]:
        del env[name]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--junitxml=report.xml"]
    done = subprocess.run([*command, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    outcomes = {}
    for case in ET.parse(folder / "report.xml").iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        outcomes[f"{case.get('classname').split('.')[-1]}::{case.get('name')}"] = outcome
    return outcomes


def test_all_pass_but_those_listed(tmp_path):
    write_copies(tmp_path, {})
    outcomes = run(tmp_path)
    passed = sum(outcome == "passed" for outcome in outcomes.values())
    print(f"Keras's own tests: {passed} passed, {len(EXCLUDED)} listed as different")
    failed = sorted(name for name, outcome in outcomes.items() if outcome != "passed" and name not in EXCLUDED)
    stale = sorted(name for name in EXCLUDED if outcomes.get(name) != "failed")
    assert not failed, "neither pass nor are listed"
    assert not stale, "are listed but do not fail today"
    assert passed >= 155
    assert passed + len(EXCLUDED) == len(outcomes)


def test_each_reason_is_a_row_of_the_document():
    rows = {line.split("|")[1].strip() for line in DOCUMENT.read_text().splitlines() if line.startswith("|")}
    assert set(EXCLUDED.values()) <= rows


def test_only_the_text_differs(tmp_path):
    write_copies(tmp_path, TEXTS)
    names = [name.replace("::", " and ") for name, reason in EXCLUDED.items() if reason == "Error texts"]
    outcomes = run(tmp_path, "-k", " or ".join(f"({name})" for name in names))
    assert len(outcomes) == len(names)
    assert set(outcomes.values()) == {"passed"}
