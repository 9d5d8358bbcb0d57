-- Reference values of states and the nation, each with source and licence.
-- Belongs here: one row per area, indicator, series, group and school year, of indicators of the dictionary.
-- Does not: enter a trend, gap, outcome, criterion or network figure, or stand for a member's own value.
select
    reference_values.area_level,
    reference_values.area,
    reference_values.indicator_id,
    reference_values.series,
    reference_values.population_group_id,
    reference_values.school_year,
    reference_values.value,
    reference_values.source,
    reference_values.licence
from {{ ref('stg_network__reference_values') }} as reference_values
where reference_values.indicator_id in (select indicator_id from {{ ref('dim_indicator') }})
