-- Gaps: each group against the reference group of its dimension, as known in every reporting year.
-- Belongs here: both slopes, their difference and the class.
-- Does not: verdicts over several groups (fct_outcome_status).
select
    community_id::varchar as community_id,
    indicator_id::varchar as indicator_id,
    population_group_id::varchar as population_group_id,
    geography_id::varchar as geography_id,
    reporting_year::integer as reporting_year,
    outcome_id::varchar as outcome_id,
    reference_group_id::varchar as reference_group_id,
    first_year::integer as first_year,
    last_year::integer as last_year,
    n_years::integer as n_years,
    first_gap::double as first_gap,
    last_gap::double as last_gap,
    group_slope::double as group_slope,
    reference_slope::double as reference_slope,
    slope_difference::double as slope_difference,
    gap_status::varchar as gap_status,
    reference_declined::boolean as reference_declined,
    reason::varchar as reason,
    standing::varchar as standing,
    dimension::varchar as dimension,
    series::varchar as series,
    fitted_last_gap::double as fitted_last_gap,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_gap') }}
