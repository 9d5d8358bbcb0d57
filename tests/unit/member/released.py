"""A stand-in for a release's internal database, made from landing tables.

Belongs here: the few marts that check, template and suggest read, with the columns that they read.
Does not: the marts themselves (dbt/), any expectation.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.app.analysis import analysis_inputs
from dagster_project.lib.base.names import ANSWERS_TABLE, DECISIONS_TABLE
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.warehouse.landing import Landed

VIEWS = """
create schema marts;
create schema inputs;
create table marts.fct_indicator_value_history as
    select *, 'submitted' as origin, reporting_year as known_from, coalesce(
        lead(reporting_year) over (
            partition by community_id, indicator_id, series, geography_id, population_group_id, school_year, period
            order by reporting_year
        ) - 1, 9999) as known_to
    from observations where row_status = 'accepted';
create table marts.dim_geography as
    select community_id, geography_id, name, geography_level from places
    union
    select community_id, community_id, community_id, 'community' from submissions
    union
    select community_id, geography_id, geography_id, geography_level from observations
    where geography_id not in (select geography_id from places) and geography_level <> 'community';
create table marts.dim_indicator as
    select indicator_id, unit from indicators;
create table marts.fct_finding as select * from findings;
create table marts.dim_submission as
    select community_id, reporting_year, submission_id, is_current from submission_states;
create table marts.fct_waiting_row as
    select community_id, reporting_year, layout_id, coalesce(raw_indicator, '') as raw_indicator,
        coalesce(raw_dimension, '') as raw_dimension, coalesce(raw_group, '') as raw_group,
        coalesce(raw_geography, '') as raw_geography, count(*) as n_rows
    from (from observations where row_status = 'waiting' union all by name from waiting_register_rows) group by all;
"""


def release_of(landed: Landed, reference: Reference, path: Path) -> Path:
    """Write the database and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        for name in ("observations", "findings", "submissions", "submission_states", "waiting_register_rows"):
            connection.register(name, landed[name])
        connection.register("places", reference.geographies)
        connection.register("indicators", reference.indicators)
        connection.execute(VIEWS)
        for name in (*analysis_inputs(), ANSWERS_TABLE, DECISIONS_TABLE):
            connection.register("input", landed[name])
            connection.execute(f'create table inputs."{name}" as from input')
    return path
