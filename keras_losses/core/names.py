"""Names: the function of a class is its snake_case."""

import re


def scope_name(name: str) -> str:
    """A name as every backend accepts it for a scope."""
    return name if name.isascii() and name.isidentifier() else re.sub(r"[^A-Za-z0-9_.]", "_", f"l{name}")


def snake_case(name: str) -> str:
    """`BinaryCrossentropy` -> `binary_crossentropy`, `NTXent` -> `nt_xent`, `CTC` -> `ctc`, `FocalEIoU` -> `focal_eiou`."""
    name = name.replace("IoU", "IOU")  # one word, and one with the letters before it: `giou`
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).lower()
