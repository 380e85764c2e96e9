"""Boxes around coins, from starts at which an overlap says nothing: CIoU and its kin against smooth L1 and plain IoU.

The photograph is scikit-image's `skimage.data.coins`. Nobody drew its boxes: Otsu's threshold, closed and cleaned, separates
the coins from the ground, and the box of each connected part of at least 1,000 pixels is a coin's. A network sees a patch
around a coin, shifted at random, and predicts the box as (x, y, width, height) in the patch. Its last layer starts at 0, so
each prediction starts as the empty box in the corner, which overlaps nothing: plain IoU has no slope there. The coins of the
lowest row are held out.
"""

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy import ndimage
from skimage import data, filters, measure, morphology

import keras_losses as kl

SIZE, SHIFTS, EPOCHS = 96, 24, 15


def coins():
    """The photograph in [0, 1], and the boxes `(x, y, width, height)` of its coins."""
    photo = data.coins()
    mask = ndimage.binary_fill_holes(ndimage.binary_closing(photo > filters.threshold_otsu(photo), np.ones((3, 3))))
    parts = measure.regionprops(morphology.label(ndimage.binary_opening(mask, np.ones((5, 5)))))
    corners = np.array([part.bbox for part in parts if part.area >= 1000], float)
    boxes = np.stack([corners[:, 1], corners[:, 0], corners[:, 3] - corners[:, 1], corners[:, 2] - corners[:, 0]], axis=1)
    return photo / 255, boxes[(boxes[:, 2:] < 0.8 * SIZE).all(1)]


def patches(photo, boxes, number, seed):
    """Patches that hold a whole coin somewhere, and its box in units of the patch."""
    rng = np.random.default_rng(seed)
    padded = np.pad(photo, SIZE, mode="edge")
    x, y = [], []
    for left, top, width, height in np.repeat(boxes, number, axis=0):
        dx, dy = rng.uniform(0, SIZE - width), rng.uniform(0, SIZE - height)
        a, b = round(left - dx), round(top - dy)
        x.append(padded[SIZE + b : 2 * SIZE + b : 2, SIZE + a : 2 * SIZE + a : 2])
        y.append(np.array([left - a, top - b, width, height]) / SIZE)
    return np.array(x, "float32")[..., None], np.array(y, "float32")


def network():
    """A small network that ends in a box; its last layer starts at 0."""
    x = inputs = keras.Input((SIZE // 2, SIZE // 2, 1))
    for width in (8, 16, 32):
        x = layers.MaxPooling2D()(layers.Conv2D(width, 3, padding="same", activation="relu")(x))
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(4, kernel_initializer="zeros")(x))


def upright(box):
    """A box of negative width or height as the box between its corners, which the losses take it for."""
    return np.concatenate([np.minimum(box[:, :2], box[:, :2] + box[:, 2:]), np.abs(box[:, 2:])], axis=1)


def overlap(a, b):
    """Intersection over union of boxes `(x, y, width, height)`."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=1)
    return both / (np.prod(a[:, 2:], axis=1) + np.prod(b[:, 2:], axis=1) - both)


photo, boxes = coins()
lowest = boxes[:, 1] > 0.75 * photo.shape[0]
x, y = patches(photo, boxes[~lowest], SHIFTS, 0)
x_test, y_test = patches(photo, boxes[lowest], 8, 1)
print(f"{len(boxes)} coins, {lowest.sum()} of them held out; {len(x)} patches to learn from")

LOSSES = {
    "smooth L1": kl.SmoothL1(beta=0.1),
    "IoU": kl.IoU(bounding_box_format="xywh", mode="linear"),
    "GIoU": kl.GIoU(bounding_box_format="xywh"),
    "DIoU": kl.DIoU(bounding_box_format="xywh"),
    "CIoU": kl.CIoU(bounding_box_format="xywh"),
}
found, scores = {}, {}
for name, loss in LOSSES.items():
    keras.utils.set_random_seed(1)
    model = network()
    model.compile(keras.optimizers.Adam(2e-3), loss=loss)
    history = model.fit(x, y, batch_size=16, epochs=EPOCHS, verbose=0).history["loss"]
    assert np.isfinite(history).all(), name
    found[name] = upright(model.predict(x_test, verbose=0))
    scores[name] = overlap(found[name], y_test)
    print(f"{name:9} mean IoU of held-out coins {scores[name].mean():.3f}, above 0.7: {np.mean(scores[name] > 0.7):.0%}")

figure = Figure(figsize=(12, 2.8), layout="constrained")
for axes, (name, each) in zip(figure.subplots(1, len(found)), found.items(), strict=True):
    axes.imshow(x_test[0, ..., 0], cmap="gray", extent=(0, 1, 1, 0))
    for box, color in ((y_test[0], "white"), (each[0], "orange")):
        axes.add_patch(Rectangle(box[:2], *box[2:], fill=False, edgecolor=color, linewidth=2))
    axes.set(title=f"{name}: {scores[name].mean():.2f}", xlim=(0, 1), ylim=(1, 0))
    axes.set_axis_off()
figure.savefig("boxes.png", dpi=80)
print("Picture: boxes.png (white: the box of the mask, orange: predicted)")

assert scores["CIoU"].mean() > 0.5
