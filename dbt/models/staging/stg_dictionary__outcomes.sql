-- Outcomes: the seven of the network and those of adjacent sectors.
-- Belongs here: names and types of seed dictionary/outcomes.
-- Does not: which outcomes enter a decision (analysis).
select
    trim(outcome_id) as outcome_id,
    trim(name) as name,
    cast(position as integer) as position,
    trim(sector) as sector
from {{ ref('outcomes') }}
