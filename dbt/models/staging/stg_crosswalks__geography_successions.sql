-- What follows a place that ends, and the share of its students that it takes over.
-- Belongs here: names and types of seed crosswalks/geography_successions.
-- Does not: carry a share over several successions (dim_geography_succession), or check weights (base/seeds/lint.py).
select
    trim(community_id) as community_id,
    trim(geography_id) as geography_id,
    trim(successor_id) as successor_id,
    cast(weight as double) as weight,
    trim(note) as note
from {{ ref('geography_successions') }}
