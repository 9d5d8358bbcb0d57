-- When each reporting year opens and is due.
-- Belongs here: names and types of seed network/calendar.
-- Does not: lateness (int_community_years__expected).
select
    cast(reporting_year as integer) as reporting_year,
    cast(opens_on as date) as opens_on,
    cast(due_on as date) as due_on
from {{ ref('calendar') }}
