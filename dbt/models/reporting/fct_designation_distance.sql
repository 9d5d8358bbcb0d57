-- How far a community is from being eligible: the value the next year must reach for a slope to turn.
-- Belongs here: exact thresholds for every requirement that is not met, nearest first.
-- Does not: forecast, or judge how likely a value is.
select
    community_id::varchar as community_id,
    designation::varchar as designation,
    reporting_year::integer as reporting_year,
    requirement_id::varchar as requirement_id,
    rank::integer as rank,
    needed_more::integer as needed_more,
    outcome_id::varchar as outcome_id,
    indicator_id::varchar as indicator_id,
    population_group_id::varchar as population_group_id,
    current_status::varchar as current_status,
    required_status::varchar as required_status,
    next_year::integer as next_year,
    window_first_year::integer as window_first_year,
    n_points::integer as n_points,
    last_year::integer as last_year,
    last_value::double as last_value,
    required_value::double as required_value,
    comparison::varchar as comparison,
    change_needed::double as change_needed,
    possible::boolean as possible,
    reason::varchar as reason,
    statement::varchar as statement,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_designation_distance') }}
