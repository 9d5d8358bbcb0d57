-- Gaps as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_gap).
select
    latest.community_id,
    latest.indicator_id,
    latest.population_group_id,
    latest.geography_id,
    latest.reporting_year,
    latest.outcome_id,
    latest.reference_group_id,
    latest.first_year,
    latest.last_year,
    latest.n_years,
    latest.first_gap,
    latest.last_gap,
    latest.group_slope,
    latest.reference_slope,
    latest.slope_difference,
    latest.gap_status,
    latest.reference_declined,
    latest.reason,
    latest.standing,
    latest.dimension,
    latest.series,
    latest.fitted_last_gap,
    latest.ruleset_version,
    communities.name as community_name,
    indicators.name as indicator_name,
    groups.label as group_label
from {{ ref('fct_gap') }} as latest
semi join (
    select reporting_year from {{ ref('dim_reporting_year') }} where is_latest
) using (reporting_year)
left join {{ ref('dim_community') }} as communities using (community_id)
left join {{ ref('dim_indicator') }} as indicators using (indicator_id)
left join {{ ref('dim_population_group') }} as groups using (population_group_id)
