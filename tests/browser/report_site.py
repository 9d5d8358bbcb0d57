"""The report of a small invented release and the system's browser, for tests that open its pages.

Belongs here: writing the pages of an edition, starting Chromium, what axe-core finds on a page.
Does not: any claim (test_report_pages.py, test_explore_page.py); a download of a browser.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from dagster_project.lib.publish.report.marts import ReportContext, RuleParameter
from dagster_project.lib.publish.report.render import write_report

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
# Keeps the browser itself off the network; the pages must not ask for it either.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SINCE = {"state": "compared", "release_id": "before", "today": "2024-06-30", "values_new": 1_204, "values_changed": 1}


def launched() -> Iterator[Browser]:
    """The system's Chromium for as long as a fixture lives; without one the tests skip, in CI they fail."""
    if not CHROMIUM.exists():
        message = f"BROWSER TESTS DID NOT RUN: there is no {CHROMIUM} (install the system package chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield running
        running.close()


def breaches(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it is shown."""
    # The page has its style already; asked for once more from a folder, the browser refuses it and says so.
    found = Axe().run(page, options={"runOnly": RULES, "preload": False}).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


def written(out: Path, edition: str, changes: Sequence[str] = ()) -> Path:
    """The pages of an edition below a folder, of the marts of tests/fixtures after some statements of SQL."""
    marts = _marts()
    parameters = [RuleParameter(*p) for p in marts.PARAMETERS]
    stated = ("r", "2024-12-31", "toa-default", "1.0.0", "1", "0.1.0", "Example", parameters)
    context = ReportContext(*stated, languages=("en", "es"), since=SINCE)
    database = marts.build(out / f"{edition}.duckdb")
    if edition == "public":
        marts.make_public(database)
    with duckdb.connect(str(database)) as connection:
        for change in changes:
            connection.execute(change)
    with duckdb.connect(str(database), read_only=True) as connection:
        write_report(connection, out, edition, context)
    return out / "report"


def _marts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("report_marts", ROOT / "tests" / "fixtures" / "report_marts.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
