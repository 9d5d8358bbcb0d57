"""What a layout makes of a file, row by row, without writing anything.

Belongs here: reading one file, recognising its sheets, running the layout, and which rows it leaves out.
Does not: checking rows (take_in.py), printing (cli/seeds.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import contracts
from dagster_project.lib.base import engine
from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.layouts.declaration import Layout, LayoutError, Match, NoMatch, read_layout
from dagster_project.lib.intake.layouts.extraction import ROW_PLACE, extract
from dagster_project.lib.intake.layouts.matching import Layouts
from dagster_project.lib.intake.layouts.soundness import faults_of
from dagster_project.lib.intake.reading.fetched import fetch
from dagster_project.lib.intake.reading.files import WorkbookReader, largest_bytes, read_file, refusal_of
from dagster_project.lib.intake.reading.grid import Grid, Problem, excerpt

FILE_ID = 1


class NoTrialError(ValueError):
    """The file cannot be tried: it cannot be read, or looks like data on single persons."""


@dataclass(frozen=True)
class TriedRow:
    """One row that a layout gives: the source row and column, and the table's columns that hold something."""

    row: int
    column: str | None
    cells: dict[str, str]


@dataclass(frozen=True)
class TriedSheet:
    """What became of one sheet. `left_out`, `ragged` and `decoration` are rows of the sheet with their text."""

    sheet: str
    layout_id: str | None
    table: str | None
    rows_read: int
    rows: tuple[TriedRow, ...]
    left_out: tuple[tuple[int, str], ...]
    ragged: tuple[tuple[int, str], ...]
    decoration: tuple[tuple[int, str], ...]
    problems: tuple[Problem, ...]


def chosen_layout(name: str, version: int, intake: Intake) -> Layout:
    """A layout by its id, or one that is still being written by the path of its .sql file; LayoutError without it."""
    path = Path(name)
    if name.endswith(".sql"):
        if not path.is_file():
            raise LayoutError(f"there is no file {name}")
        layout = read_layout(path)
        with engine.memory(threads=1, closed_in=True) as connection:
            if wrong := list(faults_of(layout, connection)):
                raise LayoutError("; ".join(wrong))
        return layout
    try:
        return intake.layouts(version).get(name)
    except KeyError:
        known = ", ".join(layout.layout_id for layout in intake.layouts(version))
        raise LayoutError(f"there is no layout {name}; known are {known}") from None


def try_file(
    path: Path, intake: Intake, version: int, folder: tuple[str, int] | None = None, layout: str | None = None
) -> list[TriedSheet]:
    """What the layouts of a contract version make of a file, sheet by sheet.

    folder: the community and reporting year that a layout may ask for. layout: only that one is tried. LayoutError for
    a layout that is wrong, NoTrialError for a file that cannot be tried.
    """
    layouts = Layouts([chosen_layout(layout, version, intake)]) if layout else intake.layouts(version)
    matches: list[Match | NoMatch] = [
        layouts.match(grid, path.name, FILE_ID) for grid in _sheets(path, intake, folder[0] if folder else None)
    ]
    return [_tried(match, folder) for match in matches]


def _sheets(path: Path, intake: Intake, community_id: str | None) -> Sequence[Grid]:
    content = fetch(Given(lambda _: path.read_bytes()), path.name, largest_bytes(path.name, intake.limits))
    if content is None or content.data is None:
        refusal = refusal_of(path.name, content.size if content else 0, intake.limits)
        raise NoTrialError(f"{path.name}: {'; '.join(map(in_words, refusal.problems)) if refusal else 'too large'}")
    with WorkbookReader(intake.limits) as workbooks:
        encoding = intake.encodings.get(community_id) if community_id else None
        result = read_file(path.name, content.data, encoding, intake.limits, workbooks)
    if hit := content.person_level(result.sheets):
        raise NoTrialError(f"{path.name} looks like data on single persons ({hit.reason}); nothing of it is shown")
    if not result.sheets:
        raise NoTrialError(f"{path.name}: {'; '.join(map(in_words, result.problems)) or 'no sheet could be read'}")
    return result.sheets


def _tried(match: Match | NoMatch, folder: tuple[str, int] | None) -> TriedSheet:
    if isinstance(match, NoMatch):
        return TriedSheet(match.sheet, None, None, 0, (), (), (), (), (match.problem,))
    with engine.memory(threads=1, closed_in=True) as connection:
        frames = extract([match], connection, {FILE_ID: folder} if folder else None).frames
    frame = frames[match.layout_id]
    values = [name for name in frame.columns if name not in (*ROW_PLACE, "_column", "_title")]
    rows = tuple(
        TriedRow(row["_row"], row["_column"], {name: row[name] for name in values if row[name] is not None})
        for row in frame.iter_rows(named=True)
    )
    given = set(frame["_row"])
    left_out = [place for place in match.data if place + 1 not in given]
    return TriedSheet(
        match.grid.sheet,
        match.layout_id,
        match.table,
        match.rows_read,
        rows,
        _texts(match.grid, left_out),
        _texts(match.grid, match.ragged),
        _texts(match.grid, match.decoration),
        match.problems,
    )


def _texts(grid: Grid, places: Sequence[int]) -> tuple[tuple[int, str], ...]:
    return tuple((place + 1, excerpt(", ".join(grid.rows[place]))) for place in places)


def in_words(problem: Problem) -> str:
    """A problem of reading or recognising in a few words."""
    said = [problem.rule_id.replace("_", " ")]
    said += [f"found {problem.found}"] if problem.found else []
    said += [f"allowed {problem.allowed}"] if problem.allowed else []
    said += [problem.detail] if problem.detail else []
    return "; ".join(said)


def lines_of(sheets: Sequence[TriedSheet]) -> Iterator[str]:
    """The trial as lines of text for a terminal."""
    for sheet in sheets:
        where = f"sheet {sheet.sheet}: " if sheet.sheet else ""
        if sheet.layout_id is None:
            yield f"{where}no layout fits"
            yield from (f"  {in_words(problem)}" for problem in sheet.problems)
            continue
        n_rows = f"{sheet.rows_read:,} row{'' if sheet.rows_read == 1 else 's'} read"
        yield f"{where}layout {sheet.layout_id}, table {sheet.table}: {n_rows}, {len(sheet.rows):,} given"
        for row in sheet.rows:
            column = f", column {row.column}" if row.column else ""
            cells = "  ".join(f"{name}={_shown(text)}" for name, text in row.cells.items())
            yield f"  row {row.row}{column}: {cells}"
        for kind, rows in (
            ("left out by the layout", sheet.left_out),
            ("with cells beyond the header (refused)", sheet.ragged),
            ("passed over as decoration (stop, skip)", sheet.decoration),
        ):
            if rows:
                yield f"  {len(rows):,} row{'' if len(rows) == 1 else 's'} {kind}:"
                yield from (f"    row {number}: {text}" for number, text in rows)
        yield from (f"  {in_words(problem)}" for problem in sheet.problems)


def _shown(text: str) -> str:
    return text if text and " " not in text else f"'{text}'"


def newest_version(reporting_year: int | None) -> int:
    """The contract version of a reporting year, or the newest without one."""
    return contracts.newest_version() if reporting_year is None else contracts.version_for(reporting_year)
