"""Every example in a docstring runs, and every public loss documents what it should."""

import doctest
import importlib
import inspect
import operator
import pathlib
import pkgutil
import re

import pytest

import keras_losses
from keras_losses.core.record import hyperparameters
from keras_losses.core.registry import public

ROOT = pathlib.Path(__file__).parents[1]
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(keras_losses.__path__, "keras_losses.")
    if not info.name.endswith(("__main__", "demo", "plot"))
)
CLASSES = {name: x for name, x in public().items() if isinstance(x, type) and x not in (keras_losses.Loss, keras_losses.Sum)}


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL * 0)
    assert result.failed == 0


@pytest.mark.parametrize("name", CLASSES)
def test_docstring_is_complete(name):
    cls = CLASSES[name]
    text = inspect.getdoc(cls)
    for part in ("Formula:", "Shapes:", "Returns:", "Raises:", "Example:", ">>> ", "Reference:"):
        assert part in text, part
    for field in hyperparameters(cls):
        assert re.search(rf"^ +{field}: ", text, re.MULTILINE), f"{field} is not documented"


def test_functions_have_the_signature_of_their_class():
    for name, function in public().items():
        if hasattr(function, "loss_class"):
            parameters = inspect.signature(function).parameters
            assert list(parameters)[:2] == ["y_true", "y_pred"]
            assert set(hyperparameters(function.loss_class)) <= set(parameters)
            assert function.__doc__
            assert function.__name__ == name or name in keras_losses.core.registry.ALIASES


def test_the_page_on_choosing_names_what_there_is():
    page = (ROOT / "docs/choosing.md").read_text()
    names = set(re.findall(r"`(?:[\d.]+ \* )?((?:callbacks\.|layers\.)?[A-Z]\w+)", page))
    assert len(names) > 50
    for name in names:
        operator.attrgetter(name)(keras_losses)
    for example in re.findall(r"`(\w+\.py)`", page):
        assert (ROOT / "examples" / example).exists()
