"""The rows that the national report's pages are made from, read from the marts of one release.

Belongs here: which tables and columns the pages read, reading them, and what the pages say of themselves.
Does not: arrange rows into pages (network, community, quality), render them, or compute anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from dagster_project.lib.analysis.tables import (
    FCT_CRITERION_STATUS,
    FCT_DESIGNATION,
    FCT_DESIGNATION_REQUIREMENT,
    FCT_GAP,
    FCT_GATEWAY_STATUS,
    FCT_NETWORK_TREND,
    FCT_OUTCOME_STATUS,
    FCT_TREND,
    FCT_TREND_POINT,
)
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import Row, rank
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH

# What the pages read of marts that SQL makes: the columns of DESIGN 3.7. Further columns are welcome and some are used
# where they are present.
_OF_SQL = """
dim_community: community_id name state joined_year
dim_outcome: outcome_id name
dim_indicator: indicator_id outcome_id name role unit direction poolable
dim_population_group: population_group_id dimension group label
dim_criterion: criterion_id parent_id gateway pillar benchmark_no determined_by statement
fct_submission_status: community_id reporting_year status submission_id rows_read rows_accepted rows_rejected
    findings_blocking findings_open
fct_finding: finding_id community_id reporting_year rule_id severity source_file message status
fct_indicator_value: community_id indicator_id population_group_id geography_id school_year series period value_low
    value_high value_status reporting_year
"""
# Computed tables that the pages read; of each, the columns that its declaration promises.
_COMPUTED = (
    FCT_TREND,
    FCT_TREND_POINT,
    FCT_GAP,
    FCT_OUTCOME_STATUS,
    FCT_CRITERION_STATUS,
    FCT_GATEWAY_STATUS,
    FCT_DESIGNATION,
    FCT_DESIGNATION_REQUIREMENT,
    FCT_NETWORK_TREND,
)

REQUIRED_COLUMNS: Mapping[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in (entry.split(":") for entry in _OF_SQL.strip().replace("\n    ", " ").splitlines())
} | {spec.name: spec.promised for spec in _COMPUTED}

INTERNAL, PUBLIC = "internal", "public"
REVIEWS = "fct_community_review"
# What only the internal edition has (RULES 8.6): the pages of the public one do without it, and refuse to find it.
NEVER_PUBLIC_TABLES = (
    *("fct_finding", "dim_submission", "fct_waiting_row", "fct_submission_file", "fct_pooled_part"),
    *("fct_series_change", "fct_reference_value", "fct_coverage"),
    REVIEWS,
)
NEVER_PUBLIC_COLUMNS = (
    *("submission_id", "source_file", "source_sheet", "source_row", "evidence", "record_id"),
    *("rows_read", "rows_accepted", "rows_rejected", "findings_blocking", "findings_open"),
)
_PUBLIC_ONLY = {"fct_finding_count": ("community_id", "reporting_year", "rule_id", "severity", "status", "n_findings")}


def required_columns(edition: str) -> Mapping[str, tuple[str, ...]]:
    """What the pages of an edition read, by table."""
    if edition == INTERNAL:
        return REQUIRED_COLUMNS
    shared = {
        table: tuple(column for column in columns if column not in NEVER_PUBLIC_COLUMNS)
        for table, columns in REQUIRED_COLUMNS.items()
        if table not in NEVER_PUBLIC_TABLES
    }
    return shared | _PUBLIC_ONLY


_CONSENTED = "consent and text is not null"
# Keys are named whole: rows that tie would come in the order of the engine's threads, and pages be made anew for it.
_COVERAGE_KEY = ("community_id", "indicator_id", "dimension", "school_year")
_TARGET_KEY = ("indicator_id", "population_group_id", "deadline", "horizon")


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
    null when it was not measured. `publication`: licence, citation and contact of a public edition, by the names of
    network/publication.csv. `release_id`, `today` (the day of the release) and `code_version` are printed as they are:
    marks stand for them until the release has its name (release.py). `languages`: those of the pages, English first;
    `details`: those of a community's further pages, null where they are in all. `names`: for each language the
    dictionary's names by their English ones (dictionary/translations.csv). `since`: what the manifest states of the
    release before; null where nothing is said of it, or a mark stands for that as well.
    """

    release_id: str
    today: str
    ruleset_id: str
    ruleset_version: str
    contract_version: str
    code_version: str
    network_name: str
    parameters: Sequence[RuleParameter]
    false_positive_rate: float | None = None
    reporting_year: int | None = None
    publication: Mapping[str, str] | None = None
    languages: Sequence[str] = (ENGLISH,)
    details: Sequence[str] | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    since: Mapping[str, Any] | None = None

    def deciding(self) -> tuple[str, ...]:
        """The dimensions whose gaps decide designations."""
        return tuple(self.limits().get("gap.dimensions", "").split())

    @cached_property
    def _limits(self) -> Mapping[str, str]:
        return {p.name: p.value for p in self.parameters}

    def limits(self) -> Mapping[str, str]:
        """Parameter values by name, for the texts that quote them."""
        return self._limits


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


class GapYear(NamedTuple):
    """One row of fct_gap_year: a group beside its reference group in one school year; a positive gap is behind."""

    indicator_id: str
    population_group_id: str
    reference_group_id: str
    series: str
    school_year: int
    group_value: float
    reference_value: float
    gap: float
    used: bool


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
    gap_years: dict[str, list[GapYear]] = field(default_factory=dict)
    pooled_parts: dict[str, list[Row]] = field(default_factory=dict)
    simulated: list[Row] = field(default_factory=list)
    reviews: dict[str, list[Row]] = field(default_factory=dict)
    targets: dict[str, list[Row]] = field(default_factory=dict)
    chosen: dict[str, list[Row]] = field(default_factory=dict)
    strategies: dict[str, list[Row]] = field(default_factory=dict)
    stories: dict[str, list[Row]] = field(default_factory=dict)
    sources: dict[str, list[Row]] = field(default_factory=dict)
    series_changes: dict[str, list[Row]] = field(default_factory=dict)
    references: list[Row] = field(default_factory=list)
    coverage: dict[str, list[Row]] = field(default_factory=dict)

    def left_year(self, community: Row) -> int | None:
        """The year a community left, where it lies before the report's year; it is then no member of that year."""
        left = community.get("left_year")
        return int(left) if left is not None and left < self.year else None

    def joins_later(self, community: Row) -> bool:
        """Whether a community joins after the report's year only; it is then no member of that year."""
        joined = community.get("joined_year")
        return joined is not None and joined > self.year

    def of_members(self, rows: Iterable[Row]) -> list[Row]:
        """Of rows with community_id and reporting_year those of years in which their community is a member."""
        known = {c["community_id"]: c for c in self.communities}
        return [row for row in rows if _is_member(known.get(row["community_id"], {}), row["reporting_year"])]

    def members(self) -> set[str]:
        """The communities that network counts are over (RULES 7): joined by the report's year, not left before it."""
        return {c["community_id"] for c in self.communities if _is_member(c, self.year)}


def _is_member(community: Row, year: int) -> bool:
    joined, left = community.get("joined_year"), community.get("left_year")
    return (joined is None or joined <= year) and (left is None or year <= left)


def _check_columns(connection: Connection, edition: str) -> None:
    """ReportError naming every table and column that schema marts lacks, or that must not be in a public one."""
    found = defaultdict(set)
    sql = "select table_name, column_name from information_schema.columns where table_schema = 'marts'"
    for table, column in connection.execute(sql).fetchall():
        found[table].add(column)
    missing = [
        f"{table}.{column}" if table in found else table
        for table, columns in required_columns(edition).items()
        for column in columns
        if column not in found[table]
    ]
    if edition == PUBLIC:
        unprotected = sorted(
            {table for table in found if table in NEVER_PUBLIC_TABLES}
            | {f"{table}.{name}" for table in found for name in found[table] & set(NEVER_PUBLIC_COLUMNS)}
        )
        if unprotected:
            raise ReportError(f"these marts are not those of the public edition: they hold {', '.join(unprotected)}")
    if missing:
        raise ReportError(f"schema marts lacks {', '.join(dict.fromkeys(missing))}; build the marts first")


def _rows(connection: Connection, table: str, where: str = "true", *values: object) -> list[Row]:
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


def _report_year(connection: Connection) -> int:
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


def _read_points(connection: Connection, year: int, edition: str) -> dict[str, list[Point]]:
    """The points of each community's own geography, by community, in the order of the tables that show them."""
    sql = _INTERNAL_POINTS if edition == INTERNAL else _PUBLIC_POINTS
    result: dict[str, list[Point]] = defaultdict(list)
    for community, *rest in connection.execute(sql, [year]).fetchall():
        result[community].append(Point(*rest))
    return dict(result)


_INTERNAL_POINTS = """
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
# Published points have no source; rows without a value (withheld, coded, masked) are read beside them from the values.
_PUBLIC_POINTS = """
        select v.community_id, v.indicator_id, v.population_group_id, v.school_year, v.series, p.value,
               coalesce(p.numerator, v.numerator), coalesce(p.denominator, v.denominator), coalesce(p.used, false),
               if(p.value is null, v.value_status, p.left_out_reason),
               null, null, null, null, v.value_low, v.value_high, v.value_status, v.reporting_year
        from marts.fct_indicator_value v
        left join marts.fct_trend_point p
          on v.community_id = p.community_id and v.indicator_id = p.indicator_id
         and v.population_group_id = p.population_group_id and v.geography_id = p.geography_id
         and v.school_year = p.school_year and v.series = p.series and p.reporting_year = $1
        where v.geography_id = v.community_id and v.period = 'annual' and v.reporting_year <= $1
          and (p.value is not null or v.value is null)
        order by all"""


def _has(connection: Connection, table: str) -> bool:
    sql = "select count(*) from information_schema.tables where table_schema = 'marts' and table_name = ?"
    return connection.execute(sql, [table]).fetchone() == (1,)


def rows_where_there(connection: Connection, table: str, where: str, *keys: str) -> list[Row]:
    """Rows of a table of schema marts by the given keys; none where an edition or an older release is without it."""
    return _sorted(_rows(connection, table, where), *keys) if _has(connection, table) else []


def _pooled_parts(connection: Connection, year: int, edition: str) -> dict[str, list[Row]]:
    """The districts' rows behind community values as known in the year, by community; none in the public edition."""
    if edition == PUBLIC or not _has(connection, "fct_pooled_part"):
        return {}
    rows = _rows(connection, "fct_pooled_part", "? between known_from and known_to", year)
    keys = ("indicator_id", "population_group_id", "school_year", "series", "geography_id")
    return _by_community(_sorted(rows, *keys))


def _gap_years(connection: Connection, year: int) -> dict[str, list[GapYear]]:
    """The years behind gaps as known in the reporting year, by community, where the release has them."""
    if not _has(connection, "fct_gap_year"):
        return {}
    sql = f"""
        select community_id, {", ".join(GapYear._fields)} from marts.fct_gap_year
        where reporting_year = ? and geography_id = community_id and gap is not null
        order by all"""
    result: dict[str, list[GapYear]] = defaultdict(list)
    for community, *rest in connection.execute(sql, [year]).fetchall():
        result[community].append(GapYear(*rest))
    return dict(result)


def _reviews(connection: Connection, year: int) -> dict[str, list[Row]]:
    """How communities read the figures of the year, oldest first, where the release has it."""
    if not _has(connection, REVIEWS):
        return {}
    return _by_community(_sorted(_rows(connection, REVIEWS, "reporting_year = ?", year), "reviewed_on", "body"))


def _optional(connection: Connection, table: str, year: int, where: str, *keys: str) -> dict[str, list[Row]]:
    """Rows of a reporting year by community, of a table that an edition or an older release may be without."""
    if not _has(connection, table):
        return {}
    return _by_community(_sorted(_rows(connection, table, f"reporting_year <= ? and {where}", year), *keys))


def _sources(connection: Connection, year: int) -> dict[str, list[Row]]:
    """Who published or collected the values of each indicator, as the files say, with the years they cover."""
    columns = "select 1 from information_schema.columns where table_schema = 'marts'"
    stated = f"{columns} and table_name = 'fct_indicator_value' and column_name = 'data_source'"
    if connection.execute(stated).fetchone() is None:
        return {}
    cursor = connection.execute(
        """
        select community_id, indicator_id, data_source, min(school_year) as first_year, max(school_year) as last_year
        from marts.fct_indicator_value
        where geography_id = community_id and reporting_year <= ? and data_source is not null and period = 'annual'
        group by all order by all""",
        [year],
    )
    names = [str(d[0]) for d in cursor.description or ()]
    return _by_community(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def _beside(connection: Connection, year: int) -> dict[str, Any]:
    """What explains or orients values, where an edition has it: changes of series, values of others, coverage."""
    changes = rows_where_there(connection, "fct_series_change", f"reporting_year <= {year}", "first_school_year")
    everyone = f"population_group_id = 'all' and school_year <= {year}"
    return {
        "series_changes": _by_community(changes),
        "references": rows_where_there(connection, "fct_reference_value", everyone, "area", "school_year"),
        "coverage": _by_community(_covered(connection, year)),
    }


def _covered(connection: Connection, year: int) -> list[Row]:
    """Coverage of dimensions that have a value in any year, by its key; of the others, most rows, no page speaks."""
    if not _has(connection, "fct_coverage"):
        return []
    having = f"qualify bool_or(n_with_value > 0 or n_masked > 0) over (partition by {', '.join(_COVERAGE_KEY[:-1])})"
    # Ordered by the engine: they are the most rows of all that pages read.
    return _rows(connection, "fct_coverage", f"school_year <= {year} {having} order by {', '.join(_COVERAGE_KEY)}")


def _simulated(connection: Connection) -> list[Row]:
    """The rates of the simulation of an unchanged network, where the release has them, in their stored order."""
    if not _has(connection, "fct_false_positive"):
        return []
    order = list(words.SIMULATED)
    rows = _rows(connection, "fct_false_positive")
    return sorted(rows, key=lambda r: (rank(order, r["basis"]), r["basis"], rank(order, r["measure"]), r["measure"]))


def _outcome_order(outcomes: Iterable[Row]) -> list[Row]:
    """Outcomes from the cradle to the career where the dimension carries positions, else by name."""
    last = 10**6
    return sorted(outcomes, key=lambda r: (last if r.get("position") is None else r["position"], r["name"]))


def _findings(connection: Connection, edition: str) -> list[Row]:
    """Findings one by one; in the public edition their counts, without any text."""
    if edition == INTERNAL:
        return _sorted(_rows(connection, "fct_finding"), "rule_id", "community_id", "reporting_year", "finding_id")
    keys = ("rule_id", "community_id", "reporting_year", "severity", "status")
    return [{**row, "message": None} for row in _sorted(_rows(connection, "fct_finding_count"), *keys)]


def read_marts(connection: Connection, reporting_year: int | None = None, edition: str = INTERNAL) -> Marts:
    """Read what the pages of an edition need from schema `marts`.

    ReportError when a table or column is missing, or when pages for the public would be made of internal marts.
    """
    _check_columns(connection, edition)
    year = reporting_year if reporting_year is not None else _report_year(connection)

    def of_year(table: str, *keys: str, where: str = "true") -> list[Row]:
        return _sorted(_rows(connection, table, f"reporting_year = ? and {where}", year), *keys)

    own, this = "geography_id = community_id", f"reporting_year = {year}"
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
        findings=_findings(connection, edition),
        network_trends=of_year("fct_network_trend", "indicator_id", "population_group_id"),
        trends=_by_community(of_year("fct_trend", "indicator_id", "population_group_id", where=own)),
        gaps=_by_community(of_year("fct_gap", "indicator_id", "population_group_id", where=own)),
        outcome_status=_by_community(of_year("fct_outcome_status", "community_id", "outcome_id")),
        criterion_status=_by_community(of_year("fct_criterion_status", "community_id", "criterion_id")),
        gateway_status=_by_community(of_year("fct_gateway_status", "community_id")),
        designations=_by_community(of_year("fct_designation", "community_id", "designation")),
        requirements=_by_community(of_year("fct_designation_requirement", "designation", "requirement_id")),
        points=_read_points(connection, year, edition),
        gap_years=_gap_years(connection, year),
        pooled_parts=_pooled_parts(connection, year, edition),
        simulated=_simulated(connection),
        reviews=_reviews(connection, year),
        targets=_optional(connection, "fct_target_progress", year, f"{this} and {own} and is_in_force", *_TARGET_KEY),
        chosen=_optional(connection, "fct_community_indicator", year, this, "indicator_id"),
        strategies=_optional(connection, "fct_strategy", year, this, "kind", "title", "strategy_id"),
        stories=_optional(
            connection, "fct_story", year, "consent and text is not null", "reporting_year", "story_number"
        ),
        sources=_sources(connection, year),
        **_beside(connection, year),
    )
