"""Self-supervised learning: views of a sample, images and texts."""

import numpy as np

from tests.peers import _data as d
from tests.peers._embeddings import mean_of_anchors, terms
from tests.peers._lazy import F, torch
from tests.peers._row import rows
from tests.peers.metric_learning import LOSS, cosines


def samples(*shape, scale=1.0):
    """Views `(B, V, D)`, or logits; nothing looks at the labels."""
    return d.pair(lambda rng: np.zeros(shape[0]), d.normal(*shape, scale=scale))


pairs, three = samples(6, 2, 5), samples(6, 3, 5)
logits = samples(4, 5, 7, scale=0.2)


def patches(rng):
    """Masks of hidden patches, some in each sample, and logits of student and teacher."""
    hidden = rng.integers(0, 2, size=(3, 6)).astype(float)
    hidden[:, 0] = 1
    return hidden, 0.2 * rng.normal(size=(3, 2, 6, 4))


def units(y_pred):
    return F.normalize(y_pred, dim=-1).unbind(1)


def mean_over_pairs(y_pred, loss):
    views = y_pred.unbind(1)
    found = [loss(views[v], views[w]) for w in range(len(views)) for v in range(w)]
    return sum(found) / len(found)


def off_diagonal(matrix):
    return matrix.pow(2).sum() - matrix.diagonal().pow(2).sum()


def decoupled(y_true, y_pred, temperature, sigma=None):
    """Yeh et al. 2022; the weight of DCLW is that of the paper, with its gradient."""
    views, other = units(y_pred), ~torch.eye(len(y_pred), dtype=torch.bool)
    total = 0
    for v, z in enumerate(views):
        negatives = torch.cat([(z @ u.T)[other].reshape(len(z), -1) for u in views], 1) / temperature
        pull = 0
        for w, u in enumerate(views):
            if v != w:
                near = (z * u).sum(-1)
                weight = 1 if sigma is None else 2 - len(z) * (near / sigma).softmax(0)
                pull = pull - weight * near / temperature / (len(views) - 1)
        total = total + pull + negatives.logsumexp(1)
    return total / len(views)


def alignment_uniformity(y_true, y_pred, alpha, t, weight):
    """Wang and Isola 2020."""

    def loss(x, y):
        spread = [torch.pdist(z).pow(2).mul(-t).exp().mean().log() for z in (x, y)]
        return (x - y).norm(dim=1).pow(alpha) + weight * sum(spread) / 2

    return mean_over_pairs(F.normalize(y_pred, dim=-1), loss)


def koleo(y_true, y_pred, normalize):
    """Sablayrolles et al. 2019, of the points themselves, no gradient stopped."""

    def of_view(x):
        apart = [[(x[i] - x[j]).norm() for j in range(len(x)) if j != i] for i in range(len(x))]
        return torch.stack([-torch.stack(row).min().log() for row in apart])

    views = units(y_pred) if normalize else y_pred.unbind(1)
    return sum(map(of_view, views)) / len(views)


def barlow_twins(y_true, y_pred, weight):
    """Zbontar et al. 2021, algorithm 1, with batch normalisation as in their code: over B, with 1e-5."""

    def loss(x, y):
        x, y = (F.batch_norm(z, None, None, training=True, eps=1e-5) for z in (x, y))
        c = x.T @ y / len(x)
        return (1 - c.diagonal()).pow(2).sum() + weight * off_diagonal(c)

    return mean_over_pairs(y_pred, loss)


def vicreg(y_true, y_pred, weights):
    """Bardes et al. 2022, by the authors' means: over the features, half of each variance."""

    def loss(x, y):
        spread = [F.relu(1 - (z.var(0) + 1e-4).sqrt()).mean() / 2 for z in (x, y)]
        shared = [off_diagonal(torch.cov(z.T)) / z.shape[1] for z in (x, y)]
        near, varied, apart = weights
        return near * (x - y).pow(2).mean() + varied * sum(spread) + apart * sum(shared)

    return mean_over_pairs(y_pred, loss)


def coding_rate(y_true, y_pred, squared_precision, weight):
    """Tong et al. 2023: the rate is maximised."""
    views = units(y_pred)
    middle = sum(views) / len(views)

    def rate(z):
        size, features = z.shape
        return torch.eye(features, dtype=z.dtype).add(features / (size * squared_precision) * z.T @ z).logdet() / 2

    near = sum(F.cosine_similarity(z, middle) for z in views) / len(views)
    return -sum(map(rate, views)) / len(views) - weight * near


def manifold_capacity(y_true, y_pred, weight):
    """Yerxa et al. 2023, by the singular values."""
    z = F.normalize(y_pred, dim=-1)
    return weight * torch.linalg.svdvals(z).sum(-1) - torch.linalg.svdvals(z.mean(1)).sum()


def simsiam(peer, y_true, y_pred):
    """Of two predictions and two targets, constants: each prediction with the target of the other view."""
    one, two, first, second = y_pred.unbind(1)
    return -(peer(one, second.detach()) + peer(two, first.detach())) / 2


def stopped_distance(peer, y_true, y_pred):
    import jax

    return peer(y_pred[:, 0], jax.lax.stop_gradient(y_pred[:, 1])) - 1


def distilled(student, teacher, center, student_temperature, teacher_temperature):
    target = F.softmax((teacher - torch.tensor(center)) / teacher_temperature, -1).detach()
    return -(target * F.log_softmax(student / student_temperature, -1)).sum(-1)


def dino(y_true, y_pred, teacher_views, center, temperatures=(0.1, 0.04)):
    """Caron et al. 2021, algorithm 1."""
    views = y_pred.unbind(1)
    students, teachers = views[:-teacher_views], views[-teacher_views:]
    found = [distilled(s, t, center, *temperatures) for i, t in enumerate(teachers) for j, s in enumerate(students) if i != j]
    return sum(found) / len(found)


def ibot(y_true, y_pred, center, temperatures=(0.1, 0.04)):
    """Zhou et al. 2022, over the mean of the hidden patches of a sample."""
    values = distilled(y_pred[:, 0], y_pred[:, 1], center, *temperatures)
    return (values * y_true).sum(1) / y_true.sum(1)


def swav(y_true, y_pred, code_views, temperature=0.1, epsilon=0.05, rounds=3):
    """Caron et al. 2020, with exponentials as they are."""
    views, total = y_pred.unbind(1), 0
    for v in range(code_views):
        q = (views[v].detach() / epsilon).exp()
        for _ in range(rounds):
            q = q / q.sum(0, keepdim=True)
            q = q / q.sum(1, keepdim=True)
        rest = [-(q * F.log_softmax(views[w] / temperature, -1)).sum(-1) for w in range(len(views)) if w != v]
        total = total + sum(rest) / len(rest)
    return total / code_views


def both_ways(peer, y_true, y_pred):
    """Images against texts, and the reverse."""
    image, text, own = y_pred[:, 0], y_pred[:, 1], torch.arange(len(y_pred))
    ways = [terms(peer, x, own, ref_emb=y, ref_labels=own.clone()) for x, y in ((image, text), (text, image))]
    return sum(mean_of_anchors(*way, y_pred) for way in ways) / 2


def clip(y_true, y_pred, scale):
    """Radford et al. 2021, figure 3."""
    near, own = scale * cosines(y_pred[:, 0], y_pred[:, 1]), torch.arange(len(y_pred))
    return (F.cross_entropy(near, own, reduction="none") + F.cross_entropy(near.T, own, reduction="none")) / 2


def siglip(y_true, y_pred, scale, bias):
    """Zhai et al. 2023, algorithm 1, without the mean over the images."""
    near = scale * cosines(y_pred[:, 0], y_pred[:, 1]) + bias
    return -F.logsigmoid((2 * torch.eye(len(near), dtype=near.dtype) - 1) * near).sum(1)


CENTER = (0.1, -0.2, 0.3, 0.0, 0.05, -0.1, 0.2)
WEIGHTS = {"lambda_param": 10.0, "mu_param": 5.0, "nu_param": 2.0}

ROWS = [
    *rows(
        "DecoupledContrastive",
        ("formula (Yeh 2022)", decoupled),
        three,
        ({}, {"temperature": 0.1}),
        ({"temperature": 0.2, "sigma": 0.5}, {"temperature": 0.2, "sigma": 0.5}),
    ),
    *rows(
        "AlignmentUniformity",
        ("formula (Wang 2020)", alignment_uniformity),
        three,
        ({}, {"alpha": 2, "t": 2, "weight": 1}),
        ({"alpha": 1.5, "t": 3.0, "lambda_param": 0.5}, {"alpha": 1.5, "t": 3, "weight": 0.5}),
    ),
    *rows(
        "KoLeo",
        ("formula (Sablayrolles 2019)", koleo),
        three,
        ({"epsilon": 0.0}, {"normalize": True}),
        ({"epsilon": 0.0, "normalize": False}, {"normalize": False}),
    ),
    *rows(
        "BarlowTwins",
        ("formula (Zbontar 2021)", barlow_twins),
        three,
        ({}, {"weight": 5e-3}),
        ({"lambda_param": 0.1}, {"weight": 0.1}),
        mean=True,
    ),
    *rows(
        "VICReg",
        LOSS + "VICRegLoss",
        samples(6, 2, 5, scale=0.7),
        ({}, {}),
        (WEIGHTS, {"invariance_lambda": 10, "variance_mu": 5, "covariance_v": 2}),
        call=lambda peer, y_true, y_pred: peer(y_pred[:, 0], ref_emb=y_pred[:, 1]),
        mean=True,
    ),
    *rows(
        "VICReg", ("formula (Bardes 2022)", vicreg), samples(6, 3, 5, scale=0.7), (WEIGHTS, {"weights": (10, 5, 2)}), mean=True
    ),
    *rows(
        "TotalCodingRate",
        ("formula (Tong 2023)", coding_rate),
        three,
        ({}, {"squared_precision": 0.2, "weight": 200}),
        ({"distortion": 0.5, "lambda_param": 1.0}, {"squared_precision": 0.5, "weight": 1}),
    ),
    *rows(
        "MaximumManifoldCapacity",
        ("formula (Yerxa 2023)", manifold_capacity),
        three,
        ({}, {"weight": 0}),
        ({"lambda_param": 0.1}, {"weight": 0.1}),
    ),
    *rows("NegativeCosine", "torch.nn.CosineSimilarity", samples(6, 4, 5), ({}, {"dim": -1}), call=simsiam),
    *rows("NegativeCosine", "optax.losses.cosine_distance", pairs, ({}, {}), call=stopped_distance),
    *rows(
        "DINO",
        ("formula (Caron 2021)", dino),
        logits,
        ({"center": CENTER}, {"teacher_views": 2, "center": CENTER}),
        (
            {"teacher_views": 1, "student_temperature": 0.2, "teacher_temperature": 0.07},
            {"teacher_views": 1, "center": (0.0,), "temperatures": (0.2, 0.07)},
        ),
    ),
    *rows(
        "IBOT",
        ("formula (Zhou 2022)", ibot),
        patches,
        ({"center": CENTER[:4]}, {"center": CENTER[:4]}),
        ({"student_temperature": 0.2, "teacher_temperature": 0.1}, {"center": (0.0,), "temperatures": (0.2, 0.1)}),
    ),
    *rows(
        "SwAV",
        ("formula (Caron 2020)", swav),
        logits,
        ({}, {"code_views": 2}),
        (
            {"code_views": 1, "temperature": 0.3, "sinkhorn_epsilon": 0.1, "sinkhorn_iterations": 5},
            {"code_views": 1, "temperature": 0.3, "epsilon": 0.1, "rounds": 5},
        ),
    ),
    *rows(
        "CLIP",
        LOSS + "NTXentLoss",
        pairs,
        ({}, {"temperature": 0.07}),
        ({"temperature": 0.5}, {"temperature": 0.5}),
        call=both_ways,
        note="the mean of image to text and text to image, the other view as its `ref_emb`",
    ),
    *rows("CLIP", ("formula (Radford 2021)", clip), pairs, ({"temperature": 0.01}, {"scale": 100})),
    *rows(
        "SigLIP",
        ("formula (Zhai 2023)", siglip),
        pairs,
        ({}, {"scale": 10, "bias": -10}),
        ({"temperature": 0.5, "bias": -1.0}, {"scale": 2, "bias": -1}),
    ),
]
