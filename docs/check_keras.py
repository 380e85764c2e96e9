"""Writes `check-loss-on-keras.md`: Keras's own losses through `check_loss`, with those of this package beside them.

KERAS_BACKEND=jax python docs/check_keras.py
"""

import pathlib

import keras

import keras_losses as kl
from keras_losses.testing import check_loss

PAGE = pathlib.Path(__file__).parent / "check-loss-on-keras.md"
HEAD = """# Keras's own losses through `check_loss`

What `keras_losses.testing.check_loss` finds in the losses of Keras {version} on {backend}, and in those of this package
with the same name and arguments. Written by `docs/check_keras.py`; the tests compare it with a fresh run. What an id means,
and the numbers that were seen, stand below the table. `differences-from-keras.md` lists every deliberate difference, with the
upstream issue.

| loss | Keras | this package |
|---|---|---|
"""


def pairs():
    """`{title: (stock loss, ours)}` of every loss of Keras, with and without `from_logits`."""
    found = {}
    for name in sorted(vars(keras.losses)):
        stock, ours = getattr(keras.losses, name), getattr(kl, name, None)
        if not isinstance(stock, type) or stock is keras.losses.Loss or ours is None:
            continue
        found[name] = stock(), ours()
        if "from_logits" in ours().get_config():
            found[f"{name}(from_logits=True)"] = stock(from_logits=True), ours(from_logits=True)
    return found


def reports():
    """`{title: (report on Keras's, report on ours)}`."""
    return {title: (check_loss(stock), check_loss(ours)) for title, (stock, ours) in pairs().items()}


def cell(report):
    """The ids of a report, those by design told as such."""
    ids = [f"`{f.id}` (by design)" if f.by_design else f"`{f.id}`" for f in report.findings]
    return ", ".join(ids) or "nothing"


def rows(found):
    """The rows of the table."""
    return [f"{start(title, theirs)} {cell(ours)} |" for title, (theirs, ours) in found.items()]


def start(title, theirs):
    """A row up to what is found in Keras's loss."""
    return f"| `{title}` | {cell(theirs)} |"


def page(found):
    """The whole page."""
    lines = [HEAD.format(version=keras.__version__, backend=keras.backend.backend()) + "\n".join(rows(found)), ""]
    messages = {}
    for theirs, _ in found.values():
        messages |= {f.id: f.message for f in theirs.findings}
    lines += ["## What the ids mean", "", *(f"- `{name}`: {message}" for name, message in sorted(messages.items())), ""]
    lines += ["## What was seen", ""]
    for title, (theirs, _) in found.items():
        if theirs.findings:
            lines += [f"### `{title}`", "", *(f"- `{f.id}`: {f.shown.replace('|', '/')}" for f in theirs.findings), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(reports()))
