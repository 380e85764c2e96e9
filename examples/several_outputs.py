"""Two outputs, each with a loss of its own: as a dict, as a list, and with weights between them."""

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_losses as kl

images, digits = load_digits(return_X_y=True)
x, digits, odd = (images / 16).astype("float32"), digits.astype("int32"), (digits % 2).astype("int32")[:, None]

DIGIT, ODD = kl.SparseCategoricalCrossentropy(from_logits=True), kl.BinaryFocalCrossentropy(from_logits=True)


def train(named, loss, loss_weights):
    """The history of a model whose outputs, targets, losses and weights come as dicts or as lists."""
    keras.utils.set_random_seed(0)
    image = keras.Input((64,))
    hidden = keras.layers.Dense(32, "relu")(image)
    outputs = {"digit": keras.layers.Dense(10, name="digit")(hidden), "odd": keras.layers.Dense(1, name="odd")(hidden)}
    targets = {"digit": digits, "odd": odd}
    if not named:
        outputs, targets = list(outputs.values()), list(targets.values())
    model = keras.Model(image, outputs)
    model.compile("adam", loss=loss, loss_weights=loss_weights)
    return model.fit(x, targets, batch_size=64, epochs=4, shuffle=False, verbose=0).history


by_name = train(True, {"digit": DIGIT, "odd": ODD}, {"digit": 1.0, "odd": 5.0})
by_order = train(False, [DIGIT, ODD], [1.0, 5.0])
for key in ("loss", "digit_loss", "odd_loss"):
    print(f"{key:10} {by_name[key][0]:.4f} at the start, {by_name[key][-1]:.4f} at the end")
    np.testing.assert_allclose(by_name[key], by_order[key], rtol=1e-4)
print("dicts and lists give the same")
