"""Names: the function of a class is its snake_case."""

import re


def snake_case(name: str) -> str:
    """`BinaryCrossentropy` -> `binary_crossentropy`, `NTXent` -> `nt_xent`, `CTC` -> `ctc`."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).lower()
