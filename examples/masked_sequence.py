"""Padding that does not count: the mask that an embedding makes reaches the loss in `fit`, by itself.

A model reads the Zen of Python, line by line, and predicts each next character. Lines are of unequal length.
"""

import codecs
import contextlib
import io

import keras
import numpy as np

import keras_losses as kl

with contextlib.redirect_stdout(io.StringIO()):  # the module prints itself
    import this

lines = codecs.decode(this.s, "rot13").splitlines()[2:]
letters = sorted(set("".join(lines)))  # letter i is token i + 1; 0 is padding


def tokens(width):
    """Inputs and targets, `(lines, width)`: the targets are the inputs moved on by one."""
    rows = np.zeros((len(lines), width + 1), "int32")
    for row, line in zip(rows, lines, strict=True):
        row[: len(line)] = [letters.index(letter) + 1 for letter in line]
    inputs, targets = rows[:, :-1], rows[:, 1:]
    return inputs * (targets > 0), targets  # the last letter has no successor


keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(len(letters) + 1, 32, mask_zero=True),
        keras.layers.GRU(32, return_sequences=True),
        keras.layers.Dense(len(letters) + 1),
    ]
)
model.compile(keras.optimizers.Adam(0.01), loss=kl.SparseCategoricalCrossentropy(from_logits=True))
longest = max(map(len, lines))
x, y = tokens(longest)
history = model.fit(x, y, batch_size=len(x), epochs=20, verbose=0).history["loss"]
print(f"loss per character: {history[0]:.4f} at the start, {history[-1]:.4f} at the end")

values = kl.SparseCategoricalCrossentropy(from_logits=True, reduction="none")(y, model.predict(x, verbose=0))
by_hand = np.mean(keras.ops.convert_to_numpy(values)[x > 0])
padded = model.evaluate(*tokens(2 * longest), batch_size=len(x), verbose=0)
print(f"evaluated with twice the padding {padded:.4f}, the mean over characters by hand {by_hand:.4f}")
np.testing.assert_allclose(padded, by_hand, rtol=1e-4)
assert history[-1] < history[0]
