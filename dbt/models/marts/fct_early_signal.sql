-- Values of months, quarters and terms beside the core indicator of the same outcome.
-- Belongs here: each value within a year, and the core indicator's latest annual value of the same group and place.
-- Does not: say that one causes or foretells the other; nothing here enters a trend.
with annual as (
    select
        *,
        row_number() over (
            partition by community_id, indicator_id, population_group_id, geography_id
            order by school_year desc, series desc
        ) as year_no
    from {{ ref('fct_indicator_value') }}
    where period = 'annual' and value is not null
),

core as (
    select outcome_id, indicator_id
    from {{ ref('dim_indicator') }}
    where role = 'core' and is_primary
)

select
    early.community_id,
    early.indicator_id,
    early.population_group_id,
    early.geography_id,
    early.school_year,
    early.series,
    early.period,
    case
        when substr(early.period, 6, 1) = 'Q' then 'quarter'
        when substr(early.period, 6, 1) in ('0', '1') then 'month'
        else 'term'
    end as period_kind,
    early.value,
    early.value_status,
    indicators.outcome_id,
    core.indicator_id as core_indicator_id,
    annual.school_year as core_school_year,
    annual.value as core_value
from {{ ref('fct_indicator_value') }} as early
inner join {{ ref('dim_indicator') }} as indicators on early.indicator_id = indicators.indicator_id
left join core on indicators.outcome_id = core.outcome_id
left join annual
    on early.community_id = annual.community_id
    and core.indicator_id = annual.indicator_id
    and early.population_group_id = annual.population_group_id
    and early.geography_id = annual.geography_id
    and annual.year_no = 1
where early.period != 'annual'
