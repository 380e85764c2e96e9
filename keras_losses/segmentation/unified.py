"""The Unified focal loss and its two parts, of any number of classes."""

from typing import Annotated, Any

from keras import ops

from keras_losses import math
from keras_losses.core.fields import ClassWeight, Fraction, NonNegative, Range
from keras_losses.core.function import function_of
from keras_losses.core.loss import Loss
from keras_losses.core.spec import binary, prob
from keras_losses.core.weighting import class_weights
from keras_losses.segmentation.overlap import root
from keras_losses.segmentation.region import Overlap, with_background

BelowOne = Annotated[float, Range(ge=0, lt=1)]


class AsymmetricFocal(Loss):
    """Focal cross-entropy that weighs down the easy pixels of the background only.

    Formula: `-(1 - delta) (1 - p_0)^gamma y_0 log p_0 - delta sum_{c > 0} y_c log p_c` per pixel, where class 0 is the
    background and all others are foreground. `log p` is `log(max(p, 1e-7))`, with the gradient `1 / max(p, 1e-7)`.

    Args:
        delta: weight of the foreground, in [0, 1]; the background has the rest.
        gamma: focusing exponent >= 0 of the background.
        class_axis: the axis of the classes.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: it multiplies the term of the class.

    Shapes:
        `y_true`: `(B, ..., C)`, one-hot or soft; `y_pred`: the same, probabilities. A single channel is the foreground of two
        classes.

    Returns:
        One value a pixel, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.AsymmetricFocal(delta=0.6, gamma=3.0, reduction="none")
    >>> loss = loss(np.eye(2)[[[0, 1]]], np.full((1, 2, 2), 0.5))
    >>> [round(float(x), 4) for x in loss[0]]  # 0.4 / 8 and 0.6 times log 2
    [0.0347, 0.4159]

    Reference: M. Yeung et al., Unified focal loss, 2021, arXiv:2102.04525.
    """

    delta: Fraction = 0.7
    gamma: NonNegative = 2.0
    class_axis: int = -1
    class_weight: ClassWeight = None

    y_true = binary("B *S C")
    y_pred = prob("B *S C")
    last_axis = "class_axis"

    def call(self, y_true, y_pred):
        y_true, y_pred = with_background(y_true, y_pred)
        terms = focal_terms(y_true, y_pred, self.delta, self.gamma, asymmetric=True)
        return ops.sum(class_weights(self, y_pred) * terms, axis=-1)


class AsymmetricFocalTversky(Overlap):
    """The Tversky loss, under a root for the foreground only.

    Formula: the mean over the classes of `1 - TI_0` for the background, class 0, and `(1 - TI_c)^(1 - gamma)` for all others,
    per sample, with `TI = (TP + smooth) / (TP + delta FN + (1 - delta) FP + smooth)`. The paper sums over the classes. A root
    is infinitely steep at 0: below 1e-7 it is continued as a line, and at `TI = 1` the gradient is 0.

    Args:
        delta: weight of misses, in [0, 1]; false alarms have the rest.
        gamma: in [0, 1): the larger, the more the foreground counts; 0 is the mean Tversky loss.
        smooth: number >= 0 added to numerator and denominator.
        soft_label: the form that is smallest, 0, at `p = y` for soft labels too, as in `Tversky`.
        class_axis: the axis of the classes.
        include_background: False: class 0 has no part in the loss.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted.
        empty: classes absent from the target of a sample `"count"`, or are left out of its mean (`"skip"`).

    Shapes:
        `y_true`: `(B, ..., C)`, 0 or 1 or soft; `y_pred`: the same, probabilities. A single channel is the foreground of two
        classes. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, p = np.eye(2)[[[0, 1]]], np.full((1, 2, 2), 0.5)
    >>> round(float(kl.AsymmetricFocalTversky(gamma=0.5)(y, p)), 4)  # half of 1/2 and of its root
    0.6036

    Reference: M. Yeung et al., Unified focal loss, 2021, arXiv:2102.04525.
    """

    delta: Fraction = 0.7
    gamma: BelowOne = 0.75

    def call(self, y_true, y_pred, mask=None):
        return super().call(*with_background(y_true, y_pred), mask)

    def terms(self, both, only_pred, only_true):
        return both, self.delta * only_true + (1 - self.delta) * only_pred

    def region(self, y_true, y_pred, inside):
        value = super().region(y_true, y_pred, inside)
        rooted = root(value, 1 - self.gamma)
        if not self.include_background or not self._spares_background():
            return rooted
        return ops.concatenate([value[..., :1], rooted[..., 1:]], axis=-1)

    def _spares_background(self) -> bool:
        return True


class UnifiedFocal(AsymmetricFocalTversky):
    """Focal cross-entropy plus focal Tversky loss, tuned by one weight, one class balance and one exponent.

    Formula: `weight F + (1 - weight) T` per sample. `T` is `AsymmetricFocalTversky`, and `F` the mean over the pixels of
    `AsymmetricFocal`. With `asymmetric=False` the background is treated as the foreground is: every class has the factor
    `(1 - p_c)^gamma` in `F` and the exponent `1 - gamma` in `T`.

    As in the paper's formula `weight` is on the cross-entropy (the authors' code has it on `T`). As in their code `delta`
    weighs misses, `gamma` is the same in the symmetric form (in the text that has `1 - gamma`: equal at the default), and
    `T` is a mean over the classes.

    Args:
        weight: weight of the focal cross-entropy, in [0, 1].
        delta: weight of the foreground and of misses, in [0, 1].
        gamma: in [0, 1): the larger, the less easy pixels of the background and the more the foreground count.
        asymmetric: the background and the foreground have one of the two exponents each.
        smooth: number >= 0 added to numerator and denominator of the Tversky index.
        soft_label: the form of the Tversky index that is right for soft labels, as in `Tversky`.
        class_axis: the axis of the classes.
        include_background: False: class 0 has no part in the loss; pixels of it have no cross-entropy, and count.
        class_weight: one weight >= 0 for each class, or `{class: weight}`: the mean over the classes is weighted in `T`, and
            the terms of the classes in `F`.
        empty: classes absent from the target of a sample `"count"`, or are left out of the mean in `T` (`"skip"`; a sample
            without any class does not count).

    Shapes:
        `y_true`: `(B, ..., C)`, one-hot or soft; `y_pred`: the same, probabilities. A single channel is the foreground of two
        classes. A mask may be as fine as `(B, ...)`.

    Returns:
        One value a sample, `(B,)`, reduced.

    Raises:
        ValueError: an argument is out of range, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> y, p = np.eye(3)[[[0, 1, 2]]], np.eye(3)[[[0, 1, 1]]]
    >>> round(float(kl.UnifiedFocal(weight=0.0)(y, p)), 4)  # classes 1 and 2: (1 - 1 / 1.4)^(1/2) and 1
    0.5115

    Reference: M. Yeung et al., Unified focal loss: generalising Dice and cross entropy-based losses to handle class
    imbalanced medical image segmentation, 2021, arXiv:2102.04525.
    """

    weight: Fraction = 0.5
    delta: Fraction = 0.6
    gamma: BelowOne = 0.5
    asymmetric: bool = True

    def compare(self, y_true, y_pred, inside, weight):
        part = super().compare(y_true, y_pred, inside, weight)
        tversky, some = part if isinstance(part, tuple) else (part, None)
        terms = focal_terms(y_true, y_pred, self.delta, self.gamma, self.asymmetric, self.include_background)
        value = self.weight * self.pixel_mean(weight * terms, inside) + (1 - self.weight) * tversky
        return value if some is None else (value, some)

    def _spares_background(self):
        return self.asymmetric


def focal_terms(y_true: Any, y_pred: Any, delta: float, gamma: float, asymmetric: bool, background: bool = True) -> Any:
    """The terms of the classes: weighed by `delta` and, the background or all of them, by `(1 - p)^gamma`.

    Args:
        y_true, y_pred: classes on the last axis.
        delta, gamma: of the loss.
        asymmetric: only the background has the exponent.
        background: the first class is the background; else it has been taken out.
    """
    terms = -y_true * math.log_probability(y_pred)
    focal = terms * math.focal_weight(math.safe_log(1 - y_pred), gamma)
    if not background:
        return delta * (terms if asymmetric else focal)
    return ops.concatenate([(1 - delta) * focal[..., :1], delta * (terms if asymmetric else focal)[..., 1:]], axis=-1)


asymmetric_focal = function_of(AsymmetricFocal)
asymmetric_focal_tversky = function_of(AsymmetricFocalTversky)
unified_focal = function_of(UnifiedFocal)
