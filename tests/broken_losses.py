"""Losses as people write and post them, each with one defect, beside the same loss mended.

`GALLERY` is what `check_loss` must tell apart: it finds `id` in `loss` and does not find it in `healthy`.
"""

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
from keras import ops

import keras_losses as kl
from tests._broken_code import (
    Annealed,
    ContrastsByDesign,
    DifferenceOfNeighbours,
    ForgetsLambda,
    ForgetsPower,
    KeepsPower,
    NormalizedByBatch,
    Registered,
    SmoothsAnything,
    Unregistered,
    calls_numpy_method,
    counts_calls,
    divides_by_batch,
    float_scale,
    huber_with_if,
    huber_with_where,
    item_scale,
    larger_of_two,
    loops_over_batch,
    numpy_mean,
    picks_positives,
    powered,
    random_scale,
    registered_function,
    weighted,
)
from tests._broken_numerics import (
    CastsToSingle,
    SparseByOneHot,
    SparseWithContract,
    SpreadOfSample,
    VarianceOfSample,
    dice_without_smooth,
    euclidean_distance,
    far_from_zero,
    log_before_where,
    log_behind_where,
    log_of_cosh,
    log_of_sigmoid,
    log_of_sigmoid_by_hand,
    mean_behind_where,
    mean_over_positives,
    plain_binary_crossentropy,
    plain_cosine,
    rmse,
    safe_binary_crossentropy,
    safe_cosine,
    safe_mean_over_positives,
    safe_rmse,
    sparse_by_float,
    sparse_by_integer,
    tiny_epsilon,
)
from tests._broken_values import (
    AlwaysSums,
    AveragesItself,
    ColumnMeetsRow,
    DividesByTheBatch,
    DividesByTheWeights,
    LooksAtTheBatch,
    MeanSquared,
    Pinball,
    SoftDice,
    StretchesOverClasses,
    Typo,
    accuracy_loss,
    argmax_distance,
    between_one_and_two,
    bhattacharyya,
    clipped_crossentropy,
    detached_scale,
    dice_scalar,
    elementwise_error,
    expected_distance,
    f1_loss,
    focal_by_sigmoid,
    focal_in_log_space,
    forgot_to_return,
    fourth_power,
    log_of_any,
    mean_over_samples,
    misspelled,
    mse_a_sample,
    mse_scalar,
    safe_bhattacharyya,
    soft_f1,
    stretches_over_samples,
    two_terms,
)


@dataclasses.dataclass(frozen=True)
class Broken:
    """One loss of the gallery.

    Args:
        id: the finding that names its defect.
        loss: what a user gives to `compile`.
        healthy: the same, mended.
        note: where people meet it.
        data: `(y_true, y_pred)` for a loss whose data cannot be guessed.
    """

    id: str
    loss: Any
    healthy: Any
    note: str
    data: tuple[Any, Any] | None = None

    @property
    def name(self):
        return getattr(self.loss, "__name__", None) or type(self.loss).__name__


rng = np.random.default_rng(0)
BINARY = (rng.integers(0, 2, (4, 3)).astype("float32"), rng.uniform(0.1, 0.9, (4, 3)).astype("float32"))
IMAGES = (rng.integers(0, 2, (4, 5, 5, 1)).astype("float32"), rng.uniform(0.1, 0.9, (4, 5, 5, 1)).astype("float32"))
LABELS = (np.array([0, 1, 2, 1]), rng.dirichlet(np.ones(3), 4).astype("float32"))


GALLERY = [
    Broken("scalar-output", mse_scalar, MeanSquared, "ops.mean without an axis: the most common custom loss there is"),
    Broken("scalar-output", dice_scalar, SoftDice, "segmentation tutorials: Dice over the whole batch", IMAGES),
    Broken("scalar-output", keras.losses.Dice(), kl.Dice(), "Keras's own Dice", IMAGES),
    Broken("wrong-return", forgot_to_return, mse_a_sample, "a forgotten return"),
    Broken("wrong-return", two_terms, mse_a_sample, "two losses in a tuple: averaged, or the second dropped"),
    Broken("wrong-return", mean_over_samples, mse_a_sample, "axis=0 where -1 was meant", BINARY),
    Broken("raises", misspelled, mse_a_sample, "a name that keras.ops does not have"),
    Broken("raises", Typo, MeanSquared, "an attribute that is not there"),
    Broken("broadcasts-column", ColumnMeetsRow, MeanSquared, "a keras.losses.Loss: (N,) targets, Dense(1) predictions"),
    Broken("broadcasts-classes", StretchesOverClasses, MeanSquared, "integer labels (N, 1) given to a one-hot loss"),
    Broken("broadcasts-classes", keras.losses.MeanSquaredError(), kl.MeanSquaredError(), "Keras's own losses too"),
    Broken("accepts-other-batch", stretches_over_samples, Pinball, "a generator whose last target batch has one sample"),
    Broken("weight-axis", elementwise_error, MeanSquared, "values (N, H, W, C) and weights (N,): the last axis is weighed"),
    Broken("weight-axis", keras.losses.MeanAbsoluteError(), kl.MeanAbsoluteError(), "keras#15181"),
    Broken("zero-weight-counts", AveragesItself, MeanSquared, "overriding __call__ to return the mean"),
    Broken("zero-weight-counts", LooksAtTheBatch, MeanSquared, "a mean over the batch inside the formula"),
    Broken("mask-ignored", AveragesItself, MeanSquared, "overriding __call__: Keras hands the mask to nobody"),
    Broken("mask-not-renormalised", DividesByTheBatch, MeanSquared, "multiplying by the mask, then taking the mean"),
    Broken("nothing-counts", DividesByTheWeights, MeanSquared, "dividing by a sum of weights that may be 0"),
    Broken("reductions", AlwaysSums, MeanSquared, "overriding __call__ and ignoring `reduction`"),
    Broken("gradient-zero", accuracy_loss, soft_f1, "accuracy as a loss: round has no gradient", BINARY),
    Broken("gradient-zero", f1_loss, soft_f1, "F1 of thresholded predictions", BINARY),
    Broken("gradient-zero", argmax_distance, expected_distance, "a distance of argmax classes",
           (np.eye(3, dtype="float32")[[0, 1, 2, 1]], LABELS[1])),
    Broken("gradient-not-finite", bhattacharyya, safe_bhattacharyya, "sqrt(y_true * y_pred): the slope at 0, times 0", BINARY),
    Broken("value-not-finite", log_of_any, mse_a_sample, "log of a linear output", (BINARY[0] + 1, BINARY[1] - 0.5)),
    Broken("gradient-wrong", detached_scale, fourth_power, "stop_gradient around a part that should learn"),
    Broken("gradient-dead", clipped_crossentropy, kl.BinaryCrossentropy, "clipping probabilities at 1e-3", BINARY),
    Broken("gradient-dead", focal_by_sigmoid, focal_in_log_space, "focal loss of clip(sigmoid(x))",
           (BINARY[0], 4 * BINARY[1] - 2)),
    Broken("gradient-dead", keras.losses.CategoricalFocalCrossentropy(from_logits=True),
           kl.CategoricalFocalCrossentropy(from_logits=True), "Keras's focal loss from logits"),
    Broken("second-derivative", between_one_and_two, fourth_power, "|x|^1.5: its curvature at 0 has no bound"),
    Broken("nan-at-perfect", rmse, safe_rmse, "root mean squared error: NaN as soon as it is right"),
    Broken("nan-at-perfect", euclidean_distance, safe_rmse, "a Euclidean distance, of keypoints or embeddings"),
    Broken("nan-at-ties", SpreadOfSample, VarianceOfSample, "a standard deviation as a penalty: equal predictions"),
    Broken("nan-at-empty", dice_without_smooth, soft_f1, "Dice without smoothing: an empty mask", BINARY),
    Broken("nan-at-empty", mean_over_positives, safe_mean_over_positives, "a mean over positives, without any", BINARY),
    Broken("nan-at-zero", plain_binary_crossentropy, safe_binary_crossentropy, "log of a probability of 0", BINARY),
    Broken("nan-at-zero", plain_cosine, safe_cosine, "cosine similarity of a zero vector"),
    Broken("nan-at-zero", keras.losses.CategoricalGeneralizedCrossEntropy(), kl.CategoricalGeneralizedCrossEntropy(),
           "a power of a probability of 0: Keras's own"),
    Broken("nan-behind-where", log_behind_where, log_before_where, "where(x > 0, log(x), 0): the branch not taken"),
    Broken("nan-behind-where", mean_behind_where, safe_mean_over_positives, "where(n > 0, total / n, 0)", BINARY),
    Broken("value-not-finite", log_of_cosh, kl.log_cosh, "log(cosh(x)) by its definition"),
    Broken("value-not-finite", log_of_sigmoid_by_hand, log_of_sigmoid, "log(1 + exp(x)): overflow from x = 89",
           (BINARY[0], 4 * BINARY[1] - 2)),
    Broken("half-not-finite", tiny_epsilon, CastsToSingle, "log(p + 1e-8) with mixed_float16", BINARY),
    Broken("half-inaccurate", far_from_zero, MeanSquared, "an expanded square in half precision"),
    Broken("float32-inaccurate", far_from_zero, MeanSquared, "an expanded square of large numbers"),
    Broken("float32-inaccurate", keras.losses.LogCosh(), kl.LogCosh(), "Keras's log-cosh of small errors"),
    Broken("labels-damaged", sparse_by_float, sparse_by_integer, "labels cast to the dtype of the prediction: class 257 is 256",
           LABELS),
    Broken("labels-damaged", keras.losses.SparseCategoricalCrossentropy(), kl.SparseCategoricalCrossentropy(),
           "keras#15012: Keras casts labels to the dtype of the loss"),
    Broken("labels-unchecked", SparseByOneHot, SparseWithContract, "one_hot of a label out of range is all zeros: loss 0"),
    Broken("python-branch", huber_with_if, huber_with_where, "`if` on a tensor"),
    Broken("python-branch", larger_of_two, huber_with_where, "Python's max of two tensors"),
    Broken("numpy-call", numpy_mean, mse_a_sample, "NumPy in a loss"),
    Broken("python-float", float_scale, mse_a_sample, "float(tensor)"),
    Broken("python-float", item_scale, mse_a_sample, "tensor.item(), from PyTorch"),
    Broken("python-float", calls_numpy_method, mse_a_sample, "tensor.numpy(), from eager TensorFlow"),
    Broken("boolean-index", picks_positives, soft_f1, "y_pred[y_true > 0]", BINARY),
    Broken("unknown-batch", loops_over_batch, mse_a_sample, "a loop over range(y_pred.shape[0])"),
    Broken("unknown-batch", divides_by_batch, mse_a_sample, "y_pred.shape[0] in the formula"),
    Broken("not-compilable", random_scale, mse_a_sample, "a random number of Python: drawn once, when the step is compiled"),
    Broken("retraces", Annealed, MeanSquared, "a weight that a Python attribute anneals"),
    Broken("retraces", counts_calls, mse_a_sample, "a global that counts steps"),
    Broken("batch-order", DifferenceOfNeighbours, MeanSquared, "neighbours in the batch taken for neighbours in time"),
    Broken("batch-split", NormalizedByBatch, ContrastsByDesign, "a statistic of the batch in the value of a sample"),
    Broken("config-incomplete", ForgetsPower, KeepsPower, "a subclass without get_config: keras#8056"),
    Broken("config-incomplete", ForgetsLambda, KeepsPower, "a get_config that forgets one argument"),
    Broken("config-incomplete", keras.losses.Huber(delta=0.1), kl.Huber(delta=0.1), "Keras's Huber forgets delta"),
    Broken("not-loadable", weighted(2.0), KeepsPower, "a function that returns a loss"),
    Broken("not-loadable", lambda t, p: ops.mean(ops.square(p - t), axis=-1), registered_function, "a lambda in compile"),
    Broken("not-loadable", functools.partial(powered, power=3.0), KeepsPower, "functools.partial"),
    Broken("not-registered", Unregistered, Registered, "load_model without custom_objects"),
    Broken("not-registered", mse_a_sample, registered_function, "a function that Keras does not know"),
    Broken("argument-unchecked", SmoothsAnything, kl.BinaryCrossentropy, "label_smoothing=2 trains the wrong class", BINARY),
    Broken("argument-unchecked", keras.losses.BinaryCrossentropy(), kl.BinaryCrossentropy(), "Keras's own losses too"),
    Broken("wrong-value", keras.losses.Tversky(alpha=0.9, beta=0.1), kl.Tversky(alpha=0.9, beta=0.1),
           "Keras swaps alpha and beta"),
    Broken("wrong-value", keras.losses.Dice(), kl.Dice(), "Keras's Dice of an empty mask"),
]  # fmt: skip
