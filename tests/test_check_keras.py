"""`check_loss` on Keras's own losses finds what has been measured there."""

import functools
import importlib.util
import pathlib

import keras
import pytest

from keras_losses.testing import check_loss

DOCS = pathlib.Path(__file__).parent.parent / "docs"
spec = importlib.util.spec_from_file_location("check_keras", DOCS / "check_keras.py")
check_keras = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_keras)

pytestmark = [
    pytest.mark.xdist_group("check_keras"),  # one worker, so that the reports are made once
    pytest.mark.skipif(keras.__version__ != "3.15.1", reason="measured with Keras 3.15.1"),
]
PAIRS = check_keras.pairs()


@functools.cache
def report(title):
    return check_loss(PAIRS[title][0])


# From the measurements of Keras 3.15.1 that docs/differences-from-keras.md tells; the same on every backend.
MEASURED = {
    "Tversky": {"wrong-value", "scalar-output", "mask-ignored"},
    "Dice": {"wrong-value", "scalar-output", "mask-ignored"},
    "BinaryCrossentropy": {"gradient-dead", "argument-unchecked", "half-not-finite"},
    "BinaryFocalCrossentropy(from_logits=True)": {"argument-unchecked"},
    "CategoricalFocalCrossentropy": {"broadcasts-classes", "gradient-dead"},
    "CategoricalFocalCrossentropy(from_logits=True)": {"gradient-dead", "wrong-value"},
    "CategoricalGeneralizedCrossEntropy": {"nan-at-zero", "not-registered", "labels-damaged"},
    "CosineSimilarity": {"config-incomplete"},
    "Huber": {"config-incomplete"},
    "LogCosh": {"float32-inaccurate"},
    "KLDivergence": {"half-not-finite"},
    "SparseCategoricalCrossentropy": {"labels-damaged", "config-incomplete", "gradient-dead"},
    "SparseCategoricalCrossentropy(from_logits=True)": {"labels-damaged"},
    "MeanSquaredError": {"broadcasts-classes", "accepts-other-batch", "weight-axis"},
    "Circle": {"zero-weight-counts"},
}
# And where the backends differ.
MEASURED_ON = {
    "jax": {
        "BinaryFocalCrossentropy(from_logits=True)": {"gradient-dead", "wrong-value"},
        "CosineSimilarity": {"nan-at-zero"},
        "SparseCategoricalCrossentropy(from_logits=True)": {"labels-unchecked"},
    },
    "torch": {
        "BinaryFocalCrossentropy(from_logits=True)": {"gradient-dead", "wrong-value"},
        "CosineSimilarity": {"nan-at-zero"},
    },
    "tensorflow": {},
}[keras.backend.backend()]


@pytest.mark.parametrize("title", MEASURED)
def test_keras_is_found_wrong_where_it_was_measured(title):
    expected = MEASURED[title] | MEASURED_ON.get(title, set())
    assert expected <= {finding.id for finding in report(title).findings}, str(report(title))


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="the page is written on jax")
@pytest.mark.parametrize("title", PAIRS)
def test_the_page_is_that_of_a_fresh_run(title):
    """What is found in Keras's; `nothing` in ours is what tests/conformance.py asserts."""
    assert check_keras.start(title, report(title)) in (DOCS / "check-loss-on-keras.md").read_text()
