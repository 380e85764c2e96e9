"""Cross-entropy of a linear layer: against the full logits and a reference in loops, on all paths; in a layer; its errors."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient

B, T, D, V = 3, 5, 4, 11
RNG = np.random.default_rng(0)
IDS = RNG.integers(0, V, (B, T))
WEIGHTS = RNG.uniform(0.1, 2.0, (B, T))
CLASS_WEIGHT = tuple(RNG.uniform(0.5, 2.0, V))
# Hidden states, kernel and bias in one array, so that one gradient is that of all.
SIZES = (B * T * D, D * V, V)
PACKED = RNG.normal(size=sum(SIZES))

CONFIGS = {
    "plain": {},
    "ignore": {"ignore_class": int(IDS[0, 0])},
    "smoothing": {"label_smoothing": 0.1},
    "class-weight": {"class_weight": CLASS_WEIGHT, "label_smoothing": 0.3},
    "class-weight-dict": {"class_weight": {2: 3.0}},
    "z-loss": {"z_loss": 0.1},
    "soft-cap": {"soft_cap": 1.5, "label_smoothing": 0.1, "z_loss": 0.01},
}


def unpack(packed):
    hidden, kernel, bias = (packed[sum(SIZES[:i]) : sum(SIZES[: i + 1])] for i in range(3))
    return ops.reshape(hidden, (B, T, D)), ops.reshape(kernel, (D, V)), bias


def reference(packed, sample_weight=None, ignore_class=None, class_weight=None, label_smoothing=0.0, z_loss=0.0, soft_cap=None):
    """Value and weight of each token, in loops, from the definition."""
    hidden, kernel, bias = (np.asarray(packed)[sum(SIZES[:i]) : sum(SIZES[: i + 1])] for i in range(3))
    hidden, kernel = hidden.reshape(B, T, D), kernel.reshape(D, V)
    if isinstance(class_weight, dict):
        class_weight = [class_weight.get(c, 1.0) for c in range(V)]
    values, weights = np.zeros((B, T)), np.zeros((B, T))
    for i in range(B):
        for j in range(T):
            if IDS[i, j] == ignore_class:
                continue
            z = [sum(hidden[i, j, d] * kernel[d, c] for d in range(D)) + bias[c] for c in range(V)]
            if soft_cap is not None:
                z = [soft_cap * np.tanh(x / soft_cap) for x in z]
            normalizer = np.log(sum(np.exp(x) for x in z))
            for c in range(V):
                target = (1 - label_smoothing) * (c == IDS[i, j]) + label_smoothing / V
                values[i, j] += target * (1.0 if class_weight is None else class_weight[c]) * (normalizer - z[c])
            values[i, j] += z_loss * normalizer**2
            weights[i, j] = 1.0 if sample_weight is None else sample_weight[i, j]
    return values, weights


def reduced(values, weights, reduction, ignore_class=None):
    counted = (ignore_class != IDS).sum() if ignore_class is not None else B * T
    total = (values * weights).sum()
    by = {"none": None, "sum": 1, "sum_over_batch_size": counted, "mean_with_sample_weight": weights.sum()}[reduction]
    return values * weights if by is None else total / by


@pytest.mark.parametrize("reduction", ["none", "sum", "sum_over_batch_size", "mean_with_sample_weight"])
@pytest.mark.parametrize("path", ["forward", "recompute", "transposed", "one-block"])
@pytest.mark.parametrize("config", CONFIGS)
def test_against_the_definition(config, path, reduction):
    """Values to 1e-10, and the gradient of everything as the slope of the reference in random directions."""
    config = CONFIGS[config]

    def ours(packed):
        hidden, kernel, bias = unpack(packed)
        return kl.linear_cross_entropy(
            *(IDS, hidden, ops.transpose(kernel) if path == "transposed" else kernel, bias),
            transposed=path == "transposed",
            sample_weight=WEIGHTS,
            recompute=path == "recompute",
            block_size=100 if path == "one-block" else 4,
            reduction=reduction,
            dtype="float64",
            **config,
        )

    def expected(packed):
        return reduced(*reference(packed, WEIGHTS, **config), reduction, config.get("ignore_class"))

    cotangent = np.cos(np.arange(B * T)).reshape(B, T) if reduction == "none" else np.ones(())
    value, slope = value_and_gradient(ours, PACKED, "float64", cotangent)
    np.testing.assert_allclose(value, expected(PACKED), rtol=1e-10, atol=1e-12)
    rng, step = np.random.default_rng(1), 1e-6
    for _ in range(3):
        direction = rng.normal(size=PACKED.shape)
        up, down = (np.sum(expected(PACKED + s * step * direction) * cotangent) for s in (1, -1))
        np.testing.assert_allclose(np.sum(slope * direction), (up - down) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("recompute", [False, True])
def test_accuracy_in_the_same_sweep(recompute):
    hidden, kernel, bias = unpack(ops.convert_to_tensor(PACKED, dtype="float32"))
    right = ops.convert_to_numpy(ops.argmax(hidden @ kernel + bias, axis=-1)) == IDS
    _, accuracy = kl.linear_cross_entropy(
        *(IDS, hidden, kernel, bias),
        sample_weight=WEIGHTS,
        recompute=recompute,
        with_accuracy=True,
        reduction="sum",
        block_size=4,
    )
    assert float(accuracy) == pytest.approx((right * WEIGHTS).sum() / WEIGHTS.sum(), rel=1e-6)


@pytest.mark.parametrize("recompute", [False, True])
def test_what_does_not_count(recompute):
    """Masked tokens, weights 0 and ignored labels: no value, no gradient, even of NaN."""
    mask = np.ones((B, T), bool)
    mask[1, 2:] = False
    hidden, kernel, _ = unpack(ops.convert_to_tensor(PACKED, dtype="float32"))
    hidden, kernel = ops.convert_to_numpy(hidden), ops.convert_to_numpy(kernel)
    spoilt = np.where(mask[..., None], hidden, np.nan)

    def loss(h, **given):
        return kl.linear_cross_entropy(IDS, h, kernel, recompute=recompute, reduction="mean", block_size=4, **given)

    kept = kl.linear_cross_entropy(IDS[mask], hidden[mask], kernel, reduction="mean")
    for given in ({"mask": mask}, {"mask": mask, "sample_weight": np.ones((B, 1))}):
        value, slope = value_and_gradient(lambda h, given=given: loss(h, **given), spoilt)
        assert float(value) == pytest.approx(float(kept), rel=1e-5)
        assert (slope[~mask] == 0).all()
        assert np.isfinite(slope).all()
    nothing, slope = value_and_gradient(lambda h: loss(h, mask=np.zeros((B, T), bool)), hidden)
    assert float(nothing) == 0
    assert (slope == 0).all()


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_a_label_out_of_range_is_nan(recompute, reduction):
    labels = IDS.copy()
    labels[1, 1], labels[2, 2] = V, -1
    hidden, kernel, _ = unpack(ops.convert_to_tensor(PACKED, dtype="float32"))

    def loss(h, y=labels, **given):
        return kl.linear_cross_entropy(y, h, kernel, recompute=recompute, reduction=reduction, block_size=4, **given)

    value, slope = value_and_gradient(loss, ops.convert_to_numpy(hidden))
    wrong = (labels < 0) | (labels >= V)
    assert np.isnan(value[wrong] if reduction == "none" else value).all()
    assert (slope[wrong] == 0).all()
    assert np.isfinite(slope).all()
    weights = np.where(wrong, 0.0, 1.0)  # a label that does not count is not looked at
    assert np.isfinite(ops.convert_to_numpy(loss(hidden, sample_weight=weights))).all()


def test_half_precision_inputs_are_summed_in_float32():
    """Values and gradients of bfloat16 states and kernel are those of the same numbers in float32."""
    hidden, kernel, bias = unpack(ops.convert_to_tensor(PACKED, dtype="float32"))
    half = [ops.cast(x, "bfloat16") for x in (hidden, kernel, bias)]
    full = [ops.cast(x, "float32") for x in half]
    value = kl.linear_cross_entropy(IDS, *half, reduction="mean", block_size=4)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    assert float(value) == pytest.approx(float(kl.linear_cross_entropy(IDS, *full, reduction="mean")), rel=1e-6)


@pytest.mark.parametrize("recompute", [False, True])
def test_half_precision_gradients(recompute):
    """They come back in the dtype of the input, as close as it can say."""
    hidden, kernel, _ = unpack(ops.convert_to_tensor(PACKED, dtype="float32"))
    hidden, kernel = ops.convert_to_numpy(hidden), ops.cast(kernel, "bfloat16")

    def loss(h, k):
        return kl.linear_cross_entropy(IDS, h, k, reduction="sum", block_size=4, recompute=recompute)

    half = value_and_gradient(lambda h: loss(ops.cast(h, "bfloat16"), kernel), hidden)[1]
    full = value_and_gradient(
        lambda h: loss(ops.cast(ops.cast(h, "bfloat16"), "float32"), ops.cast(kernel, "float32")), hidden
    )[1]
    np.testing.assert_allclose(half, full, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("logit", [1e4, -1e4])
def test_large_logits(logit):
    """The label's logit is the only one that is not 0: the loss is log(V - 1) less it, or 0."""
    hidden, kernel = np.ones((2, 1)), np.zeros((1, V))
    kernel[0, 3] = logit
    value, slope = value_and_gradient(lambda h: kl.linear_cross_entropy([3, 3], h, kernel, reduction="sum"), hidden)
    assert float(value) == pytest.approx(0 if logit > 0 else 2 * (np.log(V - 1) - logit), rel=1e-6)
    np.testing.assert_allclose(slope, 0 if logit > 0 else -logit, rtol=1e-6)


def test_second_derivatives_are_refused_or_right():
    if keras.backend.backend() != "torch":
        pytest.skip("a gradient of a gradient in eager code is one line on torch alone; the guard is the same everywhere")
    import torch

    x = torch.tensor(PACKED, requires_grad=True)
    hidden, kernel, bias = unpack(x)
    for recompute in (False, True):
        value = kl.linear_cross_entropy(IDS, hidden, kernel, bias, reduction="sum", recompute=recompute, dtype="float64")
        (slope,) = torch.autograd.grad(value, x, create_graph=True)
        if not recompute:
            with pytest.raises(NotImplementedError, match="recompute"):
                torch.autograd.grad(slope[0], x)
            continue
        (second,) = torch.autograd.grad(slope[0], x)
        assert float(second.abs().max()) > 0


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"kernel": np.ones((V, D))}, r"\(features, classes\)"),
        ({"transposed": True}, r"\(classes, features\)"),
        ({"bias": np.ones(D)}, "bias"),
        ({"block_size": 0}, "block_size"),
        ({"label_smoothing": 2.0}, "label_smoothing"),
        ({"soft_cap": 0.0}, "soft_cap"),
        ({"class_weight": (1.0, 2.0)}, "2 numbers for 11 classes"),
        ({"y_true": IDS[:, :2]}, "y_true"),
    ],
)
def test_errors(given, text):
    arguments = {"y_true": IDS, "hidden": np.ones((B, T, D)), "kernel": np.ones((D, V)), "bias": None} | given
    with pytest.raises(ValueError, match=text):
        kl.linear_cross_entropy(**arguments)


# -- the layer --------------------------------------------------------------------------------------------------------------


def models(projection, units=8, **given):
    """A model that trains, with the head in it, and one that predicts."""
    tokens, following = keras.Input((T,), dtype="int32"), keras.Input((T,), dtype="int32")
    embed = keras.layers.Embedding(V, units)
    head = kl.layers.LinearCrossEntropy(embed if projection == "tied" else projection, name="head", **given)
    hidden = keras.layers.Dense(units)(embed(tokens))
    return keras.Model([tokens, following], head(hidden, following)), keras.Model(tokens, head(hidden))


@pytest.mark.parametrize(("projection", "eager"), [("tied", False), ("dense", False), ("tied", True), ("dense", True)])
def test_layer_trains_as_the_full_model_does(projection, eager):
    """The same weights after training as with logits and SparseCategoricalCrossentropy; and what it logs."""
    keras.utils.set_random_seed(0)
    training, predicting = models("tied" if projection == "tied" else keras.layers.Dense(V), block_size=4)
    x, following = RNG.integers(0, V, (6, T)), RNG.integers(0, V, (6, T))
    start = predicting.get_weights()
    training.compile(keras.optimizers.SGD(0.1), run_eagerly=eager)
    logs = training.fit([x, following], batch_size=3, epochs=2, shuffle=False, verbose=0).history
    assert set(logs) == {"loss", "head", "head_accuracy"}
    trained = [ops.convert_to_numpy(v) for v in predicting.trainable_variables]
    evaluated = training.evaluate([x, following], batch_size=3, verbose=0, return_dict=True)
    right = predicting.predict(x, verbose=0).argmax(-1) == following
    assert evaluated["head_accuracy"] == pytest.approx(right.mean(), abs=1e-6)

    predicting.set_weights(start)
    predicting.compile(keras.optimizers.SGD(0.1), kl.SparseCategoricalCrossentropy(from_logits=True))
    full = predicting.fit(x, following, batch_size=3, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(logs["loss"], full["loss"], rtol=1e-4)
    for ours, theirs in zip(trained, predicting.trainable_variables, strict=True):
        np.testing.assert_allclose(ours, ops.convert_to_numpy(theirs), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_kernel_and_bias_may_be_variables(reduction):
    dense = keras.layers.Dense(V)
    hidden, labels = RNG.normal(size=(5, 4)).astype("float32"), RNG.integers(0, V, 5)
    full = kl.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)(labels, dense(hidden))
    ours = kl.linear_cross_entropy(labels, hidden, dense.kernel, dense.bias, reduction=reduction)
    np.testing.assert_allclose(ops.convert_to_numpy(ours), ops.convert_to_numpy(full), rtol=1e-5)


def test_layer_saves(tmp_path):
    training, predicting = models(keras.layers.Dense(V, name="words"), soft_cap=3.0, ignore_class=2)
    x = RNG.integers(0, V, (2, T))
    predicting.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), predicting.predict(x, verbose=0), rtol=1e-5)
    assert again.get_layer("head").loss.soft_cap == 3.0
    assert again.get_layer("head").loss.ignore_class == 2
    assert training.output_shape == (None, T, 8)
    assert predicting.output_shape == (None, T, V)


def test_a_tie_that_a_file_does_not_keep_is_told(tmp_path):
    models("tied")[1].save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="tied"):
        keras.saving.load_model(tmp_path / "model.keras")


@pytest.mark.parametrize(
    "projection", [keras.layers.Dense(3, activation="softmax"), keras.layers.Conv1D(3, 1), "Dense", None], ids=str
)
def test_layer_refuses(projection):
    with pytest.raises(ValueError, match="projection"):
        kl.layers.LinearCrossEntropy(projection)


def test_layer_refuses_configs():
    config = kl.layers.LinearCrossEntropy(keras.layers.Dense(3)).get_config()
    for wrong in ({"projection": None}, {"projection": {"class_name": "Lambda"}}, {"unknown": 1}, {"loss": None}):
        with pytest.raises((ValueError, TypeError)):
            kl.layers.LinearCrossEntropy.from_config({**config, **wrong})
