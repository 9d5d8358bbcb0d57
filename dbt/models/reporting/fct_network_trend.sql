-- Trends over the whole network by indicator and group.
-- Belongs here: counts by status, quartiles of slopes, pooled slopes where a definition is national.
-- Does not: rank communities.
select
    indicator_id::varchar as indicator_id,
    population_group_id::varchar as population_group_id,
    reporting_year::integer as reporting_year,
    outcome_id::varchar as outcome_id,
    n_communities::integer as n_communities,
    n_improving::integer as n_improving,
    n_maintained::integer as n_maintained,
    n_declining::integer as n_declining,
    n_undetermined::integer as n_undetermined,
    slope_median::double as slope_median,
    slope_q1::double as slope_q1,
    slope_q3::double as slope_q3,
    pooled_slope::double as pooled_slope,
    fixed_effects_slope::double as fixed_effects_slope,
    window_first_year::integer as window_first_year,
    window_last_year::integer as window_last_year,
    window_n_years::integer as window_n_years,
    panel_size::integer as panel_size,
    pooled_rate_last::double as pooled_rate_last,
    fixed_effects_units::integer as fixed_effects_units,
    communities_entered::varchar as communities_entered,
    communities_left::varchar as communities_left,
    panel_entered::varchar as panel_entered,
    panel_left::varchar as panel_left,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_network_trend') }}
