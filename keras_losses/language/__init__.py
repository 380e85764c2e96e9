"""Losses of language models.

linear.py: cross-entropy of a linear layer without its logits, labels.py: its formula. divergence.py: distillation from another
linear layer. projected.py: what both share. sweep.py: how they go over the logits in blocks.
"""
