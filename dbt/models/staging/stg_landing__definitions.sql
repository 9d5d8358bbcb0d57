-- Terms as communities defined them, every reporting year that states one.
-- Belongs here: names and types of landing table register_definitions.
-- Does not: choose among years.
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(term as varchar) as term,
    cast(text as varchar) as text,
    cast(approved_on as date) as approved_on
from {{ source('landing', 'register_definitions') }}
