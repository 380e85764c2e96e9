"""The three backends give the same values and gradients for every case."""

import os
import pathlib

import numpy as np
import pytest

from tests._parity import read

FOLDER = os.environ.get("KERAS_LOSSES_PARITY_DIR")
BACKENDS = ("jax", "torch", "tensorflow")

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def written():
    if not FOLDER:
        pytest.skip("KERAS_LOSSES_PARITY_DIR is not set: nothing to compare")
    assert pathlib.Path(FOLDER).is_dir(), "run the backend sessions first"
    return {backend: read(FOLDER, backend) for backend in BACKENDS}


def test_every_backend_wrote_the_same_cases(written):
    keys = {backend: set(arrays) for backend, arrays in written.items()}
    assert keys["jax"]
    assert keys["jax"] == keys["torch"] == keys["tensorflow"]


@pytest.mark.parametrize("other", BACKENDS[1:])
@pytest.mark.parametrize("what", ["value", "gradient"])
def test_backends_agree(written, other, what):
    """To 1e-5: of the value, and of the largest entry of a gradient."""
    worst = {}
    for key, array in written["jax"].items():
        if not key.endswith(what):
            continue
        theirs = written[other][key]
        assert theirs.shape == array.shape, key
        assert (np.isnan(theirs) == np.isnan(array)).all(), key
        finite = np.isfinite(array)
        assert (theirs[~finite & ~np.isnan(array)] == array[~finite & ~np.isnan(array)]).all(), key
        size = np.maximum(1.0, np.abs(array[finite]).max(initial=0.0) if what == "gradient" else np.abs(array[finite]))
        worst[key] = float((np.abs(theirs[finite] - array[finite]) / size).max(initial=0.0))
    assert worst
    bad = {key: error for key, error in worst.items() if error > 1e-5}
    assert not bad, bad
