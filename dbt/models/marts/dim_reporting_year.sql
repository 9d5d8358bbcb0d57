-- Reporting years from the network's first to the year of the run's today.
-- Belongs here: the calendar of each, and which is the latest: the newest in which a folder was accepted.
-- Does not: a community's own duty to report (fct_submission_status).
with years as (
    select
        {{ every_number('first_reporting_year', 'last_reporting_year') }} as reporting_year,
        last_reporting_year
    from {{ ref('stg_landing__run_context') }}
),

-- A year that has only begun holds nothing but stale figures: report and rpt_ tables speak of the one before.
accepted as (
    select max(reporting_year) as reporting_year
    from {{ ref('stg_landing__submissions') }}
    where status in ('accepted', 'accepted_with_queries')
)

select
    years.reporting_year,
    calendar.opens_on,
    calendar.due_on,
    years.reporting_year = coalesce(accepted.reporting_year, years.last_reporting_year) as is_latest,
    cast(cast(years.reporting_year as varchar) || '-12-31' as date) as reporting_year_date
from years
cross join accepted
left join {{ ref('stg_network__calendar') }} as calendar on years.reporting_year = calendar.reporting_year
