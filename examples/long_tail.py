"""Rare classes and many labels: handwritten digits, long-tailed and in groups, from scikit-learn (`load_digits`).

First the digits 0 to 9 become a long tail: of each digit the training set keeps 0.6 times as many images as of the digit
before, so there are about a hundred zeros and one nine. The labels are those of the data set. Accuracy is measured on held-out
images, equally many of each digit, and on the three rarest alone.

Then several images are put side by side, and the label of such a strip says which digits occur in it: ten yes/no outputs, of
which few are yes. How well the outputs rank the strips is measured as mean average precision.
"""

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

import keras_losses as kl

digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
x, x_test, y, y_test = train_test_split(images, digits.target, test_size=0.4, stratify=digits.target, random_state=0)


def train(loss, inputs, targets, epochs, seed=1):
    """A small network that ends in ten logits, trained with a loss."""
    keras.utils.set_random_seed(seed)
    start = keras.Input(inputs.shape[1:])
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(start)
    h = layers.Flatten()(layers.MaxPooling2D()(h))
    end = layers.Dense(10)(layers.Dense(64, activation="relu")(h))
    model = keras.Model(start, end)
    model.compile(keras.optimizers.Adam(2e-3), loss=loss)
    model.fit(inputs, targets, batch_size=16, epochs=epochs, verbose=0)
    return model


# ---- a long tail
rng = np.random.default_rng(0)
counts = [max(1, round(105 * 0.6**c)) for c in range(10)]
kept = np.concatenate([np.flatnonzero(y == c)[:n] for c, n in enumerate(counts)])
kept = rng.permutation(kept)
print("images of each digit:", counts)

TAIL = {
    "cross-entropy": kl.SparseCategoricalCrossentropy(from_logits=True),
    "class-balanced": kl.ClassBalancedCrossentropy(class_counts=counts, beta=0.99, from_logits=True),
    "balanced softmax": kl.BalancedSoftmax(class_counts=counts, from_logits=True),
    "logit adjusted": kl.LogitAdjustedCrossentropy(class_counts=counts, tau=1.5, from_logits=True),
}
accuracy = {}
for name, loss in TAIL.items():
    guess = train(loss, x[kept], y[kept], epochs=30).predict(x_test, verbose=0).argmax(-1)
    accuracy[name] = np.array([np.mean(guess[y_test == c] == c) for c in range(10)])
    print(f"{name:17} balanced accuracy {accuracy[name].mean():.3f}, of the three rarest {accuracy[name][7:].mean():.3f}")

# ---- many labels
WIDTH = 3


def strips(source, labels, number, seed):
    """Digits side by side, and which of the ten occur."""
    picked = np.random.default_rng(seed).integers(0, len(source), (number, WIDTH))
    target = np.zeros((number, 10), "float32")
    np.put_along_axis(target, labels[picked], 1.0, axis=1)
    return np.concatenate([source[picked[:, i]] for i in range(WIDTH)], axis=2), target


many, occurs = strips(x, y, 1500, 1)
many_test, occurs_test = strips(x_test, y_test, 1000, 2)
MANY = {
    "binary cross-entropy": kl.BinaryCrossentropy(from_logits=True),
    "focal": kl.BinaryFocalCrossentropy(from_logits=True, gamma=2.0),
    "asymmetric (ASL)": kl.AsymmetricMultilabel(from_logits=True),
    "ZLPR": kl.ZLPR(from_logits=True),
}
precision = {}
for name, loss in MANY.items():
    scores = train(loss, many, occurs, epochs=12).predict(many_test, verbose=0)
    precision[name] = average_precision_score(occurs_test, scores, average=None)
    print(f"{name:21} mean average precision {precision[name].mean():.3f}")

figure = Figure(figsize=(10, 4), layout="constrained")
left, right = figure.subplots(1, 2)
for name, each in accuracy.items():
    left.plot(each, marker="o", label=name)
left.set(title="Long tail: accuracy of each digit", xlabel="digit, from frequent to rare", ylim=(-0.05, 1.05))
left.legend()
right.barh(list(precision), [each.mean() for each in precision.values()])
right.set(title="Digits in a strip: mean average precision", xlim=(min(p.mean() for p in precision.values()) - 0.05, 1))
figure.savefig("long_tail.png", dpi=80)
print("Picture: long_tail.png")

assert accuracy["logit adjusted"][7:].mean() > accuracy["cross-entropy"][7:].mean()
assert min(each.mean() for each in precision.values()) > 0.5
