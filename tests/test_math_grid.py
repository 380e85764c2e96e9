"""The distance transform and windows: values against scipy and against loops, at every edge, compiled."""

import itertools

import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from keras_losses import math as m
from keras_losses.testing import gradient
from keras_losses.testing.gradients import compiled


def masks(*shape, share=0.9, seed=0):
    return np.random.default_rng(seed).random(shape) < share


def transform(x, *args, **kwargs):
    return ops.convert_to_numpy(m.distance_transform(x, *args, **kwargs))


def of_scipy(x, sampling=None):
    return np.stack([ndimage.distance_transform_edt(grid, sampling) for grid in x])


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    "shape", [(3, 1), (2, 40), (2, 7, 1), (2, 1, 7), (2, 8, 8), (2, 9, 17), (1, 5, 33), (2, 4, 5, 6), (1, 9, 3, 11)]
)
def test_against_scipy(shape, share):
    x = masks(*shape, share=share, seed=sum(shape))
    x[:, *(n // 2 for n in shape[1:])] = False  # scipy gives no number where nothing is false
    np.testing.assert_allclose(transform(x), of_scipy(x), rtol=2e-6)
    np.testing.assert_allclose(transform(x, squared=True), np.round(of_scipy(x) ** 2), rtol=0)


@pytest.mark.parametrize("sampling", [(1.0, 1.0), (0.5, 2.0), (3.0, 0.1)])
def test_sampling(sampling):
    x = masks(2, 9, 12)
    np.testing.assert_allclose(transform(x, sampling=sampling), of_scipy(x, sampling), rtol=2e-6)
    np.testing.assert_allclose(transform(x, sampling=0.5), of_scipy(x, 0.5), rtol=2e-6)


def test_against_a_loop():
    x = masks(4, 5, 4, share=0.7)
    for grid, got in zip(x, transform(x), strict=True):
        holes = np.argwhere(~grid)
        for place in np.ndindex(grid.shape):
            assert got[place] == pytest.approx(np.sqrt(((holes - place) ** 2).sum(1).min()), rel=1e-6)


def test_axes():
    x = masks(2, 5, 6, 3)
    x[:, 0] = False
    expected = np.stack([of_scipy(x[..., c]) for c in range(3)], axis=-1)
    for axes in ((1, 2), (2, 1), (-3, -2)):
        np.testing.assert_allclose(transform(x, axes), expected, rtol=2e-6)
    np.testing.assert_allclose(transform(x, 1)[0, :, 0, 0], of_scipy(x[:, :, 0, 0])[0], rtol=2e-6)


@pytest.mark.parametrize("dtype", ["bool", "int32", "float16", "float32"])
def test_dtypes(dtype):
    x = masks(1, 6, 7, share=0.7)
    got = m.distance_transform(ops.cast(ops.convert_to_tensor(x), dtype))
    assert ops.convert_to_numpy(got).dtype == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(got), of_scipy(x), rtol=2e-6)


def test_nothing_and_everything():
    for shape in ((2, 9), (2, 4, 9), (2, 3, 4, 5)):
        assert (transform(np.zeros(shape)) == 0).all()
        assert (transform(np.ones(shape)) == np.inf).all()
    mixed = np.stack([np.zeros((3, 4)), np.ones((3, 4))])
    np.testing.assert_array_equal(transform(mixed), np.where(mixed == 1, np.inf, 0))
    assert transform(np.zeros((0, 3, 4))).shape == (0, 3, 4)
    hole = np.ones((1, 5, 5))
    hole[0, 0, 0] = 0
    np.testing.assert_allclose(transform(hole)[0], np.hypot(*np.indices((5, 5))), rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 11), (2, 9, 10), (1, 4, 5, 9)])
def test_compiled(shape):
    """Without a graph break, and with an unknown batch where there is one."""
    x = masks(*shape, share=0.8)
    got = compiled(m.distance_transform)(ops.convert_to_tensor(x))
    np.testing.assert_allclose(ops.convert_to_numpy(got), transform(x), rtol=1e-6)


def test_it_is_a_constant():
    x = np.array([[0.0, 0.5, 2.0, 0.0]])
    assert (gradient(lambda t: ops.sum(t * m.distance_transform(t)), x) == [[0, 1, 1, 0]]).all()


def test_refuses():
    for kwargs in ({"sampling": (1.0,)}, {"axes": 1, "sampling": (1.0, 2.0)}):
        with pytest.raises(ValueError, match="one spacing each"):
            m.distance_transform(np.ones((1, 3, 3)), **kwargs)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_shifts(size):
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    got = np.stack([ops.convert_to_numpy(s) for s in m.shifts(ops.convert_to_tensor(x), 1, size, fill=7.0)])
    half = size // 2
    for k, i in itertools.product(range(size), range(4)):
        expected = x[:, i + k - half] if 0 <= i + k - half < 4 else 7.0
        np.testing.assert_array_equal(got[k][:, i], np.broadcast_to(expected, (2, 3)))


def test_windows():
    x = np.random.default_rng(1).normal(size=(2, 5, 6)).astype("float32")
    t = ops.convert_to_tensor(x)
    cube, plus = np.ones((1, 3, 3)), ndimage.generate_binary_structure(2, 1)[None]
    got = ops.convert_to_numpy(m.window_max(t, (1, 2)))
    np.testing.assert_array_equal(got, ndimage.maximum_filter(x, footprint=cube, mode="nearest"))
    around = np.stack([ops.convert_to_numpy(s) for s in m.cross(t, (1, 2))])
    np.testing.assert_allclose(around.sum(0), ndimage.convolve(x, plus, mode="constant"), rtol=1e-5, atol=1e-6)


def test_ties_in_a_window_share_the_gradient():
    """Every place of a constant grid is the maximum of its window as much as its neighbours are."""
    line = gradient(lambda t: ops.sum(m.window_max(t, (1,))), np.full((1, 4), 0.5))
    np.testing.assert_allclose(line, [[1 / 2 + 1 / 3, 1 / 2 + 2 / 3, 1 / 2 + 2 / 3, 1 / 2 + 1 / 3]], rtol=1e-6)
