"""What a ratio may be at most, and why a loss that is above it is so: for the page."""

from __future__ import annotations

#: `{mode: {peer: ratio}}`.
LIMITS = {
    "jit": {"native": 1.2, "keras": 1.1},
    "xla": {"native": 1.2, "keras": 1.1},
    "eager": {"native": 2.5, "keras": 1.1},
    "compile": {"native": 1.3, "keras": 1.1},
}

#: `{loss: what was tried, and where the time goes}`; with a mode after it, of that mode alone.
REMARKS: dict[str, str] = {
    "Huber, eager": (
        "The native function is one kernel each way. Ours is a clip, three products and a mean, and a clip and a product back, "
        "with a stated gradient: of the 43 ms of derived operations a third. `keras.ops` has no fused form."
    ),
    "BinaryCrossentropy-logits, eager": (
        "The native function, which Keras calls, is one kernel each way. It takes `z - log sigmoid(z)` for label 0: below -17 "
        "nothing is left of the value in float32. The exact form needs ten operations, one exponential among them."
    ),
    "LogCosh": (
        "`x + softplus(-2 x) - log 2`, which the others take, cancels near 0: at 1e-3 one digit of the value is left. Ours is "
        "exact there: a hyperbolic sine and a logarithm forth, a hyperbolic tangent back."
    ),
    "CosineSimilarity, xla": (
        "Vectors of any finite length are right since they are divided by their largest entry first. XLA as TensorFlow builds "
        "it sums products of two scaled vectors number by number, 40 of 49 ms; with one of the two scaled, or none, it takes "
        "11 ms in all. Other scales (sum, root of squares, products with the inverse) and other orders take as long."
    ),
    "MeanSquaredLogarithmicError": (
        "`log1p` keeps the digits of small numbers; Keras takes `log(x + 1)`, which loses them, and is cheaper."
    ),
    "Dice": "Keras sums over the batch as well: one loss for all samples, not one a sample, and fewer sums.",
    "Poisson, eager": "A negative rate is NaN with gradient 0, which takes two choices (`where`); Keras has a gradient there.",
    "MeanAbsolutePercentageError": (
        "The kinks of `|x|` have slope 0 on every backend, where Keras's differ; each of the two costs a choice (`where`)."
    ),
    "MeanAbsoluteError": "The kink of `|x|` has slope 0 on every backend; on JAX that costs a choice: Keras's slope is 1.",
    "BinaryCrossentropy": "The gradient is alive below 1e-7, where Keras's is 0: the bound is no clip.",
}


def remark(loss: str, mode: str) -> str:
    """Why a loss is above the limit of a mode, if that is known."""
    return REMARKS.get(f"{loss}, {mode}") or REMARKS.get(loss, "")
