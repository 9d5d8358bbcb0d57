"""The Explore page in a real browser: choose, keep, take away; from a folder and from a server.

Belongs here: what a reader does on the page, and that it shows and saves the rows of the marts and nothing else.
Does not: the other pages (test_report_pages.py), what may be public (tests/unit/disclosure).
"""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect

from dagster_project.lib.publish.report import words
from tests.browser.chromium import launched
from tests.browser.report_site import breaches, written

GROUPS = ["all", "race_ethnicity:black", "race_ethnicity:american_indian_alaska_native", "race_ethnicity:white"]
COMMUNITIES = ["c00", "c02"]
INDICATOR = "graduation_4yr_pct"
CHOICE = "#" + "&".join(
    [f"indicator={INDICATOR}", *(f"community={c}" for c in COMMUNITIES)]
    + [f"group={g.replace(':', '%3A')}" for g in GROUPS]
    + ["from=2015", "to=2023"]
)
CHOSEN = f"indicator_id = '{INDICATOR}' and community_id in ('c00', 'c02') and school_year between 2015 and 2023"
BY_GROUP = f"and population_group_id in ({', '.join(repr(g) for g in GROUPS)})"
HOSTILE = '=HYPERLINK("x")<img src=x onerror="document.title=1">\u202e' + "long " * 2000
CHANGES = [
    f"update marts.dim_community set name = '{HOSTILE}' where community_id = 'c02'",
    f"update marts.dim_population_group set label = '@{HOSTILE}' where population_group_id = 'race_ethnicity:white'",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from launched()


@pytest.fixture(scope="module", params=["internal", "public"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails on a console error and on every request for what does not lie beside it."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    opened, wrong = context.new_page(), list[str]()
    beside = ("file:", "blob:", "http://127.0.0.1:")
    opened.on("request", lambda r: None if r.url.startswith(beside) else wrong.append(r.url))
    opened.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    opened.on("pageerror", lambda e: wrong.append(str(e)))
    yield opened
    context.close()
    assert wrong == []


def database(report: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(next(report.parent.glob("*.duckdb"))), read_only=True)


def saved(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save these rows as CSV").click()
    text = Path(download.value.path()).read_bytes().decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def told(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def same(text: str) -> str:
    return told(float(text)) if re.fullmatch(r"-?[\d.]+(e-?\d+)?", text) else text


def test_the_csv_of_a_choice_holds_its_rows_of_the_marts(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + CHOICE + "&view=table")
    rows = saved(page)
    columns = "community_id, population_group_id, school_year, series, value, numerator, denominator"
    with database(report) as connection:
        expected = connection.execute(
            f"select {columns} from marts.fct_trend_point where {CHOSEN} {BY_GROUP} order by all"
        ).fetchall()
    found = sorted(tuple(row[c] for c in columns.split(", ")) for row in rows)
    exact = [tuple("" if v is None else str(v) for v in row) for row in expected]
    assert len(exact) > 60 and [tuple(map(same, row)) for row in found] == [tuple(map(same, row)) for row in exact]
    assert {float(row["value"]) for row in rows if row["value"]} == {row[4] for row in expected if row[4] is not None}


def test_the_csv_of_gaps_holds_their_years_in_the_marts(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + CHOICE + "&view=gaps")
    found = sorted(
        (r["community_id"], r["population_group_id"], r["reference_group_id"], int(r["school_year"]), float(r["gap"]))
        for r in saved(page)
    )
    columns = "community_id, population_group_id, reference_group_id, school_year, gap"
    with database(report) as connection:
        expected = connection.execute(
            f"select {columns} from marts.fct_gap_year where {CHOSEN} {BY_GROUP} order by all"
        ).fetchall()
    assert len(expected) > 5 and found == expected


def test_what_is_not_there_stays_away_and_is_said(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + CHOICE + "&view=lines")
    said = page.get_by_role("status").inner_text()
    small = page.get_by_role("row", name="Alder Falls, American Indian or Alaska Native")
    if report.parent.name.startswith("public"):
        assert "withheld to protect a small group" in said
        assert set(small.get_by_role("cell").all_inner_texts()) <= {"withheld", ""}
    else:
        assert re.search(r"\d+ suppressed at source", said)
        assert "suppressed" in small.get_by_role("cell").all_inner_texts()
    values = [row for row in saved(page) if row["population_group_id"].endswith("alaska_native")]
    gone = [row for row in values if row["value_status"] in ("withheld", "suppressed_at_source")]
    assert gone and all(row["value"] == "" for row in gone)


def test_a_choice_made_by_keyboard_is_in_the_link_and_comes_back_from_it(page: Page, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    page.get_by_role("link", name="Explore").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Explore the figures")
    page.get_by_label("Indicator").focus()
    page.keyboard.type("Students who graduate")
    expect(page.locator("#chosen")).to_have_text("Students who graduate within four years")
    page.get_by_label("Find by name").fill("cedar")
    page.get_by_role("button", name="Choose all listed").focus()
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="Black").focus()
    page.keyboard.press("Space")
    page.get_by_role("radio", name="Lines and table").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Gaps between groups")).to_be_checked()
    before = page.get_by_role("table").inner_text()
    assert "Cedar & Sons <Valley>, Black, beside White" in before
    kept = page.evaluate("document.getElementById('link').href")
    assert kept == page.url
    page.goto("about:blank")
    page.goto(kept)
    assert page.get_by_role("table").inner_text() == before
    assert page.get_by_role("img", name="Students who graduate within four years, gaps").count() == 1


@pytest.mark.parametrize("view", ["lines", "gaps"])
def test_the_same_choice_is_said_in_spanish_with_the_same_figures(page: Page, report: Path, view: str) -> None:
    shown = {}
    for language in ("", "es/"):
        page.goto((report / language / "explore.html").as_uri() + CHOICE + f"&view={view}")
        expect(page.locator("#rows table")).to_be_visible()
        parts = ("#chosen", "#said", "#beside", "#rows caption", "#picture desc")
        told = " ".join(page.locator(part).text_content() or "" for part in parts)
        shown[language] = told, page.locator("#rows td").all_inner_texts()
    (english, cells), (spanish, in_spanish) = shown[""], shown["es/"]
    digits = re.compile(r"\d(?:[\d.,]*\d)?")
    # The same cells, groups in the order of their names in each language.
    assert sorted(filter(digits.fullmatch, cells)) == sorted(filter(digits.fullmatch, in_spanish))
    assert sorted(digits.findall(english)) == sorted(digits.findall(spanish)) and len(cells) > 8
    assert "comunidades por nombre" in spanish and ("brecha" in spanish) == (view == "gaps")
    own = re.compile(r"\b(by name|values?|lines?|gaps?|beside|Without|from|in|to)\b")
    assert own.search(english) and not own.search(spanish), own.search(spanish)


def test_lines_stand_by_name_whatever_their_figures_are(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + f"#indicator={INDICATOR}&view=table")
    page.get_by_role("button", name="Choose all listed").click()
    named = [text.split(",")[0] for text in page.locator("#rows tbody th").all_inner_texts()]
    assert len(named) == 4 and named == sorted(named, key=str.casefold)


@pytest.mark.parametrize(("width", "view"), [(1280, "lines"), (768, "table"), (390, "gaps")])
def test_axe_finds_nothing_in_a_choice(page: Page, report: Path, width: int, view: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    # The narrow one in Spanish, whose words are longer.
    page.goto((report / ("es" if width == 390 else "") / "explore.html").as_uri() + CHOICE + f"&view={view}")
    expect(page.locator("#rows table")).to_be_visible()
    assert breaches(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_figure_reads_as_on_the_other_pages(page: Page, tmp_path: Path) -> None:
    values = [0.05, 0.25, 0.35, 0.75, 80.25, 99.95, 1234567.25, -0.04, -3.25, 12.0]
    line = f"indicator_id = '{INDICATOR}' and community_id = 'c00' and population_group_id = 'all'"
    for_year = [
        f"update marts.fct_trend_point set value = {value} where {line} and school_year = {year}"
        for value, year in zip(values, [2013, 2014, 2015, 2016, 2017, 2018, 2019, 2021, 2022, 2023], strict=True)
    ]
    report = written(tmp_path, "internal", for_year)
    page.goto((report / "explore.html").as_uri() + f"#indicator={INDICATOR}&community=c00&to=2023&view=table")
    shown = page.locator("#rows tbody td").all_inner_texts()
    assert [text for text in shown if text] == [words.number(value) for value in values]


def test_names_from_outside_are_text_on_the_page_and_in_the_csv(page: Page, tmp_path: Path) -> None:
    report = written(tmp_path, "internal", CHANGES)
    page.goto((report / "explore.html").as_uri() + CHOICE + "&view=lines")
    expect(page.locator("#rows table")).to_be_visible()
    shown = page.locator("#rows").inner_text()
    assert '=HYPERLINK("x")<img src=x onerror="document.title=1">[U+202E]' in shown and page.title() != "1"
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    rows = saved(page)
    assert {row["community"][:2] for row in rows if row["community_id"] == "c02"} == {"'="}
    assert {row["group"][:2] for row in rows if row["population_group_id"].endswith("white")} == {"'@"}


def test_a_static_server_is_as_good_as_a_folder(page: Page, report: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(report)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/explore.html{CHOICE}&view=lines")
        expect(page.locator("#rows table")).to_be_visible()
        assert len(saved(page)) > 60
    finally:
        server.shutdown()
        server.server_close()
