-- What was known in which reporting year: the input of the analysis, annual values only.
-- Belongs here: the columns that trends, gaps and network figures are computed from.
-- Does not: choose valid points or segments (analysis).
select
    community_id,
    indicator_id,
    population_group_id,
    geography_id,
    geography_level,
    series,
    school_year,
    value,
    value_low,
    value_high,
    numerator,
    denominator,
    value_status,
    coverage,
    origin,
    submission_id,
    source_file,
    source_sheet,
    source_row,
    known_from,
    known_to
from {{ ref('int_values__combined') }}
where period = 'annual'
