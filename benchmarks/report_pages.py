"""What the pages of the public report cost: making all of them, making them again after one change, opening each kind.

Belongs here: seconds and bytes of the report of a home's public edition; milliseconds until the system's browser has a
page. Does not: the rest of a release (benchmarks/chain.py, resubmission.py), what pages say (tests).

    python -m benchmarks.report_pages --home HOME [--seeds SEEDS] [--times 3]

HOME has been run already; what is measured is a copy of its public database.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
from playwright.sync_api import Page, sync_playwright

from benchmarks._ratios import tell
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.publish.public.pages import Told, order_of, render
from dagster_project.lib.publish.report.languages.published import dictionary_names, published_languages
from tests.browser.chromium import CHROMIUM, FLAGS

ROOT = Path(__file__).resolve().parents[1]
WIDTHS = (390, 1280)
BLANK = "<!DOCTYPE html><html lang=en><title>blank</title><p>blank"
MOVED = "update marts.fct_indicator_value set value = value + 0.01 where community_id = ? and value is not null"
"""One community's values, as a resubmission would move them."""


def _made(order: dict[str, Any], database: Path, folder: Path) -> float:
    """Seconds of the processor for the pages of a database in a new folder."""
    folder.mkdir()
    shutil.copyfile(database, folder / order["database"])
    used = time.process_time()
    render(order, folder)
    return time.process_time() - used


def _sizes(report: Path) -> str:
    found: Counter[str] = Counter()
    files = [path for path in report.rglob("*") if path.is_file()]
    for path in files:
        found[path.suffix.removeprefix(".")] += path.stat().st_size
    kinds = ", ".join(f"{kind} {size / 1e6:.1f}" for kind, size in found.most_common())
    return f"{len(files):,} files, {sum(found.values()) / 1e6:.1f} MB ({kinds})"


def _kinds(report: Path) -> dict[str, Path]:
    """A page of each kind: those of the network, and those of the first community."""
    card = min((report / "communities").glob("*.html"))
    details = card.with_suffix("")
    indicator = min(details.glob("indicator-*.html"))
    own = [card, indicator, *(details / f"{name}.html" for name in ("standing", "sources"))]
    return {path.stem: path for path in [*sorted(report.glob("*.html")), *own]}


def _opened(page: Page, path: Path, times: int) -> float:
    """Milliseconds until the browser has loaded the page, the median of some."""
    took = []
    for _ in range(times):
        page.goto(path.as_uri(), wait_until="load")
        took.append(float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")))
    return statistics.median(took)


def _tell_opening(report: Path, times: int) -> None:
    kinds, blank = _kinds(report), report / "blank.html"
    blank.write_text(BLANK, encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900})
            nothing = _opened(page, blank, times)
            for name, path in kinds.items():
                took = _opened(page, path, times)
                tall = page.evaluate("document.documentElement.scrollHeight")
                told = f"{name} at {width} px: {took:.0f} ms, {tall:,} px long, {path.stat().st_size / 1e3:.0f} kB"
                print(f"{told}; a page with nothing on it {nothing:.0f} ms", flush=True)
            page.close()
        browser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seeds", type=Path, default=ROOT / "seeds")
    parser.add_argument("--times", type=int, default=3, help="how often each page is opened")
    asked = parser.parse_args()
    public, reference = asked.home / "public", Reference(asked.seeds)
    release = public / "releases" / (public / "current").read_text(encoding="utf-8").strip()
    manifest = json.loads((release / "manifest.json").read_bytes())
    told = Told(reference.network_name, [], published_languages(reference), dictionary_names(reference))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        order = order_of(manifest, told, "public.duckdb", work / "kept")
        shutil.copyfile(release / "public.duckdb", work / "moved.duckdb")
        (work / "moved.duckdb").chmod(0o600)
        with duckdb.connect(str(work / "moved.duckdb")) as connection:
            communities = [row[0] for row in connection.execute("from marts.dim_community order by 1").fetchall()]
            connection.execute(MOVED, communities[:1])
        whole = _made(order, release / "public.duckdb", work / "first")
        print(f"{len(communities)} communities: {_sizes(work / 'first' / 'report')}", flush=True)
        for what, database in (("nothing", release / "public.duckdb"), ("one community", work / "moved.duckdb")):
            again = _made(order, database, work / what)
            print(f"all pages {whole:.2f} s of processors, again after {what} changed {again:.2f} s", flush=True)
            tell(f"public pages after {what} changed", again, "all public pages", whole)
        if CHROMIUM.exists():
            _tell_opening(work / "first" / "report", asked.times)
        else:
            print(f"no page was opened: there is no {CHROMIUM}")


if __name__ == "__main__":
    main()
