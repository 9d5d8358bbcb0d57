"""The header again among the rows below it, as where exports were pasted together.

Belongs here: finding such rows, and what of the rows below them is left.
Does not: the first header (matching.py), rows of data that repeat (rows/repeated.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dagster_project.lib.intake.layouts.declaration import HeaderFit
from dagster_project.lib.intake.reading.grid import Grid, Problem, excerpt, problem, snake_name


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
    names = {snake_name(cell) for cells in own for cell in cells if cell}
    data: list[int] = []
    same: list[int] = []
    lost: list[int] = []
    moved = False
    for at in filled:
        row = grid.rows[at]
        start = next(cell for cell in row if cell.strip()).strip()
        if start[0].isdigit() or snake_name(start) not in names:
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


def _is_header(fit: HeaderFit, found: HeaderFit) -> bool:
    return not found.missing and found.known >= min(2, len(fit.layout.columns))


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
