-- Every point that a trend looked at, used or not, with the row of the file it came from.
-- Belongs here: why each point was left out.
-- Does not: values outside the analysis (fct_indicator_value).
select
    community_id::varchar as community_id,
    indicator_id::varchar as indicator_id,
    population_group_id::varchar as population_group_id,
    geography_id::varchar as geography_id,
    reporting_year::integer as reporting_year,
    outcome_id::varchar as outcome_id,
    school_year::integer as school_year,
    series::varchar as series,
    value::double as value,
    numerator::bigint as numerator,
    denominator::bigint as denominator,
    used::boolean as used,
    left_out_reason::varchar as left_out_reason,
    submission_id::varchar as submission_id,
    source_file::varchar as source_file,
    source_sheet::varchar as source_sheet,
    source_row::integer as source_row,
    value_status::varchar as value_status,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_trend_point') }}
