"""Losses of where pixels lie: empty and full regions, single pixels, ties, masks, large half-precision images, and errors."""

import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import value_and_gradient

MAPS = {
    "boundary": kl.Boundary(reduction="none"),
    "hausdorff": kl.HausdorffDistance(reduction="none"),
    "erosion": kl.HausdorffErosion(reduction="none", iterations=4),
    "centerline": kl.CenterlineDice(reduction="none"),
}
FLAT = ((0.0, 1.0), (1.0, 0.0))
MATRIX = ((0.0, 1.0, 1.0), (1.0, 0.0, 0.5), (1.0, 0.5, 0.0))


def targets():
    """Empty, full, one pixel, one hole, a square, a line, noise: one class each."""
    y = np.zeros((7, 6, 7, 1))
    y[1] = 1
    y[2, 3, 3] = 1
    y[3], y[3, 0, 0] = 1, 0
    y[4, 1:5, 1:5] = 1
    y[5, 2] = 1
    y[6] = np.random.default_rng(0).integers(0, 2, (6, 7, 1))
    return y


PREDICTIONS = {
    "zeros": np.zeros_like,
    "ones": np.ones_like,
    "halves": lambda y: np.full_like(y, 0.5),
    "perfect": np.copy,
    "opposite": lambda y: 1 - y,
    "nearly": lambda y: np.abs(y - 1e-7),
}


@pytest.mark.parametrize("predicted", PREDICTIONS)
@pytest.mark.parametrize("name", MAPS)
def test_edges(name, predicted, record):
    y = targets()
    value, slope = value_and_gradient(lambda p: MAPS[name](y, p), PREDICTIONS[predicted](y))
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    # Compared across the backends.
    record[f"edge/{name}/{predicted}/value"], record[f"edge/{name}/{predicted}/gradient"] = value, slope
    if predicted == "perfect" and name != "boundary":
        np.testing.assert_allclose(value, 0, atol=1e-6)
    if name == "boundary":
        np.testing.assert_array_equal(value[:2], 0)  # no border
        np.testing.assert_array_equal(slope[:2], 0)


@pytest.mark.parametrize("name", ["boundary", "hausdorff", "centerline"])  # a cross has more arms in more dimensions
def test_all_ranks_agree(name):
    """One axis or three: further axes of one pixel change nothing."""
    y, p = targets()[6:, :, :1], np.random.default_rng(1).uniform(0.0, 1.0, (1, 6, 1, 1))
    flat = ops.convert_to_numpy(MAPS[name](y[:, :, 0], p[:, :, 0]))
    for more in (1, 2):
        shape = (1, 6, *[1] * more, 1)
        got = ops.convert_to_numpy(MAPS[name](y.reshape(shape), p.reshape(shape)))
        np.testing.assert_allclose(got, flat, rtol=1e-5, atol=1e-6)


HALF = 512


def halves():
    """A half plane of 1024 x 1024, and the other half predicted, in half precision."""
    y = np.zeros((1, 2 * HALF, 2 * HALF, 1), "float16")
    y[:, :HALF] = 1
    return y, (1 - y).astype("float16")


@pytest.mark.parametrize("name", ["boundary", "hausdorff"])
def test_large_half_precision_distances(name):
    """Of the distances 1 to 512 on either side: their mean, and twice the mean of their squares."""
    k = np.arange(1, HALF + 1, dtype=float)
    y, p = halves()
    expected = {"boundary": k.sum() / (2 * HALF), "hausdorff": 4 * (k**2).sum() / (2 * HALF)}[name]
    assert float(MAPS[name](y, p)[0]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["erosion", "centerline"])
def test_large_half_precision_windows(name):
    """Stripes three pixels wide: eroded to lines, of which none lies in the stripes between."""
    lines = 2 * HALF // 8
    y, p = np.zeros((2, 1, 2 * HALF, 2 * HALF, 1), "float16")
    for row in (1, 2, 3):
        y[:, row::8], p[:, row + 4 :: 8] = 1, 1
    got = float(MAPS[name](y, p)[0])
    if name == "centerline":
        share = 1 / (lines * 2 * HALF + 1)
        assert got == pytest.approx(1 - share, rel=1e-6)
    else:
        assert got == pytest.approx(float(MAPS[name](y.astype("float32"), p.astype("float32"))[0]), rel=1e-6)
        assert got > 0.2


def test_what_no_erosion_reaches_has_no_centre_line():
    """The half plane is thicker than `iterations` erosions: nothing of it is skeleton, and nothing is told."""
    y = np.zeros((1, 32, 32, 1))
    y[:, :16] = 1
    assert float(kl.CenterlineDice(iterations=3)(y, 1 - y)) == 0
    assert float(kl.CenterlineDice(iterations=16)(y, 1 - y)) > 0.9


def test_large_half_precision_labels():
    """Sums over a million pixels are exact to float32."""
    y = np.zeros((1, 2 * HALF, 2 * HALF), "int32")
    y[:, :HALF] = 1
    logits = np.zeros((*y.shape, 2), "float16")
    dice = kl.GeneralizedWassersteinDice(distance_matrix=FLAT, from_logits=True)
    # Half of each pixel is wrong: E = N / 2, TP = N / 4.
    assert float(dice(y, logits)) == pytest.approx(0.5, rel=1e-6)
    calibration = kl.NeighborAwareCalibration(from_logits=True, kernel_size=1, reduction="none")
    np.testing.assert_allclose(ops.convert_to_numpy(calibration(y, logits)), np.log(2) + 0.1 / 2, rtol=1e-6)


def test_large_alpha():
    y, p = np.zeros((1, 64, 1)), np.zeros((1, 64, 1))
    y[:, 0], p[:, :] = 1, 0.75
    value, slope = value_and_gradient(lambda t: kl.HausdorffDistance(alpha=8.0)(y, t), p)
    d = np.arange(1.0, 64)
    assert value == pytest.approx((0.75**2 * (d**8).sum() + 0.25**2) / 64, rel=2e-5)
    assert np.isfinite(slope).all()


# -- masks ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("empty", ["count", "skip"])
def test_a_masked_pixel_does_not_count(name, empty):
    loss = type(MAPS[name]).from_config({**MAPS[name].get_config(), "empty": empty})
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 2, (4, 5, 6, 2)).astype(float), rng.uniform(size=(4, 5, 6, 2))
    mask = rng.random((4, 5, 6)) < 0.7
    mask[3] = False
    expected, slope = value_and_gradient(lambda t: loss(y, t, mask=mask), p)
    out = ~mask[..., None] & np.ones(2, bool)
    assert (slope[out] == 0).all()
    assert expected[3] == 0
    y[out], p[out] = 1 - y[out], np.nan
    np.testing.assert_allclose(ops.convert_to_numpy(loss(y, p, mask=mask)), expected, rtol=1e-5, atol=1e-6)
    everywhere = ops.convert_to_numpy(loss(y, np.nan_to_num(p), mask=np.ones((4, 5, 6), bool)))
    np.testing.assert_allclose(everywhere, ops.convert_to_numpy(loss(y, np.nan_to_num(p))), rtol=1e-5, atol=1e-6)


def test_a_masked_pixel_is_on_no_side():
    """1 1 ? 0 0: the nearest known pixels on the other side are 3, 2, 2 and 3 away."""
    y, mask = np.array([1.0, 1, 0, 0, 0]).reshape(1, 5, 1), np.array([[True, True, False, True, True]])
    assert float(kl.Boundary()(y, np.ones_like(y), mask=mask)) == pytest.approx((-2 - 1 + 2 + 3) / 4)
    distance = kl.HausdorffDistance()(y, 1 - y, mask=mask)
    assert float(distance) == pytest.approx(2 * (9 + 4 + 4 + 9) / 4)


@pytest.mark.parametrize("from_logits", [False, True])
def test_ignored_and_masked_labels(from_logits):
    """An ignored label and a masked one are the same; a sample of which nothing is left does not count."""
    rng = np.random.default_rng(4)
    y, z = rng.integers(0, 3, (3, 4, 5)), rng.uniform(0.1, 1.0, (3, 4, 5, 3))
    mask = rng.random((3, 4, 5)) < 0.7
    mask[2] = False
    for loss in (kl.GeneralizedWassersteinDice(distance_matrix=MATRIX), kl.NeighborAwareCalibration()):
        config = {**loss.get_config(), "from_logits": from_logits}
        masked = type(loss).from_config(config)
        ignoring = type(loss).from_config({**config, "ignore_class": -1})
        value, slope = value_and_gradient(lambda t, one=masked: one(y, t, mask=mask), z)
        other, also = value_and_gradient(lambda t, one=ignoring: one(np.where(mask, y, -1), t), z)
        np.testing.assert_allclose(other, value, rtol=1e-6)
        np.testing.assert_allclose(also, slope, rtol=1e-5, atol=1e-7)
        assert (slope[~mask] == 0).all()


# -- single losses ----------------------------------------------------------------------------------------------------------


def test_boundary_pulls_towards_the_border():
    """More probability far inside lowers the loss, far outside it raises it."""
    y = np.zeros((1, 20, 1))
    y[:, :10] = 1
    slope = value_and_gradient(lambda p: kl.Boundary()(y, p), np.full_like(y, 0.5))[1][0, :, 0]
    np.testing.assert_allclose(slope * 20, [*range(-9, 1), *range(1, 11)], rtol=1e-6)


def test_erosion_tells_one_region_from_many():
    y, many, one = np.zeros((3, 1, 12, 12, 1))
    many[:, ::2, ::2], one[:, 3:9, 3:9] = 1, 1  # 36 pixels each
    loss = kl.HausdorffErosion(iterations=5)
    assert float(loss(y, one)) > 1
    assert float(loss(y, many)) == 0


def test_centerline_sees_a_gap_more_than_a_thinner_line():
    y = np.zeros((1, 9, 41, 1))
    y[:, 3:6] = 1
    gap, thin = y.copy(), y.copy()
    gap[:, :, 20:24], thin[:, 3] = 0, 0  # as many pixels of a border
    loss = kl.CenterlineDice()
    assert float(loss(y, gap)) > 3 * float(loss(y, thin))
    assert float(loss(y, y)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "matrix",
    [
        ((0.0,),),
        ((0.0, 0.0), (0.0, 0.0)),
        ((0.0, 1.0), (1.0,)),
        ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0)),
        ((0.1, 1.0), (1.0, 0.0)),
        ((0.0, -1.0), (1.0, 0.0)),
        ((0.0, float("nan")), (1.0, 0.0)),
        (),
        (0.0, 1.0),
        "distances",
        None,
    ],
)
def test_wrong_matrices(matrix):
    with pytest.raises(ValueError, match="distance_matrix"):
        kl.GeneralizedWassersteinDice(distance_matrix=matrix)


def test_matrix():
    loss = kl.GeneralizedWassersteinDice(distance_matrix=np.asarray(MATRIX))
    assert loss.distance_matrix == MATRIX
    assert kl.GeneralizedWassersteinDice.from_config(loss.get_config()).distance_matrix == MATRIX
    with pytest.raises(ValueError, match="3 classes, there are 2"):
        loss(np.zeros((1, 4), int), np.ones((1, 4, 2)))
    with pytest.raises(TypeError):
        kl.GeneralizedWassersteinDice()


def test_refusals():
    y = np.zeros((1, 4, 4, 1))
    for call, text in (
        (lambda: kl.Boundary(include_background=False)(y, y), "no class left"),
        (lambda: kl.HausdorffDistance(class_weight=(1.0, 2.0))(y, y), "class_weight"),
        (lambda: kl.Boundary(sampling=(1.0,))(y, y), "2 spatial axes"),
        (lambda: kl.HausdorffDistance(sampling=(1.0, 1.0, 1.0))(y, y), "2 spatial axes"),
        (lambda: kl.Boundary(sampling=(0.0, 1.0)), "sampling"),
        (lambda: kl.HausdorffDistance(alpha=0.0), "alpha"),
        (lambda: kl.HausdorffErosion(iterations=-1), "iterations"),
        (lambda: kl.NeighborAwareCalibration(kernel_size=4), "odd"),
        (lambda: kl.NeighborAwareCalibration(norm="l3"), "norm"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
