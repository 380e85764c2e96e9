"""`check_loss(backends="all")`: the same loss on the same arrays on every backend that is installed."""

import keras
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import check_loss
from keras_losses.testing.elsewhere import compare
from keras_losses.testing.subject import Subject

pytestmark = pytest.mark.parity

OTHERS = {"jax", "torch", "tensorflow"} - {keras.backend.backend()}


def told_by_backend(y_true, y_pred):
    """Another number on each backend."""
    factor = {"jax": 1.0, "torch": 2.0, "tensorflow": 3.0}[keras.backend.backend()]
    return factor * ops.mean(ops.square(y_pred - y_true), axis=-1)


def only_on_jax(y_true, y_pred):
    if keras.backend.backend() != "jax":
        raise RuntimeError("no such operation")
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


def test_an_error_there_is_a_finding():
    (finding,) = compare(Subject(only_on_jax), ["torch"])
    assert finding.evidence == {"on torch": "RuntimeError: no such operation"}


def test_a_difference_is_found_and_shown():
    findings = list(compare(Subject(told_by_backend), "all"))
    assert {finding.id for finding in findings} == {"backend-differs"}
    assert len(findings) == len(OTHERS)
    for finding in findings:
        assert any(f"on {backend}" in name for name in finding.evidence for backend in OTHERS), finding


def test_a_subgradient_that_differs():
    """The absolute value of Keras has gradient 1 at 0 on JAX and 0 elsewhere; the one of this package has 0 everywhere."""
    differences = [f for f in check_loss(plain_error, backends="all").findings if f.id == "backend-differs"]
    assert len(differences) == len(OTHERS)
    assert "backend-differs" in check_loss(kl.MeanAbsoluteError(), backends="all").passed


def plain_error(y_true, y_pred):
    return ops.mean(ops.abs(y_pred - y_true), axis=-1)


class Pinned(kl.Loss):
    power: float = 2.0

    def call(self, y_true, y_pred):
        return ops.mean(kl.math.absolute(y_pred - y_true) ** self.power, axis=-1)


@pytest.mark.parametrize("loss", [Pinned(power=3.0), kl.Huber(delta=0.3), kl.SparseCategoricalCrossentropy(from_logits=True)])
def test_instances_keep_their_arguments(loss):
    assert not list(compare(Subject(loss), "all"))
