-- Places that the network reaches in a year, each once, whichever communities serve it.
-- Belongs here: members of that year; where lines of one place differ the largest count, marked as such.
-- Does not: totals (rpt_reach), or shares of a place that only a part of a community serves.
select
    reach.geoid,
    reach.reach_year,
    max(reach.children) as children,
    max(reach.children_of_color) as children_of_color,
    cast(count(distinct reach.community_id) as integer) as n_communities,
    {{ joined_words('reach.community_id', ', ') }} as communities,
    {{ joined_words('communities.state', ', ') }} as states,
    min(reach.children) = max(reach.children) as lines_agree,
    {{ joined_words('reach.source', '; ') }} as source
from {{ ref('stg_network__reach') }} as reach
inner join {{ ref('stg_network__communities') }} as communities
    on reach.community_id = communities.community_id
    and reach.reach_year >= communities.joined_year
    and reach.reach_year <= coalesce(communities.left_year, {{ var('end_of_time') }})
group by reach.geoid, reach.reach_year
