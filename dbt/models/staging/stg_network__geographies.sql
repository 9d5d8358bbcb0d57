-- Places within communities, with the school years they were valid in.
-- Belongs here: names and types of seed network/geographies.
-- Does not: drop lines of communities outside the network (the joins of its readers do).
select
    trim(geography_id) as geography_id,
    trim(community_id) as community_id,
    trim(name) as name,
    trim(geography_level) as geography_level,
    trim(parent_id) as parent_id,
    trim(code_system) as code_system,
    trim(code) as code,
    cast(valid_from as integer) as valid_from,
    cast(valid_to as integer) as valid_to
from {{ ref('geographies') }}
