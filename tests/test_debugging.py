"""`debugging()`: inputs that break a contract raise with name, index and value."""

import os
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

import keras_losses as kl
from keras_losses.core import debug
from keras_losses.testing import compiled, sample

NAN, INF = float("nan"), float("inf")
BAD = {
    "nan-prediction": (kl.MeanSquaredError(), [[0.0, 1.0]], [[0.0, NAN]], r"mean_squared_error: y_pred\[0, 1\] is nan"),
    "infinite-target": (kl.Huber(), [[INF]], [[0.0]], r"huber_loss: y_true\[0, 0\] is inf"),
    "probability": (
        kl.BinaryCrossentropy(),
        [[1.0]],
        [[1.5]],
        r"y_pred\[0, 0\] is 1\.5, expected probabilities in \[0, 1\].*from_logits",
    ),
    "negative-probability": (kl.Dice(), [[1.0]], [[-0.5]], r"dice: y_pred\[0, 0\] is -0\.5"),
    "target": (kl.BinaryCrossentropy(), [[2.0]], [[0.5]], r"y_true\[0, 0\] is 2, expected 0, 1, or a soft label"),
    "rows": (kl.CategoricalCrossentropy(), [[0, 1]], [[0.5, 0.6]], r"sum of y_pred\[0\] is 1\.1, expected 1"),
    "one-hot": (kl.CategoricalCrossentropy(), [[1, 1]], [[0.5, 0.5]], r"sum of y_true\[0\] is 2"),
    "label": (
        kl.SparseCategoricalCrossentropy(),
        [0, 7],
        [[0.5, 0.5]] * 2,
        r"y_true\[1\] is 7, expected integer labels from 0 to 1",
    ),
    "negative-label": (kl.SparseCategoricalCrossentropy(), [0, -1], [[0.5, 0.5]] * 2, r"y_true\[1\] is -1"),
    "fraction": (kl.SparseCategoricalCrossentropy(), [0.0, 0.5], [[0.5, 0.5]] * 2, r"y_true\[1\] is 0\.5"),
    "rate": (kl.Poisson(), [[1.0]], [[-1.0]], r"poisson: y_pred\[0, 0\] is -1, expected numbers >= 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_raises_with_name_index_and_value(case):
    loss, y_true, y_pred, message = BAD[case]
    y_true, y_pred = np.array(y_true), np.array(y_pred)
    loss(y_true, y_pred)  # quiet outside
    with kl.debugging(), pytest.raises(ValueError, match=message):
        loss(y_true, y_pred)
    with kl.debugging(), kl.debugging(False):
        loss(y_true, y_pred)


def test_every_loss_takes_its_own_samples():
    with kl.debugging():
        for name, cls in ((n, getattr(kl, n)) for n in kl.__all__ if isinstance(getattr(kl, n), type)):
            if cls not in (kl.Loss, kl.Sum):
                loss = cls.example()
                assert np.isfinite(float(loss(*sample(loss)))), name


def test_what_does_not_count_is_not_checked():
    with kl.debugging():
        y, p = np.array([[1.0], [1.0]]), np.array([[0.5], [NAN]])
        kl.BinaryCrossentropy()(y, p, sample_weight=np.array([1.0, 0.0]))
        kl.BinaryCrossentropy()(y, p, mask=np.array([True, False]))
        kl.SparseCategoricalCrossentropy(ignore_class=-1)(np.array([0, -1]), np.full((2, 2), 0.5))
        kl.SparseCategoricalCrossentropy(ignore_class=255)(np.array([0, 255]), np.full((2, 2), 0.5))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_rounding_of_the_input_is_no_mistake(dtype):
    logits = np.random.default_rng(0).normal(size=(32, 100)).astype("float32")
    p = keras.ops.softmax(keras.ops.cast(keras.ops.convert_to_tensor(logits), dtype))
    y = np.eye(100)[np.arange(32)]
    with kl.debugging():
        kl.CategoricalCrossentropy()(y, p)


def test_in_fit_run_eagerly():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", kl.SparseCategoricalCrossentropy(), run_eagerly=True)
    with kl.debugging(), pytest.raises(ValueError, match=r"y_true\[1\] is 2"):
        model.fit(np.zeros((2, 1)), np.array([0, 2]), shuffle=False, verbose=0)


def test_in_a_compiled_step_it_warns_once_and_names_the_way_out():
    debug._warned.clear()
    loss = kl.MeanSquaredError()
    call = compiled(lambda t, p: loss(t, p))
    ones = keras.ops.ones((2, 1))
    with kl.debugging(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(ones, ones)
        call(ones, ones)
    assert len([w for w in caught if "run_eagerly=True" in str(w.message) and "mean_squared_error" in str(w.message)]) == 1


def test_environment_variable():
    code = (
        "import numpy as np, keras_losses as kl\n"
        "try: kl.BinaryCrossentropy()(np.array([[1.0]]), np.array([[2.0]]))\n"
        "except ValueError as error: print('raised', error)\n"
    )
    env = {**os.environ, "KERAS_LOSSES_DEBUG": "1"}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert "raised binary_crossentropy: y_pred[0, 0] is 2" in out
