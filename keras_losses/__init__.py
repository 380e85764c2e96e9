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
from keras_losses.classification.asymmetric import AsymmetricMultilabel as AsymmetricMultilabel, asymmetric_multilabel as asymmetric_multilabel
from keras_losses.classification.asymmetric import AsymmetricSingleLabel as AsymmetricSingleLabel, asymmetric_single_label as asymmetric_single_label
from keras_losses.classification.binary import BinaryCrossentropy as BinaryCrossentropy, binary_crossentropy as binary_crossentropy
from keras_losses.classification.categorical import CategoricalCrossentropy as CategoricalCrossentropy, categorical_crossentropy as categorical_crossentropy
from keras_losses.classification.categorical import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy, sparse_categorical_crossentropy as sparse_categorical_crossentropy
from keras_losses.classification.complement import ComplementCrossentropy as ComplementCrossentropy, complement_crossentropy as complement_crossentropy
from keras_losses.classification.consistency import JensenShannonConsistency as JensenShannonConsistency, jensen_shannon_consistency as jensen_shannon_consistency
from keras_losses.classification.confusion import SoftF1 as SoftF1, soft_f1 as soft_f1
from keras_losses.classification.confusion import WeightedKappa as WeightedKappa, weighted_kappa as weighted_kappa
from keras_losses.classification.divergence import KLDivergence as KLDivergence, kl_divergence as kl_divergence
from keras_losses.classification.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy, binary_focal_crossentropy as binary_focal_crossentropy
from keras_losses.classification.focal import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy, categorical_focal_crossentropy as categorical_focal_crossentropy
from keras_losses.classification.focal import SparseCategoricalFocalCrossentropy as SparseCategoricalFocalCrossentropy, sparse_categorical_focal_crossentropy as sparse_categorical_focal_crossentropy
from keras_losses.classification.hinge import CategoricalHinge as CategoricalHinge, categorical_hinge as categorical_hinge
from keras_losses.classification.hinge import Hinge as Hinge, hinge as hinge
from keras_losses.classification.hinge import MultiMargin as MultiMargin, multi_margin as multi_margin
from keras_losses.classification.hinge import SquaredHinge as SquaredHinge, squared_hinge as squared_hinge
from keras_losses.classification.poly import PolyCrossentropy as PolyCrossentropy, poly_crossentropy as poly_crossentropy
from keras_losses.classification.poly import PolyFocalCrossentropy as PolyFocalCrossentropy, poly_focal_crossentropy as poly_focal_crossentropy
from keras_losses.classification.sparsemax import Sparsemax as Sparsemax, sparsemax as sparsemax
from keras_losses.classification.multilabel import MultilabelSoftMargin as MultilabelSoftMargin, multilabel_soft_margin as multilabel_soft_margin
from keras_losses.classification.multilabel import TwoWay as TwoWay, two_way as two_way
from keras_losses.classification.multilabel import ZLPR as ZLPR, zlpr as zlpr
from keras_losses.detection.scores import DistributionFocal as DistributionFocal, distribution_focal as distribution_focal
from keras_losses.detection.scores import GaussianFocal as GaussianFocal, gaussian_focal as gaussian_focal
from keras_losses.detection.scores import QualityFocal as QualityFocal, quality_focal as quality_focal
from keras_losses.detection.scores import Varifocal as Varifocal, varifocal as varifocal
from keras_losses.imbalance.balanced import BalancedBinaryCrossentropy as BalancedBinaryCrossentropy, balanced_binary_crossentropy as balanced_binary_crossentropy
from keras_losses.imbalance.effective_number import ClassBalancedCrossentropy as ClassBalancedCrossentropy, class_balanced_crossentropy as class_balanced_crossentropy
from keras_losses.imbalance.effective_number import effective_number_weights as effective_number_weights
from keras_losses.imbalance.harmonized import GradientHarmonized as GradientHarmonized, gradient_harmonized as gradient_harmonized
from keras_losses.imbalance.ldam import LDAM as LDAM, ldam as ldam
from keras_losses.imbalance.multilabel import DistributionBalanced as DistributionBalanced, distribution_balanced as distribution_balanced
from keras_losses.imbalance.multilabel import Equalization as Equalization, equalization as equalization
from keras_losses.imbalance.prior import BalancedSoftmax as BalancedSoftmax, balanced_softmax as balanced_softmax
from keras_losses.imbalance.prior import LogitAdjustedCrossentropy as LogitAdjustedCrossentropy, logit_adjusted_crossentropy as logit_adjusted_crossentropy
from keras_losses.imbalance.seesaw import Seesaw as Seesaw, seesaw as seesaw
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
from keras_losses.language.divergence import linear_kl_divergence as linear_kl_divergence
from keras_losses.language.linear import linear_cross_entropy as linear_cross_entropy
from keras_losses.metric_learning.angular import Angular as Angular, angular as angular
from keras_losses.metric_learning.circle import Circle as Circle, circle as circle
from keras_losses.metric_learning.contrastive import Contrastive as Contrastive, contrastive as contrastive
from keras_losses.metric_learning.contrastive import Margin as Margin, margin as margin
from keras_losses.metric_learning.contrastive import MultiSimilarity as MultiSimilarity, multi_similarity as multi_similarity
from keras_losses.metric_learning.contrastive import SignalToNoiseRatio as SignalToNoiseRatio, signal_to_noise_ratio as signal_to_noise_ratio
from keras_losses.metric_learning.histogram import Histogram as Histogram, histogram as histogram
from keras_losses.metric_learning.neighbors import NeighborhoodComponents as NeighborhoodComponents, neighborhood_components as neighborhood_components
from keras_losses.metric_learning.neighbors import SoftNearestNeighbor as SoftNearestNeighbor, soft_nearest_neighbor as soft_nearest_neighbor
from keras_losses.metric_learning.ranks import FastAP as FastAP, fast_ap as fast_ap
from keras_losses.metric_learning.ranks import SmoothAP as SmoothAP, smooth_ap as smooth_ap
from keras_losses.metric_learning.softmax import NPairs as NPairs, n_pairs as n_pairs
from keras_losses.metric_learning.softmax import NTXent as NTXent, nt_xent as nt_xent
from keras_losses.metric_learning.softmax import SupervisedContrastive as SupervisedContrastive, supervised_contrastive as supervised_contrastive
from keras_losses.metric_learning.structure import GeneralizedLiftedStructure as GeneralizedLiftedStructure, generalized_lifted_structure as generalized_lifted_structure
from keras_losses.metric_learning.structure import LiftedStructure as LiftedStructure, lifted_structure as lifted_structure
from keras_losses.metric_learning.triplet_margin import TripletMargin as TripletMargin, triplet_margin as triplet_margin
from keras_losses.metric_learning.views import InfoNCE as InfoNCE, info_nce as info_nce
from keras_losses.metric_learning.views import MultipleNegativesRanking as MultipleNegativesRanking, multiple_negatives_ranking as multiple_negatives_ranking
from keras_losses.noisy_labels.active_passive import ActivePassive as ActivePassive, active_passive as active_passive
from keras_losses.noisy_labels.active_passive import NormalizedCrossentropy as NormalizedCrossentropy, normalized_crossentropy as normalized_crossentropy
from keras_losses.noisy_labels.active_passive import ProbabilityAbsoluteError as ProbabilityAbsoluteError, probability_absolute_error as probability_absolute_error
from keras_losses.noisy_labels.bitempered import BiTemperedLogistic as BiTemperedLogistic, bi_tempered_logistic as bi_tempered_logistic
from keras_losses.noisy_labels.bootstrapping import Bootstrapping as Bootstrapping, bootstrapping as bootstrapping
from keras_losses.noisy_labels.generalized import CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy, categorical_generalized_cross_entropy as categorical_generalized_cross_entropy
from keras_losses.noisy_labels.generalized import GeneralizedCrossentropy as GeneralizedCrossentropy, generalized_crossentropy as generalized_crossentropy
from keras_losses.noisy_labels.generalized import TaylorCrossentropy as TaylorCrossentropy, taylor_crossentropy as taylor_crossentropy
from keras_losses.noisy_labels.jensen_shannon import GeneralizedJensenShannon as GeneralizedJensenShannon, generalized_jensen_shannon as generalized_jensen_shannon
from keras_losses.noisy_labels.symmetric import ReverseCrossentropy as ReverseCrossentropy, reverse_crossentropy as reverse_crossentropy
from keras_losses.noisy_labels.symmetric import SymmetricCrossentropy as SymmetricCrossentropy, symmetric_crossentropy as symmetric_crossentropy
from keras_losses.ranking.approximate import ApproxMRR as ApproxMRR, approx_mrr as approx_mrr
from keras_losses.ranking.approximate import ApproxNDCG as ApproxNDCG, approx_ndcg as approx_ndcg
from keras_losses.ranking.approximate import GumbelApproxNDCG as GumbelApproxNDCG, gumbel_approx_ndcg as gumbel_approx_ndcg
from keras_losses.ranking.lambdas import LambdaLoss as LambdaLoss, lambda_loss as lambda_loss
from keras_losses.ranking.likelihood import ListMLE as ListMLE, list_mle as list_mle
from keras_losses.ranking.likelihood import PositionalListMLE as PositionalListMLE, positional_list_mle as positional_list_mle
from keras_losses.ranking.neural_sort import NeuralSort as NeuralSort, neural_sort as neural_sort
from keras_losses.ranking.ordinal import OrdinalRanking as OrdinalRanking, ordinal_ranking as ordinal_ranking
from keras_losses.ranking.pairwise import BayesianPersonalized as BayesianPersonalized, bayesian_personalized as bayesian_personalized
from keras_losses.ranking.pairwise import PairwiseHinge as PairwiseHinge, pairwise_hinge as pairwise_hinge
from keras_losses.ranking.pairwise import PairwiseLogistic as PairwiseLogistic, pairwise_logistic as pairwise_logistic
from keras_losses.ranking.pairwise import PairwiseMeanSquared as PairwiseMeanSquared, pairwise_mean_squared as pairwise_mean_squared
from keras_losses.ranking.pairwise import PairwiseSoftZeroOne as PairwiseSoftZeroOne, pairwise_soft_zero_one as pairwise_soft_zero_one
from keras_losses.ranking.softmax import ListNet as ListNet, list_net as list_net
from keras_losses.ranking.softmax import UniqueSoftmax as UniqueSoftmax, unique_softmax as unique_softmax
from keras_losses.regression.cosine import CosineSimilarity as CosineSimilarity, cosine_similarity as cosine_similarity
from keras_losses.regression.elementwise import Huber as Huber, huber as huber
from keras_losses.regression.elementwise import LogCosh as LogCosh, log_cosh as log_cosh
from keras_losses.regression.elementwise import MeanAbsoluteError as MeanAbsoluteError, mean_absolute_error as mean_absolute_error
from keras_losses.regression.elementwise import MeanAbsolutePercentageError as MeanAbsolutePercentageError, mean_absolute_percentage_error as mean_absolute_percentage_error
from keras_losses.regression.elementwise import MeanSquaredError as MeanSquaredError, mean_squared_error as mean_squared_error
from keras_losses.regression.elementwise import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError, mean_squared_logarithmic_error as mean_squared_logarithmic_error
from keras_losses.regression.poisson import Poisson as Poisson, poisson as poisson
from keras_losses.segmentation.calibration import NeighborAwareCalibration as NeighborAwareCalibration, neighbor_aware_calibration as neighbor_aware_calibration
from keras_losses.segmentation.distance import Boundary as Boundary, boundary as boundary
from keras_losses.segmentation.distance import HausdorffDistance as HausdorffDistance, hausdorff_distance as hausdorff_distance
from keras_losses.segmentation.generalized import GeneralizedDice as GeneralizedDice, generalized_dice as generalized_dice
from keras_losses.segmentation.logarithmic import ExponentialLogarithmic as ExponentialLogarithmic, exponential_logarithmic as exponential_logarithmic
from keras_losses.segmentation.lovasz import LovaszHinge as LovaszHinge, lovasz_hinge as lovasz_hinge
from keras_losses.segmentation.lovasz import LovaszSoftmax as LovaszSoftmax, lovasz_softmax as lovasz_softmax
from keras_losses.segmentation.morphology import CenterlineDice as CenterlineDice, centerline_dice as centerline_dice
from keras_losses.segmentation.morphology import HausdorffErosion as HausdorffErosion, hausdorff_erosion as hausdorff_erosion
from keras_losses.segmentation.overlap import Dice as Dice, dice as dice
from keras_losses.segmentation.overlap import FocalTversky as FocalTversky, focal_tversky as focal_tversky
from keras_losses.segmentation.overlap import Jaccard as Jaccard, jaccard as jaccard
from keras_losses.segmentation.overlap import Tversky as Tversky, tversky as tversky
from keras_losses.segmentation.statistics import MatthewsCorrelation as MatthewsCorrelation, matthews_correlation as matthews_correlation
from keras_losses.segmentation.statistics import SensitivitySpecificity as SensitivitySpecificity, sensitivity_specificity as sensitivity_specificity
from keras_losses.segmentation.unified import AsymmetricFocal as AsymmetricFocal, asymmetric_focal as asymmetric_focal
from keras_losses.segmentation.unified import AsymmetricFocalTversky as AsymmetricFocalTversky, asymmetric_focal_tversky as asymmetric_focal_tversky
from keras_losses.segmentation.unified import UnifiedFocal as UnifiedFocal, unified_focal as unified_focal
from keras_losses.segmentation.wasserstein import GeneralizedWassersteinDice as GeneralizedWassersteinDice, generalized_wasserstein_dice as generalized_wasserstein_dice
from keras_losses.self_supervised.capacity import MaximumManifoldCapacity as MaximumManifoldCapacity, maximum_manifold_capacity as maximum_manifold_capacity
from keras_losses.self_supervised.capacity import TotalCodingRate as TotalCodingRate, total_coding_rate as total_coding_rate
from keras_losses.self_supervised.clustering import SwAV as SwAV, sw_av as sw_av
from keras_losses.self_supervised.contrastive import DecoupledContrastive as DecoupledContrastive, decoupled_contrastive as decoupled_contrastive
from keras_losses.self_supervised.language import CLIP as CLIP, clip as clip
from keras_losses.self_supervised.language import SigLIP as SigLIP, sig_lip as sig_lip
from keras_losses.self_supervised.redundancy import BarlowTwins as BarlowTwins, barlow_twins as barlow_twins
from keras_losses.self_supervised.redundancy import VICReg as VICReg, vic_reg as vic_reg
from keras_losses.self_supervised.spread import AlignmentUniformity as AlignmentUniformity, alignment_uniformity as alignment_uniformity
from keras_losses.self_supervised.spread import KoLeo as KoLeo, ko_leo as ko_leo
from keras_losses.self_supervised.teacher import DINO as DINO, dino as dino
from keras_losses.self_supervised.teacher import IBOT as IBOT, ibot as ibot
from keras_losses.self_supervised.teacher import NegativeCosine as NegativeCosine, negative_cosine as negative_cosine
from keras_losses.sequence.ctc import CTC as CTC, ctc as ctc
from keras_losses.wrappers.classes import OnClasses as OnClasses, on_classes as on_classes
from keras_losses.wrappers.hardest import HardestK as HardestK, hardest_k as hardest_k
from keras_losses.wrappers.supervision import DeepSupervision as DeepSupervision, deep_supervision as deep_supervision
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
