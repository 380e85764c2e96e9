"""`docs/performance.md`, its plots and `docs/performance.json`, from the measurements of all backends."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from matplotlib.figure import Figure

from benchmarks.remarks import AIMS, EXCEPTED, KERAS_DIFFERS, LIMITS, MEANS, SMALL_AIMS, remark
from benchmarks.summary import NOT_COUNTED, PEERS, geometric, middle_of, ratios

DOCS = pathlib.Path(__file__).parents[1] / "docs"
NAMES = {"keras": "Keras", "native": "native code", "third": "other packages"}

INTRODUCTION = """# Performance

What a loss costs, value and gradient, as `fit` runs it: `jit` on JAX, XLA on TensorFlow, eager and `torch.compile` on PyTorch.
Ratios of times of calls that alternate in one process, medians of paired rounds: below 1 is faster than the peer. `limit` is
what moving targets, predictions and gradient once takes at the measured bandwidth of a copy; `itself` is the ratio of one
function against itself, which says how far a ratio can be trusted.

Measured by `python -m benchmarks --json FILE` in the environment of each backend, the losses on one core, where times
repeat best (`taskset -c 0`); put together by `python -m benchmarks --page FILE...`, which takes the medians of several
files of one backend, and keeps what it shows in [performance.json](performance.json), a FILE too. Native code is what one
would write by hand: `benchmarks/native.py`. Other packages: `benchmarks/third.py`, in the versions of
`constraints-peers.txt`, each on the data that ours gets; `raises` is one that does not run when it is compiled.
"""


def write(found: list[dict[str, Any]]) -> None:
    """The page, its plots and what it shows; of several measurements of one backend the medians."""
    names = dict.fromkeys(map(_backend, found))
    runs = [[each for each in found if _backend(each) == name] for name in names]
    found = [middle_of(each) | {"runs": sum(one.get("runs", "wide" in one) for one in each)} for each in runs]
    (DOCS / "performance.json").write_text(json.dumps(found, indent=1) + "\n")
    parts = [INTRODUCTION, _environments(found), _summary(found), _above(found)]
    for each in found:
        parts.append(_losses(each))
    parts += [_language(found), _memory(found), _growth(found), _compilation(found)]
    (DOCS / "performance.md").write_text("\n".join(part for part in parts if part))


def _backend(each):
    return each["environment"]["backend"]


def _rows(each, size):
    """`{mode: rows}` of one size."""
    rows = each.get(size, [])
    return {mode: [row for row in rows if row["mode"] == mode] for mode in dict.fromkeys(row["mode"] for row in rows)}


def _grid(header, rows):
    lines = [" | ".join(header), " | ".join("---" for _ in header), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def _environments(found):
    names = list(dict.fromkeys(name for each in found for name in each["environment"]))
    rows = [[name, *(_short(each["environment"].get(name, "")) for each in found)] for name in names]
    return "## Measured on\n\n" + _grid(["", *map(_backend, found)], rows)


def _short(value):
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _summary(found):
    rows = []
    for size, title, aims in (("wide", "4096 x 1000", AIMS), ("small", "32 x 10", SMALL_AIMS)):
        for each in found:
            for mode, measured in _rows(each, size).items():
                cells = []
                for peer in PEERS:
                    every = ratios(measured, peer)
                    worst = max(every, key=lambda name: every[name]) if every else ""
                    aim = aims.get(mode, {}).get(peer)
                    cells.append(f"{_mean(every, aim)}, {every[worst]:.2f} ({worst})" if every else "")
                if any(cells):
                    rows.append([title, f"{_backend(each)}, {mode}", *cells])
    header = ["size", "backend", *(f"against {NAMES[peer]}" for peer in PEERS)]
    text = (
        "## In all\n\nGeometric mean, and the worst loss; at 4096 x 1000 "
        f"medians of {min(each['runs'] for each in found)} runs. Not counted: "
        f"{', '.join(NOT_COUNTED)}; and against Keras, what Keras gets wrong or defines otherwise "
        f"([differences](differences-from-keras.md)): {', '.join(KERAS_DIFFERS)}. Excepted, with the reason below: "
        f"{', '.join(EXCEPTED)}.\n\n"
    )
    return text + _grid(header, rows)


def _mean(every, aim):
    """The geometric mean; where it is above its aim, that of the losses that are not excepted too."""
    text = f"{geometric(every.values()):.2f}"
    if aim and _above_aim(every, aim):
        rest = [ratio for name, ratio in every.items() if name not in EXCEPTED]
        text += f", without the excepted {geometric(rest):.2f}" if rest else ""
    return text + (f" (aim {aim})" if aim else "")


def _above_aim(every, aim):
    return round(geometric(every.values()), 2) > aim


def _above(found):
    rows = []
    for each in found:
        for mode, measured in _rows(each, "wide").items():
            for row in measured:
                limits = LIMITS[mode]
                if row["loss"] in EXCEPTED:  # which a mean over other packages leaves out
                    limits = limits | {p: aim for p, aim in AIMS[mode].items() if p == "third"}
                over = {p: row["ratios"][p] for p, limit in limits.items() if row["ratios"].get(p, 0) > limit}
                if over:
                    text = ", ".join(f"{ratio:.2f} of {NAMES[peer]}" for peer, ratio in over.items())
                    rows.append([row["loss"], f"{_backend(each)}, {mode}", text, remark(row["loss"], mode)])
            for peer, aim in AIMS[mode].items():
                every = ratios(measured, peer)
                if every and _above_aim(every, aim):
                    text = f"{_mean(every, aim)} of {NAMES[peer]}"
                    rows.append(["geometric mean", f"{_backend(each)}, {mode}", text, MEANS.get((mode, peer), "")])
    limits = "; ".join(
        f"{mode} " + ", ".join(f"{limit} of {NAMES[peer]}" for peer, limit in by.items()) for mode, by in LIMITS.items()
    )
    text = (
        f"## Above the limit\n\nLosses at 4096 x 1000 that take longer than they may ({limits}; if they are excepted, than the "
        "aim of other packages too), and means above aim.\n\n"
    )
    return text + (_grid(["loss", "backend", "time", "why"], rows) if rows else "None.\n")


def _losses(each):
    text = f"## {_backend(each)}\n\n4096 x 1000, losses that have a peer.\n\n"
    header = ["loss", "mode", "ms", "limit", *(NAMES[peer] for peer in PEERS), "itself"]
    rows = [
        [
            *(row["loss"], row["mode"], f"{row['milliseconds']['ours']:.2f}", f"{row['limit']:.2f}"),
            *(_ratio(row, peer) for peer in PEERS),
            f"{row['same']:.2f}",
        ]
        for measured in _rows(each, "wide").values()
        for row in measured
        if row["ratios"] or row.get("raising")
    ]
    return text + _grid(header, rows) + f"\n![ratios]({_plot_ratios(each)})\n"


def _ratio(row, peer):
    return f"{row['ratios'][peer]:.2f}" if peer in row["ratios"] else "raises" * (peer in row.get("raising", ()))


def _plot_ratios(each):
    panels = [(mode, peer, ratios(rows, peer)) for mode, rows in _rows(each, "wide").items() for peer in ("native", "keras")]
    figure = Figure(figsize=(6 * len(panels), 8), layout="constrained")
    for axes, (mode, peer, every) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        order = sorted(every, key=lambda name: every[name])
        axes.barh(order, [every[name] for name in order], color=["tab:blue" if every[n] <= 1.2 else "tab:red" for n in order])
        axes.axvline(1, color="black", linewidth=1)
        axes.set(title=f"{_backend(each)}, {mode}: against {NAMES[peer]}", xlabel="time / time of the peer")
    name = f"performance-{_backend(each)}.png"
    figure.savefig(DOCS / name, dpi=60)
    return name


def _language(found):
    rows = []
    for each in found:
        measured = {(r["size"], r["reduction"], r["who"]): r for r in each.get("language", [])}
        for (size, reduction, who), ours in measured.items():
            if who != "ours" or (size, reduction, "full") not in measured:
                continue
            full = measured[size, reduction, "full"]
            times = [f"{x['seconds']:.1f}" for x in (ours, full)] + [f"{ours['seconds'] / full['seconds']:.2f}"]
            space = [f"{x['megabytes']:.0f}" for x in (ours, full)] + [f"{ours['megabytes'] / full['megabytes']:.2f}"]
            rows.append([_backend(each), size, reduction, *times, *space])
    if not rows:
        return ""
    text = (
        "## Linear cross-entropy\n\n`linear_cross_entropy` against the logits and `sparse_categorical_crossentropy`: 2048 "
        "tokens, 256 features, 32768 classes (small); 8192, 512, 131072 (large). Each in a fresh process, on every core; "
        "memory is the peak besides inputs and gradients. At the large size time aims at 1.15 of the full form, 1.5 with "
        "`none`, and memory at a tenth.\n\n"
    )
    header = ["backend", "size", "reduction", "s", "s, full", "ratio", "MB", "MB, full", "ratio"]
    return text + _grid(header, rows)


def _memory(found):
    rows = [
        [
            _backend(each),
            row["mode"],
            row["loss"],
            *(f"{row['megabytes'][w]:.0f}" if w in row["megabytes"] else "" for w in WHO),
        ]
        for each in found
        for row in each.get("memory", [])
    ]
    if not rows:
        return ""
    text = "## Peak memory\n\nMegabytes besides inputs and results, 4096 x 1000 (16 MB a tensor), each in a fresh process.\n\n"
    return text + _grid(["backend", "mode", "loss", "ours", "native code", "Keras"], rows)


WHO = ("ours", "native", "keras")


def _growth(found):
    rows = [(each, row) for each in found for row in each.get("growth", [])]
    if not rows:
        return ""
    names = list(dict.fromkeys(row["loss"] for _, row in rows))
    figure = Figure(figsize=(3.4 * len(names), 3.4), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for each, row in rows:
            if row["loss"] == name:
                axes.loglog(row["sizes"], row["seconds"], marker="o", label=f"{_backend(each)}, {row['mode']}")
        axes.set(title=name, xlabel="size", ylabel="seconds")
        axes.legend(fontsize=7)
    figure.savefig(DOCS / "performance-growth.png", dpi=60)
    table = [
        [row["loss"], f"{_backend(each)}, {row['mode']}", f"{row['exponent']:.2f}"]
        for each, row in sorted(rows, key=lambda pair: names.index(pair[1]["loss"]))
    ]
    text = "## Growth\n\nThe exponent of time against size: 1 for a sort, up to its logarithm; 2 for pairs.\n\n"
    return text + _grid(["loss", "backend", "exponent"], table) + "\n![growth](performance-growth.png)\n"


def _compilation(found):
    rows = []
    for each in found:
        for mode, measured in (_rows(each, "wide") | _rows(each, "small")).items():
            if mode == "eager":
                continue
            slow = sorted(measured, key=lambda row: -row["first"])
            total = sum(row["first"] for row in measured)
            worst = ", ".join(f"{row['loss']} {row['first']:.1f}" for row in slow[:5])
            rows.append([f"{_backend(each)}, {mode}", str(len(measured)), f"{total:.0f}", worst])
    text = (
        "## Compilation\n\nSeconds of the first call, and of the five slowest: the whole catalogue at 32 x 10, or where that "
        "was not measured the losses that have a peer, at 4096 x 1000.\n\n"
    )
    return text + _grid(["backend", "losses", "seconds in all", "slowest"], rows)
