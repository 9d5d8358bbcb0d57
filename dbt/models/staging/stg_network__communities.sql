-- The network's communities as text and whole years; a swapped file guarantees only the first four columns.
-- Belongs here: names and types of seed network/communities.
-- Does not: which years a community is expected in (int_community_years__expected).
select
    trim(community_id) as community_id,
    trim(name) as name,
    trim(state) as state,
    try_cast(trim(cast(joined_year as varchar)) as integer) as joined_year,
    {{ optional_column(ref('communities'), 'left_year', 'integer') }} as left_year
from {{ ref('communities') }}
