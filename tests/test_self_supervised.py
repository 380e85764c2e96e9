"""Self-supervised losses: what the conformance table cannot know of these losses. Their layers: test_add_views.py."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses import math
from keras_losses.testing import check_loss, compiled, gradient, sample, value_and_gradient
from keras_losses.testing.gradients import second_derivative

COUPLED = {
    "dcl": kl.DecoupledContrastive(),
    "dclw": kl.DecoupledContrastive(sigma=0.5),
    "uniformity": kl.AlignmentUniformity(alpha=1.5),
    "koleo": kl.KoLeo(),
    "koleo-as-they-are": kl.KoLeo(normalize=False),
    "barlow": kl.BarlowTwins(lambda_param=0.5),
    "vicreg": kl.VICReg(),
    "rate": kl.TotalCodingRate(),
    "mmcr": kl.MaximumManifoldCapacity(lambda_param=1.0),  # of 0.5 the mean is what is left of terms a hundred times it
    "swav": kl.SwAV(sinkhorn_epsilon=0.5),
    "clip": kl.CLIP(),
    "siglip": kl.SigLIP(bias=-1.0),
}
ALONE = {"cosine": kl.NegativeCosine(), "dino": kl.DINO(), "ibot": kl.IBOT()}
EVERY = COUPLED | ALONE
NO_SINGLES = ("dcl", "dclw", "uniformity", "koleo", "koleo-as-they-are", "barlow", "vicreg")
UNUSED = {name: loss for name, loss in EVERY.items() if name != "ibot"}


def parametrized(losses):
    return pytest.mark.parametrize("loss", losses.values(), ids=losses)


def values(loss, y_pred, y_true=None, reduction="none", dtype=None, **kwargs):
    again = type(loss).from_config({**loss.get_config(), "reduction": reduction, "dtype": dtype})
    return ops.convert_to_numpy(again(y_true, y_pred, **kwargs))


# -- a target that the formula does not look at -------------------------------------------------------------------------------


@parametrized(UNUSED)
def test_the_target_is_anything_of_the_batch(loss):
    _, y_pred = sample(loss)
    expected = values(loss, y_pred)
    for y_true in (
        np.zeros(4),
        np.array([3, 2**40, -1, 7]),
        np.array(["a", "b", "c", "d"]),
        np.full((4, 28, 28, 3), np.nan),
        np.zeros((4, 1), bool),
        [1, 2, 3, 4],
        y_pred,
        ops.convert_to_tensor(np.zeros((4, 2)), dtype="float32"),
    ):
        np.testing.assert_array_equal(values(loss, y_pred, y_true), expected)
        with kl.debugging():
            np.testing.assert_array_equal(values(loss, y_pred, y_true), expected)


@parametrized(UNUSED)
@pytest.mark.parametrize("shape", [(3,), (1,), (5, 2), ()])
def test_the_target_of_another_batch_is_refused(loss, shape):
    with pytest.raises(ValueError, match=rf"(?s){loss.name}: y_true with shape.*first axis is the batch"):
        loss(np.zeros(shape), sample(loss)[1])


@parametrized({name: loss for name, loss in EVERY.items() if not name.startswith("koleo")})
def test_no_axis_of_views_is_made_up(loss):
    """`(B, D)` is not `(B, D, 1)`: D views of one number each."""
    with pytest.raises(ValueError, match="axes"):
        loss(None if loss.y_true.kind.name == "unused" else np.ones((4, 3)), np.ones((4, 3)))


def test_a_users_loss_that_looks_at_no_target():
    class Penalty(kl.Loss):
        y_true, y_pred = kl.spec.unused(), kl.spec.real("B D")

        def call(self, y_true, y_pred):
            return ops.sum(ops.square(y_pred), axis=-1) + y_true

    for y_true in (None, np.zeros((2, 7), int)):
        np.testing.assert_array_equal(values(Penalty(), np.ones((2, 3)), y_true), [3.0, 3.0])
    assert check_loss(Penalty()).ok
    assert "None" in kl.spec.unused().kind.text


def test_a_sum_with_a_loss_that_looks_at_its_target():
    both = kl.MeanSquaredError() + 0.5 * kl.KoLeo()
    y_true, y_pred = np.zeros((4, 3)), np.random.default_rng(0).normal(size=(4, 3))
    expected = float(kl.MeanSquaredError()(y_true, y_pred)) + 0.5 * float(kl.KoLeo()(None, y_pred))
    np.testing.assert_allclose(float(both(y_true, y_pred)), expected, rtol=1e-6)


class Twice(keras.layers.Layer):
    """Two views of each sample: itself and its reverse."""

    def call(self, x):
        return ops.stack([x, ops.flip(x, axis=1)], axis=1)


def two_views():
    inputs = keras.Input((4,))
    return inputs, Twice()(keras.layers.Dense(3)(inputs))


@pytest.mark.parametrize("labels", [np.arange(8), np.eye(8), np.zeros((8, 3, 2))], ids=["ids", "rows", "maps"])
def test_fit_with_labels_that_are_not_looked_at(labels):
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    inputs, views = two_views()
    model = keras.Model(inputs, views)
    model.compile(keras.optimizers.SGD(0.01), kl.VICReg())
    history = model.fit(x, labels, batch_size=4, epochs=3, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]
    np.testing.assert_allclose(
        model.evaluate(x, labels, batch_size=8, verbose=0), values(kl.VICReg(), model.predict(x, verbose=0)).mean(), rtol=1e-4
    )


def test_fit_without_labels_by_a_layer():
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    inputs, views = two_views()
    model = keras.Model(inputs, kl.layers.AddLoss(kl.VICReg(), name="vicreg")(views))
    model.compile(keras.optimizers.SGD(0.01))
    history = model.fit(x, batch_size=8, epochs=3, verbose=0).history
    np.testing.assert_allclose(history["loss"], history["vicreg"], rtol=1e-5)
    assert history["loss"][-1] < history["loss"][0]


# -- what leaves the batch ----------------------------------------------------------------------------------------------------


@parametrized(EVERY)
@pytest.mark.parametrize("fill", [5.0, np.nan, np.inf])
def test_what_does_not_count_is_as_if_it_were_not_there(loss, fill):
    """Values and gradients of two samples in seven that are masked, or of weight 0, and hold anything."""
    y_true, y_pred = sample(loss, batch=7, seed=3)
    keep = np.array([True, False, True, True, True, False, True])
    broken = y_pred.copy()
    broken[~keep] = fill
    y_true = None if loss.y_true.kind.name == "unused" else y_true
    kept = None if y_true is None else y_true[keep]
    expected, slope = value_and_gradient(lambda p: _sum(loss)(kept, p), y_pred[keep])
    for without in ({"mask": keep}, {"sample_weight": keep.astype(float)}):
        got = values(loss, broken, y_true, **without)
        np.testing.assert_allclose(got[keep], values(loss, y_pred[keep], kept), rtol=1e-5, atol=1e-6)
        assert (got[~keep] == 0).all()
        got, seen = value_and_gradient(lambda p: _sum(loss)(y_true, p, **without), broken)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(seen[keep], slope, rtol=1e-4, atol=1e-5)
        assert (seen[~keep] == 0).all()
    if loss.couples_batch:  # a mean, too, is that of the others
        mean = values(loss, y_pred[keep], kept, "sum_over_batch_size")
        for without in ({"mask": keep}, {"sample_weight": keep.astype(float)}):
            np.testing.assert_allclose(values(loss, broken, y_true, "sum_over_batch_size", **without), mean, rtol=1e-5)


def _sum(loss):
    return type(loss).from_config({**loss.get_config(), "reduction": "sum"})


@pytest.mark.parametrize("name", COUPLED)
def test_one_sample_that_is_left(name):
    """It has nothing to be compared with, or counts as a batch of one."""
    loss = COUPLED[name]
    _, y_pred = sample(loss, seed=1)
    alone = np.array([False, True, False, False])
    value, slope = value_and_gradient(lambda p: loss(None, p, mask=alone), y_pred)
    np.testing.assert_allclose(value, values(loss, y_pred[1:2], reduction="sum"), rtol=1e-5, atol=1e-6)
    assert np.isfinite(slope).all()
    if name in NO_SINGLES:
        assert value == 0
        assert (slope == 0).all()


@parametrized(COUPLED)
def test_a_mask_of_views_is_refused(loss):
    _, y_pred = sample(loss)
    shape = y_pred.shape[:-1] if y_pred.ndim > 2 else (*y_pred.shape,)
    with pytest.raises(ValueError, match=r"mask"):
        loss(None, y_pred, mask=np.ones(shape, bool))


# -- edges --------------------------------------------------------------------------------------------------------------------


@parametrized(EVERY)
@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e4])
def test_finite_at_any_size(loss, scale):
    y_true, y_pred = sample(loss, seed=5)
    y_true = None if loss.y_true.kind.name == "unused" else y_true
    for pred in (scale * y_pred, np.full(y_pred.shape, scale), scale * np.repeat(y_pred[:1], 4, axis=0)):
        value, slope = value_and_gradient(lambda p: loss(y_true, p), pred)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    ("loss", "views"),
    [
        (kl.DecoupledContrastive(), 1),
        (kl.AlignmentUniformity(), 1),
        (kl.BarlowTwins(), 1),
        (kl.VICReg(), 1),
        (kl.SwAV(), 1),
        (kl.SwAV(code_views=4), 3),
        (kl.NegativeCosine(), 3),
        (kl.NegativeCosine(), 1),
        (kl.DINO(), 2),
        (kl.DINO(teacher_views=1), 1),
    ],
)
def test_views_that_are_missing(loss, views):
    with pytest.raises(ValueError, match=rf"{loss.name}: y_pred with shape \(4, {views}, 3\) has {views} views"):
        loss(None, np.ones((4, views, 3)))


@pytest.mark.parametrize("apart", [1e-3, 1e-5])
def test_ko_leo_of_points_that_nearly_agree(apart):
    """Products of unit vectors know distances to 3e-4 only; the difference knows better."""
    x = np.random.default_rng(0).normal(size=(1, 8)) + apart * np.random.default_rng(1).normal(size=(20, 8))
    x = x.astype("float32").astype("float64")
    distance = np.sqrt(((x[:, None] - x[None]) ** 2).sum(-1)) + np.where(np.eye(20), np.inf, 0)
    expected = -np.log(distance.min(1) + 1e-8)
    np.testing.assert_allclose(values(kl.KoLeo(normalize=False), x), expected, rtol=1e-4)


def test_ko_leo_neighbours_that_tie_share_the_gradient():
    x = np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 5.0]])
    loss = kl.KoLeo(normalize=False, epsilon=0.0, reduction="none")
    slope = value_and_gradient(lambda p: loss(None, p), x, "float64", np.array([1.0, 0.0, 0.0, 0.0]))[1]
    # Of -log |x_0 - x_j|, half for each of the two.
    np.testing.assert_allclose(slope, [[0, 0], [-0.5, 0], [0.5, 0], [0, 0]], atol=1e-12)


def test_ko_leo_duplicates_have_no_slope():
    x = np.repeat(np.random.default_rng(0).normal(size=(3, 1, 4)), 3, axis=0)
    value, slope = value_and_gradient(lambda p: kl.KoLeo(reduction="none")(None, p), x)
    np.testing.assert_allclose(value, -np.log(1e-8), rtol=1e-5)
    assert (slope == 0).all()


@pytest.mark.parametrize(("loss", "argument"), [(kl.DINO(), None), (kl.IBOT(), np.ones((4, 3)))])
def test_a_center_that_is_a_tensor(loss, argument):
    y_pred = sample(loss)[1].astype("float32")
    center = (0.5, -0.25, 0.125, 1.0)
    own = type(loss)(center=center)
    expected = values(own, y_pred, argument)
    assert (expected != values(loss, y_pred, argument)).all()
    np.testing.assert_allclose(values(loss, y_pred, argument, center=np.array(center)), expected, rtol=1e-6)
    np.testing.assert_allclose(values(own, y_pred, argument, center=np.zeros(4)), values(loss, y_pred, argument), rtol=1e-6)
    np.testing.assert_allclose(getattr(kl, loss.name)(argument, y_pred, center=center), expected, rtol=1e-6)
    for wrong in (center[:3], (0.0, *center)):
        with pytest.raises(ValueError, match="one number a logit"):
            type(loss)(center=wrong)(argument, y_pred)


def test_the_teacher_has_no_gradient():
    for loss, argument in ((kl.DINO(), None), (kl.IBOT(), np.ones((4, 3))), (kl.NegativeCosine(), None)):
        slope = gradient(lambda p: loss(argument, p), sample(loss)[1])
        half = slope.shape[1] // 2
        assert (slope[:, half:] == 0).all()
        assert np.abs(slope[:, :half]).max() > 0


def test_ibot_looks_at_hidden_patches_only():
    y_true, y_pred = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]]), np.random.default_rng(0).normal(size=(3, 2, 3, 4))
    expected, slope = value_and_gradient(lambda p: kl.IBOT()(y_true, p), y_pred)
    broken = np.where(y_true[:, None, :, None] != 0, y_pred, np.nan)
    value, seen = value_and_gradient(lambda p: kl.IBOT()(y_true, p), broken)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(seen, slope, rtol=1e-6)
    np.testing.assert_allclose(value, values(kl.IBOT(), y_pred, y_true)[[0, 2]].mean(), rtol=1e-6)


# -- the nuclear norm ---------------------------------------------------------------------------------------------------------

_RNG = np.random.default_rng(0)
_Q = np.linalg.qr(_RNG.normal(size=(4, 4)))[0]
MATRICES = {
    "tall": _RNG.normal(size=(5, 3)),
    "wide": _RNG.normal(size=(3, 5)),
    "stacked": _RNG.normal(size=(2, 3, 4)),
    "equal": 2 * _Q[:, :3],
    "rank-one": np.outer([1.0, 2, 3], [1.0, -1, 2, 0]),
    "rank-two-equal": _Q[:, :2] @ _Q[:2],
    "zero": np.zeros((3, 2)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_nuclear_norm(name):
    x = MATRICES[name]
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    value, slope = value_and_gradient(math.nuclear_norm, x, "float64")
    np.testing.assert_allclose(value, s.sum(-1), rtol=1e-12)
    np.testing.assert_allclose(slope, (u * (s > 1e-9)[..., None, :]) @ vt, atol=1e-12)
    single, slope32 = value_and_gradient(math.nuclear_norm, x)
    np.testing.assert_allclose(single, s.sum(-1), rtol=1e-5)
    np.testing.assert_allclose(slope32, slope, atol=1e-5)


@pytest.mark.parametrize("name", MATRICES)
def test_second_derivative_of_the_nuclear_norm(name):
    """The difference of the gradients, along a path that keeps the rank."""
    x, rng = MATRICES[name], np.random.default_rng(1)
    n, m = x.shape[-2:]
    left, right, step = rng.normal(size=(n, n)), rng.normal(size=(m, m)), 1e-5
    moved = ((np.eye(n) + h * left) @ x @ (np.eye(m) + h * right) for h in (step, -step))
    ahead, behind = (gradient(math.nuclear_norm, y, "float64") for y in moved)
    got = second_derivative(math.nuclear_norm, x, left @ x + x @ right, "float64")
    np.testing.assert_allclose(got, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-7)
    assert np.isfinite(second_derivative(math.nuclear_norm, x, rng.normal(size=x.shape))).all()


def test_log_det():
    x = _RNG.normal(size=(5, 3))
    value, slope = value_and_gradient(lambda t: math.log_det(ops.transpose(t) @ t), x, "float64")
    np.testing.assert_allclose(value, np.linalg.slogdet(x.T @ x)[1], rtol=1e-12)
    np.testing.assert_allclose(slope, 2 * x @ np.linalg.inv(x.T @ x), rtol=1e-9)


# -- compiled -----------------------------------------------------------------------------------------------------------------


def counted(step):
    """The step, compiled, and a function that says how often it has been."""
    traced = []

    def tracing(*arguments):
        traced.append(1)
        return step(*arguments)

    if keras.backend.backend() == "torch":
        import torch
        from torch._dynamo.testing import CompileCounter

        torch._dynamo.reset()
        counter = CompileCounter()
        return torch.compile(step, backend=counter, dynamic=True), lambda: counter.frame_count
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(tracing, jit_compile=True), lambda: len(traced)
    return compiled(tracing), lambda: len(traced)


@parametrized(EVERY)
def test_a_second_call_compiles_nothing(loss):
    call, times = counted(lambda t, p, w: loss(t, p, sample_weight=w))
    for seed in range(3):
        y_true, y_pred = sample(loss, seed=seed)
        weight = np.array([1.0, 0.0, 2.0, float(seed)])
        arguments = [ops.convert_to_tensor(x.astype("float32")) for x in (y_true, y_pred, weight)]
        expected = loss(*arguments[:2], sample_weight=arguments[2])
        np.testing.assert_allclose(ops.convert_to_numpy(call(*arguments)), ops.convert_to_numpy(expected), rtol=1e-4, atol=1e-5)
    assert times() == 1
