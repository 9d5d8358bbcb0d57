"""What changed between two releases names what can have moved a verdict, and nothing that cannot.

Belongs here: causes, lines of reference data that only one release has, lists that are cut.
Does not: whole releases by the command (tests/integration/test_changes.py, test_year.py).
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.app.kept import SEED_FILES, KeptInputs, keep, kept_seeds
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import NO_RENAMES
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.tables import FILES
from dagster_project.lib.publish.release.compare import ValueCounts
from dagster_project.lib.publish.release.pointing import database_key, summary_key
from dagster_project.lib.publish.release.states import StateLine, add
from dagster_project.lib.receipts import difference
from dagster_project.lib.receipts.changes import ELIGIBILITY, STATUSES, ChangedFolder
from dagster_project.lib.receipts.difference import (
    Causes,
    Difference,
    Moved,
    ReleaseBefore,
    SeedLine,
    SeedsOf,
    Side,
    SubmittedFolder,
    forget_summaries,
    frozen_cycles,
    seed_lines,
    summary_lines,
)
from dagster_project.settings import from_environment

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


def test_a_line_that_reads_otherwise_than_before_is_named_once() -> None:
    file = "network/communities.csv"
    a, b = ({"release_id": release, "seeds_sha256": release} for release in ("r1", "r2"))
    content = {
        "r1": {file: b"community_id,left_year\na_place,\n"},
        "r2": {file: b"community_id,left_year\na_place,2022\n"},
    }
    known, lines = seed_lines(a, b, content.get)
    assert (known, len(lines)) == (True, 2)
    assert causes(lines=tuple(lines)).of("a_place", None) == (f"seeds/{file} line 2",)


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


RULES = "ruleset_id,ruleset_version,parameter,value,note\nown,1,share,0.5,x\nown,1,years,5,y\n"


@pytest.mark.parametrize(
    ("added", "version", "can_move"),
    [
        ("own,2,share,0.5,x\nown,2,years,4,y\n", "2", [False, True]),
        ("own,2,share,0.5,x\nown,2,years,4,y\n", "1", [False, False]),
        ("own,1,more,1,z\n", "1", [True]),
    ],
)
def test_of_a_new_version_of_the_rules_only_what_it_changes_can_have_moved_a_verdict(
    added: str, version: str, can_move: list[bool]
) -> None:
    file = "rulesets/ruleset_parameters.csv"
    content = {"r1": {file: RULES.encode()}, "r2": {file: (RULES + added).encode()}}
    a, b = (
        {"release_id": release, "seeds_sha256": release, "ruleset_id": "own", "ruleset_version": of}
        for release, of in (("r1", "1"), ("r2", version))
    )
    known, lines = seed_lines(a, b, content.get)
    assert (known, [line.can_move for line in lines]) == (True, can_move)
    found = Causes((), lines, (), True, {}).of("a_place", None)
    assert found == tuple(f"seeds/{file} line {n}" for n, moves in enumerate(can_move, 4) if moves)
    told = summary_lines(replace(FOUND, seed_lines=lines), None)
    idle = can_move.count(False)
    assert (f"  seeds/{file}: other lines new, which change no rule: {idle}" in told) == bool(idle)


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


# --- The release before --------------------------------------------------------------------------------------------


NOW = "2024-02-01-bbb"
FOUND = Difference(
    "2024-01-01-aaa", NOW, (), (), (), True, (), ValueCounts(1, 2, 3, 2, 0),
    (
        Moved(STATUSES, "a_place", 2024, "reading", "trend_status", "improving", "declining", False, ()),
        Moved(ELIGIBILITY, "a_place", 2024, "a_designation", "status", "eligible", "not_eligible", True, ()),
    ),
    4, 5,
)  # fmt: skip


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ReleaseBefore, list[str]]:
    """A publish folder with one release, current, and the comparisons that are made with it."""
    settings = from_environment({"CRADLE_HOME": str(tmp_path)})
    published, made = Store(settings.publish_url), list[str]()
    for release_id in (FOUND.release_a, NOW):
        manifest = {"release_id": release_id, "today": release_id[:10], "inputs": []}
        published.put(f"releases/{release_id}/manifest.json", json.dumps(manifest).encode())
        published.put(database_key(release_id), b"")
    published.put("current", FOUND.release_a.encode())

    def compared(a: Side, b: Side, seeds_of: SeedsOf) -> Difference:
        made.append(f"{a.manifest['release_id']} {b.manifest['release_id']}")
        told = [seeds_of(side.manifest["release_id"]) for side in (a, b)]
        assert told == [{"was": b""}, {"is": b""} if len(made) == 1 else {"was": b""}], "kept once it is out"
        return replace(FOUND, release_a=a.manifest["release_id"], release_b=b.manifest["release_id"])

    monkeypatch.setattr(difference, "difference", compared)
    return ReleaseBefore(settings, published, NO_RENAMES, lambda _: {"was": b""}, {"is": b""}), made


def test_counts_are_stated_and_the_summary_is_of_the_same_comparison(
    before: tuple[ReleaseBefore, list[str]], tmp_path: Path
) -> None:
    one_before, made = before
    since = one_before.since({"release_id": NOW, "today": "2024-02-01", "inputs": []}, tmp_path / "building")
    one_before.keep_summary(FOUND.release_a, NOW)
    assert made == [f"{FOUND.release_a} {NOW}"], "compared once"
    counts = {"new": 1, "changed": 2, "gone": 3, "communities": 2, "withheld": 0}
    assert since == {
        "state": "compared",
        "release_id": FOUND.release_a,
        "today": "2024-01-01",
        **{f"values_{name}": n for name, n in counts.items()},
        "statuses_moved": 1,
        "designations_moved": 0,
        "judged_new": 4,
        "judged_gone": 5,
    }
    told = one_before.published.get(summary_key(NOW)).decode()
    assert "Values: 1 new, 2 changed, 3 gone; communities with such values: 2" in told
    assert (
        "Designations, gateways and criteria that moved: 0; another one by what stands now, and kept as frozen: 1\n"
        "  a_place 2024  a_designation"
    ) in told
    assert "(frozen: what was decided stays)" in told


def test_a_summary_against_another_release_is_compared_anew(
    before: tuple[ReleaseBefore, list[str]], tmp_path: Path
) -> None:
    one_before, made = before
    one_before.since({"release_id": "2024-03-01-ccc", "today": "2024-03-01", "inputs": []}, tmp_path / "building")
    one_before.keep_summary(FOUND.release_a, NOW)
    assert made == [f"{FOUND.release_a} 2024-03-01-ccc", f"{FOUND.release_a} {NOW}"]


@pytest.mark.parametrize("gone", ["withdrawn", "pruned", "not current"])
def test_with_a_release_that_is_not_there_any_more_nothing_is_compared(
    gone: str, before: tuple[ReleaseBefore, list[str]], tmp_path: Path
) -> None:
    one_before, made = before
    if gone == "withdrawn":
        add(one_before.published, StateLine(FOUND.release_a, "withdrawn", "2024-01-02", "a typing error"))
    else:
        one_before.published.delete([database_key(FOUND.release_a) if gone == "pruned" else "current"])
    since = one_before.since({"release_id": NOW, "today": "2024-02-01", "inputs": []}, tmp_path / "building")
    assert (since, made) == ({"state": "gone"}, [])


def test_the_first_release_says_that_it_is_the_first(tmp_path: Path) -> None:
    settings = from_environment({"CRADLE_HOME": str(tmp_path)})
    first = ReleaseBefore(settings, Store(settings.publish_url), NO_RENAMES, lambda _: None, {})
    assert first.since({"release_id": NOW, "today": "2024-02-01", "inputs": []}, tmp_path) == {"state": "first"}


def test_cycles_frozen_between_two_releases_are_named_once_each() -> None:
    def inputs(*years: int) -> list[dict[str, object]]:
        folder = {
            "community_id": "a_place",
            "reporting_year": 2024,
            "submission_id": "s1",
            "frozen_records_sha256": None,
        }
        return [folder, *({**folder, "reporting_year": year, "frozen_records_sha256": "f"} for year in years)]

    assert frozen_cycles(inputs(), inputs(2023)) == ("frozen cycles: none -> 2023",)
    assert frozen_cycles(inputs(2023), inputs(2024, 2023)) == ("frozen cycles: 2023 -> 2023, 2024",)
    assert frozen_cycles(inputs(2023), inputs(2023)) == ()
