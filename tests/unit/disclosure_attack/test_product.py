"""The product against the attacker: single releases and sequences of three, on networks drawn at random.

Belongs here: seeds of every run, and the longer form (`make disclosure-long`).
Does not: the attacker's own tests (test_attacker.py), rules one by one (tests/unit/disclosure).
"""

from __future__ import annotations

import os

import pytest

from tests.reference.disclosure import cases
from tests.reference.disclosure.attacker import history
from tests.reference.disclosure.derived import unequal
from tests.reference.disclosure.generate import networks
from tests.reference.product import product

LONG = os.environ.get("DISCLOSURE_LONG") == "1"
SINGLE = range(1000) if LONG else range(50)
SEQUENCES = range(1000, 1100) if LONG else range(1000, 1010)


@pytest.mark.parametrize("first", range(SINGLE.start, SINGLE.stop, 10))
def test_nothing_of_a_single_release_is_pinned(first: int) -> None:
    judged = 0
    for seed in range(first, first + 10):
        made, [report] = history(product, networks(seed))
        assert report.is_safe, (seed, [str(each) for each in report.findings], report.undecided)
        assert not unequal(networks(seed)[0], made[0]), seed
        judged += report.cells
    assert judged


@pytest.mark.parametrize("seed", SEQUENCES)
def test_nothing_is_pinned_over_three_releases_with_corrections(seed: int) -> None:
    drawn = networks(seed, 3)
    made, reports = history(product, drawn)
    for number, (network, release, report) in enumerate(zip(drawn, made, reports, strict=True)):
        assert report.is_safe, (seed, number, [str(each) for each in report.findings], report.undecided)
        assert not unequal(network, release), (seed, number)


def test_the_table_known_by_heart_is_safe() -> None:
    _, [report] = history(product, [cases.case_8_10()])
    assert report.is_safe
    assert report.cells
