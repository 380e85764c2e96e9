"""Losses between real numbers.

elementwise.py: squared, absolute, Huber, log-cosh, relative and logarithmic errors. poisson.py: counts. cosine.py: directions.
"""
