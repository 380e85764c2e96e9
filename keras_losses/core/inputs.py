"""What a formula receives: cast, aligned, the class axis last, and harmless where an entry does not count."""

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_losses.core import align, debug
from keras_losses.core.spec import KINDS, Kind, Spec, label, real
from keras_losses.math.stated import with_gradient

_FLOATS = ("bfloat16", "float16", "float32", "float64")


@dataclasses.dataclass
class Prepared:
    """The arguments of `call`, which entries are excluded (`valid`), which labels are out of range (`wrong`), and whether
    the inputs were `(N,)` and got an axis."""

    y_true: Any
    y_pred: Any
    extra: dict[str, Any]
    valid: Any = None
    wrong: Any = None
    added_axis: bool = False


def at_least_float32(dtype: str) -> str:
    return "float64" if dtype == "float64" else "float32"


def dtype_of(x: Any) -> str:
    """The dtype of a tensor, array, number or nested list, as Keras names it."""
    return keras.backend.standardize_dtype((x if hasattr(x, "dtype") else np.asarray(x)).dtype)


def prepare(loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, extra: dict, compute: str) -> Prepared:
    """Cast, align and clean the inputs of one call of `loss`."""
    who, true, pred = str(loss.name), loss.y_true, loss.y_pred
    if pred is not None and pred.kind.name == "parts":
        y_pred = _pack(who, y_pred, pred, compute)
    elif pred is None and _is_structure(y_pred):
        return _structure(loss, y_true, y_pred, weight, mask, extra, compute)
    if y_true is None and (true is None or true.kind.name != "unused"):
        raise ValueError(f"{who}: there is no y_true." + (f" Expected: {true}, {true.kind.text}." if true else ""))
    if pred is None or true is None:
        true, pred = _infer(y_true, y_pred, true, pred)
    if true.kind.name == "unused":
        y_true = stand_in(who, y_true, y_pred, true, pred)
    true = true.met_by(shape_of(y_true), shape_of(y_pred))
    rounding = [max(debug.epsilon(dtype_of(x)), debug.epsilon(compute)) for x in (y_true, y_pred) if debug.is_active()]
    y_true, y_pred = _cast(y_true, true.kind, compute), _cast(y_pred, pred.kind, compute)
    if loss.last_axis is not None:
        y_true, y_pred = _move_axis(who, loss, y_true, y_pred)
    rank = len(y_pred.shape)
    y_true, y_pred = align.align_pair(who, y_true, y_pred, true, pred)

    own = align.own_axes(true, pred, len(y_true.shape), len(y_pred.shape))
    shape = tuple(size for i, size in enumerate(y_pred.shape) if i not in own)
    keep, valid, ignore = _keep(who, weight, mask, shape), None, getattr(loss, "ignore_class", None)
    if ignore is not None and true.kind.name in ("binary", "onehot"):
        labelled = _labelled(y_true, true, ignore)
        keep, valid = _both(keep, labelled), _both(_keep(who, None, mask, shape), labelled)
    keep_true = _shared(keep, true, pred, y_true, y_pred, own)
    keep = _insert(keep, own)
    extra = _extra(loss, extra, compute)
    classes = _classes(loss, y_pred, pred, extra, true.classes)
    if debug.is_active():
        known = classes if isinstance(classes, int) else None
        debug.check_input(who, "y_true", y_true, true, keep_true, rounding[0], known, ignore)
        debug.check_input(who, "y_pred", y_pred, pred, keep, rounding[1])
    prepared = Prepared(_fill(y_true, keep_true, true.kind), _fill(y_pred, keep, pred.kind), extra)
    prepared.added_axis = len(y_pred.shape) > rank
    prepared.valid = valid
    if true.kind.integer:
        _clean_labels(ignore, prepared, pred, own, classes)
    elif true.classes is not None:
        _clean_positions(prepared, true, pred)
    if "mask" in loss.call_arguments:
        prepared.extra["mask"] = _both(keep, _insert(prepared.valid, own))  # what is ignored does not count either
        if prepared.valid is not None:  # nor does a sample of which a mask leaves only that
            prepared.valid = _both(prepared.valid, _keep(who, None, mask, shape))
    if pred.parts:
        prepared.y_pred = {name: prepared.y_pred[..., i] for i, (name, _) in enumerate(pred.parts)}
    return prepared


def shape_of(x: Any) -> tuple[Any, ...]:
    """The shape of a tensor, array, number or nested list, as far as it is known."""
    if x is None:  # of which the compiler of PyTorch cannot ask NumPy
        return ()
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def stand_in(who, y_true, y_pred, true: Spec, pred: Spec):
    """Zeros, one a sample, in place of a target that the formula does not look at. Only how many samples it has is checked."""
    given, shape = shape_of(y_true), shape_of(y_pred)
    if y_true is not None and not (given and shape and (None in (given[0], shape[0]) or given[0] == shape[0])):
        raise ValueError(
            f"{who}: y_true with shape {given} does not meet y_pred with shape {shape}: the first axis is the batch. "
            f"Expected: y_true {true}, {true.kind.text}; y_pred {pred}, {pred.kind.text}."
        )
    if isinstance(y_pred, (np.ndarray, list, tuple)) or not shape:
        return np.zeros(shape[:1])
    return ops.zeros_like(y_pred[(slice(None), *(0,) * (len(shape) - 1))])


def _cast(x, kind: Kind, compute):
    if not kind.integer:
        # Arrays are cast in NumPy: a backend refuses some dtypes, and makes floatx of float64 first.
        if isinstance(x, (np.ndarray, np.generic)):
            return ops.convert_to_tensor(np.asarray(x, compute), dtype=compute)
        return widen(x, compute) if getattr(x, "dtype", None) is not None else ops.convert_to_tensor(x, dtype=compute)
    x = np.asarray(x) if isinstance(x, (list, tuple)) else x
    dtype = dtype_of(x)
    if isinstance(x, np.ndarray) and dtype in ("int64", "uint64", "uint32"):
        # A backend without int64 wraps ids around: kept at the end of its range, they stay out of range.
        x = np.clip(x, -(2**31), 2**31 - 1) if keras.backend.backend() == "jax" else x.astype("int64")
    x = ops.convert_to_tensor(x)
    if dtype in ("int32", "int64", "float32", "float64"):
        return x
    # Float labels stay floats until `_clean_labels` has seen which of them are no integers.
    return ops.cast(x, "float32" if dtype in _FLOATS else "int64" if dtype in ("uint32", "uint64") else "int32")


def widen(x: Any, dtype: str) -> Any:
    """`x` in a wider dtype; the gradient on its way back into float16 stops at the largest number of float16."""
    x = ops.convert_to_tensor(x)
    if keras.backend.standardize_dtype(x.dtype) != "float16":
        return ops.cast(x, dtype)

    # A probability of 0 has a gradient of 1e7, in float16 infinite, and a softmax before it makes NaN of infinity.
    def slope(upstream, *_):
        return ops.cast(ops.clip(upstream, -65504.0, 65504.0), "float16")

    return with_gradient(lambda x: ops.cast(x, dtype), slope)(x)


def _infer(y_true, y_pred, true, pred):
    """The contract of a loss that states none: one shape, or integer ids one axis shorter than the prediction."""
    if pred is None:
        same = true is not None and not true.kind.integer and true.kind.name != "unused"
        pred = real(" ".join(true.axes) if true is not None and same else "B *S D")
    if true is None:
        shape_true, shape_pred = np.shape(y_true), np.shape(y_pred)
        shorter = len(shape_true) == len(shape_pred) - 1 and shape_pred[-1] != 1
        column = len(shape_true) == len(shape_pred) > 1 and shape_true[-1] == 1 and shape_pred[-1] != 1
        if dtype_of(y_true) not in _FLOATS and (shorter or column):
            true = label(" ".join(pred.axes[:-1]), classes=None)
        else:
            true = real(" ".join(pred.axes))
    return true, pred


def _is_structure(x):
    return isinstance(x, dict) or (isinstance(x, (list, tuple)) and any(hasattr(v, "shape") for v in x))


def _structure(loss, y_true, y_pred, weight, mask, extra, compute):
    """Dicts and lists of tensors without a contract: cast, not checked; the formula knows what it takes."""

    def convert(x):
        return _cast(x, KINDS["real" if dtype_of(x) in _FLOATS else "id"], compute)

    prepared = Prepared(keras.tree.map_structure(convert, y_true), keras.tree.map_structure(convert, y_pred), dict(extra))
    if "mask" in loss.call_arguments:
        prepared.extra["mask"] = _keep(str(loss.name), weight, mask, None)
    return prepared


def _pack(who, y_pred, pred, compute):
    if not isinstance(y_pred, dict):
        return y_pred
    names = [name for name, _ in pred.parts]
    if set(names) != set(y_pred):
        raise ValueError(f"{who}: y_pred must be a dict with the keys {names}. Received: {sorted(map(str, y_pred))}")
    return ops.stack([ops.cast(ops.convert_to_tensor(y_pred[name]), compute) for name in names], axis=-1)


def _move_axis(who, loss, y_true, y_pred):
    axis, rank = getattr(loss, loss.last_axis), len(y_pred.shape)
    if axis == -1:
        return y_true, y_pred
    if not -rank <= axis < rank:
        raise ValueError(f"{who}: {loss.last_axis}={axis} is no axis of y_pred with shape {tuple(y_pred.shape)}.")
    axis %= rank
    if axis != rank - 1:
        y_true = ops.moveaxis(y_true, axis, -1) if len(y_true.shape) == rank else y_true
        y_pred = ops.moveaxis(y_pred, axis, -1)
    return y_true, y_pred


def _insert(keep, own):
    """`keep` with axes of 1 where the prediction has axes of its own, as far as it reaches."""
    for i in own:
        if keep is not None and len(keep.shape) > i:
            keep = ops.expand_dims(keep, axis=i)
    return keep


def _keep(who, weight, mask, shape):
    """Which entries count, with axes matched from the left to those of the prediction that `shape` has; None: all."""
    keep = None
    for given, what in ((None if weight is None else ops.not_equal(weight, 0), "sample_weight"), (mask, "mask")):
        if given is None:
            continue
        if shape is not None:
            given = align.align_left(who, what, given, shape, of="y_pred", pad=False)
        if len(given.shape) > 1 and given.shape[-1] == 1:
            given = ops.squeeze(given, axis=-1)
        keep = _both(keep, given)
    return keep


def _both(first, second):
    """What two masks let through, their axes matched from the left; None: all."""
    if first is None or second is None:
        return second if first is None else first
    rank = max(len(first.shape), len(second.shape))
    return ops.logical_and(align.pad_rank(first, rank), align.pad_rank(second, rank))


def _labelled(y_true, true: Spec, ignore: int):
    """Which labels that are no ids are not `ignore`: each 0 or 1 on its own, or whole rows.

    The row of an id is what one-hot encoding makes of it: zeros where it is no class.
    """
    if true.kind.name != "onehot":
        return ops.not_equal(y_true, float(ignore))
    if 0 <= ignore < y_true.shape[-1]:
        return ops.not_equal(y_true[..., ignore], 1.0)
    return ops.any(ops.not_equal(y_true, 0.0), axis=-1)


def _shared(keep, true: Spec, pred: Spec, y_true, y_pred, own=()):
    """`keep` for the target: over the leading axes that it shares with the prediction, any over the others."""
    if keep is None:
        return None
    names = [name for i, name in enumerate(pred.names(len(y_pred.shape))) if i not in own]
    pairs = zip(true.names(len(y_true.shape)), names, strict=False)
    shared = 0
    for a, b in pairs:
        if a != b:
            break
        shared += 1
    return align.reduce_rank(keep, shared) if shared else None


def _fill(x, keep, kind: Kind):
    if keep is None:
        return x
    return ops.where(align.pad_rank(keep, len(x.shape)), x, ops.full_like(x, 0 if kind.integer else kind.fill))


def _extra(loss, extra, compute):
    allowed = loss.call_arguments
    result = {}
    for name, value in extra.items():
        if name not in allowed:
            raise TypeError(f"{loss.name}: unexpected argument `{name}`. Expected one of: sample_weight, mask, {allowed}")
        spec = getattr(loss, name, None)
        kind = spec.kind if isinstance(spec, Spec) else KINDS["real" if dtype_of(value) in _FLOATS else "id"]
        result[name] = None if value is None else _cast(value, kind, compute)
    return result


def _clean_labels(ignore, prepared, pred: Spec, own, classes):
    """Labels as integers in range; which were not, and which are to be ignored, is noted."""
    labels, wrong = prepared.y_true, None
    if dtype_of(labels) in _FLOATS:
        whole = ops.equal(labels, ops.round(labels)) & (ops.abs(labels) < 2.0**31)  # False for NaN and infinity
        labels = ops.cast(ops.where(whole, labels, ops.zeros_like(labels)), "int32")
        wrong = ops.logical_not(whole)
    if classes is not None:
        outside = (labels < 0) | (labels >= classes)
        wrong = outside if wrong is None else wrong | outside
    if ignore is not None:
        ignored = ops.equal(labels, ignore)
        prepared.valid = ops.logical_not(ignored)
        wrong = None if wrong is None else wrong & prepared.valid
        labels = ops.where(ignored, ops.zeros_like(labels), labels)
        prepared.y_pred = _fill(prepared.y_pred, _insert(prepared.valid, own), pred.kind)
    if wrong is not None:
        labels = labels * ops.cast(ops.logical_not(wrong), labels.dtype)
    prepared.y_true, prepared.wrong = labels, wrong


def _classes(loss, y_pred, pred: Spec, extra, name):
    """How many classes there are: the size of the axis `name` of the prediction, or of the further argument that has it."""
    if name is None:
        return None
    given = ((x, getattr(loss, argument, None)) for argument, x in extra.items() if x is not None)
    others = ((x, spec) for x, spec in given if isinstance(spec, Spec) and name in spec.names(len(x.shape)))
    return _size(*((y_pred, pred) if name in pred.names(len(y_pred.shape)) else next(others, (y_pred, pred))), name)


def _clean_positions(prepared, true: Spec, pred: Spec):
    """Positions in range; which were not is noted."""
    last = _size(prepared.y_pred, pred, true.classes) - 1
    inside = (prepared.y_true >= 0) & (prepared.y_true <= ops.cast(last, prepared.y_true.dtype))  # False for NaN
    prepared.y_true = ops.where(inside, prepared.y_true, ops.zeros_like(prepared.y_true))
    prepared.wrong = ops.logical_not(inside)


def _size(x, spec, name):
    position = spec.names(len(x.shape)).index(name)
    return x.shape[position] if x.shape[position] is not None else ops.shape(x)[position]
