"""Losses for classes that are not equally frequent.

One class a label: effective_number.py weighs the classes, prior.py shifts the logits by how frequent they are, ldam.py gives
rare classes a larger margin, seesaw.py spares rare classes what frequent ones do to them; counted.py is what these share.
Yes/no outputs: multilabel.py for many classes at once, harmonized.py weighs by how many entries are as hard, balanced.py by the
share of positives in an image; yes_no.py is what these share.
"""
