-- Staff, leadership and board by groups beside the community's people by the same groups, as last submitted.
-- Belongs here: shares of the newest register, and whether the groups of a dimension fit into their total.
-- Does not: judge whether a body looks like the community (reviewers do), or leave the house: bodies are small.
with newest as (
    select community_id, max(reporting_year) as reporting_year
    from {{ ref('stg_landing__staff_composition') }}
    group by community_id
),

counted as (
    select
        composition.*,
        max(case when population_group_id = 'all' then people end) over body as people_total,
        max(case when population_group_id = 'all' then community_people end) over body as community_total,
        sum(people) over dimension as people_of_groups,
        sum(community_people) over dimension as community_of_groups
    from {{ ref('stg_landing__staff_composition') }} as composition
    inner join newest using (community_id, reporting_year)
    window
        body as (partition by community_id, body),
        dimension as (partition by community_id, body, (population_group_id = 'all'), dimension)
),

-- Groups that hold more than their total are no shares of it.
fitting as (
    select
        *,
        coalesce(people_of_groups <= people_total, false) as people_fit,
        coalesce(community_of_groups <= community_total, false) as community_fit
    from counted
),

shares as (
    select
        *,
        case when people_fit then 100 * cast(people as double) / nullif(people_total, 0) end as share_pct,
        case
            when community_fit then 100 * cast(community_people as double) / nullif(community_total, 0)
        end as community_share_pct
    from fitting
)

select
    community_id,
    body,
    population_group_id,
    people,
    people_total,
    share_pct,
    community_people,
    community_total,
    community_share_pct,
    share_pct - community_share_pct as difference_points,
    people_fit and community_fit as groups_fit_total,
    source,
    reporting_year
from shares
