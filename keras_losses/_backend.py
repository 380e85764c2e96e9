"""What to say when Keras finds no backend."""

import importlib.util
import os


def explain(error: ImportError) -> str:
    """One sentence: which backends are installed, and which variable to set."""
    if getattr(error, "name", None) == "keras":
        return "keras_losses needs Keras 3: pip install keras, and one of jax, torch and tensorflow."
    # Looked up, not imported: a backend takes seconds to start.
    installed = [name for name in ("jax", "torch", "tensorflow") if importlib.util.find_spec(name)]
    wanted = os.environ.get("KERAS_BACKEND", "tensorflow (the default of Keras)")
    if installed:
        return (
            f"Keras could not start the backend {wanted}; installed here: {', '.join(installed)}: set "
            f"KERAS_BACKEND={installed[0]} before the program starts (cause: {error})."
        )
    return (
        f"Keras could not start the backend {wanted}; none is installed here: pip install 'keras-losses[jax]' (or torch, or "
        f"tensorflow) and set KERAS_BACKEND=jax before the program starts (cause: {error})."
    )
