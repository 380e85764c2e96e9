"""Losses that forgive wrong labels. generalized.py: between cross-entropy and absolute error."""
