"""Here, before anything imports a backend: the programs that JAX keeps are those of one worker."""

import os
import pathlib

# JAX writes them in place, so that another worker could read one half written, and a warning fails a test.
if programs := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(pathlib.Path(programs, os.environ.get("PYTEST_XDIST_WORKER", "main")))
