"""Losses of regions. overlap.py: Dice and Tversky."""
