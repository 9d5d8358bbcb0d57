-- Every version of every value with the reporting years it was the effective one in.
-- Belongs here: restatements, as a pair of years that a question "as of R" falls between.
-- Does not: rows that were never accepted.
select
    community_id,
    indicator_id,
    population_group_id,
    geography_id,
    school_year,
    series,
    period,
    known_from,
    known_to,
    value,
    value_low,
    value_high,
    numerator,
    denominator,
    value_status,
    origin,
    coverage,
    submission_id,
    source_file,
    source_sheet,
    source_row,
    source_column
from {{ ref('int_values__combined') }}
