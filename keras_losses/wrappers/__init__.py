"""Losses that hold a loss.

hardest.py: the hardest entries only (OHEM, top-k). classes.py: some of the classes only. supervision.py: one loss at several
depths of a model. A weighted sum of losses is `Sum`, and needs no wrapper: `0.5 * Dice() + CategoricalCrossentropy()`.
"""
