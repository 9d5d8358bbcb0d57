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
from tests import drawn, traced
from tests.browser.chromium import launched
from tests.browser.report_site import BESIDE, breaches, written

GROUPS = ["all", "race_ethnicity:black", "race_ethnicity:american_indian_alaska_native", "race_ethnicity:white"]
COMMUNITIES = ["c00", "c02"]
INDICATOR = "graduation_4yr_pct"
CHOICE = "#" + "&".join(
    [f"indicator={INDICATOR}", *(f"community={c}" for c in COMMUNITIES)]
    + [f"group={g.replace(':', '%3A')}" for g in GROUPS]
    + ["from=2015", "to=2023"]
)
BOTH = "&beside=network&beside=targets"
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
    return written(tmp_path_factory.mktemp(request.param), request.param, BESIDE)


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


def test_the_csv_holds_pooled_rates_and_targets_of_the_marts_in_columns_of_their_own(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + CHOICE + "&view=table" + BOTH)
    rows = saved(page)
    rates = "population_group_id, window_last_year, pooled_rate_last, panel_size, reporting_year"
    aims = "community_id, population_group_id, deadline, horizon, target_value, baseline_value, baseline_year, status"
    with database(report) as connection:
        # Nobody reported in 2020, and what was known then ends with 2019.
        pooled = connection.execute(
            f"""select {rates} from marts.fct_network_trend where indicator_id = '{INDICATOR}' {BY_GROUP}
            and pooled_rate_last is not null and window_last_year between 2015 and 2023 and reporting_year <> 2019"""
        ).fetchall()
        targets = connection.execute(
            f"""select {aims} from marts.fct_target_progress where indicator_id = '{INDICATOR}' {BY_GROUP}
            and community_id in ('c00', 'c02')"""
        ).fetchall()

    def kept(kind: str, columns: str) -> list[tuple[str, ...]]:
        return sorted(tuple(same(row[c]) for c in columns.split(", ")) for row in rows if row["row_kind"] == kind)

    def stored(found: list[tuple[object, ...]]) -> list[tuple[str, ...]]:
        return sorted(tuple(same("" if v is None else str(v)) for v in row) for row in found)

    named = rates.replace("window_last_year", "school_year"), aims.replace(" status", " target_status")
    assert len(pooled) > 20 and kept("pooled_rate", named[0]) == stored(pooled)
    assert len(targets) > 5 and kept("target", named[1]) == stored(targets)
    assert {row["value"] + row["numerator"] for row in rows if row["row_kind"] != "value"} == {""}
    assert {row["community_id"] for row in rows if row["row_kind"] == "pooled_rate"} == {""}


def test_every_pooled_rate_and_target_on_the_page_is_the_cell_it_names(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + CHOICE + "&view=lines" + BOTH)
    with database(report) as connection:
        rows, known = traced.stored(connection, 2024), traced.indicators(connection)
    wrong, seen = traced.faults(page.locator("#rows").inner_html(), rows, known)
    assert wrong == [] and seen["fct_network_trend"] > 40 and seen["fct_target_progress"] > 20
    assert seen["mark of fct_target_progress"] > 5
    wrong, marks = drawn.own_marks(page.locator("#picture").inner_html(), rows)
    assert wrong == [] and marks["rect of fct_network_trend"] > 20 and marks["path of fct_target_progress"] > 3


def test_the_network_and_targets_are_told_apart_by_words_and_shape(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + CHOICE + "&view=lines" + BOTH)
    legend = page.locator("#beside").inner_text()
    assert re.search(
        r"Network, people added up: All: [\d.]+% in 2015 over 4 communities, [\d.]+% in 2023 over 4", legend
    )
    assert re.search(r"Alder Falls, Black: .*; +target [\d.]+% by 20(25|30)-06-30 \((short|long)\)", legend)
    # Of so many targets no way is drawn: they would hide the lines.
    assert "A diamond is a target, in the year of its deadline" in legend and "is no forecast" not in legend
    assert page.locator("#picture .way").count() == 0
    squares, circles = page.locator("#picture .pooled rect"), page.locator("#picture g:not([class]) circle")
    assert squares.count() > 20 and circles.count() > 40
    assert page.locator("#picture .pooled circle, #picture .target circle, #picture g:not([class]) rect").count() == 0
    spoken = page.locator("#picture desc").text_content() or ""
    assert "over 4 communities" in spoken and "by 2030-06-30 (long)" in spoken
    about = page.locator("#about-network")
    expect(about).to_be_visible()
    is_public = report.parent.name.startswith("public")
    assert ("It is made of published counts alone." in about.inner_text()) == is_public


def test_a_withheld_group_has_no_pooled_rate_and_its_target_nothing_else(page: Page, report: Path) -> None:
    group = "race_ethnicity%3Aamerican_indian_alaska_native"
    page.goto(
        (report / "explore.html").as_uri() + f"#indicator={INDICATOR}&community=c00&group={group}&view=lines" + BOTH
    )
    said, cells = page.get_by_role("status").inner_text(), page.locator("#rows table").last.locator("tbody td")
    if report.parent.name.startswith("public"):
        assert "No pooled rate of the network for this choice" in said
        assert page.locator("#picture .pooled, #picture .target").count() == 0
        assert cells.all_inner_texts()[-3:] == ["\u2013", "\u2013", "withheld"]
    else:
        assert "1 pooled line of the network" in said and "\u2013" not in cells.all_inner_texts()


def test_a_target_far_ahead_stands_in_the_table_alone_and_is_counted(page: Page, tmp_path: Path) -> None:
    later = "update marts.fct_target_progress set deadline = date '2106-06-30' where horizon = 'long'"
    report = written(tmp_path, "internal", [*BESIDE, later])
    page.goto((report / "explore.html").as_uri() + f"#indicator={INDICATOR}&community=c02&group=all&view=lines" + BOTH)
    deadlines = page.locator("#rows table").last.locator("[data-col=deadline]").all_inner_texts()
    assert deadlines == ["2025-06-30", "2106-06-30"]
    assert "1 target stands in the table alone." in page.locator("#beside").inner_text()
    assert page.locator("#picture .tick").first.text_content() == "2025"
    assert page.locator("#picture .way").count() == 1 and "is no forecast" in page.locator("#beside").inner_text()


def test_the_network_alone_can_be_looked_at(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + f"#indicator={INDICATOR}&community=&group=all&view=lines" + BOTH)
    assert page.locator("#rows tbody th").all_inner_texts() == ["Network, people added up: All"]
    assert page.locator("#picture .pooled rect").count() > 5
    assert {row["row_kind"] for row in saved(page)} == {"pooled_rate"}


def test_a_link_says_what_stands_beside_and_one_from_before_shows_what_it_showed(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri())
    boxes = [page.get_by_role("checkbox", name=name) for name in ("Pooled rate of the network", "Targets that the")]
    for box in boxes:
        expect(box).to_be_checked()
    page.get_by_label("Indicator").select_option(INDICATOR)
    boxes[1].focus()
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("&view=lines&beside=network$"))
    boxes[0].uncheck()
    kept = page.evaluate("document.getElementById('link').href")
    assert kept.endswith("&view=lines&beside=")
    for address in (kept, kept.removesuffix("&beside=")):
        page.goto("about:blank")
        page.goto(address)
        expect(page.locator("#rows table")).to_have_count(1)
        assert not any(box.is_checked() for box in boxes) and page.locator("#picture .pooled").count() == 0
    page.get_by_role("radio", name="Gaps between groups").check()
    assert all(box.is_disabled() for box in boxes)


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


def test_a_name_that_no_community_has_is_said_and_leaves_the_choice(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + CHOICE)
    told = page.get_by_text("No community is called that")
    everyone = page.get_by_role("button", name="Choose all listed")
    expect(page.locator("#said")).to_contain_text("values")
    expect(told).to_be_hidden()
    page.get_by_label("Find by name").fill("xyzzy")
    expect(told).to_be_visible()
    expect(everyone).to_be_disabled()
    page.get_by_label("Find by name").fill("  C\u00c9DAR  &")
    expect(told).to_be_hidden()
    expect(everyone).to_be_enabled()
    expect(page.locator("#communities label:visible")).to_have_text(["Cedar & Sons <Valley>"])


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("#indicator=withdrawn_pct&community=c00&group=all", "an indicator that these figures do not have"),
        (f"#indicator={INDICATOR}&community=c00&community=of_before&group=all", "1 community that these figures"),
        (f"#indicator={INDICATOR}&community=of_before&community=c09&group=all", "2 communities that these figures"),
        (f"#indicator={INDICATOR}&community=c00&group=all&group=of%3Abefore", "1 group that these figures"),
        (f"#indicator={INDICATOR}&community=c00&group=all&from=1990&to=1995", "nothing of the chosen years"),
    ],
)
def test_what_a_kept_link_names_and_the_figures_do_not_have_is_said(
    page: Page, report: Path, kept: str, said: str
) -> None:
    page.goto((report / "explore.html").as_uri() + kept)
    expect(page.locator("#said")).to_contain_text(said)
    # What the reader chooses then is no longer the link's.
    page.get_by_label("Indicator").select_option(INDICATOR)
    page.get_by_role("button", name="Choose all listed").click()
    if "from=" not in kept:
        expect(page.locator("#said")).to_contain_text("values")
        expect(page.locator("#said")).not_to_contain_text("figures do not have")


def test_a_link_whose_names_all_stand_says_nothing_of_them(page: Page, report: Path) -> None:
    for kept in (CHOICE, f"#indicator={INDICATOR}&community=&group=&view=lines"):
        page.goto("about:blank")
        page.goto((report / "explore.html").as_uri() + kept)
        expect(page.locator("#said")).not_to_be_empty()
        assert not re.search("do not have|chosen years", page.locator("#said").inner_text())


def test_a_first_year_after_the_last_one_takes_it_along(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + CHOICE)
    page.get_by_label("to", exact=True).select_option("2018")
    page.get_by_label("from", exact=True).select_option("2020")
    ends = [page.get_by_label(end, exact=True).input_value() for end in ("from", "to")]
    assert ends == ["2020", "2020"] and "from=2020&to=2020" in page.url
    page.get_by_label("to", exact=True).select_option("2017")
    assert "from=2017&to=2017" in page.url


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


@pytest.mark.parametrize("view", ["lines", "gaps", "lines" + BOTH])
def test_the_same_choice_is_said_in_spanish_with_the_same_figures(page: Page, report: Path, view: str) -> None:
    shown = {}
    for language in ("", "es/"):
        page.goto((report / language / "explore.html").as_uri() + CHOICE + f"&view={view}")
        expect(page.locator("#rows table").first).to_be_visible()
        parts = ("#chosen", "#said", "#beside", "#rows caption", "#picture desc")
        told = " ".join(text for part in parts for text in page.locator(part).all_text_contents())
        told = re.sub(r"20\d\d-06-30|30 de junio de 20\d\d", "", told)
        shown[language] = told, page.locator("#rows td").all_inner_texts()
    (english, cells), (spanish, in_spanish) = shown[""], shown["es/"]
    digits = re.compile(r"\d(?:[\d.,]*\d)?")
    # The same cells, groups in the order of their names in each language.
    assert sorted(filter(digits.fullmatch, cells)) == sorted(filter(digits.fullmatch, in_spanish))
    assert sorted(digits.findall(english)) == sorted(digits.findall(spanish)) and len(cells) > 8
    assert "comunidades por nombre" in spanish and ("brecha" in spanish) == (view == "gaps")
    own = re.compile(r"\b(by name|values?|lines?|gaps?|beside|Without|from|in|to|over|targets?|added|network)\b")
    assert own.search(english) and not own.search(spanish), own.search(spanish)


def test_lines_stand_by_name_whatever_their_figures_are(page: Page, report: Path) -> None:
    page.goto((report / "explore.html").as_uri() + f"#indicator={INDICATOR}&view=table")
    page.get_by_role("button", name="Choose all listed").click()
    named = [text.split(",")[0] for text in page.locator("#rows tbody th").all_inner_texts()]
    assert len(named) == 4 and named == sorted(named, key=str.casefold)


@pytest.mark.parametrize(
    ("width", "view"), [(1280, "lines" + BOTH), (768, "table" + BOTH), (390, "gaps"), (390, "lines" + BOTH)]
)
def test_axe_finds_nothing_in_a_choice(page: Page, report: Path, width: int, view: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    # The narrow one in Spanish, whose words are longer.
    page.goto((report / ("es" if width == 390 else "") / "explore.html").as_uri() + CHOICE + f"&view={view}")
    expect(page.locator("#rows table").first).to_be_visible()
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
    report = written(tmp_path, "internal", [*BESIDE, *CHANGES])
    page.goto((report / "explore.html").as_uri() + CHOICE + "&view=lines" + BOTH)
    expect(page.locator("#rows table").first).to_be_visible()
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
        expect(page.locator("#rows table").first).to_be_visible()
        assert len(saved(page)) > 60
    finally:
        server.shutdown()
        server.server_close()
