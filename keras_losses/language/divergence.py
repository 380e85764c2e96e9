"""Distillation of a language model, without the logits of either: the divergence of two linear layers."""

import dataclasses
from typing import Any

from keras import ops

from keras_losses.core.fields import Positive
from keras_losses.core.reduction import Reduction
from keras_losses.core.spec import real
from keras_losses.language.projected import Projected, count_classes, plain_tensor
from keras_losses.language.sweep import Head, block_rows, exponentials


@dataclasses.dataclass
class TeacherHead(Head):
    """The divergence from a teacher, whose hidden states are the targets.

    With `p = softmax(z / T)` of the student and `q` of the teacher the value is `T^2 sum q (log q - log p)`, with the slope
    `T (p - q)` with respect to z; reversed, with `g = log p - log q`, `T^2 sum p g` with the slope `T p (g - sum p g)`.

    Attributes:
        teacher, kernel, bias: the linear layer of the teacher.
        temperature: T.
        reverse: from the teacher to the student, not the other way round.
    """

    teacher: Any = None
    kernel: Any = None
    bias: Any = None
    temperature: float = 1.0
    reverse: bool = False

    def measure(self, targets, z, weights=None):
        theirs = ops.stop_gradient(self.teacher.logits(targets, self.kernel, self.bias)[0])
        t = self.temperature
        (p, log_p), (q, log_q) = (_softmax(x / t) for x in (z, theirs))
        share, gap = (p, log_p - log_q) if self.reverse else (q, log_q - log_p)
        # A class without any share, such as one of logit minus infinity, is in no sum.
        gap = ops.where(share > 0, gap, ops.zeros_like(gap))
        mean = ops.sum(share * gap, axis=-1, keepdims=True)
        value = t * t * ops.squeeze(mean, axis=-1)
        agreed = ops.equal(ops.argmax(z, axis=-1), ops.argmax(theirs, axis=-1))
        values = ops.stack([value, ops.cast(agreed, value.dtype)])
        if weights is None:
            return values, None
        slope = p * (gap - mean) if self.reverse else p - q
        return values, slope * ops.expand_dims(t * weights, -1)


def _softmax(z):
    """The probabilities and their logarithms."""
    e, total, normalizer = exponentials(z)
    return e / total, z - normalizer


class ProjectedKLDivergence(Projected):
    """The arguments of `linear_kl_divergence`, checked, and its computation."""

    temperature: Positive = 1.0
    reverse: bool = False
    teacher_soft_cap: Positive | None = None

    y_true = real("B *S E")
    y_pred = real("B *S D")

    def of(self, teacher: tuple, student: tuple, sample_weight: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """The loss, and the share of the tokens, by weight, for which both have the same largest logit.

        Args:
            teacher: hidden states, kernel, bias or None, and whether the kernel is transposed.
            student: the same.
            sample_weight: weights.
            mask: which tokens count.
        """
        who = str(self.name)
        pair, weight, mask = self.given(teacher[0], student[0], sample_weight, mask)
        theirs, ours = ((plain_tensor(kernel), plain_tensor(bias)) for _, kernel, bias, _ in (teacher, student))
        classes = count_classes(who, pair.y_pred, *ours, student[3])
        others = count_classes(who, pair.y_true, *theirs, teacher[3], "teacher_")
        if others != classes:
            raise ValueError(f"{who}: `kernel` has {classes} classes, `teacher_kernel` {others}: they must be the same ones.")
        rows = self.block_size or block_rows(2 * classes)  # two sets of logits
        head = TeacherHead(
            classes=classes,
            rows=rows,
            transposed=student[3],
            soft_cap=self.soft_cap,
            teacher=Head(classes=classes, rows=rows, transposed=teacher[3], soft_cap=self.teacher_soft_cap),
            kernel=ops.stop_gradient(theirs[0]),
            bias=None if theirs[1] is None else ops.stop_gradient(theirs[1]),
            temperature=self.temperature,
            reverse=self.reverse,
        )
        targets = ops.reshape(ops.stop_gradient(pair.y_true), (-1, pair.y_true.shape[-1]))
        return self.swept(head, targets, pair.y_pred, ours, weight, mask)


def linear_kl_divergence(
    teacher_hidden: Any,
    hidden: Any,
    teacher_kernel: Any,
    kernel: Any,
    teacher_bias: Any = None,
    bias: Any = None,
    *,
    temperature: float = 1.0,
    reverse: bool = False,
    teacher_transposed: bool = False,
    transposed: bool = False,
    sample_weight: Any = None,
    mask: Any = None,
    teacher_soft_cap: float | None = None,
    soft_cap: float | None = None,
    recompute: bool = False,
    block_size: int | None = None,
    with_agreement: bool = False,
    reduction: Reduction = "none",
    dtype: Any = None,
) -> Any:
    """Divergence of the softmax of a student's linear layer from that of a teacher, given what goes into both layers.

    Formula: `temperature^2 KL(q, p)` with `KL(q, p) = sum_c q_c (log q_c - log p_c)`, where `p` is the softmax of `(hidden @
    kernel + bias) / temperature`, and `q` that of the teacher. With `reverse` it is `KL(p, q)`, which prefers one mode of the
    teacher to all of them. The square keeps gradients of one size whatever the temperature.

    As in `linear_cross_entropy`, the logits are computed in blocks of tokens and thrown away, those of the teacher too. The
    teacher is a constant: no gradient reaches it.

    Args:
        teacher_hidden: `(B, ..., E)`, what goes into the layer of the teacher.
        hidden: `(B, ..., D)`, what goes into that of the student. Computed in float32 at least.
        teacher_kernel: `(E, V)`, as that of a `Dense`.
        kernel: `(D, V)`.
        teacher_bias, bias: `(V,)` or None.
        temperature: number > 0 that divides the logits of both.
        reverse: `KL(p, q)` instead of `KL(q, p)`.
        teacher_transposed, transposed: that kernel is `(V, E)` or `(V, D)`, as that of an `Embedding`.
        sample_weight: weights, matched with the tokens `(B, ...)` from the left.
        mask: which tokens count.
        teacher_soft_cap, soft_cap: number > 0 or None: logits become `soft_cap * tanh(z / soft_cap)` first.
        recompute: compute the gradients on the way back, as in `linear_cross_entropy`.
        block_size: tokens in a block; by default so many that the logits of both take 128 MiB, twice that on TensorFlow.
        with_agreement: return `(loss, agreement)`: the share of the tokens, by weight, for which both have the same largest
            logit.
        reduction: as of any loss.
        dtype: dtype of the result; None: float32, or float64 if `keras.config.floatx()` is.

    Returns:
        One value a token, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes do not meet.
        NotImplementedError: a second derivative of a reduced loss without `recompute`.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> hidden, teacher, student = np.eye(2), np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[30.0, 0.0], [1.0, 0.0]])
    >>> [round(float(value), 4) for value in kl.linear_kl_divergence(hidden, hidden, teacher, student)]  # 15 - log 2, and 0
    [14.3069, 0.0]

    Reference: G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network, 2015, arXiv:1503.02531; in blocks:
    P.-L. Hsu et al., Liger kernel, 2024, arXiv:2410.10989.
    """
    loss = ProjectedKLDivergence(
        temperature=temperature,
        reverse=reverse,
        soft_cap=soft_cap,
        teacher_soft_cap=teacher_soft_cap,
        recompute=recompute,
        block_size=block_size,
        reduction=reduction,
        dtype=dtype,
        name="linear_kl_divergence",
    )
    teacher = (teacher_hidden, teacher_kernel, teacher_bias, teacher_transposed)
    both = loss.of(teacher, (hidden, kernel, bias, transposed), sample_weight, mask)
    return both if with_agreement else both[0]
