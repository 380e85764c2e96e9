"""Long tails where a sample may have several classes, or none."""

from typing import Annotated, Any

import numpy as np
from keras import ops

from keras_losses import math
from keras_losses.classification.binary import label_shares, output_cross_entropy
from keras_losses.core.fields import ClassCounts, Fraction, NonNegative, Positive, Range
from keras_losses.core.function import function_of
from keras_losses.core.spec import binary
from keras_losses.core.weighting import per_class
from keras_losses.imbalance.yes_no import YesNo


class Multilabel(YesNo):
    """Base of those with one output a class: a subclass writes `call`.

    Args:
        axis: the axis of the classes, over which the mean is taken.
    """

    axis: int = -1

    y_true = binary("B *S C")
    last_axis = "axis"


class DistributionBalanced(Multilabel):
    """Binary cross-entropy of many classes that counters co-occurring labels and the flood of negatives.

    Formula: `mean_c r_c [w_1 y_c (1 - a)^gamma (-log a) + w_0 (1 - y_c) b^gamma (-log(1 - b)) / negative_scale]` with
    `a = sigmoid(z_c - v_c)` and `b = sigmoid(negative_scale (z_c - v_c))`.

    - The weight `r_c = alpha + sigmoid(beta (P_c / P - mu))` compares how often a sampler of classes draws the sample for the
      class c, `P_c = 1 / n_c`, with how often for any class that it has, `P = sum_j y_j / n_j`. A sample without classes has
      the limit, alpha + 1.
    - `v_c = prior_scale log(N / n_c - 1)` keeps the model from having to learn the prior, and `negative_scale` lets the
      gradient of a negative fade sooner.
    - gamma is the focal factor of the authors' best results; 0 is the loss as the paper's equation 10 has it.

    Probabilities are taken as `z = log p - log(1 - p)`. The authors' code divides `v` by `negative_scale`, by mistake as they
    say (so does timm): their results are those of `prior_scale=0.025`; and it multiplies the focal form by 2. The sum over the
    classes is C times this mean.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        class_counts: how many training samples have each class; counted as at least 1 and at most `num_samples - 1`.
        num_samples: how many training samples there are, at least 2.
        alpha: least weight, >= 0.
        beta: steepness > 0 of the weight.
        mu: ratio at which the weight is halfway up.
        negative_scale: scale > 0 of the logits of negatives (lambda in the paper).
        prior_scale: share >= 0 of the prior in the shift of the logits (kappa in the paper).
        gamma: focusing exponent >= 0.
        axis: the axis of the classes, over which the mean is taken.
        class_weight: the weights `(w_0, w_1)` of no and yes, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ..., C)`, labels 0 or 1 or between; `y_pred`: the same, or with the classes on `axis`.

    Returns:
        The mean over the classes, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, a count exceeds `num_samples`, there are not C counts, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> plain = dict(gamma=0.0, prior_scale=0.0, from_logits=True, reduction="none")
    >>> loss = kl.DistributionBalanced(class_counts=(50, 2), num_samples=100, **plain)
    >>> y = np.array([[1, 0], [0, 1]])
    >>> [round(float(x), 4) for x in loss(y, np.zeros((2, 2)))]  # for the rare class, the frequent one is hardly a negative
    [0.5717, 0.4276]

    Reference: T. Wu et al., Distribution-balanced loss for multi-label classification in long-tailed datasets, 2020,
    arXiv:2007.09654.
    """

    class_counts: ClassCounts
    num_samples: Annotated[int, Range(ge=2)]
    alpha: NonNegative = 0.1
    beta: Positive = 10.0
    mu: float = 0.2
    negative_scale: Positive = 2.0
    prior_scale: NonNegative = 0.05
    gamma: NonNegative = 2.0

    @classmethod
    def example_arguments(cls, classes):
        return {"class_counts": tuple(2.0 - c / classes for c in range(classes)), "num_samples": 10}

    def validate(self):
        super().validate()
        most = max(self.class_counts, default=0.0)
        if most > self.num_samples:
            raise ValueError(
                f"{type(self).__name__}: `class_counts` must be at most `num_samples`. "
                f"Received: a count of {most:g} of num_samples={self.num_samples}."
            )
        counts = np.clip(self.class_counts, 1.0, self.num_samples - 1.0)
        self._inverse = tuple((1 / counts).tolist())
        self._shift = tuple((self.prior_scale * np.log(self.num_samples / counts - 1)).tolist())

    def call(self, y_true, y_pred):
        if not self.from_logits:
            y_pred = math.log_probability(y_pred) - math.log_probability(1 - y_pred)
        z = y_pred - per_class(self, y_pred, "class_counts", self._shift)
        positive, negative = label_shares(self, y_true)
        positive = positive * math.focal_softplus(-z, self.gamma)
        negative = negative / self.negative_scale * math.focal_softplus(self.negative_scale * z, self.gamma)
        return math.mean(self._rebalancing(y_true) * (positive + negative))

    def _rebalancing(self, y_true: Any) -> Any:
        of_class = per_class(self, y_true, "class_counts", self._inverse)
        of_sample = ops.sum(y_true * of_class, axis=-1, keepdims=True)
        share = of_class * (self.beta * math.safe_divide(ops.ones_like(of_sample), of_sample))
        some = ops.cast(of_sample > 0, y_true.dtype)  # where no class is, all weigh 1
        return self.alpha + 1 - some + some * ops.sigmoid(share - self.beta * self.mu)


class Equalization(Multilabel):
    """Binary cross-entropy of many classes in which samples of other classes do not push rare classes down.

    Formula: `mean_c w_c bce_c` with `w_c = 1 - beta E T_c (1 - y_c)`. `T_c` is 1 for rare classes, of a frequency below
    `threshold`; E is 1 for a sample that has a class, and 0 for one that has none, the background, which stays a negative of
    all classes. The sum over the classes is C times this mean.

    In the paper's variant for image classification beta is drawn for each sample, 1 with some probability and 0 otherwise. The
    loss here is linear in beta: that probability, given as `beta`, makes it the expectation, without randomness. That variant
    weighs the terms of a softmax, in place of those of the yes/no outputs that this loss is for.

    Args:
        from_logits: `y_pred` holds logits, not probabilities.
        class_frequencies: the share of the training images that have each class, in [0, 1].
        threshold: frequency >= 0 below which a class is rare (lambda in the paper). Its default is for the 1230 classes of
            LVIS v0.5: choose one that leaves only the tail below it.
        beta: how much of the terms is taken away, in [0, 1].
        axis: the axis of the classes, over which the mean is taken.
        class_weight: the weights `(w_0, w_1)` of no and yes, or `{class: weight}`, or None.

    Shapes:
        `y_true`: `(B, ..., C)`, labels 0 or 1 or between, a row of zeros for the background; `y_pred`: the same, or with the
        classes on `axis`.

    Returns:
        The mean over the classes, `(B, ...)`, reduced.

    Raises:
        ValueError: an argument is out of range, there are not C frequencies, or the shapes differ.

    Example:

    >>> import numpy as np, keras_losses as kl
    >>> loss = kl.Equalization(class_frequencies=(0.4, 0.001), reduction="none")
    >>> y = np.array([[1, 0], [0, 1], [0, 0]])
    >>> [round(float(x), 4) for x in loss(y, np.full((3, 2), 0.5))]  # the first is no negative of the rare class
    [0.3466, 0.6931, 0.6931]

    Reference: J. Tan et al., Equalization loss for long-tailed object recognition, 2020, arXiv:2003.05176.
    """

    class_frequencies: tuple[Fraction, ...]
    threshold: NonNegative = 1.76e-3
    beta: Fraction = 1.0

    @classmethod
    def example_arguments(cls, classes):
        return {"class_frequencies": tuple(0.5 * 0.01**c for c in range(classes))}

    def validate(self):
        super().validate()
        self._rare = tuple(float(frequency < self.threshold) for frequency in self.class_frequencies)

    def call(self, y_true, y_pred):
        foreground = ops.cast(ops.any(y_true > 0, axis=-1, keepdims=True), y_pred.dtype)
        spared = self.beta * foreground * per_class(self, y_pred, "class_frequencies", self._rare) * (1 - y_true)
        return math.mean((1 - spared) * output_cross_entropy(self, y_true, y_pred))


distribution_balanced = function_of(DistributionBalanced)
equalization = function_of(Equalization)
