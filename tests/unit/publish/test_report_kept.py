"""Pages kept from the last report: taken again where their inputs are the same, and never where they are not.

Belongs here: claims about write_report with a folder of kept pages, against a report made whole.
Does not: what a page says (test_report.py), or releases (tests/integration).
"""

from __future__ import annotations

import errno
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.publish.report.making.kept import ENDING, KeptPages
from dagster_project.lib.publish.report.marts import ReportContext, RuleParameter
from dagster_project.lib.publish.report.render import write_report
from tests.fixtures import report_marts


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return report_marts.build(tmp_path / "internal.duckdb")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The communities whose pages were made, in order, over all reports of a test."""
    found: list[str] = []
    files = KeptPages.files

    def watched(self, ident, rows, make):  # type: ignore[no-untyped-def]
        return files(self, ident, rows, lambda: (found.append(ident), make())[1])

    monkeypatch.setattr(KeptPages, "files", watched)
    return found


def report(
    database: Path,
    out: Path,
    kept: Path | None,
    edition: str = "internal",
    released: Path | None = None,
    **changes: str,
) -> dict[str, bytes]:
    """Every file of a report by its path."""
    stated = {"release_id": "2024-12-31-abc", "today": "2024-12-31", "code_version": "0.1.0", "network_name": "Example"}
    parameters = [RuleParameter(*p) for p in report_marts.PARAMETERS]
    rules = {"ruleset_id": "toa-default", "ruleset_version": "1.0.0", "contract_version": "1"}
    context = ReportContext(**(stated | changes), **rules, parameters=parameters)
    with duckdb.connect(str(database), read_only=True) as connection:
        files = write_report(connection, out, edition, context, kept, released)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def changed(database: Path, statement: str) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(statement)


NEXT = {"release_id": "2025-01-07-def", "today": "2025-01-07", "code_version": "0.1.1"}
ONE_VALUE = "update marts.fct_trend_point set value = value + 1 where community_id = 'c02'"


def test_after_one_resubmission_only_that_community_is_made_and_every_byte_is_that_of_a_whole_report(
    database: Path, tmp_path: Path, made: list[str]
) -> None:
    report(database, tmp_path / "first", tmp_path / "kept")
    assert made == sorted(made) == [f"c{n:02d}" for n in range(5)]
    made.clear()
    changed(database, ONE_VALUE)
    again = report(database, tmp_path / "again", tmp_path / "kept", **NEXT)
    assert made == ["c02"]
    assert again == report(database, tmp_path / "whole", None, **NEXT)
    first = report(database, tmp_path / "other", None)
    assert again["report/communities/c01.html"] != first["report/communities/c01.html"]  # it names its release


def test_a_file_that_is_the_same_in_a_released_report_is_that_file_and_no_other_is(
    database: Path, tmp_path: Path
) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    before = report(database, first, None)
    changed(database, ONE_VALUE)
    after = report(database, again, None, released=first, **NEXT)
    assert after == report(database, tmp_path / "whole", None, **NEXT)
    linked = {path for path in after if (first / path).is_file() and (again / path).samefile(first / path)}
    assert linked == {path for path, data in after.items() if before.get(path) == data}
    own = [path for path in sorted(after) if path.startswith("report/communities/") and path.endswith((".csv", ".svg"))]
    assert 0 < len(linked & set(own)) < len(own), "one community's figures changed"


def test_where_no_link_can_be_made_the_file_is_written(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = report(database, tmp_path / "first", None)

    def refused(self: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "on another file system")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    assert report(database, tmp_path / "again", None, released=tmp_path / "first") == before
    assert not (tmp_path / "again/report/style.css").samefile(tmp_path / "first/report/style.css")


RATES = """
create table marts.fct_false_positive as
select 'own_network' as basis, 'trend_improving' as measure, 0.5 as rate, 400 as n_trials
"""
COVERED = """
create table marts.fct_coverage as
select c.community_id, i.indicator_id, 'sex' as dimension, y::integer as school_year, 2::integer as n_groups,
       1::integer as n_with_value, 0::integer as n_masked, 1::integer as n_absent, null::varchar as criteria
from marts.dim_community c, marts.dim_indicator i, range(2019, 2024) r(y) order by y
"""
BACKWARDS = "create or replace table marts.fct_coverage as from marts.fct_coverage order by school_year desc"


def test_rates_of_the_whole_network_and_the_order_of_rows_make_no_page_of_a_community_anew(
    database: Path, tmp_path: Path, made: list[str]
) -> None:
    changed(database, f"{RATES}; {COVERED}")
    first = report(database, tmp_path / "first", tmp_path / "kept")
    made.clear()
    changed(database, f"update marts.fct_false_positive set rate = 0.25; {BACKWARDS}")
    again = report(database, tmp_path / "again", tmp_path / "kept")
    assert made == [] and again == report(database, tmp_path / "whole", None)
    assert again["report/methods.html"] != first["report/methods.html"]


@pytest.mark.parametrize(
    "statement",
    [
        "update marts.dim_indicator set name = name || '!'",
        "update marts.dim_population_group set label = label || '!'",
        "update marts.dim_criterion set statement = statement || '!'",
        "update marts.dim_outcome set name = name || '!'",
    ],
)
def test_words_that_all_pages_share_make_all_pages_anew(
    database: Path, tmp_path: Path, made: list[str], statement: str
) -> None:
    report(database, tmp_path / "first", tmp_path / "kept")
    changed(database, statement)
    made.clear()
    again = report(database, tmp_path / "again", tmp_path / "kept")
    assert len(made) == 5 and again == report(database, tmp_path / "whole", None)


def test_another_network_name_or_edition_takes_no_page_of_the_former(
    database: Path, tmp_path: Path, made: list[str]
) -> None:
    report(database, tmp_path / "first", tmp_path / "kept")
    made.clear()
    report(database, tmp_path / "named", tmp_path / "kept", network_name="Other")
    assert len(made) == 5
    report_marts.make_public(database)
    public = report(database, tmp_path / "public", tmp_path / "kept", "public")
    assert len(made) == 10 and public == report(database, tmp_path / "whole", None, "public")


def test_pages_of_the_network_are_made_of_every_community_and_are_never_kept(database: Path, tmp_path: Path) -> None:
    first = report(database, tmp_path / "first", tmp_path / "kept")
    changed(database, "update marts.fct_outcome_status set trend_status = 'declining' where community_id = 'c02'")
    again = report(database, tmp_path / "again", tmp_path / "kept")
    assert again["report/index.html"] != first["report/index.html"]
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {f"c{n:02d}{ENDING}" for n in range(5)}


@pytest.mark.parametrize("damage", [b"", b"not a page", None])
def test_what_was_kept_and_cannot_be_read_is_made_again(
    database: Path, tmp_path: Path, made: list[str], damage: bytes | None
) -> None:
    first = report(database, tmp_path / "first", tmp_path / "kept")
    file = tmp_path / "kept" / f"c03{ENDING}"
    file.write_bytes(file.read_bytes()[:-9] if damage is None else damage)
    made.clear()
    assert report(database, tmp_path / "again", tmp_path / "kept") == first and made == ["c03"]


def test_pages_of_a_community_that_is_no_longer_there_are_forgotten(database: Path, tmp_path: Path) -> None:
    report(database, tmp_path / "first", tmp_path / "kept")
    changed(database, "delete from marts.dim_community where community_id = 'c04'")
    again = report(database, tmp_path / "again", tmp_path / "kept")
    assert not (tmp_path / "kept" / f"c04{ENDING}").exists() and "report/communities/c04.html" not in again
