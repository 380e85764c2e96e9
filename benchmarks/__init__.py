"""How long a loss takes, beside native code and Keras's own: `python -m benchmarks`."""
