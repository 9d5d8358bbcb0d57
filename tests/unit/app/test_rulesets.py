"""Two rulesets over the same data: the earlier public definition beside the one in force.

Belongs here: made-up communities where nothing but the 60 % rule decides, choosing a ruleset, telling what would move.
Does not: a whole rehearsal (tests/integration/test_cycle.py), requirements one by one (tests/unit/rubric).
"""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

from dagster_project.cli.cycle import rehearsal_lines
from dagster_project.lib.app.rehearsal import Rehearsal, TableMoves, choose_ruleset, kind_of
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.publish.release.compare import CellDifference
from dagster_project.lib.receipts.changes import compare_designations
from tests.unit.rubric.conftest import COMMUNITY, SEEDS, analysed, complete_world

YEAR = 2022
TOA, PUBLIC = ("toa-default", "1.0.0"), ("public-2018", "0.9.0")
NAME = "proof_point_initial"


@cache
def determined(ruleset: tuple[str, str], improving: int, maintained: int, of: int) -> pl.DataFrame:
    """fct_designation of a community that meets every gateway; of its core indicators so many improve, stay, fall."""
    world = complete_world(YEAR)
    world.ruleset_id, world.ruleset_version = ruleset
    selection = world.tables["indicator_selection"]
    core = selection.filter(role="core")["indicator"].sort().to_list()[:of]
    world.tables["indicator_selection"] = selection.filter((pl.col("role") != "core") | pl.col("indicator").is_in(core))
    slopes = [2.0] * improving + [0.0] * maintained + [-2.0] * (of - improving - maintained)
    slope = pl.col("indicator_id").replace_strict(dict(zip(core, slopes, strict=True)), default=0.0)
    values = world.tables["int_values__known"].with_columns(
        (50.0 + slope * (pl.col("school_year") - YEAR)).alias("value"),
        pl.lit("reported").alias("value_status"),
        pl.lit(100, pl.Int64).alias("denominator"),
        pl.lit("default").alias("series"),
        pl.col("school_year").alias("known_from"),
    )
    world.tables["int_values__known"] = values
    return analysed(world, values).tables["fct_designation"].filter(reporting_year=YEAR)


def status(ruleset: tuple[str, str], *shape: int) -> str:
    return str(determined(ruleset, *shape).filter(designation=NAME)["status"].item())


@pytest.mark.parametrize(
    ("improving", "of", "expected"),
    [(2, 5, "not_eligible"), (3, 5, "eligible"), (4, 5, "eligible"), (4, 7, "not_eligible"), (5, 7, "eligible")],
)
def test_sixty_percent_improving_is_enough_under_the_earlier_definition_and_less_is_not(
    improving: int, of: int, expected: str
) -> None:
    assert status(PUBLIC, improving, 0, of) == expected


def test_maintained_indicators_count_today_and_did_not_then() -> None:
    assert status(TOA, 2, 2, 5) == "eligible"
    assert status(PUBLIC, 2, 2, 5) == "not_eligible"


@pytest.mark.parametrize(
    ("shape", "moved"),
    [
        ((3, 0, 5), ("not_eligible", "eligible")),
        ((2, 2, 5), ("eligible", "not_eligible")),
        ((4, 0, 5), None),
        ((2, 0, 5), None),
    ],
)
def test_two_rulesets_differ_exactly_where_the_sixty_percent_rule_decides(
    shape: tuple[int, int, int], moved: tuple[str, str] | None
) -> None:
    found = compare_designations(determined(TOA, *shape), determined(PUBLIC, *shape)).filter(designation=NAME)
    rows = list(found.select("community_id", "status_before", "status_after").iter_rows())
    assert rows == ([] if moved is None else [(COMMUNITY, *moved)])


def test_designations_that_a_ruleset_does_not_know_are_told_as_gone() -> None:
    found = compare_designations(determined(TOA, 3, 0, 5), determined(PUBLIC, 3, 0, 5))
    gone = found.filter(pl.col("status_after").is_null())["designation"]
    assert gone.to_list() == ["proof_point_ongoing", "systems_transformation"]


def test_of_a_frozen_determination_what_would_be_now_is_compared() -> None:
    before = determined(TOA, 3, 0, 5)
    held = {"record_state": "frozen", "status": "undetermined", "standing": "none"}
    now = [pl.col(name).alias(f"{name}_now") for name in ("status", "standing")]
    frozen = before.with_columns(now).with_columns(pl.lit(value).alias(name) for name, value in held.items())
    assert compare_designations(before, frozen).is_empty()
    moved = frozen.with_columns(status_now=pl.lit("eligible"))
    assert compare_designations(frozen, moved)["frozen"].all()


def test_without_a_choice_the_ruleset_in_force_is_taken() -> None:
    reference = Reference(SEEDS)
    assert choose_ruleset(reference, None, TOA) == TOA
    assert choose_ruleset(reference, "public-2018", TOA) == PUBLIC
    assert choose_ruleset(reference, "public-2018@0.9.0", TOA) == PUBLIC


def test_of_a_ruleset_with_several_versions_one_must_be_named_unless_one_is_in_force() -> None:
    assert choose_ruleset(Reference(SEEDS), "toa-default", ("toa-default", "1.1.0")) == ("toa-default", "1.1.0")
    with pytest.raises(ValueError, match=r"1\.0\.0.*1\.1\.0"):
        choose_ruleset(Reference(SEEDS), "toa-default", PUBLIC)


@pytest.mark.parametrize("wanted", ["nobody-1999", "public-2018@7.0.0"])
def test_a_ruleset_that_the_seeds_lack_is_an_error_that_names_it(wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted.split("@", maxsplit=1)[0]):
        choose_ruleset(Reference(SEEDS), wanted, TOA)


def rehearsal(cells: int) -> Rehearsal:
    moved = [CellDifference("fct_trend", f"a|{n}", "slope", 1.0, 2.0) for n in range(cells)]
    return Rehearsal(
        release_id="2022-12-31-0123456789ab",
        ruleset=PUBLIC,
        changed_folders=("a/2022",),
        tables=(TableMoves(kind_of("fct_trend"), "fct_trend", 0, 0, cells),),
        designations=compare_designations(determined(TOA, 3, 0, 5), determined(PUBLIC, 3, 0, 5)),
        cells=tuple(moved),
    )


def test_a_rehearsal_is_told_by_counts_then_determinations_then_cells() -> None:
    lines = rehearsal_lines(rehearsal(5), 3)
    assert lines[0] == "Against release 2022-12-31-0123456789ab, under public-2018 0.9.0."
    assert "a/2022" in lines[1]
    order = [
        "  fct_trend: 5 cells, 0 new rows, 0 rows gone",
        "Determinations that would come out otherwise: 1",
        f"  {COMMUNITY}  {NAME}  {YEAR}  not_eligible -> eligible",
        "  proof_point_ongoing: 1 no longer determined",
        "  a|2  slope: 1.0 -> 2.0",
        "  and 2 more (--all prints them)",
    ]
    places = [lines.index(line) for line in order]
    assert places == sorted(places)
    assert "  a|4  slope: 1.0 -> 2.0" in rehearsal_lines(rehearsal(5), None)


def test_kinds_of_tables_are_told_apart() -> None:
    kinds = {name: kind_of(name) for name in ("fct_indicator_value", "fct_gap", "fct_designation", "dim_outcome")}
    assert list(kinds.values()) == ["values", "statuses", "designations", "reference"]
