-- Rows that passed every check: at most one per key and reporting year.
-- Belongs here: the one filter on row_status and data_level that figures are made from.
-- Does not: rows that wait, were rejected or repeat another (fct_waiting_row, fct_finding), or rows of programs
-- (fct_program_value).
select
    community_id,
    reporting_year,
    submission_id,
    source_file,
    source_sheet,
    source_row,
    source_column,
    layout_id,
    indicator_id,
    population_group_id,
    geography_id,
    geography_level,
    school_year,
    series,
    period,
    unit,
    numerator,
    denominator,
    value,
    value_low,
    value_high,
    value_status,
    participation_rate,
    data_source,
    note
from {{ ref('stg_landing__observations') }}
where row_status = 'accepted' and data_level = 'population'
