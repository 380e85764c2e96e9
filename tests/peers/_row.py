"""Rows, faults, and how one is evaluated."""

import dataclasses
import functools
import importlib.metadata
import pathlib
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.peers import _lazy

TOLERANCE = 1e-5
SEEDS = (0, 1, 2)
PINS = pathlib.Path(__file__).parents[2] / "constraints-peers.txt"
# Where a package is not called as it is imported.
DISTRIBUTIONS = {
    "holocron": "pylocron",
    "keras_rs": "keras-rs",
    "balanced_loss": "balanced-loss",
    "pytorch_metric_learning": "pytorch-metric-learning",
    "pytorch_optimizer": "pytorch-optimizer",
    "pytorch_toolbelt": "pytorch-toolbelt",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
    "unified_focal_loss": "unified-focal-loss-pytorch",
}
# Whose arrays are JAX's. Peers of Keras run on its PyTorch backend, as the losses of this package do here.
ON_JAX = ("optax", "rax")


def plain(peer, y_true, y_pred):
    """The call of most peers."""
    return peer(y_pred, y_true)


def direct(loss, y_true, y_pred):
    """The call of most of our losses."""
    return loss(y_true, y_pred)


@dataclasses.dataclass(frozen=True, eq=False)
class Peer:
    """A class or function of a package, with its settings; or a formula, written here from a paper."""

    path: str
    settings: dict
    formula: Callable | None = None

    @property
    def distribution(self):
        top = self.path.split(".")[0]
        return None if self.formula else DISTRIBUTIONS.get(top, top)

    @property
    def version(self):
        """The version that is pinned: the session installs it."""
        return "" if self.formula else pins()[self.distribution]

    def __str__(self):
        if self.formula:
            return self.path
        name = self.path if self.path.count(".") < 3 else self.path.split(".")[0] + "." + self.path.rsplit(".", 1)[1]
        return f"`{name}({', '.join(f'{k}={show(v)}' for k, v in self.settings.items())})`"

    def load(self):
        if self.formula:
            return lambda y_pred, y_true: self.formula(y_true, y_pred, **self.settings)
        found = _lazy.load(self.path)
        settings = {k: self._array(v) for k, v in self.settings.items()}
        return found(**settings) if isinstance(found, type) else functools.partial(found, **settings)

    def _array(self, value):
        if isinstance(value, Peer):
            return value.load()
        if not isinstance(value, np.ndarray) or self.distribution in ON_JAX:
            return value
        return _lazy.torch.tensor(value)

    def __call__(self, call, y_true, y_pred, weigh):
        """Values, and the gradient with respect to `y_pred` of their sum, weighted by `weigh(shape)`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a peer warns of is its own affair
            return (_jax if self.distribution in ON_JAX else _torch)(call, self, y_true, y_pred, weigh)


def _torch(call, peer, y_true, y_pred, weigh):
    torch = _lazy.torch
    y_true, y_pred = torch.tensor(y_true), torch.tensor(y_pred, requires_grad=True)
    values = call(peer.load(), y_true, y_pred)
    weights = torch.tensor(weigh(values.shape), dtype=values.dtype)
    (slope,) = torch.autograd.grad((values * weights).sum(), y_pred)
    return values.detach().numpy(), slope.numpy()


def _jax(call, peer, y_true, y_pred, weigh):
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(True):
        loaded, y_true = peer.load(), jnp.asarray(y_true)
        call(loaded, y_true, jnp.asarray(y_pred))  # where it raises, it is not for being differentiated
        values, pull = jax.vjp(lambda p: call(loaded, y_true, p), jnp.asarray(y_pred))
        (slope,) = pull(jnp.asarray(weigh(values.shape), values.dtype))
        return np.asarray(values), np.asarray(slope)


def cotangent(shape):
    """Numbers that differ from value to value, so that values cannot be mixed up unseen."""
    return (1 + 0.5 * np.cos(np.arange(np.prod(shape, dtype=int)))).reshape(tuple(shape))


def pins():
    lines = PINS.read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


def installed(distribution):
    return importlib.metadata.version(distribution)


def show(value):
    """A setting, short."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        left, right = "[]" if isinstance(value, list) else "()"
        return left + ", ".join(show(v) for v in value) + right
    if isinstance(value, Peer):
        return str(value).strip("`")
    return f"{value:g}" if isinstance(value, float) else repr(value)


@dataclasses.dataclass(frozen=True, eq=False)
class Ours:
    """A loss as an argument of a wrapper, made when it is needed."""

    name: str
    settings: dict = dataclasses.field(default_factory=dict)

    def __repr__(self):
        return f"{self.name}({', '.join(f'{k}={show(v)}' for k, v in self.settings.items())})"

    def make(self, **more):
        import keras_losses

        made = {k: v.make() if isinstance(v, Ours) else v for k, v in self.settings.items()}
        return getattr(keras_losses, self.name)(**(more | made))


class _Pair:
    """What rows and faults share."""

    @property
    def ours(self):
        return Ours(self.loss, self.settings)

    @property
    def id(self):
        where = "formula" if self.peer.formula else self.peer.path.split(".")[0]
        return f"{self.loss}-{where}-" + re.sub(r"[^\w.=]+", " ", str(self.ours)[len(self.loss) :]).strip()

    def evaluate_ours(self, y_true, y_pred, weights):
        from keras_losses.testing import value_and_gradient

        loss = self.ours.make(reduction="sum_over_batch_size" if self.mean else "none", dtype="float64")
        return value_and_gradient(lambda p: self.our_call(loss, y_true, p), y_pred, "float64", weights)


@dataclasses.dataclass(frozen=True, eq=False)
class Row(_Pair):
    """A loss of ours beside a peer at equal settings.

    Attributes:
        data: makes `(y_true, y_pred)` from a random generator.
        call: `(peer, y_true, y_pred)` to the values that are compared.
        mean: whether that is the mean of our values, because the peer has no others.
        note: what is to know about this peer.
        our_call: `(loss, y_true, y_pred)` to our values, where it takes more than these two.
    """

    loss: str
    settings: dict
    peer: Peer
    data: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
    call: Callable = plain
    mean: bool = False
    note: str = ""
    our_call: Callable = direct

    def compare(self):
        """The worst difference of values and of gradients, relative where they exceed 1."""
        worst = [0.0, 0.0]
        for seed in SEEDS:
            y_true, y_pred = self.data(np.random.default_rng(seed))
            theirs = self.peer(self.call, y_true, y_pred, cotangent)
            ours = self.evaluate_ours(y_true, y_pred, cotangent(theirs[0].shape))
            for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
                assert a.shape == b.shape, f"{'gradient' if i else 'values'} of shape {a.shape}, the peer's {b.shape}"
                difference = np.max(np.abs(a - b) / np.maximum(1, np.abs(b)), initial=0.0)
                assert np.isfinite(difference), "not finite"
                worst[i] = max(worst[i], float(difference))
        return tuple(worst)


@dataclasses.dataclass(frozen=True, eq=False)
class Fault(_Pair):
    """An input on which a peer is wrong.

    Attributes:
        what: the defect, a sentence.
        at: `(y_true, y_pred)`.
        right: the right values, or None where only the gradient is in question.
        slope: the right gradient of the sum of the values, or None.
    """

    loss: str
    settings: dict
    peer: Peer
    what: str
    at: tuple[Any, Any]
    right: Any = None
    slope: Any = None
    call: Callable = plain
    mean: bool = False
    our_call: Callable = direct

    @property
    def data(self):
        y_true, y_pred = (np.asarray(a) for a in self.at)
        return y_true, y_pred.astype(float)

    def seen(self):
        """What the peer gives, in words, and whether it is right."""
        try:
            values, slope = self.peer(self.call, *self.data, np.ones)
        except Exception as error:  # whatever it raises is what is seen
            return f"raises {type(error).__name__}", False
        wrong = []
        if self.right is not None and not _close(values, self.right, 1e-3):
            wrong.append(brief(values))
        if not np.isfinite(slope).all() or (self.slope is not None and not _close(slope, self.slope, 1e-3)):
            wrong.append(f"gradient {brief(slope)}")
        return ", ".join(wrong) or "right", not wrong

    def check_ours(self):
        """Our values and gradient are the right ones."""
        values, slope = self.evaluate_ours(*self.data, None)
        assert np.isfinite(slope).all(), f"gradient {slope}"
        if self.right is not None:
            assert values.shape == np.shape(self.right)
            np.testing.assert_allclose(values, self.right, rtol=TOLERANCE, atol=TOLERANCE)
        if self.slope is not None:
            np.testing.assert_allclose(slope, np.broadcast_to(self.slope, slope.shape), rtol=TOLERANCE, atol=TOLERANCE)


def _close(values, right, tolerance):
    return values.shape == np.shape(right) and bool(np.allclose(values, right, rtol=tolerance, atol=tolerance))


def brief(values):
    values = np.asarray(values, float)
    flat = [f"{v:.4g}" for v in values.ravel()[:6]]
    return flat[0] if values.size == 1 else "[" + ", ".join(flat) + (", ...]" if values.size > 6 else "]")


def rows(loss, peer, data, *settings, **rest):
    """A row for each pair of settings, ours and theirs. `peer` is a dotted path, or `(source, function)` of a formula."""
    path, formula = (peer, None) if isinstance(peer, str) else peer
    return [Row(loss, ours, Peer(path, theirs, formula), data, **rest) for ours, theirs in settings]


def fault(loss, peer, ours, theirs, what, at, **rest):
    return Fault(loss, ours, Peer(peer, theirs), what, at, **rest)
