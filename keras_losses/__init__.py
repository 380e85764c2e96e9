"""Losses for Keras 3 that do not lie: one codebase on JAX, PyTorch and TensorFlow.

`import keras_losses as kl`, then `model.compile(loss=kl.Dice())`. The families are the folders below: a loss is a class
in one of their files, and a function with its name in snake_case. `kl.Loss` is the base of your own.
"""

try:
    import keras as _keras
except ImportError as error:  # Keras cannot start without its backend, and does not say which ones are there
    from keras_losses import _backend

    raise ImportError(_backend.explain(error)) from None

from keras_losses import callbacks as callbacks
from keras_losses import layers as layers
from keras_losses import math as math

from keras_losses.core.compose import Sum as Sum
from keras_losses.core.debug import debugging as debugging
from keras_losses.core.function import function_of as function_of
from keras_losses.core.loss import Loss as Loss
from keras_losses.core.registry import deserialize as deserialize, get as get, serialize as serialize
from keras_losses.core import spec as spec
from keras_losses.diagnosis.run import diagnose as diagnose
from keras_losses.diagnosis.insight import per_sample as per_sample

# fmt: off
# isort: off
# A loss more is a line more: the class and its function.
from keras_losses.classification.binary import BinaryCrossentropy as BinaryCrossentropy, binary_crossentropy as binary_crossentropy
from keras_losses.classification.categorical import CategoricalCrossentropy as CategoricalCrossentropy, categorical_crossentropy as categorical_crossentropy
from keras_losses.classification.categorical import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy, sparse_categorical_crossentropy as sparse_categorical_crossentropy
from keras_losses.classification.divergence import KLDivergence as KLDivergence, kl_divergence as kl_divergence
from keras_losses.classification.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy, binary_focal_crossentropy as binary_focal_crossentropy
from keras_losses.classification.focal import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy, categorical_focal_crossentropy as categorical_focal_crossentropy
from keras_losses.classification.hinge import CategoricalHinge as CategoricalHinge, categorical_hinge as categorical_hinge
from keras_losses.classification.hinge import Hinge as Hinge, hinge as hinge
from keras_losses.classification.hinge import SquaredHinge as SquaredHinge, squared_hinge as squared_hinge
from keras_losses.detection.box_distances import BoundedIoU as BoundedIoU, bounded_iou as bounded_iou
from keras_losses.detection.box_distances import MPDIoU as MPDIoU, mpdiou as mpdiou
from keras_losses.detection.box_distances import NormalizedWasserstein as NormalizedWasserstein, normalized_wasserstein as normalized_wasserstein
from keras_losses.detection.box_variants import AlphaIoU as AlphaIoU, alpha_iou as alpha_iou
from keras_losses.detection.box_variants import EIoU as EIoU, eiou as eiou
from keras_losses.detection.box_variants import FocalEIoU as FocalEIoU, focal_eiou as focal_eiou
from keras_losses.detection.box_variants import SIoU as SIoU, siou as siou
from keras_losses.detection.box_variants import WiseIoU as WiseIoU, wise_iou as wise_iou
from keras_losses.detection.boxes import CIoU as CIoU, ciou as ciou
from keras_losses.detection.boxes import DIoU as DIoU, diou as diou
from keras_losses.detection.boxes import GIoU as GIoU, giou as giou
from keras_losses.detection.boxes import IoU as IoU, iou as iou
from keras_losses.detection.keypoints import AdaptiveWing as AdaptiveWing, adaptive_wing as adaptive_wing
from keras_losses.detection.keypoints import ObjectKeypointSimilarity as ObjectKeypointSimilarity, object_keypoint_similarity as object_keypoint_similarity
from keras_losses.detection.keypoints import Wing as Wing, wing as wing
from keras_losses.detection.offsets import BalancedL1 as BalancedL1, balanced_l1 as balanced_l1
from keras_losses.detection.offsets import SmoothL1 as SmoothL1, smooth_l1 as smooth_l1
from keras_losses.detection.rotated import GaussianKullbackLeibler as GaussianKullbackLeibler, gaussian_kullback_leibler as gaussian_kullback_leibler
from keras_losses.detection.rotated import GaussianWasserstein as GaussianWasserstein, gaussian_wasserstein as gaussian_wasserstein
from keras_losses.detection.rotated import ProbIoU as ProbIoU, prob_iou as prob_iou
from keras_losses.metric_learning.circle import Circle as Circle, circle as circle
from keras_losses.noisy_labels.generalized import CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy, categorical_generalized_cross_entropy as categorical_generalized_cross_entropy
from keras_losses.regression.cosine import CosineSimilarity as CosineSimilarity, cosine_similarity as cosine_similarity
from keras_losses.regression.elementwise import Huber as Huber, huber as huber
from keras_losses.regression.elementwise import LogCosh as LogCosh, log_cosh as log_cosh
from keras_losses.regression.elementwise import MeanAbsoluteError as MeanAbsoluteError, mean_absolute_error as mean_absolute_error
from keras_losses.regression.elementwise import MeanAbsolutePercentageError as MeanAbsolutePercentageError, mean_absolute_percentage_error as mean_absolute_percentage_error
from keras_losses.regression.elementwise import MeanSquaredError as MeanSquaredError, mean_squared_error as mean_squared_error
from keras_losses.regression.elementwise import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError, mean_squared_logarithmic_error as mean_squared_logarithmic_error
from keras_losses.regression.poisson import Poisson as Poisson, poisson as poisson
from keras_losses.segmentation.overlap import Dice as Dice, dice as dice
from keras_losses.segmentation.overlap import Tversky as Tversky, tversky as tversky
from keras_losses.sequence.ctc import CTC as CTC, ctc as ctc
# isort: on
# fmt: on

# As in Keras, where the short names are functions.
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
mse = MSE = mean_squared_error
msle = MSLE = mean_squared_logarithmic_error
logcosh = log_cosh

__version__ = "0.1.0"
__all__ = [name for name in dir() if not name.startswith("_")]  # pyright: ignore[reportUnsupportedDunderAll]
