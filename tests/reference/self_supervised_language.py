"""Self-supervised losses of images and texts: CLIP, SigLIP.

Exactly two views on axis 1, `y_pred` (B, 2, D): view 0 the images, view 1 the texts. Labels are ignored. s(i, j) is the
cosine similarity of image i and text j; vectors are normalised inside, and a zero vector stays zero. One value a sample,
`(B,)`, whose mean is the paper's loss; every sample counts, also a single one.

CLIP: Radford et al. 2021. The mean of two cross-entropies of s / temperature: of image i over all texts, and of text i over
all images. `temperature` is 0.07, where the paper's learned one begins.

SigLIP: Zhai et al. 2023. With the logit s / temperature + bias of each image and text, the value of sample i is the sum over
all texts j of softplus(-logit) for j = i and softplus(logit) otherwise: a sum, as in the paper, not a mean. `temperature`
is 0.1 and `bias` -10, where the paper's learned ones begin (its t' = log 10).
"""

import numpy as np

from ._case import Case, array, log_softmax, normal, softplus, unit_rows
from ._views import dot, no_labels, units


def clip(y_true, y_pred, temperature=0.07):
    z = units(y_pred)
    samples = len(z)
    values = np.zeros(samples)
    for i in range(samples):
        of_image = log_softmax([dot(z[i, 0], z[j, 1]) / temperature for j in range(samples)])
        of_text = log_softmax([dot(z[j, 0], z[i, 1]) / temperature for j in range(samples)])
        values[i] = -(of_image[i] + of_text[i]) / 2
    return values


def sig_lip(y_true, y_pred, temperature=0.1, bias=-10.0):
    z = units(y_pred)
    samples = len(z)
    values = np.zeros(samples)
    for i in range(samples):
        for j in range(samples):
            logit = dot(z[i, 0], z[j, 1]) / temperature + bias
            values[i] += softplus(-logit) if i == j else softplus(logit)
    return values


_E = np.eye(2)
_IDS = np.array([2**24, 2**24 + 1, 2**24, -5, 7], np.int32)
_MATCHED = np.stack([_E, _E], axis=1)
_SWAPPED = np.stack([_E, _E[::-1]], axis=1)
# Both texts are image 0: the two directions differ.
_ONE_TEXT = np.stack([_E, _E[[0, 0]]], axis=1)
_ONES = np.ones((3, 2, 4))
_TWINS = normal(5413, 5, 2, 3)[[0, 1, 0, 2, 1]]
_WITH_ZEROS = normal(5412, 4, 2, 3) * array(1, 0, 1, 1).reshape(4, 1, 1)


def _common(seed):
    return [
        Case("default", no_labels(6), normal(seed, 6, 2, 4)),
        Case("unit", no_labels(5), unit_rows(seed + 1, 5, 2, 3)),
        Case("labels-ignored", _IDS, normal(seed + 2, 5, 2, 3)),
        Case("two-samples", no_labels(2), normal(seed + 3, 2, 2, 4)),
        Case("temperature-small", no_labels(5), normal(seed + 4, 5, 2, 4), {"temperature": 0.02}),
        Case("temperature-large", no_labels(5), normal(seed + 5, 5, 2, 4), {"temperature": 50.0}),
        Case("long", no_labels(4), normal(seed + 6, 4, 2, 4, scale=1e3)),
        Case("short", no_labels(4), normal(seed + 7, 4, 2, 4, scale=1e-3), smooth=False),
        Case("duplicates", no_labels(5), _TWINS),
        Case("zero-vectors", no_labels(4), _WITH_ZEROS, smooth=False),
    ]


_HALF = {"temperature": 0.5}

CASES = {
    "CLIP": [
        *_common(5420),
        Case("temperature", no_labels(5), normal(5430, 5, 2, 4), {"temperature": 0.5}),
        Case("single-sample", no_labels(1), normal(5431, 1, 2, 4), expect=np.zeros(1)),
        Case("all-zero", no_labels(3), np.zeros((3, 2, 4)), {}, False, np.full(3, np.log(3))),
        Case("all-equal", no_labels(3), _ONES, expect=np.full(3, np.log(3))),
        Case("matched", no_labels(2), _MATCHED, _HALF, expect=np.full(2, np.log1p(np.exp(-1 / 0.5)))),
        Case("swapped", no_labels(2), _SWAPPED, _HALF, expect=np.full(2, np.log1p(np.exp(1 / 0.5)))),
        Case("swapped-small", no_labels(2), _SWAPPED, {"temperature": 0.001}, expect=np.full(2, 1 / 0.001)),
        # Images: log 2 each. Text 0 prefers its own image by 1 / temperature, text 1 the other by as much.
        Case(
            "one-text",
            no_labels(2),
            _ONE_TEXT,
            _HALF,
            expect=(np.log(2) + np.log1p(np.exp(array(-1, 1) / 0.5))) / 2,
        ),
    ],
    "SigLIP": [
        *_common(5440),
        Case("temperature", no_labels(5), normal(5450, 5, 2, 4), {"temperature": 0.5}),
        Case("bias", no_labels(5), normal(5451, 5, 2, 4), {"bias": 0.0}),
        Case("bias-temperature", no_labels(4), normal(5452, 4, 2, 3), {"bias": 2.0, "temperature": 1.0}),
        Case("single-sample", no_labels(1), np.ones((1, 2, 4)), {"bias": -4.0}, expect=array(np.log1p(np.exp(4 - 1 / 0.1)))),
        Case("all-zero", no_labels(3), np.zeros((3, 2, 4)), {"bias": 0.0}, False, np.full(3, 3 * np.log(2))),
        # The own text at 10 - 10 and two others there, too.
        Case("all-equal", no_labels(3), _ONES, expect=np.full(3, 3 * np.log(2))),
        Case("matched", no_labels(2), _MATCHED, expect=np.full(2, np.log(2) + np.log1p(np.exp(-10)))),
        Case(
            "swapped",
            no_labels(2),
            _SWAPPED,
            {"bias": -1.0, "temperature": 0.25},
            expect=np.full(2, np.log1p(np.exp(1)) + np.log1p(np.exp(1 / 0.25 - 1))),
        ),
        # Image 0 has both texts at 1 / 0.5 - 1, image 1 both at -1.
        Case(
            "one-text",
            no_labels(2),
            _ONE_TEXT,
            {"bias": -1.0, "temperature": 0.5},
            expect=np.array([np.log1p(np.exp(x)) + np.log1p(np.exp(-x)) for x in (1 / 0.5 - 1, -1)]),
        ),
    ],
}
