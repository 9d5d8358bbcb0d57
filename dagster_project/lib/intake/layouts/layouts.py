"""Layouts: how the form of a submitted sheet is recognised.

Belongs here: reading layout declarations, matching a grid's title and header with them, and saying what came nearest.
Does not: what a layout's SQL makes of the rows (extraction.py), or what a cell means (cells.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from dagster_project.lib.intake.reading.grid import Grid, Problem, column_letter, excerpt, one_line, problem, snake_name

HEADER_SEARCH_ROWS = 60
CONTRACT_SHARE = 0.6
MOST_CACHED_HEADERS = 20_000
FRONT_MATTER = re.compile(r"^-- ---\n(.*?)^-- ---\n", re.DOTALL | re.MULTILINE)
NAMED_GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)")
PATTERN_KEYS = ("title", "file_name", "sheet", "stop", "skip")
NEEDED_KEYS = ("id", "version", "table", "describes", "required")
KEYS = frozenset((*NEEDED_KEYS, *PATTERN_KEYS, "header_rows", "optional", "at_most_one", "wide", "since", "until"))
META_COLUMNS = ("_file_id", "_sheet", "_row", "_column", "_cell", "_title")

Header = tuple[str, ...]


class LayoutError(ValueError):
    """A layout file that is wrong in itself; the text names it."""


@dataclass(frozen=True, eq=False)
class Layout:
    """One declared form of a sheet. Columns are named as in its SQL (`snake_name` of the header).

    A contract's own table is a layout without SQL (`contract` true): unknown columns beside its own are allowed there,
    in a foreign layout they are not, since they may say that the rows mean something else.
    """

    layout_id: str
    version: int
    table: str
    describes: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    header_rows: int = 1
    at_most_one: tuple[tuple[str, ...], ...] = ()
    title: re.Pattern[str] | None = None
    file_name: re.Pattern[str] | None = None
    sheet: re.Pattern[str] | None = None
    wide: re.Pattern[str] | None = None
    stop: re.Pattern[str] | None = None
    skip: re.Pattern[str] | None = None
    sql: str = ""
    contract: bool = False
    since: int = 0
    until: int | None = None

    def holds_under(self, version: int) -> bool:
        """Whether the layout gives the tables of that contract version."""
        return self.since <= version and (self.until is None or version <= self.until)

    @property
    def columns(self) -> tuple[str, ...]:
        """Required columns, then optional ones."""
        return self.required + self.optional

    @property
    def groups(self) -> tuple[str, ...]:
        """Named groups of title, file name and sheet: they are columns of the relation `file` as well."""
        patterns = (self.title, self.file_name, self.sheet)
        return tuple(name for pattern in patterns if pattern for name in pattern.groupindex)

    @property
    def wide_groups(self) -> tuple[str, ...]:
        """Named groups of the wide columns' pattern."""
        return tuple(self.wide.groupindex) if self.wide else ()

    def words(self, names: Sequence[str]) -> tuple[str, ...]:
        """Column names as the source prints them."""
        return tuple(self.shown.get(name, name) for name in names)


@dataclass(frozen=True, eq=False)
class HeaderFit:
    """How a header compares with a layout: where its columns stand, and what is missing or unknown."""

    layout: Layout
    places: tuple[tuple[str, int], ...]
    wide: tuple[tuple[int, str, tuple[str | None, ...]], ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    clash: tuple[str, ...]
    named: int
    width: int
    unnamed: tuple[int, ...]

    @property
    def known(self) -> int:
        """How many of the header's columns the layout knows."""
        return len(self.places) + len(self.wide)

    @property
    def whole(self) -> bool:
        """Whether the header is that of the layout."""
        if self.missing or self.clash or (self.layout.wide and not self.wide):
            return False
        return self.layout.contract or not self.unknown

    @property
    def nearness(self) -> tuple[float, int]:
        """Between 0 and 1: columns in common over columns in either; then how many are in common."""
        absent = len(self.missing) + (self.layout.wide is not None and not self.wide)
        return (self.known / (self.named + absent), self.known)


@dataclass(frozen=True, eq=False)
class Match:
    """A sheet whose layout is known. Rows are indexes into `grid.rows`; source rows count from 1.

    `data` are the rows to extract, without blank and decoration rows. `ragged` are those of them with cells beyond the
    header: they are extracted as far as the header goes, and the caller keeps them out. `problems` holds what the
    member must hear (unknown columns, ragged rows).
    """

    file_id: int
    file_name: str
    grid: Grid
    fit: HeaderFit
    header_row: int
    title: str
    groups: Mapping[str, str | None]
    data: tuple[int, ...]
    ragged: tuple[int, ...]
    decoration: tuple[int, ...]
    unknown_columns: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def layout(self) -> Layout:
        """The layout that fits."""
        return self.fit.layout

    @property
    def layout_id(self) -> str:
        """The layout's id; for a contract's own table `{table}_v{version}`."""
        return self.fit.layout.layout_id

    @property
    def table(self) -> str:
        """The contract table the rows go to."""
        return self.fit.layout.table

    @property
    def rows_read(self) -> int:
        """How many rows of data the sheet has."""
        return len(self.data)


@dataclass(frozen=True, eq=False)
class NoMatch:
    """A sheet that no layout fits, with what came nearest. `problem` is the finding to report."""

    file_id: int
    file_name: str
    sheet: str
    reason: Literal["no_header", "missing_column", "headers", "title", "ambiguous"]
    problem: Problem
    nearest: str | None = None
    table: str | None = None
    header_row: int | None = None
    looked_for: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def load_layouts(folder: Path, version: int | None = None) -> Layouts:
    """All layouts of a folder, `{layout_id}.sql` each; of one contract version those that hold under it.

    LayoutError for a file that is not a right declaration.
    """
    layouts = [read_layout(path) for path in sorted(folder.glob("*.sql"))]
    return Layouts([layout for layout in layouts if version is None or layout.holds_under(version)])


def read_layout(path: Path) -> Layout:
    """One layout file: a comment block with YAML between two lines `-- ---`, then one SELECT over `file`."""
    sql = path.read_text(encoding="utf-8")
    found = FRONT_MATTER.search(sql)
    if not found:
        raise LayoutError(f"{path.name}: no front matter between two lines '-- ---'")
    lines = (line.removeprefix("--").removeprefix(" ") for line in found[1].splitlines())
    facts = yaml.safe_load("\n".join(lines))
    if facts.get("id") != path.stem or not facts.keys() >= set(NEEDED_KEYS):
        raise LayoutError(f"{path.name}: needs {', '.join(NEEDED_KEYS)}, the id being the file's name")
    if unknown := sorted(facts.keys() - KEYS):
        raise LayoutError(f"{path.name}: unknown keys {unknown}")
    try:
        return _declared(facts, sql)
    except re.error as failure:
        raise LayoutError(f"{path.name}: {failure}") from failure


def _declared(facts: Mapping[str, Any], sql: str) -> Layout:
    headers = [*facts["required"], *facts.get("optional", ())]
    names = column_names(headers)
    required = len(facts["required"])
    shown = {name: header for name, header in zip(names, headers, strict=True) if name}
    wide = facts.get("wide")
    patterns = {key: re.compile(facts[key]) if facts.get(key) else None for key in PATTERN_KEYS}
    layout = Layout(
        layout_id=facts["id"],
        version=int(facts["version"]),
        table=facts["table"],
        describes=facts["describes"],
        required=tuple(name for name in names[:required] if name),
        optional=tuple(name for name in names[required:] if name),
        shown=shown,
        header_rows=int(facts.get("header_rows", 1)),
        at_most_one=tuple(tuple(map(snake_name, group)) for group in facts.get("at_most_one", ())),
        wide=re.compile(wide["columns"]) if wide else None,
        sql=sql,
        since=int(facts.get("since", 0)),
        until=int(facts["until"]) if "until" in facts else None,
        title=patterns["title"],
        file_name=patterns["file_name"],
        sheet=patterns["sheet"],
        stop=patterns["stop"],
        skip=patterns["skip"],
    )
    taken = [*layout.columns, *layout.groups, *layout.wide_groups, *META_COLUMNS]
    if len(set(taken)) < len(taken) or len(layout.columns) < len(headers):
        raise LayoutError(f"{layout.layout_id}: columns and named groups must have names of their own")
    return layout


def column_names(headers: Sequence[str]) -> list[str]:
    """Names of header cells, '' for a blank one; a name that stands before gets _2, _3 and so on."""
    seen: dict[str, int] = {}
    names = []
    for header in headers:
        name = snake_name(header)
        if name:
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name = f"{name}_{seen[name]}"
        names.append(name)
    return names


def joined_header(upper: Sequence[str], lower: Sequence[str]) -> Header:
    """A two-row header in one: the upper row is filled to the right (merged cells), then `upper / lower`.

    A cell merged over both rows stands in the upper one alone and covers its own column only.
    """
    width = max(len(upper), len(lower))
    above = [one_line(cell) for cell in upper] + [""] * (width - len(upper))
    below = [one_line(cell) for cell in lower] + [""] * (width - len(lower))
    joined, span = [], ""
    for top, bottom in zip(above, below, strict=True):
        if top:
            span = top if bottom else ""
        joined.append(f"{span} / {bottom}" if span and bottom else bottom or top)
    return tuple(joined)


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
            return _named_like(layout, grid, file_name) or fit.known >= CONTRACT_SHARE * fit.named
        return find_groups(layout, title_text(grid, row, layout.header_rows), grid.sheet, file_name) is not None

    def _no_match(self, grid: Grid, file_name: str, file_id: int, newest: Mapping[str, int]) -> NoMatch:
        nearest: tuple[HeaderFit, int] | None = None
        for place in range(min(len(grid.rows), HEADER_SEARCH_ROWS)):
            row = tuple(grid.rows[place])
            fits = [(fit, place) for fit in self.fits(row)]
            if place:
                fits += [(fit, place) for fit in self.fits(row, tuple(grid.rows[place - 1]))]
            for fit, last in fits:
                if _of_version(fit.layout, newest) and (nearest is None or fit.nearness > nearest[0].nearness):
                    nearest = (fit, last)
        return _explain(nearest, len(self._layouts), grid, file_name, file_id)


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
    )


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


def _named_like(layout: Layout, grid: Grid, file_name: str) -> bool:
    stem = file_name.rpartition("/")[2].partition(".")[0]
    return layout.contract and layout.table in (snake_name(grid.sheet), snake_name(stem) if not grid.sheet else "")


def _rank(fit: HeaderFit, grid: Grid, file_name: str) -> tuple[bool, int, int]:
    return (_named_like(fit.layout, grid, file_name), len(fit.layout.required), fit.known)


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
    ragged = [place for place in filled if len(rows[place]) > fit.width and "".join(rows[place][fit.width :]).strip()]
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
        decoration=tuple(decoration),
        unknown_columns=unknown,
        problems=(*_ragged_problems(grid, ragged, fit.width), *_unknown_problems(layout, grid, unknown)),
    )


def _without_decoration(layout: Layout, grid: Grid, filled: list[int]) -> tuple[list[int], list[int]]:
    kept: list[int] = []
    decoration: list[int] = []
    for count, place in enumerate(filled):
        first = next(one_line(cell) for cell in grid.rows[place] if cell.strip())
        if layout.stop and layout.stop.search(first):
            return kept, decoration + filled[count:]
        (decoration if layout.skip and layout.skip.search(first) else kept).append(place)
    return kept, decoration


def _ragged_problems(grid: Grid, ragged: Sequence[int], width: int) -> Iterator[Problem]:
    """One problem for each number of cells beyond the header: rows that broke alike are one root cause."""
    alike: dict[int, list[int]] = {}
    for place in ragged:
        cells = grid.rows[place]
        beyond = max(at + 1 for at, cell in enumerate(cells) if cell.strip()) - width
        alike.setdefault(beyond, []).append(place + 1)
    for beyond, rows in sorted(alike.items(), key=lambda item: item[1]):
        found = f"{width + beyond} cells below a header of {width}"
        yield problem("ragged_row", sheet=grid.sheet, rows=rows, found=found)


def _unknown_problems(layout: Layout, grid: Grid, unknown: Sequence[str]) -> Iterator[Problem]:
    if unknown:
        found = ", ".join(map(excerpt, unknown))
        yield problem("unknown_columns", sheet=grid.sheet, found=found, allowed=", ".join(layout.words(layout.columns)))


def _explain(nearest: tuple[HeaderFit, int] | None, layouts: int, grid: Grid, file_name: str, file_id: int) -> NoMatch:
    sheet = grid.sheet
    if nearest is None:
        rows = min(len(grid.rows), HEADER_SEARCH_ROWS)
        found = f"None of the first {rows} rows holds a column of the {layouts} known layouts."
        return NoMatch(file_id, file_name, sheet, "no_header", problem("unknown_layout", sheet=sheet, found=found))
    fit, row = nearest
    layout = fit.layout
    looked_for = layout.words(layout.columns)
    missing = layout.words(fit.missing)
    reason: Literal["missing_column", "headers", "title"]
    close = fit.known >= CONTRACT_SHARE * fit.named or _named_like(layout, grid, file_name)
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
        found = f"Nearest is {layout.layout_id} ({layout.describes}): {_difference(fit, row, grid, file_name)}."
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
