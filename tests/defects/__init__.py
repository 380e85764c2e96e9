"""What keras.losses 3.15.1 does wrong, as tests of what this package does: see docs/differences-from-keras.md."""
