"""The baseline of the whole chain: one plain script from the bucket's files to marts, slopes and designations.

Belongs here: the same reading, checks and analysis as the warehouse, with Polars and DuckDB and nothing around them.
Does not: what surrounds the figures: Dagster, dbt and its tests, lake and ledger, receipts, hashes, report.

Run: python -m benchmarks.plain_chain DROP OUT.duckdb [--seeds seeds] [--today 2026-06-30]
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path

import duckdb
import polars as pl

import contracts
from dagster_project.lib.analysis.tables import FCT_TREND_POINT, TREND_POINT_SPAN
from dagster_project.lib.analysis.tables.spans import each_year
from dagster_project.lib.app.analysis import run_analysis
from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import in_force_on, read_ruleset
from dagster_project.lib.intake.answers import answered, submissions
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import list_drop, open_drop, stray_findings
from dagster_project.lib.intake.findings import FINDINGS, to_findings
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.rows.registers import unfold
from dagster_project.lib.intake.tables import FILES, OBSERVATIONS, REGISTER_ROWS
from dagster_project.lib.intake.take_in import batches, by_version, take_in
from dagster_project.lib.warehouse.landing import all_findings, write_tables

SCHEMAS = {"observations": OBSERVATIONS, "register_rows": REGISTER_ROWS, "findings": FINDINGS, "files": FILES}
KEY = "community_id, indicator_id, series, population_group_id, school_year"

VERSIONS = f"""
create table versions as
select *, reporting_year as known_from, coalesce(lead(reporting_year) over later - 1, 9999) as known_to
from observations
where row_status = 'accepted' and community_id != '{NETWORK_FOLDER}'
window later as (
    partition by community_id, indicator_id, series, geography_id, population_group_id, school_year, period
    order by reporting_year
)
"""
# Sums of districts, reporting year by reporting year; years in which nothing changed are put together at the end.
POOLED = f"""
create table pooled as
with districts as (
    select versions.*, unnest(range(known_from, least(known_to, $last) + 1)) as as_of
    from versions semi join percent_indicators using (indicator_id)
    where period = 'annual' and geography_level = 'district' and geography_id != community_id
),
own as (
    select {KEY}, min(known_from) as own_from from versions
    where period = 'annual' and geography_id = community_id group by all
),
sums as (
    select {KEY}, as_of, sum(numerator)::bigint as numerator, sum(denominator)::bigint as denominator,
        count(*)::integer as n_districts, max(known_from) as newest_from,
        max_by(submission_id, known_from) as submission_id,
        string_agg(distinct source_file, '; ' order by source_file) as source_file
    from districts left join own using ({KEY})
    where numerator is not null and denominator > 0 and (own_from is null or as_of < own_from)
    group by all
),
latest as (
    select sums.community_id, sums.indicator_id, sums.series, sums.population_group_id, sums.school_year, sums.as_of,
        districts.geography_id, max_by(districts.denominator, districts.school_year) as denominator
    from sums
    join districts using (community_id, indicator_id, series, population_group_id, as_of)
    join listed using (community_id, geography_id)
    where districts.school_year <= sums.school_year and districts.denominator is not null
        and sums.school_year between coalesce(valid_from, 0) and coalesce(valid_to, 9999)
    group by all
),
expected as (select {KEY}, as_of, sum(denominator) as expected from latest group by all),
states as (
    select *, row(numerator, denominator, expected, newest_from) as state
    from sums left join expected using ({KEY}, as_of)
),
numbered as (
    select *, as_of - row_number() over (partition by {KEY}, state order by as_of) as run from states
),
runs as (
    select * exclude (as_of), min(as_of) as known_from, max(as_of) as last_as_of from numbered group by all
)
select community_id, indicator_id, population_group_id, community_id as geography_id,
    'community' as geography_level, school_year, series, 'annual' as period, 'percent' as unit,
    100.0 * numerator / denominator as value, numerator, denominator,
    case when denominator::double / nullif(expected, 0) < $min_coverage - 1e-9 then 'low_coverage' else 'derived' end
        as value_status,
    denominator::double / nullif(expected, 0) as coverage, n_districts, submission_id, source_file,
    known_from, case when last_as_of = $last then 9999 else last_as_of end as known_to
from runs
"""
MARTS = (
    """create table marts.fct_indicator_value_history as
    select community_id, indicator_id, population_group_id, geography_id, school_year, series, period, known_from,
        known_to, value, value_low, value_high, numerator, denominator, value_status, origin, coverage, submission_id,
        source_file, source_sheet, source_row, source_column from combined""",
    """create table marts.fct_indicator_value as
    select * exclude (reporting_year, known_from, known_to), known_from as reporting_year
    from combined where known_to = 9999""",
    """create table intermediate.int_values__known as
    select community_id, indicator_id, population_group_id, geography_id, geography_level, series, school_year, value,
        value_low, value_high, numerator, denominator, value_status, coverage, origin, submission_id, source_file,
        source_sheet, source_row, known_from, known_to
    from combined where period = 'annual'""",
    """create table marts.dim_community as
    select community_id, name, state, joined_year::integer as joined_year from communities""",
    """create table marts.dim_outcome as
    select outcome_id, name, position::integer as position, sector from outcomes""",
    """create table marts.dim_indicator as
    select indicator_id, outcome_id, name, role, coalesce(stored_unit, unit) as unit, direction::integer as direction,
        poolable::boolean as poolable from indicators left join units using (unit)""",
    """create table marts.dim_population_group as
    select case when group_code = 'all' then 'all' else dimension || ':' || group_code end as population_group_id,
        dimension, group_code as "group", label from groups where group_code != 'all' or dimension = 'all'""",
    """create table marts.fct_finding as
    select * replace (nullif(community_id, '_network') as community_id) from findings
    qualify row_number() over (partition by finding_id order by reporting_year desc nulls last, submission_id,
        source_file, source_sheet, source_row, source_column) = 1""",
    """create table marts.fct_submission_file as
    select nullif(community_id, '_network') as community_id, reporting_year, name as source_file, submission_id,
        rows_read, rows_accepted, rows_rejected
    from files""",
    """create table marts.fct_submission_status as
    select community_id, reporting_year, coalesce(folders.status, case
            when reporting_year < joined_year::integer or reporting_year > left_year::integer then 'not_expected'
            when waivers.community_id is not null then 'waived'
            when $today > due_on::date then 'late' else 'expected' end) as status,
        submission_id, coalesce(rows_read, 0) as rows_read, coalesce(rows_accepted, 0) as rows_accepted,
        coalesce(rows_rejected, 0) as rows_rejected, coalesce(findings_blocking, 0) as findings_blocking,
        coalesce(findings_open, 0) as findings_open
    from communities cross join (select unnest(range($first, $last + 1))::integer as reporting_year)
    left join folders using (community_id, reporting_year)
    left join (select community_id, reporting_year::integer as reporting_year from waivers) as waivers
        using (community_id, reporting_year)
    left join (select reporting_year::integer as reporting_year, due_on from calendar) as calendar
        using (reporting_year)""",
)
COMBINED = """
create view combined as
select * exclude (row_status, row_reason, raw_indicator, raw_dimension, raw_group, raw_geography, raw_series,
        contract_version, dimension, group_code), null::double as coverage, null::integer as n_districts,
    'submitted' as origin
from versions
union all by name
select *, 'pooled' as origin from pooled
"""


def read_bucket(drop: Path, reference: Reference, today: dt.date) -> dict[str, pl.DataFrame]:
    """All rows, findings and files of the bucket as it stands, one frame a table."""
    bucket = open_drop(str(drop))
    listing = list_drop(bucket, reference.communities["community_id"], reference.reporting_years(today))
    intake = Intake(reference)
    parts: dict[str, list[pl.DataFrame]] = {name: [pl.DataFrame(schema=schema)] for name, schema in SCHEMAS.items()}
    with WorkbookReader(intake.limits) as workbooks:
        for _, folders in sorted(by_version(listing.folders).items()):
            for batch in batches(folders):
                for taken in take_in(intake, batch, bucket, None, workbooks):
                    for name, frame in taken.tables.items():
                        parts[name].append(frame)
    parts["findings"].append(to_findings(stray_findings(listing.strays)).select(list(FINDINGS)))
    return {name: pl.concat(frames) for name, frames in parts.items()}


def tables_of(read: dict[str, pl.DataFrame], reference: Reference, today: dt.date) -> dict[str, pl.DataFrame]:
    """What SQL and analysis start from: rows, files, answered findings, the state of each folder, the registers."""
    registers = {name: unfold(read["register_rows"], it) for name, it in contracts.landed_registers().items()}
    thresholds = read_ruleset(reference, in_force_on(reference, today)).comparison
    told = all_findings(read, registers, reference, thresholds, read["findings"].clear())
    findings = answered(told, registers["explanations"], registers["explanation_decisions"])
    own_files = read["files"].filter(pl.col("community_id") != NETWORK_FOLDER)
    selection = registers["indicator_selection"]
    return {
        "observations": read["observations"],
        "files": read["files"],
        "findings": findings,
        "submissions": submissions(
            own_files, findings, read["observations"], selection, registers["declarations"], reference
        ),
        **{f"register_{name}": frame for name, frame in registers.items()},
    }


def write_marts(database: Path, tables: dict[str, pl.DataFrame], reference: Reference, today: dt.date) -> None:
    """Values, dimensions and states of submissions, in SQL."""
    years = reference.reporting_years(today)
    settings = read_ruleset(reference, in_force_on(reference, today)).parameters
    known: dict[str, object] = {"first": years.start, "last": years.stop - 1, "today": today}
    known["min_coverage"] = float(settings["aggregate.min_coverage"] or 0)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema marts; create schema intermediate")
        for name, frame in _seeds(reference).items():
            connection.register(name, frame.to_arrow())
        for name in ("observations", "files", "findings"):
            connection.register(name, tables[name].to_arrow())
        connection.register("folders", tables["submissions"].to_arrow())
        for statement in (VERSIONS, POOLED, COMBINED, *MARTS):
            used = {name: value for name, value in known.items() if f"${name}" in statement}
            connection.execute(statement, used)


def _seeds(reference: Reference) -> dict[str, pl.DataFrame]:
    units = reference.table("dictionary/units").select("unit", "stored_unit")
    percent = units.filter(pl.col("stored_unit") == "percent")
    valid = pl.col("valid_from", "valid_to").cast(pl.Int32)
    return {
        "communities": reference.communities,
        "outcomes": reference.outcomes,
        "indicators": reference.table("dictionary/indicators"),
        "units": units,
        "groups": reference.groups,
        "waivers": reference.table("network/waivers"),
        "calendar": reference.table("network/calendar"),
        "percent_indicators": reference.indicators.join(percent, on="unit", how="semi").select("indicator_id"),
        "listed": reference.geographies.filter(pl.col("geography_level") == "district")
        .select("community_id", "geography_id", valid)
        .unique(),
    }


def plain_chain(drop: Path, database: Path, seeds: Path, today: dt.date) -> None:
    """The whole chain into one DuckDB file, schema marts."""
    reference = Reference(seeds)
    tables = tables_of(read_bucket(drop, reference, today), reference, today)
    write_marts(database, tables, reference, today)
    with tempfile.TemporaryDirectory() as folder:
        write_tables(tables, Path(folder))
        outcome = run_analysis(database, Path(folder), reference, today, in_force_on(reference, today))
    with duckdb.connect(str(database)) as connection:
        kept = dict(outcome.tables)
        made = {FCT_TREND_POINT.name: each_year(kept.pop(TREND_POINT_SPAN.name)), **kept}
        for name, frame in made.items():
            if name.startswith("fct_"):
                connection.register("frame", frame.to_arrow())
                connection.execute(f"create table marts.{name} as from frame")
                connection.unregister("frame")


def main() -> None:
    """Run the baseline over one bucket."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("drop", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--seeds", type=Path, default=Path(__file__).resolve().parents[1] / "seeds")
    parser.add_argument("--today", type=dt.date.fromisoformat, required=True)
    options = parser.parse_args()
    plain_chain(options.drop, options.database, options.seeds, options.today)


if __name__ == "__main__":
    main()
