"""Every exported loss through every check, on the backend at hand.

A check is a function `check_<name>(make)`; `make(**config)` builds the loss of one variant. A variant is a class with the
arguments that change what its prediction is, such as `from_logits=True`. The data come from the contract.
"""

import copy
import dataclasses
import json
import pickle

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.core.registry import public
from keras_losses.testing import compiled, gradient, sample, second_derivative, value_and_gradient

SWITCHES = ("from_logits", "log_input")
LOSSES = {name: x for name, x in public().items() if isinstance(x, type) and x not in (kl.Loss, kl.Sum)}
VARIANTS = {
    f"{name}-{switch or 'default'}": (cls, {switch: True} if switch else {})
    for name, cls in LOSSES.items()
    for switch in (None, *(f.name for f in dataclasses.fields(cls) if f.name in SWITCHES))
}
BATCH_COUPLED = {"Circle"}
# What a loss cannot hold, and why; the check must fail.
EXPECTED_FAILURES = {
    "Circle": {
        "second_derivatives": "its self-paced weights are constants in the gradient, so its differences are not its derivative"
    },
}


def applies_to(condition):
    """A check that only losses with some trait go through: the others have no such test."""

    def mark(check):
        check.applies = condition
        return check

    return mark


def run(loss, y_true, y_pred, **kwargs):
    return ops.convert_to_numpy(loss(y_true, y_pred, **kwargs))


def finer(loss):
    """Whether the values have axes beyond the batch, given data that has."""
    return "*S" in " ".join(loss.y_pred.axes) and not isinstance(loss, kl.segmentation.overlap.Overlap)


def data(loss, **kwargs):
    """A batch with one axis more than it needs, where the contract allows it."""
    spatial = (2,) if loss.y_pred.star is not None else ()
    return sample(loss, spatial=spatial, **kwargs)


def check_one_value_a_sample(make):
    """Values are a prefix of the prediction's axes; the function gives the same, in the wider of float32 and the input."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    values = run(loss, y_true, y_pred)
    assert 1 <= values.ndim < y_pred.ndim
    assert values.shape == y_pred.shape[: values.ndim]
    function = getattr(kl, kl.core.names.snake_case(type(loss).__name__))
    arguments = {f.name: getattr(loss, f.name) for f in dataclasses.fields(loss) if f.name in SWITCHES}
    wide = function(y_true, ops.convert_to_tensor(y_pred, dtype="float32"), **arguments)
    assert keras.backend.standardize_dtype(wide.dtype) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(wide), values, rtol=1e-6, atol=1e-6)
    assert keras.backend.standardize_dtype(loss(y_true, y_pred).dtype) == "float32"


def check_reductions(make):
    """Each reduction against its definition, with and without weights."""
    y_true, y_pred = data(make())
    values = run(make(reduction="none"), y_true, y_pred)
    assert np.ptp(values) > 0
    weights = np.array([0.5, 2.0, 1.0, 3.0])
    full = np.broadcast_to(weights.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
    expected = {
        "sum": (values.sum(), (values * full).sum()),
        "sum_over_batch_size": (values.mean(), (values * full).mean()),
        "mean": (values.mean(), (values * full).mean()),
        "mean_with_sample_weight": (values.mean(), (values * full).sum() / full.sum()),
        "none": (values, values * full),
    }
    expected[None] = expected["none"]
    for reduction, (plain, weighted) in expected.items():
        loss = make(reduction=reduction)
        np.testing.assert_allclose(run(loss, y_true, y_pred), plain, rtol=1e-5)
        np.testing.assert_allclose(run(loss, y_true, y_pred, sample_weight=weights), weighted, rtol=1e-5)


def check_weights_align_left(make):
    """Weights meet the values from the left, even where sizes coincide; a shape that does not fit raises, naming both."""
    loss = make(reduction="none")
    y_true, y_pred = sample(loss, spatial=(4,) if finer(loss) else ())
    values = run(loss, y_true, y_pred)
    weights = np.array([1.0, 0.0, 2.0, 5.0])
    expected = values * weights.reshape(-1, *[1] * (values.ndim - 1))
    for given in (
        weights,
        weights[:, None],
        weights.astype("int64"),
        np.broadcast_to(weights.reshape(-1, *[1] * (values.ndim - 1)), values.shape),
    ):
        if type(loss).__name__ in BATCH_COUPLED:
            given = np.where(given == 0, 1e-9, given)  # weight 0 also takes the sample out of all pairs
        np.testing.assert_allclose(run(loss, y_true, y_pred, sample_weight=given), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run(loss, y_true, y_pred, sample_weight=0.5), 0.5 * values, rtol=1e-6)
    for wrong in (np.ones(3), np.ones((1, 2, 4, 4, 4)), np.ones((4, 7))):
        with pytest.raises(ValueError, match=r"sample_weight with shape .* does not fit .* with shape") as error:
            loss(y_true, y_pred, sample_weight=wrong)
        assert str(wrong.shape) in str(error.value)
        assert str(loss.name) in str(error.value)


def check_what_does_not_count(make):
    """A masked sample, or one of weight 0, may hold NaN: value and gradient are those of the batch without it."""
    keep = np.array([True, False, True, True])
    for reduction in ("sum", "sum_over_batch_size"):
        loss = make(reduction=reduction)
        y_true, y_pred = data(loss, seed=1)
        broken = y_pred.copy()
        broken[1] = np.nan
        expected = run(loss, y_true[keep], y_pred[keep])
        value, slope = value_and_gradient(lambda p: loss(y_true, p, mask=keep), broken)
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
        assert (slope[1] == 0).all()
        np.testing.assert_allclose(slope[keep], gradient(lambda p: loss(y_true[keep], p), y_pred[keep]), rtol=1e-4, atol=1e-6)
        value, slope = value_and_gradient(lambda p: loss(y_true, p, sample_weight=keep.astype(float)), broken)
        # As in Keras, weights do not change the number that a mean is divided by.
        counted = run(make(reduction="sum"), y_true[keep], y_pred[keep]) / run(make(), y_true[keep], y_pred[keep])
        removed = run(make(reduction="none"), y_true, y_pred)[1].size
        share = 1 if reduction == "sum" or type(loss).__name__ in BATCH_COUPLED else counted / (counted + removed)
        np.testing.assert_allclose(value, share * expected, rtol=1e-5, atol=1e-6)
        assert (slope[1] == 0).all()
        assert np.isfinite(slope).all()
    unreduced = run(make(reduction="none"), y_true, broken, mask=keep)
    assert (unreduced[1] == 0).all()


def check_nothing_counts(make):
    """All masked, all weights 0, or no sample at all: 0, with a gradient of zeros."""
    for reduction in ("sum", "sum_over_batch_size", "mean_with_sample_weight"):
        loss = make(reduction=reduction)
        y_true, y_pred = data(loss)
        for nothing in ({"mask": np.zeros(4, bool)}, {"sample_weight": np.zeros(4)}):
            value, slope = value_and_gradient(lambda p: loss(y_true, p, **nothing), np.full(y_pred.shape, np.inf))
            assert value == 0
            assert (slope == 0).all()
        assert run(loss, y_true[:0], y_pred[:0]) == 0
    assert run(make(reduction="none"), y_true[:0], y_pred[:0]).shape[0] == 0


def check_wrong_shapes(make):
    """Shapes that do not meet raise with the loss's name and both shapes; none broadcasts."""
    loss = make()
    y_true, y_pred = data(loss)
    wrong = [(y_true[:3], y_pred), (y_true[:1], y_pred), (y_true, np.concatenate([y_pred, y_pred]))]
    wrong.append((np.zeros((*y_true.shape, 2, 2)), y_pred))
    if y_true.ndim == y_pred.ndim:
        wrong += [(y_true[..., :1], y_pred), (y_true, y_pred[..., :1]), (y_true[..., :2], y_pred)]
    for a, b in wrong:
        with pytest.raises(ValueError, match=str(loss.name)) as error:
            loss(a, b)
        assert str(a.shape) in str(error.value)
        assert str(b.shape) in str(error.value)


@applies_to(lambda loss: loss.y_true.axes == loss.y_pred.axes == ("B", "*S", "D"))
def check_last_axis_of_one(make):
    """`(N,)` and `(N, 1)` meet."""
    loss = make(reduction="none")
    y_true, y_pred = sample(loss, D=1)
    expected = run(loss, y_true, y_pred)
    assert expected.shape == (4,)
    for a, b in ((y_true[:, 0], y_pred), (y_true, y_pred[:, 0]), (y_true[:, 0], y_pred[:, 0])):
        np.testing.assert_array_equal(run(loss, a, b), expected)


@applies_to(lambda loss: loss.y_true.kind.name == "label")
def check_labels_in_a_column(make):
    """Labels `(N, 1)` count as `(N,)`."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    np.testing.assert_array_equal(run(loss, y_true[..., None], y_pred), run(loss, y_true, y_pred))


def check_half_precision(make):
    """Half-precision inputs are computed in float32; the result is a half only where asked for."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    for dtype in ("float16", "bfloat16"):
        half = ops.cast(ops.convert_to_tensor(y_pred.astype("float32")), dtype)
        exact = run(loss, y_true, ops.convert_to_numpy(ops.cast(half, "float32")))
        np.testing.assert_allclose(run(loss, y_true, half), exact, rtol=1e-6, atol=1e-6)
        result = make(dtype=dtype)(y_true, half)
        assert keras.backend.standardize_dtype(result.dtype) == dtype
        rounding = 2.0**-7 if dtype == "bfloat16" else 2.0**-10
        np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(result, "float32")), exact.mean(), rtol=rounding)
    mixed = make(dtype=keras.DTypePolicy("mixed_float16"))
    assert mixed.dtype == "float16"


def extremes(loss):
    """Predictions at the edges: saturated, perfect, worst, tied, zero."""
    y_true, y_pred = data(loss)
    kind = loss.y_pred.kind.name
    if kind in ("prob", "simplex"):
        edges = [np.zeros_like(y_pred), np.ones_like(y_pred), np.eye(3)[np.indices(y_pred.shape)[-1] % 3][..., 0]]
    else:
        edges = [np.zeros_like(y_pred), np.full_like(y_pred, 1e4), 1e4 * np.sign(y_pred), -1e4 * np.sign(y_pred)]
    if kind == "count" or getattr(loss, "log_input", False):
        edges = [np.zeros_like(y_pred), np.full_like(y_pred, 50.0)]
    if y_true.shape == y_pred.shape:
        edges += [y_true, 1 - y_true] if kind in ("prob", "simplex") else [y_true]
    return y_true, [np.asarray(e, float) for e in edges]


def check_edges(make, record):
    """At the edges value, gradient and second derivative are finite; the gradient goes to the parity session."""
    loss = make(reduction="sum")
    y_true, edges = extremes(loss)
    variant = f"{type(loss).__name__}/{'-'.join(s for s in SWITCHES if getattr(loss, s, False)) or 'default'}"
    for i, y_pred in enumerate(edges):
        value, slope = value_and_gradient(lambda p: loss(y_true, p), y_pred)
        assert np.isfinite(value), (i, value)
        assert np.isfinite(slope).all(), (i, slope)
        record[f"{variant}/edge-{i}/value"], record[f"{variant}/edge-{i}/gradient"] = value, slope
        curvature = second_derivative(lambda p: loss(y_true, p), y_pred, np.ones_like(y_pred))
        assert np.isfinite(curvature).all(), (i, curvature)


def check_second_derivatives(make):
    """Second derivatives are the differences of first ones, in float64."""
    loss = make(reduction="sum", dtype="float64")
    y_true, y_pred = data(loss, batch=4)
    rng = np.random.default_rng(3)
    direction = rng.normal(size=y_pred.shape)
    step = 1e-5
    ahead, behind = (gradient(lambda p: loss(y_true, p), y_pred + s * direction, "float64") for s in (step, -step))
    expected = (ahead - behind) / (2 * step)
    got = second_derivative(lambda p: loss(y_true, p), y_pred, direction, "float64")
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(expected).max()))


def check_compiled(make):
    """Compiled, with an unknown batch where that exists, value and gradient are those of the eager call."""
    loss = make(reduction="sum_over_batch_size")
    y_true, y_pred = data(loss)
    weights = np.array([0.5, 2.0, 1.0, 0.0], "float32")
    y_pred = y_pred.astype("float32")
    y_true = y_true.astype("int32" if y_true.dtype.kind == "i" else "float32")

    def function(t, p, w):
        return loss(t, p, sample_weight=w)

    eager = value_and_gradient(lambda p: function(y_true, p, weights), y_pred)
    call = compiled(function)
    tensors = [ops.convert_to_tensor(x) for x in (y_true, y_pred, weights)]
    np.testing.assert_allclose(ops.convert_to_numpy(call(*tensors)), eager[0], rtol=1e-5, atol=1e-6)
    if keras.backend.backend() == "torch":  # capture of the backward pass too
        slope = gradient(lambda p: call(tensors[0], p, tensors[2]), y_pred)
        np.testing.assert_allclose(slope, eager[1], rtol=1e-4, atol=1e-6)
    if keras.backend.backend() == "tensorflow":
        from keras_losses.testing.gradients import compiled_gradient

        slope = compiled_gradient(function, *tensors, wrt=1)
        np.testing.assert_allclose(ops.convert_to_numpy(slope), eager[1], rtol=1e-4, atol=1e-6)


def check_saved(make):
    """Config, JSON, pickle and deepcopy give the same loss."""
    loss = make(reduction="mean_with_sample_weight", name="mine", dtype="float16")
    y_true, y_pred = data(loss)
    expected = run(loss, y_true, y_pred)
    again = [
        type(loss).from_config(loss.get_config()),
        type(loss).from_config(json.loads(json.dumps(loss.get_config()))),
        kl.deserialize(json.loads(json.dumps(kl.serialize(loss)))),
        pickle.loads(pickle.dumps(loss)),
        copy.deepcopy(loss),
    ]
    for other in again:
        assert type(other) is type(loss)
        assert other.get_config() == loss.get_config()
        np.testing.assert_array_equal(run(other, y_true, y_pred), expected)


def check_permutation(make):
    """The order of the samples changes nothing."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    order = np.array([2, 0, 3, 1])
    np.testing.assert_allclose(run(loss, y_true[order], y_pred[order]), run(loss, y_true, y_pred)[order], rtol=1e-5, atol=1e-6)


@applies_to(lambda loss: type(loss).__name__ in BATCH_COUPLED)
def check_ids(make):
    """Ids beyond the integers of float32 stay apart."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    np.testing.assert_array_equal(run(loss, y_true + 2**24, y_pred), run(loss, y_true, y_pred))


@applies_to(lambda loss: loss.y_true.kind.name == "label")
def check_labels(make):
    """Integer labels stay integers; one out of range gives NaN with gradient zero, and harms no other sample."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    expected = run(loss, y_true, y_pred)
    for wrong, dtype in (
        (3, "int64"),
        (-1, "int32"),
        (2**40, "int64"),
        (0.5, "float32"),
        (np.nan, "float64"),
        (np.inf, "float32"),
    ):
        bad = y_true.astype(dtype)
        bad[0] = wrong
        value, slope = value_and_gradient(lambda p: loss(bad, p), y_pred)
        assert np.isnan(value[0]).all(), (wrong, value[0])
        assert (slope[0] == 0).all()
        np.testing.assert_allclose(value[1:], expected[1:], rtol=1e-6)
    many = 300
    y_true, y_pred = sample(loss, C=many)
    y_true[:] = 257
    low = make(dtype="bfloat16", reduction="none")
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(low(y_true, y_pred), "float32")), run(loss, y_true, y_pred), rtol=2.0**-7
    )


@applies_to(lambda loss: loss.last_axis is not None)
def check_axis(make):
    """The axis that a loss names can be anywhere."""
    field = make().last_axis
    loss, moved = make(reduction="none"), make(reduction="none", **{field: 1})
    y_true, y_pred = sample(loss, spatial=(2,))
    true = np.moveaxis(y_true, -1, 1) if y_true.ndim == y_pred.ndim else y_true
    np.testing.assert_allclose(run(moved, true, np.moveaxis(y_pred, -1, 1)), run(loss, y_true, y_pred), rtol=1e-6)
    with pytest.raises(ValueError, match=field):
        make(**{field: 7})(y_true, y_pred)


@applies_to(
    lambda loss: loss.y_pred.kind.name == "logit" and loss.y_pred.axes[-1] in ("C", "D") and "T" not in loss.y_pred.axes
)
def check_alive(make):
    """From logits, a confidently wrong prediction has a gradient."""
    loss = make(reduction="sum")
    y_true, y_pred = data(loss)
    wrong = (
        -100.0 * (2 * y_true - 1)
        if y_true.ndim == y_pred.ndim
        else 100.0 * (1 - np.eye(3)[np.resize(y_true, y_pred.shape[:-1])])
    )
    assert np.abs(gradient(lambda p: loss(y_true, p), wrong)).max() > 1e-3


CHECKS = {name.removeprefix("check_"): check for name, check in globals().items() if name.startswith("check_")}


def table():
    """One test for each variant of a loss and each check that applies to it."""
    for variant, (cls, config) in VARIANTS.items():
        name, suffix = variant.split("-")
        for check, function in CHECKS.items():
            if not getattr(function, "applies", lambda loss: True)(cls(**config)):
                continue
            marks = [pytest.mark.xdist_group(name)]
            if reason := EXPECTED_FAILURES.get(name, {}).get(check):
                marks.append(pytest.mark.xfail(reason=reason, raises=AssertionError))
            yield pytest.param(variant, check, id=f"{name}-{check}-{suffix}", marks=marks)


@pytest.mark.parametrize(("variant", "check"), list(table()))
def test_check(variant, check, record):
    cls, config = VARIANTS[variant]
    more = (record,) if check == "edges" else ()
    CHECKS[check](lambda **kwargs: cls(**{**config, **kwargs}), *more)
