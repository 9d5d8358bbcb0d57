"""The network's own marts that only the national pages read, each absent where an edition or older release lacks it.

Belongs here: which of them are read, and for which years.
Does not: rows of communities that other pages read too (marts.py), or arranging anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dagster_project.lib.base.engine import Connection
from dagster_project.lib.publish.report.arranging import Row
from dagster_project.lib.publish.report.marts import rows_where_there


@dataclass(frozen=True)
class NationalRows:
    """Rows of every reporting year up to the report's, in the order of their keys.

    outcomes: fct_network_outcome; trends: fct_network_trend; reach: rpt_reach; calendar: dim_reporting_year by year;
    gateways: fct_gateway_status of the year before; statuses: dim_status.
    """

    outcomes: list[Row]
    trends: list[Row]
    reach: list[Row]
    calendar: Mapping[int, Row]
    gateways: list[Row]
    statuses: list[Row]


def read_national(connection: Connection, year: int) -> NationalRows:
    """Read them for a report on a reporting year."""
    until, every = f"reporting_year <= {year}", "true"

    def read(table: str, where: str, *keys: str) -> list[Row]:
        return rows_where_there(connection, table, where, *keys)

    return NationalRows(
        outcomes=read("fct_network_outcome", until, "outcome_id", "reporting_year"),
        trends=read("fct_network_trend", until, "indicator_id", "population_group_id", "reporting_year"),
        reach=read("rpt_reach", every, "reach_year"),
        calendar={r["reporting_year"]: r for r in read("dim_reporting_year", every, "reporting_year")},
        gateways=read("fct_gateway_status", f"reporting_year = {year - 1}", "community_id"),
        statuses=read("dim_status", every, "domain", "order_no", "status"),
    )
