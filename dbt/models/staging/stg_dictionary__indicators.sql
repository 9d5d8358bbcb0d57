-- Indicators with the unit they are stored in.
-- Belongs here: names and types of seed dictionary/indicators.
-- Does not: a community's own selection of core indicators (a submitted register).
select
    trim(indicator_id) as indicator_id,
    trim(outcome_id) as outcome_id,
    trim(name) as name,
    trim(role) as role,
    lower(trim(cast(is_primary as varchar))) in ('true', 'yes', '1') as is_primary,
    trim(unit) as unit,
    cast(direction as integer) as direction,
    lower(trim(cast(poolable as varchar))) in ('true', 'yes', '1') as poolable,
    trim(periodicity) as periodicity,
    lower(trim(cast(calendar_year as varchar))) in ('true', 'yes', '1') as calendar_year,
    trim(sector_profile) as sector_profile,
    trim(question) as question,
    trim(numerator_text) as numerator_text,
    trim(denominator_text) as denominator_text,
    trim(ceds_id) as ceds_id,
    trim(edfi_descriptor) as edfi_descriptor,
    {{ optional_column(ref('indicators'), 'approved_by', 'varchar') }} as approved_by,
    {{ optional_column(ref('indicators'), 'approved_on', 'date') }} as approved_on
from {{ ref('indicators') }}
