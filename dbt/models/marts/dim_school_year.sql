-- School years without a hole, from the first value or reporting year to the last.
-- Belongs here: the label, the calendar year a school year begins in, the day by which charts place it.
-- Does not: reporting years (dim_reporting_year).
with bounds as (
    select min(school_year) as first_year, max(school_year) as last_year
    from {{ ref('int_values__versioned') }}
    union all
    select min(school_year) as first_year, max(school_year) as last_year
    from {{ ref('int_program_values__accepted') }}
    union all
    select first_reporting_year, last_reporting_year + 1
    from {{ ref('stg_landing__run_context') }}
),

span as (
    select min(first_year) as first_year, max(last_year) as last_year
    from bounds
),

years as (
    select {{ every_number('first_year', 'last_year') }} as school_year
    from span
)

select
    school_year,
    cast(school_year - 1 as varchar) || '-' || lpad(cast(school_year % 100 as varchar), 2, '0') as label,
    school_year - 1 as begins_in,
    {{ end_of_school_year('school_year') }} as school_year_date
from years
