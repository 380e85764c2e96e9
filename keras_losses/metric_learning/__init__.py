"""Losses over the pairs of a batch of embeddings. circle.py: Circle."""
