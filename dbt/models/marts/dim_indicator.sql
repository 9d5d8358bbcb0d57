-- What is measured: one row per indicator, in the unit that its values are stored in.
-- Belongs here: the dictionary's facts on an indicator.
-- Does not: a community's own choice of core indicators, or names that members use for it.
select
    indicators.indicator_id,
    indicators.outcome_id,
    indicators.name,
    indicators.role,
    coalesce(units.stored_unit, indicators.unit) as unit,
    indicators.direction,
    indicators.poolable,
    indicators.is_primary,
    outcomes.sector,
    indicators.periodicity,
    indicators.calendar_year,
    indicators.sector_profile,
    indicators.question,
    indicators.numerator_text,
    indicators.denominator_text,
    indicators.ceds_id,
    indicators.edfi_descriptor,
    indicators.approved_by,
    indicators.approved_on
from {{ ref('stg_dictionary__indicators') }} as indicators
left join {{ ref('stg_dictionary__units') }} as units using (unit)
left join {{ ref('stg_dictionary__outcomes') }} as outcomes using (outcome_id)
