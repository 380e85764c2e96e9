"""What a stated contract promises: the checks that only a `keras_losses.Loss` which says what it takes goes through.

Each is a function `name(make)`; `make(**config)` builds the loss with other arguments. What it asserts and does not hold
is a finding `contract-name`; the docstring says why it matters.
"""

import copy
import json
import pickle
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_losses.core.align import own_axes
from keras_losses.core.registry import deserialize, serialize
from keras_losses.testing.checks.promise import promise
from keras_losses.testing.gradients import Differentiated, gradient, value_and_gradient
from keras_losses.testing.sampler import sample


def refuses(call, *texts):
    """Asserts that a call raises ValueError with all the texts."""
    try:
        call()
    except ValueError as error:
        missing = [str(text) for text in texts if str(text) not in str(error)]
        assert not missing, f"the error lacks {missing}: {error}"
    else:
        raise AssertionError(f"accepted what should raise ValueError with {texts}")


def run(loss, y_true, y_pred, **kwargs):
    return ops.convert_to_numpy(loss(y_true, y_pred, **kwargs))


def finer(loss):
    """Whether the values have axes beyond the batch, given data that has."""
    return loss.y_pred.star is not None and run(loss, *sample(loss, spatial=(4,))).ndim > 1


def data(loss, **kwargs):
    """A batch with one axis more than it needs, where the contract allows it."""
    spatial = (2,) if loss.y_pred.star is not None else ()
    return sample(loss, spatial=spatial, **kwargs)


@promise()
def one_value_a_sample(make):
    """Values are a prefix of the prediction's axes, without those of its own such as views; the result is float32."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    values = run(loss, y_true, y_pred)
    assert 1 <= values.ndim < y_pred.ndim
    own = own_axes(loss.y_true, loss.y_pred, y_true.ndim, y_pred.ndim)
    assert values.shape == tuple(size for i, size in enumerate(y_pred.shape) if i not in own)[: values.ndim]
    assert keras.backend.standardize_dtype(loss(y_true, y_pred).dtype) == "float32"


@promise()
def reductions(make):
    """Each reduction against its definition, with and without weights."""
    y_true, y_pred = data(make())
    values = run(make(reduction="none"), y_true, y_pred)
    assert np.ptp(values) > 0 or make().couples_batch  # a value of the whole batch is that of each sample
    weights = np.array([0.5, 2.0, 1.0, 3.0])
    full = np.broadcast_to(weights.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
    expected: dict[Any, Any] = {
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


@promise()
def weights_align_left(make):
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
        if loss.couples_batch:
            given = np.where(given == 0, 1e-9, given)  # weight 0 also takes the sample out of all pairs
        np.testing.assert_allclose(run(loss, y_true, y_pred, sample_weight=given), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run(loss, y_true, y_pred, sample_weight=0.5), 0.5 * values, rtol=1e-6)
    for wrong in (np.ones(3), np.ones((1, 2, 4, 4, 4)), np.ones((4, 7))):
        refuses(
            lambda w=wrong: loss(y_true, y_pred, sample_weight=w),
            loss.name,
            "sample_weight with shape",
            "does not fit",
            wrong.shape,
        )


def reduced_with(make, name, reductions):
    """Values and gradients of a loss by each reduction, with the argument `name`: one program for all of them.

    The values are one a reduction; the gradient is that of their sum, in which they have different shares.
    """
    loss = make()

    def function(t, p, *given):
        with_it = dict(zip([name], given, strict=False))
        values = loss._values(t, p, with_it.get("sample_weight"), with_it.get("mask"), {}, loss.dtype)
        return ops.stack([(1 + i) * loss._reduce(values, reduction) for i, reduction in enumerate(reductions)])

    both = Differentiated(function)

    def evaluate(y_true, y_pred, *given):
        value, slope = both(y_true, y_pred, "float32", *given)
        return dict(zip(reductions, value / np.arange(1, 1 + len(reductions)), strict=True)), slope

    return evaluate


@promise()
def what_does_not_count(make):
    """A masked sample, or one of weight 0, may hold NaN: value and gradient are those of the batch without it."""
    keep = np.array([True, False, True, True])
    how = ("sum", "sum_over_batch_size")
    y_true, y_pred = data(make(), seed=1)
    broken = y_pred.copy()
    broken[1] = np.nan
    masked = reduced_with(make, "mask", how)
    expected, rest = masked(y_true[keep], y_pred[keep])
    value, slope = masked(y_true, broken, keep)
    assert (slope[1] == 0).all()
    np.testing.assert_allclose(slope[keep], rest, rtol=1e-4, atol=1e-6)
    weighed, slope = reduced_with(make, "sample_weight", how)(y_true, broken, keep.astype(float))
    assert (slope[1] == 0).all()
    assert np.isfinite(slope).all()
    # As in Keras, weights do not change the number that a mean is divided by.
    mean = expected["sum_over_batch_size"]
    counted = expected["sum"] / mean if mean else 1  # a mean of 0 stays 0
    removed = run(make(reduction="none"), y_true, y_pred)[1].size
    for reduction in how:
        np.testing.assert_allclose(value[reduction], expected[reduction], rtol=1e-5, atol=1e-6)
        share = 1 if reduction == "sum" or make().couples_batch else counted / (counted + removed)
        np.testing.assert_allclose(weighed[reduction], share * expected[reduction], rtol=1e-5, atol=1e-6)
    unreduced = run(make(reduction="none"), y_true, broken, mask=keep)
    assert (unreduced[1] == 0).all()


@promise()
def nothing_counts(make):
    """All masked, all weights 0, or no sample at all: 0, with a gradient of zeros."""
    how = ("sum", "sum_over_batch_size", "mean_with_sample_weight")
    y_true, y_pred = data(make())
    for name, nothing in (("mask", np.zeros(4, bool)), ("sample_weight", np.zeros(4))):
        values, slope = reduced_with(make, name, how)(y_true, np.full(y_pred.shape, np.inf), nothing)
        assert all(value == 0 for value in values.values()), values
        assert (slope == 0).all()
    values, _ = reduced_with(make, "mask", how)(y_true[:0], y_pred[:0])
    assert all(value == 0 for value in values.values()), values
    assert Differentiated(make(reduction="none"))(y_true[:0], y_pred[:0])[0].shape[0] == 0


@promise()
def wrong_shapes(make):
    """Shapes that do not meet raise with the loss's name and both shapes; none broadcasts."""
    loss = make()
    y_true, y_pred = data(loss)
    wrong = [(y_true[:3], y_pred), (y_true[:1], y_pred), (y_true, np.concatenate([y_pred, y_pred]))]
    if loss.y_true.kind.name != "unused":  # of which only the batch has to be that of the prediction
        wrong.append((np.zeros((*y_true.shape, 2, 2)), y_pred))
    if y_true.ndim == y_pred.ndim:
        wrong += [(y_true[..., :1], y_pred), (y_true, y_pred[..., :1]), (y_true[..., :2], y_pred)]
    for a, b in wrong:
        refuses(lambda a=a, b=b: loss(a, b), loss.name, a.shape, b.shape)


@promise(lambda loss: loss.y_true.axes == loss.y_pred.axes == ("B", "*S", "D"))
def last_axis_of_one(make):
    """`(N,)` and `(N, 1)` meet."""
    loss = make(reduction="none")
    y_true, y_pred = sample(loss, D=1)
    expected = run(loss, y_true, y_pred)
    assert expected.shape == (4,)
    for a, b in ((y_true[:, 0], y_pred), (y_true, y_pred[:, 0]), (y_true[:, 0], y_pred[:, 0])):
        np.testing.assert_array_equal(run(loss, a, b), expected)


@promise(lambda loss: loss.y_true.kind.name == "label")
def labels_in_a_column(make):
    """Labels `(N, 1)` count as `(N,)`."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    np.testing.assert_array_equal(run(loss, y_true[..., None], y_pred), run(loss, y_true, y_pred))


@promise()
def half_precision(make):
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


@promise(keeps=True)
def edges(make, kept):
    """At the edges value, gradient and second derivative are finite."""
    loss = make(reduction="sum")
    y_true, edges = extremes(loss)
    derive = Differentiated(loss)
    for i, y_pred in enumerate(edges):
        value, slope = derive(y_true, y_pred)
        assert np.isfinite(value), (i, value)
        assert np.isfinite(slope).all(), (i, slope)
        kept[f"edge-{i}/value"], kept[f"edge-{i}/gradient"] = value, slope
        curvature = derive.second(y_true, y_pred, np.ones_like(y_pred))
        assert np.isfinite(curvature).all(), (i, curvature)


@promise()
def second_derivatives(make):
    """Second derivatives are the differences of first ones, in float64."""
    loss = make(reduction="sum", dtype="float64")
    y_true, y_pred = data(loss, batch=4)
    rng = np.random.default_rng(3)
    direction = rng.normal(size=y_pred.shape)
    step = 1e-5
    derive = Differentiated(loss)
    ahead, behind = (derive(y_true, y_pred + s * direction, "float64")[1] for s in (step, -step))
    expected = (ahead - behind) / (2 * step)
    got = derive.second(y_true, y_pred, direction, "float64")
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(expected).max()))


@promise()
def saved(make):
    """Config, JSON, pickle and deepcopy give the same loss."""
    loss = make(reduction="mean_with_sample_weight", name="mine", dtype="float16")
    y_true, y_pred = data(loss)
    expected = run(loss, y_true, y_pred)
    again = [
        type(loss).from_config(loss.get_config()),
        type(loss).from_config(json.loads(json.dumps(loss.get_config()))),
        deserialize(json.loads(json.dumps(serialize(loss)))),
        pickle.loads(pickle.dumps(loss)),
        copy.deepcopy(loss),
    ]
    for other in again:
        assert type(other) is type(loss)
        assert other.get_config() == loss.get_config()
        np.testing.assert_array_equal(run(other, y_true, y_pred), expected)


@promise()
def permutation(make):
    """The order of the samples changes nothing."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    order = np.array([2, 0, 3, 1])
    np.testing.assert_allclose(run(loss, y_true[order], y_pred[order]), run(loss, y_true, y_pred)[order], rtol=1e-5, atol=1e-6)


@promise(lambda loss: loss.couples_batch and loss.y_true.kind.name == "id")
def ids(make):
    """Ids beyond the integers of float32 stay apart."""
    loss = make(reduction="none")
    y_true, y_pred = data(loss)
    np.testing.assert_array_equal(run(loss, y_true + 2**24, y_pred), run(loss, y_true, y_pred))


@promise(lambda loss: loss.y_true.kind.name == "label")
def labels(make):
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
    y_true, y_pred = sample(loss, 4, (), 0, **{loss.y_true.classes: many})
    y_true[:] = 257
    wide = type(loss).example_arguments(many)
    low, loss = make(dtype="bfloat16", reduction="none", **wide), make(reduction="none", **wide)
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(low(y_true, y_pred), "float32")), run(loss, y_true, y_pred), rtol=2.0**-7
    )


@promise(lambda loss: loss.last_axis is not None)
def axis(make):
    """The axis that a loss names can be anywhere."""
    field = str(make().last_axis)
    loss, moved = make(reduction="none"), make(**{"reduction": "none", field: 1})
    y_true, y_pred = sample(loss, spatial=(2,))
    true = np.moveaxis(y_true, -1, 1) if y_true.ndim == y_pred.ndim else y_true
    np.testing.assert_allclose(run(moved, true, np.moveaxis(y_pred, -1, 1)), run(loss, y_true, y_pred), rtol=1e-6)
    refuses(lambda: make(**{field: 7})(y_true, y_pred), field)


@promise(lambda loss: loss.y_pred.kind.name == "logit" and loss.y_pred.axes[-1] in ("C", "D") and "T" not in loss.y_pred.axes)
def alive(make):
    """From logits, a confidently wrong prediction has a gradient."""
    loss = make(reduction="sum")
    y_true, y_pred = data(loss)
    wrong = (
        -100.0 * (2 * y_true - 1)
        if y_true.ndim == y_pred.ndim
        else 100.0 * (1 - np.eye(3)[np.resize(y_true, y_pred.shape[:-1]).astype(int)])
    )
    assert np.abs(gradient(lambda p: loss(y_true, p), wrong)).max() > 1e-3
