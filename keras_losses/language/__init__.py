"""Losses of language models.

linear.py: cross-entropy of a linear layer without its logits, labels.py: its formula. divergence.py: distillation from another
linear layer. sweep.py: how both go over the logits in blocks.
"""
