# pyright: reportMissingTypeStubs=false
"""What an editor knows: pyright reads this in strict mode, nothing runs it.

Each `ignore` is a mistake that must be found: one that is not needed is an error itself.
"""

from typing import Any, assert_type

import keras

import keras_losses as kl
from keras_losses import layers
from keras_losses.core.fields import Positive


class MyLoss(kl.Loss):
    scale: float = 1.0
    power: Positive = 2.0

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.scale * (y_true - y_pred) ** self.power


class Shifted(MyLoss):
    shift: float = 0.5


class SmoothDice(kl.Dice):
    factor: float = 2.0


class KerasStyle(kl.Loss):
    def __init__(self, scale: float, name: str = "keras_style"):
        super().__init__(name, "sum")
        self.scale = scale


class Needy(kl.Loss):
    needed: float


my_loss = kl.function_of(MyLoss)
y: Any = [[1.0]]

# -- right ------------------------------------------------------------------------------------------------------------------

assert_type(kl.Huber(), kl.Huber)
assert_type(kl.Huber(2.0).delta, float)
assert_type(kl.BinaryCrossentropy(True, 0.1, axis=-1, class_weight=(1.0, 2.0)).from_logits, bool)
assert_type(kl.SparseCategoricalCrossentropy(ignore_class=-1, dtype="float16").ignore_class, int | None)
assert_type(kl.MeanSquaredError(weights=(1.0, 2.0), reduction="sum", name="mse"), kl.MeanSquaredError)
assert_type(kl.Tversky(0.3, 0.7, smooth=1.0).alpha, float)
assert_type(kl.Sum(terms=(kl.Dice(), keras.losses.Huber())).terms, tuple[keras.losses.Loss, ...])
assert_type(MyLoss(scale=2.0, reduction="none").scale, float)
assert_type(Shifted(scale=2.0, shift=1.0, name="s"), Shifted)
assert_type(SmoothDice(smooth=1.0, factor=3.0).class_axis, int)
assert_type(KerasStyle(2.0), KerasStyle)
assert_type(Needy(needed=1.0).needed, float)
assert_type(0.7 * kl.Dice() + 0.3 * kl.Huber(), kl.Loss)
total: kl.Loss = sum([kl.Dice(), kl.Huber()], kl.Dice() * 2)
layers.AddLoss(kl.Huber(), weight=0.1)
kl.huber(y, y)
kl.huber(y, y, delta=2.0)
kl.binary_crossentropy(y, y, from_logits=True, reduction="sum")
kl.mse(y, y, weights=(1.0, 2.0))
my_loss(y, y, scale=3.0)
kl.get("huber", delta=2.0)
with kl.debugging():
    kl.Dice()(y, y, sample_weight=[1.0], mask=[True])

# -- misspelt ---------------------------------------------------------------------------------------------------------------

kl.Huber(dleta=2.0)  # pyright: ignore[reportCallIssue]
kl.BinaryCrossentropy(from_logit=True)  # pyright: ignore[reportCallIssue]
kl.MeanSquaredError(weight=(1.0,))  # pyright: ignore[reportCallIssue]
kl.Dice(reductoin="sum")  # pyright: ignore[reportCallIssue]
kl.Sum(term=(kl.Dice(),))  # pyright: ignore[reportCallIssue]
MyLoss(scael=2.0)  # pyright: ignore[reportCallIssue]
Shifted(shfit=2.0)  # pyright: ignore[reportCallIssue]
SmoothDice(smoth=2.0)  # pyright: ignore[reportCallIssue]
KerasStyle(2.0, nam="x")  # pyright: ignore[reportCallIssue]
kl.huber(y, y, dleta=2.0)  # pyright: ignore[reportCallIssue]
kl.bce(y, y, from_logit=True)  # pyright: ignore[reportCallIssue]
my_loss(y, y, scael=2.0)  # pyright: ignore[reportCallIssue]
unknown: Any = kl.Huber().dleta  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
unknown = MyLoss().scael  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
kl.Hubber()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

# -- by position, where it would be misread ---------------------------------------------------------------------------------

kl.Huber(2.0, "sum")  # pyright: ignore[reportCallIssue]
kl.MeanSquaredError("sum")  # pyright: ignore[reportCallIssue]
kl.Dice((1, 2))  # pyright: ignore[reportCallIssue]
kl.BinaryCrossentropy(True, 0.1, -1, (1.0, 2.0))  # pyright: ignore[reportCallIssue]
kl.CategoricalGeneralizedCrossEntropy(0.5, (1.0, 2.0))  # pyright: ignore[reportCallIssue]
MyLoss(2.0)  # pyright: ignore[reportCallIssue]
SmoothDice(2.0)  # pyright: ignore[reportCallIssue]
kl.mean_squared_error(y, y, (1.0, 2.0))  # pyright: ignore[reportCallIssue]
my_loss(y, y, 2.0)  # pyright: ignore[reportCallIssue]

# -- of another type, or missing --------------------------------------------------------------------------------------------

kl.Huber(delta="2")  # pyright: ignore[reportArgumentType]
kl.BinaryCrossentropy(from_logits="yes")  # pyright: ignore[reportArgumentType]
kl.Dice(reduction="avg")  # pyright: ignore[reportArgumentType]
kl.Dice(empty="ignore")  # pyright: ignore[reportArgumentType]
kl.huber(y, y, delta="2")  # pyright: ignore[reportArgumentType]
MyLoss(scale="2")  # pyright: ignore[reportArgumentType]
Needy()  # pyright: ignore[reportCallIssue]
kl.Sum()  # pyright: ignore[reportCallIssue]
KerasStyle()  # pyright: ignore[reportCallIssue]
kl.huber(y)  # pyright: ignore[reportCallIssue]
unknown = kl.Dice() * "2"  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]
