"""What a workbook tells of cells beside their text, judged once it is known what the columns are.

Belongs here: values of merged cells for the rows they cover, dates and doubts where they matter, hidden sheets.
Does not: finding such cells (worksheet.py, old_workbook.py), recognising the table (layouts.py), rules of a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from contracts.base import TableContract
from dagster_project.lib.intake.layouts.declaration import Match
from dagster_project.lib.intake.reading.grid import Grid, Problem, column_letter, excerpt, problem

LISTS_OF_TEMPLATE = "Lists"
"""The hidden sheet behind the menus of a template. It is known and told nobody."""
FREE_COLUMNS = frozenset({"note"})
"""Columns in which a date means nothing but itself."""
STRUCK = "struck_out"


def settle_cells(match: Match, contract: TableContract) -> list[Problem]:
    """Give merged values to the rows they cover, in place, and tell the cells of which that cannot be said.

    Rows above the table are left alone: a header over several columns or rows stands in its first cell.
    """
    grid, known = match.grid, _known_columns(match)
    if not grid.merges and not grid.dates and not grid.doubts:
        return []
    rows = frozenset(match.data)
    dates, doubts = set(grid.dates), dict(grid.doubts)
    across: dict[tuple[int, ...], list[int]] = {}
    for top, left, bottom, right in grid.merges:
        covered = [row for row in range(top, bottom + 1) if row in rows]
        if top < match.header_row or not covered:
            continue
        columns = tuple(column for column in range(left, right + 1) if column in known)
        if len(columns) > 1:
            across.setdefault(columns, []).extend(row + 1 for row in covered)
        for row in covered:
            if not grid.rows[row][left]:
                grid.rows[row][left] = grid.rows[top][left]
            if (top, left) in grid.dates:
                dates.add((row, left))
            if (top, left) in grid.doubts:
                doubts[row, left] = grid.doubts[top, left]
    return [
        *_merged_across(grid, across, known),
        *_date_problems(match, contract, dates, known),
        *_doubts(match, doubts, known),
    ]


def hidden_problems(grids: Sequence[Grid]) -> Iterator[Problem]:
    """Sheets that are not taken because they are hidden; an error if no other sheet holds anything."""
    hidden = [grid.sheet for grid in grids if grid.hidden]
    if hidden and len(hidden) == len(grids):
        yield problem("only_hidden_sheets", sheet=hidden[0] if len(hidden) == 1 else "")
        return
    for sheet in hidden:
        if sheet != LISTS_OF_TEMPLATE:
            yield problem("hidden_sheet", sheet=sheet)


def _known_columns(match: Match) -> dict[int, str]:
    """The columns that the table is made from: place and name, of wide ones the header's own words."""
    named = {place: name for name, place in match.fit.places}
    return named | {place: header for place, header, _ in match.fit.wide}


def _merged_across(grid: Grid, across: dict[tuple[int, ...], list[int]], known: dict[int, str]) -> Iterator[Problem]:
    for columns, rows in across.items():
        names = " and ".join(f"{known[column]} ({column_letter(column)})" for column in columns)
        first = column_letter(columns[0])
        yield problem("cells_merged_across", sheet=grid.sheet, rows=sorted(rows), column=first, found=names)


def _doubts(
    match: Match, doubts: Mapping[tuple[int, int], tuple[str, str]], known: dict[int, str]
) -> Iterator[Problem]:
    """Cells of the table that show another number than they hold, or of which it cannot be told what they show."""
    rows = frozenset(match.data)
    by_cause: dict[tuple[int, str, str], list[int]] = {}
    struck: dict[int, list[int]] = {}
    for (row, column), (rule_id, text) in sorted(doubts.items()):
        if row not in rows or column not in known or known[column] in FREE_COLUMNS:
            continue
        if rule_id == STRUCK:
            struck.setdefault(row + 1, []).append(column)
        else:
            by_cause.setdefault((column, rule_id, text), []).append(row + 1)
    for (column, rule_id, text), places in by_cause.items():
        letter = column_letter(column)
        yield problem(rule_id, sheet=match.grid.sheet, rows=places, column=letter, found=excerpt(text))
    yield from _struck(match.grid, struck, known)


def _struck(grid: Grid, struck: Mapping[int, Sequence[int]], known: dict[int, str]) -> Iterator[Problem]:
    """Rows that are struck out, wholly or in some cells: members strike out what is not to count."""
    by_columns: dict[tuple[int, ...], list[int]] = {}
    for row, columns in struck.items():
        by_columns.setdefault(tuple(columns), []).append(row)
    for columns, rows in by_columns.items():
        names = ", ".join(known[column] for column in columns)
        yield problem(STRUCK, sheet=grid.sheet, rows=rows, column=column_letter(columns[0]), found=names)


def _date_problems(
    match: Match, contract: TableContract, dates: Iterable[tuple[int, int]], known: dict[int, str]
) -> Iterator[Problem]:
    """Dates in columns that hold none: 5-9, 3-8 and 10-1 are dates to a spreadsheet program."""
    allowed = {column.name: column.allowed for column in contract.columns}
    are_dates = (
        {column.name for column in contract.columns if column.kind == "date"} if match.layout.contract else set()
    )
    rows = frozenset(match.data)
    by_cause: dict[tuple[int, str], list[int]] = {}
    for row, column in sorted(dates):
        if row in rows and column in known and known[column] not in are_dates | FREE_COLUMNS:
            by_cause.setdefault((column, match.grid.rows[row][column]), []).append(row + 1)
    for (column, text), places in by_cause.items():
        yield problem(
            "date_cell",
            sheet=match.grid.sheet,
            rows=places,
            column=column_letter(column),
            found=excerpt(text),
            allowed=allowed.get(known[column], "text or a number as the source prints it"),
        )
