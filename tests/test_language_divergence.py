"""The divergence of two linear layers: against a reference in loops, on all paths; what does not count; errors."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.language.divergence import ProjectedKLDivergence
from keras_losses.testing import compiled, value_and_gradient

B, T, E, D, V = 2, 5, 3, 4, 7
RNG = np.random.default_rng(0)
TEACHER = RNG.normal(size=(B, T, E)), RNG.normal(size=(E, V)), RNG.normal(size=V)
WEIGHTS = RNG.uniform(0.1, 2.0, (B, T))
SIZES = (B * T * D, D * V, V)
PACKED = RNG.normal(size=sum(SIZES))

CONFIGS = {
    "plain": {},
    "warm": {"temperature": 3.0},
    "reverse": {"reverse": True, "temperature": 0.7},
    "capped": {"soft_cap": 1.5, "teacher_soft_cap": 2.0, "temperature": 2.0},
    "reverse-capped": {"soft_cap": 1.5, "reverse": True},
}


def unpack(packed):
    hidden, kernel, bias = (packed[sum(SIZES[:i]) : sum(SIZES[: i + 1])] for i in range(3))
    return ops.reshape(hidden, (B, T, D)), ops.reshape(kernel, (D, V)), bias


def log_softmax(hidden, kernel, bias, cap, temperature):
    """Of one token, in loops, from the definition."""
    z = [sum(hidden[d] * kernel[d, c] for d in range(len(hidden))) + bias[c] for c in range(V)]
    z = [x / temperature if cap is None else cap * np.tanh(x / cap) / temperature for x in z]
    normalizer = np.log(sum(np.exp(x) for x in z))
    return [x - normalizer for x in z]


def reference(packed, temperature=1.0, reverse=False, soft_cap=None, teacher_soft_cap=None):
    hidden, kernel, bias = (np.asarray(packed)[sum(SIZES[:i]) : sum(SIZES[: i + 1])] for i in range(3))
    hidden, kernel, values = hidden.reshape(B, T, D), kernel.reshape(D, V), np.zeros((B, T))
    for i in range(B):
        for j in range(T):
            p = log_softmax(hidden[i, j], kernel, bias, soft_cap, temperature)
            q = log_softmax(TEACHER[0][i, j], TEACHER[1], TEACHER[2], teacher_soft_cap, temperature)
            a, b = (p, q) if reverse else (q, p)
            values[i, j] = temperature**2 * sum(np.exp(a[c]) * (a[c] - b[c]) for c in range(V))
    return values


def reduced(values, reduction):
    total = (values * WEIGHTS).sum()
    by = {"none": None, "sum": 1, "sum_over_batch_size": B * T, "mean_with_sample_weight": WEIGHTS.sum()}[reduction]
    return values * WEIGHTS if by is None else total / by


@pytest.mark.parametrize("reduction", ["none", "sum", "sum_over_batch_size", "mean_with_sample_weight"])
@pytest.mark.parametrize("path", ["forward", "recompute", "transposed", "one-block"])
@pytest.mark.parametrize("config", CONFIGS)
def test_against_the_definition(config, path, reduction):
    """Values to 1e-10, and the gradient of everything as the slope of the reference in random directions."""
    config, turned = CONFIGS[config], path == "transposed"

    def ours(packed):
        hidden, kernel, bias = unpack(packed)
        return kl.linear_kl_divergence(
            *(TEACHER[0], hidden, TEACHER[1].T if turned else TEACHER[1], ops.transpose(kernel) if turned else kernel),
            *(TEACHER[2], bias),
            teacher_transposed=turned,
            transposed=turned,
            sample_weight=WEIGHTS,
            recompute=path == "recompute",
            block_size=100 if path == "one-block" else 3,
            reduction=reduction,
            dtype="float64",
            **config,
        )

    cotangent = np.cos(np.arange(B * T)).reshape(B, T) if reduction == "none" else np.ones(())
    value, slope = value_and_gradient(ours, PACKED, "float64", cotangent)
    np.testing.assert_allclose(value, reduced(reference(PACKED, **config), reduction), rtol=1e-10, atol=1e-12)
    rng, step = np.random.default_rng(1), 1e-6
    for _ in range(3):
        direction = rng.normal(size=PACKED.shape)
        up, down = (np.sum(reduced(reference(PACKED + s * step * direction, **config), reduction) * cotangent) for s in (1, -1))
        np.testing.assert_allclose(np.sum(slope * direction), (up - down) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("reverse", [False, True])
def test_compiled(reverse, reduction):
    """As single operations give it, with an unknown batch too; PyTorch's compiler does not take gradients formed ahead."""
    teacher, theirs, student, kernel = (
        ops.convert_to_tensor(RNG.normal(size=size), dtype="float32") for size in ((6, E), (E, V), (6, D), (D, V))
    )

    recompute = keras.backend.backend() == "torch"
    record = ProjectedKLDivergence(reverse=reverse, reduction=reduction, block_size=4, recompute=recompute)

    def loss(t, h):
        return record.of((t, theirs, None, False), (h, kernel, None, False), None, None)[0]

    got = compiled(loss)(teacher, student)
    np.testing.assert_allclose(ops.convert_to_numpy(got), ops.convert_to_numpy(loss(teacher, student)), rtol=1e-5)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_no_gradient_reaches_the_teacher(reduction):
    hidden, kernel, _ = unpack(ops.convert_to_tensor(PACKED, dtype="float32"))

    def loss(teacher):
        return kl.linear_kl_divergence(teacher, hidden, TEACHER[1], kernel, reduction=reduction)

    assert (value_and_gradient(loss, TEACHER[0])[1] == 0).all()


@pytest.mark.parametrize("recompute", [False, True])
def test_what_does_not_count(recompute):
    """Masked tokens and weights 0: no value, no gradient, even of NaN; and the share of tokens on which both agree."""
    mask = np.ones((B, T), bool)
    mask[1, 2:] = False
    hidden, kernel, bias = (ops.convert_to_numpy(x) for x in unpack(ops.convert_to_tensor(PACKED, dtype="float32")))
    spoilt, teacher = (np.where(mask[..., None], x, np.nan) for x in (hidden, TEACHER[0]))

    def loss(h, **given):
        return kl.linear_kl_divergence(
            *(teacher, h, TEACHER[1], kernel, TEACHER[2], bias),
            recompute=recompute,
            reduction="mean",
            block_size=3,
            with_agreement=True,
            **given,
        )

    kept = reference(PACKED)[mask].mean()
    agreed = ((TEACHER[0] @ TEACHER[1] + TEACHER[2]).argmax(-1) == (hidden @ kernel + bias).argmax(-1))[mask].mean()
    for given in ({"mask": mask}, {"mask": mask, "sample_weight": np.ones((B, 1))}):
        value, slope = value_and_gradient(lambda h, given=given: loss(h, **given)[0], spoilt)
        assert float(value) == pytest.approx(kept, rel=1e-5)
        assert (slope[~mask] == 0).all()
        assert np.isfinite(slope).all()
        assert float(loss(spoilt, **given)[1]) == pytest.approx(agreed, rel=1e-6)
    nothing, slope = value_and_gradient(lambda h: loss(h, mask=np.zeros((B, T), bool))[0], hidden)
    assert float(nothing) == 0
    assert (slope == 0).all()


@pytest.mark.parametrize("reverse", [False, True])
def test_large_logits_and_classes_without_probability(reverse):
    """Teacher and student sure of different classes, of which the third is in neither: the logits' difference."""
    teacher, student = (np.array([z]) for z in ([1e4, 0.0, 0.0], [0.0, 1e4, 0.0]))
    bias = np.array([0.0, 0.0, -np.inf])

    def loss(h):
        return kl.linear_kl_divergence(teacher, h, np.eye(3), np.eye(3), bias, bias, reverse=reverse, reduction="sum")

    value, slope = value_and_gradient(loss, student)
    assert float(value) == pytest.approx(1e4, rel=1e-6)
    np.testing.assert_allclose(slope, [[0, 0, 0] if reverse else [-1, 1, 0]], atol=1e-6)


def test_half_precision_inputs_are_summed_in_float32():
    hidden, kernel, _ = unpack(ops.convert_to_tensor(PACKED, dtype="float32"))
    half = [ops.cast(x, "bfloat16") for x in (TEACHER[0], hidden, TEACHER[1], kernel)]
    value = kl.linear_kl_divergence(*half, reduction="mean", block_size=4)
    full = kl.linear_kl_divergence(*(ops.cast(x, "float32") for x in half), reduction="mean")
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    assert float(value) == pytest.approx(float(full), rel=1e-6)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"kernel": np.ones((V, D))}, r"`kernel` must have shape \(features, classes\)"),
        ({"teacher_kernel": np.ones((V, E))}, r"`teacher_kernel` must have shape \(features, classes\)"),
        ({"teacher_transposed": True}, r"\(classes, features\)"),
        ({"kernel": np.ones((D, V + 1))}, "8 classes, `teacher_kernel` 7"),
        ({"bias": np.ones(D)}, "`bias`"),
        ({"teacher_bias": np.ones(D)}, "`teacher_bias`"),
        ({"temperature": 0.0}, "temperature"),
        ({"block_size": 0}, "block_size"),
        ({"soft_cap": 0.0}, "soft_cap"),
        ({"hidden": np.ones((B, T + 1, D))}, "linear_kl_divergence"),
    ],
)
def test_errors(given, text):
    arguments = {
        "teacher_hidden": TEACHER[0],
        "hidden": np.ones((B, T, D)),
        "teacher_kernel": TEACHER[1],
        "kernel": np.ones((D, V)),
    }
    with pytest.raises(ValueError, match=text):
        kl.linear_kl_divergence(**arguments | given)
