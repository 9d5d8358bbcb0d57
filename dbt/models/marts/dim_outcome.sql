-- The seven outcomes from cradle to career, and outcomes of adjacent sectors.
-- Belongs here: names, order, sector.
-- Does not: statuses (fct_outcome_status).
select outcome_id, name, position, sector
from {{ ref('stg_dictionary__outcomes') }}
