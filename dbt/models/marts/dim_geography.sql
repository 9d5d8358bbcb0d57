-- Places that values speak of: communities, places listed in the seeds, places that only the files name.
-- Belongs here: one row per community and place, the best known description of it.
-- Does not: map labels to places (crosswalks), or places of communities outside the network.
with places as (
    select
        community_id, community_id as geography_id, name, 'community' as geography_level,
        cast(null as varchar) as parent_id, cast(null as varchar) as code_system, cast(null as varchar) as code,
        cast(null as integer) as valid_from, cast(null as integer) as valid_to, 'network' as known_by, 1 as preference
    from {{ ref('stg_network__communities') }}
    union all
    select
        community_id, geography_id, name, geography_level,
        parent_id, code_system, code,
        valid_from, valid_to, 'seed' as known_by, 2 as preference
    from {{ ref('stg_network__geographies') }}
    where community_id in (select community_id from {{ ref('stg_network__communities') }})
    union all
    select
        community_id, geography_id, geography_id as name, max(geography_level) as geography_level,
        community_id as parent_id, null as code_system, null as code,
        null as valid_from, null as valid_to, 'submission' as known_by, 3 as preference
    from (
        select community_id, geography_id, geography_level from {{ ref('int_values__versioned') }}
        union all
        select community_id, geography_id, geography_level from {{ ref('int_program_values__accepted') }}
    ) as submitted
    group by community_id, geography_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by community_id, geography_id
            order by preference, valid_to desc nulls first, valid_from desc nulls last, name
        ) as place_no
    from places
)

select
    community_id,
    geography_id,
    name,
    geography_level,
    parent_id,
    code_system,
    code,
    valid_from,
    valid_to,
    known_by
from ranked
where place_no = 1
