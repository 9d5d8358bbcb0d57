-- Values of states and the nation, for orientation beside a member's own.
-- Belongs here: names and types of seed network/reference_values.
-- Does not: let them into any figure; no model of the analysis reads this.
select
    trim(area_level) as area_level,
    trim(area) as area,
    trim(indicator) as indicator_id,
    coalesce(trim(series), 'default') as series,
    coalesce(trim(population_group_id), 'all') as population_group_id,
    cast(trim(school_year) as integer) as school_year,
    cast(trim({{ adapter.quote('value') }}) as double) as value,
    trim(source) as source,
    trim(licence) as licence
from {{ ref('reference_values') }}
