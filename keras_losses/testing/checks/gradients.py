"""Gradients on ordinary batches: there, finite, and those of the value."""

import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks.registry import Skip, check

SEEDS = (0, 1, 2)


@check("gradient-zero")
def gradient_is_there(s):
    """Some prediction has a gradient."""
    slopes = [s.slopes(*s.batch(seed))[1] for seed in SEEDS]
    if not any(np.any(slope != 0) for slope in slopes):
        yield Finding(
            "gradient-zero",
            "The gradient is zero everywhere, or missing: the model trains without an error and never moves.",
            {"largest gradient in three batches": 0.0, "loss": s.slopes(*s.batch())[0]},
            "# round, argmax, cast to int, comparisons and NumPy have no gradient: use the probability itself,\n"
            "soft = ops.sigmoid(10.0 * (y_pred - 0.5))  # instead of ops.cast(y_pred > 0.5, 'float32')",
        )


@check("value-not-finite", "gradient-not-finite", "nan-behind-where")
def finite_on_ordinary_batches(s):
    """Value and gradient are finite where nothing is at an edge."""
    for seed in SEEDS:
        y_true, y_pred = s.batch(seed)
        values, slope = s.slopes(y_true, y_pred)
        if not np.isfinite(values).all():
            yield Finding(
                "value-not-finite",
                "The loss is NaN or infinite on an ordinary batch: one step makes every weight NaN.",
                {"values": values, "y_true": y_true, "y_pred": y_pred},
                "log_p = keras_losses.math.safe_log(p)  # and safe_divide, safe_sqrt: finite at 0, gradients too",
            )
            return
        if not np.isfinite(slope).all():
            yield behind_where(s, values, slope, y_pred) or Finding(
                "gradient-not-finite",
                "The value is finite and its gradient is not: one step makes every weight NaN.",
                {"values": values, "gradient": slope, "y_true": y_true, "y_pred": y_pred},
                "keras_losses.math.safe_sqrt(x), safe_divide(a, b), safe_log(x)  # finite gradients at 0",
            )
            return


def behind_where(s, values, slope, y_pred):
    """The finding for a NaN gradient of a finite value, if the code has a `where` that hides it."""
    if s.ours or "where(" not in s.source or not np.isfinite(values).all():
        return None
    at = tuple(int(i) for i in np.argwhere(~np.isfinite(slope))[0])
    return Finding(
        "nan-behind-where",
        "`where` picks the value but differentiates both branches: the branch not taken is infinite, and 0 * inf is NaN.",
        {"value": values.ravel()[0], "y_pred at " + str(at): y_pred[at], "gradient there": slope[at]},
        "safe = ops.where(x > 0, x, 1.0)               # first make the argument harmless,\n"
        "value = ops.where(x > 0, ops.log(safe), 0.0)  # then choose",
    )


@check("gradient-wrong")
def gradient_is_that_of_the_value(s):
    """The gradient is what central differences of the value, in float64, say."""
    off = []
    for seed in SEEDS:
        y_true, y_pred = s.batch(seed)
        rng = np.random.default_rng(seed)
        way, step = rng.normal(size=y_pred.shape), 1e-3
        if s.kind[1] == "simplex":
            way -= way.mean(-1, keepdims=True)
        values, slope = s.exact(y_true, y_pred, "float64")
        ahead, behind = (s.exact(y_true, y_pred + h * way, "float64")[0].sum() for h in (step, -step))
        seen, expected = float((slope * way).sum()), float((ahead - behind) / (2 * step))
        if not np.isfinite([seen, expected]).all() or not slope.any():
            return  # told by another check
        # Rounding of the value to float32, which some operations do, is all that the differences may be off by.
        noise = 1e-6 * np.abs(values).max() / step
        off.append((abs(seen - expected) > 2e-2 * max(abs(seen), abs(expected)) + noise, seen, expected))
    # One of three may have a kink between the two points.
    wrong = [pair for bad, *pair in off if bad]
    if len(wrong) > 1:
        yield Finding(
            "gradient-wrong",
            "The gradient is not that of the value: a detached or rounded part of the formula trains the model to something "
            "else than the loss shows.",
            {"gradient along a direction": wrong[0][0], "difference of the values": wrong[0][1]},
            "# look for ops.stop_gradient, ops.round, ops.cast to int, and NumPy in the formula",
        )


@check("gradient-dead")
def saturated_mistakes_have_a_gradient(s):
    """A confidently wrong prediction is pulled back."""
    true_kind, pred_kind = s.kind
    if pred_kind not in ("prob", "simplex", "logit") or true_kind not in ("binary", "onehot", "label"):
        return
    y_true, y_pred = s.batch()
    if true_kind == "label":
        target = np.eye(y_pred.shape[-1])[y_true.astype(int)] if y_true.shape == y_pred.shape[:-1] else None
    else:
        target = y_true if y_true.shape == y_pred.shape else None
    if target is None or (s.form.last_axis is not None and getattr(s.form, s.form.last_axis) != -1):
        raise Skip("no worst prediction is known for these shapes")
    if pred_kind == "logit":
        worst = 100.0 * (1 - 2 * target)
    elif target.shape[-1] > 1 and true_kind != "binary":
        worst = np.roll(target, 1, axis=-1)
    else:
        worst = 1.0 - target
    values, slope = s.slopes(y_true, worst)
    if np.isfinite(slope).all() and not slope.any():
        yield Finding(
            "gradient-dead",
            "A prediction that is wrong and sure of it has gradient zero: clipping or a saturated sigmoid keeps the worst "
            "mistakes from being learned.",
            {"y_true": y_true, "y_pred": worst, "loss": values, "largest gradient": 0.0},
            "# take logits and stay in log space:\n"
            "log_p = -ops.softplus(-y_pred)  # log(sigmoid(y_pred)), instead of log(clip(sigmoid(y_pred), eps, 1))",
        )


@check("second-derivative")
def second_derivative_is_finite(s):
    """Second derivatives, which gradient penalties and Hessian methods take, are finite."""
    for what, (y_true, y_pred) in {"an ordinary batch": s.batch(), **s.perfect()}.items():
        values, slope = s.slopes(y_true, y_pred)
        if not np.isfinite(values).all() or not np.isfinite(slope).all():
            continue  # told by another check
        curved = s.curvature(y_true, y_pred)
        if not np.isfinite(curved).all():
            yield Finding(
                "second-derivative",
                "Value and gradient are finite and the second derivative is not: gradient penalties and second-order "
                "optimizers get NaN.",
                {"at": what, "y_true": y_true, "y_pred": y_pred, "second derivative": curved},
                "keras_losses.math.safe_sqrt(x), safe_divide(a, b), safe_log(x)  # finite to the second order",
            )
            return
