"""Losses of a student that follows a constant teacher: NegativeCosine, DINO, IBOT."""

from typing import Annotated, Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import Positive, Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, real, unused
from keras_losses.self_supervised.views import check_views, mean_of_others, mean_over_other_views

Center = tuple[float, ...] | None
"""One number a logit; None: 0."""

CONSTANT: dict[str, str] = dict.fromkeys(
    ("gradient-wrong", "contract-second-derivatives"),
    "one side is a constant in the gradient, as in the paper: its differences are not its derivative",
)


class NegativeCosine(Loss):
    """Minus the cosine of each prediction and the constant targets of the other views (SimSiam, BYOL).

    Formula: the mean of `-cos(p_v, z_w)` over all `v != w`, the targets z constants in the gradient; with one prediction and
    one target, of the pair. SimSiam takes the targets from the same encoder, BYOL from a moving average of it; its value
    2 - 2 cos, added up over both directions, is 4 + 4 times this one.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, 2 h, D)`: h predictions, then h targets of the same
        views in the same order, normalised here.

    Returns:
        One value a sample, `(B,)`, reduced. A cosine with a zero vector is 0.

    Raises:
        ValueError: the number of views is odd, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> float(kl.NegativeCosine()(np.zeros(1), np.array([[[1.0, 0.0], [3.0, 0.0]]])))
    -1.0

    Reference: X. Chen and K. He, Exploring simple Siamese representation learning, 2021, arXiv:2011.10566; J.-B. Grill et
    al., Bootstrap your own latent, 2020, arXiv:2006.07733.
    """

    y_true = unused("B")
    y_pred = real("B V D")
    by_design = CONSTANT

    def call(self, y_true, y_pred):
        half = check_views(self, y_pred, 2, even=True) // 2
        prediction, target = math.normalize(y_pred[:, :half]), math.normalize(ops.stop_gradient(y_pred[:, half:]))
        return -math.mean(ops.sum(prediction * mean_of_others(target), axis=-1), axis=1)


negative_cosine = function_of(NegativeCosine)


class Distillation(Loss):
    """Base of losses between the logits of a student and those of a constant teacher: a subclass writes `call`."""

    center: Center = None
    student_temperature: Positive = 0.1
    teacher_temperature: Positive = 0.04

    by_design = CONSTANT

    def teacher(self, y_pred: Any) -> Any:
        """The logits of the teacher, `(B, T, K)`."""
        raise NotImplementedError

    def targets(self, logits: Any, center: Any) -> Any:
        """What the teacher wants the student to say: probabilities, constants in the gradient."""
        center = self.center if center is None else center
        if center is not None:
            center = ops.cast(ops.convert_to_tensor(center), logits.dtype)
            if tuple(center.shape) != (logits.shape[-1],):
                raise ValueError(
                    f"{self.name}: `center` must have one number a logit. Received: shape {tuple(center.shape)} for "
                    f"{logits.shape[-1]} logits."
                )
            logits = logits - center
        return ops.stop_gradient(math.softmax(logits / self.teacher_temperature))

    def student(self, logits: Any) -> Any:
        return math.log_softmax(logits / self.student_temperature)


class DINO(Distillation):
    """Cross-entropy of the student's views with what the centred and sharpened teacher says of the other views.

    Formula: the mean over pairs of a teacher's view t and a student's view s != t of `-sum_k softmax((teacher_t - center) /
    teacher_temperature)_k log softmax(student_s / student_temperature)_k`; with one view of each, of that pair. The teacher
    is a constant in the gradient. `layers.AddDINO` owns the center, the moving average of the teacher's logits.

    Args:
        center: one number a logit, or None for 0.
        student_temperature: > 0.
        teacher_temperature: > 0.
        teacher_views: how many of the views are the teacher's, >= 1.

    Shapes:
        `y_true`: not looked at, anything with B entries; `y_pred`: `(B, S + T, K)` logits: of the student for S views, then
        of the teacher for the first T = `teacher_views` of these. When called directly, `center` `(K,)` may be a tensor.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, the center does not have K numbers, there is no student, or the shapes do not
            meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.DINO()(np.zeros(1), np.zeros((1, 4, 2)))), 4)  # log(2)
    0.6931

    Reference: M. Caron et al., Emerging properties in self-supervised vision transformers, 2021, arXiv:2104.14294.
    """

    teacher_views: Annotated[int, Range(ge=1)] = 2

    y_true = unused("B")
    y_pred = real("B V K")

    def call(self, y_true, y_pred, center=None):
        check_views(self, y_pred, self.teacher_views + 1)
        student = self.student(y_pred[:, : -self.teacher_views])
        return -mean_over_other_views(self.targets(self.teacher(y_pred), center) @ ops.swapaxes(student, 1, 2))

    def teacher(self, y_pred):
        return y_pred[:, -self.teacher_views :]


dino = function_of(DINO)


class IBOT(Distillation):
    """Cross-entropy of the student's and the teacher's answers for the patches that were hidden from the student.

    Formula: the mean over the hidden patches of a sample of `-sum_k softmax((teacher - center) / teacher_temperature)_k
    log softmax(student / student_temperature)_k`. The teacher is a constant in the gradient.

    Args:
        center: one number a logit, or None for 0.
        student_temperature: > 0.
        teacher_temperature: > 0.

    Shapes:
        `y_true`: `(B, N)`, not 0 where a patch was hidden; `y_pred`: `(B, 2, N, K)`: logits of the student, then of the
        teacher, for the N patches of one view. More views are more samples. When called directly, `center` `(K,)` may be a
        tensor.

    Returns:
        One value a sample, `(B,)`, reduced. A sample without a hidden patch does not count.

    Raises:
        ValueError: an argument is out of range, the center does not have K numbers, or the shapes do not meet.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> round(float(kl.IBOT()(np.array([[1, 0, 0]]), np.zeros((1, 2, 3, 2)))), 4)  # log(2)
    0.6931

    Reference: J. Zhou et al., iBOT: image BERT pre-training with online tokenizer, 2022, arXiv:2111.07832.
    """

    y_true = binary("B N")
    y_pred = real("B 2 N K")

    def call(self, y_true, y_pred, center=None):
        hidden = ops.not_equal(y_true, 0)
        y_pred = ops.where(ops.reshape(hidden, (-1, 1, hidden.shape[1], 1)), y_pred, ops.zeros_like(y_pred))
        entropy = -ops.sum(self.targets(self.teacher(y_pred), center) * self.student(y_pred[:, 0]), axis=-1)
        return math.masked_mean(entropy, hidden), ops.any(hidden, axis=-1)

    def teacher(self, y_pred):
        return y_pred[:, 1]


ibot = function_of(IBOT)
