"""Every figure, sentence and mark of the report's pages is that of the mart cell it names, in both editions.

Belongs here: walking all pages of a small database, internal and public, and comparing what they claim with its rows.
Does not: what a page is made of (test_report.py), how a sentence is read back (tests/sentences.py).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from markupsafe import escape

from dagster_project.lib.base.shown import ACTING
from dagster_project.lib.publish.report.render import write_report
from tests import drawn, traced
from tests.unit.publish.test_report import SINCE, context, report_marts, with_targets

YEAR = report_marts.YEAR
READING = "grade3_reading_proficient_pct"
REASON = "The state has changed its test <b>again</b>"


def database(path: Path, edition: str) -> Path:
    """A small database of an edition, with targets and with the fitted gaps of a computed table."""
    whole = with_targets(report_marts.build(path / "whole.duckdb"), path / f"{edition}.duckdb")
    with duckdb.connect(str(whole)) as connection:
        connection.execute("alter table marts.fct_gap add column fitted_last_gap double")
        connection.execute("update marts.fct_gap set fitted_last_gap = last_gap - slope_difference")
        if edition == "internal":
            add_notes(connection)
    return report_marts.make_public(whole) if edition == "public" else whole


def add_notes(connection: duckdb.DuckDBPyConnection) -> None:
    """What only the internal edition has beside a value: reasons for a change of series, values of others, coverage."""
    connection.execute(
        f"create table marts.fct_series_change as select 'c00' as community_id, '{READING}' as indicator_id, "
        "'assessment 2021' as series, 2021 as first_school_year, 2021 as reporting_year, 'f' as finding_id, "
        f"true as is_explained, '{REASON}' as explanation, false as is_comparable"
    )
    connection.execute(
        "create table marts.fct_reference_value as select level as area_level, area, "
        f"'{READING}' as indicator_id, series, 'all' as population_group_id, "
        "year::integer as school_year, (40.25 + year - 2013)::double as value, 'The state' as source, 'CC0' as licence "
        "from range(2013, 2025) as y(year), (values ('state', 'Maine', 'default'), ('state', 'Ohio', 'default'), "
        "('nation', 'US', 'default'), ('nation', 'US', 'another test')) as t(level, area, series)"
    )
    connection.execute(
        "create table marts.fct_coverage as select distinct community_id, indicator_id, 'gender' as dimension, "
        "school_year, 2 as n_groups, 1 as n_with_value, 1 as n_masked, 0 as n_absent, null::varchar as criteria "
        "from marts.fct_indicator_value"
    )


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
            wrong, marks = drawn.faults(html, rows, known, lambda spec: traced.counted(connection, YEAR, spec))
            assert wrong == [], page.name
            seen += marks
            for spec, text in traced.Traced(html).counts:
                assert text == f"{traced.counted(connection, YEAR, spec):,}", (page.name, spec)
                seen["counts"] += 1
            assert traced.stated_faults(html, {"since": SINCE}) == [], page.name
            seen["stated"] += len(traced.Traced(html).stated)
            for spec, text in traced.Traced(html).shares:
                assert text == traced.share(connection, YEAR, spec), (page.name, spec)
                seen["shares"] += 1
            seen += looked_at
    assert seen["fct_trend_point"] > 2000 and seen["fct_gap"] > 100 and seen["fct_target_progress"] > 50
    assert (
        seen["says trend"] == 4 * len(report_marts.INDICATORS) and seen["says gap"] > 100 and seen["says fitted"] > 50
    )
    assert seen["stated"] == 6, "two of the release before, and the counts that are not zero"
    assert seen["counts"] > 100 and seen["fct_network_trend"] > 50 and seen["shares"] >= 2
    assert seen["mark of fct_trend"] > 200 and seen["mark of fct_gap"] > 100
    assert seen["drawn point"] > 200 and seen["drawn line of fct_trend_point"] > 1000 and seen["drawn fitted side"] > 50
    assert seen["drawn part of a bar"] > 10 and seen["drawn slope_median"] > 5 and seen["says ends"] > 50


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


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update marts.fct_trend_point set value = value + 0.5", " point: says"),
        ("update marts.fct_trend set slope = slope + 0.4 where slope is not null", "fitted line"),
        ("update marts.fct_gap_year set reference_value = reference_value + 2", "line of fct_gap_year"),
        ("update marts.fct_gap set group_slope = group_slope + 1", "fitted side"),
        ("delete from marts.fct_trend_point where school_year = 2019", "every value"),
    ],
)
def test_a_picture_of_other_rows_is_found_out(tmp_path: Path, statement: str, told: str) -> None:
    path = database(tmp_path, "internal")
    with duckdb.connect(str(path)) as connection:
        write_report(connection, tmp_path, "internal", context())
        connection.execute(statement)
        rows, known = traced.stored(connection, YEAR), traced.indicators(connection)
    page = tmp_path / "report" / "communities" / "c01" / "indicator-graduation_4yr_pct.html"
    wrong, _ = drawn.faults(page.read_text(encoding="utf-8"), rows, known, len)
    assert any(told in each for each in wrong)


def page_of(edition: tuple[str, Path, Path], name: str) -> str:
    return (edition[2] / name).read_text(encoding="utf-8")


def test_a_break_of_a_chart_has_the_communitys_reason_and_only_internally(edition: tuple[str, Path, Path]) -> None:
    page = page_of(edition, f"communities/c00/indicator-{READING}.html")
    shown = escape(REASON)
    marked = re.search(r'<line class="break"[^>]*>(<title>.*?</title>)?</line>', page)
    assert marked
    if edition[0] == "internal":
        assert marked[1] == f"<title>{shown}</title>"
        assert f"reason: {shown}; its values are not comparable." in page
    else:
        assert marked[1] is None and "state has changed" not in page


def test_values_of_the_own_state_and_the_nation_stand_thin_beside_a_line(edition: tuple[str, Path, Path]) -> None:
    page = page_of(edition, f"communities/c00/indicator-{READING}.html")
    chart = page.split('<svg class="chart trend"')[1].split("</svg>")[0]
    named = set(re.findall(r'<circle class="reference"[^>]*><title>([^,]+), ', chart))
    assert named == ({"Maine", "the nation"} if edition[0] == "internal" else set())
    assert ("for orientation" in page) == (edition[0] == "internal")
    other = page_of(edition, "communities/c00/indicator-graduation_4yr_pct.html")
    assert 'class="reference"' not in other


def test_a_card_says_how_many_groups_have_a_value(edition: tuple[str, Path, Path]) -> None:
    card = " ".join(re.sub("<[^>]+>", "", page_of(edition, "communities/c00.html")).split())
    assert ("Groups with a value: Gender 1 of 2, 1 sent without one (2024)." in card) == (edition[0] == "internal")
    # An edition without the table says nothing of it: "none" would contradict the values that stand above.
    assert ("Groups with a value" in card) == ("Source:" in card) == (edition[0] == "internal")


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title></svg><b>bold</b>",
    "abc\u202edesrever\u202c \u200bhidden",
    "=cmd|' /C calc'!A0",
    "z" * 10_000,
)
TEXTS = {
    "dim_community": ("name", "state"),
    "dim_outcome": ("name",),
    "dim_indicator": ("name",),
    "dim_population_group": ("label",),
    "fct_trend_point": ("series",),
    "fct_indicator_value": ("series",),
    "fct_story": ("title", "text"),
    "fct_strategy": ("title",),
}
INTERNAL_TEXTS = {
    "fct_finding": ("message", "source_file"),
    "fct_series_change": ("series", "explanation"),
    "fct_reference_value": ("source",),
    "fct_criterion_status": ("evidence",),
}


@pytest.mark.parametrize("edition_name", ["internal", "public"])
def test_hostile_text_is_shown_as_text_on_every_page_and_in_every_file(tmp_path: Path, edition_name: str) -> None:
    path = database(tmp_path, edition_name)
    with duckdb.connect(str(path)) as connection:
        for number, text in enumerate(HOSTILE):
            for table, columns in (TEXTS | (INTERNAL_TEXTS if edition_name == "internal" else {})).items():
                for column in columns:
                    where = f"rowid % {len(HOSTILE)} = {number} and {column} is not null"
                    connection.execute(f"update marts.{table} set {column} = ? where {where}", [text])
        write_report(connection, tmp_path, edition_name, context(network_name=HOSTILE[0]))
    for page in sorted((tmp_path / "report").rglob("*.html")):
        html = page.read_text(encoding="utf-8")
        opened = Seen(html)
        assert not opened.tags & {"script", "img", "b"}, page
        assert not opened.handlers and not ACTING.search(html), page
        assert html.count("</style>") == html.count("<style>"), page
    for file in sorted((tmp_path / "report").rglob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            assert not any(cell.startswith("=") or "\u202e" in cell for row in csv.reader(lines) for cell in row), file
    for file in sorted((tmp_path / "report").rglob("*.svg")):
        assert not ACTING.search(file.read_text(encoding="utf-8"))
        assert not Seen(file.read_text(encoding="utf-8")).tags & {"script", "img", "b"}, file


class Seen(HTMLParser):
    """The elements and event handlers that a browser would see in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # The one script of the report is a file of its own: nothing that a member wrote can stand in it.
        self.tags.add(f"{tag} src" if any(name == "src" for name, _ in attrs) and tag == "script" else tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
