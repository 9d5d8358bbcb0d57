"""The names and letters that the columns of a table bear in the member's own file.

Belongs here: from a column of a contract to the header above its cells and to the letter of a workbook.
Does not: comparing headers (matching.py), the words of findings (findings.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl

from dagster_project.lib.intake.layouts.declaration import Match
from dagster_project.lib.intake.reading.grid import column_letter, one_line, snake_name

OWN_COLUMNS = pl.Schema(
    {
        "_file_id": pl.Int64(),
        "source_sheet": pl.String(),
        "column": pl.String(),
        "own": pl.String(),
        "letter": pl.String(),
        "near": pl.Boolean(),
    }
)
"""`own` is the header as printed where it is not the column's name, `letter` null in a text file.

`near`: the header was read for the column because it is near to its name.
"""


def own_columns(matches: Sequence[Match]) -> pl.DataFrame:
    """One line for each column of a table that one column of a sheet gives (OWN_COLUMNS)."""
    lines = [line for match in matches for line in _lines(match)]
    return pl.DataFrame(lines, schema=OWN_COLUMNS, orient="row").unique(
        ["_file_id", "source_sheet", "column"], keep="first", maintain_order=True
    )


def _lines(match: Match) -> Iterator[tuple[int, str, str, str | None, str | None, bool]]:
    places = dict(match.fit.places)
    sheet = match.grid.sheet
    letters: dict[int, str | None] = {}
    for place in (*places.values(), *_wide(match)):
        letters[place] = column_letter(place) if sheet else None
    header = [one_line(cell) for cell in match.grid.rows[match.header_row - 1]]
    if match.layout.contract:
        near = {column for column, _, _ in match.fit.near}
        for column, at in places.items():
            printed = header[at] if column in near else None
            yield match.file_id, sheet, column, printed, letters[at], column in near
        return
    repeated = Counter(map(snake_name, header))
    for column, source in match.layout.sources.items():
        if (at := places.get(source, -1)) >= 0:
            (declared,) = match.layout.words([source])
            name = header[at] if at < len(header) and repeated[snake_name(header[at])] == 1 else declared
            yield match.file_id, sheet, column, name, letters[at], False
    for at, text, _ in match.fit.wide:  # a finding on such a cell names its column by the header already
        yield match.file_id, sheet, text, None, letters[at], False


def _wide(match: Match) -> list[int]:
    return [place for place, _, _ in match.fit.wide]
