"""The national report: pages that are plain, printable and accessible, made from the marts of one release.

Belongs here: reading schema `marts`, arranging its rows into pages, rendering them; every figure was stored there.
Does not: compute an estimate or a status, rank communities, protect small groups (it writes the internal edition only).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.charts import (
    ChartPoint,
    FittedLine,
    PointState,
    SpreadRow,
    TrendChart,
    share_bar,
    spread_chart,
    trend_chart,
)

Row = dict[str, Any]

EDITION_NOTICES: Mapping[str, str] = {"internal": "Internal: contains small groups, not for distribution"}
TOTAL = "all"
_SUPPRESSED = "suppressed_at_source"
_DECIDES = "race_ethnicity"
_TEMPLATES = Path(__file__).parent / "templates"
_STATUS_ORDER = ("improving", "maintained", "declining", "mixed", "undetermined")
_GAP_ORDER = ("met", "not_met", "undetermined")
_SEVERITIES = ("fatal", "error", "explainable", "info")

# What the pages read: the columns of DESIGN 3.7. Further columns are welcome and some are used where they are present.
_REQUIRED = """
dim_community: community_id name state joined_year
dim_outcome: outcome_id name
dim_indicator: indicator_id outcome_id name role unit direction poolable
dim_population_group: population_group_id dimension group label
dim_criterion: criterion_id parent_id gateway pillar benchmark_no determined_by statement
fct_submission_status: community_id reporting_year status submission_id rows_read rows_accepted rows_rejected
    findings_blocking findings_open
fct_finding: finding_id community_id reporting_year rule_id severity source_file message status
fct_trend: community_id indicator_id population_group_id geography_id reporting_year first_year last_year n_years slope
    intercept slope_stderr slope_ci_low slope_ci_high r_squared adjusted_slope trend_status reason slope_weighted
    slope_theil_sen slope_binomial_low slope_binomial_high prob_slope_positive robustness
fct_trend_point: community_id indicator_id population_group_id geography_id reporting_year school_year series value
    numerator denominator used left_out_reason submission_id source_file source_sheet source_row
fct_indicator_value: community_id indicator_id population_group_id geography_id school_year series period value_low
    value_high value_status reporting_year
fct_gap: community_id indicator_id population_group_id geography_id reporting_year reference_group_id first_year
    last_year n_years first_gap last_gap group_slope reference_slope slope_difference gap_status reference_declined
    reason
fct_outcome_status: community_id outcome_id reporting_year trend_status gap_reduced deciding_indicator_id reason
fct_criterion_status: community_id criterion_id reporting_year status evidence
fct_gateway_status: community_id reporting_year operating_in gateways_met
fct_designation: community_id reporting_year designation status standing decided_on next_review_due
fct_designation_requirement: community_id designation reporting_year requirement_id required actual status
fct_network_trend: indicator_id population_group_id reporting_year n_communities n_improving n_maintained n_declining
    n_undetermined slope_median slope_q1 slope_q3 pooled_slope fixed_effects_slope
"""

REQUIRED_COLUMNS: Mapping[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in (entry.split(":") for entry in _REQUIRED.strip().replace("\n    ", " ").splitlines())
}


class ReportError(Exception):
    """The report cannot be written from this database; the message says what is missing."""


@dataclass(frozen=True)
class RuleParameter:
    """One parameter of the ruleset as text, the way its seed states it."""

    name: str
    value: str
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class ReportContext:
    """What the pages say about themselves. `reporting_year` defaults to the newest one with an accepted submission.

    `false_positive_rate` (0 to 1) is the share of simulated series without any real change that are called improving;
    null when it was not measured.
    """

    release_id: str
    today: date
    ruleset_id: str
    ruleset_version: str
    contract_version: str
    code_version: str
    network_name: str
    parameters: Sequence[RuleParameter]
    false_positive_rate: float | None = None
    reporting_year: int | None = None

    def limits(self) -> dict[str, str]:
        """Parameter values by name, for the texts that quote them."""
        return {p.name: p.value for p in self.parameters}


class Point(NamedTuple):
    """One row of fct_trend_point with the interval and masks of fct_indicator_value beside it."""

    indicator_id: str
    population_group_id: str
    school_year: int
    series: str
    value: float | None
    numerator: int | None
    denominator: int | None
    used: bool
    left_out_reason: str | None
    submission_id: str | None
    source_file: str | None
    source_sheet: str | None
    source_row: int | None
    value_low: float | None
    value_high: float | None
    value_status: str | None
    submitted_in: int | None


@dataclass
class Marts:
    """The rows the pages need, of one reporting year where a table has one, grouped by community where it has one."""

    year: int
    communities: list[Row]
    outcomes: list[Row]
    indicators: dict[str, Row]
    groups: dict[str, Row]
    criteria: dict[str, Row]
    submissions: list[Row]
    findings: list[Row]
    network_trends: list[Row]
    trends: dict[str, list[Row]] = field(default_factory=dict)
    gaps: dict[str, list[Row]] = field(default_factory=dict)
    outcome_status: dict[str, list[Row]] = field(default_factory=dict)
    criterion_status: dict[str, list[Row]] = field(default_factory=dict)
    gateway_status: dict[str, list[Row]] = field(default_factory=dict)
    designations: dict[str, list[Row]] = field(default_factory=dict)
    requirements: dict[str, list[Row]] = field(default_factory=dict)
    points: dict[str, list[Point]] = field(default_factory=dict)
    simulated: list[Row] = field(default_factory=list)


# --- reading -------------------------------------------------------------------------------------------------------


def _check_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise ReportError naming every table and column of REQUIRED_COLUMNS that schema marts lacks."""
    found = defaultdict(set)
    sql = "select table_name, column_name from information_schema.columns where table_schema = 'marts'"
    for table, column in connection.execute(sql).fetchall():
        found[table].add(column)
    missing = [
        f"{table}.{column}" if table in found else table
        for table, columns in REQUIRED_COLUMNS.items()
        for column in columns
        if column not in found[table]
    ]
    if missing:
        raise ReportError(f"schema marts lacks {', '.join(dict.fromkeys(missing))}; build the marts first")


def _rows(connection: duckdb.DuckDBPyConnection, table: str, where: str = "true", *values: object) -> list[Row]:
    cursor = connection.execute(f"select * from marts.{table} where {where}", list(values))
    names = [str(d[0]) for d in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _sorted(rows: Iterable[Row], *keys: str) -> list[Row]:
    """Rows by the given keys, nulls first, so that pages never depend on the order in a file."""
    return sorted(rows, key=lambda r: tuple((r[k] is not None, r[k]) for k in keys))


def _by_community(rows: Iterable[Row]) -> dict[str, list[Row]]:
    result: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        result[row["community_id"]].append(row)
    return dict(result)


def _report_year(connection: duckdb.DuckDBPyConnection) -> int:
    """The newest assessed reporting year in which a submission was accepted, else the newest assessed one.

    A year that has only begun holds nothing but stale figures: a report on it would say so 70 times.
    """
    sql = """
        with assessed as (
            select reporting_year from marts.fct_outcome_status union select reporting_year from marts.fct_trend
        ), known as (
            select reporting_year from assessed
            union select reporting_year from marts.fct_submission_status where not exists (select 1 from assessed)
        )
        select coalesce(
            (select max(reporting_year) from known where reporting_year in (
                select reporting_year from marts.fct_submission_status
                where status in ('accepted', 'accepted_with_queries'))),
            (select max(reporting_year) from known))"""
    row = connection.execute(sql).fetchone()
    if row is None or row[0] is None:
        raise ReportError("the marts hold no reporting year; run the analysis first")
    return int(row[0])


def _read_points(connection: duckdb.DuckDBPyConnection, year: int) -> dict[str, list[Point]]:
    """The points of each community's own geography, by community, in the order of the tables that show them."""
    sql = """
        select p.community_id, p.indicator_id, p.population_group_id, p.school_year, p.series, p.value, p.numerator,
               p.denominator, p.used, p.left_out_reason, p.submission_id, p.source_file, p.source_sheet, p.source_row,
               v.value_low, v.value_high, v.value_status, v.reporting_year
        from marts.fct_trend_point p
        left join marts.fct_indicator_value v
          on v.community_id = p.community_id and v.indicator_id = p.indicator_id
         and v.population_group_id = p.population_group_id and v.geography_id = p.geography_id
         and v.school_year = p.school_year and v.series = p.series and v.period = 'annual'
        where p.reporting_year = ? and p.geography_id = p.community_id
        order by all"""
    result: dict[str, list[Point]] = defaultdict(list)
    for community, *rest in connection.execute(sql, [year]).fetchall():
        result[community].append(Point(*rest))
    return dict(result)


def _simulated(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """The rates of the simulation of an unchanged network, where the release has them, in their stored order."""
    sql = "select count(*) from information_schema.tables where table_schema = 'marts' and table_name = ?"
    if connection.execute(sql, ["fct_false_positive"]).fetchone() != (1,):
        return []
    order = list(words.SIMULATED)
    rows = _rows(connection, "fct_false_positive")
    return sorted(rows, key=lambda r: (_rank(order, r["basis"]), r["basis"], _rank(order, r["measure"]), r["measure"]))


def _outcome_order(outcomes: Iterable[Row]) -> list[Row]:
    """Outcomes from the cradle to the career where the dimension carries positions, else by name."""
    last = 10**6
    return sorted(outcomes, key=lambda r: (last if r.get("position") is None else r["position"], r["name"]))


def read_marts(connection: duckdb.DuckDBPyConnection, reporting_year: int | None = None) -> Marts:
    """Read what the pages need from schema `marts`. Raises ReportError when a table or column is missing."""
    _check_columns(connection)
    year = reporting_year if reporting_year is not None else _report_year(connection)

    def of_year(table: str, *keys: str, where: str = "true") -> list[Row]:
        return _sorted(_rows(connection, table, f"reporting_year = ? and {where}", year), *keys)

    own = "geography_id = community_id"
    return Marts(
        year=year,
        communities=sorted(
            _rows(connection, "dim_community"), key=lambda r: (r["name"].casefold(), r["state"], r["community_id"])
        ),
        outcomes=_outcome_order(_rows(connection, "dim_outcome")),
        indicators={r["indicator_id"]: r for r in _sorted(_rows(connection, "dim_indicator"), "indicator_id")},
        groups={r["population_group_id"]: r for r in _rows(connection, "dim_population_group")},
        criteria={r["criterion_id"]: r for r in _rows(connection, "dim_criterion")},
        submissions=_sorted(_rows(connection, "fct_submission_status"), "community_id", "reporting_year"),
        findings=_sorted(_rows(connection, "fct_finding"), "rule_id", "community_id", "reporting_year", "finding_id"),
        network_trends=of_year("fct_network_trend", "indicator_id", "population_group_id"),
        trends=_by_community(of_year("fct_trend", "indicator_id", "population_group_id", where=own)),
        gaps=_by_community(of_year("fct_gap", "indicator_id", "population_group_id", where=own)),
        outcome_status=_by_community(of_year("fct_outcome_status", "community_id", "outcome_id")),
        criterion_status=_by_community(of_year("fct_criterion_status", "community_id", "criterion_id")),
        gateway_status=_by_community(of_year("fct_gateway_status", "community_id")),
        designations=_by_community(of_year("fct_designation", "community_id", "designation")),
        requirements=_by_community(of_year("fct_designation_requirement", "designation", "requirement_id")),
        points=_read_points(connection, year),
        simulated=_simulated(connection),
    )


# --- arranging: shared ---------------------------------------------------------------------------------------------


def _natural(key: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which the parts of a criterion id that are numbers sort as numbers."""
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in key.split("."))


def page_name(community_id: str) -> str:
    """The file name of a community's page: safe in any folder, different for different ids."""
    return f"{quote(community_id, safe='')}.html"


def _group_label(marts: Marts, group_id: str) -> str:
    group = marts.groups.get(group_id)
    return str(group["label"]) if group and group["label"] else words.sentence_case(words.humanized(group_id))


def _tally(values: Iterable[str | None], order: Sequence[str]) -> list[tuple[str, int]]:
    counted = Counter(v or words.UNDETERMINED for v in values)
    return [(code, counted[code]) for code in order]


def _headline(rows: Sequence[Row], column: str, good: str) -> Row:
    """A share with everything needed to read it: the good ones, the determined ones, all of them."""
    determined = [r for r in rows if (r[column] or words.UNDETERMINED) != words.UNDETERMINED]
    hits = sum(r[column] == good for r in determined)
    return {"n": hits, "determined": len(determined), "total": len(rows), "share": words.share(hits, len(determined))}


def _rank(order: Sequence[str], code: str | None) -> int:
    return order.index(code) if code in order else len(order)


# --- arranging: the network summary --------------------------------------------------------------------------------


def _network_indicators(marts: Marts) -> list[Row]:
    position = {o["outcome_id"]: i for i, o in enumerate(marts.outcomes)}
    rows = [
        {**r, "indicator": marts.indicators[r["indicator_id"]]}
        for r in marts.network_trends
        if r["population_group_id"] == TOTAL and r["indicator_id"] in marts.indicators
    ]
    return sorted(
        rows,
        key=lambda r: (
            position.get(r["indicator"]["outcome_id"], 10**6),
            r["indicator"]["role"] != "core",
            r["indicator"]["name"],
        ),
    )


def _spread(rows: Sequence[Row]) -> Markup | None:
    """The chart of medians and quartiles; one scale, so only indicators in percent."""
    shown = [
        SpreadRow(
            r["indicator"]["name"],
            "lower is better" if r["indicator"]["direction"] == -1 else "",
            r["slope_q1"],
            r["slope_median"],
            r["slope_q3"],
        )
        for r in rows
        if r["indicator"]["unit"] == "percent"
    ]
    if not any(r.middle is not None for r in shown):
        return None
    return spread_chart("network", "Yearly change by indicator: median and quartiles of communities", "percent", shown)


def _network_outcomes(marts: Marts) -> list[Row]:
    every = [r for rows in marts.outcome_status.values() for r in rows]
    result = []
    for outcome in marts.outcomes:
        rows = [r for r in every if r["outcome_id"] == outcome["outcome_id"]]
        if rows:
            trend = _tally((r["trend_status"] for r in rows), _STATUS_ORDER)
            gap = _tally((r["gap_reduced"] for r in rows), _GAP_ORDER)
            bar = share_bar([(words.status_words(code), code, n) for code, n in trend])
            result.append({"outcome": outcome, "trend": dict(trend), "gap": dict(gap), "n": len(rows), "bar": bar})
    return result


def _community_list(marts: Marts) -> list[Row]:
    """Every community, by name: where it stands in its own work, nothing that could be read as a league table."""
    status = {r["community_id"]: r["status"] for r in marts.submissions if r["reporting_year"] == marts.year}
    result = []
    for community in marts.communities:
        ident = community["community_id"]
        gateway = (marts.gateway_status.get(ident) or [{}])[0]
        standing = [d for d in marts.designations.get(ident, []) if d["standing"] not in (None, "none")]
        result.append(
            {
                "community": community,
                "href": quote(page_name(ident)),
                "submission": status.get(ident),
                "operating_in": gateway.get("operating_in"),
                "designations": standing,
            }
        )
    return result


def _designation_summary(marts: Marts) -> list[Row]:
    names = {c["community_id"]: c["name"] for c in marts.communities}
    every = [d for rows in marts.designations.values() for d in rows]
    result = []
    for code in sorted({d["designation"] for d in every}, key=lambda c: (_rank(words.DESIGNATIONS, c), c)):
        rows = [d for d in every if d["designation"] == code]
        result.append(
            {
                "designation": code,
                "status": dict(_tally((d["status"] for d in rows), ("eligible", "not_eligible", "undetermined"))),
                "held": sorted(
                    (
                        {"name": names.get(d["community_id"], d["community_id"]), **d}
                        for d in rows
                        if d["standing"] not in (None, "none")
                    ),
                    key=lambda d: (d["name"].casefold(), d["community_id"]),
                ),
            }
        )
    return result


def network_page(marts: Marts) -> Row:
    """What index.html shows; counts of stored statuses only, communities in alphabetical order."""
    every = [r for rows in marts.outcome_status.values() for r in rows]
    indicators = _network_indicators(marts)
    statuses = [r for r in marts.submissions if r["reporting_year"] == marts.year]
    gateways = Counter(r["operating_in"] for rows in marts.gateway_status.values() for r in rows)
    known = [g for g in (*words.GATEWAYS, "completed") if gateways[g]]
    return {
        "improving": _headline(every, "trend_status", "improving"),
        "reduced": _headline(every, "gap_reduced", "met"),
        "outcomes": _network_outcomes(marts),
        "indicators": indicators,
        "spread": _spread(indicators),
        "later_years": sorted({r["reporting_year"] for r in marts.submissions if r["reporting_year"] > marts.year}),
        "submissions": sorted(Counter(r["status"] for r in statuses).items(), key=lambda i: (-i[1], i[0])),
        "n_submissions": len(statuses),
        "gateways": [(g, gateways[g]) for g in known],
        "designations": _designation_summary(marts),
        "communities": _community_list(marts),
    }


# --- arranging: one community --------------------------------------------------------------------------------------


class SourceFiles:
    """Numbers the files behind a page's figures, so that a cell can name its file in two characters."""

    def __init__(self, points: Iterable[Point]) -> None:
        keys = {self._key(p) for p in points if p.source_file is not None}
        ordered = sorted(keys, key=lambda k: (k[0] is not None, k[0] or 0, k[1], k[2], k[3]))
        self._numbers = {key: i for i, key in enumerate(ordered, 1)}

    @staticmethod
    def _key(point: Point) -> tuple[int | None, str, str, str]:
        return point.submitted_in, point.source_file or "", point.source_sheet or "", point.submission_id or ""

    def reference(self, point: Point) -> str:
        """Where a value stands: `file 3, row 12`; a value pooled from districts has no row of its own."""
        if point.source_file is None:
            return "pooled"
        row = "" if point.source_row is None else f":{point.source_row}"
        return f"{self._numbers[self._key(point)]}{row}"

    def listed(self) -> list[Row]:
        """The files by number, with sheet, reporting year and submission."""
        return [
            {"number": n, "reporting_year": k[0], "name": k[1], "sheet": k[2], "submission_id": k[3]}
            for k, n in self._numbers.items()
        ]


def _reason_letters(points: Iterable[Point]) -> dict[str, str]:
    """A letter for each reason why a point of the page was not used, in the alphabetical order of the reasons."""
    reasons = sorted({_why_left_out(p) for p in points if not p.used})
    return {reason: chr(ord("a") + i) if i < 26 else f"a{i}" for i, reason in enumerate(reasons)}


def _point_state(point: Point) -> PointState:
    if point.value is not None:
        return "used" if point.used else "left_out"
    if point.value_low is not None or point.value_high is not None:
        return "range"
    return "suppressed" if _SUPPRESSED in (point.left_out_reason, point.value_status) else "no_value"


def _why_left_out(point: Point) -> str:
    if point.used:
        return ""
    return words.state_words(point.left_out_reason or point.value_status) or "not used in the trend"


def _point_text(point: Point) -> str:
    state = _point_state(point)
    if state == "range":
        return words.interval_short(point.value_low, point.value_high)
    if point.value is not None:
        return words.number(point.value)
    return "s" if state == "suppressed" else "n"


def _chart(trend: Row, indicator: Row, points: Sequence[Point]) -> Markup | None:
    """The indicator's chart, or None when there is no row to draw."""
    if not points:
        return None
    unit = indicator["unit"]
    drawn = [
        ChartPoint(p.school_year, p.series, _point_state(p), p.value, p.value_low, p.value_high, _why_left_out(p))
        for p in points
    ]
    line = None
    if None not in (trend["slope"], trend["intercept"], trend["first_year"], trend["last_year"]):
        line = FittedLine(trend["first_year"], trend["last_year"], trend["slope"], trend["intercept"])
    listed = "; ".join(f"{p.school_year}: {_spoken(p, unit)}" for p in points)
    series = sorted({p.series for p in points if p.value is not None})
    breaks = f" The values belong to {len(series)} series that are not compared." if len(series) > 1 else ""
    title = f"{indicator['name']}, everyone, {points[0].school_year} to {points[-1].school_year}"
    return trend_chart(TrendChart(indicator["indicator_id"], title, f"{listed}.{breaks}", unit, drawn, line))


def _spoken(point: Point, unit: str) -> str:
    """One point for a screen reader: the value with its unit, or the reason why there is none."""
    why = _why_left_out(point)
    if point.value is not None:
        return words.value_text(point.value, unit) + (f" ({why})" if why else "")
    if _point_state(point) == "range":
        return words.interval_text(point.value_low, point.value_high, unit)
    return why


_TREND_TEXT = (
    "trend_status",
    "reason",
    "first_year",
    "last_year",
    "n_years",
    "slope",
    "slope_ci_low",
    "slope_ci_high",
)


def _trend_figures(trend: Row, indicator: Row) -> words.TrendFigures:
    return words.TrendFigures(
        indicator=indicator["name"],
        unit=indicator["unit"],
        direction=indicator["direction"] or 0,
        **{n: trend[n] for n in _TREND_TEXT},
    )


def _gap_figures(gap: Row, indicator: Row) -> words.GapFigures:
    return words.GapFigures(
        unit=indicator["unit"],
        gap_status=gap["gap_status"] or words.UNDETERMINED,
        reason=gap["reason"],
        slope_difference=gap["slope_difference"],
        reference_declined=bool(gap["reference_declined"]),
    )


def _dimension_label(marts: Marts, dimension: str) -> str:
    labels = [g.get("dimension_label") for g in marts.groups.values() if g["dimension"] == dimension]
    return next((str(label) for label in labels if label), words.dimension_words(dimension))


def _group_words(trend: Row | None, gap: Row | None, indicator: Row, limits: Mapping[str, str]) -> str:
    """What can be said about a group: why there is no trend, and what its gap means; one reason is given once."""
    no_trend = trend is not None and trend["slope"] is None
    if trend is None or not no_trend:
        return "" if gap is None else words.gap_meaning(_gap_figures(gap, indicator), limits)
    if gap is None:
        return f"The trend {words.cannot(trend['reason'], limits)}."
    if gap["gap_status"] == words.UNDETERMINED and gap["reason"] == trend["reason"]:
        return f"Neither trend nor gap can be determined because {words.reason_words(trend['reason'], limits)}."
    meaning = words.gap_meaning(_gap_figures(gap, indicator), limits)
    return f"The trend {words.cannot(trend['reason'], limits)}. {meaning}"


def _group_rows(marts: Marts, context: ReportContext, indicator: Row, facts: Row) -> list[Row]:
    """The group table of one indicator, by dimension: latest value, trend, gap with its class in words."""
    trends = {t["population_group_id"]: t for t in facts["trends"]}
    gaps = {g["population_group_id"]: g for g in facts["gaps"]}
    references = {g["reference_group_id"] for g in facts["gaps"]}
    by_group: dict[str, list[Point]] = defaultdict(list)
    for point in facts["points"]:
        by_group[point.population_group_id].append(point)
    blocks: dict[str, list[Row]] = defaultdict(list)
    for ident in sorted((set(trends) | set(gaps)) - {TOTAL}, key=lambda g: (_group_label(marts, g).casefold(), g)):
        dimension = str(marts.groups[ident]["dimension"]) if ident in marts.groups else ident.partition(":")[0]
        gap = gaps.get(ident)
        known = [p for p in by_group[ident] if p.value is not None]
        blocks[dimension].append(
            {
                "label": _group_label(marts, ident),
                "is_reference": ident in references,
                "latest": known[-1] if known else None,
                "trend": trends.get(ident),
                "gap": gap,
                "decides": gap is not None and gap.get("standing") == "burdened" and dimension == _DECIDES,
                "reference": None
                if gap is None or gap["reference_group_id"] is None
                else _group_label(marts, gap["reference_group_id"]),
                "meaning": _group_words(trends.get(ident), gap, indicator, context.limits()),
            }
        )
    order = sorted(blocks, key=lambda d: (d != _DECIDES, d))
    return [{"dimension": d, "label": _dimension_label(marts, d), "rows": blocks[d]} for d in order]


def _value_table(marts: Marts, points: Sequence[Point], files: SourceFiles, letters: Mapping[str, str]) -> Row:
    """Every point of an indicator: a row for each group and series, a column for each year, its source in the cell."""
    years = list(range(min(p.school_year for p in points), max(p.school_year for p in points) + 1)) if points else []
    lines: dict[tuple[str, str], dict[int, Point]] = defaultdict(dict)
    for point in points:
        lines[(point.population_group_id, point.series)][point.school_year] = point
    several = len({series for _, series in lines}) > 1

    def position(key: tuple[str, str]) -> tuple[bool, bool, str, str, str, int, str]:
        group, series = key
        dimension = group.partition(":")[0]
        label = _group_label(marts, group).casefold()
        return group != TOTAL, dimension != _DECIDES, dimension, label, group, min(lines[key]), series

    keys = sorted(lines, key=position)
    rows = []
    for group, series in keys:
        cells = [
            None
            if (p := lines[(group, series)].get(year)) is None
            else (_point_text(p), files.reference(p), letters.get(_why_left_out(p), ""))
            for year in years
        ]
        rows.append({"label": _group_label(marts, group), "series": series if several else "", "cells": cells})
    return {"years": years, "rows": rows}


def _indicator_view(
    marts: Marts, context: ReportContext, facts: Row, files: SourceFiles, letters: Mapping[str, str]
) -> Row:
    indicator, trend = facts["indicator"], facts["trend"]
    total = [p for p in facts["points"] if p.population_group_id == TOTAL]
    known = [p for p in total if p.value is not None]
    return {
        "indicator": indicator,
        "trend": trend,
        "latest": known[-1] if known else None,
        "sentence": words.trend_sentence(_trend_figures(trend, indicator), context.limits()),
        "robustness": words.robustness_sentence(trend["robustness"]),
        "chart": _chart(trend, indicator, total),
        "series": sorted({p.series for p in total}),
        "groups": _group_rows(marts, context, indicator, facts),
        "table": _value_table(marts, facts["points"], files, letters),
    }


def _indicator_facts(marts: Marts, community_id: str) -> list[Row]:
    """The community's rows by indicator, cradle to career, core indicators first within an outcome."""
    position = {o["outcome_id"]: i for i, o in enumerate(marts.outcomes)}
    split: dict[str, Row] = {}
    for trend in marts.trends.get(community_id, []):
        facts = split.setdefault(trend["indicator_id"], {"trends": [], "gaps": [], "points": [], "trend": None})
        facts["trends"].append(trend)
        if trend["population_group_id"] == TOTAL:
            facts["trend"] = trend
    for gap in marts.gaps.get(community_id, []):
        if gap["indicator_id"] in split:
            split[gap["indicator_id"]]["gaps"].append(gap)
    for point in marts.points.get(community_id, []):
        if point.indicator_id in split:
            split[point.indicator_id]["points"].append(point)
    for ident, facts in split.items():
        facts["indicator"] = marts.indicators.get(ident) or _unknown_indicator(ident)
        facts["trend"] = facts["trend"] or _no_total(facts["trends"][0])
    return sorted(
        split.values(),
        key=lambda f: (
            position.get(f["indicator"]["outcome_id"], 10**6),
            f["indicator"]["role"] != "core",
            f["indicator"]["name"],
        ),
    )


def _unknown_indicator(ident: str) -> Row:
    name = words.sentence_case(words.humanized(ident))
    return {"indicator_id": ident, "outcome_id": None, "name": name, "role": "", "unit": "", "direction": 0}


def _no_total(trend: Row) -> Row:
    """A trend row for a community that reported groups of an indicator but never the total."""
    return dict.fromkeys(trend) | {"trend_status": words.UNDETERMINED, "reason": "no_data", "n_years": 0}


def _outcome_rows(marts: Marts, context: ReportContext, community_id: str) -> list[Row]:
    status = {r["outcome_id"]: r for r in marts.outcome_status.get(community_id, [])}
    result = []
    for outcome in marts.outcomes:
        row = status.get(outcome["outcome_id"])
        if row is not None:
            indicator = marts.indicators.get(row["deciding_indicator_id"] or "")
            remark = _outcome_remark(marts, row, context.limits())
            result.append({"outcome": outcome, "status": row, "indicator": indicator, "remark": remark})
    return result


def _outcome_remark(marts: Marts, row: Row, limits: Mapping[str, str]) -> str:
    """Why an outcome's trend or gaps are undetermined, and which groups' gaps widened, where the mart says so."""
    parts = []
    if (row["trend_status"] or words.UNDETERMINED) == words.UNDETERMINED:
        parts.append(f"The trend {words.cannot(row['reason'], limits)}.")
    if row["gap_reduced"] == words.UNDETERMINED and row.get("gap_reason"):
        parts.append(f"Gaps cannot be determined because {words.reason_words(row['gap_reason'], limits)}.")
    if row.get("widened_groups"):
        groups = [_group_label(marts, group) for group in str(row["widened_groups"]).split(",")]
        parts.append(f"Gaps widened for {words.joined(groups)}.")
    return " ".join(parts)


def _gateway_view(marts: Marts, community_id: str) -> Row:
    """Where the community operates, how each gateway stands, and every open criterion of the gateway it works in."""
    gateway = next(iter(marts.gateway_status.get(community_id, [])), None)
    stated = [
        {**marts.criteria[r["criterion_id"]], **r}
        for r in marts.criterion_status.get(community_id, [])
        if r["criterion_id"] in marts.criteria and r["status"] is not None
    ]
    stated = [r for r in stated if r["gateway"] is not None and r["pillar"] != "designation"]
    stated.sort(key=lambda r: (_rank(words.GATEWAYS, r["gateway"]), _natural(r["criterion_id"])))
    current = gateway["operating_in"] if gateway else None
    counts = [
        {"gateway": g, **dict(_tally((r["status"] for r in stated if r["gateway"] == g), _GAP_ORDER))}
        for g in dict.fromkeys(r["gateway"] for r in stated)
    ]
    missing = [r for r in stated if r["gateway"] == current and r["status"] != "met"]
    return {"status": gateway, "current": current, "counts": counts, "missing": missing}


def _designation_view(marts: Marts, community_id: str) -> list[Row]:
    result = []
    for row in marts.designations.get(community_id, []):
        requirements = [
            {**r, "label": _requirement_label(marts, row["designation"], r)}
            for r in marts.requirements.get(community_id, [])
            if r["designation"] == row["designation"]
        ]
        requirements.sort(key=lambda r: _natural(r["requirement_id"]))
        result.append({"row": row, "requirements": requirements})
    return sorted(result, key=lambda d: (_rank(words.DESIGNATIONS, d["row"]["designation"]), d["row"]["designation"]))


def _requirement_label(marts: Marts, designation: str, requirement: Row) -> str:
    if requirement.get("statement"):
        return str(requirement["statement"])
    for key in (requirement["requirement_id"], f"{designation}.{requirement['requirement_id']}"):
        if key in marts.criteria:
            return str(marts.criteria[key]["statement"])
    return f"Requirement {words.humanized(requirement['requirement_id'])}"


def community_page(marts: Marts, context: ReportContext, community: Row) -> Row:
    """What one community's page shows: its own rows only."""
    ident = community["community_id"]
    files = SourceFiles(marts.points.get(ident, []))
    letters = _reason_letters(marts.points.get(ident, []))
    outcomes = marts.outcome_status.get(ident, [])
    findings = [f for f in marts.findings if f["community_id"] == ident and f["reporting_year"] == marts.year]
    return {
        "community": community,
        "submissions": [r for r in marts.submissions if r["community_id"] == ident and r["status"] != "not_expected"],
        "submission": next(
            (r for r in marts.submissions if r["community_id"] == ident and r["reporting_year"] == marts.year), None
        ),
        "improving": _headline(outcomes, "trend_status", "improving"),
        "reduced": _headline(outcomes, "gap_reduced", "met"),
        "outcomes": _outcome_rows(marts, context, ident),
        "indicators": [_indicator_view(marts, context, f, files, letters) for f in _indicator_facts(marts, ident)],
        "outcome_names": {o["outcome_id"]: o["name"] for o in marts.outcomes},
        "gateway": _gateway_view(marts, ident),
        "designations": _designation_view(marts, ident),
        "findings": _findings_by_rule(findings),
        "files": files.listed(),
        "letters": [(letter, reason) for reason, letter in letters.items()],
    }


# --- arranging: data quality ---------------------------------------------------------------------------------------


def _findings_by_rule(findings: Iterable[Row]) -> list[Row]:
    """Findings counted by severity and rule, the most serious first; rows are counted where a finding says how many."""
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for finding in findings:
        grouped[(finding["severity"], finding["rule_id"])].append(finding)
    return [
        {
            "rule_id": rule,
            "severity": severity,
            "n": len(rows),
            "n_rows": sum(r.get("n_rows") or 1 for r in rows),
            "n_open": sum(r["status"] == "open" for r in rows),
            "n_communities": len({r["community_id"] for r in rows if r["community_id"] is not None}),
            "example": rows[0]["message"],
        }
        for (severity, rule), rows in sorted(
            grouped.items(), key=lambda i: (_rank(_SEVERITIES, i[0][0]), i[0][0], i[0][1])
        )
    ]


def quality_page(marts: Marts) -> Row:
    """What data-quality.html shows: the status of every community and year, findings by rule, network findings."""
    years = sorted({r["reporting_year"] for r in marts.submissions})
    cells = {(r["community_id"], r["reporting_year"]): r for r in marts.submissions}
    return {
        "years": years,
        "matrix": [
            {
                "community": c,
                "href": quote(page_name(c["community_id"])),
                "cells": [cells.get((c["community_id"], y)) for y in years],
            }
            for c in marts.communities
        ],
        "totals": [
            (status, [sum(r["status"] == status for r in marts.submissions if r["reporting_year"] == y) for y in years])
            for status in sorted(
                {r["status"] for r in marts.submissions}, key=lambda s: (_rank(words.SUBMISSION_ORDER, s), s)
            )
        ],
        "findings": _findings_by_rule(f for f in marts.findings if f["community_id"] is not None),
        "network_findings": [f for f in marts.findings if f["community_id"] is None],
    }


# --- rendering -----------------------------------------------------------------------------------------------------


def _environment(context: ReportContext) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: list[Callable[..., str]] = [
        words.number,
        words.signed,
        words.count,
        words.status_words,
        words.gap_words,
        words.gap_verdict,
        words.figure,
        words.years_text,
        words.value_text,
        words.humanized,
        words.sentence_case,
        words.plural,
        words.unit_of_change,
    ]
    environment.filters.update({f.__name__: f for f in filters})
    environment.filters["designation_words"] = lambda code: words.DESIGNATION_WORDS.get(code, words.humanized(code))
    environment.filters["gateway_words"] = lambda code: words.GATEWAY_WORDS.get(
        code, words.humanized(code or "unknown")
    )
    environment.filters["simulated_words"] = lambda code: words.SIMULATED.get(code, words.humanized(code))
    environment.filters["slug"] = lambda text: re.sub(r"[^a-z0-9]+", "-", str(text).lower())
    limits = context.limits()
    environment.globals.update(
        context=context,
        limit=lambda name: limits.get(name) or "(not set)",
        limit_percent=lambda name: f"{words.number(100 * float(limits[name]))}%" if limits.get(name) else "(not set)",
        gap_classes=[(words.gap_words(c), c, meaning) for c, (_, meaning) in words.GAP_WORDS.items()],
        percent_share=words.share,
        confidence=words.confidence_text(limits),
    )
    return environment


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Bytes, not text mode: the same line ends on every platform.
    path.write_bytes(text.encode("utf-8"))
    return path


def write_report(connection: duckdb.DuckDBPyConnection, out: Path, edition: str, context: ReportContext) -> list[Path]:
    """Write `report/` below the release folder `out` and return the files written, sorted.

    Pages: index.html, methods.html, data-quality.html, communities/{community_id}.html. Self-contained (no script, no
    asset), and byte for byte the same for the same marts and context. Raises ReportError for an edition other than
    `internal` (this report does no disclosure control), or when the marts are not complete.
    """
    if edition not in EDITION_NOTICES:
        raise ReportError(f"no {edition!r} edition: the report is not protected for it, only 'internal' can be written")
    marts = read_marts(connection, context.reporting_year)
    environment = _environment(context)
    environment.globals.update(edition=edition, notice=EDITION_NOTICES[edition], year=marts.year)
    report = out / "report"

    def page(name: str, template: str, **view: Any) -> Path:
        return _write(report / name, environment.get_template(template).render(root="", here=name, **view))

    written = [
        page("index.html", "index.html", **network_page(marts)),
        page("methods.html", "methods.html", simulated=marts.simulated),
        page("data-quality.html", "data_quality.html", **quality_page(marts)),
    ]
    template = environment.get_template("community.html")
    for community in marts.communities:
        text = template.render(root="../", here="", **community_page(marts, context, community))
        written.append(_write(report / "communities" / page_name(community["community_id"]), text))
    return sorted(written)
