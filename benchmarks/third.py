"""The same losses in other packages, where these are installed: mean losses of `(y_true, y_pred)`, by the name of ours.

They are timed at settings that do the same work; whether they compute the same is the matter of docs/parity.md. Where two
packages have a loss, one of them is timed, and none that hands it to the native function. Left out is what cannot be run at
4096 x 1000, or takes more than five seconds a step: losses over triplets, NTXent (optax too), InfoNCE, CLIP, NPairs,
LiftedStructure, Margin, Histogram, FastAP and SignalToNoiseRatio of pytorch-metric-learning, BoundaryLoss, HausdorffDTLoss and
SoftclDiceLoss of MONAI, and HausdorffERLoss of kornia; and what takes other data: MONAI's unified focal losses (two classes)
and NACLLoss (images), FocalTverskyLoss of pytorch-optimizer (logits); and dice_loss of optax, which `jit` refuses.
"""

import functools
import importlib.util

from benchmarks import third_torch


@functools.cache
def table(backend):
    """`{name: function}` of what is installed for a backend."""
    found = {}
    for make in {"jax": (optax, rax), "torch": (keras_rs, *third_torch.PACKAGES), "tensorflow": (keras_rs,)}[backend]:
        if importlib.util.find_spec(make.__name__):
            found |= make()
    return found


def optax():
    import jax
    import optax

    def mean(loss, **settings):
        return lambda t, p: loss(p, t, **settings).mean()

    def divergence(t, p):
        return optax.kl_divergence(jax.numpy.log(p), t).mean()

    def negative_cosine(_, p):
        one, two, first, second = (p[:, v] for v in range(4))
        first, second = jax.lax.stop_gradient((first, second))
        return (optax.losses.cosine_distance(one, second) + optax.losses.cosine_distance(two, first)).mean() / 2

    return {
        "Huber": mean(optax.losses.huber_loss),
        "LogCosh": mean(optax.losses.log_cosh),
        "MeanSquaredError": mean(optax.losses.squared_error),
        "CosineSimilarity": mean(optax.losses.cosine_distance, epsilon=1e-7),
        "Hinge": mean(optax.losses.hinge_loss),
        "BinaryCrossentropy-logits": mean(optax.losses.sigmoid_binary_cross_entropy),
        "BinaryFocalCrossentropy-logits": mean(optax.losses.sigmoid_focal_loss, gamma=2.0),
        "CategoricalCrossentropy-logits": mean(optax.losses.softmax_cross_entropy),
        "KLDivergence": divergence,
        "NegativeCosine": negative_cosine,
        "SparseCategoricalCrossentropy-logits": mean(optax.losses.softmax_cross_entropy_with_integer_labels),
        "Sparsemax-logits": lambda t, p: optax.losses.multiclass_sparsemax_loss(p, t.argmax(-1)).mean(),
        "PolyCrossentropy-logits": mean(optax.losses.poly_loss_cross_entropy, epsilon=2.0),
    }


def rax():
    import jax
    import rax

    def of(loss, **settings):
        return lambda t, p: loss(p, t, **settings)

    def smooth(metric):
        """One minus the metric of smooth ranks: `rax.approx_t12n` does not run on the tested JAX."""
        ranks = functools.partial(rax.utils.approx_ranks, step_fn=lambda x: jax.nn.sigmoid(x / 0.1))
        return lambda t, p: 1 - metric(p, t, rank_fn=ranks)

    def weight(scores, labels, **rest):
        first, second = (each(scores, labels, **rest) for each in (rax.dcg_lambdaweight, rax.dcg2_lambdaweight))
        return first + 10 * second

    weight = functools.partial(weight, normalize=True)
    return {
        "ApproxMRR": smooth(rax.mrr_metric),
        "ApproxNDCG": smooth(rax.ndcg_metric),
        "BayesianPersonalized": lambda t, p: rax.pairwise_logistic_loss(p, jax.numpy.sign(t)),
        "LambdaLoss": of(rax.pairwise_logistic_loss, lambdaweight_fn=weight),
        "ListMLE": of(rax.listmle_loss),
        "ListNet": lambda t, p: rax.softmax_loss(p, jax.nn.softmax(t)),
        "PairwiseHinge": of(rax.pairwise_hinge_loss),
        "PairwiseLogistic": of(rax.pairwise_logistic_loss),
        "PairwiseMeanSquared": of(rax.pairwise_mse_loss),
        "PairwiseSoftZeroOne": of(rax.pairwise_soft_zero_one_loss),
        "UniqueSoftmax": of(rax.unique_softmax_loss),
    }


def keras_rs():
    from keras_rs import losses

    return {
        "ListMLE": losses.ListMLELoss(),
        "PairwiseHinge": losses.PairwiseHingeLoss(),
        "PairwiseLogistic": losses.PairwiseLogisticLoss(),
        "PairwiseMeanSquared": losses.PairwiseMeanSquaredError(),
        "PairwiseSoftZeroOne": losses.PairwiseSoftZeroOneLoss(),
    }
