# `keras.ops` has no annotations, and what pyright infers from its source (`None`, for one, from a symbolic branch) is wrong.
from typing import Any

def __getattr__(name: str) -> Any: ...
