-- Every community in every reporting year, and what its folder would be called if it is not there.
-- Belongs here: not expected, waived, late or expected, from the calendar and the run's own today.
-- Does not: the state of a folder that is there (fct_submission_status).
with reporting_years as (
    select
        {{ every_number('first_reporting_year', 'last_reporting_year') }} as reporting_year,
        today
    from {{ ref('stg_landing__run_context') }}
)

select
    communities.community_id,
    reporting_years.reporting_year,
    calendar.due_on,
    waivers.reason as waiver_reason,
    case
        when reporting_years.reporting_year < communities.joined_year then 'not_expected'
        when reporting_years.reporting_year > communities.left_year then 'not_expected'
        when waivers.community_id is not null then 'waived'
        when reporting_years.today > calendar.due_on then 'late'
        else 'expected'
    end as status_without_folder,
    case
        when reporting_years.reporting_year < communities.joined_year then false
        when reporting_years.reporting_year > communities.left_year then false
        when waivers.community_id is not null then false
        else coalesce(reporting_years.today > calendar.due_on, false)
    end as is_past_due
from {{ ref('stg_network__communities') }} as communities
cross join reporting_years
left join {{ ref('stg_network__calendar') }} as calendar using (reporting_year)
left join {{ ref('stg_network__waivers') }} as waivers using (community_id, reporting_year)
