"""Ranking: lists of scores and relevances."""

import functools

import numpy as np

from tests.peers import _data as d
from tests.peers._lazy import F, load, torch
from tests.peers._row import rows

SAMPLES = 4
KERAS = {"reduction": "none", "dtype": "float64"}


def graded(rng):
    """Relevances of four grades with ties, some items padding, and scores."""
    grades = rng.permuted(np.tile([3.0, 2.0, 2.0, 1.0, 0.0, 0.0, -1.0], (5, 1)), axis=1)
    return grades, rng.normal(size=(5, 7))


def no_ties(rng):
    return rng.permuted(np.tile([4.0, 3.0, 2.0, 1.0, 0.0, -1.0], (5, 1)), axis=1), rng.normal(size=(5, 6))


def one_relevant(rng):
    return rng.permuted(np.tile([1.0, 0.0, 0.0, 0.0, 0.0, -1.0], (5, 1)), axis=1), rng.normal(size=(5, 6))


def per_list(peer, y_true, y_pred, **rest):
    """A peer of JAX on each list, its padding masked."""
    import jax

    return jax.vmap(lambda s, y: peer(s, y, where=y >= 0, **rest))(y_pred, y_true)


def over(temperature):
    """For a peer without a temperature: of the scores, divided by it."""
    return lambda peer, y_true, y_pred: per_list(peer, y_true, y_pred / temperature)


def of_relevant(peer, y_true, y_pred):
    """The relevances as 0 and 1."""
    import jax.numpy as jnp

    return per_list(peer, jnp.sign(y_true), y_pred)


def without_diagonal(peer, y_true, y_pred):
    """Its mean is over all ordered pairs, an item with itself among them."""
    count = (y_true >= 0).sum(-1)
    return per_list(peer, y_true, y_pred) * count / (count - 1)


def pairs_of_relevance(peer, y_true, y_pred):
    """A row an item: its sum over the items below it. Ours: the mean over the pairs of a list."""
    items = y_true >= 0
    pairs = (y_true[:, :, None] > y_true[:, None, :]) & items[:, :, None] & items[:, None, :]
    return peer(y_true, y_pred).sum(-1) / pairs.sum((1, 2))


def all_pairs(peer, y_true, y_pred):
    count = (y_true >= 0).sum(-1)
    return peer(y_true, y_pred).sum(-1) / (count * (count - 1))


def with_target(kind):
    """For a peer that takes probabilities in place of relevances."""

    def call(peer, y_true, y_pred):
        import jax
        import jax.numpy as jnp

        item = y_true >= 0
        if kind == "softmax":
            target = jax.nn.softmax(jnp.where(item, y_true, -jnp.inf), -1)
        else:
            target = jnp.where(item, y_true, 0) / jnp.where(item, y_true, 0).sum(-1, keepdims=True)
        return jax.vmap(lambda s, y, w: peer(s, y, where=w))(y_pred, target, item)

    return call


def one_minus(temperature):
    """The metric of smooth ranks: what `rax.approx_t12n`, which the tested JAX breaks, makes a loss of."""

    def call(peer, y_true, y_pred):
        import jax

        ranks = functools.partial(load("rax.utils.approx_ranks"), step_fn=lambda x: jax.nn.sigmoid(x / temperature))
        return 1 - per_list(peer, y_true, y_pred, rank_fn=ranks)

    return call


def draws(shape):
    """Gumbel noise, the same for the peer and for us."""
    return np.random.default_rng(5).gumbel(size=(shape[0], SAMPLES, shape[1]))


def noisy(call):
    """The mean over scores with noise, as `rax.gumbel_t12n` has it."""

    def mean(peer, y_true, y_pred):
        noise = draws(y_pred.shape)
        return sum(call(peer, y_true, y_pred + noise[:, i]) for i in range(SAMPLES)) / SAMPLES

    return mean


def our_noise(loss, y_true, y_pred):
    return loss(y_true, y_pred, noise=draws(y_pred.shape))


def lambdas(topn=None, **weights):
    """The sum over the pairs, in bits, with what each of the peer's functions of weights counts."""

    def call(peer, y_true, y_pred):
        import jax.numpy as jnp

        def weight(scores, labels, **rest):
            return sum(count * load(f"rax.{name}_lambdaweight")(scores, labels, **rest) for name, count in weights.items())

        weight = functools.partial(weight, normalize=True, topn=topn)
        values = per_list(peer, y_true, y_pred, lambdaweight_fn=weight, reduce_fn=jnp.sum)
        # It multiplies them by the length of the list, padding included.
        return values / y_true.shape[1] / jnp.log(2)

    return call


def p_list_mle(y_true, y_pred):
    """Lan et al. 2014, weights over their sum, list by list."""
    values = []
    for y, s in zip(y_true, y_pred, strict=True):
        order = torch.argsort(y[y >= 0], descending=True)
        s, count = s[y >= 0][order], len(order)
        alpha = [2.0 ** (count - r) - 1 for r in range(1, count + 1)]
        values.append(sum(a * (s[r:].logsumexp(0) - s[r]) for r, a in enumerate(alpha)) / sum(alpha))
    return torch.stack(values)


def neural_sort(y_true, y_pred, temperature):
    """Grover et al. 2019, the relaxed permutation matrix against the true one, ties sharing their rows."""
    values = []
    for y, s in zip(y_true, y_pred, strict=True):
        y, s = y[y >= 0], s[y >= 0]
        apart, count = (s[:, None] - s[None, :]).abs().sum(1), len(s)
        place = torch.arange(1, count + 1, dtype=s.dtype)
        sorted_by_score = (((count + 1 - 2 * place[:, None]) * s - apart) / temperature).log_softmax(-1)
        wanted = (y.sort(descending=True).values[:, None] == y[None, :]).to(s.dtype)
        values.append(-(wanted / wanted.sum(1, keepdim=True) * sorted_by_score).sum() / count)
    return torch.stack(values)


def bayesian(y_true, y_pred, temperature):
    """Rendle et al. 2009: the mean over each relevant item with each other one."""
    values = []
    for y, s in zip(y_true, y_pred, strict=True):
        gap = (s[y > 0][:, None] - s[y == 0][None, :]) / temperature
        values.append(-F.logsigmoid(gap).mean())
    return torch.stack(values)


def levels(peer, y_true, y_pred):
    """Each threshold a yes or no."""
    return peer(y_pred, (y_true[..., None] > torch.arange(y_pred.shape[-1])).to(y_pred.dtype)).sum(-1)


def swaps(y_true, y_pred, metric, topn=None):
    """Burges et al. 2006 and Donmez et al. 2009: what swapping two ranks does to a metric, pair by pair, list by list."""
    values = []
    for y, s in zip(y_true, y_pred, strict=True):
        y, s = y[y >= 0], s[y >= 0]
        gain = y / y.sum() if metric == "mrr" else (y > 0).to(y.dtype) / topn
        order = torch.argsort(s, descending=True).tolist()
        rank = [order.index(i) + 1 for i in range(len(s))]
        discount = [1 / r if metric == "mrr" else float(r <= topn) for r in rank]
        pairs = [(i, j) for i in range(len(s)) for j in range(len(s)) if y[i] > y[j]]
        values.append(
            sum((gain[i] - gain[j]) * abs(discount[i] - discount[j]) * F.softplus(s[j] - s[i]) for i, j in pairs) / np.log(2)
        )
    return torch.stack(values)


PAIRWISE = [
    *rows(
        "PairwiseHinge",
        "rax.pairwise_hinge_loss",
        graded,
        ({}, {}),
        call=per_list,
        note="its mean is over all pairs of a batch",
    ),
    *rows("PairwiseHinge", "keras_rs.losses.PairwiseHingeLoss", graded, ({}, KERAS), call=pairs_of_relevance),
    *rows("PairwiseLogistic", "rax.pairwise_logistic_loss", graded, ({}, {}), call=per_list),
    *rows(
        "PairwiseLogistic",
        "keras_rs.losses.PairwiseLogisticLoss",
        graded,
        ({}, KERAS),
        ({"temperature": 0.5}, KERAS | {"temperature": 0.5}),
        call=pairs_of_relevance,
        note="a value an item, the sum over the items below it; its mean is over items",
    ),
    *rows("PairwiseSoftZeroOne", "rax.pairwise_soft_zero_one_loss", graded, ({}, {}), call=per_list),
    *rows("PairwiseSoftZeroOne", "rax.pairwise_soft_zero_one_loss", graded, ({"temperature": 0.3}, {}), call=over(0.3)),
    *rows(
        "PairwiseSoftZeroOne",
        "keras_rs.losses.PairwiseSoftZeroOneLoss",
        graded,
        ({}, KERAS),
        ({"temperature": 2.0}, KERAS | {"temperature": 2.0}),
        call=pairs_of_relevance,
    ),
    *rows(
        "PairwiseMeanSquared",
        "rax.pairwise_mse_loss",
        graded,
        ({}, {}),
        call=without_diagonal,
        note="its mean counts an item with itself, too",
    ),
    *rows("PairwiseMeanSquared", "keras_rs.losses.PairwiseMeanSquaredError", graded, ({}, KERAS), call=all_pairs),
    *rows("BayesianPersonalized", "rax.pairwise_logistic_loss", graded, ({}, {}), call=of_relevant),
    *rows("BayesianPersonalized", ("formula (Rendle 2009)", bayesian), graded, ({"temperature": 0.5}, {"temperature": 0.5})),
]

LISTS = [
    *rows("ListNet", "rax.softmax_loss", graded, ({}, {}), call=with_target("softmax"), note="takes the target as it is"),
    *rows("ListNet", "rax.softmax_loss", graded, ({"target": "proportional"}, {}), call=with_target("proportional")),
    *rows(
        "ListNet",
        "optax.losses.ranking_softmax_loss",
        graded,
        ({}, {}),
        call=with_target("softmax"),
        note="takes the target as it is",
    ),
    *rows("ListNet", "optax.losses.ranking_softmax_loss", graded, ({"target": "proportional"}, {}), call=with_target("sum")),
    *rows("UniqueSoftmax", "rax.unique_softmax_loss", graded, ({}, {}), call=per_list),
    *rows("UniqueSoftmax", "rax.unique_softmax_loss", graded, ({"temperature": 0.5}, {}), call=over(0.5)),
    *rows(
        "ListMLE",
        "rax.listmle_loss",
        no_ties,
        ({}, {}),
        call=per_list,
        note="items of one relevance come as they come, or in random order",
    ),
    *rows("ListMLE", "rax.listmle_loss", no_ties, ({"temperature": 0.5}, {}), call=over(0.5)),
    *rows(
        "ListMLE",
        "keras_rs.losses.ListMLELoss",
        no_ties,
        ({}, KERAS),
        ({"temperature": 2.0}, KERAS | {"temperature": 2.0}),
        call=lambda peer, y_true, y_pred: peer(y_true, y_pred),
        note="adds 1e-10 within the logarithm",
    ),
    *rows("PositionalListMLE", ("formula (Lan 2014)", p_list_mle), no_ties, ({}, {})),
    *rows(
        "NeuralSort",
        ("formula (Grover 2019)", neural_sort),
        graded,
        ({}, {"temperature": 1.0}),
        ({"temperature": 0.3}, {"temperature": 0.3}),
    ),
    *rows(
        "OrdinalRanking",
        "torch.nn.BCEWithLogitsLoss",
        d.pair(d.ids(4, 5, 6), d.normal(5, 6, 3)),
        ({}, {"reduction": "none"}),
        call=levels,
    ),
]

METRICS = [
    *rows("ApproxNDCG", "rax.ndcg_metric", graded, ({}, {}), call=one_minus(0.1)),
    *rows(
        "ApproxNDCG",
        "rax.ndcg_metric",
        graded,
        ({"temperature": 1.0}, {}),
        call=one_minus(1.0),
        note="with the ranks of `rax.approx_t12n`, which does not run on the tested JAX; its loss is minus the metric",
    ),
    *rows(
        "ApproxMRR",
        "rax.mrr_metric",
        one_relevant,
        ({}, {}),
        call=one_minus(0.1),
        note="the rank of the first relevant item, which ours is where one is relevant",
    ),
    *rows("ApproxMRR", "rax.mrr_metric", one_relevant, ({"temperature": 1.0}, {}), call=one_minus(1.0)),
    *rows(
        "GumbelApproxNDCG",
        "rax.ndcg_metric",
        graded,
        ({}, {}),
        call=noisy(one_minus(0.1)),
        our_call=our_noise,
        note="the mean over four draws of noise, handed to both",
    ),
    *rows(
        "LambdaLoss",
        "rax.pairwise_logistic_loss",
        graded,
        ({"weights": "ndcg"}, {}),
        call=lambdas(dcg=1),
        note="with `rax.dcg_lambdaweight`, and by default `mu` times `rax.dcg2_lambdaweight` beside it; rax multiplies these "
        "by the length of the list, has natural logarithms, and takes the mean over pairs",
    ),
    *rows("LambdaLoss", "rax.pairwise_logistic_loss", graded, ({"weights": "ndcg", "topn": 3}, {}), call=lambdas(3, dcg=1)),
    *rows("LambdaLoss", "rax.pairwise_logistic_loss", graded, ({}, {}), call=lambdas(dcg=1, dcg2=10)),
    *rows("LambdaLoss", "rax.pairwise_logistic_loss", graded, ({"mu": 2.0, "topn": 3}, {}), call=lambdas(3, dcg=1, dcg2=2)),
    *rows(
        "LambdaLoss",
        ("formula (Donmez 2009)", swaps),
        graded,
        ({"weights": "mrr"}, {"metric": "mrr"}),
        ({"weights": "precision", "topn": 3}, {"metric": "precision", "topn": 3}),
    ),
]

ROWS = [*PAIRWISE, *LISTS, *METRICS]
