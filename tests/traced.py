"""Figures, sentences and marks of a page, held against the mart cells that they name.

Belongs here: reading data-row, data-col, data-says, data-count and data-manifest of a page, and the rows they name.
Does not: what a sentence means (sentences.py), or make pages and databases.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import duckdb

from tests import sentences

Row = Mapping[str, object]
VOID = frozenset({"meta", "link", "br", "img", "hr", "input", "wbr"})
KEYS = {
    "fct_trend": "community_id indicator_id population_group_id",
    "fct_gap": "community_id indicator_id population_group_id",
    "fct_trend_point": "community_id indicator_id population_group_id series school_year",
    "fct_submission_status": "community_id reporting_year",
    "fct_target_progress": "community_id indicator_id population_group_id deadline horizon",
    "fct_network_trend": "indicator_id population_group_id reporting_year",
    "fct_network_outcome": "outcome_id reporting_year",
    "fct_gateway_status": "community_id",
    "fct_coverage": "community_id indicator_id dimension school_year",
    "fct_reference_value": "area_level area indicator_id series population_group_id school_year",
    "fct_gap_year": "community_id indicator_id population_group_id series school_year",
    "fct_indicator_value": "community_id indicator_id population_group_id series school_year",
    "rpt_reach": "reach_year",
    "fct_false_positive": "basis measure",
    "fct_designation_requirement": "community_id designation requirement_id",
    "fct_outcome_status": "community_id outcome_id",
}
"""What a page may quote, with the columns of a key; the report's year goes without saying where it is none of them."""
EVERY_YEAR = frozenset({table for table, keys in KEYS.items() if "reporting_year" in keys}) | {"fct_indicator_value"}


@dataclass
class Element:
    """An open element: its attributes, and the text of it and of everything in it."""

    tag: str
    attrs: dict[str, str | None]
    text: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return " ".join("".join(self.text).split())


class Traced(HTMLParser):
    """The elements of a page that claim something of a mart, each with the row that is named at or around it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[Element] = []
        self.figures: list[tuple[str, str, str]] = []
        self.sayings: list[tuple[str, str, str]] = []
        self.pills: list[tuple[str, set[str], str]] = []
        self.counts: list[tuple[str, str]] = []
        self.shares: list[tuple[str, str]] = []
        self.stated: list[tuple[str, str]] = []
        self.loose: list[str] = []
        self._sure: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        done = self.open.pop()
        for around in self.open:
            if around.attrs.keys() & {"data-col", "data-says", "data-count", "data-share"} or "pill" in _css(around):
                around.text += done.text if "sure" not in _css(done) or "pill" not in _css(around) else []
        row = self._row(done)
        if column := done.attrs.get("data-col"):
            assert row, f"{column} names no row"
            self.figures.append((row, column, "".join(done.text[:1]).strip()))
        if says := done.attrs.get("data-says"):
            assert row, f"{says} names no row"
            self.sayings.append((row, says, done.said))
        if share := done.attrs.get("data-share"):
            self.shares.append((share, done.said))
        if stated := done.attrs.get("data-manifest"):
            self.stated.append((stated, done.said))
        if count := done.attrs.get("data-count"):
            self.counts.append((count, done.said))
        if "pill" in _css(done) and row:
            sure = next((part for part in reversed(self._sure) if part), "") if self._sure else ""
            self.pills.append((row, _css(done), sure))
        if "sure" in _css(done):
            self._sure = [done.said]
        elif "pill" in _css(done):
            self._sure = []

    def _row(self, element: Element) -> str | None:
        return next((e.attrs["data-row"] for e in (element, *reversed(self.open)) if e.attrs.get("data-row")), None)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1].text.append(data)
            if not any(e.attrs.keys() & _TRACES or e.tag in _UNREAD for e in self.open):
                self.loose += _FIGURE.findall(data)


_TRACES = {"data-col", "data-says", "data-count", "data-share", "data-manifest"}
_UNREAD = {"style", "script", "svg", "title", "footer", "blockquote"}
_FIGURE = re.compile(r"(?<![\d.\w-])[+\N{MINUS SIGN}]?\d[\d,]*\.\d+%?(?![\d.])")


def _css(element: Element) -> set[str]:
    return set((element.attrs.get("class") or "").split())


def stated_faults(html: str, manifest: Mapping[str, object], day: Callable[[str], str] = str) -> list[str]:
    """What a page quotes of the manifest and the manifest does not say; `day`: how the page's language writes a day."""
    found = []
    for name, text in Traced(html).stated:
        value: object = manifest
        for part in name.split("."):
            assert isinstance(value, Mapping), name
            value = value[part]
        shown = f"{value:,}" if isinstance(value, int) else day(str(value)) if name.endswith("today") else str(value)
        found += [] if shown == text else [f"{name}: {text!r}, the manifest says {value!r}"]
    return found


Rows = Mapping[tuple[str, str], Row]


def stored(connection: duckdb.DuckDBPyConnection, year: int) -> dict[tuple[str, str], Row]:
    """The rows that pages may quote, by table and key; of a table with a year of its own in the key, every year's."""
    rows: dict[tuple[str, str], Row] = {}
    sql = "select table_name, column_name from information_schema.columns where table_schema = 'marts'"
    columns = connection.execute(sql).fetchall()
    for table, keys in KEYS.items():
        own = [name for found, name in columns if found == table]
        if not own:
            continue
        where = ["true"]
        if "geography_id" in own:
            where.append("geography_id = community_id")
        if "reporting_year" in own and table not in EVERY_YEAR:
            where.append(f"reporting_year = {year}")
        if "period" in own:
            where.append("period = 'annual'")
        key = " || '/' || ".join(f'cast("{name}" as varchar)' for name in keys.split())
        cursor = connection.execute(f"select {key}, * from marts.{table} where {' and '.join(where)}")
        names = [d[0] for d in cursor.description or ()][1:]
        for found, *values in cursor.fetchall():
            rows[table, str(found)] = dict(zip(names, values, strict=True))
    return rows


def indicators(connection: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    """dim_indicator by id."""
    cursor = connection.execute("select * from marts.dim_indicator")
    names = [d[0] for d in cursor.description or ()]
    return {str(row[names.index("indicator_id")]): dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def shown_as(text: str, value: object) -> bool:
    """Whether a text is how a page prints a stored value: rounded, with its unit or sign, a share as a percentage."""
    if value is None:
        return text == "\N{EN DASH}"
    if isinstance(value, date):
        return text == value.isoformat()
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text == str(value)
    plain = text.replace("\N{MINUS SIGN}", "-").replace(",", "").lstrip("+").split("%")[0].split()[0]
    forms = {f"{value:.1f}", f"{100 * value:.1f}", f"{value:g}"} if isinstance(value, float) else {str(value)}
    return plain in {form.replace("-0.0", "0.0") if form == "-0.0" else form for form in forms}


def share(connection: duckdb.DuckDBPyConnection, year: int, spec: str) -> str:
    """A share as a page prints it: of those with a verdict, or of all where the count ends with `|all`."""
    hits = spec.removesuffix("|all")
    table, condition = hits.split("|")
    whole = counted(connection, year, table)
    if not spec.endswith("|all"):
        column = condition.split("=")[0]
        whole -= sum(counted(connection, year, f"{table}|{column}={code}") for code in ("undetermined", "withheld"))
    part = counted(connection, year, hits)
    return f"{100 * part / whole:.1f}%" if whole else "\N{EN DASH}"


_CONDITION = re.compile(r"^(\w+?)(>=|<|=)(.*)$")
_CERTAIN = """
    select count(*) from marts.fct_outcome_status o
    join marts.dim_indicator i on i.indicator_id = o.deciding_indicator_id
    join marts.fct_trend t on (t.community_id, t.indicator_id, t.reporting_year, t.trend_status)
        = (o.community_id, o.deciding_indicator_id, o.reporting_year, o.trend_status)
        and t.population_group_id = 'all' and t.geography_id = t.community_id
    where o.trend_status = 'improving' and t.robustness = 'robust' and o.reporting_year = ? and o.outcome_id = ?
      and if(i.direction = 1, t.slope_ci_low > 0, t.slope_ci_high < 0)"""


def counted(connection: duckdb.DuckDBPyConnection, year: int, spec: str) -> int:
    """How many rows a count on a page is over: `fct_trend|indicator_id=x|slope>=1`, of members in the report's year."""
    table, *stated = spec.split("|")
    if table == "certain":
        return int((connection.execute(_CERTAIN, [year, stated[0].split("=")[1]]).fetchone() or (0,))[0])
    columns = "select column_name from information_schema.columns where table_schema = 'marts' and table_name = ?"
    own = {name for (name,) in connection.execute(columns, [table]).fetchall()}
    where, values = ["true"], list[object]()
    if "geography_id" in own:
        where.append("geography_id = community_id")
    if "reporting_year" in own and not any(each.startswith("reporting_year=") for each in stated):
        where.append(f"reporting_year = {year}")
        if "community_id" in own:
            joined = f"select community_id from marts.dim_community where coalesce(joined_year, 0) <= {year}"
            where.append(f"community_id in ({joined})")
    for each in stated:
        found = _CONDITION.match(each)
        assert found and found[1] in own, spec
        number = found[2] != "="
        where.append(
            f"{found[1]} {found[2]} ?" if number else f"lower(coalesce({found[1]}::varchar, 'undetermined')) = ?"
        )
        values.append(float(found[3]) if number else found[3].lower())
    row = connection.execute(f"select count(*) from marts.{table} where {' and '.join(where)}", values).fetchone()
    return int((row or (0,))[0])


def faults(html: str, rows: Rows, known: Mapping[str, Row]) -> tuple[list[str], Counter[str]]:
    """Everything on a page that disagrees with the cell it names, and how often each table and kind was looked at."""
    page, found, seen = Traced(html), list[str](), Counter[str]()
    for named, column, text in page.figures:
        table, _, key = named.partition(":")
        column, _, year = column.partition("@")
        row = rows.get((table, f"{key}/{year}" if year else key))
        seen[table] += 1
        if row is None or column not in row or not shown_as(text, row[column]):
            found.append(f"{named} {column} {text!r}: {row and row.get(column)!r}")
    for named, says, text in page.sayings:
        table, _, key = named.partition(":")
        row = rows.get((table, key))
        seen[f"says {says}"] += 1
        wrong = ["no such row"] if row is None else READERS[says](text, row, known)
        found += [f"{named} {says} {text!r}: {each}" for each in wrong]
    for named, css, sure in page.pills:
        table, _, key = named.partition(":")
        row = rows.get((table, key))
        seen[f"mark of {table}"] += 1
        wrong = ["no such row"] if row is None else list(_mark_faults(table, css, sure, row, known))
        found += [f"{named} {sorted(css)}: {each}" for each in wrong]
    return found, seen


def _trend(text: str, row: Row, known: Mapping[str, Row]) -> list[str]:
    return sentences.trend_faults(text, row, known[str(row["indicator_id"])])


def _gap(text: str, row: Row, known: Mapping[str, Row]) -> list[str]:
    return sentences.gap_faults(text, row)


def _fitted(text: str, row: Row, known: Mapping[str, Row]) -> list[str]:
    return sentences.fitted_faults(text, row)


def _rate(text: str, row: Row, known: Mapping[str, Row]) -> list[str]:
    said = re.search(r"would give ([\d.]+%)", text)
    return [] if said and shown_as(said[1], row["rate"]) else [f"the rate is {row['rate']}"]


READERS: Mapping[str, Callable[[str, Row, Mapping[str, Row]], list[str]]] = {
    "trend": _trend,
    "gap": _gap,
    "fitted": _fitted,
    "ends": lambda text, row, known: sentences.fitted_faults(f"{text} fitted", row),
    "rate": _rate,
}
_STATUS = {"fct_trend": "trend_status", "fct_gap": "gap_status", "fct_target_progress": "status"}
_STATUS |= {"fct_submission_status": "status", "fct_designation_requirement": "status"}


def _mark_faults(table: str, css: set[str], sure: str, row: Row, known: Mapping[str, Row]) -> Iterator[str]:
    if table == "fct_outcome_status":
        if not css & {f"s-{row['trend_status']}", f"s-{row['gap_reduced']}"}:
            yield "neither the trend nor the gaps"
        return
    if f"s-{row[_STATUS[table]]}" not in css:
        yield f"the status is {row[_STATUS[table]]}"
    if table == "fct_trend":
        certain = sentences.certainty_of(row, known[str(row["indicator_id"])]["direction"])
        if (sure or None) != certain:
            yield f"called {sure!r}, the figures say {certain}"
