"""Why a sheet has no layout, and what of a matched one was not read, in words for its member.

Belongs here: the nearest layout and how it differs, ragged rows, unknown columns.
Does not: deciding which layout fits (matching.py), the catalogue of findings (contracts/findings.csv).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from dagster_project.lib.intake.layouts.declaration import HeaderFit, Layout, NoMatch
from dagster_project.lib.intake.reading.grid import Grid, Problem, excerpt, one_line, problem, snake_name

HEADER_SEARCH_ROWS = 60
MOST_QUOTED = 8

NAMED_GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)")


def title_text(grid: Grid, header_row: int, header_rows: int) -> str:
    """The lines above the header: each row's cells joined by a space, blank rows left out."""
    above = grid.rows[: header_row + 1 - header_rows]
    lines = (" ".join(one_line(cell) for cell in row if cell.strip()) for row in above)
    return "\n".join(line for line in lines if line)


def find_groups(layout: Layout, title: str, sheet: str, file_name: str) -> dict[str, str | None] | None:
    """The named groups of title, sheet and file name, or None where one of the patterns is not found."""
    groups: dict[str, str | None] = {}
    base_name = file_name.rpartition("/")[2]
    for pattern, text in ((layout.title, title), (layout.sheet, sheet), (layout.file_name, base_name)):
        if pattern is not None:
            found = pattern.search(text)
            if found is None:
                return None
            groups |= found.groupdict()
    return groups


def named_like(layout: Layout, grid: Grid, file_name: str) -> bool:
    stem = file_name.rpartition("/")[2].partition(".")[0]
    return layout.contract and layout.table in (snake_name(grid.sheet), snake_name(stem) if not grid.sheet else "")


def ragged_problems(grid: Grid, ragged: Sequence[int], width: int, widest: int) -> Iterator[Problem]:
    """One problem for each number of cells beyond the header: rows that broke alike are one root cause."""
    alike: dict[int, list[int]] = {}
    for place in ragged:
        cells = grid.rows[place]
        filled = max(at + 1 for at, cell in enumerate(cells) if cell.strip())
        beyond = max(filled, len(cells) if len(cells) > widest else 0) - width
        alike.setdefault(beyond, []).append(place + 1)
    for beyond, rows in sorted(alike.items(), key=lambda item: item[1]):
        found = f"{width + beyond} cells below a header of {width}"
        yield problem("ragged_row", sheet=grid.sheet, rows=rows, found=found)


def unknown_problems(layout: Layout, grid: Grid, unknown: Sequence[str]) -> Iterator[Problem]:
    if unknown:
        found = ", ".join(map(excerpt, unknown))
        yield problem("unknown_columns", sheet=grid.sheet, found=found, allowed=", ".join(layout.words(layout.columns)))


def explain(nearest: tuple[HeaderFit, int] | None, layouts: int, grid: Grid, file_name: str, file_id: int) -> NoMatch:
    sheet = grid.sheet
    if nearest is None:
        rows = min(len(grid.rows), HEADER_SEARCH_ROWS)
        found = f"None of the first {rows} rows holds a column of the {layouts} known layouts.{_as_split(grid)}"
        return NoMatch(file_id, file_name, sheet, "no_header", problem("unknown_layout", sheet=sheet, found=found))
    fit, row = nearest
    layout = fit.layout
    looked_for = layout.words(layout.columns)
    missing = layout.words(fit.missing)
    reason: Literal["missing_column", "headers", "title"]
    lacking = 2 * len(fit.missing) - len(layout.required)
    close = lacking < 0 or (lacking == 0 and 2 * fit.known > fit.named) or named_like(layout, grid, file_name)
    if layout.contract and fit.missing and close:
        reason = "missing_column"
        reported = problem(
            "missing_column",
            sheet=sheet,
            rows=[row + 1],
            found=", ".join(missing),
            allowed=f"the columns of {layout.table}: {', '.join(looked_for)}",
        )
    else:
        reason = "title" if fit.whole and not layout.contract else "headers"
        if fit.whole or 2 * fit.known >= fit.named:
            found = f"Nearest is {layout.layout_id} ({layout.describes}): {_difference(fit, row, grid, file_name)}."
        else:
            found = f"None is near.{_as_split(grid, row)}"
        reported = problem("unknown_layout", sheet=sheet, rows=[row + 1], found=found)
    return NoMatch(
        file_id,
        file_name,
        sheet,
        reason,
        reported,
        nearest=layout.layout_id,
        table=layout.table,
        header_row=row + 1,
        looked_for=looked_for,
        missing=missing,
        unknown=fit.unknown,
    )


def _as_split(grid: Grid, at: int | None = None) -> str:
    """What stands in a row, by default the first with two cells: how it was split tells a wrong separator."""
    rows = enumerate(grid.rows[:HEADER_SEARCH_ROWS])
    held = {place: [excerpt(cell) for cell in row if cell.strip()] for place, row in rows if place == at or at is None}
    place = next((place for place, cells in held.items() if len(cells) > 1), next(iter(held), None))
    if place is None or not held[place]:
        return ""
    cells = held[place]
    more = f" and {len(cells) - MOST_QUOTED} more" if len(cells) > MOST_QUOTED else ""
    columns = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
    return f" Row {place + 1} was read as {columns}: {' | '.join(cells[:MOST_QUOTED])}{more}."


def _difference(fit: HeaderFit, row: int, grid: Grid, file_name: str) -> str:
    """In words, why the nearest layout does not fit."""
    layout = fit.layout
    parts = []
    if fit.missing:
        parts.append("missing " + ", ".join(layout.words(fit.missing)))
    if fit.unknown:
        parts.append("unknown " + ", ".join(map(excerpt, fit.unknown)))
    if fit.clash:
        parts.append("at most one of " + ", ".join(layout.words(fit.clash)))
    if layout.wide and not fit.wide:
        parts.append(f"no column like {_readable(layout.wide)}")
    title = title_text(grid, row, layout.header_rows)
    if layout.title and not layout.title.search(title):
        parts.append(f"title {excerpt(title) or 'absent'} instead of {_readable(layout.title)}")
    if layout.sheet and not layout.sheet.search(grid.sheet):
        parts.append(f"sheet {grid.sheet or 'absent'} instead of {_readable(layout.sheet)}")
    if layout.file_name and not layout.file_name.search(file_name.rpartition("/")[2]):
        parts.append(f"file name {file_name} instead of {_readable(layout.file_name)}")
    return "; ".join(parts)


def _readable(pattern: re.Pattern[str]) -> str:
    """A pattern for people: a named group as its name in angle brackets, line ends as a bar, no anchors."""
    text = NAMED_GROUP.sub(lambda group: f"<{group[1].replace('_', ' ')}>", pattern.pattern)
    return text.replace("\\n", " | ").replace("\\", "").removeprefix("^").removesuffix("$").rstrip(" |")
