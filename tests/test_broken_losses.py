"""`check_loss` on a gallery of losses that are broken, and on the same losses mended."""

import keras
import pytest

from keras_losses.testing import check_loss
from keras_losses.testing.checks import CHECKS
from tests.broken_losses import GALLERY

# What a stated contract promises: tests/conformance.py, and tests/test_check_loss.py.
CONTRACTS = {name for name in CHECKS if name.startswith("contract-")}


REPORTS = {}  # one mended loss stands beside many broken ones


def found(loss, data):
    key = (id(loss), id(data))
    if key not in REPORTS:
        REPORTS[key] = check_loss(loss, *(data or ()))
    report = REPORTS[key]
    return {finding.id: finding for finding in report.findings if not finding.by_design}, report


@pytest.mark.parametrize("broken", GALLERY, ids=[f"{b.id}-{b.name}" for b in GALLERY])
def test_found_and_left_alone(broken):
    findings, report = found(broken.loss, broken.data)
    assert broken.id in findings, str(report)
    finding = findings[broken.id]
    assert finding.message
    assert finding.evidence
    assert finding.fix or broken.id == "raises"
    healthy, report = found(broken.healthy, broken.data)
    assert broken.id not in healthy, str(report)
    assert broken.id not in report.skipped, str(report)


def test_the_gallery_covers_every_check():
    assert len(GALLERY) >= 30
    assert set(CHECKS) - CONTRACTS == {broken.id for broken in GALLERY}


def test_a_line_is_named():
    findings, _ = found(next(b.loss for b in GALLERY if b.name == "huber_with_if"), None)
    assert "if ops.mean(error) > 1.0:" in findings["python-branch"].where
    assert "_broken_code.py" in findings["python-branch"].where


def test_backend_is_told():
    _, report = found("mse", None)
    assert keras.backend.backend() in report.title
