"""Losses of regions.

overlap.py: Dice, Jaccard, Tversky, FocalTversky. generalized.py: GeneralizedDice. lovasz.py: LovaszHinge, LovaszSoftmax.
unified.py: AsymmetricFocal, AsymmetricFocalTversky, UnifiedFocal. statistics.py: MatthewsCorrelation, SensitivitySpecificity.
logarithmic.py: ExponentialLogarithmic. distance.py: Boundary, HausdorffDistance. morphology.py: HausdorffErosion,
CenterlineDice. wasserstein.py: GeneralizedWassersteinDice. calibration.py: NeighborAwareCalibration. region.py and maps.py:
what they share.
"""
