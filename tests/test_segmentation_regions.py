"""Region losses where they are tried: whole images in half precision, masks, ignored pixels, soft labels, extreme arguments."""

import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import compiled, value_and_gradient

OVERLAPS = [kl.Dice, kl.Jaccard, kl.Tversky, kl.FocalTversky, kl.GeneralizedDice, kl.AsymmetricFocalTversky]
PROBABILITIES = [*OVERLAPS, kl.UnifiedFocal, kl.ExponentialLogarithmic, kl.MatthewsCorrelation, kl.SensitivitySpecificity]
BY_CLASS = [*PROBABILITIES, kl.LovaszHinge]
SIDE = 1024


def number(x):
    return np.asarray(ops.convert_to_numpy(ops.cast(x, "float32")))


def data(cls, seed=0, shape=(2, 6, 3)):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, shape[-1], shape[:-1])
    y = labels if cls is kl.LovaszSoftmax else np.eye(shape[-1])[labels]
    p = rng.uniform(0.05, 1, shape)
    return y, rng.normal(size=shape) if cls is kl.LovaszHinge else p / p.sum(-1, keepdims=True)


# -- whole images in half precision -----------------------------------------------------------------------------------------


def half_image(cls, dtype):
    """The left half of an image, seen with probability 3/4 there and 1/4 elsewhere, in two classes."""
    left = np.zeros((1, SIDE, SIDE))
    left[:, :, : SIDE // 2] = 1
    p = 0.25 + 0.5 * left
    y, p = np.stack([1 - left, left], -1), np.stack([1 - p, p], -1)
    if cls is kl.LovaszSoftmax:
        return left.astype("int32"), ops.cast(p.astype("float32"), dtype)
    return ops.cast(y.astype("float32"), dtype), ops.cast((2 * p - 1 if cls is kl.LovaszHinge else p).astype("float32"), dtype)


# In shares of the pixels of each class: TP = TN = 3/8, FP = FN = 1/8.
_ENTROPY = -np.log(0.75)
HALF_IMAGES = {
    kl.Dice: 1 / 4,
    kl.Jaccard: 2 / 5,
    kl.Tversky: 1 / 4,
    kl.FocalTversky: (1 / 4) ** 0.75,
    kl.GeneralizedDice: 1 / 4,
    kl.AsymmetricFocalTversky: (1 / 4 + (1 / 4) ** 0.25) / 2,
    kl.UnifiedFocal: (_ENTROPY * (0.4 * 0.25**0.5 + 0.6) / 2 + (1 / 4 + (1 / 4) ** 0.5) / 2) / 2,
    kl.AsymmetricFocal: _ENTROPY * (0.3 * 0.25**2 + 0.7) / 2,
    kl.MatthewsCorrelation: 1 - (9 - 1) / 16,
    kl.SensitivitySpecificity: 1 / 16,
    kl.ExponentialLogarithmic: _ENTROPY**0.3,
    # All pixels have one error, and the Jaccard loss of all is 1.
    kl.LovaszHinge: 1 / 2,
    kl.LovaszSoftmax: 1 / 4,
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("cls", HALF_IMAGES)
def test_a_whole_image_in_half_precision(cls, dtype):
    """A sum over 1024 x 1024 pixels overflows in float16, stops growing in bfloat16, and a product of sums in float32."""
    y, p = half_image(cls, dtype)
    np.testing.assert_allclose(number(cls()(y, p)), HALF_IMAGES[cls], rtol=2e-5)


@pytest.mark.parametrize("cls", [kl.Dice, kl.UnifiedFocal, kl.MatthewsCorrelation])
def test_a_whole_image_compiled(cls):
    """TensorFlow's sum of a million equal numbers is off by a thousandth, and its compiler makes one sum of several."""
    y = np.zeros((1, SIDE, SIDE, 2), "float32")
    y[:, : SIDE // 2, :, 0] = y[:, SIDE // 2 :, :, 1] = 1
    p = np.full_like(y, 0.3)
    loss = cls()
    few = number(loss(y[:, SIDE // 2 - 1 : SIDE // 2 + 1, :2], p[:, :2, :2]))
    call = compiled(lambda t, q: loss(t, q))
    np.testing.assert_allclose(number(call(ops.convert_to_tensor(y), ops.convert_to_tensor(p))), few, rtol=2e-5)


@pytest.mark.parametrize("cls", PROBABILITIES)
def test_a_full_mask_in_half_precision(cls):
    ones = ops.ones((1, SIDE, SIDE, 1), "float16")
    np.testing.assert_allclose(number(cls()(ones, ones)), 0, atol=1e-5)
    assert number(cls()(ones, 0 * ones)) > 0.02  # of which SensitivitySpecificity weighs misses with 0.05


# -- masks and ignored pixels -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [*BY_CLASS, kl.LovaszSoftmax])
@pytest.mark.parametrize("shape", [(2, 6, 3), (2, 3, 2, 4)])
def test_a_masked_pixel_is_not_there(cls, shape):
    """Value and gradient are those of the pixels that are left, whatever the others hold."""
    y, p = data(cls, shape=shape)
    mask = np.ones(shape[:-1], bool)
    mask[:, -1] = False
    broken = np.where(mask[..., None], p, np.nan)
    loss = cls(reduction="sum")
    value, slope = value_and_gradient(lambda t: loss(y, t, mask=mask), broken)
    expected, slope_left = value_and_gradient(lambda t: loss(y[:, :-1], t), p[:, :-1])
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(slope[:, :-1], slope_left, rtol=1e-4, atol=1e-6)
    assert (slope[:, -1] == 0).all()


@pytest.mark.parametrize("classes", ["present", "all", (0, 2)])
@pytest.mark.parametrize("from_logits", [False, True])
def test_an_ignored_pixel_is_not_there(classes, from_logits):
    y, p = data(kl.LovaszSoftmax)
    y[:, 4:] = 255
    broken = p.copy()
    broken[:, 4:] = np.inf
    loss = kl.LovaszSoftmax(classes=classes, from_logits=from_logits, ignore_class=255, reduction="sum")
    value, slope = value_and_gradient(lambda t: loss(y, t), broken)
    expected, slope_left = value_and_gradient(lambda t: loss(y[:, :4], t), p[:, :4])
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(slope[:, :4], slope_left, rtol=1e-4, atol=1e-6)
    assert (slope[:, 4:] == 0).all()


def test_a_sample_of_ignored_pixels_does_not_count():
    y, p = data(kl.LovaszSoftmax)
    y[1] = 255
    loss = kl.LovaszSoftmax(ignore_class=255)
    np.testing.assert_allclose(number(loss(y, p)), number(loss(y[:1], p[:1])), rtol=1e-6)
    y[1, 0] = 2
    mask = np.ones((2, 6), bool)
    mask[1, 0] = False  # what the mask leaves of the second sample is ignored
    np.testing.assert_allclose(number(loss(y, p, mask=mask)), number(loss(y[:1], p[:1])), rtol=1e-6)
    mask[0] = False
    value, slope = value_and_gradient(lambda t: loss(y, t, mask=mask), p)
    assert value == 0
    assert (slope == 0).all()


@pytest.mark.parametrize("cls", BY_CLASS)
def test_a_weight_of_zero_is_no_mask(cls):
    """As in Keras, weights do not change the number that a mean is divided by; an absent region and a mask do."""
    y, p = data(cls)
    for loss in (cls(), cls(empty="skip")):
        first = number(loss(y[:1], p[:1]))
        np.testing.assert_allclose(number(loss(y, p, sample_weight=np.array([1.0, 0.0]))), first / 2, rtol=1e-5)
        np.testing.assert_allclose(number(loss(y, p, mask=np.array([True, False]))), first, rtol=1e-5)
    y[1] = 0
    np.testing.assert_allclose(number(cls(empty="skip")(y, p)), first, rtol=1e-5)


# -- soft labels ------------------------------------------------------------------------------------------------------------

SOFT = np.array([[[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]])


@pytest.mark.parametrize("cls", OVERLAPS)
def test_soft_labels_are_smallest_at_the_target(cls):
    value, slope = value_and_gradient(lambda t: cls(soft_label=True)(SOFT, t), SOFT)
    np.testing.assert_allclose(value, 0, atol=1e-6)
    np.testing.assert_allclose(slope, 0, atol=1e-6)
    nudge = np.array([[[0.05, -0.05], [-0.1, 0.1], [0.02, -0.02]]])
    for near in (SOFT + nudge, SOFT - nudge, np.round(SOFT)):
        assert number(cls(soft_label=True)(SOFT, near)) > 1e-3
    assert number(cls()(SOFT, np.round(SOFT))) < number(cls()(SOFT, SOFT))  # the plain form sends them to the corner


@pytest.mark.parametrize("cls", OVERLAPS)
def test_hard_labels_have_one_form(cls):
    y, p = data(cls)
    np.testing.assert_allclose(number(cls(soft_label=True)(y, p)), number(cls()(y, p)), rtol=1e-5)


# -- arguments --------------------------------------------------------------------------------------------------------------

EXTREMES = [
    (kl.FocalTversky, {"gamma": 1e-3}),
    (kl.FocalTversky, {"gamma": 1e3}),
    (kl.FocalTversky, {"gamma": 2.0, "smooth": 0.0}),
    (kl.Tversky, {"alpha": 0.0, "beta": 0.0, "smooth": 0.0}),
    (kl.Tversky, {"alpha": 1e6, "beta": 1e6}),
    (kl.Dice, {"squared": True, "smooth": 0.0}),
    (kl.Jaccard, {"squared": True, "smooth": 0.0}),
    (kl.GeneralizedDice, {"smooth": 0.0}),
    (kl.AsymmetricFocal, {"gamma": 0.0}),
    (kl.AsymmetricFocal, {"gamma": 0.1}),
    (kl.AsymmetricFocal, {"gamma": 1e3}),
    (kl.AsymmetricFocalTversky, {"gamma": 0.999, "smooth": 0.0}),
    (kl.UnifiedFocal, {"gamma": 0.999, "delta": 1.0, "asymmetric": False}),
    (kl.UnifiedFocal, {"gamma": 0.0, "delta": 0.0, "smooth": 0.0}),
    (kl.ExponentialLogarithmic, {"gamma": 0.01, "smooth": 0.0}),
    (kl.ExponentialLogarithmic, {"gamma": 10.0, "smooth": 0.0}),
    (kl.MatthewsCorrelation, {"smooth": 0.0}),
    (kl.MatthewsCorrelation, {"smooth": 1e6}),
    (kl.SensitivitySpecificity, {"sensitivity_weight": 1.0}),
]


@pytest.mark.parametrize(("cls", "arguments"), EXTREMES)
@pytest.mark.parametrize("empty", ["count", "skip"])
def test_extreme_arguments_are_finite(cls, arguments, empty):
    y, p = data(cls)
    loss = cls(**arguments, **({} if cls is kl.AsymmetricFocal else {"empty": empty}), reduction="sum")
    for true in (y, np.zeros_like(y), np.ones_like(y)):
        for pred in (p, y, 1 - y, np.zeros_like(p), np.ones_like(p), np.full_like(p, 1e-30)):
            value, slope = value_and_gradient(lambda t, true=true: loss(true, t), pred)
            assert np.isfinite(value)
            assert np.isfinite(slope).all()


def test_the_gradient_at_a_perfect_focal_tversky_is_zero():
    y = np.eye(3)[[[0, 1, 2, 1]]]
    for gamma in (0.5, 1.0, 4 / 3, 3.0):
        value, slope = value_and_gradient(lambda t, g=gamma: kl.FocalTversky(gamma=g)(y, t), y)
        assert value == 0
        assert (slope == 0).all()


def test_weights_of_large_volumes_do_not_vanish():
    """The generalized Dice of an image is that of four of it side by side, although its weights are a 16th."""
    y, p = data(kl.GeneralizedDice, shape=(1, 40, 3))
    few = number(kl.GeneralizedDice(smooth=1e-2)(y, p))
    many = number(kl.GeneralizedDice(smooth=4e-2)(np.tile(y, (1, 4, 1)), np.tile(p, (1, 4, 1))))
    np.testing.assert_allclose(few, many, rtol=1e-6)


def test_every_class_has_its_part_in_the_unified_loss():
    """MONAI#8603: the classes from 2 on had none."""
    y, p = data(kl.UnifiedFocal, shape=(1, 40, 4))
    for cls in (kl.UnifiedFocal, kl.AsymmetricFocal, kl.AsymmetricFocalTversky):
        _, slope = value_and_gradient(lambda t, cls=cls: cls()(y, t), p)
        assert (np.abs(slope).max(axis=(0, 1)) > 1e-4).all()


def test_the_unified_loss_is_its_parts():
    y, p = data(kl.UnifiedFocal, shape=(2, 5, 4))
    arguments = {"delta": 0.7, "gamma": 0.3}
    focal, tversky = (number(cls(**arguments)(y, p)) for cls in (kl.AsymmetricFocal, kl.AsymmetricFocalTversky))
    for weight in (0.0, 0.3, 1.0):
        whole = number(kl.UnifiedFocal(weight=weight, **arguments)(y, p))
        np.testing.assert_allclose(whole, weight * focal + (1 - weight) * tversky, rtol=1e-6)
    two = number(kl.UnifiedFocal()(np.stack([1 - y[..., 0], y[..., 0]], -1), np.stack([1 - p[..., 0], p[..., 0]], -1)))
    np.testing.assert_allclose(number(kl.UnifiedFocal()(y[..., :1], p[..., :1])), two, rtol=1e-6)


# -- order ------------------------------------------------------------------------------------------------------------------


def test_the_order_of_pixels_that_tie_changes_no_value():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, (1, 50, 1)).astype(float)
    z = rng.integers(-2, 3, (1, 50, 1)) / 2.0
    order = rng.permutation(50)
    first, second = (number(kl.LovaszHinge()(y[:, i], z[:, i])) for i in (np.arange(50), order))
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_many_pixels():
    """A quarter of a million pixels: weights of a millionth keep their digits, and their sum is 1."""
    rng = np.random.default_rng(6)
    y = rng.integers(0, 2, (1, 512, 512, 1)).astype("float32")
    z = rng.normal(size=y.shape).astype("float32")
    errors, truth = (1 - (2 * y - 1) * z).ravel().astype(float), y.ravel().astype(bool)
    order = np.argsort(-errors)
    wrong = np.arange(1, errors.size + 1) / (truth.sum() + np.cumsum(~truth[order]))
    weights = np.diff(wrong, prepend=0.0)
    value, slope = value_and_gradient(lambda t: kl.LovaszHinge()(y, t), z)
    np.testing.assert_allclose(value, np.sum(np.maximum(errors[order], 0) * weights), rtol=1e-5)
    expected = np.where(errors[order] > 0, -(2 * truth[order] - 1.0) * weights, 0)
    np.testing.assert_allclose(slope.ravel()[order], expected, rtol=1e-4, atol=1e-12)


# -- errors -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [kl.Dice, kl.Jaccard, kl.GeneralizedDice, kl.MatthewsCorrelation, kl.LovaszHinge])
def test_no_class_is_left_without_the_background(cls):
    with pytest.raises(ValueError, match="no class left"):
        cls(include_background=False)(np.ones((1, 4, 1)), np.ones((1, 4, 1)))


def test_classes_that_are_not_there():
    y, p = data(kl.LovaszSoftmax)
    with pytest.raises(ValueError, match="names the class 3, there are 3 classes"):
        kl.LovaszSoftmax(classes=(0, 3))(y, p)
    with pytest.raises(ValueError, match="must name a class"):
        kl.LovaszSoftmax(classes=())
    with pytest.raises(ValueError, match="classes"):
        kl.LovaszSoftmax(classes="some")
