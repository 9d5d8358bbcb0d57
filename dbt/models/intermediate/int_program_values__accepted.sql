-- Rows that passed every check and count those of a program: served and not served, never everybody of the place.
-- Belongs here: the one filter that keeps programs apart from figures of the population.
-- Does not: compare, pool or judge them; no trend, gap, outcome or network figure reads this.
select
    community_id,
    reporting_year,
    submission_id,
    source_file,
    source_sheet,
    source_row,
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
    data_source,
    note
from {{ ref('stg_landing__observations') }}
where row_status = 'accepted' and data_level = 'program'
