"""What a ratio may be at most, what their means aim at, and why a loss that is above is so: for the page."""

from __future__ import annotations

#: `{mode: {peer: ratio}}`.
LIMITS = {
    "jit": {"native": 1.2, "keras": 1.1},
    "xla": {"native": 1.2, "keras": 1.1},
    "eager": {"native": 2.5, "keras": 1.1},
    "compile": {"native": 1.3, "keras": 1.1},
}

#: `{mode: {peer: geometric mean}}` that the losses aim at.
AIMS = {
    "jit": {"native": 1.0, "third": 0.8, "keras": 0.9},
    "xla": {"native": 1.0, "third": 0.8, "keras": 1.0},
    "eager": {"native": 1.5, "third": 0.8, "keras": 0.5},
    "compile": {"native": 1.0, "third": 0.6, "keras": 0.6},
}
SMALL_AIMS = {"eager": {"keras": 1.0}}

#: What Keras gets wrong or defines otherwise, each a row of docs/differences-from-keras.md: shown, not counted.
KERAS_DIFFERS: dict[str, str] = {
    "BinaryCrossentropy": "The gradient is alive below 1e-7, where Keras's is 0: the bound is no clip.",
    "BinaryCrossentropy-logits": (
        "Keras calls the native function, one kernel each way. It takes `z - log sigmoid(z)` for label 0: below -17 nothing "
        "is left of the value in float32. The exact form takes seven operations forth, a logarithm of a sigmoid among them, "
        "and back, where the slope of a right label is exact too, two sigmoids and five products and sums."
    ),
    "BinaryFocalCrossentropy-logits": "Keras takes the sigmoid first: at logit -30 its gradient is 0.",
    "CategoricalFocalCrossentropy-logits": "Keras takes the softmax first and clips it: below 1e-7 its gradient is 0.",
    "Dice": "Keras sums over the batch as well: one loss for all samples, not one a sample, and fewer sums.",
    "Tversky": "Keras sums over the batch as well, as in Dice.",
    "KLDivergence": "Keras clips targets and predictions: its gradient is 0 below 1e-7, and targets above 1 count as 1.",
    "LogCosh": (
        "`x + softplus(-2 x) - log 2`, which the others take, cancels near 0: at 1e-3 one digit of the value is left. Ours is "
        "exact there: an exponential, a quotient and a logarithm forth, a hyperbolic tangent back. `log1p(expm1(-2 |x|) / 2) "
        "+ |x|`, a third cheaper, cancels as well."
    ),
    "MeanAbsoluteError": "The kink of `|x|` has slope 0 on every backend; on JAX that costs a choice: Keras's slope is 1.",
    "MeanAbsolutePercentageError": "The kink of `|x|` has slope 0 on every backend, where Keras's differ.",
    "MeanSquaredLogarithmicError": (
        "`log1p` keeps the digits of small numbers, and a prediction below 0 its gradient; Keras takes `log(x + 1)`, which "
        "loses them, and is cheaper."
    ),
    "Poisson": "A negative rate is NaN with gradient 0, which takes two choices (`where`); Keras has a gradient there.",
}

#: `{loss: what was tried, and where the time goes}`; with a mode after it, of that mode alone.
REMARKS: dict[str, str] = {
    "Dice": (
        "What only target or prediction has is summed, place by place: the difference of sums, which the others take, is "
        f"rounding where the prediction is nearly perfect. Two arrays more. {KERAS_DIFFERS['Dice']}"
    ),
    "Huber, eager": (
        "The native function is one kernel each way. Ours is a clip, three products and a mean, and a clip and a product back, "
        "with a stated gradient: a quarter of the 39 ms of derived operations. `keras.ops` has no fused form."
    ),
    "Huber, compile": (
        "The error is kept for the gradient, where the native function computes it again. The choice by `where`, derived, "
        "saves a sixth of it here, and takes four times as long if not compiled, which a loss cannot know."
    ),
    "ListMLE": (
        "Items of one relevance share their steps (Efron), so that the order of the input does not matter, and sums of "
        "exponentials stay in log space: five doubling steps forth and back, where the others sum exponentials as they are, "
        "in the order in which tied items come. A third of the time is the sort, which is the same."
    ),
    "CosineSimilarity": (
        "Vectors of any finite length are right since they are divided by their largest entry first, which is found in a pass "
        "of its own. Other scales (sum, root of squares, products with the inverse) and other orders take as long."
    ),
}


#: Losses that may be above a limit, and count in a mean for what they are, since `keras.ops` cannot do better: their reasons
#: are those of `remark`.
EXCEPTED = ("CosineSimilarity", "Dice", "Huber", "ListMLE", "LogCosh")

#: `{(mode, peer): why a mean is above its aim}`.
MEANS: dict[tuple[str, str], str] = {
    ("xla", "third"): "Of ListMLE, one of the five losses of lists that a package for Keras has.",
}


def remark(loss: str, mode: str) -> str:
    """Why a loss is above the limit of a mode, if that is known."""
    return REMARKS.get(f"{loss}, {mode}") or REMARKS.get(loss) or KERAS_DIFFERS.get(loss, "")
