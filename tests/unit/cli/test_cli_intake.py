"""check, template and suggest as a user runs them: output, exit codes, and never a traceback.

Belongs here: the commands of dagster_project/cli/intake.py over a small home.
Does not: what they compute (tests/unit/intake).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli.main import cli
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.settings import from_environment
from tests.unit.member.released import release_of

HEAD = "school_year,indicator,dimension,group,numerator,denominator,value\n"
GOOD = HEAD + "2022-23,graduation_4yr_pct,all,all,880,1000,\n"
LATER = HEAD + "2023-24,graduation_4yr_pct,all,all,990,1000,\n2023-24,Brook Index,all,all,1,2,\n"
LATER += "2023-24,4 Year Graduation Rates,all,all,990,1000,\n"
BAD = HEAD + "2023-24,graduation_4yr_pct,all,all,2000,1000,\n"
PLACE = ("--community", "birchmont_falls", "--year", "2024")


class Home:
    """A home with settings, and cradle run in it."""

    def __init__(self, home: Path, seeds: Path) -> None:
        self.home = home
        self.environment = {"CRADLE_HOME": str(home), "CRADLE_SEEDS": str(seeds), "CRADLE_TODAY": "2024-12-31"}
        self.environment["CRADLE_SETTLE_SECONDS"] = "0"

    def cradle(self, *arguments: str) -> Result:
        """The result of one command."""
        return CliRunner().invoke(cli, list(arguments), env=self.environment)

    def publish(self) -> None:
        """A release made from what lies in the drop."""
        pipeline = Pipeline(from_environment(self.environment))
        for _ in pipeline.take(Selection(), "test"):
            pass
        landed, _ = pipeline.land()
        folder = self.home / "publish" / "releases" / "2024-12-31-test"
        release_of(landed, pipeline.reference, folder / "internal.duckdb")
        (self.home / "publish" / "current").write_text("2024-12-31-test\n", encoding="utf-8")


@pytest.fixture(scope="module")
def home(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a release of two years."""
    made = Home(tmp_path_factory.mktemp("home"), seeds)
    for year, text in ((2023, GOOD), (2024, LATER)):
        folder = made.home / "drop" / "birchmont_falls" / str(year)
        folder.mkdir(parents=True)
        (folder / "indicator_values.csv").write_text(text, encoding="utf-8")
    made.publish()
    return made


@pytest.fixture
def bare(seeds: Path, tmp_path: Path) -> Home:
    """A home in which nothing was ever run."""
    return Home(tmp_path / "bare", seeds)


def written(folder: Path, text: str, name: str = "indicator_values.csv") -> str:
    """The path of a new file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_clean_file_exits_with_0_and_a_bad_one_with_1(bare: Home, tmp_path: Path) -> None:
    good = bare.cradle("check", written(tmp_path, GOOD), *PLACE)
    assert (good.exit_code, "Accepted: 1 of 1 rows" in good.output) == (0, True)
    bad = bare.cradle("check", written(tmp_path, BAD), *PLACE)
    assert (bad.exit_code, "numerator_above_denominator" in bad.output) == (1, True)


def test_a_check_leaves_no_trace_in_the_home(bare: Home, tmp_path: Path) -> None:
    bare.cradle("check", written(tmp_path, BAD), *PLACE)
    assert not bare.home.exists()


def test_the_receipt_is_printed_as_json_and_nothing_else(bare: Home, tmp_path: Path) -> None:
    result = bare.cradle("check", written(tmp_path, BAD), *PLACE, "--json")
    receipt = json.loads(result.output)
    assert result.exit_code == 1
    assert (receipt["community_id"], receipt["reporting_year"], receipt["status"]) == (
        "birchmont_falls",
        2024,
        "rejected",
    )
    assert [finding["rule_id"] for finding in receipt["findings"]] == ["numerator_above_denominator"]


def test_rules_that_need_history_are_listed_as_skipped_until_a_release_is_named(home: Home, tmp_path: Path) -> None:
    file = written(tmp_path, LATER)
    alone = home.cradle("check", file, *PLACE, "--json")
    assert "year_over_year_change" in json.loads(alone.output)["skipped_rules"]
    for name in ("current", "2024-12-31-test"):
        result = home.cradle("check", file, *PLACE, "--json", "--against", name)
        receipt = json.loads(result.output)
        assert receipt["skipped_rules"] == []
        assert "year_over_year_change" in {finding["rule_id"] for finding in receipt["findings"]}
        assert result.exit_code == 0  # a question is no error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "FILE", "--community", "nowhere", "--year", "2024"), "nowhere is not a community"),
        (("check", "FILE", "--community", "birchmont_falls", "--year", "1999"), "1999 is not a reporting year"),
        (("check", "FILE", "--community", "birchmont_falls"), "--year"),
        (("check", "/no/such/file.csv", *PLACE), "does not exist"),
        (("check", "EMPTY", *PLACE), "holds no file"),
        (("check", "FILE", *PLACE, "--against", "2020-01-01-none"), "no release 2020-01-01-none"),
        (("template", *PLACE, "-o", "book.csv"), "does not end in .xlsx"),
        (("template", *PLACE, "-o", "/no/such/folder/book.xlsx"), "cannot write"),
        (("template", "--community", "nowhere", "--year", "2024", "-o", "b.xlsx"), "nowhere is not a community"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(
    home: Home, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    named = {"FILE": written(tmp_path, GOOD), "EMPTY": str(empty)}
    result = home.cradle(*(named.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


def test_an_unknown_setting_is_one_line_and_a_hint(home: Home, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["check", written(tmp_path, GOOD), *PLACE], env={**home.environment, "CRADLE_TODY": "2024-01-01"}
    )
    assert result.exit_code == 2
    assert "CRADLE_TODY" in result.output
    assert "hint:" in result.output


def test_a_template_is_written_with_and_without_a_release_and_reads_back_clean(
    home: Home, bare: Home, tmp_path: Path
) -> None:
    for where, words in ((home, "with last values"), (bare, "without earlier values")):
        file = str(tmp_path / "template.xlsx")
        result = where.cradle("template", "--community", "birchmont_falls", "--year", "2025", "-o", file)
        assert (result.exit_code, words in result.output) == (0, True)
        assert where.cradle("check", file, *PLACE).exit_code == 0


def test_after_a_rename_template_and_suggest_know_the_community_of_the_release_before(
    home: Home, seeds: Path, tmp_path: Path
) -> None:
    named = tmp_path / "seeds"
    shutil.copytree(seeds, named)
    with (named / "network" / "community_successions.csv").open("a", encoding="utf-8") as lines:
        lines.write("birchmont_falls,falls_city,\n")
    renamed, file = Home(home.home, named), str(tmp_path / "template.xlsx")
    told = renamed.cradle("template", "--community", "falls_city", "--year", "2025", "-o", file)
    assert told.exit_code == 0 and "with last values" in told.output
    suggested = renamed.cradle("suggest", "--community", "falls_city")
    assert "1 row of falls_city" in suggested.output and "No label waits" not in suggested.output


def test_the_same_template_twice_is_the_same_file(home: Home, tmp_path: Path) -> None:
    files = [tmp_path / "one.xlsx", tmp_path / "two.xlsx"]
    for file in files:
        home.cradle("template", *PLACE, "-o", str(file))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_suggest_prints_score_code_the_line_to_add_and_what_it_would_clash_with(home: Home) -> None:
    result = home.cradle("suggest", "--community", "birchmont_falls,alderwick_bend")
    assert result.exit_code == 0
    head, *rest = result.output.partition('indicator "4 Year Graduation Rates": 1 row of birchmont_falls\n')[
        2
    ].splitlines()
    assert head.endswith('(as "4-year graduation rate"); add to crosswalks/indicator_labels.csv:')
    assert rest[0].strip() == "community,birchmont_falls,4 Year Graduation Rates,graduation_4yr_pct,,,,"
    assert rest[1].strip().startswith("but look first: birchmont_falls/2024 already gives values of graduation_4yr_pct")


def test_suggest_says_that_none_fits_and_keeps_to_the_communities_asked_for(home: Home) -> None:
    result = home.cradle("suggest")
    assert 'indicator "Brook Index": 1 row of birchmont_falls\n  none fits: the nearest, ' in result.output
    assert ",Brook Index," not in result.output
    assert home.cradle("suggest", "--community", "alderwick_bend").output == "No label waits.\n"
    refused = home.cradle("suggest", "--community", "alderwick_bend,atlantis_bay")
    assert (refused.exit_code, "atlantis_bay is not a community" in refused.output) == (2, True)
    assert home.cradle("suggest", "--community", "aspenreach,").exit_code == 2


def test_suggest_without_a_release_says_how_to_get_one(bare: Home) -> None:
    result = bare.cradle("suggest")
    assert result.exit_code != 0
    assert "cradle run" in result.output
