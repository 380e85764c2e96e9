"""What a loss takes: its contract, that of the loss of ours with its name, or a guess, which is told."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from typing import Any

import keras
import numpy as np

from keras_losses.core.loss import Loss
from keras_losses.core.registry import public
from keras_losses.core.spec import KINDS, Spec


@dataclasses.dataclass(frozen=True)
class Form:
    """A contract that nobody has stated: what the sampler needs to draw a batch."""

    y_true: Spec
    y_pred: Spec
    last_axis: None = None


def form(true: str, pred: str, axes: str = "B *S C") -> Form:
    """A form by the names of two kinds; labels have no class axis."""
    names = tuple(axes.split())
    inner = names[:-1] if true in ("label", "id") else names
    return Form(Spec(KINDS[true], inner, classes="C" if true == "label" else None), Spec(KINDS[pred], names))


# What the name or the source of a loss says about its target and prediction, the most telling first.
_HINTS = (
    (r"sparse|one_hot\(|take_along_axis", "label", "simplex"),
    (r"categorical|multi.?class|softmax|cce|kl_|diverg", "onehot", "simplex"),
    (r"binary|bce|focal|dice|jaccard|tversky|iou|overlap|sigmoid|cross.?entropy", "binary", "prob"),
    (r"hinge", "sign", "real"),
    (r"poisson|count", "count", "positive"),
)
_LOGITS = re.compile(r"(?<![a-z_])(sigmoid|softmax|log_softmax|log_sigmoid|softplus)\(|from_logits\s*=\s*True")


def counterpart(loss: Any) -> Loss | None:
    """The loss of ours that a stock Keras loss, or a function, has the name of; with its arguments."""
    given = {}
    if isinstance(loss, functools.partial):
        loss, given = loss.func, loss.keywords
    if hasattr(loss, "loss_class"):
        return loss.loss_class(**given)
    if not is_stock(loss):
        return None
    if isinstance(loss, keras.losses.Loss):
        cls, config = public().get(type(loss).__name__), loss.get_config()
    else:
        handle = public().get(getattr(loss, "__name__", ""))
        cls, config = getattr(handle, "loss_class", None), given
    if cls is None:
        return None
    takes = {f.name for f in dataclasses.fields(cls)} - {"name", "dtype", "reduction"}
    return cls(**{name: value for name, value in config.items() if name in takes})


def is_stock(loss: Any) -> bool:
    """Whether a loss is Keras's own."""
    owner = type(loss) if isinstance(loss, keras.losses.Loss) else loss
    return (getattr(owner, "__module__", None) or "").split(".")[0] == "keras"


def stated(loss: Any) -> Any:
    """What states the contract of a loss: itself, the first term of a sum, its counterpart; None if nothing does."""
    if isinstance(loss, Loss):
        terms = getattr(loss, "terms", None)
        if terms and loss.y_pred is None:
            return stated(terms[0])
        return loss if loss.y_true is not None and loss.y_pred is not None else None
    return counterpart(loss)


def from_arrays(y_true: np.ndarray, y_pred: np.ndarray) -> Form:
    """The kinds that a batch shows."""
    axes = " ".join(("B", *("*S",) * (y_pred.ndim > 2), *("C",) * (y_pred.ndim > 1)))
    inside = y_pred.size > 0 and y_pred.min() >= 0 and y_pred.max() <= 1
    rows = y_pred.ndim > 1 and y_pred.shape[-1] > 1 and np.allclose(y_pred.sum(-1), 1, atol=1e-3)
    pred = "simplex" if inside and rows else "prob" if inside else "logit"
    if y_true.dtype.kind in "iub" and y_true.shape != y_pred.shape:
        return form("label", pred, axes)
    values = set(np.unique(y_true).tolist())
    if values <= {0.0, 1.0}:
        hot = y_true.ndim > 1 and y_true.shape[-1] > 1 and (y_true.sum(-1) == 1).all()
        return form("onehot" if hot else "binary", pred, axes)
    return form("sign", "real", axes) if values == {-1.0, 1.0} else form("real", "real", axes)


def guesses(loss: Any, name: str) -> list[Form]:
    """What a loss that states nothing may take, the likeliest first: from its name, then its source."""
    text = source(loss)
    pairs = [(true, pred) for words, true, pred in _HINTS if re.search(words, name.lower())]
    pairs += [(true, pred) for words, true, pred in _HINTS[:1] if re.search(words, text)]
    if _LOGITS.search(text):
        pairs = [(true, "logit") for true, _ in pairs or [("binary", "")]]
    pairs += [("real", "real"), ("binary", "prob"), ("onehot", "simplex"), ("label", "simplex"), ("count", "positive")]
    return [form(*pair) for pair in dict.fromkeys(pairs)]


def written(loss: Any) -> Any:
    """The function or class that a user wrote."""
    loss = loss.func if isinstance(loss, functools.partial) else loss
    loss = getattr(loss, "fn", None) or loss
    return type(loss) if isinstance(loss, keras.losses.Loss) else inspect.unwrap(loss)


def source(loss: Any) -> str:
    """The source of a loss, empty if there is none to read."""
    try:
        return inspect.getsource(written(loss))
    except (OSError, TypeError):
        return ""
