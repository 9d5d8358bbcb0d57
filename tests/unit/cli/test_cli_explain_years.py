"""`cradle explain` of a year in which a community was no member says since when, or until when, it was one.

Belongs here: the hint alone. Does not: records and their words (tests/unit/analysis, tests/integration/test_cycle.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.cli.release import no_member
from dagster_project.lib.base.reference import Reference


@pytest.mark.parametrize(
    ("year", "says"),
    [
        (2015, "alder joined the network in 2016"),
        (2016, ""),
        (2020, ""),
        (2021, "alder left the network in 2020; later years of it are not judged"),
    ],
)
def test_the_years_of_a_membership_are_named_where_nothing_is_judged(tmp_path: Path, year: int, says: str) -> None:
    (tmp_path / "network").mkdir()
    line = "community_id,name,state,joined_year,left_year\nalder,Alder,OH,2016,2020\n"
    (tmp_path / "network" / "communities.csv").write_text(line, encoding="utf-8")
    assert no_member(Reference(tmp_path), "alder", year) == says
