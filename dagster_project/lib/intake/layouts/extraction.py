"""From matched sheets to canonical rows: each layout's SELECT, run once over all its files.

Belongs here: the relation `file` that a layout's SQL reads, running that SQL, and counting what it leaves out.
Does not: recognising layouts (layouts.py), or any typing of the text it returns (values.py, registers.py).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import polars as pl

import contracts
from dagster_project.lib.base import engine
from dagster_project.lib.base.engine import Connection, EngineError, LimitError
from dagster_project.lib.intake.layouts.declaration import (
    FOLDER_COLUMNS,
    PLACE_COLUMNS,
    HeaderFit,
    Layout,
    LayoutError,
    Match,
)
from dagster_project.lib.intake.reading.grid import Problem, excerpt, problem

ROW_PLACE = list(PLACE_COLUMNS)
PLACE_TYPES = {"_file_id": pl.Int64(), "_sheet": pl.String(), "_row": pl.Int32()}
FOLDER_TYPES = dict(zip(FOLDER_COLUMNS, (pl.String(), pl.Int32()), strict=True))
SECONDS = 300.0
"""How long a layout's SQL may take over all files that are taken together; those in the tree take parts of a second."""
ROWS_OF_A_CELL = 2
ROWS_BESIDE = 1_000
"""A layout makes a row of a source row or of a cell, so there is a bound that no right one meets."""
BYTES = 4 * 2**30
SQL_LINE = re.compile(r"\bLINE (\d+):")
Folders = Mapping[int, tuple[str, int]]
"""Community and reporting year of each file, by its number."""
COUNTS = pl.Schema(
    {
        "layout_id": pl.String(),
        "_file_id": pl.Int64(),
        "_sheet": pl.String(),
        "rows_read": pl.Int32(),
        "rows_ragged": pl.Int32(),
        "rows_left_out": pl.Int32(),
    }
)


@dataclass(frozen=True)
class Extraction:
    """Rows by layout id, and one line of counts for each sheet (`COUNTS`).

    Each frame has _file_id (Int64), _sheet, _row (Int32, the source row), _column (the source column of the value, null
    where the layout does not say) and the target table's columns, all text; sorted by file, sheet, row, column. A cell
    of a column that stands in the file and is blank is '', a column that does not stand there is null.
    """

    frames: dict[str, pl.DataFrame]
    counts: pl.DataFrame
    problems: tuple[tuple[int, Problem], ...] = ()
    """Codes that a layout does not know, and sheets of which it leaves out every row, by number of the file."""


def extract(matches: Sequence[Match], connection: Connection, folders: Folders | None = None) -> Extraction:
    """Run the SQL of every layout once over all of its sheets. LayoutError where the SQL fails or lacks a column.

    folders: which folder each file lies in; a layout may ask for its community and reporting year.
    """
    by_layout: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        by_layout[match.layout_id].append(match)
    frames, counts = {}, [pl.DataFrame(schema=COUNTS)]
    told: list[tuple[int, Problem]] = []
    for layout_id, group in sorted(by_layout.items()):
        layout = group[0].layout
        file = relation(layout, group, folders)
        rows = file if layout.contract else _select(layout, file, connection)
        frames[layout_id] = _arranged(layout, rows)
        counts.append(_counts(layout_id, group, frames[layout_id]))
        if not layout.contract:
            told += _unknown_codes(layout, file, connection)
            told += _nothing_taken(layout, file, counts[-1])
    return Extraction(frames, pl.concat(counts).sort("layout_id", "_file_id", "_sheet"), tuple(told))


def _unknown_codes(layout: Layout, file: pl.DataFrame, connection: Connection) -> Iterator[tuple[int, Problem]]:
    """Rows whose code in a column that the layout decides by is none of those it is made for."""
    for column, known in layout.decides.items():
        if column not in file.columns:
            continue
        connection.register("file", file)
        try:
            found = connection.execute(UNKNOWN_CODES.format(column=engine.name(column)), [list(known)]).fetchall()
        finally:
            connection.unregister("file")
        (printed,) = layout.words([column])
        for file_id, sheet, code, rows in found:
            yield file_id, problem("unknown_layout_code", sheet=sheet, rows=rows, found=excerpt(code), allowed=printed)


UNKNOWN_CODES = """
select _file_id, _sheet, trim({column}), list(distinct _row order by _row)
from file
where trim({column}) <> '' and plain({column}) not in (select plain(code) from unnest(?) as known(code))
group by all
order by all
"""
MOST_CODES = 8


def _nothing_taken(layout: Layout, file: pl.DataFrame, counts: pl.DataFrame) -> Iterator[tuple[int, Problem]]:
    """Sheets of which the layout leaves out every row, with the codes that it decides by."""
    lost = counts.filter((pl.col("rows_read") > 0) & (pl.col("rows_left_out") == pl.col("rows_read")))
    for file_id, sheet, n in lost.select("_file_id", "_sheet", "rows_read").iter_rows():
        rows = file.filter((pl.col("_file_id") == file_id) & (pl.col("_sheet") == sheet))
        said = []
        for column in layout.decides:
            codes = rows[column].drop_nulls().unique().sort().to_list()
            more = " and others" if len(codes) > MOST_CODES else ""
            said.append(f"{layout.words([column])[0]} {', '.join(map(excerpt, codes[:MOST_CODES]))}{more}")
        found = "; ".join(said) or f"{n:,} rows of another kind"
        yield file_id, problem("all_rows_left_out", sheet=sheet, found=f"{found} ({layout.describes})")


def relation(layout: Layout, matches: Sequence[Match], folders: Folders | None = None) -> pl.DataFrame:
    """The relation `file`: the data rows of all sheets as text, with their place, folder, title and named groups."""
    alike: dict[tuple[object, ...], list[Match]] = defaultdict(list)
    for match in matches:
        # Sheets whose columns stand in the same places are put together before any column is made.
        alike[(match.fit.places, match.fit.wide)].append(match)
    parts = [_part(layout, group[0].fit, group, folders or {}) for group in alike.values()]
    return pl.concat(parts).sort(ROW_PLACE, maintain_order=True)


def empty_relation(layout: Layout) -> pl.DataFrame:
    """The relation `file` without a row: the columns that a layout's SQL may name, and their types."""
    texts = ["_title", *layout.groups, *layout.columns]
    texts += ["_column", "_cell", *layout.wide_groups] if layout.wide else []
    return pl.DataFrame(schema={**PLACE_TYPES, **FOLDER_TYPES, **dict.fromkeys(texts, pl.String())})


def _part(layout: Layout, fit: HeaderFit, matches: Sequence[Match], folders: Folders) -> pl.DataFrame:
    rows = [match.grid.rows[place] for match in matches for place in match.data]
    cells = list(zip_longest(*rows, fillvalue=""))
    cells += [("",) * len(rows)] * (fit.width - len(cells))
    where = dict(fit.places)
    series = [
        pl.Series(name, cells[where[name]], pl.String).str.strip_chars()
        if name in where
        else pl.repeat(None, len(rows), dtype=pl.String, eager=True).alias(name)
        for name in layout.columns
    ]
    frame = pl.DataFrame([*_places(layout, matches, folders), *series])
    if layout.wide is None:
        return frame
    wide = {f"_wide_{place}": pl.Series(cells[place], dtype=pl.String).str.strip_chars() for place, _, _ in fit.wide}
    return _unpivoted(layout, fit, frame, wide)


def _places(layout: Layout, matches: Sequence[Match], folders: Folders) -> Iterable[pl.Series]:
    """Where each row comes from, and what its file says once for all rows."""
    sizes = [len(match.data) for match in matches]

    def spread(name: str, values: Iterable[object], kind: pl.DataType) -> pl.Series:
        repeated = chain.from_iterable([value] * size for value, size in zip(values, sizes, strict=True))
        return pl.Series(name, list(repeated), kind)

    yield spread("_file_id", (match.file_id for match in matches), pl.Int64())
    yield spread("_sheet", (match.grid.sheet for match in matches), pl.String())
    yield pl.Series("_row", [place + 1 for match in matches for place in match.data], pl.Int32())
    if not layout.contract:
        for part, (name, kind) in enumerate(FOLDER_TYPES.items()):
            known = [folders.get(match.file_id) for match in matches]
            yield spread(name, (folder[part] if folder else None for folder in known), kind)
    yield spread("_title", (match.title for match in matches), pl.String())
    for group in layout.groups:
        yield spread(group, (match.groups.get(group) for match in matches), pl.String())


def _unpivoted(layout: Layout, fit: HeaderFit, frame: pl.DataFrame, wide: Mapping[str, pl.Series]) -> pl.DataFrame:
    """One row for each wide cell, with its column's header, the cell, and the named groups of the header."""
    parts = []
    for (_, header, groups), cells in zip(fit.wide, wide.values(), strict=True):
        named = dict(zip(layout.wide_groups, _named(layout, header, groups), strict=True))
        constants = [pl.lit(value, pl.String).alias(name) for name, value in named.items()]
        parts.append(frame.with_columns(pl.lit(header).alias("_column"), cells.alias("_cell"), *constants))
    return pl.concat(parts)


def _named(layout: Layout, header: str, groups: tuple[str | None, ...]) -> list[str | None]:
    assert layout.wide is not None
    return [groups[layout.wide.groupindex[name] - 1] for name in layout.wide_groups]


def _select(layout: Layout, file: pl.DataFrame, connection: Connection) -> pl.DataFrame:
    rows = run_sql(layout, file, connection)
    known = {name for column in contracts.landed()[layout.table].columns for name in (column.name, column.kept)}
    known |= {name for version in contracts.VERSIONS for name in _names_in(version.version, layout.table)}
    if unknown := [name for name in rows.columns if name not in known | {*ROW_PLACE, "_column"}]:
        raise LayoutError(
            f"{layout.layout_id}: the SELECT gives columns that {layout.table} lacks: {', '.join(unknown)}"
        )
    if missing := [name for name in ROW_PLACE if name not in rows.columns]:
        raise LayoutError(f"{layout.layout_id}: the SELECT does not pass on {', '.join(missing)}")
    return rows


def run_sql(layout: Layout, file: pl.DataFrame, connection: Connection) -> pl.DataFrame:
    """What a layout's SELECT gives over `file`, with the words of layout_macros.sql.

    LayoutError in one line, with the line of the file, where it fails, or takes or gives more than a layout may.
    """
    found = engine.statements(connection, layout.sql)
    if found and found != ["SELECT"]:
        raise LayoutError(f"{layout.layout_id}.sql: one SELECT is needed, found were {', '.join(found)}")
    connection.execute(contracts.LAYOUT_MACROS.read_text(encoding="utf-8"))
    connection.register("file", file)
    try:
        rows = ROWS_BESIDE + ROWS_OF_A_CELL * file.height * file.width
        return engine.bounded(connection, layout.sql, seconds=SECONDS, rows=rows, size=BYTES)
    except LimitError as failure:
        raise LayoutError(f"{layout.layout_id}.sql: {failure}; a layout gives a row of a row or a cell") from failure
    except EngineError as failure:
        line = SQL_LINE.search(str(failure))
        where = f"{layout.layout_id}.sql, line {line[1]}" if line else f"{layout.layout_id}.sql"
        said = " ".join(str(failure).split("LINE ")[0].split())
        raise LayoutError(f"{where}: {said}") from failure
    finally:
        connection.unregister("file")


def _names_in(version: int, table: str) -> tuple[str, ...]:
    contract = contracts.tables(version).get(table)
    return contract.names if contract else ()


def _arranged(layout: Layout, rows: pl.DataFrame) -> pl.DataFrame:
    if "_column" not in rows.columns:
        rows = rows.with_columns(pl.lit(None, pl.String).alias("_column"))
    inner = {"_title", *layout.groups} if layout.contract else set()
    values = [name for name in rows.columns if name not in (*ROW_PLACE, "_column") and name not in inner]
    typed = rows.select(
        *(pl.col(name).cast(kind) for name, kind in PLACE_TYPES.items()),
        pl.col("_column").cast(pl.String),
        *(pl.col(name).cast(pl.String) for name in values),
    )
    if layout.contract:
        return typed  # One row for one row of the file, sorted already.
    key = [*ROW_PLACE, "_column"]
    if typed.select(key).is_duplicated().any():
        # Then all columns take part, so that the order never depends on how the SQL was run.
        key += values
    return typed.sort(key, nulls_last=True, maintain_order=True)


def _counts(layout_id: str, matches: Sequence[Match], rows: pl.DataFrame) -> pl.DataFrame:
    kept = rows.select(ROW_PLACE).unique().group_by("_file_id", "_sheet").len("kept")
    sheets = pl.DataFrame(
        {
            "layout_id": [layout_id] * len(matches),
            "_file_id": [match.file_id for match in matches],
            "_sheet": [match.grid.sheet for match in matches],
            "rows_read": [match.rows_read for match in matches],
            "rows_ragged": [len(match.ragged) for match in matches],
        }
    )
    left_out = pl.col("rows_read") - pl.col("kept").fill_null(0).cast(pl.Int64)
    return (
        sheets.join(kept, on=["_file_id", "_sheet"], how="left", maintain_order="left")
        .with_columns(rows_left_out=left_out)
        .select(list(COUNTS))
        .cast(COUNTS)
    )
