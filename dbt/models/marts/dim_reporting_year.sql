-- Reporting years from the network's first to the year of the run's today.
-- Belongs here: the calendar of each, and which is the latest.
-- Does not: a community's own duty to report (fct_submission_status).
with years as (
    select
        {{ every_number('first_reporting_year', 'last_reporting_year') }} as reporting_year,
        last_reporting_year
    from {{ ref('stg_landing__run_context') }}
)

select
    years.reporting_year,
    calendar.opens_on,
    calendar.due_on,
    years.reporting_year = years.last_reporting_year as is_latest
from years
left join {{ ref('stg_network__calendar') }} as calendar using (reporting_year)
