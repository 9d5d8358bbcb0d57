"""What is declared of the public marts: the house's own declarations, narrowed to what is public.

Belongs here: public tables and columns with their meanings, and those that only the public edition has.
Does not: which columns are public (selection.csv), meanings that both editions share (dbt/models).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dagster_project.lib.publish.public.selection import PublicTable, read_selection
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords

OWN = Path(__file__).with_name("own_columns.csv")


def declared_public(internal: Mapping[str, TableWords]) -> dict[str, TableWords]:
    """What is declared of every public table by name; `internal` has the closed words of the public edition as well.

    A relation to a table or column that is not public is not stated. A line of own_columns.csv without a type is what a
    table, or a column that both editions have, means in the public one: there its rows are fewer, or withheld.
    """
    own: dict[str, dict[str, ColumnWords]] = {}
    meant: dict[tuple[str, str], str] = {}
    with OWN.open(newline="", encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            if line["data_type"]:
                column = ColumnWords(line["column"], line["data_type"], line["description"])
                own.setdefault(line["table"], {})[column.name] = column
            else:
                meant[line["table"], line["column"]] = line["description"]
    selection = read_selection()
    return {name: _public(selection[name], internal.get(name), own.get(name, {}), meant) for name in sorted(selection)}


def _public(
    table: PublicTable,
    internal: TableWords | None,
    own: Mapping[str, ColumnWords],
    meant: Mapping[tuple[str, str], str],
) -> TableWords:
    known = {column.name: column for column in internal.columns} if internal else {}
    told = [_without_closed_doors({**known, **own}[name]) for name in table.columns]
    columns = tuple(replace(each, description=meant.get((table.name, each.name), each.description)) for each in told)
    description = internal.description if internal and (table.name, "") not in meant else meant[table.name, ""]
    return TableWords(table.name, description, table.key, columns)


def _without_closed_doors(column: ColumnWords) -> ColumnWords:
    table, _, field = (column.refers_to or "").partition(".")
    public = read_selection().get(table)
    refers_to = column.refers_to if public and field in public.columns else None
    return replace(column, refers_to=refers_to)
