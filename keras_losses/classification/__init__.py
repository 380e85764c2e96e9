"""Losses of predicted classes.

binary.py: independent yes/no outputs. categorical.py: one class of several, dense or integer labels. focal.py: both, with
easy examples weighed down. poly.py: both, with another first coefficient. complement.py: the classes that are not the label
made alike. consistency.py: several views of one input. sparsemax.py: probabilities of exactly 0. hinge.py: margins.
divergence.py: between distributions.
"""
