"""Earlier values as everybody may know them: the rows of a public edition, for a check outside the house.

Belongs here: public rows in the shape that comparisons read, the rules that such rows cannot carry.
Does not: the check (check.py), what is public and what is withheld (lib/publish/public), any other table.
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import MARTS
from dagster_project.lib.intake.tables import OBSERVATIONS
from dagster_project.lib.member.check import ACROSS_YEARS, ANSWERS, History, NoHistoryError

SKIPPED = (*("group_appears", "group_vanishes", "nothing_new", "new_series", "shared_cause"), *ACROSS_YEARS)
"""Rules that withheld rows, and registers and answers that are not public, would mislead."""
SOURCE = "the public edition"
ROWS = f"""
select *, "group" as group_code
from {MARTS}.fct_indicator_value
join {MARTS}.dim_population_group using (population_group_id)
where origin = 'submitted' and value_status <> 'withheld'
order by community_id, reporting_year, indicator_id, population_group_id, geography_id, school_year, series, period
"""


def public_history(release: Connection) -> History:
    """What public.duckdb holds of all communities' submitted rows; NoHistoryError for a database that is none."""
    found = release.execute(
        "select count(*) from information_schema.tables where table_schema = ? and table_name = any(?)",
        [MARTS, ["fct_indicator_value", "dim_population_group"]],
    ).fetchone()
    if found != (2,):
        raise NoHistoryError("it does not hold the tables of a public edition")
    rows = release.execute(ROWS).pl()
    told = {"source_file": SOURCE, "row_status": "accepted", "data_level": "population"}
    known = rows.with_columns(pl.lit(text).alias(name) for name, text in told.items())
    missing = [pl.lit(None, kind).alias(name) for name, kind in OBSERVATIONS.items() if name not in known.columns]
    observations = known.with_columns(missing).select(list(OBSERVATIONS)).cast(OBSERVATIONS)
    return History(observations, pl.DataFrame(schema=ANSWERS), {}, skipped=SKIPPED)
