-- Values of programs effective today, as submitted: who was served, who was not, and what was reached.
-- Belongs here: the newest reporting year of each key; series names the program.
-- Does not: values of the population (fct_indicator_value), or any claim that a program caused a difference.
with ranked as (
    select
        *,
        row_number() over (
            partition by community_id, indicator_id, population_group_id, geography_id, school_year, series, period
            order by reporting_year desc
        ) as version_no
    from {{ ref('int_program_values__accepted') }}
)

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
    data_source,
    note,
    reporting_year,
    submission_id,
    source_file,
    source_sheet,
    source_row
from ranked
where version_no = 1
