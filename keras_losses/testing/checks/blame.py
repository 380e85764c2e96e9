"""From an exception to the line of the user's code that breaks, what that line does, and what to write instead."""

from __future__ import annotations

import linecache
import pathlib
import re
import traceback

from keras_losses.core.report import Finding

# id: (why it matters, what to write instead)
STORIES = {
    "python-branch": (
        "A Python `if`, `while`, `and` or `min` has no value of a tensor to decide on when training is compiled.",
        """loss = ops.where(condition, when_true, when_false)  # instead of `if condition:`
loss = ops.maximum(a, b)                            # instead of `max(a, b)`""",
    ),
    "python-float": (
        "`float()`, `int()`, `.item()` and `.numpy()` need a number, which compiled training lacks, and cut the gradient.",
        "scale = ops.mean(x)  # leave it a tensor instead of `float(ops.mean(x))`",
    ),
    "numpy-call": (
        "NumPy cannot see inside a compiled training step, and its result carries no gradient.",
        "ops.mean(ops.square(y_pred - y_true), axis=-1)  # from keras import ops, instead of np.",
    ),
    "boolean-index": (
        "Selecting entries by a boolean mask gives a tensor whose shape depends on the data, which XLA and jax.jit refuse.",
        """selected = ops.where(mask, values, 0.0)
mean = ops.sum(selected, axis=-1) / ops.maximum(ops.sum(ops.cast(mask, selected.dtype), axis=-1), 1.0)""",
    ),
    "unknown-batch": (
        "The size of the batch is unknown while Keras builds the training step: `y_pred.shape[0]` is None.",
        "batch = ops.shape(y_pred)[0]  # instead of y_pred.shape[0]; no `range(batch)`: write the loop as one operation",
    ),
    "not-compilable": (
        "The loss runs line by line, but not inside a compiled training step, or gives another result there.",
        "# write the formula in keras.ops, without Python code that looks at values",
    ),
    "raises": ("The loss cannot be computed at all.", ""),
}

# The name of an exception, or what it says, and what it was that raised it.
_ERRORS = {
    "python-branch": (
        "TracerBoolConversion|OperatorNotAllowedInGraph|truth value|used as a boolean|as a Python `?bool"
        "|[Dd]ata-dependent (branching|control)"
    ),
    "boolean-index": (
        r"NonConcreteBooleanIndex|key type for array slice.*bool|boolean (index|indices)|DynamicOutputShape|aten\.nonzero"
        "|boolean_mask"
    ),
    "numpy-call": (r"TracerArrayConversion|symbolic tf\.Tensor|to a numpy array|numpy\(\) on Tensor|__array__|NumPy array"),
    "python-float": (
        r"Tensor\.item|no attribute '(numpy|item|tolist|eval)'|\.item\(\)|_local_scalar_dense|TracerIntegerConversion"
        r"|(float|int)\(\) argument must be"
    ),
    "unknown-batch": "NoneType",
}
_LINES = (
    (r"(?<![\w.])(float|int|bool)\(|\.item\(|\.numpy\(|\.tolist\(", "python-float"),
    (r"(?<![\w.])(np|numpy)\.\w|(?<![\w.])math\.(exp|log|log2|log10|log1p|sqrt|pow|fabs|floor|ceil)\(", "numpy-call"),
    (r"^\s*(if|elif|while|assert)\b|\bif\b.+\belse\b|\b(and|or|not)\b|(?<![\w.])(min|max|sorted)\(", "python-branch"),
    (r"\w\[[^\]]*([<>=]=?|mask|positive|negative|valid|where)[^\]]*\]|boolean_mask|nonzero", "boolean-index"),
    (r"\.shape\[|\.shape\b|(?<![\w.])(range|len)\(", "unknown-batch"),
)
_DYNAMO = re.compile(r'File "([^"]+)", line (\d+)')


def line_of(error: BaseException) -> str | None:
    """The deepest line of the user's code in a traceback, as `"file.py:12: the line"`."""
    spots = [(f.filename, f.lineno or 0) for f in traceback.extract_tb(error.__traceback__)]
    told = [(name, int(number)) for name, number in _DYNAMO.findall(str(error))]
    for cause in (error.__cause__, error.__context__):
        if cause is not None:
            spots = [(f.filename, f.lineno or 0) for f in traceback.extract_tb(cause.__traceback__)] + spots
    for name, number in (*reversed(told), *reversed(spots)):
        text = linecache.getline(name, number).strip()
        if text and _is_users(name):
            return f"{pathlib.PurePath(name).name}:{number}: {text}"
    return None


def written_line(code: str, pattern: str) -> str | None:
    """The first line of a source that has a pattern."""
    return next((line.strip() for line in code.splitlines() if re.search(pattern, line)), None)


def classify(error: BaseException, where: str | None) -> str:
    """The id of what a line did: by the line, then by the exception."""
    text = f"{type(error).__name__}: {error}"
    line = (where or "").split(": ", 1)[-1]
    by_error = next((name for name, words in _ERRORS.items() if re.search(words, text)), None)
    by_line = [name for words, name in _LINES if re.search(words, line)]
    if re.search(r"(?<![\w.])(np|numpy)\.\w", line):  # whatever NumPy made of the tensor
        return "numpy-call"
    if by_error in by_line or (by_error and not by_line):
        return by_error
    return by_line[0] if by_line and (by_error or _is_compilers(error)) else by_error or "not-compilable"


def finding(error: BaseException, how: str, default: str = "not-compilable") -> Finding:
    """What an exception says about the loss."""
    where = line_of(error)
    name = classify(error, where)
    name = default if name == "not-compilable" else name
    message, fix = STORIES[name]
    return Finding(name, message, {"how": how, "error": first_line(error)}, fix, where)


def first_line(error: BaseException) -> str:
    """The type of an exception and the first line of its text."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0].strip() if lines else ''}"[:300]


def _is_compilers(error: BaseException) -> bool:
    module = type(error).__module__.split(".")[0]
    return module in ("jax", "jaxlib", "torch", "tensorflow", "keras")


_PACKAGE = pathlib.Path(__file__).resolve().parents[2].as_posix()


def _is_users(name: str) -> bool:
    if name.startswith("<"):  # a notebook cell
        return True
    path = pathlib.PurePath(name).as_posix()
    return not any(part in path for part in ("/site-packages/", "/lib/python", f"{_PACKAGE}/"))
