"""`keras-losses list`, `show` and `plot`: what there is."""

from __future__ import annotations

import inspect
import json
import pathlib
from typing import Any

from keras_losses.cli import Problem, locate
from keras_losses.core.registry import public


def add_command(commands: Any) -> None:
    """Add the parsers of `list`, `show` and `plot`."""
    every = commands.add_parser("list", help="the losses of the package")
    every.add_argument("--family", help="of one family only")
    every.add_argument("--json", action="store_true", help="print as JSON")
    every.set_defaults(run=run_list)
    show = commands.add_parser("show", help="one loss: signature, contract, formula, paper, plot")
    show.add_argument("name", metavar="NAME")
    show.add_argument("--png", metavar="FILE", help="write the plot to a file instead")
    show.add_argument("--json", action="store_true", help="print as JSON")
    show.set_defaults(run=run_show)
    plot = commands.add_parser("plot", help="value and gradient of a loss, as a picture")
    plot.add_argument("name", metavar="NAME")
    plot.add_argument("-o", "--out", metavar="FILE", help="the picture; by default NAME.png")
    plot.set_defaults(run=run_plot)


def losses() -> dict[str, tuple[str, Any]]:
    """`{name: (family, class)}` of every loss."""
    classes = {name: x for name, x in public().items() if isinstance(x, type)}
    return {name: (cls.__module__.split(".")[1], cls) for name, cls in classes.items() if name != "Sum"}


def run_list(arguments: Any) -> int:
    """Run `list`."""
    found = losses()
    families = sorted({family for family, _ in found.values()})
    if arguments.family and arguments.family not in families:
        raise Problem(f"there is no family {arguments.family!r}: {', '.join(families)}.")
    rows = [
        {"name": name, "family": family, "summary": (inspect.getdoc(cls) or "").split("\n")[0]}
        for name, (family, cls) in sorted(found.items(), key=lambda item: (item[1][0], item[0]))
        if arguments.family in (None, family)
    ]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    import rich
    from rich.table import Table

    table = Table("family", "loss", "what it is")
    for row in rows:
        table.add_row(row["family"], row["name"], row["summary"])
    rich.print(table)
    return 0


def run_show(arguments: Any) -> int:
    """Run `show`."""
    from keras_losses.cli import curve

    name, cls = locate.ours(arguments.name)
    loss = cls.example()
    story = {
        "name": name,
        "signature": f"{name}{_signature(cls)}",
        "y_true": _contract(loss.y_true),
        "y_pred": _contract(loss.y_pred),
        "documentation": inspect.getdoc(cls) or "",
    }
    if arguments.json:
        print(json.dumps(story, indent=2))
        return 0
    import rich
    from rich.markup import escape

    rich.print(f"[bold]{escape(story['signature'])}[/bold]\n")
    rich.print(escape(f"y_true: {story['y_true']}\ny_pred: {story['y_pred']}\n"))
    rich.print(escape(story["documentation"]))
    drawn = curve.of(loss)
    if drawn is None:
        return 0
    if arguments.png:
        _picture(drawn, arguments.png)
    else:
        rich.print("\n" + escape(curve.text(drawn)))
    return 0


def run_plot(arguments: Any) -> int:
    """Run `plot`."""
    from keras_losses.cli import curve

    name, cls = locate.ours(arguments.name)
    drawn = curve.of(cls.example())
    if drawn is None:
        raise Problem(f"{name} compares samples or sequences: it has no curve over one prediction.")
    _picture(drawn, arguments.out or f"{name}.png")
    return 0


def _picture(drawn, out):
    from keras_losses import plot

    if not pathlib.Path(out).parent.is_dir():
        raise Problem(f"there is no folder {str(pathlib.Path(out).parent)!r}.")
    try:
        plot.write(plot.curve(drawn), out)
    except ValueError as error:  # an ending that Matplotlib does not know
        raise Problem(f"{out!r} is no picture that can be written: {error}") from error
    print(f"Picture: {out}")


def _signature(cls):
    """Names and defaults; the types stand in the documentation."""
    given = inspect.signature(cls)
    bare = [p.replace(annotation=p.empty) for p in given.parameters.values()]
    return given.replace(parameters=bare, return_annotation=given.empty)


def _contract(spec):
    if spec is None:
        return "real numbers of one shape with the other"
    return f"{spec.kind.text}, axes ({' '.join(spec.axes)})"
