"""Losses over the pairs of a batch of embeddings.

pairs.py: the base, with `distance` and a second set; blocks.py: large batches; triplets.py: means over all triplets.
contrastive.py: Contrastive, Margin, MultiSimilarity, SignalToNoiseRatio. circle.py: Circle. triplet_margin.py: TripletMargin.
structure.py: LiftedStructure, GeneralizedLiftedStructure. angular.py: Angular. softmax.py: NPairs, NTXent,
SupervisedContrastive. views.py: InfoNCE, MultipleNegativesRanking. neighbors.py: NeighborhoodComponents, SoftNearestNeighbor.
ranks.py: FastAP, SmoothAP. histogram.py: Histogram.
"""
