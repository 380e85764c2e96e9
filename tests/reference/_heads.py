"""References of the layers that hold vectors of classes, in plain loops, from the papers. Angles are taken with arccos.

Each takes labels `(N,)`, embeddings `(N, D)` and the vectors of the classes, and gives `(N, C)` logits, or a loss.
"""

import numpy as np

from ._embeddings import average, cosine, distance, dot, unit


def length(x):
    return np.sqrt(dot(x, x))


def angle(x, w):
    return np.arccos(np.clip(cosine(x, w), -1.0, 1.0))


def logits(y, x, kernel, own, other=cosine, temperature=1.0):
    """Of each embedding: `own(x, w)` at its class, `other(x, w)` at the rest; at all of them where there is no label."""
    n, classes = len(x), kernel.shape[1]
    result = np.zeros((n, classes))
    for i in range(n):
        for j in range(classes):
            mine = y is not None and y[i] == j
            result[i, j] = (own if mine else other)(x[i], kernel[:, j]) / temperature
    return result


def additive(x, w, margin):
    """ArcFace's cosine: of the angle and the margin; beyond pi, the cosine less a number."""
    theta = angle(x, w)
    return np.cos(theta + margin) if theta + margin < np.pi else np.cos(theta) - margin * np.sin(margin)


def normalized_softmax(y, x, kernel, temperature):
    return logits(y, x, kernel, cosine, temperature=temperature)


def cos_face(y, x, kernel, margin, temperature):
    return logits(y, x, kernel, lambda a, w: cosine(a, w) - margin, temperature=temperature)


def arc_face(y, x, kernel, margin, temperature):
    return logits(y, x, kernel, lambda a, w: additive(a, w, margin), temperature=temperature)


def sphere_face(y, x, kernel, margin, temperature):
    def own(a, w):
        theta = angle(a, w)
        k = min(int(theta * margin / np.pi), margin - 1)
        return length(a) * ((-1) ** k * np.cos(margin * theta) - 2 * k)

    return logits(y, x, kernel, own, lambda a, w: length(a) * cosine(a, w), temperature)


def of_class(kernel, j, centers):
    """The vectors of class `j`, which lie side by side."""
    return [kernel[:, j * centers + k] for k in range(centers)]


def sub_center_arc_face(y, x, kernel, margin, temperature, centers):
    result = np.zeros((len(x), kernel.shape[1] // centers))
    for i in range(len(x)):
        for j in range(result.shape[1]):
            nearest = max(of_class(kernel, j, centers), key=lambda w: cosine(x[i], w))
            mine = y is not None and y[i] == j
            result[i, j] = (additive(x[i], nearest, margin) if mine else cosine(x[i], nearest)) / temperature
    return result


def curricular_face(y, x, kernel, margin, temperature, t):
    result = np.zeros((len(x), kernel.shape[1]))
    for i in range(len(x)):
        target = None if y is None else additive(x[i], kernel[:, y[i]], margin)
        for j in range(kernel.shape[1]):
            c = cosine(x[i], kernel[:, j])
            if y is not None and j == y[i]:
                c = target
            elif y is not None and c > target:
                c = c * (t + c)
            result[i, j] = c / temperature
    return result


def mean_target(y, x, kernel):
    """What moves CurricularFace's `t`: the mean cosine between an embedding and its class."""
    return average(cosine(a, kernel[:, j]) for a, j in zip(x, y, strict=True))


def ada_face(y, x, kernel, margin, h, temperature, mean, std):
    def own(a, w):
        z = np.clip((length(a) - mean) / std * h, -1.0, 1.0)
        theta = np.clip(angle(a, w) - margin * z, 0.0, np.pi)
        return np.cos(theta) - (margin * z + margin)

    return logits(y, x, kernel, own, temperature=temperature)


def norm_statistics(x):
    """The mean of the lengths of embeddings, and their standard deviation."""
    lengths = [length(a) for a in x]
    mean = average(lengths)
    return mean, np.sqrt(average((n - mean) ** 2 for n in lengths))


def soft_triple(y, x, kernel, margin, temperature, center_temperature, centers):
    result = np.zeros((len(x), kernel.shape[1] // centers))
    for i in range(len(x)):
        for j in range(result.shape[1]):
            s = [cosine(x[i], w) for w in of_class(kernel, j, centers)]
            e = [np.exp(v / center_temperature) for v in s]
            relaxed = sum(a * b for a, b in zip(e, s, strict=True)) / sum(e)
            result[i, j] = (relaxed - margin * (y is not None and y[i] == j)) / temperature
    return result


def merging(kernel, centers):
    """SoftTriple's regulariser: the distances of the centers of a class, `1 / (C K (K - 1))` of their sum."""
    classes, total = kernel.shape[1] // centers, 0.0
    for j in range(classes):
        group = of_class(kernel, j, centers)
        for t in range(centers):
            for s in range(t + 1, centers):
                total += np.sqrt(max(2 - 2 * cosine(group[t], group[s]), 0.0))
    return total / (classes * centers * (centers - 1)) if centers > 1 else 0.0


def cross_entropy(y, z):
    """Of each row of logits."""
    return np.array([np.log(sum(np.exp(v - max(row)) for v in row)) + max(row) - row[j] for j, row in zip(y, z, strict=True)])


# -- losses: proxies and centers are rows --------------------------------------------------------------------------------------


def proxy_nca(y, x, proxies, temperature=1.0, keep_positive=False):
    values = []
    for a, j in zip(x, y, strict=True):
        e = [np.exp(-distance(unit(a), unit(p), "squared_euclidean") / temperature) for p in proxies]
        values.append(-np.log(e[j] / sum(v for k, v in enumerate(e) if keep_positive or k != j)))
    return np.array(values)


def proxy_anchor(y, x, proxies, margin, temperature, weight=None):
    """One number for the batch. A sample of weight 2 counts as two."""
    weight = np.ones(len(x)) if weight is None else weight
    pull, push = [], []
    for j, p in enumerate(proxies):
        mine = [i for i in range(len(x)) if y[i] == j and weight[i] > 0]
        others = [i for i in range(len(x)) if y[i] != j and weight[i] > 0]
        if mine:
            pull.append(np.log(1 + sum(weight[i] * np.exp(-(cosine(x[i], p) - margin) / temperature) for i in mine)))
        push.append(np.log(1 + sum(weight[i] * np.exp((cosine(x[i], p) + margin) / temperature) for i in others)))
    return (average(pull) if pull else 0.0) + average(push)


def center_loss(y, x, centers):
    return np.array([distance(a, centers[j], "squared_euclidean") / 2 for a, j in zip(x, y, strict=True)])


def moved_centers(y, x, centers, alpha):
    result = centers.copy()
    for j in range(len(centers)):
        mine = [a for a, k in zip(x, y, strict=True) if k == j]
        result[j] = centers[j] - alpha * sum((centers[j] - a for a in mine), np.zeros(centers.shape[1])) / (1 + len(mine))
    return result
