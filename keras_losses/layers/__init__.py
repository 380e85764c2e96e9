"""Layers around losses: what needs variables or more inputs than `compile` passes.

add_loss.py: any loss as an endpoint. add_seesaw.py: Seesaw loss that counts the labels it sees. add_gumbel_ndcg.py:
GumbelApproxNDCG that draws its noise. add_clip.py: CLIP and SigLIP that learn their temperature. add_dino.py: DINO and
IBOT that keep the center of their teacher. linear_cross_entropy.py: the last layer of a language model with its loss,
without logits.

Layers with a vector, or several, for each class. margins.py, adaptive_margins.py and soft_triple.py: logits for a
cross-entropy (class_weights.py has their base). proxies.py and center_loss.py: a loss of their own.
cross_batch_memory.py: a loss over pairs with the embeddings of earlier batches. labels.py: what labels say of classes.
"""

from keras_losses.layers.adaptive_margins import AdaFace, CurricularFace
from keras_losses.layers.add_clip import AddCLIP, AddSigLIP
from keras_losses.layers.add_dino import AddDINO
from keras_losses.layers.add_gumbel_ndcg import AddGumbelNDCG
from keras_losses.layers.add_loss import AddLoss
from keras_losses.layers.add_seesaw import AddSeesaw
from keras_losses.layers.center_loss import CenterLoss
from keras_losses.layers.cross_batch_memory import CrossBatchMemory
from keras_losses.layers.linear_cross_entropy import LinearCrossEntropy
from keras_losses.layers.margins import ArcFace, CosFace, NormalizedSoftmax, SphereFace, SubCenterArcFace
from keras_losses.layers.proxies import ProxyAnchor, ProxyNCA
from keras_losses.layers.soft_triple import SoftTriple

__all__ = [
    "AdaFace",
    "AddCLIP",
    "AddDINO",
    "AddGumbelNDCG",
    "AddLoss",
    "AddSeesaw",
    "AddSigLIP",
    "ArcFace",
    "CenterLoss",
    "CosFace",
    "CrossBatchMemory",
    "CurricularFace",
    "LinearCrossEntropy",
    "NormalizedSoftmax",
    "ProxyAnchor",
    "ProxyNCA",
    "SoftTriple",
    "SphereFace",
    "SubCenterArcFace",
]
