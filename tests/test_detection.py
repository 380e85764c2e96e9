"""Losses of detectors where boxes are degenerate, far from the origin, or told in another format."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.core.names import snake_case
from keras_losses.testing import gradient, second_derivative, value_and_gradient
from keras_losses.testing.gradients import compiled_value_and_gradient
from tests.reference._boxes import EDGES, FORMATS, draw, encode

BOXES = {
    "IoU": kl.IoU(),
    "IoU-linear": kl.IoU(mode="linear"),
    "IoU-quadratic": kl.IoU(mode="quadratic"),
    "GIoU": kl.GIoU(),
    "DIoU": kl.DIoU(),
    "CIoU": kl.CIoU(),
    "EIoU": kl.EIoU(),
    "FocalEIoU": kl.FocalEIoU(),
    "SIoU": kl.SIoU(),
    "SIoU-theta": kl.SIoU(theta=2),
    "AlphaIoU": kl.AlphaIoU(),
    "AlphaIoU-small": kl.AlphaIoU(alpha=0.2),
    "MPDIoU": kl.MPDIoU(image_size=(480, 640)),
    "WiseIoU": kl.WiseIoU(),
    "NormalizedWasserstein": kl.NormalizedWasserstein(),
    "BoundedIoU": kl.BoundedIoU(),
    "BoundedIoU-L1": kl.BoundedIoU(beta=0),
}
ROTATED = {
    "ProbIoU": kl.ProbIoU(),
    "ProbIoU-l2": kl.ProbIoU(mode="l2"),
    "GaussianWasserstein": kl.GaussianWasserstein(),
    "GaussianWasserstein-sqrt": kl.GaussianWasserstein(transform="sqrt"),
    "GaussianKullbackLeibler": kl.GaussianKullbackLeibler(),
    "GaussianKullbackLeibler-sqrt": kl.GaussianKullbackLeibler(transform="sqrt"),
}
OF_ONE_SCALE = ("NormalizedWasserstein", "MPDIoU")


def changed(loss, **config):
    return type(loss).from_config({**loss.get_config(), **config})


def values(loss, y_true, y_pred, dtype="float32"):
    function = changed(loss, reduction="none", dtype=dtype)
    return value_and_gradient(lambda p: function(np.asarray(y_true), p), np.asarray(y_pred), dtype)[0]


def degenerate():
    """Every pair of the reference's edges in both orders, as they are, in the far corner of a large image, and tiny."""
    true, pred = (np.stack(x) for x in zip(*EDGES.values(), strict=True))
    both = np.concatenate([true, pred]), np.concatenate([pred, true])
    return tuple(np.concatenate([x, x + 1e4, x / 1024]) for x in both)


def degenerate_rotated():
    true, pred = degenerate()
    turn = np.linspace(-4, 4, len(true))[:, None]
    return tuple(np.concatenate([encode(x, "center_xywh"), angle], axis=-1) for x, angle in ((true, turn), (pred, turn**2)))


PAIRS = {name: (loss, degenerate) for name, loss in BOXES.items()} | {
    n: (loss, degenerate_rotated) for n, loss in ROTATED.items()
}


@pytest.mark.parametrize("name", PAIRS)
def test_degenerate_boxes(name):
    """Value, gradient and second derivative are finite, and compiled they are the same."""
    loss, pairs = changed(PAIRS[name][0], reduction="sum"), PAIRS[name][1]
    y_true, y_pred = (x.astype("float32") for x in pairs())
    assert np.isfinite(values(loss, y_true, y_pred)).all()
    value, slope = value_and_gradient(lambda p: loss(y_true, p), y_pred)
    assert np.isfinite(slope).all()
    direction = np.cos(np.arange(y_pred.size)).reshape(y_pred.shape)
    assert np.isfinite(second_derivative(lambda p: loss(y_true, p), y_pred, direction)).all()
    tensors = [ops.convert_to_tensor(x) for x in (y_true, y_pred)]
    found, again = compiled_value_and_gradient(loss, *tensors, wrt=1)
    np.testing.assert_allclose(found, value, rtol=1e-4)
    assert np.isfinite(again).all()
    # Fused multiplications round differently: a gradient of 1e7 on a box of 1e-7 is told by its largest entries.
    np.testing.assert_allclose(again, slope, rtol=1e-3, atol=1e-5 * max(1.0, np.abs(slope).max()))


@pytest.mark.parametrize("name", BOXES)
def test_small_boxes_far_from_the_origin(name):
    """The place in the image changes nothing: coordinates of 1e4 and boxes of a pixel, in float32."""
    y_true, y_pred = (np.round(draw(seed, 50) * 64) / 256 for seed in (1, 2))
    here, there = (values(BOXES[name], y_true + shift, y_pred + shift) for shift in (0.0, 8192.0))
    np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("name", [name for name in BOXES if name not in OF_ONE_SCALE])
def test_the_unit_changes_nothing(name):
    y_true, y_pred = draw(3, 50), draw(4, 50)
    np.testing.assert_allclose(
        values(BOXES[name], y_true / 4096, y_pred / 4096), values(BOXES[name], y_true, y_pred), rtol=1e-6
    )


@pytest.mark.parametrize("name", BOXES)
def test_formats_agree(name):
    y_true, y_pred = draw(5, 20), draw(6, 20)
    expected = values(BOXES[name], y_true, y_pred, "float64")
    for kind in FORMATS:
        if kind.startswith("rel_") and name == "MPDIoU":
            continue
        loss = changed(BOXES[name], bounding_box_format=kind)
        np.testing.assert_allclose(values(loss, encode(y_true, kind), encode(y_pred, kind), "float64"), expected, rtol=1e-10)


def test_relative_formats_of_mpdiou_are_measured_in_pixels():
    y_true, y_pred = draw(7, 20), draw(8, 20)
    expected = values(BOXES["MPDIoU"], y_true, y_pred, "float64")
    scale = np.array([640, 480, 640, 480])
    for kind in [kind for kind in FORMATS if kind.startswith("rel_")]:
        loss = changed(BOXES["MPDIoU"], bounding_box_format=kind)
        relative = encode(y_true / scale, kind), encode(y_pred / scale, kind)
        np.testing.assert_allclose(values(loss, *relative, "float64"), expected, rtol=1e-10)
    with pytest.raises(TypeError, match="image_size"):
        kl.MPDIoU()


def test_formats_are_those_of_keras():
    boxes = draw(9, 5)
    for kind in FORMATS:
        size = {"height": 1, "width": 1} if kind.startswith("rel_") else {}
        theirs = keras.utils.bounding_boxes.convert_format(boxes, "xyxy", kind, **size)
        np.testing.assert_allclose(ops.convert_to_numpy(theirs), encode(boxes, kind), rtol=1e-6)
    with pytest.raises(ValueError, match="rel_center_xywh"):
        kl.GIoU(bounding_box_format="xyxyn")


@pytest.mark.parametrize("name", BOXES)
def test_swapped_corners_change_nothing(name):
    y_true, y_pred = draw(10, 20), draw(11, 20)
    swapped = y_pred[:, [2, 1, 0, 3]]
    np.testing.assert_allclose(values(BOXES[name], y_true, swapped), values(BOXES[name], y_true, y_pred), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_a_perfect_box_stays(name):
    loss = changed(PAIRS[name][0], reduction="sum")
    y_true = draw(12, 20) if name in BOXES else np.concatenate([encode(draw(12, 20), "center_xywh"), np.ones((20, 1))], axis=-1)
    value, slope = value_and_gradient(lambda p: loss(y_true, p), y_true)
    np.testing.assert_allclose(value, 0, atol=1e-6)
    np.testing.assert_allclose(slope, 0, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["GIoU", "DIoU", "CIoU", "EIoU", "SIoU", "MPDIoU", "WiseIoU", "NormalizedWasserstein", "FocalEIoU"]
)
def test_a_flat_box_grows(name):
    """A box without height across its target has a gradient that opens it; the weight of FocalEIoU is 0 there."""
    whole, flat = np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[2.0, 4.0, 9.0, 4.0]])
    slope = gradient(lambda p: BOXES[name](whole, p), flat)[0]
    assert slope[3] - slope[1] < 0 or name == "FocalEIoU"


@pytest.mark.parametrize("name", ["GIoU", "DIoU", "CIoU", "EIoU", "SIoU", "MPDIoU", "WiseIoU", "NormalizedWasserstein"])
def test_boxes_apart_are_drawn_together(name):
    target, apart = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[7.0, 0.0, 10.0, 2.0]])
    slope = gradient(lambda p: BOXES[name](target, p), apart)[0]
    assert slope[0] + slope[2] > 0


@pytest.mark.parametrize("mode", ["log", "linear", "quadratic"])
def test_without_overlap_the_iou_has_no_gradient(mode):
    target, apart = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[7.0, 0.0, 10.0, 2.0]])
    assert not gradient(lambda p: kl.IoU(mode=mode)(target, p), apart).any()


def test_the_farther_the_larger_is_siou():
    target = np.array([[0.0, 0.0, 2.0, 2.0]] * 4)
    for step in ([1.0, 0, 1, 0], [1.0, 1, 1, 1]):
        assert (np.diff(values(kl.SIoU(), target, target + np.outer([2, 3, 5, 9], step))) > 0).all()


def test_the_weight_of_focal_eiou_rewards_no_escape():
    target, over = np.array([[0.0, 0.0, 4.0, 4.0]]), np.array([[3.0, 3.0, 7.0, 7.0]])
    slope = gradient(lambda p: kl.FocalEIoU()(target, p), over)[0]
    assert slope[0] + slope[2] > 0


@pytest.mark.parametrize("name", PAIRS)
def test_padding_is_left_out(name):
    """(B, N) masks or weights over padded boxes, whatever the padding holds."""
    loss = PAIRS[name][0]
    y_true, y_pred = draw(13, 2, 3), draw(14, 2, 3)
    if name in ROTATED:
        y_true, y_pred = (np.concatenate([encode(x, "center_xywh"), x[..., :1]], axis=-1) for x in (y_true, y_pred))
    keep = np.array([[True, True, False], [True, False, False]])
    expected = values(loss, y_true[keep], y_pred[keep])
    y_true[~keep], y_pred[~keep] = -1, np.nan
    value, slope = value_and_gradient(lambda p: loss(y_true, p, mask=keep), y_pred)
    np.testing.assert_allclose(value, expected.mean(), rtol=1e-5)
    assert np.isfinite(slope).all()
    weighted = changed(loss, reduction="mean_with_sample_weight")(y_true, y_pred, sample_weight=keep.astype(float))
    np.testing.assert_allclose(ops.convert_to_numpy(weighted), expected.mean(), rtol=1e-5)


def test_rotated_boxes_have_no_seam():
    """A turn by pi, or by pi / 2 with the sides changed, is the same box: value and gradient go on across the seam."""
    y_true, box = np.array([[1.0, 2.0, 5.0, 2.0, 0.3]]), np.array([[1.5, 1.0, 4.0, 3.0, 1.2]])
    same = [box + np.eye(5)[4] * np.pi, np.array([[1.5, 1.0, 3.0, 4.0, 1.2 - np.pi / 2]])]
    for loss in ROTATED.values():
        expected = value_and_gradient(lambda p, loss=loss: loss(y_true, p), box)
        for other, order in zip(same, ([0, 1, 2, 3, 4], [0, 1, 3, 2, 4]), strict=True):
            value, slope = value_and_gradient(lambda p, loss=loss: loss(y_true, p), other)
            np.testing.assert_allclose(value, expected[0], rtol=1e-5)
            np.testing.assert_allclose(slope, expected[1][:, order], rtol=1e-4, atol=1e-6)


def test_names():
    names = ["IoU", "GIoU", "MPDIoU", "FocalEIoU", "AlphaIoU", "ProbIoU", "SmoothL1"]
    expected = ["iou", "giou", "mpdiou", "focal_eiou", "alpha_iou", "prob_iou", "smooth_l1"]
    assert [snake_case(name) for name in names] == expected
    assert kl.get("focal_eiou", gamma=1.0).gamma == 1.0


# -- offsets and keypoints --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0.1, 1.0, 4.0])
def test_balanced_l1_is_least_at_zero(beta):
    errors = np.linspace(-2 * beta, 2 * beta, 41)[:, None]
    found = values(kl.BalancedL1(beta=beta), np.zeros_like(errors), errors)
    assert found[20] == 0
    assert (np.diff(found[20:]) > 0).all()
    np.testing.assert_allclose(found, found[::-1], rtol=1e-5, atol=1e-9)


def test_balanced_l1_refuses_what_overflows():
    with pytest.raises(ValueError, match="80 alpha"):
        kl.BalancedL1(alpha=0.01)


def test_smooth_l1_is_huber_over_delta():
    x, y = np.random.default_rng(0).normal(size=(2, 4, 4))
    np.testing.assert_allclose(values(kl.SmoothL1(beta=0.3), x, y), values(kl.Huber(delta=0.3), x, y) / 0.3, rtol=1e-5)


@pytest.mark.parametrize("loss", [kl.Wing(), kl.AdaptiveWing(), kl.SmoothL1(beta=0.7), kl.BalancedL1(beta=0.7)])
def test_pieces_meet(loss):
    """At the threshold value and, the classic wing aside, slope go on."""
    edge = getattr(loss, "width", None) or getattr(loss, "theta", None) or loss.beta
    y, x = np.zeros((2, 1)), edge + np.array([[-1e-6], [1e-6]])
    value, slope = value_and_gradient(lambda p: changed(loss, reduction="none", dtype="float64")(y, p), x, "float64")
    np.testing.assert_allclose(value[0], value[1], rtol=1e-4)
    if not isinstance(loss, kl.Wing):
        np.testing.assert_allclose(slope[0], slope[1], rtol=1e-4)


@pytest.mark.parametrize("alpha", [1.5, 2.1])
def test_adaptive_wing_is_finite_at_zero(alpha):
    y = np.array([[0.0, 0.5, 1.0]])
    loss = kl.AdaptiveWing(alpha=alpha)
    for error in (0.0, 1e-30, 1e-7, 1e-3):
        assert np.isfinite(gradient(lambda p: loss(y, p), y + error)).all()
        assert np.isfinite(second_derivative(lambda p: loss(y, p), y + error, np.ones_like(y))).all()


def people(*shape):
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 50, (*shape, 17, 2))
    return np.concatenate([points, np.full((*shape, 17, 1), 2.0)], axis=-1), points


def test_similarity_of_keypoints():
    y_true, points = people(3)
    assert values(kl.ObjectKeypointSimilarity(), y_true, points).max() == 0
    far = points + 1e4
    for mode, alive in (("linear", False), ("log", True)):
        loss = kl.ObjectKeypointSimilarity(mode=mode)
        value, slope = value_and_gradient(lambda p, loss=loss: loss(y_true, p), far)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()
        assert slope.any() == alive
        assert np.isfinite(second_derivative(lambda p, loss=loss: loss(y_true, p), far, np.ones_like(far))).all()


def test_objects_without_keypoints_do_not_count():
    """Nor do those of no area, unless the target holds one; a weight of 0 leaves the number of objects as it is."""
    y_true, points = people(3)
    y_true[1, :, 2] = 0
    y_true[2, 1:, 2] = 0
    loss = kl.ObjectKeypointSimilarity()
    alone = values(loss, y_true[:1], points[:1] + 1)
    np.testing.assert_allclose(ops.convert_to_numpy(loss(y_true, points + 1)), alone[0], rtol=1e-5)
    given = np.concatenate([y_true, np.full((3, 17, 1), 900.0)], axis=-1)
    found = values(changed(loss, area="target"), given, points + 1)
    assert found[1] == 0
    assert 0 < found[2] < 1
    weighted = loss(y_true[[0, 0]], points[[0, 0]] + 1, sample_weight=np.array([1.0, 0.0]))
    np.testing.assert_allclose(ops.convert_to_numpy(weighted), alone[0] / 2, rtol=1e-5)


def test_every_keypoint_needs_a_sigma():
    y_true, points = people(2)
    with pytest.raises(ValueError, match="object_keypoint_similarity"):
        kl.ObjectKeypointSimilarity(sigmas=(0.1, 0.1))(y_true, points)
    with pytest.raises(ValueError, match="sigmas"):
        kl.ObjectKeypointSimilarity(sigmas=())
