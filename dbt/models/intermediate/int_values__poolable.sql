-- Annual values in percent that community values may be made from, or that stand in their way (RULES 1).
-- Belongs here: which rows are of districts, of the community itself, and whether a district's row can be added up.
-- Does not: sums (int_districts__summed), units other than percent, periods within a year.
select
    annual.*,
    annual.geography_id = annual.community_id as is_own,
    annual.geography_level = 'district' and annual.geography_id != annual.community_id as is_district,
    annual.geography_level = 'district' and annual.geography_id != annual.community_id
    and coalesce(annual.numerator is not null and annual.denominator > 0, false) as reports
from {{ ref('int_values__versioned') }} as annual
where
    annual.period = 'annual'
    and annual.indicator_id in (
        select indicators.indicator_id
        from {{ ref('stg_dictionary__indicators') }} as indicators
        inner join {{ ref('stg_dictionary__units') }} as units using (unit)
        where units.stored_unit = 'percent'
    )
