-- Annual values of communities with their names: one row per community, indicator, group, school year and series.
-- Belongs here: the rows that a chart over years is made of, so that no place, quarter or month is counted beside them.
-- Does not: places and shorter periods (fct_indicator_value), or one year alone (rpt_indicator_value_current).
select
    value_rows.community_id,
    value_rows.indicator_id,
    indicators.outcome_id,
    value_rows.population_group_id,
    value_rows.geography_id,
    value_rows.school_year,
    value_rows.series,
    {{ end_of_school_year('value_rows.school_year') }} as school_year_date,
    communities.name as community_name,
    communities.state,
    outcomes.name as outcome_name,
    indicators.name as indicator_name,
    indicators.direction,
    groups.dimension,
    groups.label as group_label,
    value_rows.value,
    value_rows.value_low,
    value_rows.value_high,
    value_rows.numerator,
    value_rows.denominator,
    value_rows.unit,
    value_rows.value_status,
    value_rows.reporting_year as submitted_for
from {{ ref('fct_indicator_value') }} as value_rows
left join {{ ref('dim_community') }} as communities using (community_id)
left join {{ ref('dim_indicator') }} as indicators using (indicator_id)
left join {{ ref('dim_outcome') }} as outcomes using (outcome_id)
left join {{ ref('dim_population_group') }} as groups using (population_group_id)
where value_rows.period = 'annual' and value_rows.geography_id = value_rows.community_id
