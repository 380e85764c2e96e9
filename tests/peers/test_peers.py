"""Every row agrees, and every fault is still there."""

import importlib
import importlib.util
import re

import pytest

from tests.peers import FAULTS, ROWS
from tests.peers._row import TOLERANCE, installed
from tests.test_migrating import THEIRS

pytestmark = pytest.mark.skipif(importlib.util.find_spec("monai") is None, reason="compares with other packages: nox -s peers")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_values_and_gradients_agree(row):
    value, slope = row.compare()
    assert value <= TOLERANCE, f"values differ by {value:.3g} from {row.peer}"
    assert slope <= TOLERANCE, f"gradients differ by {slope:.3g} from {row.peer}"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_the_peer_is_wrong_and_ours_is_right(fault):
    seen, right = fault.seen()
    assert not right, f"{fault.peer} is right now: {seen}"
    fault.check_ours()


@pytest.mark.parametrize("name", sorted({each.peer.distribution for each in (*ROWS, *FAULTS)} - {None}))
def test_installed_versions_are_the_pinned_ones(name):
    from tests.peers._row import pins

    assert installed(name).split("+")[0] == pins()[name]


@pytest.mark.parametrize(
    ("section", "module", "also"),
    [
        ("torch.nn", "torch.nn", ""),
        ("pytorch-metric-learning", "pytorch_metric_learning.losses", "CrossBatchMemory MultipleLosses"),
    ],
)
def test_the_page_on_migrating_has_every_loss_of_the_package(section, module, also):
    names = {name for name in dir(importlib.import_module(module)) if re.search(r"Loss(2d)?$", name)}
    assert set(THEIRS[section].split()) == names | set(also.split())
