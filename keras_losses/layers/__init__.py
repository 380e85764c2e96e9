"""Layers around losses: what needs variables or more inputs than `compile` passes.

add_loss.py: any loss as an endpoint. add_seesaw.py: Seesaw loss that counts the labels it sees. add_gumbel_ndcg.py:
GumbelApproxNDCG that draws its noise. add_clip.py: CLIP and SigLIP that learn their temperature. add_dino.py: DINO and
IBOT that keep the center of their teacher. linear_cross_entropy.py: the last layer of a language model with its loss,
without logits.
"""

from keras_losses.layers.add_clip import AddCLIP, AddSigLIP
from keras_losses.layers.add_dino import AddDINO
from keras_losses.layers.add_gumbel_ndcg import AddGumbelNDCG
from keras_losses.layers.add_loss import AddLoss
from keras_losses.layers.add_seesaw import AddSeesaw
from keras_losses.layers.linear_cross_entropy import LinearCrossEntropy

__all__ = ["AddCLIP", "AddDINO", "AddGumbelNDCG", "AddLoss", "AddSeesaw", "AddSigLIP", "LinearCrossEntropy"]
