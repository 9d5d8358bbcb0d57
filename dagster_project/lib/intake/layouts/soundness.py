"""Whether the declared layouts can work, before any file is read with one: each fault with its file and line.

Belongs here: declarations that cannot be read, SQL that does not bind, columns that the table does not have or lacks.
Does not: whether a layout gives the right rows (the samples in contracts/layouts/samples), or matching files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import contracts
from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.intake.layouts.declaration import Layout, LayoutError, read_layout
from dagster_project.lib.intake.layouts.extraction import ROW_PLACE, empty_relation, run_sql


def layout_faults(folder: Path) -> list[str]:
    """What is wrong with the layouts of a folder, one line each, in the order of files; nothing where all is right."""
    found: list[str] = []
    with engine.memory(threads=1, closed_in=True) as connection:
        for path in sorted(folder.glob("*.sql")):
            try:
                found += faults_of(read_layout(path), connection)
            except LayoutError as failure:
                found.append(f"{failure}")
    return [f"layouts/{says}" for says in found]


def faults_of(layout: Layout, connection: Connection) -> Iterator[str]:
    """What is wrong with one layout beyond its declaration; LayoutError where its SQL does not bind."""
    file = f"{layout.layout_id}.sql"
    rows = run_sql(layout, empty_relation(layout), connection)
    if lost := [name for name in ROW_PLACE if name not in rows.columns]:
        yield f"{file}: the SELECT does not pass on {', '.join(lost)}"
    given = [name for name in rows.columns if name not in (*ROW_PLACE, "_column")]
    for known in contracts.VERSIONS:
        if not layout.holds_under(known.version):
            continue
        contract = contracts.tables(known.version).get(layout.table)
        if contract is None:
            yield f"{file}: {layout.table} is no table of contract version {known.version}"
            continue
        # A layout written before a column was renamed goes on under the name that all versions keep it by.
        if unknown := [name for name in given if name not in (*contract.names, *contract.renamed)]:
            yield (
                f"{file}: the SELECT gives {', '.join(unknown)}, which {layout.table} does not have; its columns are "
                f"{', '.join(contract.names)}"
            )
        if missing := [name for name in contract.required if name not in given]:
            yield f"{file}: the SELECT does not give {', '.join(missing)}, which {layout.table} needs"
