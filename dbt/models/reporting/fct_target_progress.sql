-- Targets against the latest value and the fitted slope, as known in every reporting year.
-- Belongs here: what slope a target asks for and whether the fitted one is enough.
-- Does not: judge a community by its targets.
select
    community_id::varchar as community_id,
    indicator_id::varchar as indicator_id,
    population_group_id::varchar as population_group_id,
    geography_id::varchar as geography_id,
    reporting_year::integer as reporting_year,
    deadline::date as deadline,
    horizon::varchar as horizon,
    outcome_id::varchar as outcome_id,
    target_value::double as target_value,
    set_in_reporting_year::integer as set_in_reporting_year,
    status::varchar as status,
    is_in_force::boolean as is_in_force,
    baseline_value::double as baseline_value,
    baseline_year::integer as baseline_year,
    latest_value::double as latest_value,
    latest_year::integer as latest_year,
    fitted_slope::double as fitted_slope,
    required_slope::double as required_slope,
    progress_share::double as progress_share,
    reason::varchar as reason,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_target_progress') }}
