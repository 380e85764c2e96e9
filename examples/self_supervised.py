"""Self-supervised learning of handwritten digits: SimCLR's loss on unlabelled images, then a linear classifier of few labels.

The images are scikit-learn's (`load_digits`), a third of them held out. Of each training image two views are made, turned a
little, moved, scaled and with noise, and a network learns which views are of one image: `NTXent` takes them stacked on axis 1,
and no label at all. `BarlowTwins` and `VICReg` do it without negatives.

Then a linear classifier learns from 1, 3, 10 or 50 labelled images of each digit, on what the network makes of them. Beside
it: the same classifier on pixels, and on the network before any training. All over ten choices of the labelled images.
"""

import keras
import numpy as np
from keras import layers, ops
from matplotlib.figure import Figure
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import keras_losses as kl

EPOCHS, BATCH, VIEWS, LABELS, DRAWS = 30, 128, 20, (1, 3, 10, 50), 10

digits = load_digits()
images = (digits.images / 16).astype("float32")
x, x_test, y, y_test = train_test_split(images, digits.target, test_size=1 / 3, stratify=digits.target, random_state=0)


def view(image, rng):
    """The image turned by up to 20 degrees, scaled by up to 15%, moved by up to a pixel, with noise."""
    angle, size = np.deg2rad(rng.uniform(-20, 20)), rng.uniform(0.85, 1.15)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / size
    centre = (np.array(image.shape) - 1) / 2
    moved = ndimage.affine_transform(image, turn, centre - turn @ centre + rng.uniform(-1, 1, 2), order=1)
    return moved + rng.normal(0, 0.1, image.shape)


class Pairs(keras.utils.PyDataset):
    """Batches `(BATCH, 2, 8, 8)` of two views of each image, in each epoch two others of those prepared; no targets."""

    def __init__(self, seed):
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.prepared = np.array([[view(image, self.rng) for _ in range(VIEWS)] for image in x], "float32")
        self.on_epoch_end()

    def __len__(self):
        return len(x) // BATCH

    def __getitem__(self, index):
        chosen = self.order[index * BATCH : (index + 1) * BATCH]
        return (self.prepared[chosen[:, None], self.two[chosen]],)

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(x))
        self.two = self.rng.permuted(np.tile(range(VIEWS), (len(x), 1)), axis=1)[:, :2]


def networks():
    """An encoder of an image, and a model that encodes and projects two views of each image."""
    encoder = keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
        ]
    )
    projector = keras.Sequential([keras.Input((128,)), layers.Dense(64, activation="relu"), layers.Dense(32)])
    both = keras.Input((2, 8, 8))
    return encoder, keras.Model(both, ops.stack([projector(encoder(both[:, i])) for i in range(2)], axis=1))


def probe(train, test):
    """The accuracy on held-out images of a linear classifier, `(numbers of labels, choices of labelled images)`."""
    centre, scale = train.mean(axis=0), train.std()
    train, test = (train - centre) / scale, (test - centre) / scale
    accuracy = np.empty((len(LABELS), DRAWS))
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(y))
        for i, number in enumerate(LABELS):
            chosen = np.concatenate([order[y[order] == digit][:number] for digit in range(10)])
            accuracy[i, draw] = LogisticRegression(max_iter=1000).fit(train[chosen], y[chosen]).score(test, y_test)
    return accuracy


LOSSES = {
    "untrained network": None,
    "NTXent": kl.NTXent(temperature=0.5),
    "BarlowTwins": kl.BarlowTwins(lambda_param=0.02),
    "VICReg": kl.VICReg(),
}
pairs = Pairs(0)
accuracy = {"pixels": probe(x.reshape(len(x), -1), x_test.reshape(len(x_test), -1))}
for name, loss in LOSSES.items():
    keras.utils.set_random_seed(1)
    encoder, model = networks()
    if loss is not None:
        model.compile(keras.optimizers.Adam(1e-3), loss=loss)
        model.fit(pairs, epochs=EPOCHS, verbose=0)
    accuracy[name] = probe(encoder.predict(x, verbose=0), encoder.predict(x_test, verbose=0))

print("labelled images of each digit: " + "".join(f"{number:>16}" for number in LABELS))
for name, each in accuracy.items():
    row = "".join(f"  {mean:.3f} +- {spread:.3f}" for mean, spread in zip(each.mean(1), each.std(1), strict=True))
    print(f"accuracy, {name:19} {row}")

figure = Figure(figsize=(11, 4), layout="constrained")
shown, curves = figure.subfigures(1, 2, width_ratios=(2, 3))
for row, pair in zip(shown.subplots(4, 4), pairs[0][0].reshape(-1, 4, 8, 8), strict=False):
    for axes, picture in zip(row, pair, strict=True):
        axes.imshow(picture, cmap="gray")
        axes.set_axis_off()
shown.suptitle("Two views of each of eight images")
axes = curves.subplots()
for name, each in accuracy.items():
    axes.errorbar(LABELS, each.mean(axis=1), each.std(axis=1), marker="o", capsize=3, label=name)
axes.set(title="Accuracy of a linear classifier", xlabel="labelled images of each digit", xscale="log", xticks=LABELS)
axes.set_xticks(LABELS, LABELS)
axes.legend()
figure.savefig("self_supervised.png", dpi=80)
print("Picture: self_supervised.png")

few = LABELS.index(10)
assert accuracy["NTXent"][few].mean() > accuracy["pixels"][few].mean() + 0.01
assert accuracy["NTXent"][few].mean() > accuracy["untrained network"][few].mean() + 0.02
