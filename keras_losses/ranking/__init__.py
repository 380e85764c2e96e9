"""Losses of lists of items, by their relevances and scores: padding, masks and ties mean the same in all of them.

lists.py: the base, and what is shared. pairwise.py: over pairs of items. softmax.py: ListNet and UniqueSoftmax.
likelihood.py: ListMLE and its weighted form. metrics.py: what the next two are made from. approximate.py: one minus a
metric of smooth ranks, with noise too. lambdas.py: pairs weighed by a metric. neural_sort.py: by a relaxed permutation.
ordinal.py: by levels of relevance.
"""
