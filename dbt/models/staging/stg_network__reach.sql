-- Places that communities serve, by public code, with the children who live there.
-- Belongs here: names and types of seed network/reach.
-- Does not: count a place of several communities once (fct_reach).
select
    trim(community_id) as community_id,
    trim(geoid) as geoid,
    cast(trim({{ adapter.quote('year') }}) as integer) as reach_year,
    cast(trim(children) as bigint) as children,
    cast(trim(children_of_color) as bigint) as children_of_color,
    trim(source) as source
from {{ ref('reach') }}
