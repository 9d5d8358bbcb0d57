-- Trends: the slope of every series of values, as known in every reporting year.
-- Belongs here: the estimates of the analysis, in types and names that are promised.
-- Does not: compute, filter or judge anything.
select
    community_id::varchar as community_id,
    indicator_id::varchar as indicator_id,
    population_group_id::varchar as population_group_id,
    geography_id::varchar as geography_id,
    reporting_year::integer as reporting_year,
    outcome_id::varchar as outcome_id,
    series::varchar as series,
    first_year::integer as first_year,
    last_year::integer as last_year,
    n_years::integer as n_years,
    slope::double as slope,
    intercept::double as intercept,
    slope_stderr::double as slope_stderr,
    slope_ci_low::double as slope_ci_low,
    slope_ci_high::double as slope_ci_high,
    r_squared::double as r_squared,
    adjusted_slope::double as adjusted_slope,
    trend_status::varchar as trend_status,
    reason::varchar as reason,
    slope_weighted::double as slope_weighted,
    slope_theil_sen::double as slope_theil_sen,
    slope_binomial_low::double as slope_binomial_low,
    slope_binomial_high::double as slope_binomial_high,
    prob_slope_positive::double as prob_slope_positive,
    robustness::varchar as robustness,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_trend') }}
