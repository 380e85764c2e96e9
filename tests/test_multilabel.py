"""Multi-label losses, F1 and kappa: what their values mean, and hyperparameters and inputs at their ends."""

import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from keras_losses.testing.gradients import gradient, second_derivative
from tests.reference._case import binary, normal, random_one_hot, simplex, uniform
from tests.reference.classification_confusion import kappa
from tests.reference.classification_multilabel import two_way_terms

# -- losses of a batch, split into samples ------------------------------------------------------------------------------------


def numbers(x):
    return np.asarray(ops.convert_to_numpy(x))


def test_the_mean_of_two_way_is_that_of_the_paper():
    y, z = binary(0, 6, 4), normal(1, 6, 4)
    y[2], y[:, 3] = 0, 0
    rows, columns = (list(terms.values()) for terms in two_way_terms(y, z))
    assert len(rows) < 6
    assert len(columns) == 3
    np.testing.assert_allclose(numbers(kl.TwoWay()(y, z)), np.mean(rows) + np.mean(columns), rtol=1e-6)


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_the_mean_of_soft_f1_is_that_of_the_batch(average):
    y, p = binary(2, 6, 3), uniform(3, 6, 3)
    y, p = (y, p) if average == "macro" else (y.reshape(-1, 1), p.reshape(-1, 1))
    score = 2 * (y * p).sum(0) / (2 * (y * p) + (1 - y) * p + y * (1 - p)).sum(0)
    loss = kl.SoftF1(average=average)(y.reshape(6, 3), p.reshape(6, 3))
    np.testing.assert_allclose(numbers(loss), 1 - score.mean(), rtol=1e-6)


@pytest.mark.parametrize("weightage", ["quadratic", "linear"])
def test_the_mean_of_weighted_kappa_is_the_logarithm_with_its_gradient(weightage):
    y, p = random_one_hot(4, 8, 4), simplex(5, 8, 4)
    loss = kl.WeightedKappa(num_classes=4, weightage=weightage, dtype="float64")
    value, slope = value_and_gradient(lambda x: loss(y, x), p, "float64")
    np.testing.assert_allclose(value, np.log(1 - kappa(y, p, weightage) + 1e-6), rtol=1e-12)
    way, step = normal(6, 8, 4), 1e-6
    ahead, behind = (np.log(1 - kappa(y, p + s * way, weightage) + 1e-6) for s in (step, -step))
    np.testing.assert_allclose(np.sum(slope * way), (ahead - behind) / (2 * step), rtol=1e-6)


def test_weighted_kappa_of_another_number_of_classes():
    with pytest.raises(ValueError, match=r"weighted_kappa: `num_classes` is 4, y_pred with shape \(3, 3\) has 3 classes"):
        kl.WeightedKappa(num_classes=4)(np.eye(3), np.eye(3))


@pytest.mark.parametrize(
    "loss", [kl.TwoWay(), kl.SoftF1(), kl.SoftF1(average="micro"), kl.WeightedKappa(num_classes=3)], ids=repr
)
def test_a_masked_sample_is_not_in_the_batch(loss):
    y, p = random_one_hot(7, 6, 3), simplex(8, 6, 3)
    y[:3] = np.eye(3)
    keep = np.array([True, True, True, False, False, True])
    broken = np.where(keep[:, None], p, np.nan)
    alone = numbers(loss(y[keep], p[keep]))
    np.testing.assert_allclose(numbers(loss(y, broken, mask=keep)), alone, rtol=1e-5)
    np.testing.assert_allclose(numbers(loss(y, broken, sample_weight=keep.astype(float))), alone, rtol=1e-5)


def test_a_masked_label_is_neither_positive_nor_negative():
    """What is unknown of one label is no reason to drop the sample."""
    keep = np.array([[True, True, False], [True, False, True]])
    loss = kl.TwoWay(reduction="none")
    y, z = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), normal(9, 2, 3)
    # The rows without their unknown label; the columns have one sample each but the first.
    rows = [np.logaddexp(0, z[0, 1] - z[0, 0]), np.logaddexp(0, z[1, 0] - z[1, 2])]
    column = np.logaddexp(0, z[1, 0] - z[0, 0])  # the last has a positive alone, the second a negative
    expected = [rows[0] + 2 * column / 2, rows[1]]
    np.testing.assert_allclose(numbers(loss(y, np.where(keep, z, np.nan), mask=keep)), expected, rtol=1e-5)

    p, f1 = uniform(10, 2, 3), kl.SoftF1(average="samples", reduction="none", smooth=0.0)
    kept = [1 - 2 * (y[i] * p[i])[k].sum() / (y[i] + p[i])[k].sum() for i, k in enumerate(keep)]
    np.testing.assert_allclose(numbers(f1(y, np.where(keep, p, np.nan), mask=keep)), kept, rtol=1e-5)


# -- one loss is another's special case --------------------------------------------------------------------------------------

Y, Z, LABELS = binary(11, 5, 4), normal(12, 5, 4, scale=3.0), np.array([0, 3, 1, 2, 3])


@pytest.mark.parametrize(
    ("special", "general"),
    [
        (
            kl.AsymmetricMultilabel(from_logits=True, gamma_neg=0.0, gamma_pos=0.0, clip=0.0),
            kl.BinaryCrossentropy(from_logits=True),
        ),
        (
            kl.AsymmetricMultilabel(from_logits=True, gamma_neg=2.0, gamma_pos=2.0, clip=0.0),
            kl.BinaryFocalCrossentropy(from_logits=True),
        ),
        (kl.MultilabelSoftMargin(), kl.BinaryCrossentropy(from_logits=True)),
        (
            kl.AsymmetricSingleLabel(from_logits=True, label_smoothing=0.0),
            kl.SparseCategoricalCrossentropy(from_logits=True),
        ),
        (
            kl.AsymmetricSingleLabel(from_logits=True, gamma_neg=0.0),
            kl.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        ),
        (kl.ZLPR(from_logits=True), lambda y, z: 4 * kl.BinaryCrossentropy(from_logits=True)(y, z)),
    ],
    ids=["bce", "focal", "margin", "crossentropy", "smoothed", "zlpr-of-one-each"],
)
def test_special_cases(special, general):
    y = LABELS if special.y_true.kind.integer else Y
    z = Z
    if isinstance(special, kl.ZLPR):  # one positive and one negative: two softpluses
        y, z = np.array([[1.0, 0.0]]), Z[:1, :2]
        general = lambda y, z: 2 * kl.BinaryCrossentropy(from_logits=True)(y, z)  # noqa: E731
    np.testing.assert_allclose(numbers(special(y, z)), numbers(general(y, z)), rtol=1e-5)


# -- the ends of hyperparameters and inputs ----------------------------------------------------------------------------------

GAMMAS = (0.0, 1e-3, 0.5, 1.0, 1.5, 50.0, 1e4)
LOSSES = [
    *(kl.AsymmetricMultilabel(gamma_pos=g, gamma_neg=g, clip=c) for g in GAMMAS for c in (0.0, 1e-30, 0.05, 1.0)),
    *(kl.AsymmetricSingleLabel(gamma_pos=g, gamma_neg=g) for g in GAMMAS),
    kl.ZLPR(),
    kl.MultilabelSoftMargin(),
    *(kl.TwoWay(positive_temperature=a, negative_temperature=b) for a in (1e-6, 1.0, 1e6) for b in (1e-6, 1e6)),
]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_everything_is_finite(loss):
    """Value, gradient and second derivative, at the ends of logits and probabilities and between."""
    y = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 1], [0, 0, 1]])
    y = np.array([0, 1, 2, 0, 1]) if loss.y_true.kind.integer else y
    one, ones = np.eye(5, 3), np.ones((5, 3))
    predictions = {True: [0 * one, *(scale * (2 * one - 1) for scale in (1e-3, 1.0, 20.0, 100.0, 1e4, -1e4))]}
    if hasattr(loss, "from_logits"):
        predictions[False] = [one, 1 - one, 0 * one, ones, 0.05 * ones, np.where(one > 0, 1e-30, 0.5)]
    for from_logits, each in predictions.items():
        switch = {"from_logits": from_logits} if hasattr(loss, "from_logits") else {}
        made = type(loss).from_config({**loss.get_config(), **switch, "reduction": "sum"})
        for x in each if loss.couples_batch else [np.concatenate(each)]:
            true = np.concatenate([y] * (len(x) // len(y)))
            value, slope = value_and_gradient(lambda p, f=made, t=true: f(t, p), x)
            curved = second_derivative(lambda p, f=made, t=true: f(t, p), x, np.ones_like(x))
            assert np.isfinite(value), (from_logits, value)
            assert np.isfinite(slope).all(), (from_logits, slope)
            assert np.isfinite(curved).all(), (from_logits, curved)


def test_half_precision_logits():
    """The authors' code gives NaN in float16: there its epsilon of 1e-8 is 0."""
    y, z = np.array([[1.0, 0.0, 1.0, 0.0]]), np.array([[20.0, -20.0, -20.0, 20.0]], "float16")
    loss = kl.AsymmetricMultilabel(from_logits=True)
    expected = (20 - 0.95**4 * np.log(0.05)) / 4
    np.testing.assert_allclose(numbers(loss(y, ops.convert_to_tensor(z))), expected, rtol=1e-5)


def test_a_wrong_negative_is_let_go_and_a_wrong_positive_is_not():
    """The threshold of the paper is for negatives: without `clip` both are pulled back."""
    y, z = np.array([[1.0, 0.0]]), np.array([[-50.0, 50.0]])
    shifted, plain = (
        gradient(lambda p, c=clip: kl.AsymmetricMultilabel(from_logits=True, clip=c)(y, p), z)[0] for clip in (0.05, 0.0)
    )
    np.testing.assert_allclose(shifted, [-0.5, 0.0], atol=1e-6)
    np.testing.assert_allclose(plain, [-0.5, 0.5], atol=1e-6)
