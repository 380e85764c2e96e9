"""Losses of predicted classes.

binary.py: independent yes/no outputs. categorical.py: one class of several, dense or integer labels. focal.py: both, with
easy examples weighed down. asymmetric.py: focal weights that differ for positives and negatives. poly.py: both, with another
first coefficient. complement.py: the classes that are not the label made alike. consistency.py: several views of one input.
sparsemax.py: probabilities of exactly 0. multilabel.py: several labels at once. hinge.py: margins. divergence.py: between
distributions. confusion.py: F1 and kappa.
"""
