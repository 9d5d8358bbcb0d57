"""The header again among the rows below it, as where exports were pasted together.

Belongs here: finding such rows, and what of the rows below them is left.
Does not: the first header (matching.py), rows of data that repeat (rows/repeated.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from dagster_project.lib.intake.layouts.declaration import HeaderFit
from dagster_project.lib.intake.layouts.near import near_names, squeezed
from dagster_project.lib.intake.reading.grid import Grid, Problem, excerpt, problem

FIRST_CELLS = 2
"""How many filled cells of a row are looked at for a header's name: its first column may be the member's own."""
OWN_NAMES = 3
"""A row with this many names of columns is a header, whatever it lacks."""


@dataclass(frozen=True)
class Rest:
    """Rows of data without repeated headers and without what stands under another order; and what is told of them."""

    data: list[int]
    headers: list[int]
    problems: list[Problem]


def without_headers(
    fit: HeaderFit, header_row: int, grid: Grid, filled: Sequence[int], again: Callable[[tuple[str, ...]], HeaderFit]
) -> Rest:
    """Sort out the rows that are a header once more; `again` compares a row with the layout.

    One with its columns in the same places is skipped; below one in another order no row is taken, until the first
    order comes back.
    """
    first, last = header_row + 1 - fit.layout.header_rows, header_row
    own = [_cells(grid.rows[at]) for at in range(first, last + 1)]
    names = _names(fit, own)
    data: list[int] = []
    same: list[int] = []
    lost: list[int] = []
    moved = False
    for at in filled:
        row = grid.rows[at]
        if not _may_be_header(row, names):
            (lost if moved else data).append(at)
            continue
        cells = _cells(row)
        if cells in own:
            same.append(at)
            moved = False
        elif fit.layout.header_rows == 1 and _is_header(fit, found := again(tuple(cells))):
            moved = found.places != fit.places
            (lost if moved else same).append(at)
        else:
            (lost if moved else data).append(at)
    return Rest(data, same, _told(grid, same, lost))


def _names(fit: HeaderFit, own: Sequence[Sequence[str]]) -> frozenset[str]:
    """What a header may call its columns: as the first one does, or by the names and near names of a contract."""
    names = {squeezed(cell) for cells in own for cell in cells if cell}
    if fit.layout.contract:
        names |= {*map(squeezed, fit.layout.columns), *near_names().get(fit.layout.table, {})}
    return frozenset(names)


def _may_be_header(row: Sequence[str], names: frozenset[str]) -> bool:
    filled = (text for cell in row if (text := cell.strip()))
    return any(not text[0].isdigit() and squeezed(text) in names for text in islice(filled, FIRST_CELLS))


def _is_header(fit: HeaderFit, found: HeaderFit) -> bool:
    """Whether a row has all that the table needs, or so many of its columns' own names that it can be no data."""
    own = len(found.places) - len(found.near)
    return own >= OWN_NAMES or (not found.missing and found.known >= min(2, len(fit.layout.columns)))


def _told(grid: Grid, same: list[int], lost: list[int]) -> list[Problem]:
    told = []
    if same:
        told.append(problem("header_again", sheet=grid.sheet, rows=[at + 1 for at in same]))
    if lost:
        names = ", ".join(cell for cell in _cells(grid.rows[lost[0]]) if cell)
        told.append(
            problem("header_again_differs", sheet=grid.sheet, rows=[at + 1 for at in lost], found=excerpt(names))
        )
    return told


def _cells(row: Sequence[str]) -> list[str]:
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells
