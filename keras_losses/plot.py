"""Pictures. The only module that imports Matplotlib; without pyplot, so no window system is ever asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from keras_losses.cli.curve import Curve
    from keras_losses.demo import Result
    from keras_losses.diagnosis.insight import PerSample

COLORS = ("#0072b2", "#d55e00", "#009e73")  # of Okabe and Ito, which colour-blind readers can tell apart
REST = "#b8b8b8"
INK = "#333333"
LOWEST, HIGHEST = 1e-6, 100.0  # of the losses shown; smaller ones are counted in the first bar


def training(results: list[Result], what: str, path: str | os.PathLike[str]) -> None:
    """Learning curves beside the distribution of the losses of held-out images, written to `path`.

    Args:
        results: of `keras_losses.demo.run`.
        what: name of the positive class, for the legend.
        path: the picture's file; its ending, such as `.png`, is its format.
    """
    figure = Figure(figsize=(12, 5.2), layout="constrained", facecolor="white")
    # The curves on the left, and beside them a panel for each loss.
    panels = figure.subplot_mosaic([["curves", each.name] for each in results], width_ratios=(1, 1.1))
    _curves(panels.pop("curves"), results)
    axes = list(panels.values())
    for each, ax, color in zip(results, axes, _colors(results), strict=True):
        _distribution(ax, each, color, what)
        ax.tick_params(labelbottom=ax is axes[-1])
    for ax in axes[1:]:
        ax.sharey(axes[0])
    axes[0].set_title("Loss of each held-out image", loc="left", color=INK, fontsize=12, pad=10)
    axes[len(axes) // 2].set_ylabel("share of the class", color=INK)
    axes[-1].set_xlabel("loss of one image after training (first bar: all below)", color=INK)
    write(figure, path)


def _colors(results: list[Result]) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(len(results))]


def _clean(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(REST)
    ax.tick_params(colors=INK, which="both", length=3, labelsize=9)
    ax.grid(axis="y", color="#e8e8e8", linewidth=0.8)
    ax.set_axisbelow(True)


def _curves(ax: Axes, results: list[Result]) -> None:
    for each, color in zip(results, _colors(results), strict=True):
        epochs = np.arange(1, len(each.history["loss"]) + 1)
        marker = "o" if len(epochs) == 1 else None  # one point makes no line
        ax.plot(epochs, each.history["loss"], color=color, linewidth=2, marker=marker, label=each.name)
        ax.plot(epochs, each.history["val_loss"], color=color, linewidth=1.4, marker=marker, linestyle=(0, (4, 2)))
    ax.plot([], [], color=INK, linewidth=2, label="training")
    ax.plot([], [], color=INK, linewidth=1.4, linestyle=(0, (4, 2)), label="held out")
    _clean(ax)
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title("Learning curves", loc="left", color=INK, fontsize=12, pad=10)
    ax.set_xlabel("epoch", color=INK)
    ax.set_ylabel("mean loss", color=INK)
    ax.legend(frameon=False, labelcolor=INK, fontsize=9)


def _distribution(ax: Axes, result: Result, color: str, what: str) -> None:
    bins = np.geomspace(LOWEST, HIGHEST, 33).tolist()  # four a decade
    for chosen, label, fill in ((~result.positive, "the others", REST), (result.positive, what, color)):
        values = np.clip(result.values[chosen].astype("float64"), LOWEST, HIGHEST)
        share = np.full(len(values), 1 / max(len(values), 1))
        ax.hist(values, bins, weights=share, color=fill, alpha=0.75, label=f"{label} ({len(values)})")
    _clean(ax)
    ax.set_xscale("log")
    ax.set_xlim(LOWEST, HIGHEST)
    place = {"loc": "upper left", "bbox_to_anchor": (0.05, 1.05)}  # beside the first bar, the highest
    legend = ax.legend(title=result.name, alignment="left", frameon=False, labelcolor=INK, fontsize=9, **place)
    legend.get_title().set(color=color, fontweight="bold")


def write(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file."""
    figure.savefig(path, dpi=130)


def per_sample(found: PerSample) -> Figure:
    """The distribution of the losses of samples beside their cumulated share, the costliest first."""
    losses = found.losses[np.isfinite(found.losses)]
    figure = Figure(figsize=(10, 4), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    left.hist(losses, bins=min(40, max(5, len(losses) // 5)), color=COLORS[0], alpha=0.75)
    for value, style, label in ((np.median(losses), "--", "median"), (losses.mean(), "-", "mean")):
        left.axvline(value, color=INK, linewidth=1.2, linestyle=style, label=f"{label} {value:.4g}")
    left.set_title(f"{found.name} of {len(found.losses)} samples", loc="left", color=INK, fontsize=12, pad=10)
    left.set_xlabel("loss of one sample", color=INK)
    left.set_ylabel("samples", color=INK)
    left.legend(frameon=False, labelcolor=INK, fontsize=9)
    ordered = np.sort(losses)[::-1]
    share = np.cumsum(ordered) / ordered.sum() if ordered.sum() else np.zeros_like(ordered)
    right.plot(np.arange(1, len(ordered) + 1) / len(ordered), share, color=COLORS[1], linewidth=2)
    right.plot([0, 1], [0, 1], color=REST, linewidth=1)
    right.set_title("Which samples make the loss", loc="left", color=INK, fontsize=12, pad=10)
    right.set_xlabel("share of the samples, the costliest first", color=INK)
    right.set_ylabel("share of the loss", color=INK)
    for ax in (left, right):
        _clean(ax)
    return figure


def curve(drawn: Curve) -> Figure:
    """Value beside gradient of a loss over its prediction, a line a target."""
    figure = Figure(figsize=(10, 4), layout="constrained", facecolor="white")
    for ax, which, what in zip(figure.subplots(1, 2), (1, 2), ("value", "gradient"), strict=True):
        for color, (label, line) in zip(COLORS, drawn.lines.items(), strict=False):
            ax.plot(line[0], line[which], color=color, linewidth=2, label=label)
        _clean(ax)
        ax.set_title(f"{drawn.name}: {what}", loc="left", color=INK, fontsize=12, pad=10)
        ax.set_xlabel(drawn.axis, color=INK)
        ax.legend(frameon=False, labelcolor=INK, fontsize=9)
    return figure
