"""Learning to rank patients: lists of unequal length, with grades that all lists share, and with grades of each list's own.

The data are scikit-learn's 442 diabetes patients (`load_diabetes`): ten measurements, and the progression of the disease a
year later. A list is 8 to 24 patients, filled up with padding, to be ordered such that those whose disease progresses most
come first. The score of a patient is linear in the measurements.

First the grade of a patient, 0 to 4, is the fifth of all patients in which the progression lies. Then each list is a ward,
whose patients have about the same body mass index, and which grades its patients among themselves: grade 4 is the worst
fifth of the ward. A grade of one ward is no grade of another, but the order in each is true. Either way the scores are used to
order lists of all sorts of patients not trained on, and measured by NDCG@10 with grades that all share, over five folds.

The mean squared error takes each patient's grade as it is; ListNet, LambdaLoss and ApproxNDCG look at lists.
"""

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold

import keras_losses as kl

SHORTEST, LONGEST, LISTS, EPOCHS, FOLDS = 8, 24, 256, 15, 5
BODY_MASS = 2  # the column

data = load_diabetes()
x = (data.data / data.data.std(axis=0)).astype("float32")


def fifth(values, among):
    """In which fifth of some numbers each value lies, 0 to 4."""
    return np.searchsorted(np.quantile(among, (0.2, 0.4, 0.6, 0.8)), values)


def lists(patients, wards, seed):
    """Measurements `(LISTS, LONGEST, 10)` and grades `(LISTS, LONGEST)`, -1 for padding."""
    rng = np.random.default_rng(seed)
    by_mass = patients[np.argsort(x[patients, BODY_MASS], kind="stable")]
    items, grades = np.zeros((LISTS, LONGEST, x.shape[1]), "float32"), np.full((LISTS, LONGEST), -1)
    for i, size in enumerate(rng.integers(SHORTEST, LONGEST + 1, LISTS)):
        start = rng.integers(0, len(patients) - size + 1)
        chosen = by_mass[start : start + size] if wards else rng.permutation(patients)[:size]
        items[i, :size] = x[chosen]
        grades[i, :size] = fifth(data.target[chosen], data.target[chosen] if wards else data.target)
    return items, grades


def ndcg(grades, scores, first=10):
    """The mean over lists of the normalised discounted cumulative gain of the ten patients that come first."""
    discount = 1 / np.log2(np.arange(2, first + 2))

    def gain(order):
        best = np.take_along_axis(grades, order, axis=1)[:, :first]
        return np.sum(np.where(best >= 0, 2.0**best - 1, 0) * discount, axis=1)

    scores = np.where(grades >= 0, scores, -np.inf)
    return np.mean(gain(np.argsort(-scores, axis=1)) / gain(np.argsort(-grades, axis=1)))


def linear(pointwise):
    """A score for each patient of a list, linear in the measurements and 0 at first."""
    start = keras.Input((LONGEST, x.shape[1]))
    scores = layers.Dense(1, kernel_initializer="zeros")(start)
    # One by one, a patient is a row with one score; in a list, a patient is one of its scores.
    return keras.Model(start, scores if pointwise else layers.Reshape((LONGEST,))(scores))


BASE = "mean squared error"
LOSSES = {
    BASE: kl.MeanSquaredError(),
    "ListNet": kl.ListNet(),
    "LambdaLoss": kl.LambdaLoss(topn=10),
    "ApproxNDCG": kl.ApproxNDCG(temperature=1.0),
}
SHARED, OWN = "grades that all lists share", "grades of each ward's own"
KINDS = {SHARED: False, OWN: True}
scores = {kind: {name: [] for name in LOSSES} for kind in KINDS}
slopes = {kind: {name: [] for name in LOSSES} for kind in KINDS}  # of the score, as vectors of length 1
for name, loss in LOSSES.items():
    model = linear(name == BASE)
    model.compile(keras.optimizers.Adam(3e-2), loss=loss)
    model.optimizer.build(model.trainable_variables)
    untrained = model.get_state_tree(value_format="numpy_array")  # so that it is compiled once for all folds
    for kind, wards in KINDS.items():
        for fold, (train, test) in enumerate(KFold(FOLDS, shuffle=True, random_state=0).split(x)):
            items, grades = lists(train, wards, fold)
            items_test, grades_test = lists(test, False, fold)
            # The list losses know padding by its negative grade; one by one, it is left out by its weight.
            target, weight = (grades[..., None], (grades >= 0).astype("float32")) if name == BASE else (grades, None)
            keras.utils.set_random_seed(1)
            model.set_state_tree(untrained)
            model.fit(items, target, sample_weight=weight, batch_size=32, epochs=EPOCHS, verbose=0)
            found = model.predict(items_test, verbose=0).reshape(grades_test.shape)
            scores[kind][name].append(ndcg(grades_test, found))
            slope = model.get_weights()[0][:, 0]
            slopes[kind][name].append(slope / np.linalg.norm(slope))

for kind, each in scores.items():
    print(f"NDCG@10, trained on {kind}:")
    for name, folds in each.items():
        better = np.sum(np.array(folds) > each[BASE])
        note = "" if name == BASE else f", better than the {BASE} in {better} of {FOLDS} folds"
        mass = np.array(slopes[kind][name])[:, BODY_MASS]
        print(f"  {name:18} {np.mean(folds):.3f} ({min(folds):.3f} to {max(folds):.3f}){note}")
        print(f"{'':21}slope of the body mass index {min(mass):.2f} to {max(mass):.2f}")

figure = Figure(figsize=(11, 4), layout="constrained")
left, right = figure.subplots(1, 2, width_ratios=(2, 3))
for kind, marker in zip(KINDS, "os", strict=True):
    left.plot(np.repeat(range(len(LOSSES)), FOLDS), np.concatenate(list(scores[kind].values())), marker, alpha=0.6, label=kind)
left.set(title="NDCG@10 of each fold", xticks=range(len(LOSSES)))
left.set_xticklabels(LOSSES, rotation=15)
left.legend()
for i, (name, folds) in enumerate(slopes[OWN].items()):
    right.bar(np.arange(x.shape[1]) + 0.2 * i, np.mean(folds, axis=0), 0.2, label=name)
right.set(title=f"Slope of the score: {OWN}", xticks=np.arange(x.shape[1]) + 0.3, ylim=(-0.9, 0.9))
right.set_xticklabels(data.feature_names)
right.legend(loc="lower right")
figure.savefig("learning_to_rank.png", dpi=80)
print("Picture: learning_to_rank.png")

mean = {kind: {name: np.mean(folds) for name, folds in each.items()} for kind, each in scores.items()}
assert min(mean[SHARED].values()) > 0.8
assert all(mean[OWN][name] > mean[OWN][BASE] + 0.05 for name in LOSSES if name != BASE)
