-- Values effective today: one row per key, submitted or pooled from districts, masked ones included.
-- Belongs here: the value, why it is missing if it is, and the row of the file it came from.
-- Does not: earlier versions (fct_indicator_value_history), trends or any judgement.
select
    community_id,
    indicator_id,
    population_group_id,
    geography_id,
    geography_level,
    school_year,
    series,
    period,
    unit,
    value,
    value_low,
    value_high,
    numerator,
    denominator,
    value_status,
    coverage,
    participation_rate,
    origin,
    n_districts,
    data_source,
    note,
    known_from as reporting_year,
    submission_id,
    source_file,
    source_sheet,
    source_row,
    source_column,
    layout_id
from {{ ref('int_values__combined') }}
where known_to = {{ var('end_of_time') }}
