"""The public room: what is selected, how it is written, what is kept, what is put out again and taken down.

Belongs here: a small network through `protect` and the public tables to files, canaries in their bytes.
Does not: which cells are withheld (tests/unit/disclosure), the command (tests/integration/test_public_edition.py).
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import stat
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from dagster_project.lib.analysis.tables import TABLES
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import in_force_on, read_ruleset
from dagster_project.lib.base.state import StateError
from dagster_project.lib.base.store import Store, remove_whole
from dagster_project.lib.base.successions import CommunityIds
from dagster_project.lib.disclosure import Audit, DisclosureInputs, Failure, load_profile, protect
from dagster_project.lib.publish.public import edition
from dagster_project.lib.publish.public.decisions import implied_verdicts, public_requirements
from dagster_project.lib.publish.public.declared import declared_public
from dagster_project.lib.publish.public.edition import (
    AuditFailedError,
    Candidate,
    Places,
    WithdrawnEditionError,
    publish_public,
    take_down,
)
from dagster_project.lib.publish.public.files import field_type, flat, guarded, write_tables
from dagster_project.lib.publish.public.pages import Told
from dagster_project.lib.publish.public.register import KEY_FILE, Register
from dagster_project.lib.publish.public.selection import PublicTable, SelectionError, read_not_public, read_selection
from dagster_project.lib.publish.public.shown import current_public, out_and_unknown, unknown_words
from dagster_project.lib.publish.public.tables import Terms, finding_counts, public_tables
from dagster_project.lib.publish.release.compare import VALUE_TABLE
from dagster_project.lib.publish.report.marts import RuleParameter
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords, Word, declared_marts

ROOT = Path(__file__).resolve().parents[3]
SEEDS = ROOT / "seeds"
TODAY = dt.date(2025, 1, 1)
TOWN, READING = "oakvale", "grade3_reading_proficient_pct"
WHITE, BLACK = "race_ethnicity:white", "race_ethnicity:black"
YEARS = range(2021, 2025)
# A score that rests on three people, and texts that never leave the house.
SECRET_VALUE, SECRET_N = 1234.567891, 3
SECRETS = ("a note of the district", "secret_upload.csv", "s-1234567890", "PrivateSource")
TERM = {"community_id": "all", "indicator": None, "basis": "agreement", "from": None, "to": None}


def value(group: str, year: int, k: int | None, n: int | None, **more: object) -> dict[str, object]:
    """One row of fct_indicator_value with everything that the internal mart has."""
    return {
        "community_id": TOWN,
        "indicator_id": READING,
        "population_group_id": group,
        "geography_id": TOWN,
        "geography_level": "community",
        "school_year": year,
        "series": "default",
        "period": "annual",
        "unit": "percent",
        "value": 100.0 * k / n if k is not None and n else None,
        "value_low": None,
        "value_high": None,
        "numerator": k,
        "denominator": n,
        "value_status": "derived",
        "coverage": None,
        "participation_rate": None,
        "origin": "submitted",
        "n_districts": 1,
        "data_source": "PrivateSource",
        "note": "a note of the district",
        "reporting_year": year,
        "submission_id": "s-1234567890",
        "source_file": "secret_upload.csv",
        "source_sheet": None,
        "source_row": 7,
        "source_column": None,
        "layout_id": "contract",
        **more,
    }


PLACES = dict.fromkeys(
    ("community_id", "geography_id", "name", "geography_level", "parent_id", "code_system", "code", "known_by"),
    pl.String,
) | {"valid_from": pl.Int32, "valid_to": pl.Int32}
INTEGERS = ("school_year", "reporting_year", "source_row", "n_districts")
COUNTS = ("numerator", "denominator")
FLOATS = ("value", "value_low", "value_high", "coverage", "participation_rate")
VALUE_SCHEMA = {
    name: pl.Int32 if name in INTEGERS else pl.Int64 if name in COUNTS else pl.Float64 if name in FLOATS else pl.String
    for name in value("all", 2024, 1, 2)
}


def values() -> pl.DataFrame:
    """A town whose black third graders are few in one year, and whose mean score rests on three people."""
    rows = []
    for year in YEARS:
        black = (3, 7) if year == 2022 else (20 + year - 2020, 40)
        white = (50 + year - 2020, 90)
        rows += [value(BLACK, year, *black), value(WHITE, year, *white)]
        rows.append(value("all", year, black[0] + white[0], black[1] + white[1]))
    score = {"indicator_id": "mean_score", "unit": "score", "value": SECRET_VALUE}
    rows.append(value("all", 2024, None, SECRET_N, **score))
    return pl.DataFrame(rows, schema=VALUE_SCHEMA, orient="row")


def table(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    """A computed table in its declared form; columns that a row lacks are null."""
    schema = dict(TABLES[name].schema)
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def marts() -> dict[str, pl.DataFrame]:
    """The internal marts, as far as this town has any."""
    cell = {"community_id": TOWN, "indicator_id": READING, "geography_id": TOWN, "reporting_year": 2024}
    window = {"first_year": 2021, "last_year": 2024, "n_years": 4, "series": "default", "ruleset_version": "1"}
    held = values()
    points = [
        {**cell, **row, "reporting_year": 2024, "used": row["indicator_id"] == READING and row["value"] is not None}
        for row in held.iter_rows(named=True)
    ]
    trends = [
        {**cell, **window, "population_group_id": group, "slope": 1.0, "trend_status": "improving"}
        for group in ("all", WHITE, BLACK)
    ]
    gap = {**cell, **window, "population_group_id": BLACK, "reference_group_id": WHITE, "group_slope": 1.0}
    gap |= {"gap_status": "narrowed", "standing": "burdened", "dimension": "race_ethnicity"}
    outcome = {"community_id": TOWN, "outcome_id": "early_grade_reading", "reporting_year": 2024}
    outcome |= {"trend_status": "improving", "gap_reduced": "met", "deciding_indicator_id": READING}
    requirement = {"community_id": TOWN, "designation": "systems_transformation", "reporting_year": 2024}
    requirement |= {"requirement_id": "systems_transformation.10.3", "required": 1.0, "actual": 1.0, "status": "met"}
    return {
        "dim_community": pl.DataFrame(
            {"community_id": [TOWN], "name": ["=Oakvale"], "state": ["OH"], "joined_year": [2015], "left_year": [None]},
            schema_overrides={"left_year": pl.Int32},
        ),
        "fct_indicator_value": held,
        "fct_trend": table("fct_trend", trends),
        "fct_trend_point": table("fct_trend_point", points),
        "fct_gap": table("fct_gap", [gap]),
        "fct_gap_year": table(
            "fct_gap_year",
            [
                {**cell, "population_group_id": BLACK, "reference_group_id": WHITE, "series": "default", "used": True}
                | {"school_year": year, "group_value": 100.0 * 3 / 7 if year == 2022 else 52.5, "gap": 1.0}
                for year in YEARS
            ],
        ),
        "fct_outcome_status": table("fct_outcome_status", [outcome]),
        "dim_geography": pl.DataFrame(schema=PLACES),
        "dim_reporting_year": pl.DataFrame(
            {"reporting_year": [2024, 2025], "is_latest": [True, False]}
            | dict.fromkeys(("opens_on", "due_on", "reporting_year_date")),
            schema_overrides={"reporting_year": pl.Int32},
        ),
        "fct_target_progress": table("fct_target_progress", []),
        "fct_designation_requirement": table(
            "fct_designation_requirement", [{**requirement, "measure": "outcome_gaps"}]
        ),
        "fct_finding": pl.DataFrame(
            {
                "community_id": [TOWN, TOWN, None],
                "reporting_year": [2024, 2024, None],
                "rule_id": ["value_jump", "value_jump", "unknown_folder"],
                "severity": ["explainable"] * 2 + ["error"],
                "status": ["open"] * 3,
                "message": ["a note of the district"] * 3,
            }
        ),
        "fct_waiting_row": pl.DataFrame({"community_id": [TOWN], "source_file": ["secret_upload.csv"]}),
    }


def inputs(held: Mapping[str, pl.DataFrame], terms: pl.DataFrame) -> DisclosureInputs:
    """What the disclosure room is given of these marts."""
    directions = pl.DataFrame({"indicator_id": [READING, "mean_score"], "direction": [1, 1]})
    return DisclosureInputs(
        values=held["fct_indicator_value"],
        indicators=directions.with_columns(pl.lit("education").alias("sector_profile")),
        communities=held["dim_community"],
        geographies=pl.DataFrame({"community_id": [TOWN], "geography_id": [TOWN], "parent_id": [None]}).cast(pl.String),
        trend=held["fct_trend"],
        trend_point=held["fct_trend_point"],
        gap=held["fct_gap"],
        gap_year=held["fct_gap_year"],
        outcome_status=held["fct_outcome_status"],
        target_progress=held["fct_target_progress"],
        terms=terms,
        objections=pl.DataFrame(schema={"community_id": pl.String, "indicator": pl.String}),
        today=TODAY,
    )


def terms(*lines: dict[str, object]) -> pl.DataFrame:
    """publication_terms.csv of these lines; one that lets everything out by default."""
    return pl.DataFrame(list(lines) or [TERM], schema=dict.fromkeys(TERM, pl.String))


def made(held: Mapping[str, pl.DataFrame], said: pl.DataFrame | None = None) -> Candidate:
    """A candidate of these marts."""
    reference = Reference(SEEDS)
    said = terms() if said is None else said
    protected = protect(inputs(held, said), (), load_profile(reference), b"key")
    dimensions = dict(held)
    dimensions["dim_indicator"] = reference.indicators.with_columns(pl.lit(None).alias("question"))
    joined = held["dim_community"].select("community_id", "joined_year", "left_year")
    names = set(held)

    def read(name: str) -> pl.DataFrame | None:
        return dimensions["dim_indicator"] if name == "dim_indicator" else held.get(name)

    selected = {name: spec for name, spec in read_selection().items() if name in names}
    assert selected
    ruleset = read_ruleset(reference, in_force_on(reference, TODAY))
    tables = {
        name: frame
        for name, frame in _tolerant(read, protected, Terms(said, TODAY), ruleset, joined).items()
        if name != "dim_indicator"
    }
    return Candidate(tables, protected, "internal-1", {"today": TODAY.isoformat()}, {"name": "test"}, {}, {"n": 1}, {})


def _tolerant(read: Any, *rest: Any) -> dict[str, pl.DataFrame]:
    """The public tables; the seed's indicators stand for dim_indicator only as far as network figures need them."""

    def narrowed(name: str) -> pl.DataFrame | None:
        frame = read(name)
        if name != "dim_indicator" or frame is None:
            return frame
        wanted = read_selection()[name].columns
        return frame.with_columns(pl.lit(None, pl.String).alias(c) for c in wanted if c not in frame.columns)

    return public_tables(narrowed, *rest)


def places(folder: Path) -> Places:
    """Stores of one home."""
    stores = (Store(str(folder / name)) for name in ("public", "publish", "lake"))
    public, published, lake = stores
    return Places(public, published, lake, folder / "work")


def no_pages(database: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
    """No report."""
    assert database.parent == folder
    assert manifest["edition"] == "public"


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    return made(marts())


@pytest.fixture(scope="module")
def home(candidate: Candidate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    publish_public(places(folder), candidate, no_pages)
    return folder


def release_folder(home: Path) -> Path:
    (found,) = (home / "public" / "releases").iterdir()
    return found


# What is selected


def test_what_is_not_named_is_absent(candidate: Candidate) -> None:
    assert not {"fct_finding", "fct_waiting_row", "dim_submission"} & set(candidate.tables)
    for name, frame in candidate.tables.items():
        assert tuple(frame.columns) == read_selection()[name].columns, name


def test_no_id_of_a_file_or_submission_is_ever_selected() -> None:
    never = re.compile(
        r"submission_id|replaced_by|source_|record_id|layout_id|^note$|coverage|participation_rate|sha256"
    )
    named = [(name, column) for name, spec in read_selection().items() for column in spec.columns]
    assert [pair for pair in named if never.search(pair[1])] == []
    assert not [pair for pair in named if pair[1] in ("known_from", "n_districts", "evidence", "message", "found")]
    assert {pair[1] for pair in named if pair[0] == "fct_finding_count"} == {
        *("community_id", "reporting_year", "rule_id", "severity", "status", "n_findings")
    }


def test_a_declared_table_has_every_column_that_is_selected_of_it() -> None:
    made_here = {"n_withheld", "n_gap_withheld"}
    for name, spec in TABLES.items():
        if name in read_selection():
            assert set(read_selection()[name].columns) - set(spec.schema) <= made_here, name


def test_every_selected_column_is_one_that_the_marts_declare() -> None:
    declared = declared_marts(ROOT / "dbt" / "target" / "manifest.json", Reference(SEEDS))
    made_here = {"n_withheld", "n_gap_withheld"}
    for name, spec in read_selection().items():
        if name != "fct_finding_count":
            assert set(spec.columns) - {column.name for column in declared[name].columns} <= made_here, name
            assert set(spec.key) == set(declared[name].key), name


def test_every_mart_and_column_is_public_or_has_a_reason_why_it_is_not() -> None:
    declared = declared_marts(ROOT / "dbt" / "target" / "manifest.json", Reference(SEEDS))
    selection, reasons = read_selection(), read_not_public()
    selected = {(name, column) for name, spec in selection.items() for column in ("", *spec.columns)}
    every = {(name, "") for name in declared}
    every |= {(name, column.name) for name, spec in declared.items() if name in selection for column in spec.columns}
    assert every - selected - reasons.keys() == set()
    assert reasons.keys() & selected == set()
    assert reasons.keys() - every == set()
    assert all(reasons.values())


def test_a_selected_column_that_is_gone_is_named() -> None:
    with pytest.raises(SelectionError, match="fct_x has no column b"):
        PublicTable("fct_x", ("a", "b"), ("a",)).conform(pl.DataFrame({"a": [1]}))


def test_findings_are_counted_without_their_text() -> None:
    counted = finding_counts(marts()["fct_finding"])
    assert counted.to_dicts() == [
        {
            "community_id": TOWN,
            "reporting_year": 2024,
            "rule_id": "value_jump",
            "severity": "explainable",
            "status": "open",
            "n_findings": 2,
        }
    ]


def test_without_a_term_nothing_of_a_community_is_public() -> None:
    tables = made(marts(), terms({**TERM, "community_id": "elsewhere"})).tables
    for name, frame in tables.items():
        if "community_id" in frame.columns:
            assert not frame.height, name


def test_a_term_for_one_indicator_lets_out_no_other() -> None:
    tables = made(marts(), terms({**TERM, "community_id": TOWN, "indicator": READING})).tables
    assert tables["fct_indicator_value"]["indicator_id"].unique().to_list() == [READING]
    over = made(marts(), terms({**TERM, "to": "2024-12-31"})).tables
    assert not over["fct_indicator_value"].height


# What follows from withheld cells


def test_targets_are_those_of_the_year_that_the_pages_speak_of_and_not_of_one_that_has_only_begun() -> None:
    held = marts()
    target = {"community_id": TOWN, "indicator_id": READING, "population_group_id": WHITE, "geography_id": TOWN}
    target |= {"deadline": TODAY, "horizon": "short", "target_value": 60.0, "status": "off_track", "is_in_force": True}
    years = [{**target, "reporting_year": year} for year in (2023, 2024, 2025)]
    held["fct_target_progress"] = table("fct_target_progress", years)
    assert made(held).tables["fct_target_progress"]["reporting_year"].to_list() == [2024]


def test_the_public_meaning_of_a_column_keeps_its_words_and_says_what_is_withheld() -> None:
    status = ColumnWords("value_status", "varchar", "the house's", words=("range", "withheld"), domain="value_status")
    columns = [ColumnWords(name, "varchar", "the house's") for name in read_selection()["fct_indicator_value"].columns]
    columns = [status if each.name == status.name else each for each in columns]
    house = {
        name: TableWords(name, "the house's", table.key, tuple(ColumnWords(c, "varchar", "") for c in table.columns))
        for name, table in read_selection().items()
    }
    house["fct_indicator_value"] = TableWords("fct_indicator_value", "the house's", (), tuple(columns))
    public = declared_public(house)
    told = {column.name: column for column in public["fct_indicator_value"].columns}
    assert "withheld" in told["value_status"].description and told["value_status"].words == status.words
    assert "published in its place" in told["value_low"].description and told["value"].description == "the house's"
    assert public["fct_indicator_value"].description == "the house's"
    assert "row of the file" not in public["fct_trend_point"].description


def test_a_gap_with_a_hidden_year_is_withheld_with_its_years_and_verdict(candidate: Candidate) -> None:
    gap = candidate.tables["fct_gap"].row(0, named=True)
    assert gap["gap_status"] == "withheld"
    assert gap["group_slope"] is None
    assert gap["first_year"] is None
    outcome = candidate.tables["fct_outcome_status"].row(0, named=True)
    assert (outcome["trend_status"], outcome["gap_reduced"]) == ("improving", "withheld")
    assert candidate.tables["fct_gap_year"]["school_year"].to_list() == [2021, 2023, 2024]


def test_a_requirement_that_counts_a_withheld_verdict_shows_no_count(candidate: Candidate) -> None:
    row = candidate.tables["fct_designation_requirement"].row(0, named=True)
    assert (row["actual"], row["status"]) == (None, "met")


def test_network_figures_are_those_of_published_rows(candidate: Candidate) -> None:
    trends = candidate.tables["fct_network_trend"]
    black = trends.filter(pl.col("population_group_id") == BLACK).row(0, named=True)
    assert (black["n_communities"], black["n_withheld"], black["n_improving"]) == (1, 1, 0)
    assert black["slope_median"] is None
    outcome = candidate.tables["fct_network_outcome"].row(0, named=True)
    assert (outcome["n_gap_withheld"], outcome["n_withheld"], outcome["share_improving"]) == (1, 0, 1.0)
    assert outcome["share_gap_reduced"] is None


def test_a_decision_that_needs_every_withheld_verdict_implies_them() -> None:
    requirement = {"community_id": TOWN, "reporting_year": 2024, "requirement_id": "r", "required": 2.0}
    outcomes = pl.DataFrame(
        {
            "community_id": [TOWN] * 3,
            "reporting_year": [2024] * 3,
            "trend_status": ["improving", "withheld", "declining"],
            "gap_reduced": ["withheld", "withheld", "not_met"],
        }
    )
    trends = pl.DataFrame(
        schema=dict.fromkeys(
            ("community_id", "indicator_id", "geography_id", "population_group_id", "trend_status"), pl.String
        )
        | {"reporting_year": pl.Int64}
    )

    def implied(measure: str, status: str, required: float = 2.0) -> int:
        rows = pl.DataFrame([{**requirement, "measure": measure, "status": status, "required": required}])
        return implied_verdicts(rows, outcomes, trends, {}, {"r": frozenset({"improving", "met"})})

    assert implied("outcome_trends", "met") == 1  # one improves, two are needed: the withheld one does
    assert implied("outcome_trends", "not_met") == 1  # one more would have met it: the withheld one does not
    assert implied("outcome_gaps", "met") == 2
    assert implied("outcome_gaps", "not_met") == 0  # none or one of two
    assert implied("outcome_gaps", "met", 1.0) == 0
    assert implied("score", "met") == 0


def test_a_requirement_without_hidden_verdicts_keeps_its_count() -> None:
    rows = marts()["fct_designation_requirement"]
    hidden = pl.DataFrame(
        schema={
            **dict.fromkeys(("community_id", "indicator_id"), pl.String),
            "reporting_year": pl.Int32,
            "trend": pl.Boolean,
            "gap": pl.Boolean,
        }
    )
    assert public_requirements(rows, marts()["fct_outcome_status"], hidden).equals(rows)


# Files


def test_nothing_hidden_is_in_the_bytes_of_the_public_tree(home: Path) -> None:
    small = [f"{100.0 * 3 / 7}".encode(), struct.pack("<d", 100.0 * 3 / 7), struct.pack(">d", 100.0 * 3 / 7)]
    score = [str(SECRET_VALUE).encode(), struct.pack("<d", SECRET_VALUE), struct.pack(">d", SECRET_VALUE)]
    texts = [text.encode() for text in SECRETS]
    found = []
    for path in sorted((home / "public").rglob("*")):
        if path.is_file():
            data = unpacked(path)
            found += [(path.name, canary) for canary in [*small, *score, *texts] if canary in data]
    assert found == []


def unpacked(path: Path) -> bytes:
    """The bytes of a file, and of a Parquet or DuckDB file every cell as text and as float64 besides."""
    data = path.read_bytes()
    if path.suffix == ".parquet":
        frames = [pl.read_parquet(path)]
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            names = connection.execute("select table_name from information_schema.tables").fetchall()
            frames = [connection.execute(f'select * from marts."{name}"').pl() for (name,) in names]
    else:
        return data
    for frame in frames:
        data += flat(frame).write_csv().encode()
        data += b"".join(
            struct.pack("<d", each)
            for name in frame.columns
            if frame[name].dtype == pl.Float64
            for each in frame[name].drop_nulls()
        )
    return data


def test_the_canaries_are_found_where_they_are_let_out(tmp_path: Path) -> None:
    held = marts()["fct_indicator_value"]
    held.write_parquet(tmp_path / "leak.parquet")
    data = unpacked(tmp_path / "leak.parquet")
    assert struct.pack("<d", SECRET_VALUE) in data
    assert all(text.encode() in data for text in SECRETS)


def test_a_cell_that_reads_like_a_formula_is_guarded(home: Path) -> None:
    assert guarded(pl.DataFrame({"a": ["=1+1", "-x", "@x", "plain", None], "b": [-1, 2, 3, 4, 5]})).to_dict(
        as_series=False
    ) == {"a": ["'=1+1", "'-x", "'@x", "plain", None], "b": [-1, 2, 3, 4, 5]}
    with (release_folder(home) / "csv" / "dim_community.csv").open(newline="") as lines:
        assert [row["name"] for row in csv.DictReader(lines)] == ["'=Oakvale"]


def test_every_form_of_a_table_holds_the_same_rows(home: Path, candidate: Candidate) -> None:
    folder = release_folder(home)
    with duckdb.connect(str(folder / "public.duckdb"), read_only=True) as connection:
        for name, frame in candidate.tables.items():
            assert pl.read_parquet(folder / "parquet" / f"{name}.parquet").equals(frame)
            assert connection.execute(f'select * from marts."{name}"').pl().equals(frame)
            with (folder / "csv" / f"{name}.csv").open(newline="") as lines:
                assert sum(1 for _ in csv.DictReader(lines)) == frame.height


def test_the_data_package_describes_every_csv_file(home: Path) -> None:
    folder = release_folder(home)
    package = json.loads((folder / "datapackage.json").read_text())
    assert {each["path"] for each in package["resources"]} == {
        f"csv/{path.name}" for path in (folder / "csv").iterdir()
    }
    for each in package["resources"]:
        with (folder / each["path"]).open(newline="") as lines:
            assert next(csv.reader(lines)) == [field["name"] for field in each["schema"]["fields"]]
        assert set(each["schema"]["primaryKey"]) <= {field["name"] for field in each["schema"]["fields"]}


def test_the_manifest_tells_nothing_of_the_house(home: Path) -> None:
    text = (release_folder(home) / "manifest.json").read_text()
    assert "internal-1" not in text
    assert not {"inputs", "inputs_sha256", "seeds_sha256", "release_id"} & set(json.loads(text))


def test_the_certificate_lies_in_the_house_and_is_for_its_owner_alone(home: Path) -> None:
    (path,) = (home / "publish" / "public").rglob("certificate.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list((home / "public").rglob("certificate.json"))


# Releases


def test_equal_tables_make_no_new_release(candidate: Candidate, tmp_path: Path) -> None:
    first = publish_public(places(tmp_path), candidate, no_pages)
    later = replace(candidate, about={"today": "2025-02-01"}, release_id="internal-2")
    again = publish_public(places(tmp_path), later, no_pages)
    assert (first.is_new, again.is_new, again.public_id) == (True, False, first.public_id)
    assert [line["public_id"] for line in Register(Store(str(tmp_path / "lake"))).lines()] == [first.public_id]


def test_other_words_over_equal_tables_are_an_edition_of_another_day(candidate: Candidate, tmp_path: Path) -> None:
    here = places(tmp_path)
    first = publish_public(here, candidate, no_pages)
    said = replace(candidate, pages_version="of the next version of the software")
    same_day = publish_public(here, said, no_pages)
    assert (same_day.is_new, same_day.public_id) == (False, first.public_id)
    assert same_day.manifest == first.manifest
    told = replace(said, about={"today": "2025-02-01"})
    another = publish_public(here, told, no_pages)
    assert another.is_new and current_public(here.public) == another.public_id != first.public_id
    assert another.manifest["content_sha256"] == first.manifest["content_sha256"]
    assert another.manifest["since"]["values_changed"] == 0
    assert not publish_public(here, replace(told, about={"today": "2025-02-02"}), no_pages).is_new


@pytest.mark.parametrize(
    "other",
    [
        {"about": {"today": "2025-02-01", "publication": {"publisher": "Another"}}},
        {"package": {"name": "cradle-public", "title": "Another title"}},
        {"words": {"dim_date": TableWords("dim_date", "Days, told anew.", (), ())}},
        {"vocabularies": {"trend": [Word("up", "Up", "It rose.")]}},
    ],
    ids=["publisher", "title", "meaning of a table", "meaning of a word"],
)
def test_what_the_papers_say_beside_the_tables_is_of_their_version(candidate: Candidate, other: dict[str, Any]) -> None:
    assert replace(candidate, **other).texts_version() != candidate.texts_version()
    assert replace(candidate, about={"today": "2025-03-01"}).texts_version() == candidate.texts_version()


def test_public_pages_are_other_ones_where_anything_is_that_they_are_told() -> None:
    told = Told("The network", [RuleParameter("alpha", "0.05")], ("en", "es"), {"es": {"All students": "Todos"}})
    others = [
        replace(told, network_name="A network"),
        replace(told, parameters=[RuleParameter("alpha", "0.10")]),
        replace(told, languages=("en",)),
        replace(told, names={"es": {"All students": "Todo el alumnado"}}),
    ]
    assert len({each.version() for each in (told, *others)}) == 1 + len(others)
    assert replace(told).version() == told.version()


def test_a_failed_audit_writes_nothing(candidate: Candidate, tmp_path: Path) -> None:
    cell = (TOWN, READING, "default", TOWN, BLACK, 2022, "annual")
    failed = replace(candidate.protected, audit=Audit((Failure(cell, "too few values are feasible", ("a = b + c",)),)))
    with pytest.raises(AuditFailedError, match=r"oakvale .* race_ethnicity:black 2022 .*a = b \+ c"):
        publish_public(places(tmp_path), replace(candidate, protected=failed), no_pages)
    assert not list(tmp_path.rglob("*.json")) + list(tmp_path.rglob("*.parquet"))


def test_what_was_out_is_kept_for_the_next_audit(candidate: Candidate, tmp_path: Path) -> None:
    register = Register(Store(str(tmp_path / "lake")))
    key = register.key()
    public_id = publish_public(places(tmp_path), candidate, no_pages).public_id
    (held,) = register.history()
    assert held.public_id == public_id
    assert held.public.equals(candidate.protected.release.public)
    assert register.key() == key
    assert "value" not in held.register.columns
    register.lake.delete([KEY_FILE])
    with pytest.raises(StateError, match="put it back from a backup"):
        register.key()


def test_a_release_that_was_taken_down_stays_in_the_register_and_is_not_put_out_again(
    candidate: Candidate, tmp_path: Path
) -> None:
    here = places(tmp_path)
    public_id = publish_public(here, candidate, no_pages).public_id
    told = take_down(here, public_id, "2025-01-02", "a wrong term")
    assert public_id in told[0]
    assert any("fct_indicator_value" in line for line in told)
    assert current_public(here.public) is None
    assert not list((tmp_path / "public").rglob("*.duckdb"))
    assert len(Register(here.lake).history()) == 1
    with pytest.raises(WithdrawnEditionError, match="a wrong term"):
        publish_public(here, candidate, no_pages)
    with pytest.raises(LookupError, match="no public release"):
        take_down(here, "2025-01-01-000000000000", "2025-01-02", "")


def test_what_is_out_and_not_known_to_a_lake_from_an_older_backup_is_named(
    candidate: Candidate, tmp_path: Path
) -> None:
    here = places(tmp_path)
    public_id = publish_public(here, candidate, no_pages).public_id
    known = [line["public_id"] for line in Register(here.lake).lines()]
    assert out_and_unknown(here, known) == []
    assert out_and_unknown(here, []) == [public_id]
    take_down(here, public_id, "2025-01-02", "a wrong term")
    assert out_and_unknown(here, []) == [public_id], "what was out is out"
    assert public_id in unknown_words([public_id])


def other_tables(candidate: Candidate) -> tuple[Candidate, dict[str, Any]]:
    """A later candidate in which two values are others and one of these is withheld, one is gone; what is stated."""
    values = candidate.tables[VALUE_TABLE]
    shown = values.with_row_index().filter(pl.col("value").is_not_null())["index"].to_list()
    row = pl.int_range(pl.len())
    changed = values.with_columns(
        value=pl.when(row == shown[0]).then(pl.col("value") + 1).when(row != shown[1]).then("value"),
        value_status=pl.when(row == shown[1]).then(pl.lit("withheld")).otherwise("value_status"),
    ).filter(row != shown[2])
    touched = {values["community_id"][n] for n in shown[:3]}
    counts = {"new": 0, "changed": 2, "gone": 1, "communities": len(touched), "withheld": 1}
    later = replace(candidate, tables={**candidate.tables, VALUE_TABLE: changed}, about={"today": "2025-02-01"})
    return later, {f"values_{name}": n for name, n in counts.items()}


def test_an_edition_states_counts_over_the_public_values_of_it_and_of_the_one_before(
    candidate: Candidate, tmp_path: Path
) -> None:
    first = publish_public(places(tmp_path), candidate, no_pages)
    later, counts = other_tables(candidate)
    second = publish_public(places(tmp_path), later, no_pages)
    assert first.manifest["since"] == {"state": "first"}
    before = {"state": "compared", "release_id": first.public_id, "today": first.manifest["today"]}
    assert second.manifest["since"] == {**before, **counts}


def test_an_edition_after_one_that_was_taken_down_has_nothing_to_compare_with(
    candidate: Candidate, tmp_path: Path
) -> None:
    here = places(tmp_path)
    take_down(here, publish_public(here, candidate, no_pages).public_id, "2025-01-02", "a wrong term")
    assert publish_public(here, other_tables(candidate)[0], no_pages).manifest["since"] == {"state": "gone"}


def test_an_edition_that_was_kept_but_never_came_out_is_none_before_the_next(
    candidate: Candidate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = places(tmp_path)

    def refuses(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(edition, "move_into_place", refuses)
        publish_public(here, candidate, no_pages)
    assert len(Register(here.lake).lines()) == 1
    assert publish_public(here, other_tables(candidate)[0], no_pages).manifest["since"] == {"state": "first"}


def test_an_edition_whose_folder_somebody_removed_is_not_denied(candidate: Candidate, tmp_path: Path) -> None:
    here = places(tmp_path)
    remove_whole(tmp_path / "public" / "releases" / publish_public(here, candidate, no_pages).public_id)
    assert publish_public(here, other_tables(candidate)[0], no_pages).manifest["since"] == {"state": "gone"}


def test_a_renamed_community_has_no_values_that_are_gone_or_new(candidate: Candidate, tmp_path: Path) -> None:
    first = publish_public(places(tmp_path), candidate, no_pages)
    names = CommunityIds(now={TOWN: "elsewhere"}, first={"elsewhere": TOWN})
    renamed = {name: names.read(frame) for name, frame in candidate.tables.items()}
    later = replace(candidate, tables=renamed, names=names, about={"today": "2025-02-01"})
    since = publish_public(places(tmp_path), later, no_pages).manifest["since"]
    assert since["release_id"] == first.public_id
    assert {since[name] for name in since if name.startswith("values_")} == {0}


def test_a_list_is_json_in_a_cell_of_csv_and_an_array_of_the_table_schema() -> None:
    frame = pl.DataFrame({"names": [["a", "ä, b"], [], None]}, schema={"names": pl.List(pl.String)})
    cells = flat(frame)["names"].to_list()
    assert [cell if cell is None else json.loads(cell) for cell in cells] == frame["names"].to_list()
    assert field_type(frame.schema["names"]) == "array"


def test_a_table_with_a_list_says_what_it_means_in_its_parquet_file(tmp_path: Path) -> None:
    columns = (ColumnWords("id", "bigint", "Its number."), ColumnWords("names", "varchar[]", "Who came."))
    words = {"dim_one": TableWords("dim_one", "Lists.", ("id",), columns)}
    write_tables({"dim_one": pl.DataFrame({"id": [1, 2], "names": [["a", "b"], None]})}, tmp_path, words)
    schema = pq.read_schema(tmp_path / "parquet" / "dim_one.parquet")
    assert schema.metadata[b"description"] == b"Lists. Key: id."
    assert schema.field("names").metadata[b"description"] == b"Who came."
    with (tmp_path / "csv" / "dim_one.csv").open(newline="") as lines:
        assert [line["names"] for line in csv.DictReader(lines)] == ['["a", "b"]', ""]
