-- What is known of each core indicator by dimension and school year: groups with a value, masked ones, absent ones.
-- Belongs here: the community's own annual values effective today, and the criteria that ask for the dimension.
-- Does not: whether a criterion is met (fct_criterion_status), or values of places below the community.
with selected as (
    select
        community_id, indicator_id, role, reporting_year,
        max(reporting_year) over (partition by community_id) as newest_year
    from {{ ref('stg_landing__indicator_selection') }}
),

core as (
    select community_id, indicator_id
    from selected
    where reporting_year = newest_year and role = 'core'
    union all
    -- Without a selection the seven primary core indicators of the dictionary stand for it (RULES 5).
    select communities.community_id, indicators.indicator_id
    from {{ ref('stg_network__communities') }} as communities
    cross join {{ ref('dim_indicator') }} as indicators
    where
        indicators.role = 'core'
        and indicators.is_primary
        and communities.community_id not in (select community_id from selected)
),

held as (
    select
        effective.community_id,
        effective.indicator_id,
        effective.school_year,
        effective.population_group_id,
        max(
            case when coalesce(effective.value, effective.value_low, effective.value_high) is null then 0 else 1 end
        ) as has_value
    from {{ ref('fct_indicator_value') }} as effective
    inner join core
        on effective.community_id = core.community_id and effective.indicator_id = core.indicator_id
    where effective.period = 'annual' and effective.geography_id = effective.community_id
    group by
        effective.community_id, effective.indicator_id, effective.school_year, effective.population_group_id
),

years as (
    select distinct community_id, indicator_id, school_year from held
),

listed as (
    select population_groups.dimension, population_groups.population_group_id
    from {{ ref('dim_population_group') }} as population_groups
    inner join {{ ref('stg_dictionary__dimensions') }} as dimensions using (dimension)
    where dimensions.kind in ('demographic', 'total')
),

asked as (
    select
        dimensions.dimension,
        {{ joined_words('criteria.criterion_id', ', ') }} as criteria
    from {{ ref('stg_rubric__criteria') }} as criteria
    inner join {{ ref('stg_dictionary__dimensions') }} as dimensions
        on ' ' || criteria.argument || ' ' like '% ' || dimensions.dimension || ' %'
    where criteria.rule = 'dimension_coverage'
    group by dimensions.dimension
)

select
    years.community_id,
    years.indicator_id,
    listed.dimension,
    years.school_year,
    cast(count(*) as integer) as n_groups,
    cast(sum(coalesce(held.has_value, 0)) as integer) as n_with_value,
    cast(sum(case when held.has_value = 0 then 1 else 0 end) as integer) as n_masked,
    cast(sum(case when held.has_value is null then 1 else 0 end) as integer) as n_absent,
    max(asked.criteria) as criteria
from years
cross join listed
left join held
    on years.community_id = held.community_id
    and years.indicator_id = held.indicator_id
    and years.school_year = held.school_year
    and listed.population_group_id = held.population_group_id
left join asked on listed.dimension = asked.dimension
group by years.community_id, years.indicator_id, listed.dimension, years.school_year
