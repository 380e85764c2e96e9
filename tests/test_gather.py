"""`gather=True`: value and gradient on several devices are those of one device with the whole batch."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_losses as kl
from tests import _replicas

ROOT = pathlib.Path(__file__).parents[1]
BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What one device finds, and what each of the replicas finds: processes of their own, at the same time."""
    folder = tmp_path_factory.mktemp("replicas")
    ways = {"one": ["one"], "many": ["many"]}
    if BACKEND == "torch":
        ways = {"one": ["one"]} | {f"many{i}": ["many", str(i), str(folder / "store")] for i in range(_replicas.DEVICES)}
    flags = os.environ.get("XLA_FLAGS", "")
    if BACKEND == "jax":
        # In front: what follows a word that is no flag is not read.
        flags = f"--xla_force_host_platform_device_count={_replicas.DEVICES} {flags}"
    path = os.pathsep.join(filter(None, [str(pathlib.Path(kl.__file__).parents[1]), str(ROOT), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": path}
    command = [sys.executable, "-m", "tests._replicas"]
    running = {
        name: subprocess.Popen(
            [*command, str(folder / f"{name}.json"), *how], env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for name, how in ways.items()
    }
    for name, process in running.items():
        _, errors = process.communicate(timeout=900)
        assert process.returncode == 0, f"{name}: {errors}"
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in ways}


@pytest.mark.slow
def test_replicas_equal_one_device(results):
    one = results.pop("one")
    assert set(one) > set(_replicas.LOSSES)
    assert len(results) == (2 if BACKEND == "torch" else 1)
    for replica, found in results.items():
        for name, (value, slope) in one.items():
            assert np.abs(slope).max() > 1e-3, name
            np.testing.assert_allclose(found[name][0], value, rtol=1e-5, atol=1e-6, err_msg=f"{name}, {replica}")
            np.testing.assert_allclose(found[name][1], slope, rtol=1e-4, atol=1e-5, err_msg=f"{name}, {replica}")
        if BACKEND == "torch":
            assert "each process must have equally many samples. Received: [2, 3]" in found["parts of different size"]


def test_without_replicas_nothing_changes():
    rng = np.random.default_rng(0)
    ids, x = np.arange(8) % 3, rng.normal(size=(8, 4)).astype("float32")
    assert float(kl.NTXent(gather=True)(ids, x)) == float(kl.NTXent()(ids, x))


def test_it_is_saved_and_shown():
    loss = kl.NTXent(gather=True)
    assert repr(loss) == "NTXent(temperature=0.1, gather=True)"
    assert kl.get({"class_name": "NTXent", "config": loss.get_config()}).gather
    assert "gather" not in repr(kl.NTXent())
    with pytest.raises(ValueError, match="NTXent: `gather` must be"):
        kl.NTXent(gather="yes")
