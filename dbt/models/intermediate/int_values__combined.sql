-- Submitted and pooled values side by side, each with the reporting years it is effective in.
-- Belongs here: the union, and which of the two a value is.
-- Does not: rules; each side has applied its own.
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
    participation_rate,
    cast(null as double) as coverage,
    cast(null as integer) as n_districts,
    'submitted' as origin,
    data_source,
    note,
    layout_id,
    submission_id,
    source_file,
    source_sheet,
    source_row,
    source_column,
    known_from,
    known_to
from {{ ref('int_values__versioned') }}
union all by name
select *, 'pooled' as origin
from {{ ref('int_values__pooled') }}
