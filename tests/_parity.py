"""Values and gradients that each backend writes, for the session that compares them."""

import os
import pathlib

import keras
import numpy as np


class Recorder(dict):
    """`record["loss/case/value"] = array`; written once, when the tests of this process are done."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def write(self):
        if self.folder and self:
            folder = pathlib.Path(self.folder)
            folder.mkdir(parents=True, exist_ok=True)
            worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
            np.savez(folder / f"{keras.backend.backend()}-{worker}.npz", **self)


def read(folder, backend):
    """All that the workers of one backend wrote."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob(f"{backend}-*.npz")):
        with np.load(path) as file:
            found |= {key: file[key] for key in file.files}
    return found
