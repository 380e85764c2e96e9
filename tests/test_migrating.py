"""Every new call of `docs/migrating.md` runs, every loss of the other packages is there, and what is said to be equal is."""

import operator
import pathlib
import re

import keras
import numpy as np
import pytest
from keras import ops

import keras_losses
from keras_losses.testing import sample

PAGE = (pathlib.Path(__file__).parents[1] / "docs" / "migrating.md").read_text()
CLASSES = 3
NAMES = vars(keras_losses) | {"classes": CLASSES, "keras": keras}
SECTIONS = {part.split("\n")[0]: part for part in PAGE.split("\n## ")[1:]}


def table(section):
    """Old, new and differences of each row."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("|")]
    assert lines[0] == "| old | new | differences |"
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


ROWS = {section: table(section) for section in SECTIONS}
NEW = sorted({code for rows in ROWS.values() for _, new, _ in rows for code in re.findall("`([^`]*)`", new)})


def make(code):
    return eval(code, dict(NAMES))


def number(x):
    return float(ops.convert_to_numpy(x))


@pytest.mark.parametrize("code", NEW)
def test_a_new_call_runs(code):
    made = make(code)
    if isinstance(made, keras.layers.Layer):
        x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
        passed = made(x, np.arange(6) % CLASSES)
        assert np.isfinite(ops.convert_to_numpy(passed)).all()
        assert all(np.isfinite(number(each)) for each in made.losses)
        return
    first = made.terms[0] if isinstance(made, keras_losses.Sum) else made
    assert np.isfinite(number(made(*sample(first, spatial=(4, 4), C=CLASSES))))


def test_a_row_has_a_call_or_says_that_there_is_none():
    for rows in ROWS.values():
        for row in rows:
            assert len(row) == 3
            assert "`" in row[0]
            assert ("`" in row[1]) != row[1].startswith("not here"), row


def test_names_in_the_text_exist():
    names = set(
        re.findall(r"`((?:layers\.)?[A-Z]\w+)(?:\([^`]*\))?`", " ".join(row[2] for rows in ROWS.values() for row in rows))
    )
    names |= set(re.findall(r"`(layers\.\w+)", PAGE))
    theirs = {"AvgNonZeroReducer", "CategoricalCELoss", "NLLLoss", "SparseCentersRegularizer"}
    assert len(names) > 5
    for name in names - theirs:
        operator.attrgetter(name)(keras_losses)


# The losses of each package, of the versions that the page names.
THEIRS = {
    "tensorflow-addons": """ContrastiveLoss GIoULoss LiftedStructLoss NpairsLoss NpairsMultilabelLoss PinballLoss
        SigmoidFocalCrossEntropy SparsemaxLoss TripletHardLoss TripletSemiHardLoss WeightedKappaLoss contrastive_loss giou_loss
        lifted_struct_loss npairs_loss npairs_multilabel_loss pinball_loss sigmoid_focal_crossentropy sparsemax_loss
        triplet_hard_loss triplet_semihard_loss""",
    "keras-cv": """BinaryPenaltyReducedFocalCrossEntropy CenterNetBoxLoss CIoULoss FocalLoss GIoULoss IoULoss SimCLRLoss
        SmoothL1Loss""",
    "segmentation_models": """JaccardLoss DiceLoss BinaryCELoss CategoricalCELoss BinaryFocalLoss CategoricalFocalLoss
        jaccard_loss dice_loss binary_crossentropy categorical_crossentropy binary_focal_loss categorical_focal_loss
        bce_dice_loss bce_jaccard_loss cce_dice_loss cce_jaccard_loss binary_focal_dice_loss binary_focal_jaccard_loss
        categorical_focal_dice_loss categorical_focal_jaccard_loss""",
    "torch.nn": """AdaptiveLogSoftmaxWithLoss BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss
        GaussianNLLLoss HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss LinearCrossEntropyLoss MSELoss MarginRankingLoss
        MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d PoissonNLLLoss SmoothL1Loss
        SoftMarginLoss TripletMarginLoss TripletMarginWithDistanceLoss""",
    "pytorch-metric-learning": """AngularLoss ArcFaceLoss CircleLoss ContrastiveLoss CosFaceLoss CrossBatchMemory
        DynamicSoftMarginLoss FastAPLoss GeneralizedLiftedStructureLoss GenericPairLoss HistogramLoss InstanceLoss
        IntraPairVarianceLoss LargeMarginSoftmaxLoss LiftedStructureLoss ManifoldLoss MarginLoss MultiSimilarityLoss
        MultipleLosses NCALoss NPairsLoss NTXentLoss NormalizedSoftmaxLoss P2SGradLoss PNPLoss ProxyAnchorLoss ProxyNCALoss
        RankedListLoss SelfSupervisedLoss SignalToNoiseRatioContrastiveLoss SmoothAPLoss SoftTripleLoss SphereFaceLoss
        SubCenterArcFaceLoss SupConLoss ThresholdConsistentMarginLoss TripletMarginLoss TupletMarginLoss VICRegLoss""",
}


def test_every_loss_of_a_package_has_a_row():
    assert list(ROWS) == list(THEIRS)
    for section, names in THEIRS.items():
        listed = {name for old, _, _ in ROWS[section] for name in re.findall(r"`(\w+)", old)}
        assert set(names.split()) == listed - {"BatchHardMiner", "BatchEasyHardMiner"}, section


# Their formulas, as their sources have them, on data where the page says that the two are equal.
RNG = np.random.default_rng(3)
X, IDS = RNG.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
UNIT = X / np.linalg.norm(X, axis=1, keepdims=True)
APART = np.linalg.norm(X[:, None] - X[None], axis=-1)
OTHER = IDS[:, None] != IDS[None]
POSITIVE = ~OTHER & ~np.eye(6, dtype=bool)
MASK, P = RNG.integers(0, 2, size=(2, 4, 4, 3)).astype(float), RNG.uniform(0.1, 0.9, size=(2, 4, 4, 3))
ONE_HOT = np.eye(3)[RNG.integers(0, 3, size=(2, 4, 4))]
Q = P / P.sum(-1, keepdims=True)
BITS, LOGITS = MASK[0, 0], 2 * RNG.normal(size=(4, 3))
LABELS = np.array([2, 0, 1, 1])


def semihard(apart):
    def cost(a, p):
        negatives = np.sort(apart[a][OTHER[a]])
        farther = negatives[negatives > apart[a, p]]
        return max(0, 1 + apart[a, p] - (farther[0] if len(farther) else negatives[-1]))

    return np.mean([cost(a, p) for a, p in np.argwhere(POSITIVE)])


def hard(cost):
    return np.mean([cost(APART[a][POSITIVE[a]].max() - APART[a][OTHER[a]].min()) for a in range(6)])


def lifted():
    pairs = np.argwhere(POSITIVE)
    near = [np.exp(1 - APART[i][OTHER[i]]).sum() + np.exp(1 - APART[j][OTHER[j]]).sum() for i, j in pairs]
    return np.mean([max(0, np.log(s) + APART[i, j]) ** 2 / 2 for s, (i, j) in zip(near, pairs, strict=True)])


def entropy(y, p):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def focal(y, p):
    t = y * p + (1 - y) * (1 - p)
    return (1 - t) ** 2 * -np.log(t)


def log_softmax(z):
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def score(y, p, beta=1.0):
    hit, false, missed = (x.sum((1, 2)) for x in (y * p, (1 - y) * p, y * (1 - p)))
    return np.mean(((1 + beta**2) * hit + 1e-5) / ((1 + beta**2) * hit + beta**2 * missed + false + 1e-5))


def jaccard(y, p):
    both = (y * p).sum((1, 2))
    return 1 - np.mean((both + 1e-5) / ((y + p).sum((1, 2)) - both + 1e-5))


def kappa():
    weight = (np.arange(3)[:, None] - np.arange(3)[None]) ** 2 / 4
    y, p = ONE_HOT.reshape(-1, 3), Q.reshape(-1, 3)
    return np.log((weight * (y.T @ p)).sum() / ((weight * np.outer(y.sum(0), p.sum(0))).sum() / len(y)) + 1e-6)


def simclr():
    one, two = UNIT[:3], UNIT[3:]
    near = np.concatenate([one, two]) @ np.concatenate([one, two]).T / 0.1
    np.fill_diagonal(near, -np.inf)
    found = log_softmax(near)
    return 2 * -np.mean([found[i, (i + 3) % 6] for i in range(6)])  # the sum of the two directions


def margin_ranking():
    first, second = LOGITS[:, 0], LOGITS[:, 1]
    sign = np.where(BITS[:, 0] > 0, 1, -1)
    return np.mean(np.maximum(0, -sign * (first - second) + 0.1))


# The code on the page, our factor, the data, and their number.
EQUAL = [
    ('TripletMargin(mining="semihard", margin=1.0)', 1, (IDS, X), semihard(APART)),
    ('TripletMargin(mining="semihard", distance="squared_euclidean")', 1, (IDS, X), semihard(APART**2)),
    ('TripletMargin(mining="hard", margin=1.0)', 1, (IDS, X), hard(lambda d: max(0, 1 + d))),
    ('TripletMargin(mining="hard", soft=True)', 1, (IDS, X), hard(lambda d: np.log1p(np.exp(d)))),
    ("LiftedStructure(margin=1.0)", 1, (IDS, X), lifted()),
    ("0.5 * MeanAbsoluteError()", 1, (MASK, P), np.mean(np.maximum((MASK - P) / 2, (P - MASK) / 2))),
    (
        "BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.25, gamma=2.0)",
        3,
        (MASK, P),
        (focal(MASK, P) * np.where(MASK > 0, 0.25, 0.75)).sum(-1).mean(),
    ),
    ("WeightedKappa(num_classes=classes)", 1, (ONE_HOT, Q), kappa()),
    ("NTXent(temperature=0.1)", 2, (np.zeros(3), np.stack([X[:3], X[3:]], axis=1)), simclr()),
    ("Jaccard(axis=(1, 2), smooth=1e-5)", 1, (MASK, P), jaccard(MASK, P)),
    ("Dice(axis=(1, 2), smooth=1e-5)", 1, (MASK, P), 1 - score(MASK, P)),
    ("Tversky(alpha=0.2, beta=0.8, axis=(1, 2), smooth=2e-6)", 1, (MASK, P), 1 - score(MASK, P, 2.0)),
    ("OnClasses(loss=Dice(axis=(1, 2), smooth=1e-5), classes=(1, 2))", 1, (MASK, P), 1 - score(MASK[..., 1:], P[..., 1:])),
    ("0.25 * BinaryFocalCrossentropy(gamma=2.0)", 1, (MASK, P), 0.25 * focal(MASK, P).mean()),
    (
        "BinaryCrossentropy() + Dice(axis=(1, 2), smooth=1e-5)",
        1,
        (MASK, P),
        entropy(MASK, P).mean() + 1 - score(MASK, P),
    ),
    (
        "1 / classes * CategoricalCrossentropy() + Jaccard(axis=(1, 2), smooth=1e-5)",
        1,
        (ONE_HOT, Q),
        -(ONE_HOT * np.log(Q)).mean() + jaccard(ONE_HOT, Q),
    ),
    (
        "CategoricalFocalCrossentropy(alpha=0.25, gamma=2.0)",
        1 / 3,
        (ONE_HOT, Q),
        -0.25 * (ONE_HOT * (1 - Q) ** 2 * np.log(Q)).mean(),
    ),
    (
        "SparseCategoricalCrossentropy(from_logits=True, axis=1)",
        1,
        (LABELS, LOGITS),
        -log_softmax(LOGITS)[np.arange(4), LABELS].mean(),
    ),
    ("BinaryCrossentropy(from_logits=True)", 1, (BITS, LOGITS), np.log1p(np.exp(-(2 * BITS - 1) * LOGITS)).mean()),
    ("Poisson(log_input=True)", 1, (BITS, LOGITS), np.mean(np.exp(LOGITS) - BITS * LOGITS)),
    (
        "PairwiseHinge(margin=0.1)",
        1,
        (np.stack([BITS[:, 0], 1 - BITS[:, 0]], axis=1), LOGITS[:, :2]),
        margin_ranking(),
    ),
]


@pytest.mark.parametrize(("code", "factor", "data", "theirs"), EQUAL, ids=[code for code, *_ in EQUAL])
def test_the_old_formula_gives_the_number_of_the_new_call(code, factor, data, theirs):
    assert code in NEW
    assert factor * number(make(code)(*data)) == pytest.approx(theirs, rel=2e-5, abs=2e-6)


def test_n_pairs_of_two_sets_is_that_of_addons():
    a, b = X[:3], X[3:]
    ids = np.arange(3)
    theirs = -np.mean(np.diag(log_softmax(a @ b.T)))  # each id once
    ours = make("NPairs()")(ids, a, ref_labels=ids, ref_embeddings=b)
    assert number(ours) == pytest.approx(theirs, rel=2e-5)
