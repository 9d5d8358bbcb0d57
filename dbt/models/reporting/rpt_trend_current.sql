-- Trends as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_trend).
select
    latest.community_id,
    latest.indicator_id,
    latest.population_group_id,
    latest.geography_id,
    latest.reporting_year,
    latest.outcome_id,
    latest.series,
    latest.first_year,
    latest.last_year,
    latest.n_years,
    latest.slope,
    latest.intercept,
    latest.slope_stderr,
    latest.slope_ci_low,
    latest.slope_ci_high,
    latest.r_squared,
    latest.adjusted_slope,
    latest.trend_status,
    latest.reason,
    latest.slope_weighted,
    latest.slope_theil_sen,
    latest.slope_binomial_low,
    latest.slope_binomial_high,
    latest.prob_slope_positive,
    latest.robustness,
    latest.ruleset_version,
    communities.name as community_name,
    indicators.name as indicator_name,
    groups.label as group_label
from {{ ref('fct_trend') }} as latest
semi join (
    select reporting_year from {{ ref('dim_reporting_year') }} where is_latest
) using (reporting_year)
left join {{ ref('dim_community') }} as communities using (community_id)
left join {{ ref('dim_indicator') }} as indicators using (indicator_id)
left join {{ ref('dim_population_group') }} as groups using (population_group_id)
