"""The commands of `keras-losses`, a module each, and the one exception that becomes an error of one sentence."""


class Problem(Exception):
    """What a user gave and cannot work, in one sentence."""
