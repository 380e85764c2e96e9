"""`diagnose`: why a loss fails on the batch at hand.

A cause is looked for by a generator function `cause(batch)` of findings, in the file of its subject; `run.py` lists them, the
likeliest first.
"""

from keras_losses.diagnosis.run import diagnose

__all__ = ["diagnose"]
