"""Keras's fourth backend has values but no gradients: the reference table must hold there too."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_losses as kl
from tests.reference import REFERENCES

CASES = [pytest.param(name, case, id=f"{name}-{case.id}") for name, (_, cases) in REFERENCES.items() for case in cases]

if keras.backend.backend() != "numpy":
    pytest.skip("needs KERAS_BACKEND=numpy; the numpy session runs it", allow_module_level=True)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_value(name, case):
    expected = REFERENCES[name][0](case.y_true, case.y_pred.astype("float32").astype("float64"), **case.config)
    expected = np.where(expected[1], expected[0], 0.0) if isinstance(expected, tuple) else expected
    got = getattr(kl, name)(reduction="none", **case.config)(case.y_true, case.y_pred)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_imports_without_warnings():
    code = "import warnings; import keras; warnings.simplefilter('error'); import keras_losses"
    subprocess.run([sys.executable, "-c", code], check=True)
