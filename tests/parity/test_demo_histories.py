"""The demo walks the same path on every backend: `tests/test_demo.py` keeps the histories of each backend's session."""

import itertools
import json
import os
import pathlib

import numpy as np
import pytest

BACKENDS = ("jax", "torch", "tensorflow")

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def histories():
    """backend -> loss -> `loss` or `val_loss` -> one number an epoch."""
    folder = os.environ.get("KERAS_LOSSES_PARITY_DIR")
    if not folder:
        pytest.skip("KERAS_LOSSES_PARITY_DIR, where the backend sessions leave their histories, is not set")
    paths = {backend: pathlib.Path(folder, f"{backend}-demo.json") for backend in BACKENDS}
    missing = [backend for backend, path in paths.items() if not path.exists()]
    if missing:
        pytest.fail(f"{folder} has no history of {', '.join(missing)}: run tests/test_demo.py there first")
    return {backend: json.loads(path.read_text()) for backend, path in paths.items()}


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(BACKENDS, 2)))
def test_loss_histories_agree(histories, first, second):
    assert histories[first].keys() == histories[second].keys()
    assert histories[first]
    for loss, history in histories[first].items():
        assert history.keys() == {"loss", "val_loss"}
        for key, values in history.items():
            np.testing.assert_allclose(values, histories[second][loss][key], rtol=1e-4, err_msg=f"{loss}, {key}")
