"""The searchable site of tables, columns, tests, metrics and lineage in one file: `python -m docs.site [--out FOLDER]`.

Belongs here: dbt's static documentation page, built without a network and unable to ask for one.
Does not: what it says (descriptions stand beside the models), or the written guides (docs/*.md).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dagster_project.lib.warehouse.dbt_run import PROJECT, DbtPlaces
from dagster_project.settings import from_environment

ROOT = Path(__file__).resolve().parents[1]
PAGE = "static_index.html"
# dbt's page carries a tracker that is off; with this line a browser refuses it, and anything else from elsewhere.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="'
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    'img-src data: blob:; font-src data:; connect-src data:">'
)


class SiteError(RuntimeError):
    """The page could not be built; the message is what dbt said."""


def build_site(out: Path, seeds: Path, warehouse: Path | None) -> Path:
    """Write `out`/index.html and return its path; the file needs nothing beside it. SiteError with dbt's own words.

    A warehouse adds the columns of every view and the SQL as it ran; its file is copied, never opened. Without one the
    page holds what the project declares: models, columns of the marts, tests, metrics and lineage.
    """
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        work = Path(folder)
        copy = work / "warehouse.duckdb"
        known = warehouse is not None and warehouse.is_file()
        if known and warehouse is not None:
            shutil.copyfile(warehouse, copy)
        landing, analysis = _beside(warehouse if known else None, work)
        places = DbtPlaces(seeds, landing, analysis, copy, work)
        page = _generate(places, () if known else ("--empty-catalog",))
        out.mkdir(parents=True, exist_ok=True)
        target = out / "index.html"
        target.write_text(_sealed(page.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def _beside(warehouse: Path | None, work: Path) -> tuple[Path, Path]:
    """The landing and analysis folders that the warehouse's views read."""
    home = warehouse.parent if warehouse else work
    return home / "landing", home / "analysis"


def _generate(places: DbtPlaces, arguments: tuple[str, ...]) -> Path:
    dbt = Path(sys.executable).with_name("dbt")
    command = [str(dbt), "--quiet", "--no-use-colors", "docs", "generate", "--static", *arguments]
    folders = {"project-dir": PROJECT, "profiles-dir": PROJECT, "target-path": places.work, "log-path": places.work}
    command += [text for name, folder in folders.items() for text in (f"--{name}", str(folder))]
    process = subprocess.run(
        command, env=os.environ | places.environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    page = places.work / PAGE
    if process.returncode or not page.is_file():
        raise SiteError(f"dbt could not build the documentation:\n{process.stdout}{process.stderr}".rstrip())
    return page


def _sealed(page: str) -> str:
    """The page with the policy as the first thing its head says."""
    head, sign, rest = page.partition("<head>")
    if not sign:
        raise SiteError("dbt's documentation page has no head to put the content policy into")
    return f"{head}{sign}{POLICY}{rest}"


def main() -> None:
    """Build the site from the warehouse of CRADLE_HOME where there is one, and say where it lies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "docs")
    options = parser.parse_args()
    settings = from_environment()
    warehouse = settings.warehouse
    try:
        page = build_site(options.out, settings.seeds, warehouse)
    except SiteError as error:
        raise SystemExit(str(error)) from None
    depth = "with the columns of the warehouse" if warehouse.is_file() else "from the declarations (no warehouse yet)"
    print(f"{page}, {depth}")


if __name__ == "__main__":
    main()
