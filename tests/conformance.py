"""Every exported loss through every check of `check_loss`, on the backend at hand.

A loss is checked as it is, and once more for each argument that changes what its prediction is, such as `from_logits`.
The function handles are checked for what they add: that they are the loss. What a loss is meant not to hold stands in its
class, as `by_design`.
"""

import dataclasses
import functools

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.core.names import snake_case
from keras_losses.core.registry import public
from keras_losses.testing import check_loss, parametrize_with_checks, sample
from keras_losses.testing.check import run_check
from keras_losses.testing.checks import CHECKS
from keras_losses.testing.subject import Subject

SWITCHES = ("from_logits", "log_input")
LOSSES = {name: x for name, x in public().items() if isinstance(x, type) and x not in (kl.Loss, kl.Sum)}
# A loop that is written out takes as long to compile as it has steps, and shows the same with a few.
FEWER = {"HausdorffErosion": {"iterations": 3}}
VARIANTS = {
    f"{name}-{switch or 'default'}": cls.example(**({switch: True} if switch else {}), **FEWER.get(name, {}))
    for name, cls in LOSSES.items()
    for switch in (None, *(f.name for f in dataclasses.fields(cls) if f.name in SWITCHES))
}


@parametrize_with_checks(VARIANTS)
def test_check(check, record):
    check()
    # What the checks computed at the edges goes to the session that compares the backends.
    for key, array in check.kept.items():
        record[f"{check.loss}/{key}"] = array


@pytest.mark.parametrize("variant", VARIANTS)
def test_function(variant):
    """The function gives the values of the class, in the wider of float32 and the input."""
    loss = VARIANTS[variant]
    y_true, y_pred = sample(loss, spatial=(2,) if loss.y_pred.star is not None else ())
    values = ops.convert_to_numpy(type(loss).from_config({**loss.get_config(), "reduction": "none"})(y_true, y_pred))
    function = getattr(kl, snake_case(type(loss).__name__))
    given = (*SWITCHES, *type(loss).example_arguments(3))
    arguments = {f.name: getattr(loss, f.name) for f in dataclasses.fields(loss) if f.name in given}
    wide = function(y_true, ops.convert_to_tensor(y_pred, dtype="float32"), **arguments)
    assert keras.backend.standardize_dtype(wide.dtype) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(wide), values, rtol=1e-6, atol=1e-6)


# A function that needs an argument cannot be given to `compile` bare.
FUNCTIONS = {x.__name__: x for x in public().values() if not isinstance(x, type) and not x.loss_class.example_arguments(3)}


# What is looked at is the wrapper of Keras, one code for all backends: each function is given to it on one of them.
TURNS = ("jax", "torch", "tensorflow")
WRAPPED = [name for i, name in enumerate(FUNCTIONS) if TURNS[i % 3] == keras.backend.backend()]


@pytest.mark.parametrize("name", WRAPPED)
def test_a_bare_function_lacks_only_what_is_told(name):
    """What Keras's wrapper takes from a function is a finding by design; nothing else is found."""
    needs = FUNCTIONS[name].loss_class.example_arguments(3)
    report = check_loss(functools.partial(FUNCTIONS[name], **needs) if needs else FUNCTIONS[name])
    assert not report.skipped
    for finding in report.findings:
        if needs and finding.id == "not-loadable":  # of the partial, not of the function
            continue
        assert finding.by_design, str(report)
        assert "Keras wraps a function" in finding.by_design or finding.id in FUNCTIONS[name].loss_class.by_design


DESIGNED = [(name, check) for name, cls in LOSSES.items() for check in cls.by_design]


@pytest.mark.parametrize(("name", "check"), DESIGNED)
def test_by_design_is_still_so(name, check):
    """An exception that no variant of the loss needs any more must go."""
    found = [
        finding.id
        for variant, loss in VARIANTS.items()
        if variant.split("-")[0] == name
        for function in CHECKS[check]
        for finding in run_check(function, Subject(loss)).findings
    ]
    assert check in found
