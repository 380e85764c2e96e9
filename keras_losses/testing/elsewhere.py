"""The same loss on the same arrays on other backends, each in a process of its own: a backend is chosen at import.

`python -m keras_losses.testing.elsewhere` is that process: a job as JSON on its input, the results as JSON on its output.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

from keras_losses.core.report import Finding

BACKENDS = ("jax", "torch", "tensorflow")
_MARK = "keras_losses.testing.elsewhere:"
_INSIDE = "KERAS_LOSSES_ELSEWHERE"


class NotNamed(ValueError):
    """A loss that another process cannot import."""


def compare(subject: Any, backends: str | Iterable[str]) -> Iterator[Finding]:
    """Findings of backends on which value or gradient is another than here.

    Args:
        subject: the loss under test.
        backends: names, or `"all"` for those that are installed.

    Raises:
        ValueError: a backend is not known or not installed.
        NotNamed: another process cannot import the loss.
    """
    here = keras.backend.backend()
    if os.environ.get(_INSIDE):
        return  # a script without `if __name__ == "__main__":` that is imported for its loss
    from keras_losses.testing.checks.edges import edges

    batches = [("an ordinary batch", *subject.batch()), *((what, true, pred) for _, what, true, pred in edges(subject))]
    job = {
        "loss": _reference(subject),
        "batches": [[_packed(true), _packed(pred)] for _, true, pred in batches],
    }
    for backend in _wanted(backends, here):
        error, results = _run(backend, job)
        if error:
            yield _finding(here, backend, {f"on {backend}": error})
            continue
        for (what, true, pred), there in zip(batches, results, strict=True):
            values, slope = subject.slopes(true, pred)
            values_there, slope_there = (np.asarray(x, float) for x in there)
            if not _near(values_there, values):
                yield _finding(here, backend, {"at": what, f"value on {here}": values, f"value on {backend}": values_there})
                break
            if not _near(slope_there, slope):
                evidence = {"at": what, f"gradient on {here}": slope, f"gradient on {backend}": slope_there}
                yield _finding(here, backend, evidence)
                break


def _finding(here, backend, evidence):
    return Finding(
        "backend-differs",
        f"The loss is not the same on {backend} as on {here}: a model trained on one is another on the other.",
        evidence,
        "# keras_losses.math has the operations whose value or gradient differs: absolute, clip, positive_part, safe_sqrt, ...",
    )


def _wanted(backends, here):
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if backends == "all":
        return [name for name in installed if name != here]
    names = [backends] if isinstance(backends, str) else list(backends)
    for name in names:
        if name not in BACKENDS or name not in installed:
            raise ValueError(
                f"check_loss: the backend {name!r} is not installed. `backends` is 'all' or some of: {', '.join(installed)}"
            )
    return [name for name in names if name != here]


def _reference(subject):
    """How another process finds the loss: the module and name of a function or class, with the config of an instance."""
    if subject.function is not None:
        return {"object": _named(subject.function)}
    return {"object": _named(type(subject.loss)), "config": json.loads(json.dumps(subject.loss.get_config()))}


def _named(x):
    module, name = getattr(x, "__module__", None), getattr(x, "__qualname__", None)
    if not module or not name or "<" in name:
        raise NotNamed(f"another process cannot import {x!r}: define it at the top of a module")
    place = getattr(sys.modules.get(module), "__file__", None) if module == "__main__" else None
    if module == "__main__" and place is None:
        raise NotNamed(f"another process cannot import {name} from an interactive session: write it into a module")
    return {"module": module, "file": place, "name": name}


def _run(backend, job) -> tuple[str | None, list]:
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join(path or str(pathlib.Path.cwd()) for path in sys.path),
        _INSIDE: "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "keras_losses.testing.elsewhere"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    answers = [line.removeprefix(_MARK) for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if not answers:
        return (done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"])[-1], []
    answer = json.loads(answers[-1])
    return answer.get("error"), answer.get("results", [])


def _packed(x):
    return {"dtype": str(x.dtype), "values": x.tolist(), "shape": list(x.shape)}


def _unpacked(given):
    return np.asarray(given["values"], given["dtype"]).reshape(given["shape"])


def _near(a, b):
    if a.shape != b.shape:
        return False
    finite = np.isfinite(b)
    scale = max(1.0, float(np.abs(b[finite]).max())) if finite.any() else 1.0
    return np.allclose(a, b, rtol=1e-4, atol=1e-5 * scale, equal_nan=True)


def _resolve(where):
    if where["file"]:
        spec: Any = importlib.util.spec_from_file_location("loss_under_test", where["file"])
        found: Any = importlib.util.module_from_spec(spec)
        sys.modules["loss_under_test"] = found
        spec.loader.exec_module(found)
    else:
        found = importlib.import_module(where["module"])
    for part in where["name"].split("."):
        found = getattr(found, part)
    return found


def main() -> None:
    """Read a job, run it, write the results."""
    from keras_losses.testing.checks import blame
    from keras_losses.testing.subject import Subject

    job = json.load(sys.stdin)
    try:
        loss = _resolve(job["loss"]["object"])
        loss = loss.from_config(job["loss"]["config"]) if "config" in job["loss"] else loss
        batches = [(_unpacked(true), _unpacked(pred)) for true, pred in job["batches"]]
        subject = Subject(loss, *batches[0])
        answer = {"results": [[x.tolist() for x in subject.slopes(true, pred)] for true, pred in batches]}
    except Exception as error:  # user code: the caller reports it
        answer = {"error": blame.first_line(error)}
    sys.stdout.write(f"\n{_MARK}{json.dumps(answer)}\n")


if __name__ == "__main__":
    main()
