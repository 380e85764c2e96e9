"""Cross-entropies and their kin where it is hard: labels that do not count, masks, stacked views, extreme arguments."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import sample, value_and_gradient
from keras_losses.testing.gradients import second_derivative

RNG = np.random.default_rng(7)
BINARY = (kl.BinaryCrossentropy, kl.BinaryFocalCrossentropy, kl.PolyFocalCrossentropy)
DENSE = (kl.CategoricalCrossentropy, kl.CategoricalFocalCrossentropy, kl.PolyCrossentropy, kl.Sparsemax)
SPARSE = (
    kl.SparseCategoricalCrossentropy,
    kl.SparseCategoricalFocalCrossentropy,
    kl.ComplementCrossentropy,
    kl.JensenShannonConsistency,
)


def number(x):
    return float(ops.convert_to_numpy(x))


def unreduced(loss, *arguments, **more):
    return ops.convert_to_numpy(type(loss)(**{**loss.get_config(), "reduction": "none"})(*arguments, **more))


# -- labels that do not count -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", BINARY)
@pytest.mark.parametrize("label", [-1, 255])
def test_an_unknown_output_does_not_count(cls, label):
    """The loss of the known outputs alone, whatever is predicted for the others."""
    loss = cls(from_logits=True, ignore_class=label)
    y, z = RNG.integers(0, 2, (5, 4)).astype(float), RNG.normal(size=(5, 4))
    known = RNG.uniform(size=(5, 4)) < 0.6
    known[0], known[1] = False, True
    y, z = np.where(known, y, label), np.where(known, z, np.nan)
    value, slope = value_and_gradient(lambda p: loss(y, p), z)
    rows = [number(cls(from_logits=True)(y[i, known[i]][None], z[i, known[i]][None])) for i in range(5) if known[i].any()]
    np.testing.assert_allclose(value, np.mean(rows), rtol=1e-5)
    assert (slope[~known] == 0).all()
    assert (slope[known] != 0).all()


@pytest.mark.parametrize("cls", BINARY)
def test_a_mask_of_outputs(cls):
    """A mask as fine as the outputs says what `ignore_class` says; both together leave what both leave."""
    y, z = RNG.integers(0, 2, (3, 2, 4)).astype(float), RNG.normal(size=(3, 2, 4))
    keep = RNG.uniform(size=(3, 2, 4)) < 0.5
    keep[0] = False
    for reduction in ("none", "sum_over_batch_size"):
        masked = cls(from_logits=True, reduction=reduction)(y, z, mask=keep)
        marked = cls(from_logits=True, reduction=reduction, ignore_class=-1)(np.where(keep, y, -1), z)
        np.testing.assert_allclose(ops.convert_to_numpy(masked), ops.convert_to_numpy(marked), rtol=1e-6)
    half = np.zeros_like(keep)
    half[..., :2] = True
    both = cls(from_logits=True, ignore_class=-1)(np.where(keep, y, -1), z, mask=half)
    one = cls(from_logits=True, ignore_class=-1)(np.where(keep & half, y, -1), z)
    np.testing.assert_allclose(number(both), number(one), rtol=1e-6)


@pytest.mark.parametrize(
    "pair",
    [
        (kl.CategoricalCrossentropy, kl.SparseCategoricalCrossentropy),
        (kl.CategoricalFocalCrossentropy, kl.SparseCategoricalFocalCrossentropy),
    ],
)
@pytest.mark.parametrize("ignore", [None, 0, 2, -1, 255])
@pytest.mark.parametrize("axis", [-1, 1])
def test_dense_is_sparse_of_one_hot_labels(pair, ignore, axis):
    """Whatever id is ignored: one-hot encoding makes zeros of one that is no class."""
    dense, sparse = (cls(from_logits=True, ignore_class=ignore, label_smoothing=0.1, axis=axis) for cls in pair)
    ids = RNG.integers(0, 3, (4, 5))
    if ignore in (-1, 255):
        ids[1], ids[2, 2] = ignore, ignore
    rows = np.array([[[float(c == i) for c in range(3)] for i in line] for line in ids])
    z = np.moveaxis(RNG.normal(size=(4, 5, 3)), -1, axis)
    np.testing.assert_allclose(number(dense(np.moveaxis(rows, -1, axis), z)), number(sparse(ids, z)), rtol=1e-5)


@pytest.mark.parametrize("cls", DENSE)
def test_a_padded_row_is_ignored(cls):
    """Not in the number that the sum is divided by, and NaN in its prediction does no harm."""
    y, z = np.eye(3)[[0, 2, 1, 1]], RNG.normal(size=(4, 3))
    expected = number(cls(from_logits=True)(y[:2], z[:2]))
    y[2:], z[2:] = 0, np.nan
    value, slope = value_and_gradient(lambda p: cls(from_logits=True, ignore_class=-1)(y, p), z)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    assert (slope[2:] == 0).all()


@pytest.mark.parametrize("cls", BINARY + DENSE + SPARSE)
def test_all_ignored(cls):
    loss = cls(from_logits=True, ignore_class=-1)
    y, z = sample(loss, spatial=(2,))
    y = np.zeros_like(y) if cls in DENSE else np.full_like(y, -1)
    value, slope = value_and_gradient(lambda p: loss(y, p), z)
    assert value == 0
    assert (slope == 0).all()


@pytest.mark.parametrize("cls", BINARY + DENSE + SPARSE)
def test_ignored_labels_are_no_errors_while_debugging(cls):
    loss = cls(from_logits=True, ignore_class=255)
    y, z = sample(loss, spatial=(2,))
    y[0] = 0 if cls in DENSE else 255
    with kl.debugging():
        loss(y, z)
        with pytest.raises(ValueError, match="y_true"):
            cls(from_logits=True)(y, z)


IDS = np.arange(40) % 3
ONES = np.ones((40, 3))
SCORES = RNG.normal(size=(40, 3))
KNOWN = RNG.uniform(size=(40, 3)) < 0.7


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "found"),
    [
        (kl.BinaryCrossentropy(from_logits=True, ignore_class=-1), np.where(KNOWN, 1.0, -1.0), SCORES, []),
        (kl.BinaryCrossentropy(from_logits=True, ignore_class=255), np.where(KNOWN, 1.0, 255.0), SCORES, []),
        (kl.BinaryCrossentropy(from_logits=True, ignore_class=-1), -ONES, SCORES, ["all-ignored"]),
        (kl.CategoricalCrossentropy(from_logits=True, ignore_class=-1), np.eye(3)[IDS] * KNOWN[:, :1], SCORES, []),
        (kl.CategoricalCrossentropy(from_logits=True, ignore_class=-1), 0 * ONES, SCORES, ["all-ignored"]),
        (kl.CategoricalCrossentropy(from_logits=True, ignore_class=1), np.eye(3)[[1] * 40], SCORES, ["all-ignored"]),
        (kl.CategoricalCrossentropy(from_logits=True), np.eye(3)[IDS] * KNOWN[:, :1], SCORES, ["targets-are-multi-label"]),
    ],
)
def test_diagnose_knows_what_is_ignored(loss, y_true, y_pred, found):
    assert [finding.id for finding in kl.diagnose(loss, y_true, y_pred).findings] == found


def test_weight_0_still_counts_in_the_mean():
    """As in Keras: a weight changes the sum, a label that is ignored the number too."""
    y, z = np.array([[1.0, -1.0], [1.0, 0.0]]), np.zeros((2, 2))
    loss = kl.BinaryCrossentropy(from_logits=True, ignore_class=-1)
    np.testing.assert_allclose(number(loss(y, z, sample_weight=np.array([0.0, 1.0]))), np.log(2) / 2, rtol=1e-6)
    np.testing.assert_allclose(number(loss(y, z, mask=np.array([False, True]))), np.log(2), rtol=1e-6)


def test_a_field_of_that_name_is_left_alone_in_a_regression():
    class Own(kl.Loss):
        ignore_class: int | None = 1

        def call(self, y_true, y_pred):
            return ops.mean(ops.square(y_true - y_pred), axis=-1)

    assert number(Own()(np.ones((2, 2)), np.zeros((2, 2)))) == 1


# -- stacked views ----------------------------------------------------------------------------------------------------------


def test_weights_and_masks_of_views_have_the_axes_of_the_labels():
    """Places, of which there are as many as views, and more; a masked one may hold NaN in all of its views."""
    for places in (3, 5):
        loss = kl.JensenShannonConsistency(from_logits=True)
        y, z = RNG.integers(0, 4, (2, places)), RNG.normal(size=(2, 3, places, 4))
        values = unreduced(loss, y, z)
        weight = RNG.uniform(size=(2, places))
        np.testing.assert_allclose(unreduced(loss, y, z, sample_weight=weight), values * weight, rtol=1e-5)
        keep = np.ones((2, places), bool)
        keep[0, 1] = keep[1, 0] = False
        bad = np.where(keep[:, None, :, None], z, np.nan)
        value, slope = value_and_gradient(lambda p, y=y, keep=keep, loss=loss: loss(np.where(keep, y, 99), p, mask=keep), bad)
        np.testing.assert_allclose(value, values[keep].mean(), rtol=1e-5)
        assert (slope[np.broadcast_to(~keep[:, None, :, None], slope.shape)] == 0).all()
        ignored = kl.JensenShannonConsistency(from_logits=True, ignore_class=99)(np.where(keep, y, 99), bad)
        np.testing.assert_allclose(number(ignored), values[keep].mean(), rtol=1e-5)
        with pytest.raises(ValueError, match="sample_weight with shape"):
            loss(y, z, sample_weight=np.ones((2, places + 1)))


def test_diagnose_matches_a_mask_with_the_labels():
    y, z = np.arange(200).reshape(40, 5) % 3, RNG.normal(size=(40, 1, 5, 3))
    views, keep = np.concatenate([z, z + 0.1], axis=1), np.broadcast_to(np.arange(5) < 3, (40, 5))
    assert not kl.diagnose(kl.JensenShannonConsistency(from_logits=True), y, views, None, keep).findings


def test_only_the_first_view_is_scored():
    y, z = np.array([0, 1]), RNG.normal(size=(2, 3, 4))
    loss = kl.JensenShannonConsistency(from_logits=True, alpha=0.0)
    expected = kl.SparseCategoricalCrossentropy(from_logits=True)(y, z[:, 0])
    np.testing.assert_allclose(number(loss(y, z)), number(expected), rtol=1e-6)


# -- what a loss becomes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("from_logits", [False, True])
def test_special_cases(from_logits):
    """Each generalization at the arguments where it is the loss it generalizes."""
    for general, special in (
        (kl.PolyCrossentropy(epsilon=0), kl.CategoricalCrossentropy()),
        (kl.PolyFocalCrossentropy(epsilon=0), kl.BinaryFocalCrossentropy()),
        (kl.PolyFocalCrossentropy(epsilon=0, alpha=0.3), kl.BinaryFocalCrossentropy(alpha=0.3, apply_class_balancing=True)),
        (kl.SparseCategoricalFocalCrossentropy(alpha=1, gamma=0), kl.SparseCategoricalCrossentropy()),
        (kl.ComplementCrossentropy(gamma=0), kl.SparseCategoricalCrossentropy()),
    ):
        general, special = (type(x).from_config({**x.get_config(), "from_logits": from_logits}) for x in (general, special))
        np.testing.assert_allclose(unreduced(general, *sample(general)), unreduced(special, *sample(special)), rtol=1e-5)


def test_positional_arguments_are_those_of_keras():
    """The sparse focal loss has the order of the dense one."""
    assert kl.SparseCategoricalFocalCrossentropy(0.5, 1.0, True, 255, 1).get_config().items() >= {
        ("alpha", 0.5),
        ("gamma", 1.0),
        ("from_logits", True),
        ("ignore_class", 255),
        ("axis", 1),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: kl.PolyCrossentropy(epsilon=-1.1),
        lambda: kl.PolyFocalCrossentropy(epsilon=-2),
        lambda: kl.PolyFocalCrossentropy(alpha=1.5),
        lambda: kl.JensenShannonConsistency(alpha=-1),
        lambda: kl.SparseCategoricalFocalCrossentropy(gamma=(1.0, -1.0)),
        lambda: kl.SparseCategoricalFocalCrossentropy(gamma=(1.0, 2.0))(np.array([0]), np.ones((1, 3))),
        lambda: kl.BinaryFocalCrossentropy(pos_weight=(1.0, 2.0))(np.ones((1, 3)), np.ones((1, 3))),
        lambda: kl.BinaryCrossentropy(ignore_class=0.5),
    ],
)
def test_arguments_out_of_range(wrong):
    with pytest.raises(ValueError):  # noqa: PT011
        wrong()


@pytest.mark.filterwarnings("ignore:You are using a softmax:UserWarning")  # Keras's, of the same mistake
@pytest.mark.parametrize("cls", DENSE + SPARSE)
def test_one_class(cls):
    """Nothing to choose: 0, told as a likely mistake."""
    loss = cls(from_logits=True)
    y, z = sample(loss, C=1)
    with pytest.warns(SyntaxWarning, match="one class"):
        value, slope = value_and_gradient(lambda p: loss(y, p), z)
    np.testing.assert_allclose(value, 0, atol=1e-6)
    assert np.isfinite(slope).all()


# -- numbers at the edge ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 1.0, 5.0, 50.0])
@pytest.mark.parametrize("cls", [kl.BinaryFocalCrossentropy, kl.PolyFocalCrossentropy, kl.SparseCategoricalFocalCrossentropy])
def test_any_gamma(cls, gamma):
    """Value, gradient and curvature are finite, and a wrong logit is pulled back, however sure."""
    loss = cls(from_logits=True, gamma=gamma, reduction="sum")
    for scale in (0.0, 1.0, 20.0, 100.0, 1e4):
        if cls is kl.SparseCategoricalFocalCrossentropy:
            y, z = np.array([0, 0]), scale * np.array([[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0]])
        else:
            y, z = np.array([[1.0, 0.0]] * 2), scale * np.array([[1.0, -1.0], [-1.0, 1.0]])
        value, slope = value_and_gradient(lambda p, y=y: loss(y, p), z)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()
        assert np.isfinite(second_derivative(lambda p, y=y: loss(y, p), z, np.ones_like(z))).all()
        assert scale < 20 or slope[1, 0] < -0.1


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e8])
def test_complement_shares_do_not_depend_on_a_shift(scale):
    """The entropy is that of the others, exactly, however large the logits are."""
    z = np.array([[scale, -scale, -scale, -scale], [-scale, scale, scale, scale]])
    loss = kl.ComplementCrossentropy(from_logits=True, gamma=-3.0, reduction="none")
    expected = np.log(3) * -1 + np.array([np.log1p(3 * np.exp(-2 * scale)), np.logaddexp(0, 2 * scale + np.log(3))])
    np.testing.assert_allclose(ops.convert_to_numpy(loss(np.zeros(2, int), z)), expected, rtol=1e-6)


# -- sparsemax --------------------------------------------------------------------------------------------------------------


def projected(z):
    """The distribution nearest to `z`, by bisection for its threshold."""
    low, high = z.max() - 1, z.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(z - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(z - low, 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0, 1e4])
@pytest.mark.parametrize("classes", [2, 7, 1000])
def test_the_gradient_is_the_sparsemax_minus_the_label(classes, scale, dtype):
    z = np.round(scale * RNG.normal(size=(3, classes)), 3)  # with ties, among many
    y = np.eye(classes)[RNG.integers(0, classes, 3)]
    loss = kl.Sparsemax(from_logits=True, reduction="sum", dtype=dtype)
    z = z.astype(dtype).astype("float64")
    _, slope = value_and_gradient(lambda p: loss(y, p), z, dtype)
    expected = np.array([projected(row) for row in z]) - y
    np.testing.assert_allclose(slope, expected, atol=1e-12 if dtype == "float64" else 2e-6)


def test_second_derivatives_of_sparsemax():
    """The Jacobian of the sparsemax: the identity less the mean, inside the support."""
    z = np.array([[0.9, 0.6, 0.5, -2.0]])
    loss = kl.Sparsemax(from_logits=True, reduction="sum", dtype="float64")
    inside = np.array([1.0, 1.0, 1.0, 0.0])
    jacobian = np.diag(inside) - np.outer(inside, inside) / 3
    for v in np.eye(4):
        curved = second_derivative(lambda p: loss(np.eye(4)[:1], p), z, v[None], "float64")
        np.testing.assert_allclose(curved[0], jacobian @ v, atol=1e-12)


def test_sparsemax_of_probabilities_is_the_least_loss_of_their_logits():
    logits = RNG.normal(size=(20, 5))
    y, p = np.eye(5)[RNG.integers(0, 5, 20)], np.array([projected(row) for row in logits])
    of_p = unreduced(kl.Sparsemax(), y, p)
    np.testing.assert_allclose(of_p, unreduced(kl.Sparsemax(from_logits=True), y, p), atol=1e-6)
    assert (of_p <= unreduced(kl.Sparsemax(from_logits=True), y, logits) + 1e-6).all()


# -- half precision ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", BINARY + DENSE + SPARSE)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_labels_and_logits(cls, dtype):
    """Labels to be ignored survive the dtype of the prediction, and saturated logits stay finite."""
    loss = cls(from_logits=True, ignore_class=255, reduction="sum")
    y, z = sample(loss)
    y[0] = 0 if cls in DENSE else 255
    z = 100.0 * np.sign(z)
    half = ops.cast(ops.convert_to_tensor(z.astype("float32")), dtype)
    true = ops.cast(ops.convert_to_tensor(y.astype("float32")), dtype) if cls in BINARY else y
    np.testing.assert_allclose(number(loss(true, half)), number(loss(y, z)), rtol=1e-6)
    assert keras.backend.standardize_dtype(loss(true, half).dtype) == "float32"
