"""What a tensor of a loss is: its kind and its axes, in one line.

`prob("B *S C")` says: probabilities, a batch axis, any number of further axes, a class axis. The one declaration drives
the cast, the alignment, the error text, the sampler of the tests and the table in the docs.
"""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of tensor: `integer` ones never pass through a float; `fill` is what an entry that does not count holds."""

    name: str
    text: str
    fill: float = 0.0
    integer: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("real", "real numbers"),
        Kind("logit", "logits (any real number)"),
        Kind("prob", "probabilities in [0, 1]", fill=0.5),
        Kind("simplex", "probabilities whose rows sum to 1", fill=0.5),
        Kind("binary", "0, 1, or a soft label between"),
        Kind("onehot", "one-hot or soft labels whose rows sum to 1"),
        Kind("sign", "-1 or 1 (0 counts as -1)"),
        Kind("label", "integer class ids", integer=True),
        Kind("id", "integer ids, equal or not", integer=True),
        Kind("position", "real positions from 0 to the last bin"),
        Kind("relevance", "relevances >= 0; negative is padding"),
        Kind("positive", "numbers > 0", fill=1.0),
        Kind("count", "numbers >= 0"),
        Kind("boxes", "boxes, four numbers each"),
        Kind("rotated", "rotated boxes: center x and y, width, height, angle in radians"),
        Kind("keypoints", "keypoints: x and y, in targets with visibility (0: not labelled), and area if asked for"),
        Kind("parts", "several tensors packed on the last axis"),
        Kind("unused", "anything with one entry a sample, or None: the formula does not look at it"),
    )
}


@dataclasses.dataclass(frozen=True)
class Spec:
    """Kind and axes of one tensor.

    Args:
        kind: one of `KINDS`.
        axes: the axes, parsed: names, integers (as strings) and at most one `*name` for any number of axes.
        classes: for `label` and `position`, the axis of the other tensor that counts the classes or bins: what is in range
            is 0 to its size - 1.
        parts: for `parts`, `{name: kind}` of what is packed, in order.
        dense: for `label`, one-hot or soft labels of the shape of the prediction are taken as well.
    """

    kind: Kind
    axes: tuple[str, ...]
    classes: str | None = None
    parts: tuple[tuple[str, Kind], ...] = ()
    dense: bool = False
    #: The number of axes that are always there, and the position of `*S`, or None: asked for several times a call.
    fixed: int = dataclasses.field(init=False, repr=False, compare=False)
    star: int | None = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [a for a in self.axes if not a.isdecimal()]
        if not self.axes or sum(a.startswith("*") for a in names) > 1 or len(set(names)) < len(names):
            raise ValueError(
                f"Axes must be different names, or integers, with at most one `*name`, as in 'B *S C'. Received: {self}"
            )
        if not all(a.removeprefix("*").isidentifier() or a.isdecimal() for a in self.axes):
            raise ValueError(f"An axis is a name such as B, a number such as 4, or *S. Received: {self}")
        stars = [i for i, a in enumerate(self.axes) if a.startswith("*")]
        object.__setattr__(self, "fixed", len(self.axes) - len(stars))
        object.__setattr__(self, "star", stars[0] if stars else None)

    def __str__(self) -> str:
        return f"{self.kind.name}({' '.join(self.axes)!r})"

    def met_by(self, shape: tuple, pred_shape: tuple) -> "Spec":
        """This contract, or that of dense labels where a target of `shape` is such and `dense` admits it."""
        same = len(shape) == len(pred_shape) and all(a == b or None in (a, b) for a, b in zip(shape, pred_shape, strict=True))
        if not self.dense or not same or pred_shape[-1] == 1:  # ids in a column, not one class
            return self
        return onehot(" ".join((*self.axes, str(self.classes))))

    def names(self, rank: int) -> tuple[str, ...]:
        """One name an axis for a tensor of `rank` axes: `*S` becomes S0, S1, ..."""
        star = self.star
        if star is None:
            return self.axes
        many = tuple(f"{self.axes[star][1:]}{i}" for i in range(rank - self.fixed))
        return self.axes[:star] + many + self.axes[star + 1 :]


def _maker(kind: str) -> Any:
    def make(axes: str) -> Spec:
        return Spec(KINDS[kind], tuple(axes.split()))

    make.__name__ = make.__qualname__ = kind
    make.__doc__ = f"A tensor of {KINDS[kind].text}; `axes` as in 'B *S C'."
    return make


real, logit, prob, simplex = _maker("real"), _maker("logit"), _maker("prob"), _maker("simplex")
binary, onehot, sign = _maker("binary"), _maker("onehot"), _maker("sign")
relevance, positive, count = _maker("relevance"), _maker("positive"), _maker("count")
boxes, rotated, keypoints = _maker("boxes"), _maker("rotated"), _maker("keypoints")


def unused(axes: str = "B") -> Spec:
    """A target that the formula does not look at: any dtype and any number of axes, the first of them the batch; or None.

    `call` receives zeros, one a sample.
    """
    return Spec(KINDS["unused"], tuple(axes.split()))


def label(axes: str, classes: str | None = "C", dense: bool = False) -> Spec:
    """Integer class ids from 0 to the size of the axis `classes` - 1; `classes=None`: any integers, compared only.

    The axis is one of the prediction, or of a further argument of `call` whose contract names it: `proxies = real("C D")`.

    `dense`: a target of the shape of the prediction is one-hot or soft labels, with `classes` as its last axis. `call` sees
    which of the two it got by the number of axes.
    """
    kind = KINDS["label" if classes else "id"]
    if dense:
        kind = dataclasses.replace(kind, text=f"{kind.text}, or one-hot or soft labels of the shape of y_pred")
    return Spec(kind, tuple(axes.split()), classes=classes, dense=dense)


def position(axes: str, classes: str = "C") -> Spec:
    """Real numbers from 0 to the size of the axis `classes` - 1: where something lies among the bins of that axis."""
    return Spec(KINDS["position"], tuple(axes.split()), classes=classes)


def parts(axes: str, **kinds: Any) -> Spec:
    """Several tensors packed on one more, last axis, one entry each: `parts("B *S", mean=real, log_scale=real)`.

    `call` receives a dict of tensors with the axes given here. `compile` hands a loss one tensor, hence the packing;
    called directly, the loss takes the dict as well.
    """
    named = tuple((name, KINDS[maker.__name__]) for name, maker in kinds.items())
    return Spec(KINDS["parts"], (*axes.split(), str(len(named))), parts=named)
