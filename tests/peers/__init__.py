"""Comparison with other packages: tables of rows, a file a family, run by `nox -s peers`.

A row sets a loss beside a peer's call at equal settings; values and gradients must agree to 1e-5. A fault is an input on
which a peer is wrong, with what is right. The tables import no peer, so that they can be read where none is installed.
"""

from tests.peers import (
    classification,
    detection,
    faults,
    faults_of_pairs_and_lists,
    heads,
    imbalance,
    metric_learning,
    noisy_labels,
    ranking,
    regression,
    segmentation,
    self_supervised,
)

FAMILIES = (
    classification,
    imbalance,
    noisy_labels,
    segmentation,
    detection,
    regression,
    metric_learning,
    heads,
    self_supervised,
    ranking,
)
ROWS = [row for family in FAMILIES for row in family.ROWS]
FAULTS = [*faults.FAULTS, *faults_of_pairs_and_lists.FAULTS]
