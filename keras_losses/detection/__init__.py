"""Losses of detectors: boxes, rotated boxes, keypoints, scores.

boxes.py: formats, IoU, GIoU, DIoU, CIoU. box_variants.py: EIoU, FocalEIoU, SIoU, AlphaIoU, WiseIoU. box_distances.py: MPDIoU,
the normalized Wasserstein distance, BoundedIoU. rotated.py: boxes with an angle, as Gaussians. offsets.py: smooth and balanced
L1 of encoded boxes. keypoints.py: object keypoint similarity, and the wing losses of landmarks and heatmaps. scores.py: scores
that hold a quality, heatmaps, and positions as distributions over bins.
"""
