"""The governed reference data holds together: no overlap, no orphan, no cycle, no blank that matters.

Belongs here: lint of seeds/network, seeds/dictionary and seeds/crosswalks as they stand in the repository.
Does not: faults that stop a run wherever the seeds lie (test_crosswalk_faults.py), dbt's own tests of keys and
relationships, or how code reads the seeds.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import re
from collections import defaultdict
from pathlib import Path

import pytest

import contracts

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
CROSSWALKS = ("indicator", "dimension", "group", "series", "geography")
CODE_COLUMN = {
    "indicator": "indicator_id",
    "dimension": "dimension",
    "group": "group_code",
    "series": "series",
    "geography": "geography_id",
}
WITHIN = {"group": "dimension", "series": "indicator_id"}
FIRST_YEAR, LAST_YEAR = 0, 9999

Rows = list[dict[str, str]]


def rows(path: str) -> Rows:
    with (SEEDS / f"{path}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fold(label: str) -> str:
    return " ".join(label.split()).casefold()


def label_of(kind: str, row: dict[str, str]) -> str:
    # A series is compared exactly (trimmed), every other label in its folded form.
    return row["label"].strip() if kind == "series" else fold(row["label"])


def span(row: dict[str, str]) -> tuple[int, int]:
    return int(row["valid_from"] or FIRST_YEAR), int(row["valid_to"] or LAST_YEAR)


def column(path: str, name: str) -> set[str]:
    return {row[name] for row in rows(path)}


ALL_FILES = sorted(path.relative_to(SEEDS).as_posix().removesuffix(".csv") for path in SEEDS.rglob("*.csv"))


@pytest.mark.parametrize("path", [p for p in ALL_FILES if p.split("/")[0] in ("network", "dictionary", "crosswalks")])
def test_seeds_are_utf8_with_lf_and_trimmed_full_lines(path: str) -> None:
    data = (SEEDS / f"{path}.csv").read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in data
    assert data.endswith(b"\n")
    lines = list(csv.reader(data.decode("utf-8").splitlines(), strict=True))
    assert all(len(line) == len(lines[0]) for line in lines)
    assert all(cell == cell.strip() for line in lines for cell in line)


def test_seed_file_names_are_unique_across_folders() -> None:
    names = [path.rsplit("/", 1)[-1] for path in ALL_FILES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", CROSSWALKS)
def test_no_label_has_two_meanings_at_one_time_in_one_scope(kind: str) -> None:
    groups: dict[tuple[str, ...], Rows] = defaultdict(list)
    for row in rows(f"crosswalks/{kind}_labels"):
        within = row[WITHIN[kind]] if kind in WITHIN else ""
        groups[row["scope"], row["scope_id"], within, label_of(kind, row)].append(row)
    for key, same in groups.items():
        spans = sorted(span(row) for row in same)
        assert all(start <= end for start, end in spans), key
        assert all(before[1] < after[0] for before, after in itertools.pairwise(spans)), key


@pytest.mark.parametrize("kind", CROSSWALKS)
def test_every_crosswalk_line_has_a_scope_that_exists(kind: str) -> None:
    members = column("network/communities", "community_id")
    for row in rows(f"crosswalks/{kind}_labels"):
        if row["scope"] == "global":
            assert row["scope_id"] == "", row
        elif row["scope"] == "community":
            assert row["scope_id"] in members, row
        else:
            assert row["scope"] == "layout", row
            assert (contracts.LAYOUTS / f"{row['scope_id']}.sql").is_file(), row


def test_crosswalk_lines_use_known_units_and_place_labels_belong_to_a_community() -> None:
    units = column("dictionary/units", "unit")
    assert {row["unit"] for row in rows("crosswalks/indicator_labels")} <= units | {""}
    assert column("crosswalks/geography_labels", "scope") == {"community"}


@pytest.mark.parametrize("kind", ["indicator", "dimension", "group"])
def test_no_global_line_contradicts_the_dictionarys_own_codes_and_names(kind: str) -> None:
    names = {"indicator": "name", "dimension": "label", "group": "label"}
    own: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows(f"dictionary/{kind}s"):
        within = row["dimension"] if kind == "group" else ""
        for text in (row[CODE_COLUMN[kind]], row[names[kind]]):
            own[within, fold(text)].add(row[CODE_COLUMN[kind]])
    assert all(len(codes) == 1 for codes in own.values())
    for row in rows(f"crosswalks/{kind}_labels"):
        within = row["dimension"] if kind == "group" else ""
        known = own.get((within, fold(row["label"])))
        assert known is None or row["scope"] != "global" or known == {row[CODE_COLUMN[kind]]}, row


@pytest.mark.parametrize("kind", CROSSWALKS)
def test_no_label_is_renamed_to_a_label_that_is_renamed_again(kind: str) -> None:
    renamed = defaultdict(set)
    for row in rows(f"crosswalks/{kind}_labels"):
        within = row[WITHIN[kind]] if kind in WITHIN else ""
        renamed[row["scope"], row["scope_id"], within, label_of(kind, row)].add(row[CODE_COLUMN[kind]])
    for (scope, scope_id, within, label), codes in renamed.items():
        for code in codes:
            target = code if kind == "series" else fold(code)
            again = renamed.get((scope, scope_id, within, target), set())
            assert target == label or again <= {code}, (scope, within, label, code)


def test_every_indicator_asks_its_question_and_says_who_is_counted() -> None:
    for row in rows("dictionary/indicators"):
        for name in ("name", "question", "numerator_text", "denominator_text", "unit", "periodicity", "sector_profile"):
            assert row[name].strip(), (row["indicator_id"], name)
        assert row["question"].endswith("?"), row["indicator_id"]


def test_indicators_use_known_outcomes_units_and_words() -> None:
    outcomes, units = column("dictionary/outcomes", "outcome_id"), column("dictionary/units", "unit")
    stored = {row["unit"]: row["stored_unit"] for row in rows("dictionary/units")}
    for row in rows("dictionary/indicators"):
        assert row["outcome_id"] in outcomes, row
        assert row["unit"] in units and stored[row["unit"]] == row["unit"], row
        assert row["role"] in ("core", "contributing", "adjacent"), row
        assert row["direction"] in ("1", "-1", "0"), row
        assert row["periodicity"] in ("annual", "quarterly", "monthly"), row
        assert {row["is_primary"], row["poolable"], row["calendar_year"]} <= {"true", "false"}, row
        assert not row["indicator_id"].endswith("_pct") or row["unit"] == "percent", row
    ids = [row["indicator_id"] for row in rows("dictionary/indicators")]
    assert len(ids) == len(set(ids))


def test_the_first_seven_indicators_are_core_and_the_primary_of_the_seven_outcomes_in_order() -> None:
    first = rows("dictionary/indicators")[:7]
    seven = sorted(
        (r for r in rows("dictionary/outcomes") if int(r["position"]) <= 7), key=lambda r: int(r["position"])
    )
    assert [row["indicator_id"] for row in first] == [
        "kindergarten_ready_pct",
        "grade3_reading_proficient_pct",
        "grade8_math_proficient_pct",
        "graduation_4yr_pct",
        "postsecondary_enrolled_pct",
        "postsecondary_completed_pct",
        "employed_pct",
    ]
    assert [row["outcome_id"] for row in first] == [row["outcome_id"] for row in seven]
    assert all(row["role"] == "core" and row["is_primary"] == "true" for row in first)
    assert all(row["is_primary"] == "false" for row in rows("dictionary/indicators")[7:])
    assert all(row["sector"] == "education" for row in seven)


def test_adjacent_outcomes_carry_another_sector_and_adjacent_indicators() -> None:
    sectors = {row["outcome_id"]: row["sector"] for row in rows("dictionary/outcomes")}
    adjacent = {outcome for outcome, sector in sectors.items() if sector != "education"}
    assert len(sectors) - len(adjacent) == 7
    for row in rows("dictionary/indicators"):
        assert (row["role"] == "adjacent") == (row["outcome_id"] in adjacent), row["indicator_id"]
        assert row["role"] != "adjacent" or row["sector_profile"] == sectors[row["outcome_id"]], row["indicator_id"]


def test_dimensions_name_reference_groups_that_they_have() -> None:
    groups = {(row["dimension"], row["group_code"]) for row in rows("dictionary/groups")}
    levels = ("district", "school", "county", "zip", "neighborhood")
    kinds = defaultdict(list)
    for row in rows("dictionary/dimensions"):
        kinds[row["kind"]].append(row["dimension"])
        if row["reference_group"]:
            assert (row["dimension"], row["reference_group"]) in groups, row
        assert (row["geography_level"] in levels) == (row["kind"] == "geographic"), row
        if row["kind"] == "demographic":
            assert any(dimension == row["dimension"] for dimension, _ in groups), row
    assert kinds["total"] == ["all"]
    assert len(groups) == len(rows("dictionary/groups"))
    assert {dimension for dimension, _ in groups} <= column("dictionary/dimensions", "dimension")


def test_units_convert_into_units_that_are_stored_as_themselves() -> None:
    units = {row["unit"]: row for row in rows("dictionary/units")}
    for row in units.values():
        stored = units[row["stored_unit"]]
        assert stored["stored_unit"] == stored["unit"] and float(stored["factor"]) == 1.0, row
        assert float(row["factor"]) > 0, row
        assert float(row["minimum"]) < float(row["maximum"]), row
        assert (row["minimum"], row["maximum"]) == (stored["minimum"], stored["maximum"]), row


def test_a_mask_has_one_meaning_whatever_its_case() -> None:
    masks = [fold(row["mask"]) for row in rows("dictionary/masks")]
    assert len(masks) == len(set(masks))
    assert column("dictionary/masks", "value_status") == {"suppressed_at_source", "not_applicable", "not_collected"}


def test_communities_have_folder_names_states_and_sensible_years() -> None:
    seen = set()
    for row in rows("network/communities"):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", row["community_id"]), row
        assert re.fullmatch(r"[A-Z]{2}", row["state"]), row
        assert row["name"] and 2015 <= int(row["joined_year"]) <= 2022, row
        assert not row["left_year"] or int(row["left_year"]) > int(row["joined_year"]), row
        assert row["encoding"] in ("", "cp1252"), row
        seen.add(row["community_id"])
    assert len(seen) == len(rows("network/communities")) == 70


def test_the_calendar_has_every_year_once_and_is_due_at_the_end_of_november() -> None:
    calendar = rows("network/calendar")
    assert [int(row["reporting_year"]) for row in calendar] == list(range(2000, 2036))
    for row in calendar:
        year = int(row["reporting_year"])
        assert dt.date.fromisoformat(row["due_on"]) == dt.date(year, 11, 30)
        assert dt.date.fromisoformat(row["opens_on"]) < dt.date(year, 11, 30)


def test_waivers_are_of_known_members_with_a_reason_and_an_approver() -> None:
    joined = {row["community_id"]: int(row["joined_year"]) for row in rows("network/communities")}
    keys = [(row["community_id"], row["reporting_year"]) for row in rows("network/waivers")]
    assert len(keys) == len(set(keys))
    for row in rows("network/waivers"):
        assert int(row["reporting_year"]) >= joined[row["community_id"]], row
        assert row["reason"] and row["approver"], row


def test_places_are_of_members_never_named_like_one_and_of_a_known_kind() -> None:
    members = column("network/communities", "community_id")
    assert not column("network/geographies", "geography_id") & members
    assert column("network/geographies", "community_id") <= members
    levels = {"district", "school", "county", "zip", "neighborhood"}
    assert column("network/geographies", "geography_level") <= levels
