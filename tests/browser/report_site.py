"""The report of a small invented release, for tests that open its pages.

Belongs here: writing the pages of an edition, what axe-core finds on a page.
Does not: any claim (test_report_pages.py, test_explore_page.py); the browser (chromium.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from dagster_project.lib.publish.report.marts import ReportContext, RuleParameter
from dagster_project.lib.publish.report.render import write_report
from tests.fixtures import report_marts

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SINCE = {"state": "compared", "release_id": "before", "today": "2024-06-30", "values_new": 1_204, "values_changed": 1}
BESIDE: Sequence[str] = report_marts.BESIDE
"""Statements that give an edition pooled rates of the network and targets."""


def breaches(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it is shown."""
    # The page has its style already; asked for once more from a folder, the browser refuses it and says so.
    found = Axe().run(page, options={"runOnly": RULES, "preload": False}).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


def written(out: Path, edition: str, changes: Sequence[str] = ()) -> Path:
    """The pages of an edition below a folder, of the marts of tests/fixtures after some statements of SQL."""
    parameters = [RuleParameter(*p) for p in report_marts.PARAMETERS]
    stated = ("r", "2024-12-31", "toa-default", "1.0.0", "1", "0.1.0", "Example", parameters)
    context = ReportContext(*stated, languages=("en", "es"), since=SINCE)
    database = report_marts.build(out / f"{edition}.duckdb")
    if edition == "public":
        report_marts.make_public(database)
    with duckdb.connect(str(database)) as connection:
        for change in changes:
            connection.execute(change)
    with duckdb.connect(str(database), read_only=True) as connection:
        write_report(connection, out, edition, context)
    return out / "report"
