"""Losses of several views of each sample, stacked on axis 1; the target is not looked at.

contrastive.py: DecoupledContrastive. spread.py: AlignmentUniformity, KoLeo. redundancy.py: BarlowTwins, VICReg. capacity.py:
TotalCodingRate, MaximumManifoldCapacity. teacher.py: NegativeCosine, DINO, IBOT. clustering.py: SwAV. language.py: CLIP,
SigLIP. views.py: what they share.
"""
