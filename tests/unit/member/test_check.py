"""`cradle check` says offline what intake says, byte for byte, and writes nothing.

Belongs here: receipts of lib/member/check.py beside those that intake wrote, skipped rules, history of a release.
Does not: any rule (tests of its module), the command's arguments (tests/unit/test_cli_intake.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import in_force, read_ruleset
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.lib.intake.comparing.comparisons import NEEDS_HISTORY, RULES, TELLING, compare_submissions
from dagster_project.lib.intake.findings import catalogue
from dagster_project.lib.member.check import (
    ACROSS_YEARS,
    Compare,
    History,
    NoHistoryError,
    NothingToCheckError,
    check_path,
    history_of,
    is_clean,
    receipt_lines,
)
from dagster_project.lib.receipts.receipts import as_json
from dagster_project.settings import from_environment
from tests.unit.member.released import release_of

HEAD = "school_year,indicator,dimension,group,numerator,denominator,value,geography,geography_level\n"
ROW = "{year},graduation_4yr_pct,all,all,{n},1000,,,\n"
PLACES = HEAD + "".join(
    f"2023-24,employed_pct,all,all,{n},{d},,{name},school\n"
    for name, n, d in (("Brook", 40, 100), ("Hill", 60, 122), ("Both together", 100, 222))
)
BUCKET = {
    ("birchmont_falls", 2022): {"indicator_values.csv": HEAD + ROW.format(year="2021-22", n=820)},
    ("birchmont_falls", 2023): {
        "indicator_values.csv": HEAD + ROW.format(year="2022-23", n=830) + "2022-23,Brook Index,all,all,1,2,,,\n",
        "notes.md": "Sent by the data desk.\n",
    },
    ("birchmont_falls", 2024): {
        "indicator_values.csv": HEAD + ROW.format(year="2023-24", n=960) + "2023-24,employed_pct,all,all,9,8,,,\n",
        "places.csv": PLACES,
        "funding.csv": "partner,purpose,amount\nCity,operations,a lot\nCity,operations,100\n",
        "roster.csv": "student_id,first_name,last_name\n1,Ada,Invented\n",
        "odd.csv": "a,b\n1,2\n",
    },
    ("alderwick_bend", 2024): {"indicator_values.csv": HEAD + ROW.format(year="2023-24", n=700)},
    ("ashgrove_hollow", 2024): {"indicator_values.csv": HEAD + "soon,graduation_4yr_pct,all,all,1,2,,,\n"},
}


def write_bucket(drop: Path, bucket: dict[tuple[str, int], dict[str, str]]) -> None:
    """Write folders of files."""
    for (community, year), files in bucket.items():
        for name, text in files.items():
            path = drop / community / str(year) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def compare_with(reference: Reference) -> Compare:
    """The comparisons with the thresholds in force."""
    parameters = read_ruleset(reference, in_force(reference, 2024)).comparison
    return lambda observations: compare_submissions(observations, reference, parameters)


class House:
    """A small network that was taken in, with its receipts and a release."""

    def __init__(self, home: Path, seeds: Path, today: str = "2024-12-31") -> None:
        settings = from_environment(
            {"CRADLE_HOME": str(home), "CRADLE_SEEDS": str(seeds), "CRADLE_TODAY": today}
            | {"CRADLE_SETTLE_SECONDS": "0"}
        )
        self.pipeline = Pipeline(settings)
        self.drop, self.outbox = home / "drop", home / "outbox"
        self.release = home / "release.duckdb"

    def take(self) -> None:
        """Intake, landing, receipts and the stand-in of a release."""
        for _ in self.pipeline.take(Selection(), "test"):
            pass
        landed, _ = self.pipeline.land()
        self.release.unlink(missing_ok=True)
        release_of(landed, self.pipeline.reference, self.release)

    def receipt(self, community: str, year: int) -> bytes:
        """The receipt that intake wrote."""
        return (self.outbox / community / str(year) / "receipt.json").read_bytes()

    @property
    def history(self) -> History:
        """What the release knows."""
        with duckdb.connect(str(self.release), read_only=True) as connection:
            return history_of(connection)

    def check(self, community: str, year: int, history: History | None = None) -> dict[str, Any]:
        """The receipt of the same folder, offline."""
        intake = self.pipeline.intake
        compare = compare_with(intake.reference)
        return check_path(self.drop / community / str(year), community, year, intake, history, compare)


@pytest.fixture(scope="module")
def house(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The bucket above, taken in."""
    made = House(tmp_path_factory.mktemp("house"), seeds)
    write_bucket(made.drop, BUCKET)
    made.take()
    return made


def without_skipped(receipt: dict[str, Any]) -> bytes:
    """The receipt as intake writes it."""
    return as_json({name: value for name, value in receipt.items() if name != "skipped_rules"})


@pytest.mark.parametrize(("community", "year"), sorted(BUCKET))
def test_with_the_history_of_a_release_the_receipt_is_intakes_byte_for_byte(
    house: House, community: str, year: int
) -> None:
    receipt = house.check(community, year, house.history)
    assert without_skipped(receipt).decode() == house.receipt(community, year).decode()
    assert receipt["skipped_rules"] == []


NOW = "falls_city"


@pytest.fixture(scope="module")
def renamed(house: House, seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The same bucket in a home of its own, after the first community was renamed and laid its folders under that."""
    named = tmp_path_factory.mktemp("renamed_seeds") / "seeds"
    shutil.copytree(seeds, named)
    with (named / "network" / "community_successions.csv").open("a", encoding="utf-8") as lines:
        lines.write(f"birchmont_falls,{NOW},\n")
    made = House(tmp_path_factory.mktemp("renamed"), named)
    write_bucket(
        made.drop, {(NOW if c == "birchmont_falls" else c, year): files for (c, year), files in BUCKET.items()}
    )
    made.take()
    return made


@pytest.mark.parametrize("year", [2022, 2023, 2024])
def test_the_check_of_a_renamed_community_asks_by_the_ids_that_intake_asks_by(renamed: House, year: int) -> None:
    receipt = renamed.check(NOW, year, renamed.history)
    assert without_skipped(receipt).decode() == renamed.receipt(NOW, year).decode()


def test_a_release_from_before_a_rename_is_the_history_of_the_renamed_community(house: House, renamed: House) -> None:
    def asked(history: History) -> set[tuple[str, str]]:
        findings = renamed.check(NOW, 2024, history)["findings"]
        return {(one["rule_id"], one["finding_id"]) for one in findings if one["severity"] == "explainable"}

    assert "year_over_year_change" in {rule for rule, _ in asked(house.history)}
    assert asked(house.history) == asked(renamed.history)


def test_without_history_the_findings_of_every_rule_that_is_not_skipped_are_intakes(house: House) -> None:
    receipt = house.check("birchmont_falls", 2024)
    assert receipt["skipped_rules"] == [*NEEDS_HISTORY, *ACROSS_YEARS]
    told = (
        pl.read_json(house.outbox / "birchmont_falls" / "2024" / "receipt.json")["findings"].explode().struct.unnest()
    )
    expected = told.filter(~pl.col("rule_id").is_in([*NEEDS_HISTORY, *ACROSS_YEARS]))
    assert [finding["finding_id"] for finding in receipt["findings"]] == expected["finding_id"].to_list()
    assert {"double_counting", "person_level", "unknown_layout"} <= set(expected["rule_id"])
    assert "year_over_year_change" in told["rule_id"].to_list()


def test_the_rules_that_can_be_skipped_are_rules_of_the_catalogue() -> None:
    assert set(NEEDS_HISTORY) <= set(RULES) <= set(catalogue().rules["rule_id"])


def test_a_check_without_comparisons_lists_them_all_as_skipped(house: House) -> None:
    receipt = check_path(house.drop / "birchmont_falls" / "2024", "birchmont_falls", 2024, house.pipeline.intake)
    assert receipt["skipped_rules"] == [*RULES, *TELLING, *ACROSS_YEARS]
    assert not {finding["rule_id"] for finding in receipt["findings"]} & {*RULES, *TELLING}


def test_a_file_is_taken_as_a_folder_that_holds_only_it(house: House, tmp_path: Path) -> None:
    file = house.drop / "birchmont_falls" / "2024" / "funding.csv"
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "funding.csv").write_bytes(file.read_bytes())
    intake = house.pipeline.intake
    assert check_path(file, "birchmont_falls", 2024, intake) == check_path(alone, "birchmont_falls", 2024, intake)


def test_the_same_folder_always_gives_the_same_bytes(house: House) -> None:
    first, second = (as_json(house.check("birchmont_falls", 2024, house.history)) for _ in range(2))
    assert first == second


def files_below(root: Path) -> dict[Path, int]:
    """Every file with the moment of its last change."""
    return {path: path.stat().st_mtime_ns for path in root.rglob("*")}


def test_a_check_writes_nothing(house: House) -> None:
    before = files_below(house.drop.parent)
    house.check("birchmont_falls", 2024, house.history)
    house.check("ashgrove_hollow", 2024)
    assert files_below(house.drop.parent) == before


def test_a_folder_with_a_fatal_or_error_finding_is_not_clean(house: House) -> None:
    assert not is_clean(house.check("birchmont_falls", 2024))
    assert not is_clean(house.check("ashgrove_hollow", 2024))
    assert is_clean(house.check("birchmont_falls", 2023))
    assert is_clean(house.check("alderwick_bend", 2024))


def test_an_empty_folder_is_nothing_to_check(house: House, tmp_path: Path) -> None:
    with pytest.raises(NothingToCheckError):
        check_path(tmp_path, "birchmont_falls", 2024, house.pipeline.intake)


def test_an_answer_in_the_folder_itself_closes_its_question(house: House, tmp_path: Path) -> None:
    asked = house.check("birchmont_falls", 2023)
    (finding,) = [finding for finding in asked["findings"] if finding["rule_id"] == "unmapped_indicator"]
    for name, text in BUCKET["birchmont_falls", 2023].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "explanations.csv").write_text(
        f"finding_id,text\n{finding['finding_id']},Ours alone\n", encoding="utf-8"
    )
    receipt = check_path(tmp_path, "birchmont_falls", 2023, house.pipeline.intake)
    (answered,) = [found for found in receipt["findings"] if found["rule_id"] == "unmapped_indicator"]
    assert (answered["status"], answered["explanation"]) == ("explained", "Ours alone")


@pytest.fixture
def later(house: House, tmp_path: Path, seeds: Path) -> Iterator[House]:
    """The same network a year in which everything was answered and one folder replaced by a bad one."""
    made = House(tmp_path / "later", seeds)
    write_bucket(made.drop, BUCKET)
    asked = house.check("birchmont_falls", 2024, house.history)["findings"]
    answers = [f["finding_id"] for f in asked if f["severity"] == "explainable"]
    text = "finding_id,text\n" + "".join(f"{finding_id},Right\n" for finding_id in answers)
    write_bucket(made.drop, {("birchmont_falls", 2023): {"explanations.csv": text}})
    made.take()
    write_bucket(made.drop, {("alderwick_bend", 2024): {"indicator_values.csv": HEAD + "soon,x,all,all,1,2,,,\n"}})
    made.take()
    yield made


def test_earlier_answers_and_what_was_replaced_come_from_the_release(later: House) -> None:
    receipt = later.check("birchmont_falls", 2024, later.history)
    assert {f["status"] for f in receipt["findings"] if f["severity"] == "explainable"} == {"explained"}
    assert without_skipped(receipt) == later.receipt("birchmont_falls", 2024)


def test_a_rejected_replacement_says_so_before_it_is_uploaded(house: House, tmp_path: Path) -> None:
    (tmp_path / "indicator_values.csv").write_text(HEAD + "soon,x,all,all,1,2,,,\n", encoding="utf-8")
    compare = compare_with(house.pipeline.reference)
    receipt = check_path(tmp_path, "alderwick_bend", 2024, house.pipeline.intake, house.history, compare)
    assert receipt["status"] == "rejected"
    assert "counted before are gone" in receipt["first_line"]


def test_the_lines_name_every_file_finding_and_skipped_rule(house: House) -> None:
    receipt = house.check("birchmont_falls", 2024)
    text = "\n".join(receipt_lines(receipt))
    assert all(file["name"] in text for file in receipt["files"])
    assert all(f["message"] in text and f["remedy"] in text and f["finding_id"] in text for f in receipt["findings"])
    assert all(rule in text for rule in NEEDS_HISTORY)


def test_a_table_of_which_no_layout_is_known_is_said_to_be_not_recognised(tmp_path: Path, intake: Intake) -> None:
    (tmp_path / "indicator_values.csv").write_text("school_year,value\n2024,3\n", encoding="utf-8")
    (line,) = [
        line for line in receipt_lines(check_path(tmp_path, "birchmont_falls", 2024, intake)) if ".csv: " in line
    ]
    assert line.startswith("  indicator_values.csv: not recognised, 0 of 0 rows accepted")


def test_the_networks_own_folder_is_checked_as_well(tmp_path: Path, intake: Intake) -> None:
    (tmp_path / "scores.csv").write_text(
        "community_id,code,score,decided_on\nbirchmont_falls,systems_transformation,3,2024-05-01\n", encoding="utf-8"
    )
    receipt = check_path(tmp_path, "_network", 2024, intake)
    assert (receipt["status"], receipt["findings"]) == ("accepted", [])


REPEATED = HEAD + "".join(
    [
        # A total under another dimension's name, and groups that exceed it.
        "2022-23,graduation_4yr_pct,gender,all,600,1000,,,\n",
        "2022-23,graduation_4yr_pct,gender,female,500,900,,,\n",
        "2022-23,graduation_4yr_pct,gender,male,400,800,,,\n",
        # The whole is the sum of two, one of which waits for the code of its indicator in every folder.
        *(
            f"2022-23,Brook Index,all,all,{n},{d},,{name},school\n"
            for name, n, d in (("Brook", 40, 100), ("Hill", 60, 122), ("Both together", 100, 222))
        ),
        *(
            f"2022-23,employed_pct,all,all,{n},{d},,{name},school\n"
            for name, n, d in (("Brook", 41, 100), ("Hill", 61, 122), ("Both together", 102, 222))
        ),
    ]
)
EARLIER = HEAD + "2021-22,graduation_4yr_pct,all,all,620,1000,,,\n2021-22,employed_pct,all,all,100,222,,,\n"
NEXT = "2023-24,graduation_4yr_pct,all,all,750,1000,,,\n2023-24,graduation_4yr_pct,gender,female,500,900,,,\n"


@pytest.fixture(scope="module")
def repeating(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A community that sends the rows of one year again with the next, as many do, and answers one question early."""
    made = House(tmp_path_factory.mktemp("repeating"), seeds)
    folders = {2022: EARLIER, 2023: REPEATED, 2024: REPEATED + NEXT}
    write_bucket(made.drop, {("birchmont_falls", year): {"values.csv": text} for year, text in folders.items()})
    made.take()
    asked = made.check("birchmont_falls", 2024, made.history)["findings"]
    early = next(finding["finding_id"] for finding in asked if finding["rule_id"] == "year_over_year_change")
    answers = {"explanations.csv": f"finding_id,text\n{early},As expected\n0123456789abcdef,Of nothing\n"}
    write_bucket(made.drop, {("birchmont_falls", 2022): answers})
    made.take()
    return made


def asked_by(receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """The questions of the comparisons."""
    return [finding for finding in receipt["findings"] if finding["rule_id"] in RULES]


def test_a_question_of_an_earlier_year_is_not_asked_again_by_a_check_against_the_release(repeating: House) -> None:
    first, second = (repeating.check("birchmont_falls", year, repeating.history) for year in (2023, 2024))
    rules = {finding["rule_id"] for finding in asked_by(first)}
    assert {"groups_against_total", "double_counting"} <= rules
    ids = [{finding["finding_id"] for finding in asked_by(receipt)} for receipt in (first, second)]
    assert ids[0] and ids[1] and not ids[0] & ids[1]
    alone = {finding["finding_id"] for finding in asked_by(repeating.check("birchmont_falls", 2024))}
    assert ids[0] & alone, "without the release the check cannot know what was asked"


@pytest.mark.parametrize("year", [2022, 2023, 2024])
def test_the_findings_of_a_check_in_any_year_of_a_history_are_intakes_byte_for_byte(
    repeating: House, year: int
) -> None:
    receipt = repeating.check("birchmont_falls", year, repeating.history)
    written = json.loads(repeating.receipt("birchmont_falls", year))
    assert json.dumps(receipt["findings"]) == json.dumps(written["findings"])
    assert without_skipped(receipt) == repeating.receipt("birchmont_falls", year)


def test_an_answer_given_before_its_question_counts_and_one_taken_out_of_the_folder_no_longer_does(
    repeating: House, tmp_path: Path
) -> None:
    receipt = repeating.check("birchmont_falls", 2024, repeating.history)
    explained = [finding for finding in receipt["findings"] if finding["status"] == "explained"]
    assert [finding["rule_id"] for finding in explained] == ["year_over_year_change"]
    house = House(tmp_path, repeating.pipeline.reference.folder)
    folders = {2023: REPEATED, 2024: REPEATED + NEXT}
    write_bucket(house.drop, {("birchmont_falls", year): {"values.csv": text} for year, text in folders.items()})
    question = asked_by(house.check("birchmont_falls", 2023))[0]["finding_id"]
    write_bucket(house.drop, {("birchmont_falls", 2023): {"explanations.csv": f"finding_id,text\n{question},So\n"}})
    house.take()
    assert "explained" in {f["status"] for f in house.check("birchmont_falls", 2023, house.history)["findings"]}
    (house.drop / "birchmont_falls" / "2023" / "explanations.csv").unlink()
    assert "explained" not in {f["status"] for f in house.check("birchmont_falls", 2023, house.history)["findings"]}


def test_last_years_file_is_asked_about_before_it_is_uploaded(seeds: Path, tmp_path: Path) -> None:
    made = House(tmp_path / "home", seeds, today="2025-12-31")
    write_bucket(made.drop, {("birchmont_falls", 2024): {"values.csv": EARLIER + NEXT}})
    made.take()
    (tmp_path / "again.csv").write_text(EARLIER + NEXT, encoding="utf-8")
    compare, intake = compare_with(made.pipeline.reference), made.pipeline.intake

    def rules(history: History | None) -> list[str]:
        receipt = check_path(tmp_path / "again.csv", "birchmont_falls", 2025, intake, history, compare)
        return [finding["rule_id"] for finding in receipt["findings"]]

    assert rules(made.history) == ["nothing_new"]
    assert rules(None) == []
    (tmp_path / "again.csv").write_text(EARLIER + NEXT.replace("750", "751"), encoding="utf-8")
    assert "nothing_new" not in rules(made.history)


def test_a_release_without_the_rows_of_its_folders_is_no_history() -> None:
    with duckdb.connect() as connection, pytest.raises(NoHistoryError):
        history_of(connection)
