"""The main job on real data: find one rare handwritten digit among the others, with three losses.

Weights and order of the samples come from NumPy, so every backend walks the same path: see `tests/test_demo.py`.
"""

import argparse
import dataclasses
import os
import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import keras_losses as kl

DESCRIPTION = "Trains a small model on real data, to find one rare handwritten digit, with three losses."
DIGIT = 8  # looks most like the others
KEEP = 4  # of the digit's training samples one in so many is kept: 26 in 1,000
EPOCHS = 30

# name -> (loss, does the model give logits)
LOSSES: dict[str, tuple[kl.Loss, bool]] = {
    "cross-entropy": (kl.BinaryCrossentropy(from_logits=True), True),
    "focal": (kl.BinaryFocalCrossentropy(gamma=2, from_logits=True), True),
    # A region is one number here. `smooth=1` keeps its Dice graded: with almost none, every false alarm would cost 1
    # whatever its probability, without a gradient. Both terms read one output: probabilities.
    "Dice + cross-entropy": (0.5 * kl.Dice(smooth=1.0) + kl.BinaryCrossentropy(), False),
}


@dataclasses.dataclass
class Result:
    """What training with one loss gave. All but the history's `loss` is measured on the held-out images."""

    name: str
    history: dict[str, list[float]]  # "loss" and "val_loss", one number an epoch
    average_precision: float
    f1: float  # at probability 1/2
    log_loss: float
    seconds: float
    values: np.ndarray  # the loss of each image
    positive: np.ndarray  # is the image the digit


class Advance(keras.callbacks.Callback):
    """Moves one bar of a rich progress display."""

    def __init__(self, progress: Progress, name: str, epochs: int):
        super().__init__()
        self.progress = progress
        self.bar = progress.add_task(name, total=epochs, loss="", start=False)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.progress.start_task(self.bar)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.progress.update(self.bar, advance=1, loss=f"loss {logs['loss']:.4f}" if logs else "")


def load_data(seed: int) -> tuple[Any, Any, Any, Any]:
    """Images `(N, 64)` in [0, 1] and labels `(N, 1)`, of training and held out.

    The digit is rare in training only: a measure on the few that would be left to hold out would be mostly chance.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, digits = load_digits(return_X_y=True)
    images, labels = (images / 16).astype("float32"), (digits == DIGIT).astype("int32")[:, None]
    x, x_test, y, y_test = train_test_split(images, labels, test_size=0.4, stratify=labels, random_state=seed)
    positive = np.flatnonzero(y)
    dropped = np.setdiff1d(positive, positive[::KEEP])
    return np.delete(x, dropped, axis=0), np.delete(y, dropped, axis=0), x_test, y_test


def build_model(seed: int, logits: bool) -> keras.Model:
    """A small perceptron with Glorot's uniform weights, drawn by NumPy."""
    # Not a ReLU: at its kink, an input that is 0 but for rounding can put two backends on different paths for good.
    layers = [keras.layers.Dense(64, "gelu"), keras.layers.Dense(1, None if logits else "sigmoid")]
    model = keras.Sequential([keras.Input((64,)), *layers])
    rng = np.random.default_rng(seed)
    for layer in layers:
        kernel, bias = layer.get_weights()
        limit = np.sqrt(6 / sum(kernel.shape))
        layer.set_weights([rng.uniform(-limit, limit, kernel.shape), np.zeros_like(bias)])
    return model


def train(name: str, data: tuple[Any, Any, Any, Any], epochs: int, seed: int, callbacks: list[Any]) -> Result:
    """Trains a model with the loss of that name and measures it."""
    from sklearn import metrics

    loss, logits = LOSSES[name]
    x, y, x_test, y_test = data
    start = time.perf_counter()
    model = build_model(seed, logits)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss=loss)
    history = model.fit(
        x,
        y,
        batch_size=64,
        epochs=epochs,
        shuffle=False,
        validation_data=(x_test, y_test),
        validation_batch_size=len(x_test),
        callbacks=callbacks,
        verbose=0,  # pyright: ignore[reportArgumentType]
    ).history
    seconds = time.perf_counter() - start

    output = model.predict(x_test, verbose=0)  # pyright: ignore[reportArgumentType]
    per_sample = loss.from_config({**loss.get_config(), "reduction": "none"})
    values = keras.ops.convert_to_numpy(per_sample(y_test, output))
    probability = keras.ops.convert_to_numpy(keras.ops.sigmoid(output)) if logits else output
    truth, probability = y_test[:, 0], probability[:, 0].astype("float64")
    return Result(
        name=name,
        history=history,
        average_precision=float(metrics.average_precision_score(truth, probability)),
        f1=float(metrics.f1_score(truth, probability > 0.5)),
        log_loss=float(metrics.log_loss(truth, probability)),
        seconds=seconds,
        values=values,
        positive=truth == 1,
    )


def run(epochs: int = EPOCHS, seed: int = 0, show: bool = True) -> list[Result]:
    """Trains one model per loss, all from the same weights on the same images; `show` draws progress and a table."""
    console = Console(quiet=not show)
    data = load_data(seed)
    _, y, _, y_test = data
    console.print(
        f"Finding the digit {DIGIT}: {y.sum()} of {len(y)} training images, {y_test.sum()} of {len(y_test)} held out; "
        f"Keras {keras.__version__} on {keras.backend.backend()}."
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[loss]}"), console=console) as progress:
        bars = {name: Advance(progress, name, epochs) for name in LOSSES}
        results = [train(name, data, epochs, seed, [bar]) for name, bar in bars.items()]
    console.print(table(results))
    return results


def table(results: list[Result]) -> Table:
    """The results, one row a loss."""
    shown = Table(title=f"Held-out images, {len(results[0].values)} of them")
    shown.add_column("loss", no_wrap=True)
    for heading in ("average precision", "F1", "log loss", "seconds"):
        shown.add_column(heading, justify="right")
    for each in results:
        numbers = (each.average_precision, each.f1, each.log_loss)
        shown.add_row(each.name, *(f"{number:.4f}" for number in numbers), f"{each.seconds:.1f}")
    return shown


def add_command(commands: Any) -> None:
    """Adds `demo` to the command line."""
    parser = commands.add_parser("demo", help="train a small model with three losses", description=DESCRIPTION)
    parser.add_argument("--epochs", type=_whole(1), default=EPOCHS, help="passes over the images (%(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="of the split and the weights (%(default)s)")
    parser.add_argument("--out", type=_picture, default="keras-losses-demo.png", help="the picture (%(default)s)")
    parser.set_defaults(run=_command)


def _command(arguments: argparse.Namespace) -> None:
    from keras_losses import plot  # first, so that a missing Matplotlib is known before the training

    results = run(arguments.epochs, arguments.seed)
    plot.training(results, f"the digit {DIGIT}", arguments.out)
    print(f"Picture: {arguments.out}")


def _whole(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) < 2**32:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} on, not {text!r}.")
        return int(text)

    return parse


def _picture(text: str) -> pathlib.Path:
    path = pathlib.Path(text)
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise argparse.ArgumentTypeError(f"{text!r} must end in .png, .pdf or .svg.")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}.")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written.")
    return path
