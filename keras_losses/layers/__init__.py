"""Layers around losses: what needs variables or more inputs than `compile` passes. add_loss.py: any loss as an endpoint."""

from keras_losses.layers.add_loss import AddLoss

__all__ = ["AddLoss"]
