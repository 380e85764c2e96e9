"""`class_weight=` and `class_counts=` in a formula: one number for each class, of any rank of data."""

from typing import Any

from keras import ops

from keras_losses.core.fields import shorten


def class_weights(loss: Any, y_pred: Any) -> Any:
    """The weights of the C classes on the last axis of `y_pred` as a tensor `(C,)`, or 1 where there are none."""
    given = loss.class_weight
    if given is None:
        return 1
    classes = y_pred.shape[-1]
    if isinstance(given, dict):
        outside = [c for c in given if not 0 <= c < classes]
        if outside:
            raise ValueError(f"{loss.name}: `class_weight` names the class {outside[0]}, there are {classes} classes.")
        given = tuple(given.get(c, 1.0) for c in range(classes))
    return per_class(loss, y_pred, "class_weight", given)


def per_class(loss: Any, y_pred: Any, name: str, numbers: tuple[float, ...]) -> Any:
    """What the field `name` says of each of the C classes on the last axis of `y_pred`, as a tensor `(C,)`."""
    classes = y_pred.shape[-1]
    if len(numbers) != classes:
        raise ValueError(f"{loss.name}: `{name}` holds {len(numbers)} numbers for {classes} classes.")
    return ops.convert_to_tensor(numbers, dtype=y_pred.dtype)


def label_weights(loss: Any, labels: Any, y_pred: Any) -> Any:
    """The weight of each label's class, or 1."""
    weights = class_weights(loss, y_pred)
    return weights if isinstance(weights, int) else ops.take(weights, labels, axis=0)


def check_class_counts(loss: Any) -> None:
    """Raise unless every class has samples: for formulas that have no value for a class without any."""
    for c, count in enumerate(loss.class_counts):
        if not count > 0:
            raise ValueError(
                f"{type(loss).__name__}: `class_counts` must be > 0, and class {c} has none. Give it a count such as 1, "
                "or leave the class out of the prediction."
            )


def binary_weights(loss: Any) -> tuple[float, float]:
    """The weights of the classes 0 and 1 of a loss with two."""
    given = loss.class_weight
    if given is None:
        return 1.0, 1.0
    if isinstance(given, dict):
        return given.get(0, 1.0), given.get(1, 1.0)
    return given


def check_binary_weights(loss: Any) -> None:
    """Raise unless `class_weight` is for the classes 0 and 1."""
    given = loss.class_weight
    if given is None:
        return
    if (isinstance(given, dict) and not set(given) <= {0, 1}) or (isinstance(given, tuple) and len(given) != 2):
        raise ValueError(
            f"{type(loss).__name__}: `class_weight` must hold the weights of class 0 and class 1. Received: {shorten(given)}"
        )
