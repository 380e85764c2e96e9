"""Every example runs, as a user would run it. An example checks its own numbers and fails if they are wrong."""

import os
import pathlib
import subprocess
import sys

import keras
import pytest

import keras_losses

EXAMPLES = sorted((pathlib.Path(__file__).parents[1] / "examples").glob("*.py"))
# These choose their backend themselves, since they are written in its own terms.
BACKEND = {f"custom_loop_{backend}": backend for backend in ("jax", "torch", "tensorflow")}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    backend = BACKEND.get(path.stem, keras.backend.backend())
    if backend != keras.backend.backend():
        pytest.skip(f"an example for {backend}")
    # The package under test, installed or not.
    home = str(pathlib.Path(keras_losses.__file__).parents[1])
    # Not with the flags of a suite that compiles fast: what trains for thousands of steps is worth optimizing.
    env = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    env |= {"PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert any(character.isdigit() for character in done.stdout), "an example ends with numbers"


def test_there_are_examples():
    assert {path.stem for path in EXAMPLES} >= BACKEND.keys()
