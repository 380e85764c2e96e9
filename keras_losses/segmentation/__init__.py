"""Losses of regions.

overlap.py: Dice, Jaccard, Tversky, FocalTversky. generalized.py: GeneralizedDice. lovasz.py: LovaszHinge, LovaszSoftmax.
unified.py: AsymmetricFocal, AsymmetricFocalTversky, UnifiedFocal. statistics.py: MatthewsCorrelation, SensitivitySpecificity.
logarithmic.py: ExponentialLogarithmic. region.py: what they share.
"""
