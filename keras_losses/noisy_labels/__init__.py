"""Losses that forgive wrong labels.

generalized.py: between cross-entropy and absolute error. symmetric.py: cross-entropy both ways. active_passive.py: pairs of a
loss that learns and one that is robust, and their terms. bitempered.py: a bounded logarithm and heavy tails.
bootstrapping.py: the label mixed with the prediction. jensen_shannon.py: label and predictions against their mixture.
labelled.py: what they share.
"""
