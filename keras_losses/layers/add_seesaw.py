"""Seesaw loss by the labels that training has seen so far."""

from typing import Any

import keras
from keras import ops

from keras_losses.core.fields import shorten
from keras_losses.imbalance.seesaw import Seesaw
from keras_losses.layers.add_loss import AddLoss
from keras_losses.layers.labels import _LabelRows


@keras.saving.register_keras_serializable(package="keras_losses")
class AddSeesaw(AddLoss):
    """Adds a Seesaw loss to what `fit` minimises, counts the labels that training has seen, and passes the prediction on.

    The counts are a variable, `layer.counts`: saved with the model, and no part of what an optimizer trains. A training step
    first adds the labels of its batch that count (not masked, not ignored, not out of range, of a weight other than 0), then
    uses the counts; on several replicas of `tf.distribute` it adds the mean over them, as only ratios matter. Validation and
    prediction leave the counts as they are.

    Args:
        loss: a `keras_losses.Seesaw` that reduces to one number. The counts start from its `class_counts`: zeros, of which
            all mean one sample, or what is known of the data.
        weight: number that multiplies the loss; a variable, as in `AddLoss`.
        **kwargs: `name` and `dtype` of the layer.

    Call arguments:
        y_pred: the prediction, which is passed on, unchanged.
        y_true: integer labels, an input of the model. None: nothing is added or counted, for a model that predicts.
        sample_weight: weights, as of any loss.

    Returns:
        `y_pred`.

    Raises:
        ValueError: `loss` is no Seesaw loss, or does not reduce to one number.

    Example:

    >>> import keras, numpy as np, keras_losses as kl
    >>> x, y = keras.Input((4,)), keras.Input((), dtype="int32")
    >>> seesaw = kl.layers.AddSeesaw(kl.Seesaw(class_counts=(0, 0, 0), from_logits=True), name="seesaw")
    >>> model = keras.Model([x, y], seesaw(keras.layers.Dense(3)(x), y))
    >>> model.compile("sgd")
    >>> history = model.fit([np.ones((4, 4)), np.array([0, 0, 0, 2])], epochs=2, verbose=0)
    >>> keras.ops.convert_to_numpy(seesaw.counts).tolist()
    [6.0, 0.0, 2.0]

    Reference: J. Wang et al., Seesaw loss for long-tailed instance segmentation, 2021, arXiv:2008.10032.
    """

    def __init__(self, loss: Seesaw, weight: float = 1.0, **kwargs: Any):
        # Not cast to the compute dtype of the layer: float labels, which an input is by default, would not survive it.
        super().__init__(loss, weight, autocast=False, **kwargs)
        if not isinstance(loss, Seesaw):
            raise ValueError(f"{self.name}: `loss` must be a keras_losses.Seesaw. Received: {shorten(loss)}")
        self.counts: Any = self.add_weight(
            shape=(len(loss.class_counts),),
            initializer=keras.initializers.Constant(list(loss.class_counts)),  # pyright: ignore[reportArgumentType]
            trainable=False,
            name="counts",
            dtype="float32",
            autocast=False,
            aggregation="mean",
        )
        self._occurrences = _LabelRows(ignore_class=loss.ignore_class, axis=loss.axis)

    def call(self, y_pred: Any, y_true: Any = None, sample_weight: Any = None, training: bool | None = None) -> Any:
        if y_true is None:
            return y_pred
        if training:
            self.counts.assign_add(self._occurrences.count(y_true, y_pred, sample_weight))
        counts = ops.convert_to_tensor(self.counts)
        loss: Any = self.loss
        return self.include(loss(y_true, y_pred, sample_weight=sample_weight, counts=counts), y_pred)
