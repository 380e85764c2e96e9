"""`keras-losses check` and `keras-losses diagnose`: exit status 1 if something was found."""

from __future__ import annotations

from typing import Any

from keras_losses.cli import Problem, locate


def add_command(commands: Any) -> None:
    """Add the parsers of `check` and `diagnose`."""
    check = commands.add_parser("check", help="run a loss through every check")
    check.add_argument("loss", metavar="LOSS", help=locate.FORM)
    check.add_argument("--backends", default=None, help="other backends to compare with: all, or names with commas")
    check.add_argument("--full", action="store_true", help="on PyTorch, generate code with inductor too")
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.set_defaults(run=run_check)
    diagnose = commands.add_parser("diagnose", help="say why a loss fails on a batch")
    diagnose.add_argument("loss", metavar="LOSS", help=locate.FORM)
    diagnose.add_argument("batch", metavar="BATCH.npz", help="arrays y_true and y_pred, and maybe sample_weight and mask")
    diagnose.add_argument("--json", action="store_true", help="print the report as JSON")
    diagnose.set_defaults(run=run_diagnose)


def run_check(arguments: Any) -> int:
    """Run `check`."""
    from keras_losses.testing import check_loss

    found = locate.loss(arguments.loss)
    wanted = arguments.backends
    backends = wanted if wanted in (None, "all") else [] if wanted == "current" else wanted.split(",")
    try:
        report = check_loss(found, backends=backends, full=arguments.full)
    except (TypeError, ValueError) as error:
        raise Problem(str(error)) from error
    return _show(report, arguments.json)


def run_diagnose(arguments: Any) -> int:
    """Run `diagnose`."""
    from keras_losses.diagnosis import diagnose

    found = locate.loss(arguments.loss)
    return _show(diagnose(found, **locate.batch(arguments.batch)), arguments.json)


def _show(report, as_json):
    if as_json:
        print(report.to_json())
    else:
        import rich

        rich.print(report)
    return 0 if report.ok else 1
