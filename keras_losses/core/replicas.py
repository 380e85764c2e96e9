"""The rows of all replicas, where each holds a part of the batch: the one room that knows how a backend communicates.

TensorFlow under `tf.distribute`, and PyTorch in a process group, run a step on each part of the batch. On JAX, under
`keras.distribution`, the batch of a step is the whole one already, and there is nothing to gather.
"""

from typing import Any

import keras
from keras import ops

from keras_losses.core.inputs import dtype_of
from keras_losses.math.stated import with_gradient


def number() -> int:
    """How many replicas run this step, each with its own part of the batch."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_strategy().num_replicas_in_sync
    if keras.backend.backend() == "torch":
        import torch.distributed as dist

        return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
    return 1


def added_up() -> int:
    """How many replicas there are whose losses are added up, as `tf.distribute` does: a mean is divided by this number.

    PyTorch takes the mean of the gradients of its processes.
    """
    return number() if keras.backend.backend() == "tensorflow" else 1


def gather(who: str, tensors: list[Any]) -> list[Any]:
    """Each tensor with the rows of all replicas, in their order; the gradient of a row goes back to where it is from.

    Args:
        who: name of the loss, for errors.
        tensors: arrays with rows.
    """
    kinds = [dtype_of(x) for x in tensors]
    given = [ops.convert_to_tensor(x, dtype=kind) for x, kind in zip(tensors, kinds, strict=True)]
    sent = [ops.cast(x, "int32") if kind == "bool" else x for x, kind in zip(given, kinds, strict=True)]
    found = _tensorflow(sent) if keras.backend.backend() == "tensorflow" else _torch(who, sent)
    return [ops.cast(x, kind) for x, kind in zip(found, kinds, strict=True)]


def _tensorflow(tensors):
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    # Outside of `strategy.run`, as where a model is built, there is no step and no other part.
    if context is None:
        return tensors
    # One by one: the gradients of numbers and of labels, in one call, would be on different devices.
    found = [context.all_gather(x, axis=0) for x in tensors]
    # In a graph it forgets all sizes but the first.
    return [tf.ensure_shape(x, (x.shape[0], *given.shape[1:])) for x, given in zip(found, tensors, strict=True)]


def _torch(who, tensors):
    import torch
    import torch.distributed as dist

    # A collective of unequal parts waits forever or mixes up rows.
    rows = torch.tensor([x.shape[0] for x in tensors], device=tensors[0].device)
    others = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
    dist.all_gather(others, rows)
    if any(not torch.equal(rows, other) for other in others):
        raise ValueError(
            f"{who}: with `gather=True` each process must have equally many samples. Received: "
            f"{[int(other[0]) for other in others]}. A sampler that fills up or drops the last batch sees to it."
        )

    def together(x):
        parts = [torch.empty_like(x) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, x)
        return torch.cat(parts, dim=0)

    def slope(upstream, x):
        total = upstream.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total[dist.get_rank() * x.shape[0] :][: x.shape[0]]

    # The collectives of PyTorch that have a gradient differ from release to release.
    differentiable = with_gradient(together, slope)
    return [(differentiable if x.is_floating_point() else together)(x.contiguous()) for x in tensors]
