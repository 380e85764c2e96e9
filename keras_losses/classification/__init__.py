"""Losses of predicted classes.

binary.py: independent yes/no outputs. categorical.py: one class of several, dense or integer labels. focal.py: both, with
easy examples weighed down. hinge.py: margins. divergence.py: between distributions.
"""
