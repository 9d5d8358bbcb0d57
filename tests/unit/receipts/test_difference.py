"""What changed between two releases names what can have moved a verdict, and nothing that cannot.

Belongs here: causes, lines of reference data that only one release has, lists that are cut.
Does not: whole releases by the command (tests/integration/test_changes.py, test_year.py).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.app.kept import SEED_FILES, KeptInputs, keep, kept_seeds
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.tables import FILES
from dagster_project.lib.receipts.changes import ChangedFolder
from dagster_project.lib.receipts.difference import (
    Causes,
    SeedLine,
    SubmittedFolder,
    forget_summaries,
    seed_lines,
    summary_key,
)

DAY, RULE = "day: 2024-01-01 -> 2024-02-01", "ruleset version: 1.0.0 -> 1.1.0"
COMMUNITIES = ("a_place", "b_place")


def folder(community: str, *names: str) -> SubmittedFolder:
    return SubmittedFolder(ChangedFolder(community, 2024, "was", "is"), tuple(("changed", name) for name in names))


def causes(
    *submitted: SubmittedFolder,
    lines: tuple[SeedLine, ...] = (),
    conditions: tuple[str, ...] = (),
    known: bool = True,
    touched: frozenset[str] = frozenset(),
) -> Causes:
    places = {(community, "reading"): touched if community == "a_place" else frozenset() for community in COMMUNITIES}
    return Causes(submitted, lines, conditions, known, places)


def test_a_verdict_is_moved_by_files_of_its_own_community_and_of_the_network() -> None:
    found = causes(folder("a_place", "x.csv"), folder("b_place", "y.csv"), folder("_network", "z.csv"))
    assert found.of("a_place", None) == ("_network/2024/z.csv", "a_place/2024/x.csv")


def test_where_values_of_the_indicator_differ_their_files_alone_are_named() -> None:
    found = causes(folder("a_place", "x.csv", "y.csv"), touched=frozenset(["a_place/2024/y.csv"]), conditions=(RULE,))
    assert found.of("a_place", "reading") == ("a_place/2024/y.csv", RULE)
    assert found.of("a_place", None) == ("a_place/2024/x.csv", "a_place/2024/y.csv", RULE)


@pytest.mark.parametrize(
    ("text", "concerns"),
    [("a_place,2024,a flood", True), ("b_place,2024,a flood", False), ("toa-default,1.1.0,min,4", True)],
)
def test_a_seed_line_that_names_another_community_is_no_cause(text: str, concerns: bool) -> None:
    line = SeedLine("network/waivers.csv", 7, "new", text)
    found = causes(lines=(line,), conditions=(DAY,)).of("a_place", None)
    assert found == (("seeds/network/waivers.csv line 7",) if concerns else (DAY,))


def test_the_day_is_a_cause_only_where_nothing_else_is() -> None:
    assert causes(conditions=(DAY, RULE)).of("a_place", None) == (RULE,)
    assert causes(conditions=(DAY,)).of("a_place", None) == (DAY,)
    assert causes(conditions=(DAY,), known=False).of("a_place", None) == ("reference data whose lines are not kept",)


def kept(lake: Store, release: str, content: str) -> dict[str, str]:
    seeds = pl.DataFrame([("network/waivers.csv", content.encode())], schema=SEED_FILES, orient="row")
    none = pl.DataFrame(schema=FINDINGS)
    keep(lake, release, KeptInputs(seeds, none, pl.DataFrame(schema=FILES), none))
    return {"release_id": release, "seeds_sha256": content}


def test_seed_lines_are_told_with_their_number_and_a_moved_line_is_no_difference(tmp_path: Path) -> None:
    lake = Store(str(tmp_path))
    a, b = kept(lake, "r1", "h\n1\n2\n3\n"), kept(lake, "r2", "h\n3\n1\n4\n")
    seeds_of = partial(kept_seeds, lake)
    known, lines = seed_lines(a, b, seeds_of)
    assert known
    assert [(line.number, line.word, line.text) for line in lines] == [(3, "gone", "2"), (4, "new", "4")]
    assert seed_lines(a, a, seeds_of) == (True, ())
    assert seed_lines(a, {"release_id": "r3", "seeds_sha256": "other"}, seeds_of) == (False, ())


def test_a_summary_lies_beside_releases_and_not_in_one() -> None:
    assert not summary_key("2024-01-01-abc").startswith("releases/")


def test_summaries_that_speak_of_a_folder_are_forgotten_and_no_other(tmp_path: Path) -> None:
    published = Store(str(tmp_path))
    for release, text in (("r1", "  a_place/2023 first: x.csv added\n"), ("r2", "  a_place/2024 first: x.csv added\n")):
        published.put(summary_key(release), text.encode())
    forget_summaries(published, "a_place/2024")
    assert [info.key for info in published.objects("summaries")] == [summary_key("r1")]
    forget_summaries(published, "a_place/2022")
    forget_summaries(Store(str(tmp_path / "empty")), "a_place/2022")
