"""Which layout a sheet has: its title and header compared with every declared one.

Belongs here: finding the header, comparing, choosing among layouts that fit, sorting the rows below.
Does not: declarations (declaration.py), saying what came nearest (explanation.py), what a layout's SQL makes of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dagster_project.lib.intake.layouts.declaration import (
    Header,
    HeaderFit,
    Layout,
    Match,
    NoMatch,
    column_names,
    joined_header,
    read_layout,
)
from dagster_project.lib.intake.layouts.explanation import (
    HEADER_SEARCH_ROWS,
    explain,
    find_groups,
    named_like,
    ragged_problems,
    title_text,
    unknown_problems,
)
from dagster_project.lib.intake.layouts.near import NearColumns, near_columns
from dagster_project.lib.intake.layouts.repeated_header import without_headers
from dagster_project.lib.intake.reading.grid import Grid, column_letter, one_line, problem

MOST_CACHED_HEADERS = 20_000


def load_layouts(folder: Path, version: int | None = None) -> Layouts:
    """All layouts of a folder, `{layout_id}.sql` each; of one contract version those that hold under it.

    LayoutError for a file that is not a right declaration.
    """
    layouts = [read_layout(path) for path in sorted(folder.glob("*.sql"))]
    return Layouts([layout for layout in layouts if version is None or layout.holds_under(version)])


class Layouts:
    """All layouts a sheet may have. Matching is cached by header, so that thousands of like files cost little."""

    def __init__(self, layouts: Sequence[Layout] = ()) -> None:
        self._layouts: list[Layout] = sorted(layouts, key=lambda layout: layout.layout_id)
        self._fits: dict[tuple[Header, Header | None], tuple[HeaderFit, ...]] = {}

    def __iter__(self) -> Iterator[Layout]:
        return iter(self._layouts)

    def get(self, layout_id: str) -> Layout:
        """The layout of that id; KeyError if there is none."""
        for layout in self._layouts:
            if layout.layout_id == layout_id:
                return layout
        raise KeyError(layout_id)

    def add_contract(
        self, table: str, version: int, required: tuple[str, ...], optional: tuple[str, ...], describes: str = ""
    ) -> None:
        """Add a contract's own table as a layout with id `{table}_v{version}`."""
        words = describes or f"the contract's table {table}"
        layout = Layout(f"{table}_v{version}", version, table, words, required, optional, contract=True)
        self._layouts = sorted([*self._layouts, layout], key=lambda known: known.layout_id)
        self._fits.clear()

    def match(
        self, grid: Grid, file_name: str, file_id: int = 0, versions: Mapping[str, int] | None = None
    ) -> Match | NoMatch:
        """Find the layout of a sheet.

        `file_id` is the caller's number of the file, passed through to the extracted rows. `versions` says which
        contract version of a table counts (absent: the newest added). Among layouts that fit: one named like the file
        or sheet first, then the one with most required columns, then the one that knows most columns.
        """
        newest = self._newest() | dict(versions or {})
        found = [(fit, row) for fit, row in self._candidates(grid) if _of_version(fit.layout, newest) and fit.whole]
        fitting = [(fit, row) for fit, row in found if self._accepts(fit, row, grid, file_name)]
        if not fitting:
            return self._no_match(grid, file_name, file_id, newest)
        ranks = [_rank(fit, grid, file_name) for fit, _ in fitting]
        best = [place for place, rank in enumerate(ranks) if rank == max(ranks)]
        if len({fitting[place][0].layout.layout_id for place in best}) > 1:
            ids = sorted({fitting[place][0].layout.layout_id for place in best})
            reported = problem("ambiguous_layout", sheet=grid.sheet, found=", ".join(ids))
            return NoMatch(file_id, file_name, grid.sheet, "ambiguous", reported, ids[0])
        fit, row = fitting[best[0]]
        return make_match(fit, row, grid, file_name, file_id)

    def _newest(self) -> dict[str, int]:
        newest: dict[str, int] = {}
        for layout in self._layouts:
            if layout.contract:
                newest[layout.table] = max(layout.version, newest.get(layout.table, 0))
        return newest

    def _candidates(self, grid: Grid) -> list[tuple[HeaderFit, int]]:
        """Whole fits of the first rows that are a header, with the index of the header's last row."""
        candidates: list[tuple[HeaderFit, int]] = []
        last = min(len(grid.rows), HEADER_SEARCH_ROWS)
        place = 0
        while place < last:
            row = tuple(grid.rows[place])
            candidates += [(fit, place) for fit in self.fits(row) if fit.whole]
            if place + 1 < len(grid.rows):
                below = tuple(grid.rows[place + 1])
                candidates += [(fit, place + 1) for fit in self.fits(below, row) if fit.whole]
            if candidates:
                # A one-row layout may fit the lower half of what a two-row layout fits: look one row further.
                last = min(last, max(row for _, row in candidates) + 1)
            place += 1
        return candidates

    def fits(self, header: Header, upper: Header | None = None) -> tuple[HeaderFit, ...]:
        """How a header (with its upper row, for two-row layouts) compares with every layout it shares a column with."""
        key = (header, upper)
        known = self._fits.get(key)
        if known is None:
            if len(self._fits) >= MOST_CACHED_HEADERS:
                self._fits.clear()
            known = self._fits[key] = tuple(self._compare(header, upper))
        return known

    def _compare(self, header: Header, upper: Header | None) -> Iterator[HeaderFit]:
        cells = joined_header(upper, header) if upper is not None else tuple(one_line(cell) for cell in header)
        if not any(cells):
            return
        names = column_names(cells)
        for layout in self._layouts:
            if layout.header_rows == (1 if upper is None else 2):
                fit = compare(layout, names, cells)
                if fit.known:
                    yield fit

    def _accepts(self, fit: HeaderFit, row: int, grid: Grid, file_name: str) -> bool:
        layout = fit.layout
        if layout.contract:
            # How many columns of its own a table has beside says nothing. One required column is too little to go by.
            whole = not fit.unknown or fit.known == len(layout.columns)
            return len(layout.required) > 1 or whole or named_like(layout, grid, file_name)
        return find_groups(layout, title_text(grid, row, layout.header_rows), grid.sheet, file_name) is not None

    def _no_match(self, grid: Grid, file_name: str, file_id: int, newest: Mapping[str, int]) -> NoMatch:
        nearest: tuple[HeaderFit, int] | None = None

        def rank(fit: HeaderFit) -> tuple[bool, float, int]:
            half = 2 * len(fit.missing) <= len(fit.layout.required)
            return (half and fit.layout.contract and named_like(fit.layout, grid, file_name), *fit.nearness)

        for place in range(min(len(grid.rows), HEADER_SEARCH_ROWS)):
            row = tuple(grid.rows[place])
            fits = [(fit, place) for fit in self.fits(row)]
            if place:
                fits += [(fit, place) for fit in self.fits(row, tuple(grid.rows[place - 1]))]
            for fit, last in fits:
                if _of_version(fit.layout, newest) and (nearest is None or rank(fit) > rank(nearest[0])):
                    nearest = (fit, last)
        return explain(nearest, len(self._layouts), grid, file_name, file_id)


def compare(layout: Layout, names: Sequence[str], cells: Sequence[str]) -> HeaderFit:
    """Compare one layout with a header: its column names and its cells as printed."""
    wanted = dict.fromkeys(layout.columns)
    places, wide, unknown = [], [], []
    for place, (name, cell) in enumerate(zip(names, cells, strict=True)):
        if not name:
            continue
        if name in wanted:
            places.append((name, place))
        elif layout.wide and (match := layout.wide.fullmatch(cell)):
            wide.append((place, cell, match.groups()))
        else:
            unknown.append(cell)
    present = {name for name, _ in places}
    near = NearColumns()
    if layout.contract:
        others = [(place, cell) for place, cell in enumerate(cells) if names[place] and names[place] not in wanted]
        near = near_columns(layout.table, layout.columns, present, others)
        places = sorted([*places, *((name, place) for name, place, _ in near.read)], key=lambda item: item[1])
        present |= {name for name, _, _ in near.read}
        read = {place for _, place, _ in near.read}
        unknown = [cell for place, cell in others if place not in read]
    width = max((place + 1 for place, name in enumerate(names) if name), default=0)
    return HeaderFit(
        layout=layout,
        places=tuple(places),
        wide=tuple(wide),
        missing=tuple(name for name in layout.required if name not in present),
        unknown=tuple(unknown),
        clash=tuple(name for group in layout.at_most_one if len(present & set(group)) > 1 for name in group),
        named=sum(map(bool, names)),
        width=width,
        unnamed=tuple(place for place, name in enumerate(names[:width]) if not name),
        near=near.read,
        doubtful=near.doubtful,
    )


def _rank(fit: HeaderFit, grid: Grid, file_name: str) -> tuple[bool, bool, int, int]:
    return (named_like(fit.layout, grid, file_name), not fit.near, len(fit.layout.required), fit.known)


def _of_version(layout: Layout, versions: Mapping[str, int]) -> bool:
    return not layout.contract or versions.get(layout.table) == layout.version


def make_match(fit: HeaderFit, header_row: int, grid: Grid, file_name: str, file_id: int) -> Match:
    """Sort the rows below the header: to extract, ragged among them, decoration (blank rows are none of these)."""
    layout = fit.layout
    title = title_text(grid, header_row, layout.header_rows)
    rows = grid.rows
    filled = [place for place in range(header_row + 1, len(rows)) if any(rows[place])]
    filled = [place for place in filled if "".join(rows[place]).strip()]
    decoration: list[int] = []
    if layout.stop or layout.skip:
        filled, decoration = _without_decoration(layout, grid, filled)
    rest = without_headers(fit, header_row, grid, filled, lambda cells: compare(layout, column_names(cells), cells))
    filled = rest.data
    widest = _widest(fit, header_row, grid)
    ragged = [
        place
        for place in filled
        if len(rows[place]) > fit.width and (len(rows[place]) > widest or "".join(rows[place][fit.width :]).strip())
    ]
    strays = tuple(
        f"column {column_letter(place)} (without a header)"
        for place in fit.unnamed
        if any(len(rows[at]) > place and rows[at][place].strip() for at in filled)
    )
    unknown = fit.unknown + strays
    return Match(
        file_id=file_id,
        file_name=file_name,
        grid=grid,
        fit=fit,
        header_row=header_row + 1,
        title=title,
        groups=find_groups(layout, title, grid.sheet, file_name) or {},
        data=tuple(filled),
        ragged=tuple(ragged),
        decoration=tuple(sorted([*decoration, *rest.headers])),
        unknown_columns=unknown,
        problems=(
            *rest.problems,
            *ragged_problems(grid, ragged, fit.width, widest),
            *unknown_problems(layout, grid, unknown),
        ),
    )


def _widest(fit: HeaderFit, header_row: int, grid: Grid) -> int:
    """How many cells a row may have. In a text a cell more is a cell too many, blank or not: a separator that no quotes
    protect pushes the rest of its row to the right. A sheet's rows may end in blank cells that were formatted."""
    if grid.sheet:
        return max(map(len, grid.rows), default=0)
    header = range(header_row + 1 - fit.layout.header_rows, header_row + 1)
    return max(fit.width, *(len(grid.rows[at]) for at in header))


def _without_decoration(layout: Layout, grid: Grid, filled: list[int]) -> tuple[list[int], list[int]]:
    kept: list[int] = []
    decoration: list[int] = []
    for count, place in enumerate(filled):
        first = next(one_line(cell) for cell in grid.rows[place] if cell.strip())
        if layout.stop and layout.stop.search(first):
            return kept, decoration + filled[count:]
        (decoration if layout.skip and layout.skip.search(first) else kept).append(place)
    return kept, decoration
