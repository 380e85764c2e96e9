"""Shapes that meet, or an error that names them: nothing broadcasts silently."""

from typing import Any

from keras import ops

from keras_losses.core.spec import Spec


def align_pair(who: str, y_true: Any, y_pred: Any, true: Spec, pred: Spec) -> tuple[Any, Any]:
    """Both tensors with the ranks of their contract, sizes checked.

    `(N,)` and `(N, 1)` meet by adding or dropping one final axis of 1. The prediction decides: the target follows.
    """
    given = (tuple(y_true.shape), tuple(y_pred.shape))
    # Where there is no target to meet, an axis of views or features is not made up.
    if true.kind.name != "unused" and (pred.star is None or len(y_pred.shape) < pred.fixed):
        y_pred = _to_rank(y_pred, pred.fixed)
    rank = true.fixed if true.star is None else true.fixed + len(y_pred.shape) - pred.fixed
    y_true = _to_rank(y_true, rank)
    problem = mismatch(y_true.shape, true, y_pred.shape, pred)
    if problem:
        raise ValueError(
            f"{who}: y_true with shape {given[0]} does not meet y_pred with shape {given[1]}: {problem}. "
            f"Expected: y_true {true}, {true.kind.text}; y_pred {pred}, {pred.kind.text}.{_likely(*given, true, pred)}"
        )
    return y_true, y_pred


def _to_rank(x, rank):
    if len(x.shape) == rank + 1 and x.shape[-1] == 1:
        return ops.squeeze(x, axis=-1)
    if len(x.shape) == rank - 1 and rank > 1:
        return ops.expand_dims(x, axis=-1)
    return x


def mismatch(true_shape: Any, true: Spec, pred_shape: Any, pred: Spec) -> str | None:
    """What is wrong with the shapes, or None. Unknown sizes fit anything."""
    sizes: dict[str, tuple[int, str]] = {}
    for which, shape, spec in (("y_pred", pred_shape, pred), ("y_true", true_shape, true)):
        rank = len(shape)
        if rank < spec.fixed or (spec.star is None and rank > spec.fixed):
            more = "at least " if spec.star is not None else ""
            return f"{which} has {rank} axes, the loss needs {more}{spec.fixed}"
        for position, (name, size) in enumerate(zip(spec.names(rank), shape, strict=False)):
            if size is None:
                continue
            expected, where = (int(name), "the contract") if name.isdecimal() else sizes.get(name, (size, ""))
            if expected != size:
                return f"axis {position} ({name}) of {which} is {size}, of {where} {expected}"
            sizes[name] = (size, which)
    if len(true_shape) - true.fixed != len(pred_shape) - pred.fixed and true.star is not None and pred.star is not None:
        return f"y_true has {len(true_shape)} axes where {true.fixed + len(pred_shape) - pred.fixed} are needed"
    return None


def own_axes(true: Spec, pred: Spec, rank_true: int, rank_pred: int) -> tuple[int, ...]:
    """The axes of the prediction that stand before one of the target and are not the target's, such as stacked views.

    Weights and masks do not have them.
    """
    names, shared = pred.names(rank_pred), true.names(rank_true)
    last = [i for i, name in enumerate(names) if name in shared][-1:]
    return tuple(i for end in last for i in range(end) if names[i] not in shared)


def _likely(true_shape, pred_shape, true, pred):
    """The likely mistake, as a sentence, where there is one."""
    if true_shape and pred_shape and None not in (true_shape[0], pred_shape[0]) and true_shape[0] != pred_shape[0]:
        return " The batch sizes differ: check that x and y have the same number of samples."
    if true.kind.integer and not true.dense and len(true_shape) == len(pred_shape):
        other = "use the loss without `Sparse` in its name, or " if true.classes else ""
        return f" The targets look one-hot: this loss takes integer ids; {other}`ops.argmax(y, axis=-1)`."
    if not true.kind.integer and len(true_shape) in (len(pred_shape), len(pred_shape) - 1) and pred.axes[-1] == "C":
        if len(true_shape) == len(pred_shape) - 1 or true_shape[-1] == 1:
            return " The targets look like integer class ids: use the `Sparse` form of the loss, or `ops.one_hot(y, C)`."
    if len(true_shape) == len(pred_shape) and sorted(map(str, true_shape)) == sorted(map(str, pred_shape)):
        return " The axes look permuted: channels first against channels last?"
    if len(true_shape) == len(pred_shape) and true_shape and 1 in (true_shape[-1], pred_shape[-1]):
        return " Does the last layer of the model have as many units as a target has values?"
    return ""


def align_left(who: str, what: str, x: Any, shape: tuple, of: str = "the loss values", pad: bool = True) -> Any:
    """`x` (weights or a mask) with its axes matched from the left to those of `shape`, and (`pad`) as many.

    Each axis equals the values' or is 1; missing axes on the right are added; one surplus final axis of 1 is dropped.
    """
    given = tuple(x.shape)
    if len(given) == 0:
        return x
    if len(given) == len(shape) + 1 and given[-1] == 1:
        x = ops.squeeze(x, axis=-1)
    if not left_aligned(tuple(x.shape), shape):
        raise ValueError(
            f"{who}: {what} with shape {given} does not fit {of} with shape {tuple(shape)}. Axes are matched "
            f"from the left: each is as large as that of the values, or 1; axes missing on the right are added."
        )
    return pad_rank(x, len(shape)) if pad else x


def left_aligned(given: tuple, shape: tuple) -> bool:
    """Whether the axes of `given` are those of `shape` from the left, or 1."""
    return len(given) <= len(shape) and all(
        a == b or a == 1 or a is None or b is None for a, b in zip(given, shape, strict=False)
    )


def pad_rank(x: Any, rank: int) -> Any:
    """`x` with axes of 1 added on the right."""
    missing = rank - len(x.shape)
    return x if missing <= 0 else ops.expand_dims(x, axis=tuple(range(-missing, 0)))


def reduce_rank(x: Any, rank: int) -> Any:
    """A boolean `x` with its axes beyond `rank` reduced by `any`."""
    return ops.any(x, axis=tuple(range(rank, len(x.shape)))) if len(x.shape) > rank else x
