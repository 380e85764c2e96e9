"""Layers around losses: what needs variables or more inputs than `compile` passes.

add_loss.py: any loss as an endpoint. add_seesaw.py: Seesaw loss that counts the labels it sees. add_clip.py: CLIP and SigLIP
that learn their temperature. add_dino.py: DINO and IBOT that keep the center of their teacher.
"""

from keras_losses.layers.add_clip import AddCLIP, AddSigLIP
from keras_losses.layers.add_dino import AddDINO
from keras_losses.layers.add_loss import AddLoss
from keras_losses.layers.add_seesaw import AddSeesaw

__all__ = ["AddCLIP", "AddDINO", "AddLoss", "AddSeesaw", "AddSigLIP"]
