"""Layouts as declared: the form of a sheet, and what comparing a sheet with one gives.

Belongs here: reading layout declarations, names of columns, the results of matching as data.
Does not: comparing a grid with a layout (matching.py), words about what came nearest (explanation.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from dagster_project.lib.base.seeds.declarations import read_yaml
from dagster_project.lib.intake.reading.grid import Grid, Problem, one_line, snake_name

FRONT_MATTER = re.compile(r"^-- ---\n(.*?)^-- ---\n", re.DOTALL | re.MULTILINE)


PATTERN_KEYS = ("title", "file_name", "sheet", "stop", "skip")


NEEDED_KEYS = ("id", "version", "table", "describes", "required")


KEYS = frozenset(
    (*NEEDED_KEYS, *PATTERN_KEYS, "header_rows", "optional", "at_most_one", "wide", "since", "until", "decides")
)


# A line of a SELECT that gives one column of the table: `<expression> as <name>`.
SELECTED = re.compile(r'^\s*(?P<source>\S.*?) as "?(?P<column>[a-z_]+)"?,?\s*$', re.MULTILINE)


PLACE_COLUMNS = ("_file_id", "_sheet", "_row")
FOLDER_COLUMNS = ("_community_id", "_reporting_year")
META_COLUMNS = (*PLACE_COLUMNS, "_column", "_cell", "_title", *FOLDER_COLUMNS)


Header = tuple[str, ...]


class LayoutError(ValueError):
    """A layout file that is wrong in itself; the text names it."""


@dataclass(frozen=True, eq=False)
class Layout:
    """One declared form of a sheet. Columns are named as in its SQL (`snake_name` of the header).

    A contract's own table is a layout without SQL (`contract` true): unknown columns beside its own are allowed there,
    in a foreign layout they are not, since they may say that the rows mean something else. `decides` are the columns by
    whose values the SELECT takes or leaves rows, with every value it is made for.
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
    decides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str, str]:
        """Columns of the contract's table that the SELECT takes from one column of the file, by that column's name."""
        found = {}
        for item in SELECTED.finditer(self.sql):
            words = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", item["source"])))
            used = [name for name in self.columns if name in words]
            if len(used) == 1:
                found[item["column"]] = used[0]
        return found

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
    """How a header compares with a layout: where its columns stand, and what is missing or unknown.

    `near` are headers read as a column of a contract whose name they do not bear (column, place, header); they stand in
    `places` as well. `doubtful` might mean one and are not read.
    """

    layout: Layout
    places: tuple[tuple[str, int], ...]
    wide: tuple[tuple[int, str, tuple[str | None, ...]], ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    clash: tuple[str, ...]
    named: int
    width: int
    unnamed: tuple[int, ...]
    near: tuple[tuple[str, int, str], ...] = ()
    doubtful: tuple[tuple[str, int, str], ...] = ()

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


def read_layout(path: Path) -> Layout:
    """One layout file: a comment block with YAML between two lines `-- ---`, then one SELECT over `file`."""
    try:
        sql = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as failure:
        raise LayoutError(f"{path.name}: the text is not UTF-8 (byte {failure.start})") from failure
    found = FRONT_MATTER.search(sql)
    if not found:
        raise LayoutError(f"{path.name}: no front matter between two lines '-- ---'")
    facts = _facts(path.name, found[1], sql[: found.start(1)].count("\n") + 1)
    if facts.get("id") != path.stem or not facts.keys() >= set(NEEDED_KEYS):
        raise LayoutError(f"{path.name}: needs {', '.join(NEEDED_KEYS)}, the id being the file's name")
    if unknown := sorted(str(key) for key in facts.keys() - KEYS):
        raise LayoutError(f"{path.name}: unknown keys {', '.join(unknown)}; known are {', '.join(sorted(KEYS))}")
    try:
        return _declared(facts, sql)
    except (re.error, TypeError, ValueError, KeyError, AttributeError) as failure:
        said = f"no {failure}" if isinstance(failure, KeyError) else " ".join(str(failure).split())
        raise failure if isinstance(failure, LayoutError) else LayoutError(f"{path.name}: {said}") from failure


def _facts(name: str, front_matter: str, first_line: int) -> dict[str, Any]:
    """The YAML of a layout; LayoutError that names the line for one that cannot be read."""
    lines = (line.removeprefix("--").removeprefix(" ") for line in front_matter.splitlines())
    try:
        facts = read_yaml("\n".join(lines))
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        where = f", line {first_line + mark.line}" if mark else ""
        said = getattr(failure, "problem", None) or " ".join(str(failure).split())
        raise LayoutError(f"{name}{where}: the front matter is no right YAML ({said})") from failure
    if not isinstance(facts, dict):
        raise LayoutError(f"{name}: the front matter holds no `key: value` lines")
    for key in ("required", "optional", "at_most_one"):
        if not isinstance(facts.get(key, []), list):
            raise LayoutError(f"{name}: {key} is a list, for example [School Year, Group]")
    return facts


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
        decides={snake_name(name): tuple(map(str, known)) for name, known in facts.get("decides", {}).items()},
        title=patterns["title"],
        file_name=patterns["file_name"],
        sheet=patterns["sheet"],
        stop=patterns["stop"],
        skip=patterns["skip"],
    )
    if unknown := sorted(layout.decides.keys() - set(layout.columns)):
        raise LayoutError(f"{layout.layout_id}: decides by {unknown}, which are no columns of it")
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
