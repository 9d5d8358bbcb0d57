"""Every figure, sentence and mark of the report's pages is that of the mart cell it names, in both editions.

Belongs here: walking all pages of a small database, internal and public, and comparing what they claim with its rows.
Does not: what a page is made of (test_report.py), how a sentence is read back (tests/sentences.py).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.publish.report.render import write_report
from tests import traced
from tests.unit.publish.test_report import context, report_marts, with_targets

YEAR = report_marts.YEAR


def database(path: Path, edition: str) -> Path:
    """A small database of an edition, with targets and with the fitted gaps of a computed table."""
    whole = with_targets(report_marts.build(path / "whole.duckdb"), path / f"{edition}.duckdb")
    with duckdb.connect(str(whole)) as connection:
        connection.execute("alter table marts.fct_gap add column fitted_last_gap double")
        connection.execute("update marts.fct_gap set fitted_last_gap = last_gap - slope_difference")
    return report_marts.make_public(whole) if edition == "public" else whole


@pytest.fixture(scope="module", params=["internal", "public"])
def edition(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """An edition with its database and the folder that its pages were written to."""
    out = tmp_path_factory.mktemp(request.param)
    path = database(out, request.param)
    with duckdb.connect(str(path), read_only=True) as connection:
        write_report(connection, out, request.param, context())
    return request.param, path, out / "report"


def test_every_figure_sentence_and_mark_is_that_of_the_cell_it_names(edition: tuple[str, Path, Path]) -> None:
    _, path, report = edition
    seen = Counter[str]()
    with duckdb.connect(str(path), read_only=True) as connection:
        rows, known = traced.stored(connection, YEAR), traced.indicators(connection)
        for page in sorted(report.rglob("*.html")):
            html = page.read_text(encoding="utf-8")
            wrong, looked_at = traced.faults(html, rows, known)
            assert wrong == [], page.name
            for spec, text in traced.Traced(html).counts:
                assert text == f"{traced.counted(connection, YEAR, spec):,}", (page.name, spec)
                seen["counts"] += 1
            seen += looked_at
    assert seen["fct_trend_point"] > 2000 and seen["fct_gap"] > 100 and seen["fct_target_progress"] > 50
    assert (
        seen["says trend"] == 4 * len(report_marts.INDICATORS) and seen["says gap"] > 100 and seen["says fitted"] > 50
    )
    assert seen["counts"] > 100 and seen["fct_network_trend"] > 50
    assert seen["mark of fct_trend"] > 200 and seen["mark of fct_gap"] > 100


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [("slope", "-slope", "direction"), ("n_years", "n_years + 1", "years"), ("robustness", "'undetermined'", "called")],
)
def test_a_page_of_other_rows_is_found_out(tmp_path: Path, column: str, value: str, told: str) -> None:
    path = database(tmp_path, "internal")
    with duckdb.connect(str(path)) as connection:
        connection.execute("update marts.fct_trend set slope_ci_low = slope - 0.1, slope_ci_high = slope + 0.1")
        write_report(connection, tmp_path, "internal", context())
        connection.execute(f"update marts.fct_trend set {column} = {value} where slope is not null")
        rows, known = traced.stored(connection, YEAR), traced.indicators(connection)
    page = tmp_path / "report" / "communities" / "c01" / "indicator-graduation_4yr_pct.html"
    wrong, _ = traced.faults(page.read_text(encoding="utf-8"), rows, known)
    assert any(told in each for each in wrong)
