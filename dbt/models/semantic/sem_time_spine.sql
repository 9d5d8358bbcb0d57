-- Days without a hole over all school and reporting years: the time axis that metrics are joined to.
-- Belongs here: one column of dates.
-- Does not: facts about a day; the network's calendar is dim_reporting_year.
with bounds as (
    select min(school_year) - 1 as first_year, max(school_year) as last_year
    from {{ ref('dim_school_year') }}
)

select {{ every_day('first_year', 'last_year') }} as date_day
from bounds
