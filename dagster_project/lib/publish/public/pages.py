"""The public pages, rendered by a process of their own that is given no other path than the public files' and pages'.

Belongs here: starting that process, what it is told (never the house's settings), what it does.
Does not: arrange or lay out pages (publish/report), choose what is public (tables.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from dagster_project.lib.base import engine
from dagster_project.lib.publish.release.dependencies import pages_version
from dagster_project.lib.publish.release.release import SINCE
from dagster_project.lib.publish.report.marts import PUBLIC, ReportContext, RuleParameter
from dagster_project.lib.publish.report.render import write_report
from dagster_project.settings import PROJECT_ROOT

VERSION_CHARACTERS = 12


class PagesError(RuntimeError):
    """The process that renders the public pages failed; the message is its last line."""


@dataclass(frozen=True)
class Told:
    """What the pages are told beside public tables and the manifest.

    languages, names: of the pages, and the dictionary's names in them (report/languages/published.py).
    """

    network_name: str
    parameters: Sequence[RuleParameter]
    languages: Sequence[str]
    names: Mapping[str, Mapping[str, str]]

    def version(self) -> str:
        """A hash over this and the code of pages: where it is another, equal tables can be put into other words."""
        told = [pages_version(PROJECT_ROOT), *astuple(self)]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:VERSION_CHARACTERS]


def write_pages(database: Path, folder: Path, manifest: Mapping[str, Any], told: Told, kept: Path) -> None:
    """Write report/ below the folder from public.duckdb, in a process without the house's settings; or PagesError.

    `kept`: where the public pages of the last time lie, which may be taken again (report/making/kept.py).
    """
    order = order_of(manifest, told, database.name, kept)
    # No settings of the house are passed on: the process knows the folder it works in and that of public pages.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CRADLE_", "DAGSTER_"))}
    environment["PYTHONPATH"] = str(PROJECT_ROOT)
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(order),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PagesError(
            f"the public pages were not written: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}"
        )


def order_of(manifest: Mapping[str, Any], told: Told, database: str, kept: Path) -> dict[str, Any]:
    """All that the process is told, as JSON; `database`: the name of the public database in the folder it works in."""
    return {
        "database": database,
        "kept": str(kept),
        "release_id": manifest["public_id"],
        "network_name": told.network_name,
        **{name: str(manifest[name]) for name in ("today", "ruleset_id", "ruleset_version")},
        **{name: str(manifest[name]) for name in ("contract_version", "code_version")},
        "publication": manifest["publication"],
        SINCE: manifest[SINCE],
        "languages": list(told.languages),
        "names": dict(told.names),
        "parameters": [[each.name, each.value, each.unit, each.note] for each in told.parameters],
    }


def render(order: Mapping[str, Any], folder: Path) -> None:
    """What the process does: open the public database of the folder and write its pages."""
    context = ReportContext(
        **{name: order[name] for name in ("release_id", "today", "ruleset_id", "ruleset_version")},
        contract_version=order["contract_version"],
        code_version=order["code_version"],
        network_name=order["network_name"],
        publication=order["publication"],
        since=order[SINCE],
        parameters=[RuleParameter(*each) for each in order["parameters"]],
        languages=tuple(order["languages"]),
        names=order["names"],
    )
    with engine.opened(folder / order["database"]) as connection:
        write_report(connection, folder, PUBLIC, context, Path(order["kept"]))


if __name__ == "__main__":
    render(json.load(sys.stdin), Path.cwd())
