"""The public edition by the path a user takes: `cradle run`, `cradle public`, what lies below {public} afterwards.

Belongs here: the small example network's public release against its internal one, canaries, the dry run.
Does not: which cells are withheld and why (tests/unit/disclosure), the room's own functions (tests/unit/publish).
"""

from __future__ import annotations

import csv
import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.integration.conftest import EXAMPLE_TODAY, SECRETS, Run
from tests.warm import warm_cradle

HIDDEN = ("small", "complementary", "withheld_without_count")


@dataclass(frozen=True)
class Public:
    """One public release and the certificate that the house keeps of it."""

    folder: Path
    certificate: dict[str, Any]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of public.duckdb."""
        with duckdb.connect(str(self.folder / "public.duckdb"), read_only=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def public(example: Run) -> Public:
    public_id = (example.home / "public" / "current").read_text().strip()
    certificate = example.home / "publish" / "public" / public_id / "certificate.json"
    return Public(example.home / "public" / "releases" / public_id, json.loads(certificate.read_text()))


def call(example: Run, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command over that home."""
    return warm_cradle(
        *arguments, CRADLE_HOME=example.home, CRADLE_SEEDS=example.seeds, CRADLE_TODAY=EXAMPLE_TODAY, **more
    )


def test_the_run_publishes_it_after_the_internal_release_and_says_where(example: Run, public: Public) -> None:
    assert str(public.folder) in example.process.stdout
    assert public.certificate["release_id"] == example.release.folder.name
    assert public.certificate["passed"] is True


@pytest.mark.parametrize("command", [("verify",), ("compare",)])
def test_whoever_asks_for_the_id_of_its_pages_is_told_where_it_lies_and_how_to_check_it(
    example: Run, public: Public, command: tuple[str, ...]
) -> None:
    said = call(example, *command, public.folder.name, *(["current"] if command == ("compare",) else []))
    assert said.returncode == 1 and "it is the id of a public edition" in said.stderr
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=public.folder, capture_output=True, check=False
    )
    assert "sha256sum -c SHA256SUMS" in said.stderr and checked.returncode == 0


def test_no_small_count_and_no_id_of_the_house_is_in_it(public: Public) -> None:
    small = "denominator > 0 and denominator < 10"
    assert public.rows(f"select count(*) from marts.fct_indicator_value where {small}") == [(0,)]
    columns = public.rows("select distinct column_name from information_schema.columns")
    assert not {name for (name,) in columns} & {"submission_id", "source_file", "source_row", "note", "record_id"}


def test_public_figures_are_the_internal_ones_or_absent(example: Run, public: Public) -> None:
    database = example.release.folder / "internal.duckdb"
    with duckdb.connect(str(public.folder / "public.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{database}' as house (read_only)")
        for fact, figure, status in (("fct_trend", "slope", "trend_status"), ("fct_gap", "group_slope", "gap_status")):
            key = "community_id, indicator_id, population_group_id, geography_id, reporting_year"
            counted = connection.execute(
                f"select count(*), count(p.{figure}), count(*) filter (p.{status} = 'withheld'), "
                f"count(*) filter (p.{figure} is not null and p.{figure} <> h.{figure}), "
                f"count(*) filter (p.{status} <> 'withheld' and p.{status} is distinct from h.{status}) "
                f"from marts.{fact} p join house.marts.{fact} h using ({key})"
            ).fetchone()
            assert counted is not None
            rows, shown, withheld, other, restated = counted
            assert (rows, other, restated) == (
                connection.execute(f"select count(*) from marts.{fact}").fetchone()[0],
                0,
                0,
            )  # type: ignore[index]
            assert shown and withheld, fact


def test_names_of_files_persons_and_submissions_are_nowhere_below_it(example: Run, public: Public) -> None:
    held = example.release.rows("select distinct source_file from marts.fct_submission_file")
    names = {Path(str(name)).name for (name,) in held} - {"values.csv"}
    submissions = example.release.rows("select submission_id from marts.dim_submission")
    canaries = [*SECRETS, *names, *(str(name) for (name,) in submissions)]
    assert len(canaries) > 20
    for path in sorted((example.home / "public").rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            assert [canary for canary in canaries if canary.encode() in data] == [], path


def test_pages_say_what_is_withheld_and_name_no_source(public: Public) -> None:
    pages = sorted((public.folder / "report").rglob("*.html"))
    texts = [page.read_text(encoding="utf-8") for page in pages]
    assert all("Public: figures that could say something about a small group are withheld" in text for text in texts)
    assert any("withheld to protect a small group" in text for text in texts)
    assert not any("Internal: contains small groups" in text for text in texts)
    assert not any("What is on file" in text for text in texts)


def test_licence_citation_and_publisher_of_the_seeds_stand_in_the_package(example: Run, public: Public) -> None:
    with (example.seeds / "network" / "publication.csv").open(encoding="utf-8", newline="") as file:
        said = {row["name"]: row["value"] for row in csv.DictReader(file)}
    package = json.loads((public.folder / "datapackage.json").read_text())
    licence = {"name": said["licence_name"], "title": said["licence_title"], "path": said["licence_url"]}
    assert package["licenses"] == [licence]
    assert package["citation"] == said["citation"]
    assert said["publisher"] in str(package["contributors"])


def test_nothing_that_only_one_community_sent_is_below_another(example: Run) -> None:
    """Submissions, names of files and small counts of one member, looked for in what every other member is given."""
    by_community: dict[str, set[str]] = {}
    rows = example.release.rows(
        "select community_id, submission_id from marts.dim_submission union all "
        "select community_id, split_part(source_file, '/', -1) from marts.fct_submission_file union all "
        "select community_id, cast(value as varchar) from marts.fct_indicator_value "
        "where denominator < 10 and len(cast(value as varchar)) > 7"
    )
    for community, text in rows:
        if community is not None:
            by_community.setdefault(str(community), set()).add(str(text))
    sent = [text for texts in by_community.values() for text in texts]
    only = {
        community: {text for text in texts if sum(text in other for other in sent) == 1}
        for community, texts in by_community.items()
    }
    assert sum(map(len, only.values())) > 40
    looked = 0
    for path in sorted(path for path in (example.home / "outbox").rglob("*") if path.is_file()):
        own = path.relative_to(example.home / "outbox").parts[0]
        others = {text for community, texts in only.items() if community != own for text in texts}
        said = unpacked(path)
        assert {text for text in others if text in said} == set(), path
        looked += any(text in said for text in only.get(own, ()))
    assert looked > 10, "what a community sent is found in its own receipts by the same look"


def test_a_member_can_check_against_the_public_edition_alone(example: Run, public: Public, tmp_path: Path) -> None:
    (value, *row), *_ = public.rows(
        "select value, community_id, indicator_id, school_year + 1 from marts.fct_indicator_value "
        "where population_group_id = 'all' and geography_id = community_id and origin = 'submitted' "
        "and unit = 'percent' and period = 'annual' and denominator > 200 and value > 20 and school_year < 2018 "
        "order by all limit 1"
    )
    community, indicator, year = row
    file = tmp_path / "values.csv"
    far = round(value) - 18
    header = "indicator,dimension,group,geography_id,school_year,series,numerator,denominator,value"
    file.write_text(f"{header}\n{indicator},all,all,,{year},,{far * 10},1000,\n", encoding="utf-8")
    database = public.folder / "public.duckdb"
    asked = ("check", str(file), "--community", community, "--year", "2018", "--json")
    alone, held = call(example, *asked), call(example, *asked, "--against", str(database))
    assert "year_over_year_change" not in {found["rule_id"] for found in json.loads(alone.stdout)["findings"]}
    receipt = json.loads(held.stdout)
    assert "year_over_year_change" in {found["rule_id"] for found in receipt["findings"]}
    assert {"group_vanishes", "selection_changed"} <= set(receipt["skipped_rules"])
    assert "year_over_year_change" not in receipt["skipped_rules"]
    refused = call(example, *asked, "--against", str(file.with_suffix(".duckdb")))
    assert (refused.returncode, "there is no file" in refused.stderr) == (2, True)
    assert call(example, *asked, "--against", str(database), "--changes").returncode == 2
    assert call(example, *asked, "--against", str(_empty(tmp_path / "none.duckdb"))).returncode == 2


def _empty(database: Path) -> Path:
    duckdb.connect(str(database)).close()
    return database


def test_logs_hold_no_free_text_of_a_member(example: Run) -> None:
    notes = example.release.rows(
        "select note from (select note from marts.fct_indicator_value union select text from marts.fct_story "
        "union select title from marts.fct_strategy) where len(note) > 12"
    )
    canaries = [*SECRETS, *(str(note) for (note,) in notes)]
    files = [path for path in (example.home / "dagster").rglob("*") if path.is_file()]
    assert notes and files
    for path in files:
        data = path.read_bytes()
        assert [canary for canary in canaries if canary.encode() in data] == [], path


def unpacked(path: Path) -> str:
    """A file as text; a workbook as the texts of all its parts."""
    if not zipfile.is_zipfile(path):
        return path.read_text(encoding="utf-8", errors="replace")
    with zipfile.ZipFile(path) as parts:
        return "\n".join(parts.read(name).decode("utf-8", errors="replace") for name in parts.namelist())


def test_its_checksums_name_every_file_and_hold(public: Public) -> None:
    named = [line.partition("  ")[2] for line in (public.folder / "SHA256SUMS").read_text("utf-8").splitlines()]
    there = {path.relative_to(public.folder).as_posix() for path in public.folder.rglob("*") if path.is_file()}
    assert named == sorted(there - {"SHA256SUMS"})
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=public.folder, check=False)
    assert done.returncode == 0


def test_a_dry_run_says_what_is_lost_and_writes_nothing(example: Run, public: Public) -> None:
    before = sorted(path for path in example.home.rglob("*") if path.is_file() and "public" in path.parts)
    done = call(example, "public", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "hidden cells of" in done.stdout
    assert "fct_indicator_value" in done.stdout
    told = json.loads(call(example, "public", "--dry-run", "--json").stdout)
    assert told["counts"]["cells_by_kind"] == public.certificate["counts"]["cells_by_kind"]
    # Everything is as it was when it went out: no family is solved again.
    assert told["counts"]["families_solved"] == 0
    assert sorted(path for path in example.home.rglob("*") if path.is_file() and "public" in path.parts) == before


def test_publishing_again_makes_no_new_release(example: Run, public: Public) -> None:
    assert call(example, "public").returncode == 0
    assert [path.name for path in public.folder.parent.iterdir()] == [public.folder.name]


def test_it_can_be_left_out(example: Run) -> None:
    done = call(example, "run", CRADLE_PUBLIC="off")
    assert done.returncode == 0, done.stderr
    assert "left out (CRADLE_PUBLIC=off)" in done.stdout
    assert call(example, "public", CRADLE_PUBLIC="off").returncode == 2


def test_the_home_can_be_audited_by_counts_alone(public: Public) -> None:
    manifest = json.loads((public.folder / "manifest.json").read_text())
    counts = manifest["disclosure"]
    withheld = public.rows("select count(*) from marts.fct_indicator_value where value_status = 'withheld'")
    assert withheld == [(sum(counts["cells_by_kind"].get(kind, 0) for kind in HIDDEN),)]
    assert counts["smallest_interval"] is None or counts["smallest_interval"] >= 3
