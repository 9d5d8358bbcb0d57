-- Latest values with their names: one row per community, indicator, group and place, for charts and spreadsheets.
-- Belongs here: the annual value of the latest school year, as known in the latest reporting year.
-- Does not: earlier school years, so that a naive chart adds up nothing twice (fct_indicator_value has them all).
with ranked as (
    select
        *,
        row_number() over (
            partition by community_id, indicator_id, population_group_id, geography_id
            order by school_year desc, series desc
        ) as year_no
    from {{ ref('fct_indicator_value') }}
    where period = 'annual'
),

latest as (
    select * from ranked where year_no = 1
)

select
    latest.community_id,
    latest.indicator_id,
    indicators.outcome_id,
    latest.population_group_id,
    latest.geography_id,
    reporting_years.reporting_year,
    latest.school_year,
    latest.series,
    {{ end_of_school_year('latest.school_year') }} as school_year_date,
    communities.name as community_name,
    communities.state,
    outcomes.name as outcome_name,
    indicators.name as indicator_name,
    indicators.direction,
    groups.dimension,
    groups.label as group_label,
    geographies.name as geography_name,
    latest.value,
    latest.value_low,
    latest.value_high,
    latest.numerator,
    latest.denominator,
    latest.unit,
    latest.value_status,
    latest.reporting_year as submitted_for
from latest
inner join {{ ref('dim_reporting_year') }} as reporting_years on reporting_years.is_latest
left join {{ ref('dim_community') }} as communities using (community_id)
left join {{ ref('dim_indicator') }} as indicators using (indicator_id)
left join {{ ref('dim_outcome') }} as outcomes using (outcome_id)
left join {{ ref('dim_population_group') }} as groups using (population_group_id)
left join {{ ref('dim_geography') }} as geographies using (community_id, geography_id)
