-- Results wanted for populations of focus, every reporting year that has some.
-- Belongs here: names and types of landing table register_results.
-- Does not: choose among years.
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(population as varchar) as population,
    cast(statement as varchar) as statement,
    cast(outcome as varchar) as outcome_id
from {{ source('landing', 'register_results') }}
