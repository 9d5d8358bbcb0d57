"""What a changed folder changed: found in two small states made by hand, kept, and put into words.

Belongs here: claims about changes.py, change_words.py and change_log.py on tables of a few rows.
Does not: real releases (tests/integration/test_changes.py), the receipt's page (test_receipt_page.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.lib.base.store import Store
from dagster_project.lib.receipts.change_log import ChangeLog
from dagster_project.lib.receipts.change_words import (
    PREDICTED,
    TOLD,
    change_lines,
    sections,
    summary,
    value_rows,
    years_text,
)
from dagster_project.lib.receipts.changes import (
    COUNTED,
    ChangedFolder,
    State,
    changed_folders,
    changes_between,
)

GRADUATION = "graduation_4yr_pct"
KEYS = {
    "fct_indicator_value": (
        "community_id", "indicator_id", "population_group_id", "geography_id", "school_year", "series", "period",
    ),
    "fct_trend": ("community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year"),
    "fct_gap": ("community_id", "indicator_id", "population_group_id", "geography_id", "reporting_year"),
    "fct_outcome_status": ("community_id", "outcome_id", "reporting_year"),
    "fct_designation": ("community_id", "designation", "reporting_year"),
    "fct_gateway_status": ("community_id", "reporting_year"),
    "fct_criterion_status": ("community_id", "criterion_id", "reporting_year"),
}  # fmt: skip
NAMES = {
    "dim_indicator": pl.DataFrame({"indicator_id": [GRADUATION], "name": ["Students who graduate"]}),
    "dim_outcome": pl.DataFrame({"outcome_id": ["high_school_graduation"], "name": ["High school graduation"]}),
    "dim_population_group": pl.DataFrame(
        [("all", "All"), ("race_ethnicity:black", "Black"), ("race_ethnicity:white", "White")],
        schema=["population_group_id", "label"],
        orient="row",
    ),
    "dim_criterion": pl.DataFrame({"criterion_id": ["emerging.1.1"], "statement": ["A report card is public"]}),
    "dim_geography": pl.DataFrame(
        {"community_id": ["a", "a"], "geography_id": ["a", "a-north"], "name": ["Alder", "North district"]}
    ),
}  # fmt: skip
SCHEMAS: dict[str, dict[str, Any]] = {
    "fct_indicator_value": {
        "unit": pl.String, "origin": pl.String, "value": pl.Float64, "value_low": pl.Float64, "value_high": pl.Float64,
        "numerator": pl.Int64, "denominator": pl.Int64, "value_status": pl.String, "submission_id": pl.String,
        "source_file": pl.String, "source_sheet": pl.String, "source_row": pl.Int32,
    },
    "fct_trend": {"trend_status": pl.String},
    "fct_gap": {"gap_status": pl.String, "reference_group_id": pl.String},
    "fct_outcome_status": {"trend_status": pl.String, "gap_reduced": pl.String},
    "fct_designation": {
        "status": pl.String, "standing": pl.String, "record_state": pl.String, "status_now": pl.String,
        "standing_now": pl.String,
    },
    "fct_gateway_status": {"operating_in": pl.String},
    "fct_criterion_status": {"status": pl.String},
}  # fmt: skip
YEARS = frozenset({"school_year", "reporting_year"})


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    """A mart with the columns that are compared."""
    keys = {key: pl.Int32 if key in YEARS else pl.String for key in KEYS[name]}
    return pl.DataFrame(list(rows), schema={**keys, **SCHEMAS[name]})


def value(submission: str, year: int = 2018, **changes: Any) -> dict[str, Any]:
    """A value of community a, 60 of 100 graduates unless told otherwise."""
    return {
        "community_id": "a", "indicator_id": GRADUATION, "population_group_id": "all", "geography_id": "a",
        "school_year": year, "series": "default", "period": "annual", "unit": "percent", "origin": "submitted",
        "value": 60.0, "value_low": None, "value_high": None, "numerator": 60, "denominator": 100,
        "value_status": "reported", "submission_id": submission, "source_file": "values.csv", "source_sheet": "",
        "source_row": 2,
    } | changes  # fmt: skip


def trend(status: str | None, year: int = 2018, **changes: Any) -> dict[str, Any]:
    """The trend of community a as known in a reporting year."""
    return {
        "community_id": "a", "indicator_id": GRADUATION, "population_group_id": "all", "geography_id": "a",
        "reporting_year": year, "trend_status": status,
    } | changes  # fmt: skip


def state(inputs: dict[tuple[str, int], str], release: str | None = "r1", **rows: list[dict[str, Any]]) -> State:
    """What was released from these folders, by place."""
    lines = [
        {"community_id": community, "reporting_year": year, "submission_id": submission}
        for (community, year), submission in inputs.items()
    ]
    facts = {"release_id": release, "today": "2018-12-31", "inputs": lines, "figures_version": "1", "seeds_sha256": "s"}
    return State(facts, {**{name: table(name, *rows.get(name, [])) for name in KEYS}, **NAMES})


def told(before: State | None, after: State, year: int = 2018) -> dict[str, Any]:
    """The changes of one folder of community a, as a receipt tells them."""
    return {"state": TOLD, **changes_between(before, after, KEYS)["a", year]}


OLD, NEW = {("a", 2018): "old"}, {("a", 2018): "new"}


# --- Which folders -------------------------------------------------------------------------------------------------


def test_first_replaced_and_withdrawn_folders_are_told_apart() -> None:
    before = state({("a", 2016): "x", ("a", 2017): "y", ("b", 2017): "same"}).facts["inputs"]
    after = state({("a", 2016): "z", ("a", 2018): "w", ("b", 2017): "same"}).facts["inputs"]
    found = changed_folders([*before, {"community_id": None, "reporting_year": 2016, "submission_id": None}], after)
    assert [(folder.reporting_year, folder.kind) for folder in found] == [
        (2016, "replaced"), (2017, "withdrawn"), (2018, "first"),
    ]  # fmt: skip


def test_a_folder_that_did_not_change_has_nothing_told() -> None:
    both = {("a", 2017): "kept", ("b", 2018): "kept"}
    before, after = state({**both, **OLD}), state({**both, **NEW}, "r2")
    assert set(changes_between(before, after, KEYS)) == {("a", 2018)}


# --- Values --------------------------------------------------------------------------------------------------------


def test_values_are_told_as_changed_new_gone_or_as_before() -> None:
    before = state(OLD, fct_indicator_value=[value("old"), value("old", 2017), value("old", 2016)])
    now = [value("new", value=50.0, numerator=50), value("new", 2017, source_row=9), value("new", 2015)]
    changes = told(before, state(NEW, "r2", fct_indicator_value=now))
    assert changes["totals"]["values"] == {"added": 1, "gone": 1, "changed": 1, "same": 1}
    assert [(row["school_year"], row["change"]) for row in changes["values"]] == [
        (2015, "added"), (2016, "gone"), (2018, "changed"),
    ]  # fmt: skip
    (changed,) = [row for row in changes["values"] if row["change"] == "changed"]
    assert (changed["before"]["value"], changed["after"]["value"]) == (60.0, 50.0)
    assert (changed["before"]["submission_id"], changed["after"]["submission_id"]) == ("old", "new")
    assert changed["after"]["source_file"] == "values.csv"


def test_a_value_of_another_folder_comes_back_when_its_restatement_goes() -> None:
    folders = {("a", 2017): "early", ("a", 2018): "old"}
    before = state(folders, fct_indicator_value=[value("old", 2017, value=61.0)])
    after = state({**folders, ("a", 2018): "new"}, "r2", fct_indicator_value=[value("early", 2017)])
    (row,) = told(before, after)["values"]
    assert (row["change"], row["before"]["value"], row["after"]["value"]) == ("changed", 61.0, 60.0)


def test_values_that_neither_folder_holds_are_not_told() -> None:
    before = state(OLD, fct_indicator_value=[value("other", 2010)])
    after = state(NEW, "r2", fct_indicator_value=[value("another", 2010, value=1.0)])
    assert told(before, after)["totals"]["values"] == {"added": 0, "gone": 0, "changed": 0, "same": 0}


def test_a_pooled_value_is_told_wherever_its_districts_came_from() -> None:
    before = state(OLD, fct_indicator_value=[value("other", origin="pooled")])
    after = state(NEW, "r2", fct_indicator_value=[value("other", origin="pooled", value=70.0)])
    assert [row["change"] for row in told(before, after)["values"]] == ["changed"]


def test_figures_are_compared_at_ten_significant_digits() -> None:
    before = state(OLD, fct_indicator_value=[value("old", value=200 / 3)])
    after = state(NEW, "r2", fct_indicator_value=[value("new", value=200 / 3 * (1 + 1e-13))])
    assert told(before, after)["totals"]["values"]["same"] == 1


@pytest.mark.parametrize(
    ("column", "now", "said"),
    [
        ("value_status", "derived", ("60% reported", "60% derived")),
        ("value", 60.0400000001, ("60% reported", "60.04% reported")),
    ],
)
def test_a_difference_that_rounding_hides_is_still_seen_in_words(column: str, now: Any, said: tuple[str, str]) -> None:
    before = state(OLD, fct_indicator_value=[value("old")])
    (row,) = value_rows(told(before, state(NEW, "r2", fct_indicator_value=[value("new", **{column: now})])))
    assert (row["before"], row["after"]) == said


def test_masks_and_ranges_are_words_and_not_blanks() -> None:
    masked = {"value": None, "numerator": None, "denominator": None}
    before = state(OLD, fct_indicator_value=[value("old", **masked, value_status="suppressed_at_source")])
    now = [value("new", **masked, value_low=0.0, value_high=5.0, value_status="range")]
    (row,) = value_rows(told(before, state(NEW, "r2", fct_indicator_value=now)))
    assert (row["before"], row["after"]) == ("suppressed at source", "0.0 to 5.0%")


# --- Statuses ------------------------------------------------------------------------------------------------------


def test_a_trend_that_flips_is_told_for_every_reporting_year_in_one_line() -> None:
    before = state(OLD, fct_trend=[trend("improving", year) for year in (2016, 2017, 2018, 2020)])
    after = state(NEW, "r2", fct_trend=[trend("improving", 2016), *(trend("declining", y) for y in (2017, 2018, 2020))])
    changes = told(before, after)
    assert changes["totals"]["statuses"] == {"added": 0, "gone": 0, "changed": 3}
    (section,) = sections(changes)
    assert section.heading == "Trends"
    assert list(section.lines) == [
        "Students who graduate, everyone: was improving, is now declining (reporting years 2017, 2018 and 2020)"
    ]


def test_a_row_is_called_by_the_names_of_the_dimension_tables() -> None:
    group = {"population_group_id": "race_ethnicity:black"}
    gap = {**trend(None, **group), "gap_status": "widened", "reference_group_id": "race_ethnicity:white"}
    del gap["trend_status"]
    rows = {
        "fct_trend": [trend("maintained", **group), trend("maintained", geography_id="a-north")],
        "fct_gap": [gap],
        "fct_outcome_status": [
            {"community_id": "a", "outcome_id": "high_school_graduation", "reporting_year": 2018, "gap_reduced": "met"}
        ],
        "fct_criterion_status": [
            {"community_id": "a", "criterion_id": "emerging.1.1", "reporting_year": 2018, "status": "met"}
        ],
        "fct_gateway_status": [{"community_id": "a", "reporting_year": 2018, "operating_in": "emerging"}],
    }
    lines = [line for section in sections(told(state(OLD), state(NEW, "r2", **rows))) for line in section.lines]
    assert [line.removesuffix(" (reporting year 2018)") for line in lines] == [
        "Students who graduate, everyone, North district: is maintained, was not judged before",
        "Students who graduate, Black: is maintained, was not judged before",
        "Students who graduate, Black, compared with White: is widened, was not judged before",
        "High school graduation, gaps: is reduced, was not judged before",
        "The gateway you work in: is Emerging, was not judged before",
        "emerging.1.1: A report card is public: is met, was not judged before",
    ]


def test_a_code_without_a_name_stands_for_itself() -> None:
    after = state(NEW, "r2", fct_trend=[trend("improving", indicator_id="unheard_of")])
    assert told(state(OLD), after)["statuses"][0]["label"] == "unheard_of, everyone"


def test_a_judgement_that_is_made_no_more_is_gone() -> None:
    changes = told(state(OLD, fct_trend=[trend("improving")]), state(NEW, "r2"))
    assert changes["totals"]["statuses"] == {"added": 0, "gone": 1, "changed": 0}
    assert "was improving, is not judged any more" in sections(changes)[0].lines[0]


# --- Eligibility ---------------------------------------------------------------------------------------------------


def determination(status: str, now: str, frozen: bool, standing: str = "none") -> dict[str, Any]:
    return {
        "community_id": "a", "designation": "proof_point_initial", "reporting_year": 2018, "status": status,
        "standing": standing, "record_state": "frozen" if frozen else "provisional", "status_now": now,
        "standing_now": standing,
    }  # fmt: skip


def test_a_provisional_determination_flips() -> None:
    before = state(OLD, fct_designation=[determination("eligible", "eligible", frozen=False)])
    after = state(NEW, "r2", fct_designation=[determination("not_eligible", "not_eligible", False, "active")])
    changes = told(before, after)
    assert changes["totals"]["eligibility"] == {"added": 0, "gone": 0, "changed": 2, "frozen": 0}
    assert list(sections(changes)[0].lines) == [
        "Proof Point, initial, requirements: was eligible, is now not eligible (reporting year 2018)",
        "Proof Point, initial, standing: was none, is now active (reporting year 2018)",
    ]


def test_a_frozen_determination_does_not_flip_and_says_so() -> None:
    before = state(OLD, fct_designation=[determination("eligible", "eligible", frozen=True)])
    after = state(NEW, "r2", fct_designation=[determination("eligible", "not_eligible", frozen=True)])
    changes = told(before, after)
    assert changes["totals"]["eligibility"] == {"added": 0, "gone": 0, "changed": 0, "frozen": 1}
    (line,) = sections(changes)[0].lines
    assert "frozen, so it stays; today's values gave eligible, now not eligible" in line
    assert any("stays as it was decided" in sentence for sentence in summary(changes))


# --- First submissions, and what else changed ----------------------------------------------------------------------


def test_what_a_first_submission_adds_is_counted_and_not_listed() -> None:
    after = state(NEW, fct_indicator_value=[value("new"), value("new", 2017)], fct_trend=[trend("improving")])
    changes = told(None, after)
    assert changes["kind"] == "first" and changes["previous_release_id"] is None
    assert changes["totals"]["values"] == {"added": 2, "gone": 0, "changed": 0, "same": 0}
    assert changes["totals"]["statuses"]["added"] == 1
    assert [changes[kind] for kind in COUNTED] == [[], [], []]
    assert "everything it gives is new" in summary(changes)[0]


def test_what_a_first_submission_turns_round_is_listed() -> None:
    folders = {("a", 2017): "early"}
    before = state(folders, fct_trend=[trend("improving")])
    changes = told(before, state({**folders, **NEW}, "r2", fct_trend=[trend("declining"), trend("improving", 2019)]))
    assert changes["totals"]["statuses"] == {"added": 1, "gone": 0, "changed": 1}
    assert [row["after"] for row in changes["statuses"]] == ["declining"]


def test_other_causes_of_the_same_release_are_named() -> None:
    before = state({**OLD, ("a", 2016): "x", ("_network", 2018): "n", ("b", 2018): "y"})
    after = state({**NEW, ("a", 2016): "z", ("_network", 2018): "m", ("b", 2018): "v"}, "r2")
    after = State({**after.facts, "seeds_sha256": "changed"}, after.tables)
    changes = told(before, after)
    assert changes["also_changed"] == {"folders": ["_network/2018", "a/2016"], "causes": ["reference_data"]}
    assert summary(changes)[-1].startswith(
        "Changed in the same release: your folder of 2016, decisions of the network and the network's reference data."
    )


def test_what_an_older_manifest_does_not_state_is_no_cause() -> None:
    before = state(OLD)
    old = State({name: fact for name, fact in before.facts.items() if name != "seeds_sha256"}, before.tables)
    assert told(old, state(NEW, "r2"))["also_changed"]["causes"] == []


def test_a_table_or_column_that_an_older_release_lacks_counts_as_not_judged_before() -> None:
    tables = {name: frame for name, frame in state(OLD).tables.items() if name != "fct_gateway_status"}
    tables["fct_designation"] = tables["fct_designation"].select(*KEYS["fct_designation"], "status", "standing")
    rows = {"fct_gateway_status": [{"community_id": "a", "reporting_year": 2018, "operating_in": "emerging"}]}
    changes = told(State(state(OLD).facts, tables), state(NEW, "r2", **rows))
    assert changes["totals"]["eligibility"] == {"added": 1, "gone": 0, "changed": 0, "frozen": 0}


def test_nothing_changed_is_said_and_not_left_blank() -> None:
    rows = {"fct_indicator_value": [value("old")], "fct_trend": [trend("improving")]}
    same = told(state(OLD, **rows), state(NEW, "r2", **{**rows, "fct_indicator_value": [value("new")]}))
    assert summary(same) == [
        "Values: 1 as before.",
        "Trends, gaps and outcomes: nothing changed.",
        "Designations, gateway and criteria: nothing changed.",
    ]
    assert not sections(same) and not value_rows(same)


# --- Words ---------------------------------------------------------------------------------------------------------


def test_a_section_says_how_many_lines_it_leaves_out_and_a_terminal_shows_all() -> None:
    many = [trend("improving", population_group_id=f"g:{n:03d}") for n in range(40)]
    changes = told(state(OLD), state(NEW, "r2", fct_trend=many))
    (section,) = sections(changes)
    assert (len(section.lines), section.more, section.key) == (25, 15, "statuses")
    assert sum("is improving" in line for line in change_lines(changes)) == 40


def test_a_prediction_speaks_of_what_would_be() -> None:
    before, after = state(OLD, fct_trend=[trend("improving")]), state(NEW, None, fct_trend=[trend("declining")])
    changes = {**told(before, after), "state": PREDICTED, "computed_anew": False}
    lines = list(change_lines(changes))
    assert lines[0] == "What this would change:"
    assert any("is improving, would be declining" in line for line in lines)
    assert any("Against release r1" in line for line in lines)


@pytest.mark.parametrize(
    ("years", "text"),
    [([2018], "2018"), ([2018, 2017], "2017 and 2018"), ([2015, 2016, 2017, 2019], "2015 to 2017 and 2019")],
)
def test_years_are_told_in_spans(years: list[int], text: str) -> None:
    assert years_text(years) == text


# --- Kept ----------------------------------------------------------------------------------------------------------


def test_the_log_keeps_the_newest_change_of_each_folder(tmp_path: Path) -> None:
    log = ChangeLog(Store(str(tmp_path)))
    assert (log.records(), log.told) == ({}, None)

    def change(number: int) -> dict[str, Any]:
        return {"previous_submission_id": None, "release_id": f"r{number}", "previous_release_id": None, "text": "ä"}

    log.keep({("a", 2018, "s1"): change(1), ("b", 2018, "t1"): change(1)})
    log.keep({("a", 2018, "s2"): change(2), ("c", 2018, None): change(2)})
    log.tell("r2")
    assert log.records() == {
        ("a", 2018, "s2"): change(2), ("b", 2018, "t1"): change(1), ("c", 2018, None): change(2),
    }  # fmt: skip
    assert log.told == "r2"


def test_a_withdrawn_folder_is_known_by_no_submission() -> None:
    assert ChangedFolder("a", 2018, "old", None).kind == "withdrawn"
    changes = told(state(OLD, fct_indicator_value=[value("old")]), state({}, "r2"))
    assert (changes["kind"], changes["totals"]["values"]["gone"]) == ("withdrawn", 1)
