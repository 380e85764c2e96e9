"""Keras's own losses against the formula: ours of the same name."""

import numpy as np
from keras import ops

from keras_losses.core.record import hyperparameters
from keras_losses.core.report import Finding
from keras_losses.testing.checks.registry import check
from keras_losses.testing.subject import tensor, to_numpy


@check("wrong-value")
def value_is_that_of_the_formula(s):
    """A loss of Keras has the value that the loss of ours with its name has, sample by sample."""
    if not s.stock or s.counterpart is None:
        return
    for arguments in _variations(s):
        for what, y_true, y_pred in _batches(s):
            try:
                theirs_of = s.configured(**arguments) if arguments else s.loss
                ours_of = type(s.counterpart).from_config({**s.counterpart.get_config(), **arguments})
            except (TypeError, ValueError):
                continue
            for i in range(len(y_true)):
                # One sample a batch: whatever a loss makes of the batch, the value of one sample is its mean.
                true, pred = tensor(y_true[i : i + 1]), tensor(y_pred[i : i + 1])
                if s.couples_batch:
                    true, pred = tensor(y_true), tensor(y_pred)
                theirs, ours = (float(to_numpy(ops.mean(loss(true, pred)))) for loss in (theirs_of, ours_of))
                if not np.isclose(theirs, ours, rtol=1e-4, atol=1e-5) and not np.isnan(ours):
                    yield Finding(
                        "wrong-value",
                        "The value is not that of the formula that the loss is named after.",
                        {"arguments": arguments or "defaults", "at": what, "y_true": y_true[i], "y_pred": y_pred[i],
                         "value": theirs, "by the formula": ours},
                        f"keras_losses.{type(s.counterpart).__name__}(...)",
                    )  # fmt: skip
                    return


def _variations(s):
    """The arguments as they are, then each number moved."""
    yield {}
    for name in hyperparameters(type(s.counterpart)):
        value = getattr(s.counterpart, name)
        if isinstance(value, float) and not isinstance(value, bool):
            yield {name: 0.5 * value + 0.2}
        if isinstance(value, bool) and name != "from_logits":
            yield {name: not value}


def _batches(s):
    y_true, y_pred = s.batch()
    yield "an ordinary batch", y_true, y_pred
    if s.kind[1] in ("real", "logit"):
        yield "large predictions", y_true, 30.0 * y_pred
    if s.kind == ("real", "real") and s.same_shape:
        yield "small errors", y_true, np.asarray(y_true + 1e-3, "float32").astype(float)
    if s.kind[0] in ("binary", "onehot"):
        yield "no positive target", np.zeros_like(y_true), y_pred
        if s.kind[1] != "logit":
            yield "an empty prediction of an empty target", np.zeros_like(y_true), np.zeros_like(y_pred)
