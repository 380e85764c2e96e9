"""Hooks and fixtures of the whole suite."""

import itertools
import os

import pytest

from tests._parity import Recorder
from tests._summary import *  # noqa: F403

TESTS = itertools.count(1)


@pytest.fixture(scope="session")
def record():
    """Collects values and gradients under an id and writes them where the parity session finds them."""
    recorder = Recorder(os.environ.get("KERAS_LOSSES_PARITY_DIR"))
    yield recorder
    recorder.write()


@pytest.fixture(autouse=True)
def global_state():
    """Each test starts with the same random numbers and leaves floatx and policy as they were."""
    import keras

    keras.utils.set_random_seed(0)
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
    # JAX keeps every program that it compiled, gigabytes over the suite; of most there is no further use.
    if keras.backend.backend() == "jax" and next(TESTS) % 500 == 0:
        import jax

        jax.clear_caches()


def pytest_collection_modifyitems(items):
    """The checks of one loss share what they compile: one worker runs them."""
    for item in items:
        check = getattr(item, "callspec", None) and item.callspec.params.get("check")
        if hasattr(check, "lazy"):
            item.add_marker(pytest.mark.xdist_group(check.loss))
