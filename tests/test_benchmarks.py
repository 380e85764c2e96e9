"""What the benchmarks compare is the same number, and they count what they claim."""

import keras
import numpy as np
import pytest
from keras import ops

from benchmarks import measure
from benchmarks.cases import cases

CASES = cases(8, 5)


@pytest.mark.parametrize("case", [case for case in CASES if "native" in case.peers], ids=lambda case: case.name)
def test_native_code_computes_the_same(case):
    mode = measure.MODES[keras.backend.backend()][0]
    ours, theirs = (measure.step(f, case.y_true, case.y_pred, mode)() for f in (case.ours, case.peers["native"]))
    for a, b in zip(ours, theirs, strict=True):
        a, b = (np.asarray(x.detach() if hasattr(x, "detach") else x) for x in (a, b))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_every_loss_is_a_case():
    names = {case.name.split("-")[0] for case in CASES}
    assert {"Huber", "CTC", "Circle", "Dice"} <= names
    assert any(case.name == "Poisson-log_input" for case in CASES)


def test_the_bytes_that_must_move():
    (case,) = cases(8, 5, ["MeanSquaredError"])
    assert case.least_bytes == 3 * 8 * 5 * 4
    assert np.ndim(ops.convert_to_numpy(case.ours(case.y_true, case.y_pred))) == 0


def test_ratios_are_of_what_alternates():
    times = measure.interleaved({"one": lambda: sum(range(2000)), "two": lambda: sum(range(20000))}, rounds=5, least=0.002)
    assert len(times["one"]) == len(times["two"]) == 5
    assert measure.ratio(times["two"], times["one"]) > 2
    assert measure.ratio([2.0, 4.0, 9.0], [1.0, 2.0, 3.0]) == 2.0
