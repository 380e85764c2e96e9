"""Losses of sequences. ctc.py: connectionist temporal classification."""
