"""Half precision and cancellation in float32."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks.edges import edges
from keras_losses.testing.checks.registry import check

# What a formula of a few operations, computed in that precision, may be off by.
_ROUNDING = {"float16": 2e-2, "bfloat16": 1e-1}
_FIX = (
    "y_pred = ops.cast(y_pred, 'float32')  # first line of the loss; keras_losses.Loss does it\n"
    "y_true = ops.cast(y_true, 'float32')"
)


@check("half-not-finite", "half-inaccurate")
def half_precision_is_near(s):
    """In half precision value and gradient are finite wherever those of float32 are, and near them."""
    told = set()
    at_edges = [(name, *rest) for name, *rest in edges(s) if name != "value-not-finite"]
    batches = [("", "an ordinary batch", *s.batch()), *_wide(s), *at_edges]
    for dtype in ("float16", "bfloat16"):
        for name, what, y_true, y_pred in batches:
            single, slope = s.slopes(y_true, y_pred)
            if not np.isfinite(single).all() or not np.isfinite(slope).all():
                continue  # told by another check
            value, seen = s.half(y_true, y_pred, dtype)
            scale = np.abs(single).max()
            finite = np.isfinite(value).all() and np.isfinite(seen).all()
            if not finite and "half-not-finite" not in told:
                told.add("half-not-finite")
                yield Finding(
                    "half-not-finite",
                    f"NaN or infinite in {dtype} where float32 is not: an epsilon of 1e-7 or 1e-8 is 0 there, and "
                    "65504 the end of float16.",
                    {"at": what, "float32": single, dtype: value, "gradient finite": bool(np.isfinite(seen).all())},
                    _FIX,
                )
            far = np.abs(value - single).max() > _ROUNDING[dtype] * scale + 1e-3
            if finite and far and not name and "half-inaccurate" not in told:
                told.add("half-inaccurate")
                yield Finding(
                    "half-inaccurate",
                    f"Computed in {dtype} the loss is another number: sums and differences lose their digits.",
                    {"at": what, "float32": single, dtype: value},
                    _FIX,
                )


def _wide(s):
    """Many entries a sample: a sum of them in half precision stops growing. The losses and functions here widen first."""
    widens = s.ours or hasattr(s.function, "loss_class")
    if s.form.y_pred.star is not None and s.arrays is None and s.kind[1] != "logit" and not widens:
        try:
            y_true, y_pred = s.batch(spatial=(64, 64))
            s.slopes(y_true, y_pred)
        except Exception:
            return
        yield "", "4096 entries a sample", y_true, y_pred


@check("float32-inaccurate")
def float32_is_near(s):
    """In float32 the value is that of float64, for large, ordinary and small errors."""
    y_true, y_pred = s.batch()
    batches = {"an ordinary batch": (y_true, y_pred)}
    if s.kind[1] in ("real", "logit"):
        for scale in (30.0, 1e4):
            batches[f"predictions of {scale:g}"] = (y_true, scale * np.sign(y_pred))
    if s.kind == ("real", "real") and s.same_shape:
        batches["errors of 1e-4"] = (y_true, np.asarray(y_true + 1e-4, "float32").astype(float))
    for what, (true, pred) in batches.items():
        single, exact = s.slopes(true, pred)[0], s.exact(true, pred, "float64")[0]
        if not np.isfinite(exact).all():
            continue
        worst = np.argmax(np.abs(single - exact) / (np.abs(exact) + 1e-10)) if exact.size else 0
        a, b = float(single.ravel()[worst]), float(exact.ravel()[worst])
        if not abs(a - b) <= 1e-2 * abs(b) + 1e-12:
            yield Finding(
                "float32-inaccurate",
                "In float32 the loss is another number than its formula: a difference of nearly equal numbers, or an overflow.",
                {"at": what, "float32": a, "float64": b},
                "# log(1 + exp(x)): ops.softplus(x); log(cosh(x)): x + softplus(-2x) - log(2), and x^2 / 2 for small x;\n"
                "# 1 - cos: half the squared distance of the unit vectors; log(1 + x): ops.log1p(x)",
            )
            return
