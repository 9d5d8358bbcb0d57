"""Helpers that tests of several rooms share: public data, running the command as a user does, reading a release.

Belongs here: where the real files are and what happens without them, one subprocess call, opening what was published.
Does not: fixtures (conftest.py), expectations, or any computing of figures.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import Workbook

from dagster_project.lib.warehouse.declared import TableWords

PROJECT = Path(__file__).resolve().parents[1]
REAL = PROJECT.parent / "shared" / "real"
FIELD = PROJECT.parent / "shared" / "field"
PATIENCE_SECONDS = int(os.environ.get("CRADLE_PATIENCE_SECONDS", "1200"))
"""A run that takes longer than this hangs: an idle machine needs a twentieth of it; one that others use needs more."""


NOTHING_ELSE = {"CRADLE_PUBLIC": "off", "CRADLE_SETTLE_SECONDS": "0"}
"""For runs whose public edition nobody looks at, over files that nobody writes meanwhile: a fifth of their work, and
the seconds that they wait for files to settle."""


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    """A workbook with the given sheets."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def real_data(folder: str = "") -> Path:
    """The folder of real public data. Without it the test skips, loudly; where CI=true it fails instead."""
    return _shared(REAL / folder, "real public data")


def field_files(folder: str) -> dict[str, bytes]:
    """The files of a case that was met in the field, by name; without it as `real_data`."""
    files = sorted(_shared(FIELD / folder, "cases from the field").iterdir())
    return {file.name: file.read_bytes() for file in files if file.suffix != ".md"}


def field_case(folder: str) -> Path:
    """The only file of a case that was met in the field; without it as `real_data`."""
    (file,) = sorted(_shared(FIELD / folder, "cases from the field").iterdir())
    return file


def _shared(path: Path, what: str) -> Path:
    if path.exists():
        return path
    message = f"{what} are not at {path}: this test did not run"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{message}, and in CI none may be left out", pytrace=False)
    warnings.warn(pytest.PytestWarning(message), stacklevel=2)
    pytest.skip(message)


def clean_environment(**settings: str | Path) -> dict[str, str]:
    """This process's environment without any setting of the warehouse or of Dagster, and the given settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRADLE_", "DAGSTER_"))}
    return kept | {name: str(value) for name, value in settings.items()}


def cradle(*arguments: str, **settings: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `cradle` as a user does, from the folder of this interpreter; its output is text."""
    return _run(arguments, settings, None)


def cradle_bound_by_modes(*arguments: str, **settings: str | Path) -> subprocess.CompletedProcess[str]:
    """The same for a user whom the file system's rights bind, as they bind everybody but an administrator."""
    return _run(arguments, settings, _give_up_override)


def _give_up_override() -> None:
    # Linux: PR_CAPBSET_DROP of CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH. Whoever has neither is bound anyway.
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def _run(
    arguments: Sequence[str], settings: Mapping[str, str | Path], prepare: Callable[[], None] | None
) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "cradle"), *arguments]
    return subprocess.run(
        command,
        preexec_fn=prepare,
        env=clean_environment(**settings),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@dataclass(frozen=True)
class Published:
    """One release as it lies in its folder."""

    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """manifest.json."""
        manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        return manifest

    @property
    def hashes(self) -> dict[str, str]:
        """sha256 of every table by its name."""
        return {table["name"]: table["sha256"] for table in self.manifest["tables"]}

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to internal.duckdb."""
        connection = duckdb.connect(str(self.folder / "internal.duckdb"), read_only=True)
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.open() as connection:
            return connection.execute(query, list(parameters)).fetchall()

    def records(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """All rows of a query by column name."""
        with self.open() as connection:
            return connection.execute(query, list(parameters)).pl().to_dicts()


def unresolved(database: Path, words: Mapping[str, TableWords]) -> list[tuple[str, str, str]]:
    """Table, column and target of every declared relation of which a value that is there has no row in the target."""
    found = []
    with duckdb.connect(str(database), read_only=True) as connection:
        there = connection.execute("select table_name, column_name from information_schema.columns").fetchall()
        stated = [(name, column) for name, told in words.items() for column in told.columns if column.refers_to]
        for name, column in stated:
            target, _, field = str(column.refers_to).partition(".")
            if {(name, column.name), (target, field)} <= set(there):
                missing = connection.execute(
                    f'select 1 from marts."{name}" as child where "{column.name}" is not null and not exists '
                    f'(from marts."{target}" as parent where parent."{field}" = child."{column.name}") limit 1'
                ).fetchall()
                found += [(name, column.name, str(column.refers_to))] if missing else []
    assert stated
    return found


def documented_queries(page: Path = PROJECT / "docs" / "analysts.md") -> dict[str, str]:
    """The SQL of a page by the words in bold above it: a guide's query is run as it stands there."""
    text = page.read_text(encoding="utf-8")
    return dict(re.findall(r"\*\*(\d\. [^*]+?)\*\*(?:(?!\*\*).)*?```sql\n(.*?)```", text, re.DOTALL))


def current(home: Path) -> Published:
    """The release that `current` of a home's publish folder names."""
    publish = home / "publish"
    return Published(publish / "releases" / (publish / "current").read_text(encoding="utf-8").strip())


def receipt(home: Path, community_id: str, reporting_year: int) -> dict[str, Any]:
    """The latest receipt of a folder."""
    path = home / "outbox" / community_id / str(reporting_year) / "receipt.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told
