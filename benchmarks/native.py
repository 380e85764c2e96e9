"""What somebody would write by hand on each backend: mean losses of `(y_true, y_pred)`, by the name of ours.

The names of losses from logits end in `-logits`. Where the backend has the loss, it is taken from there.
"""


def table(backend):
    """`{name: function}` of a backend."""
    return {"jax": _jax, "torch": _torch, "tensorflow": _tensorflow}[backend]()


def _jax():
    import jax
    import jax.numpy as jnp

    def huber(t, p):
        e = jnp.abs(p - t)
        return jnp.mean(jnp.where(e <= 1, 0.5 * e * e, e - 0.5))

    def log_cosh(t, p):
        e = p - t
        return jnp.mean(e + jax.nn.softplus(-2 * e) - jnp.log(2.0))

    def binary(t, p):
        return jnp.mean(jax.nn.softplus(p) - t * p)

    def focal(t, p):
        ce = jax.nn.softplus(p) - t * p
        return jnp.mean((1 - jnp.exp(-ce)) ** 2 * ce)

    def sparse(t, p):
        return jnp.mean(jax.nn.logsumexp(p, -1) - jnp.take_along_axis(p, t[:, None], -1)[:, 0])

    def cosine(t, p):
        t = t * jax.lax.rsqrt(jnp.sum(t * t, -1, keepdims=True))
        p = p * jax.lax.rsqrt(jnp.sum(p * p, -1, keepdims=True))
        return -jnp.mean(jnp.sum(t * p, -1))

    def dice(t, p):
        both, a, b = (jnp.sum(x, 1) for x in (t * p, t, p))
        return jnp.mean(1 - (2 * both + 1e-7) / (a + b + 1e-7))

    return {
        "MeanSquaredError": lambda t, p: jnp.mean((p - t) ** 2),
        "MeanAbsoluteError": lambda t, p: jnp.mean(jnp.abs(p - t)),
        "Huber": huber,
        "LogCosh": log_cosh,
        "BinaryCrossentropy-logits": binary,
        "BinaryFocalCrossentropy-logits": focal,
        "CategoricalCrossentropy-logits": lambda t, p: -jnp.mean(jnp.sum(t * jax.nn.log_softmax(p), -1)),
        "SparseCategoricalCrossentropy-logits": sparse,
        "CosineSimilarity": cosine,
        "Hinge": lambda t, p: jnp.mean(jax.nn.relu(1 - t * p)),
        "SquaredHinge": lambda t, p: jnp.mean(jax.nn.relu(1 - t * p) ** 2),
        "Poisson-log_input": lambda t, p: jnp.mean(jnp.exp(p) - t * p),
        "Dice": dice,
    }


def _torch():
    import torch
    from torch.nn import functional as F  # noqa: N812 - as everybody writes it

    def log_cosh(t, p):
        e = p - t
        return (e + F.softplus(-2 * e) - 0.6931471805599453).mean()

    def focal(t, p):
        ce = F.binary_cross_entropy_with_logits(p, t, reduction="none")
        return ((1 - torch.exp(-ce)) ** 2 * ce).mean()

    def dice(t, p):
        both, a, b = ((t * p).sum(1), t.sum(1), p.sum(1))
        return (1 - (2 * both + 1e-7) / (a + b + 1e-7)).mean()

    return {
        "MeanSquaredError": lambda t, p: F.mse_loss(p, t),
        "MeanAbsoluteError": lambda t, p: F.l1_loss(p, t),
        "Huber": lambda t, p: F.huber_loss(p, t),
        "LogCosh": log_cosh,
        "BinaryCrossentropy-logits": lambda t, p: F.binary_cross_entropy_with_logits(p, t),
        "BinaryFocalCrossentropy-logits": focal,
        "CategoricalCrossentropy-logits": lambda t, p: F.cross_entropy(p, t),
        "SparseCategoricalCrossentropy-logits": lambda t, p: F.cross_entropy(p, t),
        "CosineSimilarity": lambda t, p: -F.cosine_similarity(p, t).mean(),
        "Hinge": lambda t, p: F.relu(1 - t * p).mean(),
        "SquaredHinge": lambda t, p: (F.relu(1 - t * p) ** 2).mean(),
        "Poisson-log_input": lambda t, p: F.poisson_nll_loss(p, t),
        "Dice": dice,
    }


def _tensorflow():
    import tensorflow as tf

    def huber(t, p):
        e = tf.abs(p - t)
        return tf.reduce_mean(tf.where(e <= 1, 0.5 * e * e, e - 0.5))

    def log_cosh(t, p):
        e = p - t
        return tf.reduce_mean(e + tf.math.softplus(-2 * e) - 0.6931471805599453)

    def focal(t, p):
        ce = tf.nn.sigmoid_cross_entropy_with_logits(t, p)
        return tf.reduce_mean((1 - tf.exp(-ce)) ** 2 * ce)

    def dice(t, p):
        both, a, b = (tf.reduce_sum(x, 1) for x in (t * p, t, p))
        return tf.reduce_mean(1 - (2 * both + 1e-7) / (a + b + 1e-7))

    return {
        "MeanSquaredError": lambda t, p: tf.reduce_mean((p - t) ** 2),
        "MeanAbsoluteError": lambda t, p: tf.reduce_mean(tf.abs(p - t)),
        "Huber": huber,
        "LogCosh": log_cosh,
        "BinaryCrossentropy-logits": lambda t, p: tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(t, p)),
        "BinaryFocalCrossentropy-logits": focal,
        "CategoricalCrossentropy-logits": lambda t, p: tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(t, p)),
        "SparseCategoricalCrossentropy-logits": lambda t, p: tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(t, p)
        ),
        "CosineSimilarity": lambda t, p: (
            -tf.reduce_mean(tf.reduce_sum(tf.math.l2_normalize(t, -1) * tf.math.l2_normalize(p, -1), -1))
        ),
        "Hinge": lambda t, p: tf.reduce_mean(tf.nn.relu(1 - t * p)),
        "SquaredHinge": lambda t, p: tf.reduce_mean(tf.nn.relu(1 - t * p) ** 2),
        "Poisson-log_input": lambda t, p: tf.reduce_mean(tf.exp(p) - t * p),
        "Dice": dice,
    }
