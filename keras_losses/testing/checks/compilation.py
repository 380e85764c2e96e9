"""Inside a compiled training step: no Python on values, no unknown shape, the same result."""

import copy
import types

import keras
import numpy as np

from keras_losses.core.report import Finding
from keras_losses.testing.checks import blame
from keras_losses.testing.checks.registry import check
from keras_losses.testing.gradients import compiled, compiled_value_and_gradient, gradient
from keras_losses.testing.subject import tensor, to_numpy


@check("python-branch", "python-float", "numpy-call", "boolean-index", "unknown-batch", "not-compilable")
def compiles(s):
    """The loss builds with an unknown batch, and the compiled step gives what the eager one gives."""
    y_true, y_pred = s.batch()
    told = set()
    for how, run, eager in _ways(s, y_true, y_pred):
        try:
            result = run()
        except Exception as error:
            found = blame.finding(error, how)
            # Symbolic tensors know nothing of some operations: only what is plain about the user's code counts.
            if how == _SYMBOLIC and (found.where is None or found.id == "not-compilable"):
                continue
            if found.id not in told:
                told.add(found.id)
                yield found
            continue
        if result is None or told:
            continue
        for what, number, (expected, rtol, atol) in zip(("value", "gradient"), result, eager(), strict=False):
            if not np.allclose(number, expected, rtol=rtol, atol=atol, equal_nan=True):
                yield Finding(
                    "not-compilable",
                    "The compiled training step computes another number than the same code run line by line.",
                    {"how": how, "what": what, "compiled": number, "eager": expected},
                    blame.STORIES["not-compilable"][1],
                )
                return


_SYMBOLIC = "built by Keras with an unknown batch"


def _ways(s, y_true, y_pred):
    """How the loss is compiled, its value or value and gradient so, and those of the eager call with their tolerances."""
    tensors = (tensor(y_true), tensor(y_pred))
    on = f"compiled on {keras.backend.backend()}"

    def symbolic():
        kinds = ("float32" if x.dtype.kind == "f" else "int32" for x in (y_true, y_pred))
        true, pred = (keras.KerasTensor((None, *x.shape[1:]), kind) for x, kind in zip((y_true, y_pred), kinds, strict=True))
        s.formula(true, pred)

    def value():
        return [(s.trained(y_true, y_pred), 1e-3, 1e-5)]

    def by(torch_backend):
        return lambda: [to_numpy(compiled(s.call, torch_backend=torch_backend)(*tensors))]

    if s.ours and s.form is s.loss:  # it promises more: the gradient too, with weights, and as good as eager
        mean, weights = "sum_over_batch_size", np.resize(np.array([0.5, 2.0, 1.0, 0.0], "float32"), len(y_pred))
        loss, given = s.reduced(mean), tensor(weights)

        def weighted(t, p, w):
            return loss(t, p, sample_weight=w)

        def both():
            # The value operation by operation; on one backend the gradient is compiled here too.
            value = s.trained(y_true, y_pred, weights, reduction=mean)
            return [(value, 1e-5, 1e-6), (gradient(lambda p: weighted(tensors[0], p, given), y_pred), 1e-4, 1e-6)]

        yield on, lambda: compiled_value_and_gradient(weighted, *tensors, given, wrt=1), both
    else:  # the `call` of a loss with a contract takes what its base prepares
        yield _SYMBOLIC, symbolic, list  # there is no number to compare
        yield on, by("aot_eager"), value
    if s.full and keras.backend.backend() == "torch":
        yield "compiled by inductor", by("inductor"), value


@check("retraces")
def leaves_no_state(s):
    """A call changes nothing in Python: a compiled step would keep the first value, or be compiled at every call."""
    y_true, y_pred = s.batch()
    before = _state(s)
    for _ in range(2):
        s.value(y_true, y_pred)
        s.trained(y_true, y_pred)
    after = _state(s)
    changed = [name for name in before if before[name] != after.get(name)] + [name for name in after if name not in before]
    if changed:
        name = changed[0]
        yield Finding(
            "retraces",
            "A call changes a Python value: the compiled training step keeps the value of its first call, or is compiled anew "
            "at every step.",
            {"what": name, "before": before.get(name), "after four calls": after.get(name)},
            "# keep what changes in a keras.Variable, and set it from a callback between epochs:\n"
            "self.weight = keras.Variable(1.0, trainable=False)  # on_epoch_begin: loss.weight.assign(...)",
        )


def _state(s):
    """Plain values that the code can change: attributes, closure, globals it names."""
    found = {}
    owners = [s.loss, s._unreduced] if s.function is None else []
    for i, owner in enumerate(owners):
        found |= {f"self.{k}" + " of a copy" * i: _plain(v) for k, v in vars(owner).items()}
    function = s.function if s.function is not None else type(s.loss).call
    if isinstance(function, types.FunctionType) and not s.ours:
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        found |= {name: _plain(cell.cell_contents) for name, cell in cells if _filled(cell)}
        found |= {name: _plain(function.__globals__.get(name)) for name in function.__code__.co_names}
        found |= {f"{function.__name__}.{k}": _plain(v) for k, v in vars(function).items()}
    return {k: v for k, v in found.items() if v is not None}


def _filled(cell):
    try:
        cell.cell_contents  # noqa: B018 - raises if empty
    except ValueError:
        return False
    return True


def _plain(value):
    if isinstance(value, (int, float, str, bool)):
        return value
    if isinstance(value, (list, tuple, dict)) and len(value) < 100:
        try:
            return copy.deepcopy(value) if all(isinstance(v, (int, float, str)) for v in value) else len(value)
        except Exception:
            return len(value)
    return None
