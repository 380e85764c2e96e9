"""Losses of language models.

linear.py: cross-entropy of a linear layer without its logits. sweep.py: how it goes over them in blocks.
"""
