"""The report and a receipt in a real browser: no request leaves, nothing overflows, text can be read and printed.

Belongs here: what only a browser can tell about the finished pages, with the system's Chromium.
Does not: check figures (tests/unit/publish), or download a browser; without one it skips, in CI it fails.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dagster_project.lib.publish.report.stacking import LONG, stacked
from dagster_project.lib.receipts.receipt_page import render_receipt
from tests.browser.chromium import launched
from tests.browser.report_site import breaches, written

DETAIL = "communities/c00/indicator-graduation_4yr_pct.html"
PAGES = [
    *("index.html", "over-the-years.html", "methods.html", "data-quality.html", "explore.html"),
    *("communities/c00.html", "communities/c04.html", DETAIL),
    *("communities/c00/standing.html", "communities/c00/sources.html", "communities/c00/submissions.html"),
]

PUBLIC_PAGES = [name for name in PAGES if "c04" not in name and "submissions" not in name]
SPANISH_PAGES = [
    *("es/index.html", "es/communities/c00.html", f"es/{DETAIL}"),
    *("es/communities/c00/standing.html", "es/communities/c00/sources.html", "es/communities/c00/submissions.html"),
]
WIDTHS = [1280, 768, 390]
EVERY = os.environ.get("CRADLE_PAGES") == "all"
"""Whether axe looks at every page of both editions: `make pages` asks for it."""

# Contrast of every visible text against the nearest opaque ground behind it, worked out as WCAG 2 says.
FAINT_TEXT = """() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return {rgb: m.slice(0, 3), a: m[3] ?? 1}; };
  const lum = rgb => rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.a > 0) return c.rgb; } return [255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || ['STYLE', 'TITLE', 'DESC', 'title', 'desc'].includes(e.tagName)) continue;
    const style = getComputedStyle(e), ink = parse(e.closest('svg') ? style.fill : style.color).rgb;
    const [a, b] = [lum(ink), lum(ground(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(n.data.trim().slice(0, 40));
  }
  return faint;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from launched()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("release"), "internal")


@pytest.fixture(scope="module")
def public_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("edition"), "public")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose every request beyond local files and every console error fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, java_script_enabled=True)
    opened, wrong = context.new_page(), list[str]()
    opened.on("request", lambda r: None if r.url.startswith("file:") else wrong.append(r.url))
    opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda e: wrong.append(str(e)))
    yield opened
    context.close()
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_offline_and_fits_the_window(page: Page, report: Path, name: str) -> None:
    page.goto((report / name).as_uri())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator("h1").is_visible()
        notice = page.get_by_role("note")
        assert notice.is_visible() and notice.inner_text() == "Internal: contains small groups, not for distribution"
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{overflow} px too wide at {width}"


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_a_page_of_each_kind(page: Page, report: Path, public_report: Path, width: int) -> None:
    # Each at one width in turn; the public pages differ in words and columns, which a phone shows at their tightest.
    mine = (PAGES + SPANISH_PAGES)[WIDTHS.index(width) :: len(WIDTHS)]
    kinds = {report: mine, public_report: PUBLIC_PAGES if width == min(WIDTHS) else []}
    page.set_viewport_size({"width": width, "height": 900})
    for folder, names in kinds.items():
        for path in sorted(folder.rglob("*.html")) if EVERY else [folder / name for name in names]:
            page.goto(path.as_uri())
            assert breaches(page) == [], path


@pytest.mark.parametrize("name", ["index.html", DETAIL, "communities/c00/standing.html"])
def test_tables_stand_as_lists_on_a_phone_and_nothing_of_them_scrolls(page: Page, report: Path, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto((report / name).as_uri())
    wide = page.evaluate("""() => [...document.querySelectorAll('.scroll')].filter(e => e.querySelector('table.stack')
        && e.scrollWidth > e.clientWidth).map(e => e.getAttribute('aria-label'))""")
    assert page.locator("table.stack").count() >= 1 and wide == []
    said = page.evaluate("""() => { const cell = document.querySelector('table.stack td:nth-child(3)');
        const head = cell.closest('table').querySelectorAll('thead th')[2].textContent.trim();
        return [getComputedStyle(cell, '::before').content, JSON.stringify(head)]; }""")
    assert said[0] == said[1]


def test_a_phone_shows_six_rows_of_a_long_table_until_all_are_asked_for_and_paper_shows_all(
    page: Page, report: Path
) -> None:
    rows = "".join(f"<tr><th>place {n}</th><td>{n}</td></tr>" for n in range(LONG + 1))
    table = (
        f"<table><caption>Long</caption><thead><tr><th>Place</th><th>n</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    beside = report / "long.html"
    beside.write_text(stacked(f'<link rel="stylesheet" href="style.css"><div class="scroll">{table}</div>'))
    page.goto(beside.as_uri())
    shown, box = page.locator("tbody tr").filter(visible=True), page.get_by_label("Show all rows: Long", exact=True)
    expect(shown).to_have_count(LONG + 1)
    assert box.is_hidden()
    page.set_viewport_size({"width": 390, "height": 900})
    expect(shown).to_have_count(6)
    page.emulate_media(media="print")
    expect(shown).to_have_count(LONG + 1)
    page.emulate_media(media="screen")
    box.check()
    expect(shown).to_have_count(LONG + 1)
    beside.unlink()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_walks_a_page_from_the_first_link_to_the_last(page: Page, report: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((report / DETAIL).as_uri())
    stops = page.evaluate("""() => [...document.querySelectorAll('a[href], input, [tabindex="0"]')]
        .filter(e => e.getClientRects().length).map((e, i) => { e.dataset.stop = i; return i; })""")
    walked = []
    for _ in stops:
        page.keyboard.press("Tab")
        walked.append(
            page.evaluate("""() => { const e = document.activeElement, style = getComputedStyle(e);
                const box = e.getBoundingClientRect(), tall = box.height >= innerHeight;
                const seen = box.bottom > 0 && box.top < innerHeight && (tall || box.bottom <= innerHeight + 1);
                const fine = seen && style.outlineStyle !== 'none';
                return fine ? +e.dataset.stop : 'unseen: ' + e.outerHTML.slice(0, 80); }""")
        )
    assert walked == stops
    last = page.get_by_role("link", name="Back to top")
    last.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('h1').getBoundingClientRect().top >= 0")


def test_a_phone_shows_a_whole_chart_with_letters_that_can_be_read(page: Page, report: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto((report / DETAIL).as_uri())
    boxes = page.evaluate("""() => [...document.querySelectorAll('svg.trend text')]
        .filter(t => t.getClientRects().length).map(t => { const r = t.getBoundingClientRect();
            return [t.textContent, r.left, r.right, r.height]; })""")
    assert all(left >= 0 and right <= 390 and height >= 11 for _, left, right, height in boxes)
    years = [box for box in boxes if re.fullmatch(r"20\d\d", box[0])]
    assert years[-1][0] == "2024" and len(years) > 4
    assert all(one[2] <= other[1] for one, other in itertools.pairwise(years))


def test_a_report_card_prints_on_one_page(page: Page, report: Path) -> None:
    for name in ("c00", "c01", "c04"):
        page.goto((report / "communities" / f"{name}.html").as_uri())
        printed = page.pdf(format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 1, name
        assert len(printed) > 10_000


@pytest.mark.parametrize("name", PAGES)
def test_all_text_has_the_contrast_of_wcag_aa(page: Page, report: Path, name: str) -> None:
    page.goto((report / name).as_uri())
    assert page.evaluate(FAINT_TEXT) == []


def test_the_first_tab_stop_leads_past_the_navigation(page: Page, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    assert (skip.bounding_box() or {"x": -1})["x"] >= 0
    page.keyboard.press("Enter")
    # The browser follows a link after the key press has returned, so each of these is waited for.
    expect(page).to_have_url(re.compile("#main$"))
    expect(page.locator(":target")).to_have_id("main")


def test_a_reader_gets_from_the_summary_to_the_rows_behind_a_figure(page: Page, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    page.get_by_role("link", name="Alder Falls").click()
    expect(page.locator("h1")).to_have_text("Alder Falls")
    page.get_by_role("link", name="Students who graduate within four years").first.click()
    expect(page.locator("h1")).to_have_text("Students who graduate within four years")
    expect(page.locator("table.values")).to_be_visible()
    page.get_by_role("link", name="list of files").click()
    expect(page.get_by_role("table", name="Files behind this page")).to_be_visible()
    page.get_by_role("link", name="Summary").click()
    expect(page.locator("h1")).to_have_text(re.compile("^Network summary"))


def test_charts_are_pictures_with_a_name_and_a_description(page: Page, report: Path) -> None:
    page.goto((report / DETAIL).as_uri())
    charts = page.get_by_role("img")
    widths = [(chart.bounding_box() or {"width": 0})["width"] for chart in charts.all()]
    assert len(widths) > 8 and max(widths) > 400 and min(widths) > 150
    assert page.get_by_role("img", name="Students who graduate within four years, everyone").count() == 1
    assert page.get_by_role("group", name="Students who graduate within four years by gender").count() == 1
    gaps = page.get_by_role("group", name="Students who graduate within four years, gaps by race and ethnicity")
    assert gaps.get_by_role("img", name="Black and White").count() == 1


def test_no_picture_scrolls_on_a_phone(page: Page, report: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    for name in ("index.html", DETAIL):
        page.goto((report / name).as_uri())
        wide = page.evaluate("""() => [...document.querySelectorAll('svg.chart')].filter(s =>
            s.getBoundingClientRect().width > 358).map(s => s.getAttribute('class'))""")
        assert wide == [], name


@pytest.mark.parametrize("name", ["index.html", DETAIL, DETAIL.replace("c00", "c01")])
def test_labels_of_a_chart_lie_inside_it(page: Page, report: Path, name: str) -> None:
    page.goto((report / name).as_uri())
    outside = page.evaluate("""() => [...document.querySelectorAll('svg.chart')].flatMap(s => {
        const b = s.getBoundingClientRect();
        return [...s.querySelectorAll('text')].filter(t => { const r = t.getBoundingClientRect();
            return r.left < b.left - 1 || r.right > b.right + 1 || r.top < b.top - 1 || r.bottom > b.bottom + 1; })
            .map(t => t.textContent);
    })""")
    assert outside == []


def test_a_page_prints_with_its_notice_on_paper(page: Page, report: Path) -> None:
    page.goto((report / DETAIL).as_uri())
    page.emulate_media(media="print")
    assert page.get_by_role("note").is_visible() and not page.locator(".top nav").is_visible()
    assert len(page.pdf(format="A4")) > 20_000


def _receipt(n: int) -> str:
    rows = [
        {
            "finding_id": f"f{i:03d}",
            "rule_id": "value_mismatch",
            "severity": "error",
            "source_file": "a.csv",
            "source_sheet": "",
            "source_row": i,
            "source_column": "value",
            "found": "<b>61</b>" * 9,
            "allowed": "60",
            "message": "The rate does not agree.",
            "remedy": "Correct it.",
            "n_rows": 1,
            "status": "open",
            "explanation": None,
        }
        for i in range(n)
    ]
    file = {
        "name": "a.csv",
        "sha256": "ab" * 32,
        "layout": None,
        "rows_read": n,
        "rows_accepted": 0,
        "rows_rejected": n,
    }
    place = {"community_id": "alder", "reporting_year": 2024, "submission_id": "0" * 16}
    return render_receipt(place | {"status": "rejected", "first_line": "Rejected.", "files": [file], "findings": rows})


def test_a_receipt_folds_many_findings_on_screen_and_prints_them_all(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "receipt.html"
    path.write_text(_receipt(30), encoding="utf-8")
    page.goto(path.as_uri())
    last = page.get_by_text("f029")
    assert not last.is_visible()
    page.locator("summary").click()
    expect(last).to_be_visible()
    assert page.evaluate(FAINT_TEXT) == []
    page.locator("summary").click()
    expect(last).not_to_be_visible()
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('details table').getBoundingClientRect().height") > 500


def test_a_receipt_fits_a_telephone(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "receipt.html"
    path.write_text(_receipt(3), encoding="utf-8")
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert breaches(page) == []


def test_the_list_of_communities_is_narrowed_by_state_without_a_script(page: Page, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    rows = page.locator("tr[class*='state-']")
    every = rows.count()
    page.get_by_role("group", name="State").get_by_label("Maine").check()
    shown = page.locator("tr[class*='state-']:visible")
    assert 0 < shown.count() < every and page.locator("script").count() == 0
    assert all("Maine" in text for text in shown.all_inner_texts())
    page.get_by_role("group", name="State").get_by_label("all").check()
    assert shown.count() == every
