"""Embeddings of handwritten digits: triplets, supervised contrastive and multi-similarity, with digits never trained on.

The images are scikit-learn's (`load_digits`), half of them held out. A network maps each image to 16 numbers, such that
images of one digit are near to each other. It learns from some of the ten digits only, three times, so that each digit is
once new to it.

Each held-out image of a known digit then searches among the others of known digits, by cosine, and each of a new digit among
those of new ones. Recall@1: how often the first that it finds is of its digit. Mean average precision (mAP): how far up all
of them come. Beside it: searching by the pixels, and by their first 16 principal components.
"""

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

import keras_losses as kl

SIZE, EPOCHS = 16, 15
NEW = ((0, 1, 2), (3, 4, 5), (6, 7, 8, 9))

digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
x, x_test, y, y_test = train_test_split(images, digits.target, test_size=0.5, stratify=digits.target, random_state=0)
pixels = x_test.reshape(len(x_test), -1)


def network():
    """A small network that ends in an embedding."""
    start = keras.Input(x.shape[1:])
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(start)
    h = layers.Flatten()(layers.MaxPooling2D()(h))
    return keras.Model(start, layers.Dense(SIZE)(layers.Dense(64, activation="relu")(h)))


def search(embeddings, labels):
    """Recall@1 and mean average precision of each embedding's search among the others."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    near = unit @ unit.T
    np.fill_diagonal(near, -2)  # last, and then left out: an image does not search for itself
    right = labels[np.argsort(-near, axis=1)[:, :-1]] == labels[:, None]
    precision = np.cumsum(right, axis=1) / np.arange(1, len(labels))
    return right[:, 0].mean(), np.mean(np.sum(precision * right, axis=1) / np.sum(right, axis=1))


# The labels are ids: equal or not is all that a loss asks of them.
LOSSES = {
    "triplets, semihard": kl.TripletMargin(mining="semihard", margin=0.3, distance="cosine"),
    "triplets, easy": kl.TripletMargin(mining="easy", margin=0.3, distance="cosine"),
    "supervised contrastive": kl.SupervisedContrastive(temperature=0.1),
    "multi-similarity": kl.MultiSimilarity(base=0.5),
}
scores = {name: [] for name in ("pixels", "principal components", *LOSSES)}
found = {}  # embeddings of all held-out images, in the end those of the last group


def measure(name, new, embeddings):
    known = ~np.isin(y_test, new)
    scores[name].append([*search(embeddings[known], y_test[known]), *search(embeddings[~known], y_test[~known])])
    found[name] = embeddings


for new in NEW:
    measure("pixels", new, pixels)
    components = PCA(SIZE).fit(x[~np.isin(y, new)].reshape(-1, pixels.shape[1]))
    measure("principal components", new, components.transform(pixels))
for name, loss in LOSSES.items():
    keras.utils.set_random_seed(1)
    model = network()
    model.compile(keras.optimizers.Adam(2e-3), loss=loss)
    model.optimizer.build(model.trainable_variables)
    untrained = model.get_state_tree(value_format="numpy_array")  # so that it is compiled once for all groups
    for new in NEW:
        model.set_state_tree(untrained)
        known = ~np.isin(y, new)
        model.fit(x[known], y[known], batch_size=64, epochs=EPOCHS, verbose=0)
        measure(name, new, model.predict(x_test, verbose=0))

mean = {name: np.mean(each, axis=0) for name, each in scores.items()}
print(f"{'':23} known digits     new digits")
print(f"{'':23} recall@1  mAP    recall@1  mAP")
for name, each in mean.items():
    print("{:23} {:.3f}     {:.3f}  {:.3f}     {:.3f}".format(name, *each))

figure = Figure(figsize=(14, 3.6), layout="constrained")
shown = [name for name in found if name != "principal components"]  # of which the first two are those of the pixels
for axes, name in zip(figure.subplots(1, len(shown)), shown, strict=True):
    unit = found[name] / np.linalg.norm(found[name], axis=1, keepdims=True)
    plane = PCA(2).fit(unit[~np.isin(y_test, new)]).transform(unit)
    for digit in range(10):
        spots = plane[y_test == digit]
        axes.scatter(*spots.T, s=8, marker="x" if digit in new else "o", color=f"C{digit}", label=digit)
    axes.set(title=f"{name}\nmAP {mean[name][1]:.2f}, of new digits {mean[name][3]:.2f}", xticks=[], yticks=[])
figure.legend(*axes.get_legend_handles_labels(), loc="outside right", title="crosses:\nnew digits")
figure.savefig("embeddings.png", dpi=80)
print("Picture: embeddings.png")

for name in LOSSES:
    assert mean[name][0] > 0.95, name
    assert mean[name][1] > mean["pixels"][1] + 0.15, name
