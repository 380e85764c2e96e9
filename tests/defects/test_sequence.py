"""CTC: likelihoods below 1, alignments that do not exist, labels that are none."""

import itertools

import keras
import numpy as np
import pytest

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from tests.defects._fit import STOCK, close, evaluate, number, train


def by_enumeration(labels, logits):
    """-log of the sum over all paths that become `labels`."""
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    total = 0
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        if [k for k, _ in itertools.groupby(path) if k] == list(labels):
            total += np.prod([p[t, k] for t, k in enumerate(path)])
    return -np.log(total)


LOGITS = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")


def test_value():
    """keras#23684 (family): the sum over all alignments, one value a sequence, padded with 0."""
    labels = np.array([[1, 2], [1, 0]])
    expected = [by_enumeration([1, 2], LOGITS[0]), by_enumeration([1], LOGITS[1])]
    close(kl.CTC(reduction="none")(labels, LOGITS), expected)
    assert evaluate(kl.CTC(), labels, LOGITS) == pytest.approx(np.mean(expected), rel=1e-4)


def test_never_negative():
    """keras#23684, PR#23685: a certain sequence costs 0, not -8e-8."""
    labels = np.random.default_rng(0).integers(1, 4, size=(20, 3))
    path = np.zeros((20, 7), int)
    path[:, 1::2] = labels
    logits = np.where(np.eye(4)[path] > 0, 8, -8).astype("float32")
    assert (number(kl.CTC(reduction="none")(labels, logits)) >= 0).all()


INFEASIBLE = np.array([[1, 1, 1], [1, 2, 0]])  # three repeats need five steps


def test_no_alignment():
    """keras#23684: infinite with gradient 0 on every backend; Keras had 1e5, 707 and inf with a NaN gradient."""
    value, gradient = value_and_gradient(lambda t: kl.CTC(reduction="none")(INFEASIBLE, t), LOGITS)
    assert value[0] == np.inf
    close(value[1], by_enumeration([1, 2], LOGITS[1]))
    assert (gradient[0] == 0).all()
    assert np.isfinite(gradient[1]).all()
    value, gradient = value_and_gradient(lambda t: kl.CTC(reduction="none", zero_infinity=True)(INFEASIBLE, t), LOGITS)
    assert value[0] == 0
    assert (gradient[0] == 0).all()


@pytest.mark.parametrize("zero_infinity", [False, True])
def test_no_alignment_in_fit(zero_infinity):
    """keras#23684: one such sequence made all weights NaN on one backend; here it moves none."""
    loss = kl.CTC(zero_infinity=zero_infinity)
    logged, step = train(loss, INFEASIBLE, LOGITS)
    alone = value_and_gradient(lambda t: kl.CTC(reduction="sum")(INFEASIBLE[1:], t), LOGITS[1:])
    assert logged == (pytest.approx(float(alone[0]) / 2, rel=1e-5) if zero_infinity else np.inf)
    close(step, alone[1][0] / 2)


def test_logits_of_any_size():
    """keras#23684 (family): at logits of 1e4 the loss is exact, where one backend stopped at 707."""
    logits = np.zeros((1, 2, 2), "float32")
    logits[0, :, 0] = 1e4
    logits[0, :, 1] = -1e4
    value, gradient = value_and_gradient(lambda t: kl.CTC()(np.array([[1]]), t), logits)
    close(value, 2e4 - np.log(2))  # two paths, one sure and one wrong step each
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0.4
    if STOCK and keras.backend.backend() == "tensorflow":
        assert number(keras.losses.CTC()(np.array([[1]]), logits)) < 1e3


@pytest.mark.parametrize("labels", [[1, 3], [1, -1], [7, 7], [0, 1]])
def test_labels_out_of_range(labels):
    """keras#23684 (family): NaN in its own sequence, where Keras gave -0.69, another number, or ended the process."""
    y = np.array([labels, [1, 2]])
    value, gradient = value_and_gradient(lambda t: kl.CTC(reduction="none")(y, t), LOGITS)
    assert np.isnan(value[0])
    close(value[1], by_enumeration([1, 2], LOGITS[1]))
    assert (gradient[0] == 0).all()
    assert np.isfinite(gradient[1]).all()


def test_labels_out_of_range_in_fit():
    """keras#23684 (family): the same through `compile`."""
    assert np.isnan(evaluate(kl.CTC(), np.array([[1, 3], [1, 2]]), LOGITS))


def test_lengths():
    """keras#23684 (family): padding is 0 for labels and a mask for time steps."""
    mask = np.array([[True, True, True, False], [True, True, True, True]])
    expected = [by_enumeration([1], LOGITS[0, :3]), by_enumeration([1, 2], LOGITS[1])]
    close(kl.CTC(reduction="none")(np.array([[1, 0], [1, 2]]), LOGITS, mask=mask), expected)
