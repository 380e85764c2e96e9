"""float16 and bfloat16 inputs, results and models."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient
from tests.defects._fit import FLOOR, STOCK, close, number

HALF = ["float16", "bfloat16"]


def half(x, dtype):
    return ops.cast(np.asarray(x, "float32"), dtype)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("result", [None, "float16", "bfloat16"])
def test_binary_cross_entropy(dtype, result):
    """keras#377, #15528, #16552, tensorflow#38457, #45568: a perfect prediction costs 0, the worst one -log(1e-7)."""
    loss = kl.BinaryCrossentropy(dtype=result)
    rtol = {None: 1e-5, "float16": 2**-10, "bfloat16": 2**-7}[result]
    for y in (0.0, 1.0):
        value, gradient = value_and_gradient(lambda t, y=y: loss(half([[y]], dtype), t), [[y]], dtype)
        assert float(value) == 0
        assert np.isfinite(gradient.astype("float32")).all()
        close(loss(half([[y]], dtype), half([[1 - y]], dtype)), FLOOR, rtol=rtol)
    if STOCK and keras.backend.backend() != "torch":
        stock = number(keras.losses.binary_crossentropy(half([[1]], dtype), half([[1]], dtype)))
        assert not np.isfinite(stock).all() or dtype == "bfloat16"


@pytest.mark.parametrize("dtype", HALF)
def test_divergence(dtype):
    """keras#377 (family): 1 / 1e-7 overflowed in float16."""
    close(kl.KLDivergence()(half([[1, 0]], dtype), half([[0, 1]], dtype)), FLOOR)
    close(kl.kl_divergence(half([[1, 0]], dtype), half([[0, 1]], dtype)), [FLOOR])


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("cls", [kl.Dice, kl.Tversky])
def test_regions_of_a_whole_image(cls, dtype):
    """keras#16552 (family): the sum over 512 x 512 pixels overflowed in float16."""
    image = half(np.ones((1, 512, 512, 1)), dtype)
    close(cls()(image, image), 0)
    close(cls()(image, image * 0), 1)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("cls", [kl.Dice, kl.Tversky])
def test_gradient_of_an_empty_region(cls, dtype):
    """keras#377 (family): the gradient of an empty mask was NaN; in range of the dtype it is finite."""
    y = np.zeros((1, 4, 1), "float32")
    value, gradient = value_and_gradient(lambda t: cls()(y, t), np.full((1, 4, 1), 0.5), dtype)
    close(value, 1)
    assert np.isfinite(gradient.astype("float32")).all()


@pytest.mark.parametrize("dtype", HALF)
def test_log_cosh(dtype):
    """Found with keras 3.15.1: -4.9e-4 for an error of 0.01 in float16, infinite for -4e4."""
    for error in (0.01, -4e4):
        e = half([[error]], dtype)
        exact = float(number(e)[0, 0])
        expected = np.log(np.cosh(exact)) if abs(exact) < 1 else abs(exact) - np.log(2)
        close(kl.LogCosh()(half([[0]], dtype), e), expected, atol=0, rtol=1e-5)


def probability_model(policy, logit, *head):
    x = keras.Input((1,))
    dense = keras.layers.Dense(2, use_bias=False, dtype=policy, name="dense")
    h = dense(x)
    for layer in head:
        h = layer(h)
    model = keras.Model(x, h)
    dense.set_weights([np.array([[logit, -logit]], "float32")])
    return model


def one_step(model, loss, optimizer=None):
    model.compile(optimizer or keras.optimizers.SGD(1.0), loss=loss)
    before = np.asarray(model.get_layer("dense").get_weights()[0])
    logs = model.train_on_batch(np.ones((1, 1), "float32"), np.array([1]), return_dict=True)
    return float(logs["loss"]), model.get_layer("dense").get_weights()[0] - before


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_softmax_head_of_a_mixed_model(policy):
    """keras#16552 (family): at logit 12 the weight step was (-inf, NaN); here loss and step are finite."""
    model = probability_model(policy, 12, keras.layers.Softmax(dtype=policy))
    loss, step = one_step(model, kl.SparseCategoricalCrossentropy())
    assert 0 < loss <= FLOOR + 1e-4
    assert np.isfinite(step).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_of_a_mixed_model(policy):
    """keras#16552 (family): from logits, loss and step are the exact ones."""
    loss, step = one_step(probability_model(policy, 12), kl.SparseCategoricalCrossentropy(from_logits=True))
    assert loss == pytest.approx(24)
    close(step, [[-1, 1]])


def test_logits_under_a_loss_scale():
    """keras#16552 (family): the scaled optimizer of a mixed_float16 model moves the weights."""
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    loss, step = one_step(probability_model("mixed_float16", 12), kl.SparseCategoricalCrossentropy(from_logits=True), optimizer)
    assert loss == pytest.approx(24)
    close(step, [[-1, 1]])


@pytest.mark.parametrize(
    "given", ["float16", "bfloat16", keras.DTypePolicy("mixed_float16"), keras.DTypePolicy("mixed_bfloat16")]
)
def test_result_has_the_dtype_that_was_asked_for(given):
    """keras#15528 (family): only the result is rounded, the formula is computed in float32."""
    y, p = np.zeros((1, 512), "float32"), np.full((1, 512), 200.0, "float32")
    result = kl.MeanSquaredError(dtype=given)(y, p)
    name = given if isinstance(given, str) else given.compute_dtype
    assert keras.backend.standardize_dtype(result.dtype) == name
    close(result, number(ops.cast(200.0**2, name)))
