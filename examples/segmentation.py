"""Segmentation of a real microscopy image: Dice + cross-entropy, Tversky and Lovasz, each after the same training.

The image is scikit-image's immunohistochemical stain of colonic glands (`skimage.data.immunohistochemistry`). Nobody drew its
masks: they come from its colours. Colour deconvolution separates the two stains, and Otsu's threshold of each gives three
classes: nothing (0), nuclei (haematoxylin, 1) and the stained protein (DAB, 2). The network sees the grey image alone, so it
has to find by texture what the masks know by colour. The lower quarter of the image is held out.
"""

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure
from skimage import color, data, filters

import keras_losses as kl

TILE, CLASSES, EPOCHS = 32, 3, 24
NAMES = ("nothing", "nuclei", "protein")


def tissue():
    """The grey image in [0, 1], and the class of each pixel."""
    image = data.immunohistochemistry().reshape(256, 2, 256, 2, 3).mean((1, 3)) / 255
    stains = color.rgb2hed(image)
    nuclei, protein = (stains[..., i] > filters.threshold_otsu(stains[..., i]) for i in (0, 2))
    return color.rgb2gray(image).astype("float32"), np.where(protein, 2, np.where(nuclei, 1, 0))


def tiles(x):
    """Square parts of an image."""
    rows, columns = (range(0, size, TILE) for size in x.shape)
    return np.stack([x[i : i + TILE, j : j + TILE] for i in rows for j in columns])


def unet():
    """A small U-Net that ends in probabilities."""
    x = inputs = keras.Input((TILE, TILE, 1))
    skips = []
    for width in (8, 16):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    for skip in reversed(skips):
        x = layers.Concatenate()([layers.UpSampling2D()(x), skip])
        x = layers.Conv2D(skip.shape[-1], 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(CLASSES, 1, activation="softmax")(x))


def overlap(labels, found):
    """Intersection over union of each class."""
    return [np.sum((labels == c) & (found == c)) / np.sum((labels == c) | (found == c)) for c in range(CLASSES)]


grey, labels = tissue()
train, test = slice(0, 192), slice(192, 256)
x, y = (np.concatenate([part, part[:, :, ::-1]]) for part in (tiles(grey[train]), tiles(labels[train])))
x_test, y_test = tiles(grey[test]), tiles(labels[test])
one_hot = np.eye(CLASSES, dtype="float32")[y]

# name -> (loss, its targets). Dice and Tversky compare regions and take one channel a class, Lovasz takes the ids.
LOSSES = {
    "cross-entropy": (kl.SparseCategoricalCrossentropy(), y),
    "Dice + cross-entropy": (kl.Dice(smooth=1.0) + kl.CategoricalCrossentropy(), one_hot),
    "Tversky, misses weigh more": (kl.Tversky(alpha=0.3, beta=0.7, smooth=1.0), one_hot),
    "Lovasz + cross-entropy": (kl.LovaszSoftmax() + kl.SparseCategoricalCrossentropy(), y),
}

found, scores = {}, {}
for name, (loss, target) in LOSSES.items():
    keras.utils.set_random_seed(1)
    model = unet()
    model.compile(keras.optimizers.Adam(3e-3), loss=loss)
    model.fit(x, target, batch_size=8, epochs=EPOCHS, verbose=0)
    found[name] = model.predict(x_test, verbose=0).argmax(-1)
    scores[name] = overlap(y_test, found[name])
    each = ", ".join(f"{what} {score:.3f}" for what, score in zip(NAMES, scores[name], strict=True))
    print(f"{name:27} mean IoU {np.mean(scores[name]):.3f}  ({each})")


def whole(parts):
    """The held-out part of the image, from its tiles."""
    return np.concatenate([np.concatenate(list(row), axis=1) for row in np.split(parts, 2)])


figure = Figure(figsize=(9, 11), layout="constrained")
pictures = {"grey image": whole(x_test), "masks": whole(y_test)} | {k: whole(v) for k, v in found.items()}
for axes, (name, picture) in zip(figure.subplots(len(pictures), 1), pictures.items(), strict=True):
    axes.imshow(picture, cmap="gray" if picture.dtype.kind == "f" else "viridis")
    axes.set_title(f"{name}: mean IoU {np.mean(scores[name]):.2f}" if name in scores else name, loc="left", fontsize=10)
    axes.set_axis_off()
figure.savefig("segmentation.png", dpi=80)
print("Picture: segmentation.png")

assert all(np.mean(each) > 0.4 for each in scores.values()), scores
