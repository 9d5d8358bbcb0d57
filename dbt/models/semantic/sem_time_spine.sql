-- Days without a hole over all school and reporting years: the time axis that metrics are joined to.
-- Belongs here: one column of dates.
-- Does not: facts about a day; the network's calendar is dim_reporting_year.
select unnest(
    generate_series(
        make_date(min(school_year) - 1, 1, 1)::timestamp,
        make_date(max(school_year), 12, 31)::timestamp,
        interval 1 day
    )
)::date as date_day
from {{ ref('dim_school_year') }}
