-- The one row that says what day the run takes for today, its ruleset, and its reporting years.
-- Belongs here: names and types of landing table run_context.
-- Does not: look at a clock.
select
    cast(today as date) as today,
    cast(ruleset_id as varchar) as ruleset_id,
    cast(ruleset_version as varchar) as ruleset_version,
    cast(first_reporting_year as integer) as first_reporting_year,
    cast(last_reporting_year as integer) as last_reporting_year
from {{ source('landing', 'run_context') }}
