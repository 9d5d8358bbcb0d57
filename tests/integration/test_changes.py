"""What a resubmission changes stands in its receipt, and a check before the upload says exactly the same.

Belongs here: two releases of a small network, the receipts of the folders that changed in between, two predictions.
Does not: the comparison case by case (tests/unit/publish/test_changes.py), frozen cycles (test_cycle.py).
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from dagster_project.cli.intake import check
from dagster_project.cli.main import status
from dagster_project.cli.release import compare
from dagster_project.cli.worklist import worklist
from dagster_project.lib.app.doctor import examine
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.stands.house import WhatStands
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.settings import from_environment
from tests import traced
from tests.integration.conftest import EXAMPLE_TODAY, GRADUATION, HEADER, READING, UNKNOWN, lines, small_seeds
from tests.integration.test_cycle import released
from tests.support import Published, receipt

# Files are named by members: this name must be text on the page.
FILE = "graduation <i>&.csv"
KEPT_YEAR, REPLACED_YEAR = 2017, 2018
RESTATED = {2017: (55, 100), 2018: (50, 100)}
FIRST = ("alderwick_bend", 2018)
TREND = "Students who graduate within four years, everyone: was improving, is now declining (reporting year 2018)"
LISTS = ("values", "statuses", "eligibility")
PREDICTABLE = ("kind", "previous_submission_id", "previous_release_id", "totals", *LISTS)


@dataclass(frozen=True)
class Story:
    """One home: released, two folders checked before they are uploaded, uploaded with others, released again."""

    home: Path
    before: Published
    receipt_before: dict[str, Any]
    predicted: Result
    predicted_first: Result
    untouched: bool
    after: Published

    def changes(self, community: str, year: int) -> dict[str, Any]:
        found: dict[str, Any] = receipt(self.home, community, year)["changes"]
        return found


def write(folder: Path, name: str, content: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8")
    return folder


def upload(drop: Path) -> None:
    """Six years of graduates in three folders, four of readers in one folder each."""
    early = {year: GRADUATION[year] for year in (2014, 2015, 2016)}
    for year, counts in ((2016, early), *((year, {year: GRADUATION[year]}) for year in (2017, 2018))):
        write(drop / "quill_harbor" / str(year), FILE, HEADER + lines("graduation_4yr_pct", counts))
    for year, counts in READING.items():
        write(
            drop / "reedmere" / str(year), "values.csv", HEADER + lines("grade3_reading_proficient_pct", {year: counts})
        )


def checked(folder: Path, community: str, year: int) -> Result:
    place = ["--community", community, "--year", str(year)]
    return CliRunner().invoke(check, [str(folder), *place, "--against", "current", "--changes", "--json"])


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash and time of the last change of every file, by its path."""
    return {
        path.relative_to(folder).as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    place = tmp_path_factory.mktemp("changes")
    home, drop = place / "home", place / "home" / "drop"
    upload(drop)
    with pytest.MonkeyPatch.context() as patch:
        settings = {"HOME": home, "SEEDS": small_seeds(place / "seeds"), "TODAY": EXAMPLE_TODAY, "SETTLE_SECONDS": 0}
        for name, value in settings.items():
            patch.setenv(f"CRADLE_{name}", str(value))
        before = released(home)
        receipt_before = receipt(home, "quill_harbor", REPLACED_YEAR)
        replaced = write(place / "replaced", FILE, HEADER + lines("graduation_4yr_pct", RESTATED))
        first = write(place / "first", "values.csv", HEADER + lines("grade3_reading_proficient_pct", READING))
        as_it_was = contents(home)
        predicted = checked(replaced, "quill_harbor", REPLACED_YEAR)
        predicted_first = checked(first, *FIRST)
        untouched = contents(home) == as_it_was
        shutil.copytree(replaced, drop / "quill_harbor" / str(REPLACED_YEAR), dirs_exist_ok=True)
        shutil.copytree(first, drop / FIRST[0] / str(FIRST[1]))
        write(drop / "reedmere" / "2016", "values.csv", UNKNOWN)
        shutil.rmtree(drop / "reedmere" / "2017")
        after = released(home)
        yield Story(home, before, receipt_before, predicted, predicted_first, untouched, after)


# --- The receipt ---------------------------------------------------------------------------------------------------


def test_a_receipt_states_the_values_that_changed_before_and_after(story: Story) -> None:
    changes = story.changes("quill_harbor", REPLACED_YEAR)
    assert (changes["state"], changes["kind"]) == ("told", "replaced")
    assert changes["totals"]["values"] == {"added": 0, "gone": 0, "changed": 2, "same": 0}
    for row, year in zip(changes["values"], (2017, 2018), strict=True):
        (old, of), (new, _) = GRADUATION[year], RESTATED[year]
        assert (row["indicator_id"], row["school_year"], row["change"]) == ("graduation_4yr_pct", year, "changed")
        assert (row["before"]["value"], row["before"]["numerator"], row["before"]["denominator"]) == (old, old, of)
        assert (row["after"]["value"], row["after"]["numerator"], row["after"]["value_status"]) == (new, new, "derived")
        assert (row["after"]["source_file"], row["after"]["source_row"]) == (FILE, year - 2015)


def test_a_receipt_states_the_statuses_that_flipped_and_they_are_the_releases(story: Story) -> None:
    flips = {
        (row["table"], row["column"], row["reporting_year"]): row
        for row in story.changes("quill_harbor", 2018)["statuses"]
    }
    assert set(flips) == {("fct_trend", "trend_status", 2018), ("fct_outcome_status", "trend_status", 2018)}
    query = (
        "select trend_status from marts.fct_trend where community_id = 'quill_harbor' and reporting_year = 2018 "
        "and indicator_id = 'graduation_4yr_pct' and population_group_id = 'all'"
    )
    for row in flips.values():
        assert (row["before"], row["after"]) == ("improving", "declining")
    assert (story.before.rows(query), story.after.rows(query)) == ([("improving",)], [("declining",)])


def test_a_receipt_states_which_releases_it_compares(story: Story) -> None:
    changes = story.changes("quill_harbor", REPLACED_YEAR)
    assert changes["previous_release_id"] == story.before.folder.name
    assert changes["release_id"] == story.after.folder.name
    assert changes["previous_submission_id"] == story.receipt_before["submission_id"]
    assert changes["also_changed"]["folders"] == []


def test_the_page_says_it_in_plain_words_and_a_file_name_stays_text(story: Story) -> None:
    page = (story.home / "outbox" / "quill_harbor" / "2018" / "receipt.html").read_text(encoding="utf-8")
    assert TREND in page
    assert "66.0% (66 of 100)" in page and "55.0% (55 of 100)" in page
    assert html.escape(FILE) in page and FILE not in page


def test_a_first_submission_is_counted(story: Story) -> None:
    changes = story.receipt_before["changes"]
    assert (changes["kind"], changes["previous_release_id"]) == ("first", None)
    assert changes["totals"]["values"] == {"added": 1, "gone": 0, "changed": 0, "same": 0}
    assert [changes[name] for name in LISTS] == [[], [], []]


def test_an_earlier_receipt_keeps_what_it_told(story: Story) -> None:
    folder = story.home / "outbox" / "quill_harbor" / "2018" / story.receipt_before["submission_id"]
    assert json.loads((folder / "receipt.json").read_text(encoding="utf-8")) == story.receipt_before


def test_a_folder_that_did_not_change_keeps_what_it_told(story: Story) -> None:
    changes = story.changes("quill_harbor", KEPT_YEAR)
    assert (changes["kind"], changes["release_id"]) == ("first", story.before.folder.name)


def test_a_rejected_replacement_names_the_values_that_are_gone_and_what_else_changed(story: Story) -> None:
    told = receipt(story.home, "reedmere", 2016)
    assert told["status"] == "rejected"
    (gone,) = told["changes"]["values"]
    assert (gone["change"], gone["school_year"], gone["after"]) == ("gone", 2016, None)
    assert gone["before"]["numerator"] == READING[2016][0]
    assert told["changes"]["also_changed"]["folders"] == ["reedmere/2017"]
    trends = [row for row in told["changes"]["statuses"] if row["table"] == "fct_trend"]
    assert {(row["before"], row["after"]) for row in trends} == {("improving", "undetermined")}


def test_a_withdrawn_folders_receipt_says_so_and_what_that_changed(story: Story) -> None:
    withdrawn = receipt(story.home, "reedmere", 2017)
    assert (withdrawn["status"], withdrawn["files"]) == ("withdrawn", [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRADLE_HOME", str(story.home))
        kept = Pipeline(from_environment()).change_log.records()["reedmere", 2017, None]
    assert (kept["kind"], kept["totals"]["values"]["gone"]) == ("withdrawn", 1)
    assert withdrawn["changes"] == kept


# --- Again ---------------------------------------------------------------------------------------------------------


def test_a_second_run_rewrites_nothing(story: Story) -> None:
    pipeline = Pipeline(from_environment())
    outbox = contents(story.home / "outbox")
    assert pipeline.nothing_new(Selection())
    _, written = pipeline.land()
    assert written == []
    assert contents(story.home / "outbox") == outbox


def test_a_receipt_of_an_earlier_state_in_an_outbox_that_was_put_back_is_something_to_do(story: Story) -> None:
    receipt = next((story.home / "outbox").glob("reedmere/*/receipt.json"))
    place, content = (receipt.parents[1].name, int(receipt.parent.name)), receipt.read_bytes()
    submission = json.loads(content)["submission_id"]
    assert submission is not None
    receipt.write_bytes(content.replace(submission.encode(), b"0" * 16))
    house = WhatStands(from_environment())
    assert house.receipts_astray() == [place] and not house.nothing_new(Selection())
    told = [line for line in examine(from_environment()) if line.what == "receipts"]
    assert [(line.ok, f"{place[0]}/{place[1]}" in line.found) for line in told] == [(False, True)]
    Pipeline(from_environment()).land()
    assert receipt.read_bytes() == content
    assert house.nothing_new(Selection())


def test_a_release_whose_changes_were_not_told_is_told_by_the_next_run(story: Story) -> None:
    pipeline = Pipeline(from_environment())
    before = {path: content for path, (content, _) in contents(story.home / "outbox").items()}
    pipeline.change_log.tell(story.before.folder.name)
    assert pipeline.up_to_date() is None
    pipeline.release()
    assert pipeline.up_to_date() == story.after.folder.name
    assert {path: content for path, (content, _) in contents(story.home / "outbox").items()} == before


# --- Before the upload ---------------------------------------------------------------------------------------------


def test_a_check_before_the_upload_predicts_exactly_what_the_receipt_says(story: Story) -> None:
    predicted = json.loads(story.predicted.stdout)["changes"]
    told = story.changes("quill_harbor", REPLACED_YEAR)
    assert predicted["state"] == "predicted" and predicted["release_id"] is None
    assert {name: predicted[name] for name in PREDICTABLE} == {name: told[name] for name in PREDICTABLE}


def test_a_check_predicts_the_counts_of_a_first_submission(story: Story) -> None:
    predicted = json.loads(story.predicted_first.stdout)["changes"]
    told = story.changes(*FIRST)
    assert predicted["totals"]["values"]["added"] == len(READING)
    assert {name: predicted[name] for name in PREDICTABLE} == {name: told[name] for name in PREDICTABLE}


def test_a_check_of_changes_writes_nothing(story: Story) -> None:
    assert story.untouched


def test_the_files_that_a_release_was_made_from_change_nothing(story: Story) -> None:
    told = json.loads(checked(story.home / "drop" / "quill_harbor" / "2018", "quill_harbor", 2018).stdout)
    assert told["changes"] == {"state": "unchanged", "previous_release_id": story.after.folder.name}


@pytest.mark.parametrize(
    ("place", "said", "hint"),
    [
        (["reedmere"], "--changes needs a release to compare with", "add --against current"),
        (
            ["_network", "--against", "current"],
            "--changes speaks of one community; the network's own folder moves all of them",
            "see cradle compare for two releases",
        ),
    ],
)
def test_changes_of_nothing_to_compare_are_refused_in_one_line(
    tmp_path: Path, place: list[str], said: str, hint: str
) -> None:
    folder = write(tmp_path / "folder", "values.csv", HEADER)
    refused = CliRunner().invoke(check, [str(folder), "--year", "2018", "--changes", "--community", *place])
    assert refused.exit_code == 2
    assert refused.stderr.splitlines() == [f"cradle: {said}", f"  hint: {hint}"]


# --- What changed, for a director ----------------------------------------------------------------------------------


def compared(story: Story, *more: str) -> list[str]:
    names = [release.folder.name for release in (story.before, story.after)]
    told = CliRunner().invoke(compare, [*names, *more])
    assert told.exit_code == 0, told.output
    return told.output.splitlines()


def test_a_comparison_opens_with_what_was_submitted_and_each_verdict_names_its_file(story: Story) -> None:
    lines = compared(story)
    place = f"quill_harbor/{REPLACED_YEAR}"
    assert lines[2] == "Submitted: 1 first, 2 replaced, 1 withdrawn"
    assert f"  {place} replaced: {FILE} changed" in lines
    assert "  reedmere/2017 withdrawn: values.csv gone" in lines
    words = "Students who graduate within four years, everyone: improving -> declining"
    assert f"  quill_harbor {REPLACED_YEAR}  {words}; from {place}/{FILE}" in lines
    assert lines.index(lines[2]) < next(n for n, line in enumerate(lines) if line.startswith("Tables that differ"))
    assert lines[-1].endswith(" cells differ")


def test_a_comparison_of_one_community_and_table_leaves_all_others_out(story: Story) -> None:
    lines = compared(story, "--community", "reedmere", "--table", "fct_trend", "--cells")
    assert "fct_trend:" in lines and not any("quill_harbor" in line for line in lines)
    cells = lines[lines.index("fct_trend:") + 1 : -2]
    assert cells and all(line.startswith("  reedmere|") for line in cells)
    assert lines[-1] == f"{len(cells):,} cells differ"


def test_counts_of_a_comparison_are_those_of_its_cells(story: Story) -> None:
    lines = compared(story, "--cells")
    names = [release.folder.name for release in (story.before, story.after)]
    cells = json.loads(CliRunner().invoke(compare, [*names, "--json"]).output)
    for table in {cell[0] for cell in cells}:
        mine = [cell for cell in cells if cell[0] == table]
        added, gone = (sum(not cell[2] and cell[side] is None for cell in mine) for side in (3, 4))
        counts = f"{sum(bool(cell[2]) for cell in mine):,} cells, {added:,} new rows, {gone:,} rows gone"
        assert f"  {table}: {counts}" in lines


def test_the_page_and_the_manifest_state_the_counts_of_the_comparison(story: Story) -> None:
    since, lines = story.after.manifest["since"], compared(story)
    assert since["release_id"] == story.before.folder.name
    counts = ", ".join(f"{since[f'values_{name}']:,} {name}" for name in ("new", "changed", "gone"))
    assert f"Values: {counts}; communities with such values: {since['values_communities']:,}" in lines
    assert f"Statuses that moved: {since['statuses_moved']:,}" in lines
    assert f"Designations, gateways and criteria that moved: {since['designations_moved']:,}" in lines
    judged = f"Judged for the first time: {since['judged_new']:,}; judged no more: {since['judged_gone']:,}"
    assert judged in lines
    assert since["values_changed"] and since["values_gone"] and since["statuses_moved"]
    html = (story.after.folder / "report" / "index.html").read_text(encoding="utf-8")
    told = dict(traced.Traced(html).stated)
    named = {name for name, n in since.items() if n and name != "state"}
    assert told.keys() == {f"since.{name}" for name in named}
    assert traced.stated_faults(html, story.after.manifest) == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--table", "fct_nothing"], "cradle: neither release has a table fct_nothing"),
        (["--community", "quill_harbor,atlantis"], "cradle: atlantis is not a community of the network"),
    ],
)
def test_what_there_is_not_cannot_be_compared(story: Story, more: list[str], message: str) -> None:
    refused = CliRunner().invoke(compare, ["current", "current", *more])
    assert refused.exit_code == 2
    assert refused.output.splitlines()[0] == message


def test_a_release_against_itself_is_the_same(story: Story) -> None:
    told = CliRunner().invoke(compare, ["current", "current"])
    assert told.output.strip() == "the two releases hold the same tables"


# --- Who has submitted what ----------------------------------------------------------------------------------------


def test_status_ends_with_totals_and_due_dates_and_keeps_to_what_is_asked(story: Story) -> None:
    told = CliRunner().invoke(status, ["--community", "quill_harbor,reedmere", "--year", str(REPLACED_YEAR)])
    lines = told.output.splitlines()
    assert [line.split()[1] for line in lines[:2]] == ["quill_harbor", "reedmere"]
    assert lines[2].startswith(f"Total {REPLACED_YEAR}: 2 communities, due on {REPLACED_YEAR}-11-30: ")
    late = CliRunner().invoke(status, ["--status", "late", "--year", str(REPLACED_YEAR)]).output.splitlines()
    assert late and {line.split()[2] for line in late[:-1]} == {"late"}
    nobody = CliRunner().invoke(status, ["--status", "waived"])
    assert (nobody.exit_code, nobody.output) == (0, "No folder is like that.\n")


@pytest.mark.parametrize("asked", [status, worklist])
def test_a_year_that_the_release_is_too_old_for_is_an_error_that_names_its_years(
    story: Story, asked: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = max(row["reporting_year"] for row in story.after.manifest["inputs"]) + 7
    monkeypatch.setenv("CRADLE_TODAY", f"{year}-02-01")
    refused = CliRunner().invoke(asked, ["--year", str(year)])
    assert refused.exit_code == 2
    told = refused.output.splitlines()
    assert told[0] == f"cradle: the current release holds nothing of {year}"
    assert re.fullmatch(r"  hint: it holds \d{4} to \d{4}; `cradle run` makes a new one", told[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--year", "1890"], "cradle: 1890 is not a reporting year"),
        (["--community", "atlantis"], "cradle: atlantis is not a community of the network"),
        (["--status", "lost"], "cradle: lost is not a status of a folder"),
    ],
)
def test_status_of_what_there_is_not_is_an_error(story: Story, arguments: list[str], message: str) -> None:
    refused = CliRunner().invoke(status, arguments)
    assert refused.exit_code == 2
    assert refused.output.splitlines()[0] == message
