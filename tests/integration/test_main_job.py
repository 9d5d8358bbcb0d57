"""The main job as a user runs it, on a small network: what stays the same, what bad input does, what is told.

Belongs here: claims about whole runs, their releases, receipts and exit codes.
Does not: single rules (tests/unit), the real network (test_connecticut.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from dagster_project.lib.analysis.tables import FCT_TREND_POINT
from dagster_project.lib.analysis.tables.spans import each_year
from tests.integration.conftest import (
    BAD_FILES,
    EXAMPLE_COMMUNITIES,
    EXAMPLE_TODAY,
    GRADUATION,
    HEADER,
    KEYS,
    KINDERGARTEN_2007_FORM,
    KINDERGARTEN_2015_FORM,
    OWN_COMMUNITIES,
    PERSONS,
    READING,
    RESTATED,
    SECRETS,
    WITH_KEYS,
    Run,
    lines,
)
from tests.support import cradle, receipt

SENTENCE = "Internal: contains small groups, not for distribution"
KEY = "community_id = ? and indicator_id = ? and population_group_id = 'all' and geography_id = community_id"
MANIFEST_KEYS = {
    "release_id",
    "today",
    "ruleset_version",
    "contract_version",
    "code_version",
    "lock_sha256",
    "report_edition",
    "inputs",
    "tables",
}
RECEIPT_KEYS = {"community_id", "reporting_year", "submission_id", "status", "files", "findings"}
FILE_KEYS = {"name", "sha256", "layout", "rows_read", "rows_accepted", "rows_rejected"}
FINDING_KEYS = {
    "finding_id",
    "community_id",
    "reporting_year",
    "submission_id",
    "rule_id",
    "severity",
    "source_file",
    "source_sheet",
    "source_row",
    "source_column",
    "found",
    "allowed",
    "message",
    "status",
}


# --- The same inputs give the same release -------------------------------------------------------------------------


def test_a_second_run_finds_nothing_new(example: Run, example_again: Run) -> None:
    assert "Nothing new" not in example.process.stdout
    assert "Nothing new" in example_again.process.stdout
    assert example_again.release.folder == example.release.folder


def test_a_second_run_leaves_the_published_release_untouched(example: Run, example_again: Run) -> None:
    assert example_again.release.hashes == example.release.hashes
    (objects,) = example_again.release.rows("select count(*) from ops.ledger_event where event = 'object'")[0]
    assert objects == example.release.rows("select count(*) from marts.fct_submission_file")[0][0]


def test_figures_do_not_depend_on_home_order_times_of_arrival_or_anything_but_the_bucket(
    changed: Run, elsewhere: Run
) -> None:
    assert elsewhere.release.hashes == changed.release.hashes


def test_figures_do_not_depend_on_states_that_were_replaced(changed: Run, elsewhere: Run) -> None:
    superseded = "select count(*) from marts.dim_submission where status = 'superseded'"
    assert changed.release.rows(superseded) == [(3,)]
    assert elsewhere.release.rows(superseded) == [(0,)]
    assert elsewhere.release.hashes["dim_submission"] == changed.release.hashes["dim_submission"]


def test_hashes_can_tell_two_releases_apart(example: Run, changed: Run) -> None:
    first, second = example.release.hashes, changed.release.hashes
    assert first.keys() == second.keys()
    differing = {name for name in first if first[name] != second[name]}
    assert {"fct_indicator_value", "fct_submission_status", "fct_finding"} <= differing
    assert {"dim_community", "dim_criterion", "dim_indicator"}.isdisjoint(differing)


def test_an_older_release_stays_as_it_was(example: Run, changed: Run) -> None:
    assert changed.release.folder != example.release.folder
    assert (example.release.folder / "manifest.json").is_file()
    values = f"select count(*) from marts.fct_indicator_value where {KEY}"
    assert example.release.rows(values, "reedmere", "grade3_reading_proficient_pct") == [(4,)]
    assert changed.release.rows(values, "reedmere", "grade3_reading_proficient_pct") == [(2,)]


# --- Bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("nothing.csv", "empty_file"),
        ("dashboard.csv", "unknown_layout"),
        ("picture.csv", "binary_content"),
        ("students.csv", "person_level"),
    ],
)
def test_a_file_that_is_no_table_ends_in_a_finding(example: Run, name: str, rule: str) -> None:
    told = receipt(example.home, "reedmere", 2015)
    (file,) = [file for file in told["files"] if file["name"] == name]
    assert file["rows_accepted"] == 0
    assert [f["rule_id"] for f in told["findings"] if f["source_file"] == name and f["severity"] == "fatal"] == [rule]
    (finding,) = example.release.records(
        "select * from marts.fct_finding where source_file = ? and rule_id = ? and community_id = 'reedmere'",
        name,
        rule,
    )
    assert finding["message"] and finding["remedy"]


def test_nothing_rejects_its_neighbours(example: Run) -> None:
    values = f"select value from marts.fct_indicator_value where {KEY} order by school_year"
    rows = example.release.rows(values, "reedmere", "grade3_reading_proficient_pct")
    assert [value for (value,) in rows] == [100 * n / of for n, of in READING.values()]
    assert receipt(example.home, "reedmere", 2015)["status"] == "accepted_with_queries"


@pytest.mark.parametrize(("found", "rule"), [("reedmere/20l9", "unknown_year"), ("reedmeer", "unknown_community")])
def test_a_wrong_folder_is_a_finding_on_the_networks_own_list(example: Run, found: str, rule: str) -> None:
    query = "select community_id, found from marts.fct_finding where rule_id = ? order by found"
    assert (None, found) in example.release.rows(query, rule)


def test_the_run_goes_on_after_bad_input(example: Run) -> None:
    assert example.process.returncode == 0
    assert "Traceback" not in example.process.stderr
    expected = EXAMPLE_COMMUNITIES + len(OWN_COMMUNITIES)
    assert example.release.rows("select count(*) from marts.dim_community") == [(expected,)]


def test_raw_bytes_of_every_file_are_kept_but_of_persons_none(changed: Run) -> None:
    """Replaced and withdrawn files included: `changed` has one of each."""
    files = changed.release.rows("select folder, reporting_year, source_file, kind from marts.fct_submission_file")
    assert {kind for *_, kind in files} >= {"table", "refused", "unreadable"}
    for community, year, name, kind in files:
        content = (changed.home / "drop" / community / str(year) / name).read_bytes()
        assert _kept(changed.home, content) == (kind != "refused"), (community, year, name)
    for year in (2016, 2017):
        assert _kept(changed.home, _own_file(year))
    assert not _kept(changed.home, PERSONS.encode())


def _kept(home: Path, content: bytes) -> bool:
    """Whether the lake holds these very bytes under their hash."""
    digest = hashlib.sha256(content).hexdigest()
    path = home / "lake" / "raw" / digest[:2] / digest
    return path.is_file() and path.read_bytes() == content


def _own_file(year: int) -> bytes:
    return (HEADER + lines("grade3_reading_proficient_pct", {year: READING[year]})).encode()


def test_a_person_level_file_leaves_no_bytes_outside_the_bucket(example: Run, changed: Run) -> None:
    """Looked for in the bytes of every file, and in every text of every database and Parquet file."""
    assert all(secret in PERSONS for secret in SECRETS)
    for path in _written(changed.home):
        content = path.read_bytes()
        assert not [secret for secret in SECRETS if secret.encode() in content], path
    for path, text in _texts(changed.home):
        assert not [secret for secret in SECRETS if secret in text], path
    digest = hashlib.sha256(PERSONS.encode()).hexdigest()
    (file,) = [file for file in receipt(example.home, "reedmere", 2015)["files"] if file["name"] == "students.csv"]
    assert file["sha256"] == digest


def test_no_key_and_no_password_of_the_settings_is_written_or_said(example: Run, changed: Run) -> None:
    """Nor in what Dagster keeps of a run: its events, its metadata, what its steps print."""
    assert all(any(key in value for value in WITH_KEYS.values()) for key in KEYS)
    for ran in (example, changed):
        assert not [key for key in KEYS if key in ran.process.stdout + ran.process.stderr]
        for path in _written(ran.home):
            content = path.read_bytes()
            assert not [key for key in KEYS if key.encode() in content], path
        for path, text in _texts(ran.home):
            assert not [key for key in KEYS if key in text], path


def _written(home: Path) -> list[Path]:
    return [
        path for path in sorted(home.rglob("*")) if path.is_file() and "drop" not in path.relative_to(home).parts[:1]
    ]


def _texts(home: Path) -> Iterator[tuple[Path, str]]:
    """All text of the compressed files below a home, one string a table."""
    for path in _written(home):
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
            yield path, "\n".join(str(row) for row in frame.select(pl.col(pl.String)).rows())
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as database:
                query = "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
                for schema, table in database.execute(query).fetchall():
                    frame = database.execute(f'select * from "{schema}"."{table}"').pl()
                    yield path, "\n".join(str(row) for row in frame.select(pl.col(pl.String)).unique().rows())


def test_a_rejected_replacement_removes_the_old_rows_and_says_so_first(example: Run, changed: Run) -> None:
    key = "select count(*) from marts.fct_indicator_value where community_id = 'reedmere' and reporting_year = 2016"
    assert example.release.rows(key) == [(1,)]
    assert changed.release.rows(key) == [(0,)]
    told = receipt(changed.home, "reedmere", 2016)
    assert told["status"] == "rejected"
    assert list(told)[4] == "first_line"
    assert "rows that counted before are gone" in told["first_line"]
    page = (changed.home / "outbox/reedmere/2016/receipt.html").read_text(encoding="utf-8")
    assert "rows that counted before are gone" in page


def test_a_rejected_replacement_beside_a_good_file_is_told_first_too(example: Run, changed: Run) -> None:
    key = "select indicator_id from marts.fct_indicator_value where community_id = 'reedmere' and reporting_year = 2018"
    assert len(example.release.rows(key)) == 2
    assert changed.release.rows(key) == [("grade3_reading_proficient_pct",)]
    assert receipt(example.home, "reedmere", 2015)["first_line"].count("could not be taken") == 1
    told = receipt(changed.home, "reedmere", 2018)
    assert told["status"] == "accepted_with_queries"
    assert (
        "could not be taken: absence.csv. Rows that a file of the same name held before are gone" in told["first_line"]
    )


def test_replaced_receipts_stay_where_they_were(example: Run, changed: Run) -> None:
    query = "select submission_id from marts.fct_submission_status where community_id = ? and reporting_year = ?"
    ((before,),) = example.release.rows(query, "reedmere", 2016)
    ((after,),) = changed.release.rows(query, "reedmere", 2016)
    assert before != after
    for identity, status in ((before, "accepted"), (after, "rejected")):
        path = changed.home / "outbox" / "reedmere" / "2016" / identity / "receipt.json"
        assert json.loads(path.read_text(encoding="utf-8"))["status"] == status
    query = "select status, replaced_by from marts.dim_submission where submission_id = ?"
    assert changed.release.rows(query, before) == [("superseded", after)]


def test_taking_a_folder_back_withdraws_its_rows(example: Run, changed: Run) -> None:
    values = "select count(*) from marts.fct_indicator_value where community_id = 'reedmere' and reporting_year = 2017"
    status = (
        "select status, submission_id from marts.fct_submission_status where community_id = ? and reporting_year = ?"
    )
    assert example.release.rows(values) == [(1,)]
    assert example.release.rows(status, "reedmere", 2017)[0][0] == "accepted"
    assert changed.release.rows(values) == [(0,)]
    assert changed.release.rows(status, "reedmere", 2017) == [("late", None)]
    assert changed.release.rows("select count(*) from ops.ledger_event where event = 'withdrawn'") == [(1,)]


# --- What was known then -------------------------------------------------------------------------------------------


def test_a_restated_value_keeps_its_earlier_version(example: Run) -> None:
    query = (
        f"select known_from, known_to, numerator, value from marts.fct_indicator_value_history "
        f"where {KEY} and school_year = 2016 order by known_from"
    )
    old, new = GRADUATION[2016][0], RESTATED[2016][0]
    assert example.release.rows(query, "quill_harbor", "graduation_4yr_pct") == [
        (2016, 2017, old, float(old)),
        (2018, 9999, new, float(new)),
    ]
    current = f"select value, reporting_year from marts.fct_indicator_value where {KEY} and school_year = 2016"
    assert example.release.rows(current, "quill_harbor", "graduation_4yr_pct") == [(float(new), 2018)]


@pytest.mark.parametrize("reporting_year", [2016, 2017, 2018])
def test_a_trend_is_made_from_what_was_known_then(example: Run, reporting_year: int) -> None:
    known = {year: n for year, (n, _) in GRADUATION.items() if year <= reporting_year}
    if reporting_year >= 2018:
        known |= {year: n for year, (n, _) in RESTATED.items()}
    expected = np.polyfit(list(known), list(known.values()), 1)[0]
    query = f"select slope, first_year, last_year from marts.fct_trend where {KEY} and reporting_year = ?"
    ((slope, first, last),) = example.release.rows(query, "quill_harbor", "graduation_4yr_pct", reporting_year)
    assert slope == pytest.approx(expected, abs=1e-9)
    assert (first, last) == (2014, reporting_year)


def test_points_are_kept_once_and_released_as_a_table_of_every_reporting_year(example: Run) -> None:
    spans = pl.read_parquet(example.home / "work" / "analysis" / "trend_point_span.parquet")
    with example.release.open() as connection:
        released = FCT_TREND_POINT.conform(connection.execute("from marts.fct_trend_point").pl())
    assert released.equals(FCT_TREND_POINT.conform(each_year(spans)))
    assert spans.height < released.height / 2
    kinds = "select table_type from information_schema.tables where table_name = 'fct_trend_point'"
    assert example.release.rows(kinds) == [("BASE TABLE",)]
    with duckdb.connect(str(example.home / "work" / "warehouse.duckdb"), read_only=True) as warehouse:
        assert warehouse.execute(kinds).fetchall() == [("VIEW",)]


def test_two_forms_of_the_kindergarten_inventory_never_share_a_segment(example: Run) -> None:
    """The labels differ by a line of seeds/crosswalks/series_labels.csv alone; the submitted column is blank."""
    query = (
        f"select school_year, series, used, left_out_reason from marts.fct_trend_point "
        f"where {KEY} and reporting_year = 2018 order by school_year"
    )
    points = example.release.rows(query, "quill_harbor", "kindergarten_ready_pct")
    assert {(year, series) for year, series, _, _ in points} == {
        *((year, "kei 2007 form") for year in KINDERGARTEN_2007_FORM),
        *((year, "kei 2015 form") for year in KINDERGARTEN_2015_FORM),
    }
    assert {year for year, _, used, _ in points if used} == set(KINDERGARTEN_2015_FORM)
    assert {reason for _, _, used, reason in points if not used} == {"other_segment"}
    ((slope, first),) = example.release.rows(
        f"select slope, first_year from marts.fct_trend where {KEY} and reporting_year = 2018",
        "quill_harbor",
        "kindergarten_ready_pct",
    )
    assert (round(slope, 9), first) == (round(-200 / 90, 9), 2015)


# --- What is told --------------------------------------------------------------------------------------------------


def test_every_folder_has_a_receipt_that_parses(changed: Run) -> None:
    query = "select community_id, reporting_year, submission_id, status from marts.dim_submission "
    query += "where is_current and community_id is not null"  # the network's own folder has no receipt
    submissions = changed.release.rows(query)
    assert len(submissions) > EXAMPLE_COMMUNITIES
    for community, year, identity, status in submissions:
        told = receipt(changed.home, community, year)
        assert told.keys() >= RECEIPT_KEYS
        assert (told["submission_id"], told["status"]) == (identity, status)
        assert all(file.keys() >= FILE_KEYS for file in told["files"])
        assert all(finding.keys() >= FINDING_KEYS for finding in told["findings"])
        own = (changed.home / "outbox" / community / str(year) / identity / "receipt.json").read_text(encoding="utf-8")
        assert json.loads(own) == told


def test_receipts_and_the_mart_tell_the_same_findings(example: Run) -> None:
    query = "select finding_id from marts.fct_finding where community_id = ? and reporting_year = ? order by 1"
    for community, year in (("reedmere", 2015), ("alderwick_bend", 2016)):
        told = sorted(finding["finding_id"] for finding in receipt(example.home, community, year)["findings"])
        assert [identity for (identity,) in example.release.rows(query, community, year)] == told


def test_the_manifest_holds_what_the_release_was_made_from(example: Run) -> None:
    manifest = example.release.manifest
    assert manifest.keys() >= MANIFEST_KEYS
    assert manifest["release_id"] == example.release.folder.name
    assert (manifest["today"], manifest["report_edition"]) == (EXAMPLE_TODAY, "internal")
    assert all(table.keys() >= {"name", "rows", "sha256"} for table in manifest["tables"])
    lock = (Path(__file__).resolve().parents[2] / "requirements.lock").read_bytes()
    assert manifest["lock_sha256"] == hashlib.sha256(lock).hexdigest()
    inputs = {(row["community_id"], row["reporting_year"], row["submission_id"]) for row in manifest["inputs"]}
    submissions = example.release.rows(
        "select folder, reporting_year, submission_id from marts.dim_submission where status <> 'superseded'"
    )
    assert inputs == set(submissions)
    rows = {table["name"]: table["rows"] for table in manifest["tables"]}
    with example.release.open() as database:
        for name, number in rows.items():
            assert database.execute(f'select count(*) from marts."{name}"').fetchone() == (number,)


def test_every_page_and_the_manifest_say_that_they_are_internal(example: Run) -> None:
    report = example.release.folder / "report"
    pages = sorted(report.rglob("*.html"))
    assert report / "index.html" in pages
    communities = {path.stem for path in (report / "communities").glob("*.html")}
    assert communities == {
        identity for (identity,) in example.release.rows("select community_id from marts.dim_community")
    }
    for page in pages:
        assert SENTENCE in page.read_text(encoding="utf-8"), page
    assert SENTENCE in (example.release.folder / "manifest.json").read_text(encoding="utf-8")


def test_pages_load_nothing_from_elsewhere(example: Run) -> None:
    loaded = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")
    for page in sorted((example.release.folder / "report").rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(?:script|img|link|iframe)[^>]+" + loaded.pattern, text), page
        assert "@import" not in text, page


def test_current_is_a_small_text_file_with_the_release_id(changed: Run) -> None:
    text = (changed.home / "publish" / "current").read_text(encoding="utf-8")
    assert text == f"{changed.release.folder.name}\n"


def test_the_run_says_where_everything_is(example: Run) -> None:
    assert str(example.release.folder) in example.process.stdout
    assert str(example.release.folder / "report" / "index.html") in example.process.stdout
    assert "127.0.0.1" in example.process.stdout


def test_progress_is_plain_lines_when_nobody_watches(example: Run) -> None:
    assert "\r" not in example.process.stderr
    assert "Taking folders" in example.process.stderr


# --- Other commands ------------------------------------------------------------------------------------------------


def test_status_prints_rows_of_the_mart(changed: Run) -> None:
    told = cradle("status", "--json", "--year", "2017", CRADLE_HOME=changed.home, CRADLE_TODAY=EXAMPLE_TODAY)
    assert told.returncode == 0, told.stderr
    rows = json.loads(told.stdout)
    query = "select community_id, status from marts.fct_submission_status where reporting_year = 2017 order by 1"
    assert [(row["community_id"], row["status"]) for row in rows] == changed.release.rows(query)


def test_the_doctor_finds_nothing_wrong(changed: Run) -> None:
    told = cradle("doctor", CRADLE_HOME=changed.home, CRADLE_SEEDS=changed.seeds, CRADLE_TODAY=EXAMPLE_TODAY)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "BAD" not in told.stdout
    assert changed.release.folder.name in told.stdout


def test_an_unknown_setting_is_one_line_and_a_hint(tmp_path: Path) -> None:
    told = cradle("run", CRADLE_HOME=tmp_path, CRADLE_HOEM="elsewhere")
    _is_one_line(told.returncode, told.stderr)
    assert "CRADLE_HOEM" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_community_is_one_line_and_a_hint(example: Run) -> None:
    told = cradle("run", "--community", "reedmeer", CRADLE_HOME=example.home, CRADLE_SEEDS=example.seeds)
    _is_one_line(told.returncode, told.stderr)


def test_a_home_without_a_release_is_one_line_and_a_hint(tmp_path: Path) -> None:
    told = cradle("status", CRADLE_HOME=tmp_path)
    _is_one_line(told.returncode, told.stderr, 1)


def _is_one_line(code: int, text: str, expected: int = 2) -> None:
    assert code == expected
    first, *rest = text.strip().splitlines()
    assert first.startswith("cradle: ")
    assert [line.strip().split(":")[0] for line in rest] == ["hint"]


def test_every_bad_file_is_looked_for() -> None:
    """The table above and the files that the fixture writes are the same list."""
    assert set(BAD_FILES) == {"nothing.csv", "dashboard.csv", "picture.csv", "students.csv"}
