"""Older seeds completed with what the project's own have and they lack; what stands in them stays as it is.

Belongs here: files, columns and needed lines that are missing, taken from the project's seeds and written at the end.
Does not: judging seeds (forms.py, lint.py), or any change of a line's cells.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.ruleset import IN_FORCE, RulesetKey, in_force
from dagster_project.lib.base.seeds.forms import (
    COMMUNITIES,
    DECLARATIONS,
    RULESET_COLUMNS,
    Form,
    Row,
    forms,
    missing_keys,
    missing_values,
    read_sheet,
)

OWN = DECLARATIONS.parent
BOM = b"\xef\xbb\xbf"
SHOWN = 8
Rulesets = tuple[RulesetKey, RulesetKey]
"""The ruleset in force by the seeds at hand, and by the project's own."""


@dataclass(frozen=True)
class Addition:
    """What one seed was given, in words, and the bytes that the file then has."""

    file: str
    says: tuple[str, ...]
    data: bytes


def additions(folder: Path, today: dt.date, own: Path = OWN) -> list[Addition]:
    """What the seeds of a folder lack, seed by seed; nothing where they are complete.

    A missing file is the project's own without lines of communities that the network does not have. A missing column
    comes last; a line whose key the project's seed has takes its cell from there, any other stays blank. Lines that the
    program or the ruleset in force on that day needs are added, no others; a ruleset that the project does not have
    gets what it lacks from the project's own that is in force. SeedError for a file that cannot be read as a table.
    """
    members = _members(folder)
    rulesets = (
        _in_force(folder if (folder / f"{IN_FORCE}.csv").is_file() else own, folder, today),
        _in_force(own, folder, today),
    )
    found = []
    for form in forms():
        source, faults = read_sheet(form, own)
        if source is None:
            raise SeedError(f"the project's own seeds are not whole: {faults[0]}")
        path = folder / f"{form.file}.csv"
        if not path.is_file():
            lines = [row for _, row in source.lines if form.is_of(row, members)]
            says = f"the file, with {_counted(lines)}" if lines else "the file, with its header"
            found.append(Addition(form.file, (says,), _written([source.header, *_cells(source.header, lines)])))
        elif addition := _completed(form, path.read_bytes(), source.header, [row for _, row in source.lines], rulesets):
            found.append(addition)
    return found


def write(folder: Path, found: Sequence[Addition]) -> None:
    """Write the files as they then are, each whole or not at all."""
    for addition in found:
        path = folder / f"{addition.file}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(addition.data)
        partial.replace(path)


def _in_force(seeds: Path, network: Path, today: dt.date) -> RulesetKey:
    """The ruleset that some seeds say is in force, for the network's own reporting years."""
    return in_force(Reference(seeds), Reference(network).reporting_years(today).stop - 1)


def _members(folder: Path) -> frozenset[str]:
    form = next(form for form in forms() if form.file == COMMUNITIES)
    sheet, faults = read_sheet(form, folder)
    if sheet is None:
        raise SeedError(str(faults[0]))
    return frozenset(row["community_id"] for _, row in sheet.lines)


def _completed(
    form: Form, before: bytes, header: tuple[str, ...], source: Sequence[Row], rulesets: Rulesets
) -> Addition | None:
    """One file with its missing columns and lines; None where nothing is missing."""
    data, says = before, []
    records = _records(form, data)
    own = [cell.strip() for cell in records[0][1]]
    columns = [name for name in form.required if name not in own]
    if columns:
        data = _with_columns(form, records, own, columns, source)
        own += columns
        says.append(f"the column{'s' if len(columns) > 1 else ''} {', '.join(columns)}")
        if before.startswith(BOM):
            data = BOM + data
    rows = [
        dict(zip(own, (cell.strip() for cell in cells), strict=False)) for _, cells in _records(form, data)[1:] if cells
    ]
    lines = _lines_needed(form, rows, source, rulesets)
    if lines:
        says.append(
            f"{len(lines)} line{'s' if len(lines) > 1 else ''}: {', '.join(_named(form, row) for row in lines)}"
        )
        end = b"\r\n" if b"\r\n" in data else b"\n"
        data = data if data.endswith(b"\n") else data + end
        data += _written(_cells(own, lines)).replace(b"\n", end)
    return Addition(form.file, tuple(says), data) if says else None


def _records(form: Form, data: bytes) -> list[tuple[str, list[str]]]:
    """Each record as it is written, with its line end, and its cells."""
    try:
        text = data.removeprefix(BOM).decode("utf-8")
        lines = io.StringIO(text, newline="").readlines()
        reader = csv.reader(iter(lines), strict=True)
        records, first = [], 0
        for cells in reader:
            records.append(("".join(lines[first : reader.line_num]), cells))
            first = reader.line_num
    except (UnicodeDecodeError, csv.Error) as error:
        raise SeedError(f"seeds/{form.file}.csv cannot be read ({error}); cradle doctor says where") from error
    if not records or not records[0][1]:
        raise SeedError(f"seeds/{form.file}.csv has no header; delete the file and upgrade again")
    return records


def _with_columns(
    form: Form,
    records: Sequence[tuple[str, list[str]]],
    own: Sequence[str],
    columns: Sequence[str],
    source: Sequence[Row],
) -> bytes:
    """The file with more columns at its end; every record is kept as it is written."""
    shared = [name for name in form.key if name in own]
    known: dict[tuple[str, ...], Row] = {}
    if shared == list(form.key):
        known = {form.key_of(row): row for row in source}
    parts = []
    for number, (written, cells) in enumerate(records):
        body = written.rstrip("\r\n")
        if not cells:
            parts.append(written)
            continue
        here = dict(zip(own, (cell.strip() for cell in cells), strict=False))
        same: Row = known.get(form.key_of(here), {}) if known and len(here) == len(own) else {}
        more = list(columns) if number == 0 else [same.get(name, "") for name in columns]
        added = _written([more]).decode("utf-8").removesuffix("\n")
        # A single blank cell is written as two quotes, which stand for a line that is not blank.
        added = "" if more == [""] else added
        parts.append(f"{body},{added}{written[len(body) :]}")
    return "".join(parts).encode("utf-8")


def _lines_needed(form: Form, rows: Sequence[Row], source: Sequence[Row], rulesets: Rulesets) -> list[Row]:
    """Lines of the project's seed that these lines lack, of parameters under the name of the ruleset in force."""
    found: list[Row] = []
    theirs, own = rulesets
    for column, values in form.needed.items():
        missing = set(missing_values(form, rows, column, values, theirs))
        of_theirs = [row for row in source if not form.by_ruleset or _ruleset_of(row) == theirs]
        of_own = [row for row in source if form.by_ruleset and _ruleset_of(row) == own]
        for row in of_theirs or of_own:
            if row[column] in missing:
                found.append({**row, **dict(zip(RULESET_COLUMNS, theirs, strict=True))} if form.by_ruleset else row)
    if form.complete:
        keys = set(missing_keys(form, rows))
        found += [row for row in source if form.key_of(row) in keys]
    return found


def _ruleset_of(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in RULESET_COLUMNS)


def _counted(lines: Sequence[Row]) -> str:
    return f"{len(lines):,} line{'' if len(lines) == 1 else 's'}"


def _named(form: Form, row: Row) -> str:
    return " ".join(row[name] for name in form.key if row[name])


def _cells(header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> list[list[str]]:
    return [[row.get(name, "") for name in header] for row in rows]


def _written(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")
