"""The same input has the same release: what was withheld of drawn networks is withheld again, and nothing else.

Belongs here: the comparison with what is kept. Does not: whether it protects (test_choice.py, disclosure_attack), or
which networks these are (kept.py).
"""

from __future__ import annotations

import json

import pytest

from tests.unit.disclosure.kept import DRAWN, KEPT, chosen

LINES = [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_withheld_of_a_network_is_what_was_withheld_of_it_before(name: str) -> None:
    assert [json.loads(line) for line in chosen(name)] == [line for line in LINES if line["network"] == name]


def test_what_is_kept_shows_every_kind_of_cell_and_how_far_families_fall_back() -> None:
    kinds = {kind for line in LINES for kind in line["cells"]}
    assert kinds >= {"small", "coded", "complementary", "source_masked", "not_applicable", "withheld_without_count"}
    assert all(any(line["counts"]["fall_backs"][word] for line in LINES) for word in ("places", "groups", "everything"))
    for counted in ("cells_out", "families_taken_over", "families_without_unchecked_sums"):
        assert any(line["counts"][counted] for line in LINES), counted
