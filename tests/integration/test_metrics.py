"""Every metric of the semantic layer asked of a release by a metric engine, against SQL written by hand.

Belongs here: what each metric and saved query answers, totals and by dimensions, and that a rate is never a mean.
Does not: figures that enter a decision (tests/unit/analysis), or the declarations (dbt/models/semantic).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from bi.bundle import FOLDER
from tests.integration.conftest import Run
from tests.support import PROJECT

MANIFEST = PROJECT / "dbt" / "target" / "semantic_manifest.json"
Row = tuple[Any, ...]


class Dialect:
    """What the engine must know to write SQL for DuckDB; it never connects itself."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()


class Metrics:
    """The engine over the project's declarations, and one release under the name dbt gives its file."""

    def __init__(self, database: Path) -> None:
        manifest = parse_manifest_from_dbt_generated_manifest(MANIFEST.read_text(encoding="utf-8"))
        self.engine = MetricFlowEngine(SemanticManifestLookup(manifest), Dialect())
        self.connection = duckdb.connect()
        self.connection.execute(f"attach '{database}' as warehouse (read_only)")
        self.connection.execute("use warehouse.marts")

    def ask(self, metrics: Sequence[str], group_by: Sequence[str] = (), where: Sequence[str] = ()) -> list[Row]:
        """Rows of the grouping columns, then of the metrics."""
        request = MetricFlowQueryRequest.create(
            metric_names=list(metrics), group_by_names=list(group_by), where_constraints=list(where)
        )
        return self._rows(request, [*group_by, *metrics])

    def saved(self, name: str, columns: Sequence[str]) -> list[Row]:
        """Rows of a saved query, in the columns named."""
        return self._rows(MetricFlowQueryRequest.create(saved_query_name=name), columns)

    def sql(self, query: str) -> list[Row]:
        """Rows of a query written by hand."""
        return [tuple(map(plain, row)) for row in self.connection.execute(query).fetchall()]

    def _rows(self, request: MetricFlowQueryRequest, columns: Sequence[str]) -> list[Row]:
        statement = self.engine.explain(request).sql_statement.sql
        names = ", ".join(f'"{name}"' for name in columns)
        return self.sql(f"select {names} from ({statement})")


def plain(value: object) -> object:
    """A time at its year, a number as a float: what the engine and a hand-written query share."""
    if isinstance(value, (dt.datetime, dt.date)):
        return float(value.year)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def same(found: list[Row], expected: list[Row]) -> bool:
    """Whether both hold the same rows in any order, numbers to twelve digits."""
    return Counter(map(rounded, found)) == Counter(map(rounded, expected))


def rounded(row: Row) -> Row:
    return tuple(f"{value:.12g}" if isinstance(value, float) else value for value in row)


@pytest.fixture(scope="module")
def metrics(example: Run) -> Metrics:
    return Metrics(example.release.folder / "internal.duckdb")


RATE = (
    "sum(numerator) filter (denominator is not null)::double "
    "/ nullif(sum(denominator) filter (numerator is not null), 0)"
)
POOLABLE = "fct_indicator_value join dim_indicator using (indicator_id)"
# Asked without a school year a count is that of each indicator's latest one: cohorts of two years are never added up.
LATEST = "qualify school_year = max(school_year) over (partition by indicator_id)"
TOTALS, GROUPS = (
    "(select * from fct_indicator_value "
    f"where geography_level = 'community' and period = 'annual' and {group} {LATEST})"
    for group in ("population_group_id = 'all'", "population_group_id != 'all'")
)
EXPECTED_STATUS = "status not in ('not_expected', 'waived')"
ACCEPTED_STATUS = "status in ('accepted', 'accepted_with_queries')"
UNUSABLE = "value is null or value_status = 'low_coverage'"

# Metric, what it is grouped by, and the same question as plain SQL.
BY_DIMENSION: dict[str, tuple[list[str], str]] = {
    "students_counted": (
        ["indicator"],
        f"select indicator_id, sum(numerator) filter (denominator is not null) from {TOTALS} group by 1",
    ),
    "students_in_denominator": (
        ["indicator", "community__state"],
        f"select indicator_id, state, sum(denominator) filter (numerator is not null) from {TOTALS} "
        "join dim_community using (community_id) group by 1, 2",
    ),
    "pooled_rate": (
        ["indicator", "indicator_value__school_year_end__year"],
        f"select indicator_id, school_year, {RATE} "
        f"from {POOLABLE} where poolable and geography_level = 'community' and period = 'annual' "
        "and population_group_id = 'all' group by 1, 2",
    ),
    "group_students_counted": (
        ["population_group", "indicator"],
        f"select population_group_id, indicator_id, sum(numerator) filter (denominator is not null) from {GROUPS} "
        "group by 1, 2",
    ),
    "group_students_in_denominator": (
        ["population_group"],
        f"select population_group_id, sum(denominator) filter (numerator is not null) from {GROUPS} group by 1",
    ),
    "pooled_group_rate": (
        ["population_group", "indicator"],
        f"select population_group_id, indicator_id, {RATE} "
        f"from {GROUPS} join dim_indicator using (indicator_id) where poolable group by 1, 2",
    ),
    "values_held": (
        ["indicator_value__value_status"],
        "select value_status, count(*) from fct_indicator_value group by 1",
    ),
    "values_without_number": (
        ["indicator__outcome_id"],
        f"select outcome_id, count(*) filter ({UNUSABLE}) from fct_indicator_value "
        "join dim_indicator using (indicator_id) group by 1",
    ),
    "share_without_number": (
        ["community"],
        f"select community_id, count(*) filter ({UNUSABLE}) / count(*) from fct_indicator_value group by 1",
    ),
    "submissions_expected": (
        ["community_year__reporting_year_end__year"],
        f"select reporting_year, count(*) filter ({EXPECTED_STATUS}) from fct_submission_status group by 1",
    ),
    "submissions_accepted": (
        ["community__state"],
        f"select state, count(*) filter ({ACCEPTED_STATUS}) from fct_submission_status "
        "join dim_community using (community_id) group by 1",
    ),
    "submission_rate": (
        ["community"],
        f"select community_id, count(*) filter (is_due and {ACCEPTED_STATUS}) / nullif(count(*) filter (is_due), 0) "
        "from fct_submission_status group by 1",
    ),
    "submissions_due": (
        ["community_year__reporting_year_end__year"],
        "select reporting_year, count(*) filter (is_due) from fct_submission_status group by 1",
    ),
    "submissions_due_accepted": (
        ["community__state"],
        f"select state, count(*) filter (is_due and {ACCEPTED_STATUS}) from fct_submission_status "
        "join dim_community using (community_id) group by 1",
    ),
    "rows_checked": (
        ["community_year__status"],
        "select status, sum(rows_accepted + rows_rejected) from fct_submission_status group by 1",
    ),
    "rows_taken": (
        ["community_year__reporting_year_end__year", "community"],
        "select reporting_year, community_id, rows_accepted from fct_submission_status",
    ),
    "validity_rate": (
        ["community_year__reporting_year_end__year"],
        "select reporting_year, sum(rows_accepted) / nullif(sum(rows_accepted + rows_rejected), 0) "
        "from fct_submission_status group by 1",
    ),
    "community_years": (
        ["community_year__status"],
        "select status, count(*) from fct_submission_status group by 1",
    ),
    "outcomes_judged": (
        ["outcome_status__trend_status"],
        "select trend_status, count(*) from rpt_outcome_status_current group by 1",
    ),
    "outcomes_determined": (
        ["outcome"],
        "select outcome_id, count(*) filter (trend_status != 'undetermined') from rpt_outcome_status_current "
        "group by 1",
    ),
    "outcomes_improving": (
        ["outcome_status__known_in__year"],
        "select reporting_year, count(*) filter (trend_status = 'improving') from fct_outcome_status group by 1",
    ),
    "share_improving": (
        ["outcome_status__known_in__year", "outcome"],
        "select reporting_year, outcome_id, share_improving from fct_network_outcome",
    ),
    "outcomes_with_gap_verdict": (
        ["community"],
        "select community_id, count(*) filter (gap_reduced != 'undetermined') from rpt_outcome_status_current "
        "group by 1",
    ),
    "outcomes_gap_reduced": (
        ["outcome_status__known_in__year"],
        "select reporting_year, count(*) filter (gap_reduced = 'met') from fct_outcome_status group by 1",
    ),
    "share_gap_reduced": (
        ["outcome_status__known_in__year", "outcome"],
        "select reporting_year, outcome_id, share_gap_reduced from fct_network_outcome",
    ),
}

SAVED: dict[str, tuple[list[str], str]] = {
    "pooled_rates_by_year": (
        ["indicator_value__school_year_end__year", "indicator", "pooled_rate"],
        f"select school_year, indicator_id, {RATE} "
        f"from {POOLABLE} where poolable and geography_level = 'community' and period = 'annual' "
        "and population_group_id = 'all' group by 1, 2",
    ),
    "pooled_group_rates_by_year": (
        ["indicator_value__school_year_end__year", "indicator", "population_group", "pooled_group_rate"],
        "select school_year, indicator_id, population_group_id, "
        f"{RATE} "
        f"from {POOLABLE} where poolable and geography_level = 'community' and period = 'annual' "
        "and population_group_id != 'all' group by 1, 2, 3",
    ),
    "submissions_by_year": (
        [
            "community_year__reporting_year_end__year",
            "submissions_expected",
            "submissions_accepted",
            "submissions_due",
            "submission_rate",
        ],
        f"select reporting_year, count(*) filter ({EXPECTED_STATUS}), count(*) filter ({ACCEPTED_STATUS}), "
        f"count(*) filter (is_due) as due, count(*) filter (is_due and {ACCEPTED_STATUS}) / nullif(due, 0) "
        "from fct_submission_status group by 1",
    ),
    "outcomes_by_year": (
        ["outcome_status__known_in__year", "outcome", "share_improving", "share_gap_reduced"],
        "select reporting_year, outcome_id, share_improving, share_gap_reduced from fct_network_outcome",
    ),
}


def test_every_metric_and_saved_query_is_asked_here(metrics: Metrics) -> None:
    assert {metric.name for metric in metrics.engine.list_metrics()} == BY_DIMENSION.keys()
    assert {query.name for query in metrics.engine.list_saved_queries()} == SAVED.keys()


@pytest.mark.parametrize("metric", BY_DIMENSION)
def test_a_metric_answers_what_plain_sql_answers(metric: str, metrics: Metrics) -> None:
    group_by, query = BY_DIMENSION[metric]
    expected = metrics.sql(query)
    found = metrics.ask([metric], group_by)
    assert any(row[-1] for row in expected), "the release holds nothing to ask for"
    assert same(found, expected), (found, expected)


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_query_answers_what_plain_sql_answers(name: str, metrics: Metrics) -> None:
    columns, query = SAVED[name]
    expected = metrics.sql(query)
    assert len(expected) > 1
    assert same(metrics.saved(name, columns), expected)


def test_the_total_of_a_rate_is_counts_over_counts_and_no_mean_of_rates(metrics: Metrics) -> None:
    graduation = ["{{ Entity('indicator') }} = 'graduation_4yr_pct'"]
    ((total,),) = metrics.ask(["pooled_rate"], where=graduation)
    parts = metrics.ask(
        ["pooled_rate", "students_counted", "students_in_denominator"],
        ["community"],
        graduation,
    )
    own = "indicator_id = 'graduation_4yr_pct'"
    latest = metrics.sql(f"select community_id, {RATE} from {TOTALS} where {own} group by 1")
    of_latest = dict(latest)
    reported = [(rate, counted, of) for name, rate, counted, of in parts if of_latest.get(name) is not None]
    assert len(reported) > 2
    counted, of = (math.fsum(part[place] for part in reported) for place in (1, 2))
    assert total == pytest.approx(counted / of, abs=1e-12)
    mean = math.fsum(rate for rate, _, _ in reported) / len(reported)
    assert abs(total - mean) > 1e-6, "communities of one size cannot tell a mean from a ratio"


def test_a_total_counts_no_student_twice(metrics: Metrics) -> None:
    """Quill Harbor sent five cohorts of 100 students, group all, 326 of whom graduated as restated."""
    where = ["{{ Entity('community') }} = 'quill_harbor' and {{ Entity('indicator') }} = 'graduation_4yr_pct'"]
    asked = ["students_counted", "students_in_denominator"]
    years = metrics.ask(asked, ["indicator_value__school_year_end__year"], where)
    assert [math.fsum(row[place] for row in years) for place in (1, 2)] == [326.0, 500.0]
    assert metrics.ask(asked, where=where) == [max(years)[1:]], "two years of a rate are never added up"


def test_a_rate_asked_without_a_year_is_that_of_each_indicators_latest_year(metrics: Metrics) -> None:
    by_year = metrics.ask(["pooled_rate"], ["indicator", "indicator_value__school_year_end__year"])
    last = {indicator: max(year for name, year, _ in by_year if name == indicator) for indicator, _, _ in by_year}
    expected = [(name, rate) for name, year, rate in by_year if year == last[name]]
    assert len(by_year) > len(expected) > 1
    assert same(metrics.ask(["pooled_rate"], ["indicator"]), expected)


def test_as_known_rows_of_two_years_are_never_added_up(metrics: Metrics) -> None:
    """Asked without a reporting year, an as-known metric speaks of the latest one."""
    ((latest,),) = metrics.sql("select count(*) filter (trend_status = 'improving') from rpt_outcome_status_current")
    ((all_years,),) = metrics.sql("select count(*) filter (trend_status = 'improving') from fct_outcome_status")
    assert metrics.ask(["outcomes_improving"]) == [(latest,)]
    assert all_years > latest > 0


# --- The tables of the dashboard, which ask by SQL alone -------------------------------------------------------------

PRIMARY = {
    "annual_counts": "indicator_value",
    "submission_years": "community_year",
    "outcome_statuses": "outcome_status",
}
TABLES = [yaml.safe_load((FOLDER / "datasets" / f"{name}.yaml").read_text(encoding="utf-8")) for name in PRIMARY]
# What a count or rate must not be added up over, as the engine calls it.
OF_ONE = {
    "annual_counts": ["indicator", "population_group", "indicator_value__school_year_end__year"],
    "submission_years": ["community_year__reporting_year_end__year"],
    "outcome_statuses": ["outcome_status__known_in__year"],
}
SHOWN = [(table, metric) for table in TABLES for metric in table["metrics"]]


def column_of(name: str, table: str) -> str:
    """The column of the dashboard's table that the engine's name stands for."""
    owner, _, rest = name.partition("__")
    if not rest:
        return f"{name}_id"
    column = rest.removesuffix("__year")
    return column if owner == PRIMARY[table] else f"{owner}_{column}"


@pytest.mark.parametrize(("table", "metric"), SHOWN, ids=[metric["metric_name"] for _, metric in SHOWN])
def test_a_table_of_the_dashboard_answers_what_the_engine_answers(
    table: dict[str, Any], metric: dict[str, Any], metrics: Metrics
) -> None:
    name, own = metric["metric_name"], table["table_name"]
    group_by = list(dict.fromkeys([*OF_ONE[own], "community__state", *BY_DIMENSION[name][0]]))
    columns = ", ".join(column_of(part, own) for part in group_by)
    asked = f"select {columns}, {metric['expression']} from ({table['sql']}) as asked group by {columns}"
    found = [row for row in metrics.sql(asked) if row[-1] is not None]
    expected = [row for row in metrics.ask([name], group_by) if row[-1] is not None]
    assert found and same(found, expected)


@pytest.mark.parametrize(("table", "metric"), SHOWN, ids=[metric["metric_name"] for _, metric in SHOWN])
def test_a_figure_over_what_must_not_be_added_up_is_empty_on_the_dashboard(
    table: dict[str, Any], metric: dict[str, Any], metrics: Metrics
) -> None:
    ((found,),) = metrics.sql(f"select {metric['expression']} from ({table['sql']}) as asked")
    assert (found is None) == ("It is empty where" in metric["description"])


def test_a_table_of_the_dashboard_has_the_rows_of_its_mart(metrics: Metrics) -> None:
    for path in sorted((FOLDER / "datasets").glob("*.yaml")):
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        mart = re.search(r"from (marts\.\w+)|\(select \*, .* from (marts\.\w+)\)", table["sql"])
        assert mart, path
        asked = f"select count(*) from ({table['sql']})", f"select count(*) from {mart[1] or mart[2]}"
        assert metrics.sql(asked[0]) == metrics.sql(asked[1]), path.name
