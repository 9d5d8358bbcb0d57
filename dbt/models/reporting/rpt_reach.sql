-- How many children the network reaches, by year: every place once, with how many communities and states it rests on.
-- Belongs here: sums over the places of fct_reach, and how they were made.
-- Does not: estimate places without a line.
with places as (
    select * from {{ ref('fct_reach') }}
),

members as (
    select
        places.reach_year,
        count(distinct communities.community_id) as n_communities,
        count(distinct communities.state) as n_states
    from places
    inner join {{ ref('dim_community') }} as communities
        on ', ' || places.communities || ',' like '%, ' || communities.community_id || ',%'
    group by places.reach_year
),

sums as (
    select
        reach_year,
        count(*) as n_places,
        sum(children) as children,
        sum(children_of_color) as children_of_color,
        sum(case when n_communities > 1 then 1 else 0 end) as n_shared
    from places
    group by reach_year
)

select
    sums.reach_year,
    cast(members.n_communities as integer) as n_communities,
    cast(members.n_states as integer) as n_states,
    cast(sums.n_places as integer) as n_places,
    cast(sums.n_shared as integer) as n_shared_places,
    cast(sums.children as bigint) as children,
    cast(sums.children_of_color as bigint) as children_of_color,
    'sum over places, a place of several communities once' as method
from sums
inner join members on sums.reach_year = members.reach_year
