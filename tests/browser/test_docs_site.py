"""The documentation site in a real browser without a network: it can be searched, explains columns, shows lineage.

Belongs here: what a reader sees of the one file that `make docs` writes, and of the searchable dictionary of a release.
Does not: the descriptions themselves (tests/structure/test_dbt_layers.py), or download a browser; without one it skips,
in CI it fails.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.publish.release.dictionary import searched
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import declared_marts, vocabularies
from docs.site import POLICY, build_site
from tests.browser.chromium import launched
from tests.support import PROJECT

OFFLINE = ("file:", "data:", "blob:")
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the declarations alone, as on a machine that has no warehouse yet."""
    return build_site(tmp_path_factory.mktemp("site"), PROJECT / "seeds", None)


browser = pytest.fixture(launched, scope="module")


@pytest.fixture(scope="module")
def opened(site: Path, browser: Browser) -> tuple[Page, list[str]]:
    """The page in a browser that is offline, and every address it asked for beyond its own file."""
    asked: list[str] = []
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("request", lambda request: None if request.url.startswith(OFFLINE) else asked.append(request.url))
    page.goto(site.as_uri())
    expect(page.get_by_role("heading", name="The cradle warehouse")).to_be_visible(timeout=PATIENCE_MS)
    return page, asked


def test_the_site_is_one_file_that_may_ask_nothing_of_a_network(site: Path) -> None:
    assert [path.name for path in site.parent.iterdir()] == ["index.html"]
    text = site.read_text(encoding="utf-8")
    assert text.index(POLICY) < text.index("<script")
    assert "connect-src data:" in POLICY and "http" not in POLICY.replace("http-equiv", "")


def test_a_search_finds_a_mart_and_its_page_describes_every_column(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    page.get_by_placeholder("Search for models...").fill("fct_trend")
    page.locator(".search-result", has_text=re.compile(r"^\s*fct_trend\s*model")).click()
    expect(page.get_by_text("Trends: the slope of every series of values").first).to_be_visible()
    row = page.locator("tr.column-row", has_text="slope_theil_sen")
    expect(row).to_contain_text("Median of the pairwise slopes")
    columns = page.locator("tr.column-row")
    assert columns.count() > 20
    undescribed = [text for text in columns.all_inner_texts() if len(text.split()) < 2]
    assert undescribed == []


def test_the_lineage_of_a_mart_shows_what_it_is_made_from_and_who_reads_it(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    page.goto(page.url.split("#")[0] + "#!/model/model.cradle.fct_indicator_value")
    page.locator(".launcher").click()
    page.wait_for_function("document.querySelectorAll('canvas').length > 0")
    page.wait_for_function(f"({DRAWN})().length > 3")
    drawn = set(page.evaluate(DRAWN))
    assert {"fct_indicator_value", "int_values__combined", "National report"} <= drawn


def test_nothing_was_asked_of_a_network(opened: tuple[Page, list[str]]) -> None:
    _, asked = opened
    assert asked == []


def test_the_dictionary_of_a_release_can_be_searched_and_asks_nothing(
    opened: tuple[Page, list[str]], tmp_path: Path
) -> None:
    reference = Reference(PROJECT / "seeds")
    marts = declared_marts(MANIFEST, reference)
    file = tmp_path / "index.html"
    file.write_text(searched(marts, vocabularies(reference)), encoding="utf-8")
    page = opened[0].context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.goto(file.as_uri())
    assert page.locator("section:visible").count() >= len(marts)
    page.get_by_label("Find a table").fill("theil")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d rows$"))
    rows = page.locator("tbody tr:visible")
    assert rows.count() and all("theil" in text.lower() for text in rows.all_inner_texts())
    page.get_by_label("Find a table").fill("fct_trend trend_status")
    page.get_by_role("link", name="what they mean").first.click()
    expect(page.locator("#words-trend_status")).to_be_visible()
    page.close()
    assert faults == []


# The graph is drawn on a canvas, so what is drawn is asked of the page's own graph service.
DRAWN = """() => angular.element(document.body).injector().get('graph').graph.elements
  .filter(element => element.data && element.data.label && element.data.display !== 'none')
  .map(element => element.data.label)"""
