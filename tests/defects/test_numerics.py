"""Values and gradients at the edges: saturated probabilities, zeros, huge and tiny errors, second derivatives."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import gradient, second_derivative, value_and_gradient
from tests.defects._fit import FLOOR, STOCK, close, evaluate, number, train


def column(*numbers):
    return np.array([[x] for x in numbers], "float32")


@pytest.mark.parametrize("cls", [kl.BinaryCrossentropy, kl.BinaryFocalCrossentropy])
def test_saturated_probability_keeps_its_gradient(cls):
    """keras-core#196, keras#7563, #7558, tf-keras#242, tensorflow#118313: -log(1e-7), and 1 / 1e-7 in place of 0."""
    value, slope = value_and_gradient(lambda t: cls()(column(1), t), column(0))
    close(value, FLOOR)
    close(slope, column(-1e7) if cls is kl.BinaryCrossentropy else column(-1e7 - 2 * FLOOR))
    if STOCK:
        assert gradient(lambda t: keras.losses.BinaryCrossentropy()(column(1), t), column(0)) == 0


@pytest.mark.parametrize("cls", [kl.CategoricalCrossentropy, kl.SparseCategoricalCrossentropy])
def test_row_of_zero_probabilities(cls):
    """Found with keras 3.15.1: a row (0, 0) is 0/0 there; here -log(1e-7) with the gradient -1 / 1e-7."""
    y = np.array([0]) if cls is kl.SparseCategoricalCrossentropy else np.array([[1.0, 0.0]], "float32")
    value, slope = value_and_gradient(lambda t: cls()(y, t), np.zeros((1, 2), "float32"))
    close(value, FLOOR)
    close(slope, [[-1e7, 0]])
    assert evaluate(cls(), y, np.zeros((1, 2))) == pytest.approx(FLOOR, rel=1e-5)
    if STOCK and cls is kl.CategoricalCrossentropy:
        assert np.isnan(number(keras.losses.CategoricalCrossentropy()(y, np.zeros((1, 2), "float32"))))


def test_saturated_softmax_costs_the_same_on_every_backend():
    """keras-core#196, tf-keras#242, tensorflow#118313: no look at the operation that made the probabilities."""
    y, logits = np.array([[1.0, 0.0]], "float32"), np.array([[-30.0, 30.0]], "float32")
    loss, step = train(kl.CategoricalCrossentropy(), y, logits, keras.layers.Softmax())
    assert loss == pytest.approx(FLOOR, rel=1e-5)
    assert (np.abs(step) < 1e-6).all()  # exp(-60) / 1e-7: the softmax passes nothing on
    loss, step = train(kl.CategoricalCrossentropy(from_logits=True), y, logits)
    assert loss == pytest.approx(60)
    close(step, [-1, 1])


@pytest.mark.parametrize("z", [-17.0, -20.0])
def test_almost_saturated_sigmoid_learns(z):
    """keras-core#196, keras#7563: below p = 1e-7 the loss no longer falls, but its gradient lives on."""
    p = 1 / (1 + np.exp(-z))
    loss, step = train(kl.BinaryCrossentropy(), column(1), column(z), keras.layers.Activation("sigmoid"))
    assert loss == pytest.approx(-np.log(max(p, 1e-7)), rel=1e-4)
    close(step, [-p * (1 - p) / max(p, 1e-7)], rtol=1e-4)
    if STOCK and keras.backend.backend() != "tensorflow":
        assert train(keras.losses.BinaryCrossentropy(), column(1), column(z), keras.layers.Activation("sigmoid"))[1] == 0


def test_logits_of_a_softmax_output():
    """keras#7563 (family): `from_logits=True` means what it says on a softmax output, on every backend."""
    y, logits = np.array([[1.0, 0.0]], "float32"), np.array([[-1.0, 1.0]], "float32")
    p = np.exp(logits[0]) / np.exp(logits[0]).sum()
    expected = np.log(np.exp(p).sum()) - p[0]
    loss, _ = train(kl.CategoricalCrossentropy(from_logits=True), y, logits, keras.layers.Softmax())
    assert loss == pytest.approx(expected, rel=1e-5)


def test_a_right_logit_costs_what_is_left():
    """log(1 + exp(-20)) for label 0 at -20, and exp(-20) of it as slope: PyTorch takes -20 + log(1 + exp(20)), which is 0."""
    value, slope = value_and_gradient(lambda t: kl.BinaryCrossentropy(from_logits=True)(column(0), t), column(-20))
    np.testing.assert_allclose(value, np.log1p(np.exp(-20.0)), rtol=1e-5)
    np.testing.assert_allclose(slope, [[1 / (1 + np.exp(20.0))]], rtol=1e-5)
    if STOCK and keras.backend.backend() == "torch":
        assert number(keras.losses.BinaryCrossentropy(from_logits=True)(column(0), column(-20))) == 0


def test_focal_from_logits():
    """tensorflow#70326, addons#693, mkocabas/focal#5, kornia#918, #2115, optax PR#1346: 30 with gradient -1 at logit -30."""
    for gamma in (0.0, 0.5, 2.0):
        loss = kl.BinaryFocalCrossentropy(gamma=gamma, from_logits=True)
        value, slope = value_and_gradient(lambda t, loss=loss: loss(column(1), t), column(-30))
        close(value, 30)
        close(slope, [[-1]])
        assert np.isfinite(gradient(lambda t, loss=loss: loss(column(1, 1, 0), t), column(19, 100, -100))).all()
    value, step = train(kl.BinaryFocalCrossentropy(from_logits=True), column(1), column(-30))
    assert value == pytest.approx(30)
    close(step, [-1])
    if STOCK and keras.backend.backend() == "jax":
        stock = keras.losses.BinaryFocalCrossentropy(from_logits=True)
        assert abs(gradient(lambda t: stock(column(1), t), column(-30))[0, 0]) < 1e-6


def test_categorical_focal_from_logits():
    """tensorflow#70326, addons#693: alpha (1 - p)^gamma (-log p) in log space; Keras had gradient 0 on every backend."""
    y, z = np.array([[1.0, 0.0]], "float32"), np.array([[-20.0, 20.0]], "float32")
    loss = kl.CategoricalFocalCrossentropy(from_logits=True)
    value, slope = value_and_gradient(lambda t: loss(y, t), z)
    close(value, 0.25 * 40)
    close(slope, [[-0.25, 0.25]])
    logged, step = train(loss, y, z)
    assert logged == pytest.approx(0.25 * 40)
    close(step, [-0.25, 0.25])
    if STOCK:
        stock = keras.losses.CategoricalFocalCrossentropy(from_logits=True)
        assert (gradient(lambda t: stock(y, t), z) == 0).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 1.5, 2.0])
def test_focal_at_perfect_and_worst_probabilities(gamma):
    """tensorflow#70326, kornia#918: value and gradient are finite for every gamma, at p = 0 and p = 1."""
    y, p = np.array([[1.0, 0.0], [1.0, 0.0]], "float32"), np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    for loss in (kl.BinaryFocalCrossentropy(gamma=gamma), kl.CategoricalFocalCrossentropy(gamma=gamma)):
        value, slope = value_and_gradient(lambda t, loss=loss: loss(y, t), p)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


def test_divergence_of_opposites():
    """keras#377 (family): KL divergence is y log(y / max(p, 1e-7)), finite and with a gradient at p = 0."""
    y, p = np.array([[1.0, 0.0]], "float32"), np.array([[0.0, 1.0]], "float32")
    value, slope = value_and_gradient(lambda t: kl.KLDivergence()(y, t), p)
    close(value, FLOOR)
    close(slope, [[-1e7, 0]])


def test_divergence_does_not_clip_targets():
    """Found with keras 3.15.1: targets above 1 were clipped to 1, here they follow the formula."""
    y, p = column(2), column(1)
    close(kl.KLDivergence()(y, p), 2 * np.log(2))
    assert number(kl.KLDivergence()(y, y)) == 0
    assert evaluate(kl.KLDivergence(), y, p) == pytest.approx(2 * np.log(2), rel=1e-5)
    if STOCK:
        assert number(keras.losses.KLDivergence()(y, p)) == 0


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_negative_rate(y):
    """Found with keras 3.15.1: a Poisson rate below 0 is NaN; here with gradient 0, and named while debugging."""
    value, slope = value_and_gradient(lambda t: kl.Poisson()(column(y), t), column(-1))
    assert np.isnan(value)
    assert (slope == 0).all()
    with kl.debugging(), pytest.raises(ValueError, match=r"poisson: y_pred\[0, 0\] is -1"):
        kl.Poisson()(column(y), column(-1))


def test_rate_of_zero_and_log_rate():
    """Found with keras 3.15.1: at rate 0 the gradient is 1 - y / 1e-7; `log_input` has none of it."""
    value, slope = value_and_gradient(lambda t: kl.Poisson()(column(1), t), column(0))
    close(value, FLOOR)
    close(slope, column(1 - 1e7))
    value, slope = value_and_gradient(lambda t: kl.Poisson(log_input=True)(column(1), t), column(-40))
    close(value, 40)
    close(slope, column(-1))
    assert evaluate(kl.Poisson(log_input=True), column(1), column(-40)) == pytest.approx(40)


def test_percentage_of_zero():
    """Found with keras 3.15.1: a target of 0 counts as 1e-7: 1e9 percent, as documented; in half precision too."""
    for dtype in ("float32", "float16"):
        close(kl.MeanAbsolutePercentageError()(column(0).astype(dtype), column(1).astype(dtype)), 100 / 1e-7)


def test_negative_prediction_of_a_logarithmic_error_recovers():
    """Found with keras 3.15.1: a prediction below 0 had gradient 0 and could never come back."""
    value, slope = value_and_gradient(lambda t: kl.MeanSquaredLogarithmicError()(column(1), t), column(-0.5))
    close(value, np.log(2) ** 2)
    close(slope, column(-2 * np.log(2)), rtol=1e-4)
    logged, step = train(kl.MeanSquaredLogarithmicError(), column(1), column(-0.5))
    assert logged == pytest.approx(np.log(2) ** 2, rel=1e-5)
    close(step, [-2 * np.log(2)], rtol=1e-4)
    if STOCK:
        assert gradient(lambda t: keras.losses.MeanSquaredLogarithmicError()(column(1), t), column(-0.5)) == 0


def test_cosine_of_a_zero_vector():
    """keras issue family of SO 48951109: 0 with gradient 0, where Keras had NaN on two backends and -1e7 on the third."""
    y, zero = np.array([[1.0, 0.0]], "float32"), np.zeros((1, 2), "float32")
    for a, b in ((y, zero), (zero, y), (zero, zero)):
        value, slope = value_and_gradient(lambda t, a=a: kl.CosineSimilarity()(a, t), b)
        assert value == 0
        if b is zero:
            assert (slope == 0).all()
        assert np.isfinite(slope).all()
    logged, step = train(kl.CosineSimilarity(), y, zero)
    assert logged == 0
    assert (step == 0).all()
    if STOCK:
        slope = gradient(lambda t: keras.losses.CosineSimilarity()(y, t), zero)
        assert not (np.abs(slope) < 1e6).all()


@pytest.mark.parametrize(("size", "dtype"), [(1e20, "float32"), (1e-25, "float32"), (1e-4, "float16"), (300, "float16")])
def test_cosine_of_huge_and_tiny_vectors(size, dtype):
    """Found with keras 3.15.1: the square of the length overflowed or vanished, so that the cosine was 0 or NaN."""
    x = np.full((1, 2), size, dtype)
    close(kl.CosineSimilarity()(x, x), -1)
    close(kl.CosineSimilarity()(x, x * np.array([[1, -1]], dtype)), 0)
    if STOCK and size == 1e20:
        assert number(keras.losses.CosineSimilarity()(x, x)) == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [(1e-4, 0.5e-8 - 1e-16 / 12), (0.01, 0.5e-4 - 1e-8 / 12), (-4e4, 4e4 - np.log(2)), (-3e38, 3e38), (0.0, 0.0)],
)
def test_log_cosh_is_exact(error, expected):
    """Found with keras 3.15.1: 0 for an error of 1e-4 (5e-9), infinite for one of -3e38."""
    value, slope = value_and_gradient(lambda t: kl.LogCosh()(column(0), t), column(error))
    close(value, expected, rtol=1e-5, atol=0)
    close(slope, column(np.tanh(error)))
    if STOCK and error == 1e-4:
        assert number(keras.losses.LogCosh()(column(0), column(error))) == 0


def test_log_cosh_in_fit():
    """Found with keras 3.15.1: the same through `compile`."""
    logged, step = train(kl.LogCosh(), column(0), column(1e-4))
    assert logged == pytest.approx(0.5e-8, rel=1e-4)
    close(step, [1e-4], atol=1e-9)


def test_huber_of_huge_errors():
    """No defect of Keras; kept: the linear part neither overflows nor loses its gradient."""
    value, slope = value_and_gradient(lambda t: kl.Huber()(column(0), t), column(1e20))
    close(value, 1e20)
    close(slope, column(1))
    close(kl.Huber()(np.zeros((1, 1), "float16"), np.full((1, 1), 300, "float16")), 300 - 0.5)


def test_generalized_cross_entropy_of_probability_zero():
    """Found with keras 3.15.1: gradient (-inf, NaN) at p = 0; here that of the line that continues p^q below 1e-7."""
    loss = kl.CategoricalGeneralizedCrossEntropy(q=0.5)
    value, slope = value_and_gradient(lambda t: loss(np.array([0]), t), np.array([[0.0, 1.0]], "float32"))
    close(value, 1 / 0.5)
    close(slope, [[-(1e-7**-0.5) / 0.5, 0]])
    logged, step = train(loss, np.array([0]), np.array([[0.0, 1.0]]))
    assert logged == pytest.approx(2)
    close(step, [-(1e-7**-0.5) / 0.5, 0])
    if STOCK:
        stock = keras.losses.CategoricalGeneralizedCrossEntropy(q=0.5)
        slope = gradient(lambda t: stock(np.array([0]), t), np.array([[0.0, 1.0]], "float32"))
        assert not np.isfinite(slope).all()


@pytest.mark.parametrize("ids", [[0, 0], [0, 1], [0]])
def test_circle_without_positives_or_negatives(ids):
    """Found with keras 3.15.1: value and gradient were fine, the second derivative was NaN."""
    x = np.eye(2, dtype="float32")[: len(ids)]
    value, slope = value_and_gradient(lambda t: kl.Circle()(np.array(ids), t), x)
    assert value == 0
    assert (slope == 0).all()
    assert (second_derivative(lambda t: kl.Circle()(np.array(ids), t), x, np.ones_like(x)) == 0).all()


def test_circle_weights_are_constants_of_the_gradient():
    """Found with keras 3.15.1: the paper's self-paced weights carried a gradient there (arXiv:2002.10857, after eq. 6)."""
    x = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], "float32")
    ids, gamma, margin = np.array([0, 0, 1]), 2.0, 0.4
    s = x @ x.T
    paced_p, paced_n = 1 + margin - s, s + margin

    def by_hand(t):
        s = t @ ops.transpose(t)
        total = 0
        for i, j, k in ((0, 1, 2), (1, 0, 2)):
            pull = -gamma * float(paced_p[i, j]) * (s[i, j] - (1 - margin))
            push = gamma * float(paced_n[i, k]) * (s[i, k] - margin)
            total = total + kl.math.softplus(pull + push)
        return total / 2

    loss = kl.Circle(gamma=gamma, margin=margin)
    expected = value_and_gradient(by_hand, x)
    for actual, wanted in zip(value_and_gradient(lambda t: loss(ids, t), x), expected, strict=True):
        close(actual, wanted)


SECOND = {
    "cosine_at_zero": (lambda t: kl.CosineSimilarity()(np.array([[1.0, 0.0]], "float32"), t), [[0.0, 0.0]]),
    "cosine": (lambda t: kl.CosineSimilarity()(np.array([[1.0, 0.0]], "float32"), t), [[0.5, 0.25]]),
    "circle_with_a_lonely_sample": (
        lambda t: kl.Circle(gamma=2.0)(np.array([0, 0, 1]), t),
        [[1.0, 0.0], [0.8, 0.6], [0.1, 0.9]],
    ),
    "focal_at_a_perfect_prediction": (
        lambda t: kl.BinaryFocalCrossentropy(gamma=1.5)(np.array([[1.0]], "float32"), t),
        [[1.0]],
    ),
    "ctc": (lambda t: kl.CTC()(np.array([[1, 2]]), t), [[[0.1, 0.2, -0.3], [0.5, -0.1, 0.4], [0.0, 0.3, 0.2]]]),
}


@pytest.mark.parametrize("name", sorted(SECOND))
def test_second_derivatives(name):
    """Found with keras 3.15.1: NaN, or not implemented; here finite, and that of the first derivatives where smooth."""
    function, x = SECOND[name]
    x = np.array(x, "float32")
    v = np.linspace(-1, 1, x.size, dtype="float32").reshape(x.shape) if x.size > 1 else np.ones_like(x)
    second = second_derivative(function, x, v)
    assert np.isfinite(second).all()
    if name in ("cosine", "ctc"):  # the weights of Circle are constants, which differences do not know
        step = 1e-2
        difference = (gradient(function, x + step * v) - gradient(function, x - step * v)) / (2 * step)
        np.testing.assert_allclose(second, difference, rtol=2e-2, atol=2e-3)


def test_ties_have_gradient_zero_on_every_backend():
    """Found with keras 3.15.1: |e| at 0 had gradient -1 on one backend, a tie of the hinge three different ones."""
    assert gradient(lambda t: kl.MeanAbsoluteError()(column(1), t), column(1)) == 0
    assert gradient(lambda t: kl.Hinge()(column(1), t), column(1)) == 0
    assert gradient(lambda t: kl.MeanAbsolutePercentageError()(column(1), t), column(1)) == 0


def test_logits_of_any_size():
    """No defect of Keras; kept: cross-entropy from logits at 1e4, and at 3e4 in half precision."""
    for size, dtype in ((1e4, "float32"), (3e4, "float16"), (3e4, "bfloat16")):
        z = ops.cast(np.array([[-size, size]], "float32"), dtype)
        exact = number(z)[0]
        close(kl.BinaryCrossentropy(from_logits=True)(np.array([[1.0, 1.0]], "float32"), z), -exact[0] / 2)
        close(kl.CategoricalCrossentropy(from_logits=True)(np.array([[1.0, 0.0]], "float32"), z), exact[1] - exact[0])
        close(kl.SparseCategoricalCrossentropy(from_logits=True)(np.array([0]), z), exact[1] - exact[0])


class RootMeanSquared(kl.Loss):
    def call(self, y_true, y_pred):
        return kl.math.safe_sqrt(ops.mean(ops.square(y_pred - y_true), axis=-1))


class StockRootMeanSquared(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.sqrt(ops.mean(ops.square(y_pred - y_true), axis=-1))


def test_primitives_for_losses_of_ones_own():
    """SO 48951109, ddrv.cn, qa.1r1g: root, logarithm, norm and quotient have gradient 0 where they are not defined."""
    y = np.ones((2, 2), "float32")
    value, slope = value_and_gradient(lambda t: RootMeanSquared()(y, t), y)
    assert value == 0
    assert (slope == 0).all()
    assert train(RootMeanSquared(), y, y)[0] == 0
    if STOCK:
        assert np.isnan(gradient(lambda t: StockRootMeanSquared()(y, t), y)).all()
    zero = np.zeros((1, 3), "float32")
    for function in (
        kl.math.safe_sqrt,
        kl.math.safe_log,
        kl.math.safe_norm,
        kl.math.normalize,
        lambda t: kl.math.safe_divide(t, t),
        lambda t: kl.math.xlogy(t, t),
        lambda t: kl.math.safe_norm(t - ops.mean(t)),
    ):
        value, slope = value_and_gradient(function, zero)
        assert np.isfinite(value).all()
        assert (slope == 0).all()


def test_circle_counts_an_anchor_that_costs_nothing():
    """Found with keras 3.15.1: an anchor whose value had rounded to 0 fell out of the mean, which rose as the others fell."""
    x = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], "float32")
    ids = np.array([0, 0, 1, 1])
    values = number(kl.Circle(gamma=1000.0, reduction="none")(ids, x))
    assert (values[:2] == 0).all()
    close(kl.Circle(gamma=1000.0)(ids, x), values.sum() / 4)
    if STOCK:
        close(keras.losses.Circle(gamma=1000.0)(ids, x), values.sum() / 2)
