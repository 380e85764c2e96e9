"""One loss of each family through the code generator of PyTorch; the other checks stop at its capture."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses as kl
from keras_losses.testing import compiled, gradient, sample, value_and_gradient

FAMILIES = {
    "regression": kl.Huber(),
    "classification": kl.CategoricalFocalCrossentropy(from_logits=True),
    "detection": kl.SIoU(theta=3.5),
    "detection of rotated boxes": kl.ProbIoU(),
    "detection of keypoints": kl.ObjectKeypointSimilarity(),
    "detection by heatmaps": kl.AdaptiveWing(),
    "imbalance": kl.GradientHarmonized(from_logits=True),
    "noisy_labels": kl.CategoricalGeneralizedCrossEntropy(),
    "segmentation": kl.Tversky(),
    "segmentation of sorted pixels": kl.LovaszSoftmax(),
    "metric_learning": kl.Circle(gamma=2.0),
    "ranking": kl.PositionalListMLE(),
    "ranking by a metric": kl.LambdaLoss(topn=3),
    "ranking by smooth ranks": kl.ApproxNDCG(),
    "ranking by a permutation": kl.NeuralSort(),
    "self_supervised": kl.CLIP(),
    "self_supervised by singular values": kl.MaximumManifoldCapacity(lambda_param=0.5),
    "sequence": kl.CTC(),
    "sum": 0.5 * kl.BinaryCrossentropy() + kl.Dice(),
}


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="inductor is PyTorch's; jit and XLA run in the conformance table"
)
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_inductor(family):
    loss = FAMILIES[family]
    y_true, y_pred = sample(loss.terms[0] if family == "sum" else loss, spatial=(2,))
    y_true = ops.convert_to_tensor(y_true if y_true.dtype.kind == "i" else y_true.astype("float32"))
    call = compiled(lambda p: loss(y_true, p), torch_backend="inductor")
    value, slope = value_and_gradient(lambda p: loss(y_true, p), y_pred)
    np.testing.assert_allclose(ops.convert_to_numpy(call(ops.convert_to_tensor(y_pred.astype("float32")))), value, rtol=1e-5)
    np.testing.assert_allclose(gradient(call, y_pred), slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("length", [1e-20, 1e20])
def test_lengths_survive_the_compiler(length):
    """A compiler may not rearrange the scaling that keeps squares finite."""
    x = ops.convert_to_tensor((length * np.array([[3.0, 4.0], [4.0, 3.0]])).astype("float32"))
    y = ops.convert_to_tensor((length * np.array([[4.0, 3.0], [4.0, 3.0]])).astype("float32"))
    loss = kl.CosineSimilarity(reduction="none")
    for call in (compiled(lambda t, p: loss(t, p)), lambda t, p: compiled(lambda q: loss(t, q))(p)):  # a constant target too
        np.testing.assert_allclose(ops.convert_to_numpy(call(x, y)), [-0.96, -1.0], rtol=1e-5)
