"""`BatchLoss`: a loss whose samples are compared with each other, on one device or on several."""

from typing import Any

import numpy as np

from keras_losses.core import replicas
from keras_losses.core.loss import Loss
from keras_losses.core.private import get_mask
from keras_losses.core.reduction import combine_masks
from keras_losses.core.spec import Spec


class BatchLoss(Loss):
    """Base of losses that compare the samples of a batch.

    Args:
        gather: where replicas hold parts of a batch, under `tf.distribute` or in a process group of PyTorch, each takes the
            loss of the whole batch, with the gradients of all parts: value and gradient are those of one device with that
            batch. Each replica computes and holds all of it. Without effect where there is one replica, and on JAX, where a
            batch under `keras.distribution` is whole. In a layer such as `layers.AddLoss` under `tf.distribute`, the `loss`
            that Keras logs counts some replicas twice; what the layer logs, and the gradients, do not.
    """

    gather: bool = False

    couples_batch = True

    def _values(self, y_true, y_pred, sample_weight, mask, extra, dtype):
        if self.gather and replicas.number() > 1:
            who = str(self.name)
            mask = combine_masks(who, mask, get_mask(y_pred))
            given = {"y_true": y_true, "y_pred": y_pred, "sample_weight": sample_weight, "mask": mask}
            given |= {name: x for name, x in extra.items() if _has_rows(getattr(self, name, None))}
            rows = {name: x for name, x in given.items() if len(np.shape(x)) > 0}  # one number weighs all
            given |= dict(zip(rows, replicas.gather(who, list(rows.values())), strict=True))
            y_true, y_pred, sample_weight, mask = (given.pop(name) for name in ("y_true", "y_pred", "sample_weight", "mask"))
            extra = extra | given
        values = super()._values(y_true, y_pred, sample_weight, mask, extra, dtype)
        values.whole = self.gather
        return values


def _has_rows(spec: Any) -> bool:
    """Whether a further argument of a loss has one row a sample, and is no number of the whole batch."""
    return isinstance(spec, Spec) and not spec.axes[0].isdecimal()
