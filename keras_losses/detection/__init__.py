"""Losses of detected objects.

scores.py: scores that hold a quality, heatmaps, and positions as distributions over bins.
"""
